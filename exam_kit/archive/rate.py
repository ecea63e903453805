"""How fast a copy goes."""

from __future__ import annotations

from collections import deque

from exam_kit.clock import Clock

__all__ = ["Rate"]

WINDOW_S = 10.0


class Rate:
    """Bytes per second over the last seconds."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._seen: deque[tuple[float, int]] = deque([(clock.monotonic(), 0)])

    def of(self, moved: int) -> float:
        """The rate now that `moved` bytes have passed in all; 0.0 while it cannot be told."""
        now = self._clock.monotonic()
        self._seen.append((now, moved))
        while len(self._seen) > 2 and self._seen[0][0] < now - WINDOW_S:
            self._seen.popleft()
        since, had = self._seen[0]
        return (moved - had) / (now - since) if now > since else 0.0
