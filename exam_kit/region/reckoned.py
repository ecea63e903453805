"""One point's day in numbers: expected against delivered time, camera by camera."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any
from zoneinfo import ZoneInfo

from exam_kit.clock import from_iso, iso
from exam_kit.region.catalogue import Catalogue
from exam_kit.region.settings import Region, Rules
from exam_kit.region.spans import Span, clip, merged, missing, total_s

__all__ = ["reckon"]


def reckon(catalogue: Catalogue, region: Region, point: str, day: str) -> None:
    """Write the rows `camera_day` and `point_day` of one point and day anew."""
    catalogue.connection.execute("DELETE FROM camera_day WHERE point = ? AND day = ?", (point, day))
    catalogue.connection.execute("DELETE FROM point_day WHERE point = ? AND day = ?", (point, day))
    exam = dt.date.fromisoformat(day)
    rules = region.rules_on(exam)
    expected = catalogue.query("SELECT * FROM expected WHERE point = ? AND day = ?", (point, day))
    cameras = _cameras(catalogue, rules, point, day, expected)
    catalogue.put("camera_day", cameras)
    (bags,) = catalogue.query(
        "SELECT count(*) AS bags, max(received_at) AS last_at FROM bag WHERE point = ? AND day = ?", (point, day)
    )
    (aside,) = catalogue.query(
        "SELECT count(*) AS quarantined FROM quarantine WHERE point = ? AND day = ?", (point, day)
    )
    if not (expected or bags["bags"] or aside["quarantined"]):
        return
    planned = [camera for camera in cameras if camera["expected_s"]]
    zone = catalogue.query("SELECT timezone FROM point WHERE id = ?", (point,))
    due = rules.due(exam, ZoneInfo(zone[0]["timezone"]) if zone else region.tz)
    row = {
        "point": point,
        "day": day,
        "subject": expected[0]["subject"] if expected else "",
        "due_at": iso(due),
        "keep_until": str(rules.keep_until(exam)),
        "expected_s": sum(camera["expected_s"] for camera in planned),
        "delivered_s": sum(camera["delivered_s"] for camera in planned),
        "cameras": len(planned),
        "short": sum(camera["short"] for camera in planned),
    }
    catalogue.put("point_day", [row | bags | aside])


def _cameras(
    catalogue: Catalogue, rules: Rules, point: str, day: str, expected: list[dict[str, Any]]
) -> list[dict[str, Any]]:
    """The expected cameras, and those that were delivered though nobody expected them."""
    spans: dict[str, list[Span]] = {}
    seen: dict[str, dict[str, Any]] = {}
    for row in catalogue.query("SELECT * FROM span WHERE point = ? AND day = ?", (point, day)):
        spans.setdefault(row["camera"], []).append((from_iso(row["from_at"]), from_iso(row["to_at"])))
        seen.setdefault(row["camera"], row)
    rows = []
    for row in expected:
        window = from_iso(row["from_at"]), from_iso(row["to_at"])
        had = clip(spans.get(row["camera"], []), window)
        lacking = missing(had, window)
        rows.append(
            _row(row, point, day)
            | {
                "expected_s": total_s([window]),
                "delivered_s": total_s(had),
                "short": int(total_s(lacking) > rules.slack_s or not had),
                "missing": json.dumps([[iso(start), iso(end)] for start, end in lacking]),
            }
        )
    for camera in seen.keys() - {row["camera"] for row in expected}:
        had_s = total_s(merged(spans[camera]))
        rows.append(
            _row(seen[camera], point, day) | {"expected_s": 0, "delivered_s": had_s, "short": 0, "missing": "[]"}
        )
    return rows


def _row(row: dict[str, Any], point: str, day: str) -> dict[str, Any]:
    return {"point": point, "day": day} | {name: row[name] for name in ("camera", "zone", "place")}
