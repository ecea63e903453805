"""One HTTP exchange with a camera.

A camera may answer slowly, endlessly or with somebody else's address; none of it may cost more than the time and the
bytes given here, and a password's digest goes to no other host than the one that was asked.
"""

from __future__ import annotations

import hashlib
import http.client
import os
import socket
import ssl
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from email.message import Message as Headers
from urllib.parse import urljoin, urlsplit
from urllib.request import parse_http_list, parse_keqv_list

from exam_kit.errors import CameraError, Message, m

__all__ = ["Address", "Answer", "Digest", "OnvifError", "exchange", "garbled"]

MOST_BYTES = 1 << 20
"""No answer of ONVIF that we ask for comes near this; a larger one is not read to its end."""
MOST_PICTURE_BYTES = 8 << 20
CHUNK_BYTES = 1 << 16
PORTS = {"http": 80, "https": 443}


class OnvifError(CameraError):
    """A camera that cannot be asked by ONVIF. `cause`: timeout, unreachable, unauthorised, redirected, too_large,
    garbled or fault."""

    def __init__(self, cause: str, message: Message) -> None:
        super().__init__(message)
        self.cause = cause


@dataclass(frozen=True)
class Address:
    """Where a camera is asked. Names and passwords never stand in it."""

    scheme: str
    host: str
    port: int
    path: str

    @classmethod
    def parse(cls, url: str) -> Address:
        """ValueError when it is not an address of HTTP with a host."""
        parts = urlsplit(url)
        if parts.scheme not in PORTS or not parts.hostname:
            raise ValueError("an address begins with http:// or https:// and names a host")
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        return cls(parts.scheme, parts.hostname, parts.port or PORTS[parts.scheme], path)

    @property
    def place(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == PORTS[self.scheme] else f"{host}:{self.port}"

    def __str__(self) -> str:
        return f"{self.scheme}://{self.place}{self.path}"


@dataclass(frozen=True)
class Answer:
    """What came back, with our clock (seconds since the epoch) when the request left and when the answer began."""

    status: int
    headers: Headers
    body: bytes
    sent_s: float
    came_s: float


class Digest:
    """HTTP digest sign-in (RFC 7616), MD5 and SHA-256. It knows no time, so a wrong clock does not matter to it."""

    ALGORITHMS: Mapping[str, Callable[[bytes], hashlib._Hash]] = {
        # MD5 is what most cameras offer; the choice is the camera's.
        "MD5": lambda data: hashlib.md5(data, usedforsecurity=False),
        "SHA-256": hashlib.sha256,
    }

    def __init__(self, user: str, password: str) -> None:
        self._user, self._password = user, password
        self._challenge: dict[str, str] = {}
        self._count = 0

    @property
    def ready(self) -> bool:
        return bool(self._challenge)

    def take(self, headers: Headers) -> bool:
        """Take up the challenge of a 401. False: there is none that we can answer, or it refuses what we gave it."""
        offered = [
            _parts(_utf8(text[7:])) for text in headers.get_all("WWW-Authenticate", []) if text[:7].lower() == "digest "
        ]
        known = [one for one in offered if _algorithm(one) in self.ALGORITHMS and one.get("nonce")]
        known.sort(key=_algorithm, reverse=True)
        fresh = bool(known) and (
            not self._challenge
            or known[0].get("stale", "").lower() == "true"
            # Used more than once it was good before: the camera took a new one, and some do not call the old one stale.
            or (self._count > 1 and known[0]["nonce"] != self._challenge["nonce"])
        )
        if fresh:
            self._challenge, self._count = known[0], 0
        return fresh

    def header(self, method: str, path: str) -> str:
        """The value of Authorization; `take` was true before."""
        given, algorithm = self._challenge, _algorithm(self._challenge)

        def hashed(*parts: str) -> str:
            return self.ALGORITHMS[algorithm](":".join(parts).encode()).hexdigest()

        self._count += 1
        mine = hashed(self._user, given.get("realm", ""), self._password)
        asked = hashed(method, path)
        words = {"username": self._user, "realm": given.get("realm", ""), "nonce": given["nonce"], "uri": path}
        more = f", algorithm={algorithm}" if "algorithm" in given else ""
        if "auth" in [word.strip() for word in given.get("qop", "").split(",")]:
            count, own = f"{self._count:08x}", os.urandom(8).hex()
            words["response"] = hashed(mine, given["nonce"], count, own, "auth", asked)
            words["cnonce"] = own
            more += f", qop=auth, nc={count}"
        else:
            words["response"] = hashed(mine, given["nonce"], asked)
        if "opaque" in given:
            words["opaque"] = given["opaque"]
        quoted = ", ".join(f'{name}="{_quoted(value)}"' for name, value in words.items())
        return f"Digest {quoted}{more}"


def _parts(text: str) -> dict[str, str]:
    # The library cannot take a name without a value.
    return parse_keqv_list([part for part in parse_http_list(text) if part.partition("=")[2]])


def _utf8(header: str) -> str:
    """`http.client` reads the bytes of a header as Latin-1; names of people and realms are UTF-8 (RFC 7616)."""
    try:
        return header.encode("latin-1").decode()
    except UnicodeError:
        return header


def _algorithm(challenge: Mapping[str, str]) -> str:
    return challenge.get("algorithm", "MD5").upper()


def _quoted(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"')


def exchange(
    address: Address,
    method: str,
    body: bytes | None,
    headers: Mapping[str, str],
    *,
    timeout_s: float,
    wall: Callable[[], float],
    most_bytes: int = MOST_BYTES,
) -> Answer:
    """Send one request; its answer, whatever its status.

    Raises:
        OnvifError: nothing came within `timeout_s` in all, more came than `most_bytes`, or it points elsewhere.
    """
    connection = _connection(address, timeout_s)
    late = threading.Event()
    ends = time.monotonic() + timeout_s
    try:
        connection.connect()
        # `http.client` forgets its socket on "Connection: close"; the watch needs it until the end.
        wire = connection.sock
        watch = threading.Timer(max(ends - time.monotonic(), 0.0), _cut, (wire, late))
        watch.daemon = True
        watch.start()
        try:
            sent_s = wall()
            spoken = {"User-Agent": "exam-kit", "Connection": "close", **headers}
            connection.request(method, address.path, body, {name: said.encode() for name, said in spoken.items()})
            answer = connection.getresponse()
            came_s = wall()
            _stays_here(address, answer)
            content = _whole(address, answer, most_bytes)
        finally:
            watch.cancel()
    except (OSError, http.client.HTTPException, ValueError) as problem:
        if late.is_set() or isinstance(problem, TimeoutError):
            raise _silent(address, timeout_s) from None
        if isinstance(problem, http.client.HTTPException | ValueError):
            raise garbled(address, type(problem).__name__) from None
        raise OnvifError(
            "unreachable",
            m(
                "{place}: ONVIF is not reached ({reason}). Check the cable, the address under 'onvif' in point.toml, "
                "and that ONVIF is switched on in the camera.",
                place=address.place,
                reason=problem.strerror or type(problem).__name__,
            ),
        ) from None
    finally:
        connection.close()
    if late.is_set():
        raise _silent(address, timeout_s)
    return Answer(answer.status, answer.headers, content, sent_s, came_s)


def _connection(address: Address, timeout_s: float) -> http.client.HTTPConnection:
    if address.scheme == "http":
        return http.client.HTTPConnection(address.host, address.port, timeout=timeout_s)
    # A camera signs its certificate itself: there is nothing to check it by. What we send is a digest in any case.
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return http.client.HTTPSConnection(address.host, address.port, timeout=timeout_s, context=context)


def _cut(wire: socket.socket, late: threading.Event) -> None:
    """Time is up, however slowly it still drips."""
    late.set()
    with suppress(OSError):
        wire.shutdown(socket.SHUT_RDWR)


def _stays_here(address: Address, answer: http.client.HTTPResponse) -> None:
    if 300 <= answer.status < 400:
        target = urlsplit(urljoin(str(address), answer.getheader("Location") or ""))
        raise OnvifError(
            "redirected",
            m(
                "{place}: it sends us on to {target}, and we do not follow: the sign-in is meant for this camera only. "
                "Write the camera's right address under 'onvif' in point.toml.",
                place=address.place,
                target=f"{target.scheme}://{target.hostname or '—'}"[:100],
            ),
        )


def _whole(address: Address, answer: http.client.HTTPResponse, most_bytes: int) -> bytes:
    content = bytearray()
    while chunk := answer.read1(CHUNK_BYTES):
        content += chunk
        if len(content) > most_bytes:
            raise OnvifError(
                "too_large",
                m(
                    "{place}: its answer is larger than {limit} MB and was not read. Check that the address under "
                    "'onvif' in point.toml is a camera's.",
                    place=address.place,
                    limit=most_bytes >> 20,
                ),
            )
    return bytes(content)


def _silent(address: Address, timeout_s: float) -> OnvifError:
    return OnvifError(
        "timeout",
        m(
            "{place}: no answer by ONVIF within {limit} s. Check the camera's power, its cable and the address under "
            "'onvif' in point.toml.",
            place=address.place,
            limit=f"{timeout_s:g}",
        ),
    )


def garbled(address: Address, reason: str) -> OnvifError:
    """What to say of an answer that is none; `reason` is for those who look into it."""
    return OnvifError(
        "garbled",
        m(
            "{place}: what it answers is not ONVIF ({reason}). Check the address under 'onvif' in point.toml.",
            place=address.place,
            reason=reason,
        ),
    )
