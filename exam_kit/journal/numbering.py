"""Numbers of journal lines: 1, 2, 3 … for each point and year, without a hole.

A number is only ever taken inside the transaction that appends the entry which carries it. The transaction holds the
write lock, so two processes cannot take one number, and one that is rolled back leaves no hole.
"""

from __future__ import annotations

import sqlite3
from typing import Any, NamedTuple

from exam_kit.point.model import Point

__all__ = ["RowRef", "next_number", "point_key"]


class RowRef(NamedTuple):
    """A line of a journal: its number and the year it is counted in."""

    year: int
    number: int

    def as_list(self) -> list[int]:
        return [self.year, self.number]

    @classmethod
    def of(cls, data: Any) -> RowRef:
        """The inverse of `as_list`."""
        year, number = data
        return cls(int(year), int(number))


def point_key(point: Point) -> str:
    """How the journal names the point: region and code, `77-0001`."""
    return f"{point.region}-{point.code}"


def next_number(connection: sqlite3.Connection, kinds: tuple[str, ...], point: str, year: int) -> int:
    """The number for the next line of `kinds`; call it inside the appending transaction."""
    last = 0
    for kind in kinds:
        # One kind at a time: then the index on (kind, seq) ends the search at the first line from the end.
        row = connection.execute(
            "SELECT json_extract(record, '$.body.no') FROM ledger WHERE kind = ?"
            " AND json_extract(record, '$.body.point') = ? AND json_extract(record, '$.body.year') = ?"
            " ORDER BY seq DESC LIMIT 1",
            (kind, point, year),
        ).fetchone()
        if row:
            last = max(last, int(row[0]))
    return last + 1
