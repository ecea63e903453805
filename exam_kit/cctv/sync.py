"""Picture and sound of one connection in step, so that a cut falls on the same moment in both.

Sound that is ahead of the picture waits for it; it costs nobody anything. The picture waits for sound at a cut only,
and not long: whatever is held here would be lost with the process.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from fractions import Fraction

from exam_kit.cctv.connection import Arrival, StreamChanged
from exam_kit.cctv.source import SourceFault

__all__ = ["in_step"]

HOLD_S = 0.5
"""At a cut the picture waits this long for sound that belongs before it."""
ALIVE_S = 2.0
"""Sound that has not come for so long is not waited for."""
AHEAD_S = 10.0
"""Sound that claims to be so much later than the picture has a clock of its own, and is left out: kept for its time, it
would fill the memory."""


def in_step(arrivals: Iterator[Arrival], base: Fraction, cuts: Callable[[Arrival], bool]) -> Iterator[Arrival]:
    """`arrivals` with sound where it belongs, and without such as is nowhere near the picture; `base` is the picture's
    time base, `cuts` says at which keyframes a new file begins."""
    ahead: deque[Arrival] = deque()
    held: list[Arrival] = []
    shown_s = heard_s = float("-inf")

    def at(arrival: Arrival) -> float:
        return float(arrival.ticks * (base if arrival.video else arrival.packet.time_base))

    def until(moment_s: float) -> Iterator[Arrival]:
        while ahead and at(ahead[0]) < moment_s:
            yield ahead.popleft()

    def release() -> Iterator[Arrival]:
        for picture in held:
            yield from until(at(picture))
            yield picture
        held.clear()

    try:
        for arrival in arrivals:
            now_s = at(arrival)
            if arrival.video:
                shown_s = max(shown_s, now_s)
            elif now_s - shown_s > AHEAD_S:
                continue
            else:
                heard_s = now_s
            if held:
                cut_s = at(held[0])
                if arrival.video:
                    held.append(arrival)
                elif now_s < cut_s:
                    yield arrival
                else:
                    ahead.append(arrival)
                if heard_s >= cut_s or shown_s - cut_s >= HOLD_S:
                    yield from release()
            elif not arrival.video:
                ahead.append(arrival)
                yield from until(shown_s)
            else:
                yield from until(now_s)
                if arrival.key and heard_s < now_s < heard_s + ALIVE_S and cuts(arrival):
                    held.append(arrival)
                else:
                    yield arrival
    except (SourceFault, StreamChanged):
        yield from release()
        yield from ahead
        raise
    yield from release()
    yield from ahead
