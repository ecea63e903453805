"""What happened at the equipment and has no line of the access log beside it: recording gaps and opened cabinets.

The journals do not know the cameras: whoever asks brings the gaps. A line counts as beside it when it stands, is about
the room, was not written by the kit's own plan, and its time is near enough (`Beside` of point.toml).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from exam_kit.journal.access_row import AccessRow, LineKind
from exam_kit.journal.cabinet import CabinetAct, CabinetLine
from exam_kit.journal.person import AGENT
from exam_kit.point.model import Beside

__all__ = ["Silence", "cabinets_without_row", "gaps_without_row"]


@dataclass(frozen=True)
class Silence:
    """Time in which cameras should have recorded and did not; `end` is None while it lasts. Moments UTC.

    Given with one camera; several that fell silent together for one cause come back as one.
    """

    cameras: tuple[str, ...]
    rooms: tuple[str, ...]
    start: datetime
    end: datetime | None
    cause: str = ""


def gaps_without_row(gaps: Iterable[Silence], rows: Sequence[AccessRow], rules: Beside, now: datetime) -> list[Silence]:
    """The gaps that no line stands beside, oldest first; shorter ones than `rules` asks for are left out."""
    shortest, near = timedelta(seconds=rules.gap_min_s), timedelta(minutes=rules.near_min)
    long_enough = [gap for gap in gaps if (gap.end or now) - gap.start >= shortest]
    if not long_enough:
        return []
    near_rows = _near(
        rows, min(gap.start for gap in long_enough) - near, max(gap.end or now for gap in long_enough) + near
    )
    bare = [gap for gap in long_enough if not _told(gap.rooms, gap.start, gap.end or now, near_rows, near)]
    return _joined(bare, near)


def cabinets_without_row(
    lines: Iterable[CabinetLine], rows: Sequence[AccessRow], rules: Beside, rooms: tuple[str, ...] = ()
) -> list[CabinetLine]:
    """The openings that stand in the cabinet log and that no line of the access log stands beside, oldest first.

    `rooms` are where the cabinets stand; a line about any room counts where nobody says.
    """
    opened = [line for line in lines if line.stands and line.act is CabinetAct.OPENED]
    if not opened:
        return []
    near = timedelta(minutes=rules.near_min)
    near_rows = _near(rows, min(line.at for line in opened) - near, max(line.at for line in opened) + near)
    bare = [line for line in opened if not _told(rooms, line.at, line.at, near_rows, near)]
    return sorted(bare, key=lambda line: line.order)


def _near(rows: Sequence[AccessRow], since: datetime, until: datetime) -> list[AccessRow]:
    """The lines that may count at all: of a long log few touch that time."""
    return [row for row in rows if (row.end is None or row.end >= since) and _counts(row) and row.start <= until]


def _counts(row: AccessRow) -> bool:
    by_plan = row.writer.login == AGENT and row.order is None
    return not row.void and row.kind is not LineKind.WITHDRAWAL and not by_plan


def _told(rooms: tuple[str, ...], start: datetime, end: datetime, rows: Iterable[AccessRow], near: timedelta) -> bool:
    return any(
        row.start <= end + near
        and (row.end is None or row.end >= start - near)
        and (not rooms or any(room in row.rooms for room in rooms))
        for row in rows
    )


def _joined(gaps: Iterable[Silence], near: timedelta) -> list[Silence]:
    joined: list[Silence] = []
    for gap in sorted(gaps, key=lambda gap: gap.start):
        last = next((one for one in reversed(joined) if one.cause == gap.cause), None)
        if last is None or gap.start - last.start > near:
            joined.append(gap)
            continue
        ends = (last.end, gap.end)
        joined[joined.index(last)] = Silence(
            tuple(dict.fromkeys((*last.cameras, *gap.cameras))),
            tuple(dict.fromkeys((*last.rooms, *gap.rooms))),
            last.start,
            None if None in ends else max(end for end in ends if end is not None),
            gap.cause,
        )
    return joined
