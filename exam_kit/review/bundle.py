"""A review bundle: the books of a point in one file, to be read and proved on another machine.

A zip of six files. `ledger.txt` is the ledger's export up to its signed head and proves itself; its last entry, of the
kind `KIND`, names the SHA-256 of every other file, so the chain proves those as well. Nothing secret is in it: no PIN,
no password, no private key, no camera's address.
"""

from __future__ import annotations

import hashlib
import json
import os
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from exam_kit.cctv.coverage import merge
from exam_kit.cctv.segments import NO_FILE, gaps, segments
from exam_kit.clock import iso
from exam_kit.errors import StoreError, m
from exam_kit.home import Home
from exam_kit.journal.numbering import point_key
from exam_kit.journal.person import authorise, login_of, person_of
from exam_kit.point import Point
from exam_kit.store import Account, Act, Checkpoint, Ledger
from exam_kit.store.durable import sync_folder
from exam_kit.store.export import export_lines
from exam_kit.store.verify import read_anchors

__all__ = ["KIND", "LEDGER", "MAY_MAKE", "NAMES", "Made", "make_bundle"]

KIND = "review.bundled"
LEDGER = "ledger.txt"
NAMES = ("ledger.pub", "anchors.txt", "point.toml", "recordings.json", "files.json")
"""What lies beside the ledger, each proved by the ledger's entry."""

MAY_MAKE = (Act.ARCHIVE, Act.WITNESS, Act.RECEIVE)
"""Whoever archives, witnesses or receives the footage may take the books along as well."""

TRIES = 20
"""Somebody else may write an entry between ours and its signature: then once more."""

SEAM_S = 1.0
"""Recordings closer than this are one."""


@dataclass(frozen=True)
class Made:
    """A written bundle."""

    path: Path
    entries: int
    bytes: int


def make_bundle(home: Home, point: Point, ledger: Ledger, by: Account | str, path: Path) -> Made:
    """Write the bundle to `path`; it is on the disk when this returns. `by` is who asks, or the terminal's actor.

    Raises:
        AccessDenied: the role may not.
        StoreError: the ledger's head cannot be signed, or the file cannot be written.
    """
    if isinstance(by, Account):
        authorise(by, *MAY_MAKE)
    beside, last = _named(home, point, ledger, by)
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(prefix="exam-kit-bundle-", dir=path.parent) as folder:
            export = Path(folder) / LEDGER
            with export.open("w", encoding="utf-8", newline="\n") as lines:
                lines.writelines(f"{line}\n" for line in export_lines(ledger, last))
            with zipfile.ZipFile(part, "w", zipfile.ZIP_DEFLATED, allowZip64=False) as target:
                target.write(export, LEDGER)
                for name, content in beside.items():
                    target.writestr(name, content)
        with part.open("rb+") as written:
            os.fsync(written.fileno())
        part.replace(path)
        sync_folder(path.parent)
    except (OSError, zipfile.LargeZipFile) as problem:
        raise StoreError(
            m(
                "{path}: the review bundle cannot be written ({reason}). Choose another place.",
                path=path,
                reason=problem,
            )
        ) from problem
    finally:
        part.unlink(missing_ok=True)
    return Made(path, last, path.stat().st_size)


def _named(home: Home, point: Point, ledger: Ledger, by: Account | str) -> tuple[dict[str, bytes], int]:
    """What lies beside the ledger, and the number of the entry that names it: the last one, and signed.

    Were the bundle's ledger to go on after it, what lies beside would be older than what is read there.
    """
    for _try in range(TRIES):
        beside = dict(_beside(home, point, ledger))
        body: dict[str, Any] = {
            "point": point_key(point),
            "files": {name: hashlib.sha256(content).hexdigest() for name, content in beside.items()},
        }
        if isinstance(by, Account):
            body["by"] = person_of(by).as_dict()
        entry = ledger.append(KIND, body, login_of(by) if isinstance(by, Account) else by)
        signed = ledger.checkpoint()
        if signed is None:
            raise StoreError(m("Review bundle: the ledger's head cannot be signed here. See 'exam-kit log rekey'."))
        if signed.seq == entry.seq:
            return beside, entry.seq
    raise StoreError(m("Review bundle: entries are written all the time just now. Try again in a minute."))


def _beside(home: Home, point: Point, ledger: Ledger) -> Iterator[tuple[str, bytes]]:
    yield "ledger.pub", ledger.public_key.pem()
    yield "anchors.txt", "".join(f"{line}\n" for line in _anchor_lines(home)).encode()
    yield "point.toml", _toml(_facts(point)).encode()
    yield "recordings.json", json.dumps(_recordings(ledger), ensure_ascii=False).encode()
    yield "files.json", json.dumps(_files(home)).encode()


def _anchor_lines(home: Home) -> Iterator[str]:
    for text in read_anchors(home.anchors):
        try:
            yield Checkpoint.parse(text).line()
        except (ValueError, KeyError):
            continue  # what was damaged here is found here, by 'log verify'


def _facts(point: Point) -> dict[str, Any]:
    """The point without what others need not know: no address of a camera or a station, no keys, no stores."""
    keep = {
        "region", "region_name", "code", "name", "address", "timezone", "language", "profile", "check_lead_min",
        "check_window_min", "rooms", "cameras", "recording", "access_log", "days",
    }  # fmt: skip
    facts = point.model_dump(mode="json", include=keep, exclude_none=True)
    facts["cameras"] = [
        {"id": one.id, "room": one.room, "name": one.name, "url": "file:///", "bitrate_mbps": one.bitrate_mbps}
        for one in point.cameras
    ]
    return facts


def _recordings(ledger: Ledger) -> dict[str, Any]:
    """Gaps with their causes, and what was recorded, neighbouring files as one."""
    pieces: dict[str, list[Any]] = {}
    for one in segments(ledger.store):
        if one.end is not None and one.reason not in NO_FILE:
            pieces.setdefault(one.camera, []).append((one.start, one.end))
    return {
        "gaps": [
            [gap.camera, iso(gap.start), iso(gap.end) if gap.end else None, gap.cause, gap.detail]
            for gap in gaps(ledger.store)
        ],
        "recorded": {
            camera: [[iso(start), iso(end)] for start, end in _joined(spans)] for camera, spans in pieces.items()
        },
    }


def _joined(spans: list[Any]) -> list[Any]:
    joined: list[Any] = []
    for start, end in merge(spans):
        if joined and (start - joined[-1][1]).total_seconds() < SEAM_S:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return joined


def _files(home: Home) -> list[dict[str, Any]]:
    """What lies in the folder of photos and papers: hash and size. What each is stands on its sheet."""
    found = []
    for path in sorted((home.root / "evidence").glob("*")):
        if path.is_file():
            content = path.read_bytes()
            found.append({"name": path.name, "sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)})
    return found


def _toml(facts: dict[str, Any]) -> str:
    return "".join(f"{name} = {_inline(value)}\n" for name, value in facts.items())


def _inline(value: Any) -> str:
    """A value as TOML writes it on one line; its strings are escaped as JSON's are."""
    match value:
        case bool():
            return "true" if value else "false"
        case dict():
            return "{" + ", ".join(f"{json.dumps(name)} = {_inline(one)}" for name, one in value.items()) + "}"
        case list():
            return "[" + ", ".join(map(_inline, value)) + "]"
        case str():
            return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
        case _:
            return repr(value)
