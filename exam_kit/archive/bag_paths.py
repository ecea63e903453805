"""Paths as they stand in manifests: written so that they survive, read so that they cannot lead out of the bag."""

from __future__ import annotations

import re
import unicodedata
from pathlib import PurePosixPath

from exam_kit.errors import Message, m

__all__ = ["decode_path", "document_name", "encode_path", "folded", "normal", "path_fault", "shown"]

_ENCODED = re.compile(r"%(0[AaDd]|25)")
_STRAY = re.compile(r"%(?!0[AaDd]|25)")
_DEVICES = {"con", "prn", "aux", "nul", *(f"com{n}" for n in range(1, 10)), *(f"lpt{n}" for n in range(1, 10))}
_FORBIDDEN = set('<>:"|?*%\\')
_UNSEEN = {"Cc", "Cf", "Cs", "Zl", "Zp"}
"""Categories of characters that show nothing, or change how others are shown: controls, bidi marks, separators."""


def encode_path(path: str) -> str:
    """CR, LF and % are percent-encoded (RFC 8493, 2.1.3); everything else stays as it is.

    >>> encode_path("data/100 %/журнал.pdf")
    'data/100 %25/журнал.pdf'
    """
    return path.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def decode_path(text: str) -> str:
    """The inverse of `encode_path`.

    Raises:
        ValueError: another percent sign stands in it; tools disagree about what that means.
    """
    if _STRAY.search(text):
        raise ValueError(text)
    return _ENCODED.sub(lambda found: chr(int(found[1], 16)), text)


def normal(path: str) -> str:
    """The form by which a name in a list and a name on a disk are compared (macOS stores another Unicode form)."""
    return unicodedata.normalize("NFC", path)


def folded(path: str) -> str:
    """Two paths with the same folded form are one file on FAT, exFAT, NTFS or macOS."""
    return normal(normal(path).casefold())


def shown(text: str) -> str:
    r"""`text` for a screen, a page or a log: what cannot be seen or turns the line around stands as its code.

    >>> shown("data/\u202e4pm.exe")
    'data/\\u202e4pm.exe'
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(_coded(sign) if unicodedata.category(sign) in _UNSEEN else sign for sign in text)


def _coded(sign: str) -> str:
    return f"\\u{ord(sign):04x}" if ord(sign) < 0x10000 else f"\\U{ord(sign):08x}"


def path_fault(path: str) -> Message | None:
    """Why a path from a manifest is refused; None when it stays inside the bag on every system."""
    parts = path.split("/")
    if path.startswith("/") or path.startswith("~") or re.match(r"^[A-Za-z]:", path):
        return m("{path}: an absolute path in a manifest leads out of the bag.", path=path)
    if ".." in parts or "\\" in path:
        return m("{path}: a path in a manifest leads out of the bag.", path=path)
    if "" in parts or "." in parts:
        return m("{path}: a path in a manifest is not in its plain form.", path=path)
    if shown(path) != path:
        return m("{path}: a path in a manifest holds characters that cannot be seen.", path=path)
    if any(_elsewhere(part) for part in parts):
        return m("{path}: a path in a manifest means another file, or a device, on Windows.", path=path)
    return None


def _elsewhere(part: str) -> bool:
    return ":" in part or part.endswith((".", " ")) or part.split(".")[0].rstrip().casefold() in _DEVICES


def document_name(name: str) -> str | None:
    """The name of a document in NFC when every carrier can hold it; None otherwise."""
    plain = normal(name)
    if plain != PurePosixPath(plain).name or not plain.strip(". ") or len(plain.encode()) > 200:
        return None
    if _elsewhere(plain) or shown(plain) != plain or any(sign in _FORBIDDEN for sign in plain):
        return None
    return plain
