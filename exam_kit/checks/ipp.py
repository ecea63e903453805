"""As much of IPP (RFC 8010, 8011) as it takes to ask a printer how it is."""

from __future__ import annotations

import http.client
import struct

from exam_kit.checks.model import Reason
from exam_kit.checks.site import NoFact

__all__ = ["printer_attributes"]

GET_PRINTER_ATTRIBUTES = 0x000B
OPERATION, END = 0x01, 0x03
INTEGER, ENUM = 0x21, 0x23
CHARSET, LANGUAGE, URI, KEYWORD = 0x47, 0x48, 0x45, 0x44
PORT = 631
WANTED = (
    "printer-state",
    "printer-state-reasons",
    "printer-make-and-model",
    "marker-types",
    "marker-levels",
)


def printer_attributes(address: str, limit_s: float) -> dict[str, list[int | str]]:
    """What the printer at HOST[:PORT]/PATH answers, values by attribute.

    Raises:
        NoFact: it answers, but not with a printer's attributes.
        OSError: it does not answer.
    """
    server, _slash, path = address.partition("/")
    host, _colon, port = server.partition(":")
    connection = http.client.HTTPConnection(host, int(port or PORT), timeout=limit_s)
    try:
        body = _question(f"ipp://{server}/{path}")
        connection.request("POST", f"/{path}", body, {"Content-Type": "application/ipp", "User-Agent": "exam-kit"})
        answer = connection.getresponse()
        said = answer.read(1_000_000)
    finally:
        connection.close()
    if answer.status in (401, 403):
        raise NoFact(Reason.DENIED, address=address, status=answer.status)
    if answer.status != 200:
        raise NoFact(Reason.ERROR, address=address, status=answer.status)
    try:
        status, attributes = _read(said)
    except (struct.error, IndexError, UnicodeDecodeError) as problem:
        raise NoFact(Reason.ERROR, address=address, said=f"not IPP: {said[:40]!r}") from problem
    if status >= 0x0100:
        refused = status in (0x0401, 0x0402, 0x0403)
        raise NoFact(Reason.DENIED if refused else Reason.ERROR, address=address, ipp_status=f"{status:#06x}")
    return attributes


def _question(uri: str) -> bytes:
    head = struct.pack("!BBHi", 1, 1, GET_PRINTER_ATTRIBUTES, 1) + bytes([OPERATION])
    fields = [
        (CHARSET, "attributes-charset", "utf-8"),
        (LANGUAGE, "attributes-natural-language", "en"),
        (URI, "printer-uri", uri),
    ]
    fields += [(KEYWORD, "requested-attributes" if not at else "", name) for at, name in enumerate(WANTED)]
    return head + b"".join(_field(*field) for field in fields) + bytes([END])


def _field(tag: int, name: str, value: str) -> bytes:
    n, v = name.encode(), value.encode()
    return struct.pack("!BH", tag, len(n)) + n + struct.pack("!H", len(v)) + v


def _read(said: bytes) -> tuple[int, dict[str, list[int | str]]]:
    """(status, values by attribute)."""
    _major, _minor, status, _request = struct.unpack_from("!BBHi", said)
    at, name = 8, ""
    found: dict[str, list[int | str]] = {}
    while said[at] != END:
        tag = said[at]
        at += 1
        if tag < 0x10:  # a group begins
            continue
        (length,) = struct.unpack_from("!H", said, at)
        if length:  # otherwise one more value of the same attribute
            name = said[at + 2 : at + 2 + length].decode()
        at += 2 + length
        (length,) = struct.unpack_from("!H", said, at)
        value = said[at + 2 : at + 2 + length]
        at += 2 + length
        if tag in (INTEGER, ENUM):
            found.setdefault(name, []).append(struct.unpack("!i", value)[0])
        elif 0x40 <= tag < 0x4A or tag in (0x35, 0x36):
            found.setdefault(name, []).append(value.decode(errors="replace"))
    return status, found
