"""Paths as they stand in manifests: written so that they survive, read so that they cannot lead out of the bag."""

from __future__ import annotations

import re
import unicodedata
from pathlib import PurePosixPath

from exam_kit.errors import Message, m

__all__ = ["decode_path", "document_name", "encode_path", "folded", "path_fault"]

_ENCODED = re.compile(r"%(0[AaDd]|25)")
_DEVICES = {"con", "prn", "aux", "nul", *(f"com{n}" for n in range(1, 10)), *(f"lpt{n}" for n in range(1, 10))}
_FORBIDDEN = set('<>:"|?*%\\')


def encode_path(path: str) -> str:
    """CR, LF and % are percent-encoded (RFC 8493, 2.1.3); everything else stays as it is.

    >>> encode_path("data/100 %/журнал.pdf")
    'data/100 %25/журнал.pdf'
    """
    return path.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def decode_path(text: str) -> str:
    """The inverse of `encode_path`; any other percent sign stands for itself."""
    return _ENCODED.sub(lambda found: chr(int(found[1], 16)), text)


def folded(path: str) -> str:
    """Two paths with the same folded form are one file on FAT, exFAT, NTFS or macOS."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", path).casefold())


def path_fault(path: str) -> Message | None:
    """Why a path from a manifest is refused; None when it stays inside the bag on every system."""
    parts = path.split("/")
    if path.startswith("/") or path.startswith("~") or re.match(r"^[A-Za-z]:", path):
        return m("{path}: an absolute path in a manifest leads out of the bag.", path=path)
    if ".." in parts or "\\" in path:
        return m("{path}: a path in a manifest leads out of the bag.", path=path)
    if "" in parts or "." in parts or "\0" in path:
        return m("{path}: a path in a manifest is not in its plain form.", path=path)
    return None


def document_name(name: str) -> str | None:
    """The name of a document in NFC when every carrier can hold it; None otherwise."""
    plain = unicodedata.normalize("NFC", name)
    if plain != PurePosixPath(plain).name or not plain.strip(". ") or len(plain.encode()) > 200:
        return None
    if plain.endswith((".", " ")) or plain.split(".")[0].casefold() in _DEVICES:
        return None
    if any(ord(sign) < 32 or sign in _FORBIDDEN for sign in plain):
        return None
    return plain
