"""The region's answer to a point: a signed receipt for every bag taken."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from exam_kit.archive.receipt import SUFFIX, Receipt, write_receipt
from exam_kit.clock import from_iso
from exam_kit.errors import AccessDenied, m
from exam_kit.region.applied import RECEIPT
from exam_kit.region.desk import RegionDesk
from exam_kit.store.durable import sync_folder

__all__ = ["export_receipts", "receipt_file", "write_due"]


def write_due(desk: RegionDesk, *, actor: str) -> list[Path]:
    """Write the receipts that are due, also those that a crash left unwritten; their files."""
    rows = desk.catalogue.query(
        "SELECT * FROM bag WHERE hash NOT IN (SELECT bag FROM receipt) ORDER BY seq",
    )
    return [_written(desk, row, actor) for row in rows]


def receipt_file(desk: RegionDesk, bag_hash: str) -> Path | None:
    """The receipt of a bag; None while there is none."""
    found = desk.catalogue.query("SELECT file FROM receipt WHERE bag = ?", (bag_hash,))
    return desk.home.root / str(found[0]["file"]) if found else None


def export_receipts(desk: RegionDesk, target: Path, points: Sequence[str] = ()) -> list[Path]:
    """Copy the receipts (of `points`, or all) to a folder or stick, a folder per point; the files written.

    Raises:
        AccessDenied: the folder is not there or cannot be written.
    """
    rows = desk.catalogue.query("SELECT receipt.file, bag.point FROM receipt JOIN bag ON bag.hash = receipt.bag")
    made = []
    try:
        for row in rows:
            if points and row["point"] not in points:
                continue
            place = target / row["point"]
            place.mkdir(exist_ok=True)
            source = desk.home.root / row["file"]
            made.append(place / source.name)
            _write(place / source.name, source.read_bytes())
    except OSError as problem:
        raise AccessDenied(
            m(
                "{folder}: the receipts cannot be written there ({reason}). Plug the stick in, or name a folder that "
                "is there.",
                folder=target,
                reason=problem.strerror or str(problem),
            )
        ) from problem
    return made


def _written(desk: RegionDesk, row: dict[str, Any], actor: str) -> Path:
    region, _dash, code = row["point"].partition("-")
    day = desk.catalogue.query(
        "SELECT expected_s, delivered_s FROM point_day WHERE point = ? AND day = ?", (row["point"], row["day"])
    )[0]
    receipt = Receipt(
        region=region,
        point=code,
        day=dt.date.fromisoformat(row["day"]),
        bag=row["name"],
        bag_hash=row["hash"],
        copy=row["copy"],
        received_at=from_iso(row["received_at"]),
        outcome=row["outcome"],
        files=row["files"],
        bytes=row["bytes"],
        bag_min=round(row["bag_s"] / 60, 2),
        delivered_min=round(day["delivered_s"] / 60, 2),
        expected_min=round(day["expected_s"] / 60, 2),
        supplement_to=row["supplement_to"],
    )
    folder = desk.receipts / row["point"]
    folder.mkdir(parents=True, exist_ok=True)
    path: Path = folder / f"{row['name']}_{row['hash'][:16]}{SUFFIX}"
    content = write_receipt(desk.key, receipt)
    _write(path, content)
    file = path.relative_to(desk.home.root).as_posix()
    desk.ledger.append(RECEIPT, {"bag_hash": row["hash"], "file": file, "point": row["point"]}, actor)
    desk.catch_up()
    return path


def _write(path: Path, content: bytes) -> None:
    part = path.with_name(path.name + ".part")
    with part.open("wb") as target:
        target.write(content)
        target.flush()
        os.fsync(target.fileno())
    part.replace(path)
    sync_folder(path.parent)
