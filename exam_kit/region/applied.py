"""Bringing the catalogue up to date: what the register says and what the ledger has seen since."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from exam_kit.archive.bag import COVERAGE, TAGMANIFEST
from exam_kit.archive.bag_coverage import BagCoverage, read_coverage
from exam_kit.archive.bag_lists import read_list
from exam_kit.archive.bag_paths import shown
from exam_kit.archive.bag_tree import Refused
from exam_kit.clock import iso
from exam_kit.home import Home
from exam_kit.region.catalogue import Catalogue
from exam_kit.region.reckoned import reckon
from exam_kit.region.register import REGISTERED, Register
from exam_kit.region.settings import Region
from exam_kit.store import Entry, Ledger

__all__ = ["AGAIN", "QUARANTINED", "RECEIPT", "TAKEN", "catch_up", "kept_coverage"]

TAKEN, QUARANTINED, AGAIN, RECEIPT = "region.taken", "region.quarantined", "region.again", "region.receipt"
KINDS = (REGISTERED, TAKEN, QUARANTINED, AGAIN, RECEIPT)


def catch_up(
    catalogue: Catalogue,
    home: Home,
    region: Region,
    register: Register,
    ledger: Ledger,
    told: Callable[[int], None] = lambda _entries: None,
) -> None:
    """Take in what the catalogue has not seen yet. `told` hears after each hundred entries.

    Raises:
        PointInvalid: a file of the register was spoilt by hand.
        StoreError: the ledger cannot be read.
    """
    stale: set[tuple[str, str]] = set()
    with catalogue.transaction():
        rules = hashlib.sha256(home.region_file.read_bytes()).hexdigest()
        everything = catalogue.meta("rules") != rules
        catalogue.set_meta("rules", rules)
        stale |= _registered(catalogue, register)
        last = int(catalogue.meta("seq", "0"))
        for number, entry in enumerate(ledger.entries(KINDS, after=last), 1):
            stale |= _apply(catalogue, home, entry)
            last = entry.seq
            if number % 100 == 0:
                told(number)
        catalogue.set_meta("seq", str(last))
        if everything:
            stale |= {
                (row["point"], row["day"])
                for row in catalogue.query(
                    "SELECT point, day FROM expected GROUP BY point, day UNION SELECT point, day FROM bag "
                    "UNION SELECT point, day FROM quarantine WHERE day <> ''"
                )
            }
        for point, day in stale:
            reckon(catalogue, region, point, day)


def _registered(catalogue: Catalogue, register: Register) -> set[tuple[str, str]]:
    """Points whose register file is new, changed or gone."""
    seen = {row["id"]: row["stamp"] for row in catalogue.query("SELECT id, stamp FROM point")}
    stamps = register.stamps()
    stale: set[tuple[str, str]] = set()
    connection = catalogue.connection
    for point in sorted(stamps.keys() | seen.keys()):
        if stamps.get(point) == seen.get(point):
            continue
        stale |= {
            (point, row["day"])
            for row in catalogue.query("SELECT DISTINCT day FROM expected WHERE point = ?", (point,))
        }
        connection.execute("DELETE FROM expected WHERE point = ?", (point,))
        connection.execute("DELETE FROM point WHERE id = ?", (point,))
        if point not in stamps:
            continue
        listed = register.point(point)
        key = listed.key.fingerprint if listed.key else ""
        known = {"id": point, "name": listed.name, "timezone": listed.timezone, "key": key, "stamp": stamps[point]}
        catalogue.put("point", [known])
        connection.executemany(
            "INSERT INTO expected VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            [
                (point, str(row.day), row.camera, row.zone.value, row.place, row.subject, iso(row.start), iso(row.end))
                for row in listed.expected
            ],
        )
        stale |= {(point, str(day)) for day in listed.days}
    return stale


def _apply(catalogue: Catalogue, home: Home, entry: Entry) -> set[tuple[str, str]]:
    body, at = entry.body, iso(entry.at)
    match entry.kind:
        case "region.registered":
            catalogue.put("known_key", [{"point": point, "key": key} for point, key in body["points"].items()])
        case "region.receipt":
            catalogue.put("receipt", [{"bag": body["bag_hash"], "file": body["file"], "at": at}])
        case "region.again":
            catalogue.put("again", [{"bag": body["bag_hash"], "source": body["source"], "at": at}])
        case "region.quarantined":
            names = ("mark", "point", "day", "bag", "code", "source", "folder")
            said = json.dumps(body["message"], ensure_ascii=False)
            catalogue.put("quarantine", [_some(body, names) | {"seq": entry.seq, "message": said, "at": at}])
            return {(body["point"], body["day"])} if body["day"] else set()
        case "region.taken":
            return _taken(catalogue, home, entry)
    return set()


def _taken(catalogue: Catalogue, home: Home, entry: Entry) -> set[tuple[str, str]]:
    body = entry.body
    day = _some(body, ("point", "day"))
    digest = body["bag_hash"]
    coverage = kept_coverage(home.root / body["folder"], digest)
    names = ("copy", "outcome", "content", "supplement_to", "files", "bytes", "bag_s", "folder", "place", "source")
    row = {"hash": digest, "seq": entry.seq, "name": body["bag"], "received_at": iso(entry.at)}
    catalogue.put("bag", [day | row | _some(body, names) | {"read": int(coverage is not None)}])
    for camera in coverage.cameras if coverage else ():
        where = day | {"camera": shown(camera.camera), "bag": digest}  # texts that no database takes are in JSON
        place = {"zone": shown(camera.zone), "place": shown(camera.place)}
        catalogue.put(
            "span",
            [where | place | {"from_at": iso(start), "to_at": iso(end)} for start, end in camera.recorded],
        )
        catalogue.put(
            "gap",
            [
                where
                | {"from_at": iso(gap.start), "to_at": iso(gap.end) if gap.end else None, "cause": shown(gap.cause)}
                for gap in camera.gaps
            ],
        )
    return {(body["point"], body["day"])}


def _some(body: Mapping[str, Any], names: Sequence[str]) -> dict[str, Any]:
    return {name: body[name] for name in names}


def kept_coverage(folder: Path, bag_hash: str) -> BagCoverage | None:
    """The coverage of a bag taken earlier, if it still is the one that was taken: its hash hangs on the bag's."""
    try:
        tags = (folder / TAGMANIFEST).read_bytes()
        if hashlib.sha256(tags).hexdigest() != bag_hash:
            return None
        with (folder / TAGMANIFEST).open("rb") as source:
            named = read_list(source, TAGMANIFEST, payload=False)
        if hashlib.sha256((folder / COVERAGE).read_bytes()).hexdigest() != named.get(COVERAGE):
            return None
        with (folder / COVERAGE).open("rb") as source:
            return read_coverage(source)
    except (OSError, ValueError, Refused):
        return None
