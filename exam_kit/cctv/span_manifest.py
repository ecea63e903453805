"""What stands beside the pieces of an export: what came from which file, with hashes, for people and for programs."""

from __future__ import annotations

import csv
import io
import json
from datetime import datetime
from pathlib import Path

from exam_kit.cctv.span_asked import SpanAsked, SpanResult
from exam_kit.clock import iso
from exam_kit.point import Point
from exam_kit.store.durable import sync_file

__all__ = ["write_manifests"]


def write_manifests(folder: Path, point: Point, asked: SpanAsked, result: SpanResult, now: datetime) -> None:
    """Write them into the folder: all of it as JSON, the sums as sha256sum reads them, a table of sources for Excel."""
    told = {
        "point": f"{point.region}-{point.code}",
        "timezone": str(point.timezone),
        "asked_from": iso(asked.start),
        "asked_to": iso(asked.end),
        "cameras": list(asked.cameras),
        "made_at": iso(now),
        "made_by": asked.actor,
        "ordered_by": asked.ordered_by,
        "why": asked.why,
        "order": asked.order,
    } | {key: value for key, value in result.as_dict().items() if key in ("parts", "missing")}
    _write(folder / "manifest.json", json.dumps(told, ensure_ascii=False, indent=2) + "\n")
    sums = "".join(f"{part.sha256}  {part.name}\n" for part in result.parts)
    _write(folder / "manifest-sha256.txt", sums)
    rows = io.StringIO()
    table = csv.writer(rows, delimiter=";", lineterminator="\r\n")
    table.writerow(["camera", "file", "from", "to", "frames", "bytes", "sha256", "source", "source_sha256"])
    for part in result.parts:
        for source, digest in part.sources:
            start, end = (at.astimezone(point.tz).isoformat(timespec="milliseconds") for at in (part.start, part.end))
            table.writerow([part.camera, part.name, start, end, part.frames, part.bytes, part.sha256, source, digest])
    _write(folder / "manifest.csv", "\ufeff" + rows.getvalue())


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8", newline="")
    sync_file(path)
