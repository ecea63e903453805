"""Photos and papers that a person adds to an answer or a sheet: kept under their SHA-256, so that nothing can take
their place."""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Sequence
from enum import StrEnum
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from exam_kit.errors import AccessDenied, RefusedEntry, StoreError, m
from exam_kit.home import Home

__all__ = [
    "MOST_ATTACHMENTS",
    "MOST_BYTES",
    "UNKNOWN_KIND",
    "KeptFile",
    "KeptState",
    "evidence_folder",
    "keep_evidence",
    "kept_state",
    "kind_of",
    "read_evidence",
]

MOST_ATTACHMENTS = 10
MOST_BYTES = 25_000_000
NAME_LENGTH = 120

UNKNOWN_KIND = "application/octet-stream"
KINDS = (
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"%PDF-", "application/pdf"),
)
"""How the kinds begin that a browser may show. Nothing that can hold a script, such as HTML or SVG."""


class KeptFile(NamedTuple):
    """A kept photo or paper: under its SHA-256 in `evidence/`, here by the name it came with."""

    name: str
    sha256: str
    bytes: int


class KeptState(StrEnum):
    """What became of a kept file since."""

    WHOLE = "whole"
    MISSING = "missing"
    ALTERED = "altered"


def evidence_folder(home: Home) -> Path:
    return home.root / "evidence"


def keep_evidence(home: Home, attachments: Sequence[tuple[str, bytes]]) -> tuple[KeptFile, ...]:
    """Write each (name, bytes) to `evidence/<sha256>`; on the disk when this returns. What is there already stays.

    Raises:
        RefusedEntry: one is empty or too big, or there are too many.
        AccessDenied: the folder cannot be written.
    """
    if len(attachments) > MOST_ATTACHMENTS:
        raise RefusedEntry(
            m(
                "Attachments: {count} is too many. Choose at most {most}.",
                count=len(attachments),
                most=MOST_ATTACHMENTS,
            )
        )
    for name, content in attachments:
        if not content or len(content) > MOST_BYTES:
            raise RefusedEntry(
                m(
                    "{name}: an attachment of {size} bytes is not kept. Choose one of 1 to {most} bytes.",
                    name=_plain(name),
                    size=len(content),
                    most=MOST_BYTES,
                )
            )
    folder = evidence_folder(home)
    kept = []
    try:
        if attachments:
            folder.mkdir(parents=True, exist_ok=True)
        for name, content in attachments:
            digest = hashlib.sha256(content).hexdigest()
            _write(folder / digest, content)
            kept.append(KeptFile(_plain(name), digest, len(content)))
    except OSError as problem:
        raise AccessDenied(
            m(
                "{folder}: cannot be written ({reason}). Give this user the right to write there.",
                folder=folder,
                reason=problem.strerror or str(problem),
            )
        ) from problem
    return tuple(kept)


def read_evidence(home: Home, sha256: str) -> bytes:
    """The attachment whose SHA-256 this is, proved anew.

    Raises:
        StoreError: it is not there, or its content is another.
    """
    name = sha256 if len(sha256) == 64 and set(sha256) <= set("0123456789abcdef") else ""
    try:
        content = (evidence_folder(home) / name).read_bytes() if name else b""
    except OSError as problem:
        raise StoreError(
            m("{name}: the attachment is not there. Restore the folder 'evidence' from the backup.", name=sha256)
        ) from problem
    if not name or hashlib.sha256(content).hexdigest() != name:
        raise StoreError(
            m("{name}: the attachment was changed. Restore the folder 'evidence' from the backup.", name=sha256)
        )
    return content


def kept_state(home: Home, sha256: str) -> KeptState:
    """Whether the attachment is still what it was; one that cannot be read counts as missing."""
    try:
        path = evidence_folder(home) / sha256
        told = path.stat()
        # A screen asks every few seconds: read again only where the system says that the file was touched.
        found = _digest(path, told.st_ino, told.st_size, told.st_mtime_ns, told.st_ctime_ns)
    except OSError:
        return KeptState.MISSING
    return KeptState.WHOLE if found == sha256 else KeptState.ALTERED


@lru_cache(maxsize=500)
def _digest(path: Path, _inode: int, _size_bytes: int, _changed_ns: int, _touched_ns: int) -> str:
    with path.open("rb") as source:
        return hashlib.file_digest(source, "sha256").hexdigest()


def kind_of(content: bytes) -> str:
    """The media type by the content itself, whatever its name says; `UNKNOWN_KIND` for what is only to be saved."""
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "image/webp"
    return next((kind for begins, kind in KINDS if content.startswith(begins)), UNKNOWN_KIND)


def _write(path: Path, content: bytes) -> None:
    if path.exists() and hashlib.sha256(path.read_bytes()).hexdigest() == path.name:
        return
    part = path.with_suffix(f".{os.getpid()}-{threading.get_ident()}.part")
    with part.open("wb") as target:
        target.write(content)
        target.flush()
        os.fsync(target.fileno())
    part.replace(path)
    if os.name == "posix":
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _plain(name: str) -> str:
    """The name alone, without folders and characters that cannot be shown."""
    last = name.replace("\\", "/").rpartition("/")[2]
    return "".join(char for char in last if char.isprintable())[:NAME_LENGTH].strip() or "—"
