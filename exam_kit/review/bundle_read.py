"""Reading a review bundle from a stranger: nothing of it is used before it is proved."""

from __future__ import annotations

import hashlib
import json
import struct
import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from exam_kit.errors import ExamKitError, Message, StoreError, m
from exam_kit.review.bundle import KIND, LEDGER, NAMES
from exam_kit.store.keys import VerifyKey
from exam_kit.store.report import LedgerReport
from exam_kit.store.verify import hashes_of, verify_export

__all__ = ["Bundle", "BundleRefused", "read_bundle"]

MOST_BYTES = {LEDGER: 4_000_000_000}
MOST_BESIDE_BYTES = 64_000_000
MOST_RATIO = 100
"""The hashes and seals of a ledger do not compress: a real export becomes a tenth at most."""
MOST_DIRECTORY_BYTES = 4096
END = struct.Struct("<4s4H2LH")
END_MARK, ZIP64_MARK = b"PK\x05\x06", b"PK\x06\x07"
CHUNK_BYTES = 1 << 20


class BundleRefused(ExamKitError):
    """The bundle is none, or was changed; nothing of it is shown."""

    exit_code = 30


@dataclass(frozen=True)
class Bundle:
    """A proved bundle, its files laid into a folder. `outside` says that its key came from elsewhere."""

    folder: Path
    report: LedgerReport
    key: VerifyKey
    outside: bool


def read_bundle(path: Path, folder: Path, key: VerifyKey | None = None, anchors: Sequence[str] = ()) -> Bundle:
    """Prove the bundle at `path` and lay its files into `folder`, which is empty and nobody else's.

    `key` is the point's public key, kept elsewhere; without one the bundle is proved against the key it names itself.

    Raises:
        BundleRefused: with the reason.
    """
    try:
        with path.open("rb") as source:
            _directory(path, source)
            with zipfile.ZipFile(source) as archive:
                _lay_out(path, archive, folder)
    except (
        OSError,
        zipfile.BadZipFile,
        zlib.error,
        struct.error,
        EOFError,
        ValueError,
        NotImplementedError,
        RuntimeError,
        OverflowError,
    ) as problem:
        raise _refused(
            path, m("it cannot be read: {reason}", reason=str(problem) or type(problem).__name__)
        ) from problem
    ledger = folder / LEDGER
    try:
        own = VerifyKey.load(folder / "ledger.pub")
    except StoreError as problem:
        raise _refused(path, m("its public key cannot be read")) from problem
    try:
        # The key it brings must be the one it was signed with: people compare its fingerprint with the region.
        report = verify_export(ledger, key or own, anchors)
    except StoreError as problem:
        raise _refused(path, m("its ledger is no export of a ledger")) from problem
    found = [one for one in report.findings if one.kind != "checkpoint removed"]
    if found or not report.entries:
        raise BundleRefused(
            m("{path}: the review bundle is not opened, its ledger was changed:", path=path),
            [one.message for one in found],
        )
    _beside(path, folder, ledger, report.entries)
    return Bundle(folder, report, key or own, key is not None)


def _refused(path: Path, reason: Message) -> BundleRefused:
    return BundleRefused(
        m(
            "{path}: the review bundle is not opened: {reason}. Ask the point for the file anew.",
            path=path,
            reason=reason,
        )
    )


def _directory(path: Path, source: IO[bytes]) -> None:
    """Look at the end of the file before anything makes a list of what it says is in it."""
    size = source.seek(0, 2)
    start = max(0, size - (END.size + 0xFFFF))
    source.seek(start)
    tail = source.read()
    at = tail.rfind(END_MARK)
    if at < 0 or len(tail) - at < END.size:
        raise _refused(path, m("it is no review bundle"))
    _mark, _disk, _first, _here, count, directory, _offset, _comment = END.unpack_from(tail, at)
    if tail[max(0, at - 20) : at].startswith(ZIP64_MARK) or count > len(NAMES) + 1 or directory > MOST_DIRECTORY_BYTES:
        raise _refused(path, m("it holds more files than a review bundle has"))
    source.seek(0)


def _lay_out(path: Path, archive: zipfile.ZipFile, folder: Path) -> None:
    """Unpack the six files under our own names for them, and no more of each than it says it has."""
    listed = archive.infolist()
    names = [one.filename for one in listed]
    if sorted(names) != sorted((LEDGER, *NAMES)):
        raise _refused(path, m("its files are not those of a review bundle"))
    for one in listed:
        most = MOST_BYTES.get(one.filename, MOST_BESIDE_BYTES)
        packed_hard = one.file_size > MOST_RATIO * max(one.compress_size, CHUNK_BYTES // MOST_RATIO)
        if one.file_size > most or packed_hard:
            raise _refused(path, m("{name} would unpack to {size} bytes", name=one.filename, size=one.file_size))
        if one.flag_bits & 1 or one.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise _refused(path, m("{name} is packed in a way that is not ours", name=one.filename))
        left = one.file_size
        with archive.open(one) as packed, (folder / one.filename).open("xb") as target:
            while piece := packed.read(min(CHUNK_BYTES, left + 1)):
                left -= len(piece)
                if left < 0:
                    raise _refused(path, m("{name} is longer than it says", name=one.filename))
                target.write(piece)


def _beside(path: Path, folder: Path, ledger: Path, entries: int) -> None:
    """The files beside the ledger are those that its last entry names, so they are as old as what is read there."""
    named: dict[str, str] = {}
    for seq, _hash, record in hashes_of(ledger):
        if seq == entries and f'"kind":"{KIND}"' in record:
            entry = json.loads(record)
            body = entry["body"] if entry["kind"] == KIND and isinstance(entry["body"], dict) else {}
            named = body["files"] if isinstance(body.get("files"), dict) else {}
    if not named:
        raise _refused(path, m("its ledger does not end with the making of a bundle"))
    for name in NAMES:
        with (folder / name).open("rb") as source:
            digest = hashlib.file_digest(source, "sha256").hexdigest()
        if named.get(name) != digest:
            raise _refused(path, m("{name} is not the one that its ledger names", name=name))
