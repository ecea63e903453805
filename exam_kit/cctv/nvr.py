"""A network video recorder asked for what it recorded: one interface, whatever the maker.

Never run on the real device: written to the makers' documents and tested on their documented answers. What is fetched
goes into a folder, under names that tell its time, and from there through `exam_kit.cctv.imports` like any other
footage: the recorder's clock is not believed either.
"""

from __future__ import annotations

import http.client
import os
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol
from zoneinfo import ZoneInfo

from exam_kit.cctv.onvif.wire import Address, Digest
from exam_kit.cctv.sealer import hash_file, sync_folder
from exam_kit.errors import CameraError, Message, m

__all__ = ["Clip", "Fetched", "HttpRecorder", "NvrError", "Progress", "RecorderSource", "clip_name"]

TIMEOUT_S = 20.0
"""Between two bytes; a recorder that seeks on its disk answers later than a camera."""
MOST_BYTES = 8 << 20
"""No answer but a recording is longer."""
CHUNK_BYTES = 1 << 18
TRIES = 4
"""Connections for one recording, each going on where the last one broke."""

Progress = Callable[[int, int | None], None]
"""Bytes that are there, and how many there will be when that is known."""


class NvrError(CameraError):
    """A recorder that cannot be asked. `cause`: unreachable, unauthorised, refused, garbled, cut or not_written."""

    def __init__(self, cause: str, message: Message) -> None:
        super().__init__(message)
        self.cause = cause


@dataclass(frozen=True)
class Clip:
    """One recording as the recorder lists it. Moments are UTC by the recorder's clock; `reference` is what it is
    fetched by; `bytes` is what the list says, None where it says nothing."""

    channel: int
    start: datetime
    end: datetime
    reference: str
    bytes: int | None
    suffix: str


@dataclass(frozen=True)
class Fetched:
    """A recording on the disk. `told_bytes` is what the recorder's list said."""

    path: Path
    bytes: int
    sha256: str
    told_bytes: int | None

    @property
    def as_told(self) -> bool | None:
        """As long as the list said; None where it said nothing."""
        return None if self.told_bytes is None else self.told_bytes == self.bytes


class RecorderSource(Protocol):
    """What every maker's recorder can be asked."""

    def search(self, channel: int, start: datetime, end: datetime) -> list[Clip]:
        """Recordings that touch this time, in order. Raises NvrError."""

    def fetch(self, clip: Clip, target: Path, progress: Progress) -> Fetched:
        """The recording, whole, at `target`; one that was cut off goes on. Raises NvrError."""


def clip_name(clip: Clip, zone: str) -> str:
    """A file name that tells the clip's time, as `exam_kit.cctv.imports` reads it."""
    start, end = (at.astimezone(ZoneInfo(zone)) for at in (clip.start, clip.end))
    return f"ch{clip.channel:02}_{start:%Y%m%d%H%M%S}_{end:%Y%m%d%H%M%S}{clip.suffix}"


class HttpRecorder:
    """Requests to one recorder with digest sign-in. The password is in no text and no repr."""

    def __init__(self, url: str, user: str, password: str, *, timeout_s: float = TIMEOUT_S) -> None:
        """ValueError when `url` is no address of HTTP."""
        self.address = Address.parse(url)
        self._digest = Digest(user, password)
        self._timeout_s = timeout_s

    def __repr__(self) -> str:
        return f"HttpRecorder({self.address.place})"

    def ask(self, method: str, path: str, body: bytes | None = None) -> str:
        """The text of a short answer. Raises NvrError."""
        connection, answer = self._send(method, path, body, {})
        try:
            content = answer.read(MOST_BYTES + 1)
        except (OSError, http.client.HTTPException) as problem:
            raise self._unreachable(problem) from None
        finally:
            connection.close()
        if len(content) > MOST_BYTES:
            raise self.garbled("too long")
        return content.decode("utf-8", "replace")

    def download(
        self, method: str, path: str, body: bytes | None, target: Path, told_bytes: int | None, progress: Progress
    ) -> Fetched:
        """A recording into `target`. What a broken connection left is gone on with, where the recorder can.

        Raises:
            NvrError: it is not whole after `TRIES` connections, or cannot be written.
        """
        if target.exists():  # it gets this name only when it is whole
            length, digest = hash_file(target)
            return Fetched(target, length, digest, told_bytes)
        part = target.with_name(f".{target.name}.part")
        try:
            for _try in range(TRIES):
                if self._go_on(method, path, body, part, told_bytes, progress):
                    break
            else:
                raise NvrError(
                    "cut",
                    m("{place}: the recording breaks off again and again. Try again; it goes on where it stopped.",
                      place=self.address.place),
                )  # fmt: skip
            with part.open("rb+") as whole:
                os.fsync(whole.fileno())
            length, digest = hash_file(part)
            part.rename(target)
            sync_folder(target.parent)
        except OSError as problem:
            raise NvrError(
                "not_written",
                m("{folder}: cannot be written ({reason}). Choose another.", folder=target.parent,
                  reason=problem.strerror or type(problem).__name__),
            ) from problem  # fmt: skip
        return Fetched(target, length, digest, told_bytes)

    def _go_on(
        self, method: str, path: str, body: bytes | None, part: Path, told_bytes: int | None, progress: Progress
    ) -> bool:
        """One connection's worth; True when the recording is whole."""
        have = part.stat().st_size if part.exists() else 0
        connection, answer = self._send(method, path, body, {"Range": f"bytes={have}-"} if have else {})
        try:
            begins, whole = _extent(answer)
            if answer.status == 416 or (answer.status == 206 and begins != have):
                part.unlink(missing_ok=True)  # not the beginning of this recording, or not one it goes on with
                return False
            if answer.status not in (200, 206):
                raise self._refused(answer.status)
            if answer.status == 200:
                have = 0
            with part.open("r+b" if have else "wb") as written:
                written.seek(have)
                while chunk := _read(answer):
                    written.write(chunk)
                    have += len(chunk)
                    progress(have, whole or told_bytes)
            # Without a length the end of the connection is the end, or a cut: only the list can tell.
            wanted = whole if whole is not None else told_bytes
            return wanted is None or have >= wanted
        finally:
            connection.close()

    def _send(
        self, method: str, path: str, body: bytes | None, headers: Mapping[str, str]
    ) -> tuple[http.client.HTTPConnection, http.client.HTTPResponse]:
        """The answer, its head read; signed in when that is asked for. A wrong password is not tried twice: recorders
        lock out."""
        while True:
            connection = self._connection()
            signed = {"Authorization": self._digest.header(method, path)} if self._digest.ready else {}
            try:
                connection.request(method, path, body, {"User-Agent": "exam-kit", "Connection": "close", **headers,
                                                        **signed})  # fmt: skip
                answer = connection.getresponse()
            except (OSError, http.client.HTTPException) as problem:
                connection.close()
                raise self._unreachable(problem) from None
            if answer.status == 401 and self._digest.take(answer.headers):
                connection.close()
                continue
            if answer.status in (401, 403):
                connection.close()
                raise NvrError(
                    "unauthorised",
                    m("{place}: the recorder refuses the sign-in. Check the user, the password and the user's right to "
                      "play back.", place=self.address.place),
                )  # fmt: skip
            if answer.status not in (200, 206, 416):
                connection.close()
                raise self._refused(answer.status)
            return connection, answer

    def _connection(self) -> http.client.HTTPConnection:
        if self.address.scheme == "http":
            return http.client.HTTPConnection(self.address.host, self.address.port, timeout=self._timeout_s)
        # A recorder signs its certificate itself: there is nothing to check it by. What we send is a digest.
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        return http.client.HTTPSConnection(
            self.address.host, self.address.port, timeout=self._timeout_s, context=context
        )

    def garbled(self, reason: str) -> NvrError:
        """What to say of an answer that is none of this maker's."""
        return NvrError(
            "garbled",
            m("{place}: what it answers is not this maker's ({reason}). Check the address and the maker.",
              place=self.address.place, reason=reason),
        )  # fmt: skip

    def _refused(self, status: int) -> NvrError:
        return NvrError(
            "refused",
            m("{place}: the recorder says no (HTTP {status}). Check the channel, the maker and the user's rights.",
              place=self.address.place, status=status),
        )  # fmt: skip

    def _unreachable(self, problem: Exception) -> NvrError:
        reason = getattr(problem, "strerror", None) or type(problem).__name__
        return NvrError(
            "unreachable",
            m("{place}: the recorder is not reached ({reason}). Check its power, the cable and the address.",
              place=self.address.place, reason=reason),
        )  # fmt: skip


def _extent(answer: http.client.HTTPResponse) -> tuple[int, int | None]:
    """First byte and whole length, by the head."""
    if answer.status == 206:
        span, _slash, whole = (answer.getheader("Content-Range") or "").removeprefix("bytes ").partition("/")
        first = span.partition("-")[0]
        return (int(first) if first.isdigit() else -1), int(whole) if whole.isdigit() else None
    length = answer.getheader("Content-Length") or ""
    return 0, int(length) if length.isdigit() else None


def _read(answer: http.client.HTTPResponse) -> bytes:
    """The next bytes; none at the end and where the connection broke."""
    try:
        return answer.read1(CHUNK_BYTES)
    except (OSError, http.client.HTTPException):
        return b""
