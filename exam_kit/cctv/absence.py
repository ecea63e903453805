"""What was missed while nobody recorded because the agent or the machine was off."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from exam_kit.cctv.coverage import Interval, subtract

__all__ = ["JUST_RECORDED", "Missed", "missed"]

JUST_RECORDED = timedelta(seconds=15)
"""Footage ends this near to the agent's last sign of life: the camera recorded to the end of that footage."""


@dataclass(frozen=True)
class Missed:
    """A gap to note; `end` is None when it still lasts."""

    start: datetime
    end: datetime | None


def missed(
    *,
    wanted: bool,
    alive_until: datetime,
    recorded_to: datetime | None,
    windows: Iterable[Interval],
    recorded: Iterable[Interval],
    now: datetime,
) -> list[Missed]:
    """The gaps of one camera between the agent's last sign of life and `now`.

    `wanted`: it was to be recorded when the agent ended. `windows` are its planned times, `recorded` what it has.
    A camera that was wanted outside any window stays wanted until somebody says otherwise, so that gap lasts.
    """
    start = alive_until
    if wanted and recorded_to is not None and abs(recorded_to - alive_until) <= JUST_RECORDED:
        start = recorded_to
    planned = list(windows)
    lasting_until = {b for _a, b in planned if b > now}
    lasts = bool(lasting_until & {b for a, b in planned if a <= now}) or (
        wanted and not any(a <= start < b for a, b in planned)
    )
    if start >= now:
        # After a restart at once: the last frame lasts until the next would have come, and that is still to come.
        return [Missed(start, None)] if wanted and lasts else []
    found: list[Interval] = []
    if wanted:
        # It lasts to the end of the window it was in; without a window, until now and on.
        ends = [b for a, b in planned if a <= start < b]
        found.append((start, min(now, max(ends))) if ends else (start, now))
    found += [(max(a, start), min(b, now)) for a, b in planned if max(a, start) < min(b, now)]
    return [Missed(a, None if b == now and lasts else b) for a, b in subtract(found, recorded)]
