"""Writing a bag: BagIt 1.0 (RFC 8493), signed.

::

    77_0001_20260528_COR-ENTR_copy1/
      bagit.txt  bag-info.txt  manifest-sha256.txt  tagmanifest-sha256.txt
      coverage.json             cameras, planned and recorded seconds, gaps, every file with camera and time
      copy-journal.txt          the copy's own journal: what was read back, when
      signature/point.pub       the point's public key, PEM
      signature/tagmanifest-sha256.sig   Ed25519 over tagmanifest-sha256.txt, 64 bytes
      data/<zone>/*.mp4  data/documents/*  data/ledger.jsonl

The tag manifest names every other file outside `data/`, the payload manifest among them, so one signature holds all.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from exam_kit.archive.act import HandoverAct
from exam_kit.archive.bag_paths import encode_path
from exam_kit.archive.copy_journal import JOURNAL
from exam_kit.archive.medium import BLOCK, fsync_folder
from exam_kit.archive.selection import CameraCoverage
from exam_kit.archive.sink import CopyTask, Proof
from exam_kit.clock import iso
from exam_kit.errors import ArchiveError, m
from exam_kit.point import Point, Zone
from exam_kit.store.keys import SigningKey

__all__ = [
    "COVERAGE",
    "DECLARATION",
    "INFO",
    "LEDGER",
    "LISTS",
    "MANIFEST",
    "PUBLIC_KEY",
    "SIGNATURE",
    "TAGMANIFEST",
    "BagSink",
    "Listed",
    "bag_name",
    "coverage_json",
    "info_text",
    "seal",
    "seal_lists",
    "sweep",
    "write_proved",
]

DECLARATION, INFO = "bagit.txt", "bag-info.txt"
MANIFEST, TAGMANIFEST = "manifest-sha256.txt", "tagmanifest-sha256.txt"
COVERAGE, LEDGER = "coverage.json", "data/ledger.jsonl"
SIGNATURE, PUBLIC_KEY = "signature/tagmanifest-sha256.sig", "signature/point.pub"
LISTS = (DECLARATION, INFO, MANIFEST, TAGMANIFEST, COVERAGE, JOURNAL)
"""The files that lie beside `data/`."""

DECLARATION_TEXT = "BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n"

_ZONE_CODES = {Zone.HEADQUARTERS: "HQ", Zone.ROOM: "ROOM", Zone.CORRIDOR: "COR", Zone.ENTRANCE: "ENTR"}


class BagSink(Protocol):
    """What takes the bag's own files: a folder, or the encryption around one."""

    root: Path

    def begin(self, path: str, *, direct: bool) -> None: ...
    def write(self, data: memoryview) -> None: ...
    def finish(self) -> None: ...
    def abandon(self) -> None: ...
    def settle(self, path: str) -> None: ...
    def prove(self, task: CopyTask) -> Proof: ...
    def accept(self, path: str) -> None: ...
    def discard(self, path: str) -> None: ...


@dataclass(frozen=True)
class Listed:
    """One line of a manifest, and the file's size."""

    path: str
    sha256: str
    bytes: int


def bag_name(point: Point, day: dt.date, zones: Sequence[Zone], copy: int, more: str = "") -> str:
    """``RR_PPPP_YYYYMMDD_ZONES_copyN``; `more` stands behind the zones: single cameras, a span."""
    codes = "-".join([*(_ZONE_CODES[zone] for zone in Zone if zone in zones), *([more] if more else [])])
    return f"{point.region}_{point.code}_{day:%Y%m%d}_{codes}_copy{copy}"


def info_text(act: HandoverAct, payload: Sequence[Listed], supplement_to: str = "") -> str:
    """bag-info.txt; the date is the act's, in the point's own zone. `supplement_to`: the first bag's name and hash."""
    local = act.made_at.astimezone(ZoneInfo(act.timezone))
    pairs = [
        ("Source-Organization", act.point_name),
        ("Organization-Address", act.address),
        ("External-Identifier", f"{act.region}-{act.point_code}-{act.exam_date:%Y%m%d}"),
        ("Bag-Group-Identifier", f"{act.region}-{act.point_code}"),
        ("Internal-Sender-Identifier", act.number),
        ("Bagging-Date", local.date().isoformat()),
        ("Payload-Oxum", f"{sum(item.bytes for item in payload)}.{len(payload)}"),
        ("Bag-Software-Agent", "Exam Kit"),
        ("Exam-Subject", act.subject),
        ("Exam-Date", act.exam_date.isoformat()),
        ("Exam-Zones", " ".join(act.zones)),
        ("Exam-Cameras", " ".join(act.single_cameras)),
        ("Exam-Span", " ".join(iso(moment) for moment in act.span or ())),
        ("Copy-Number", str(act.copy)),
        ("Supplement-To", supplement_to),
        ("Ledger-Head", f"{act.ledger_head.seq} {act.ledger_head.hash}"),
        ("Keep-Until", act.keep_until.isoformat() if act.keep_until else ""),
    ]
    return "".join(f"{label}: {_one_line(value)}\n" for label, value in pairs if value)


def coverage_json(act: HandoverAct, cameras: Sequence[CameraCoverage], failed: Sequence[Mapping[str, str]]) -> bytes:
    """coverage.json: the act's facts, each camera's seconds, and files that could not be copied with the reason."""
    document: dict[str, Any] = {
        "title": "exam-kit coverage v1",
        **act.as_dict(),
        "cameras": [camera.as_dict() for camera in cameras],
        "deficiency_messages": [
            {"template": lacking.template, "values": {name: _plain(value) for name, value in lacking.values.items()}}
            for lacking in act.deficiencies
        ],
        "failed": list(failed),
    }
    return (json.dumps(document, ensure_ascii=False, indent=1, sort_keys=True) + "\n").encode()


def write_proved(sink: BagSink, path: str, chunks: Iterable[bytes]) -> Listed:
    """Write one file of the bag's own by the same protocol as the footage: read back before it has its name.

    Raises:
        ArchiveError: the medium gave back other bytes.
        OSError: the medium failed.
    """
    digest, size = hashlib.sha256(), 0
    sink.discard(path)
    sink.begin(path, direct=False)
    try:
        for chunk in _blocks(chunks):
            digest.update(chunk)
            size += len(chunk)
            sink.write(memoryview(chunk))
        sink.finish()
    finally:
        sink.abandon()
    sink.settle(path)
    task = CopyTask(path, Path(path), size, digest.hexdigest())
    if not sink.prove(task).same:
        sink.discard(path)
        raise ArchiveError(
            m("{file}: the carrier gave back other bytes than were written to it. Use another carrier.", file=path)
        )
    sink.accept(path)
    return Listed(path, task.sha256, size)


def seal(
    sink: BagSink,
    act: HandoverAct,
    payload: Sequence[Listed],
    coverage: bytes,
    key: SigningKey,
    journal: bytes | None,
    supplement_to: str = "",
) -> str:
    """Write everything outside `data/` and sign it; the SHA-256 of the tag manifest, which stands for the whole bag.

    `journal` is what already lies in the bag as the copy's journal; None in the bag inside an encrypted one.
    """
    tags = [write_proved(sink, COVERAGE, [coverage])]
    return seal_lists(sink, info_text(act, payload, supplement_to), payload, tags, key, journal)


def seal_lists(
    sink: BagSink, info: str, payload: Sequence[Listed], tags: Sequence[Listed], key: SigningKey, journal: bytes | None
) -> str:
    """The declaration, tags, lists and signature that make a folder a signed bag; the tag manifest's SHA-256."""
    listed = [
        *tags,
        write_proved(sink, DECLARATION, [DECLARATION_TEXT.encode()]),
        write_proved(sink, INFO, [info.encode()]),
        write_proved(sink, PUBLIC_KEY, [key.public.pem()]),
        write_proved(sink, MANIFEST, _lines(payload)),
    ]
    if journal is not None:
        listed.append(Listed(JOURNAL, hashlib.sha256(journal).hexdigest(), len(journal)))
    text = b"".join(_lines(listed))
    write_proved(sink, TAGMANIFEST, [text])
    write_proved(sink, SIGNATURE, [key.sign(text)])
    fsync_folder(sink.root)
    return hashlib.sha256(text).hexdigest()


def sweep(root: Path, keep: Iterable[str]) -> None:
    """Remove what an interrupted attempt left in the unsealed folder `root` and this one does not claim."""
    claimed = set(keep)
    for path in sorted(root.rglob("*"), reverse=True):
        if path.is_dir() and not path.is_symlink():
            if not any(path.iterdir()):
                path.rmdir()
        elif path.relative_to(root).as_posix() not in claimed:
            path.unlink()


def _lines(items: Sequence[Listed]) -> Iterator[bytes]:
    for item in sorted(items, key=lambda item: item.path):
        yield f"{item.sha256}  {encode_path(item.path)}\n".encode()


def _blocks(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Join small chunks, so that a long list of lines is not one system call each."""
    waiting: list[bytes] = []
    size = 0
    for chunk in chunks:
        waiting.append(chunk)
        size += len(chunk)
        if size >= BLOCK:
            yield b"".join(waiting)
            waiting, size = [], 0
    yield b"".join(waiting)


def _plain(value: object) -> object:
    return value if isinstance(value, int | float) else str(value)


def _one_line(value: str) -> str:
    """A tag's value stays on its line, whatever was typed into point.toml."""
    return " ".join(value.split())
