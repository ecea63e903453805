"""How far a sending is."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from exam_kit.archive.result import Progress
from exam_kit.archive.s3.course import Course, Tally
from exam_kit.archive.sink import CopyTask

__all__ = ["Told"]

RATE_WINDOW_S = 10.0


@dataclass
class Told:
    """Progress of the whole bag, with the rate of the last seconds."""

    course: Course
    tasks: Sequence[CopyTask]
    progress: Callable[[Progress], None]
    seen: deque[tuple[float, int]] = field(default_factory=deque)

    def beat(self, tally: Tally) -> None:
        now, size = time.monotonic(), sum(task.bytes for task in self.tasks)
        self.seen.append((now, tally.sent_bytes))
        while now - self.seen[0][0] > RATE_WINDOW_S:
            self.seen.popleft()
        began, had = self.seen[0]
        rate = (tally.sent_bytes - had) / (now - began) if now > began else 0.0
        left = max(size - tally.done_bytes, 0) / rate if rate else None  # ciphertext is a little longer
        done = len(tally.proved) + len(tally.carried)
        self.progress(Progress("sending", len(self.tasks), done, size, tally.done_bytes, "", rate, left))
