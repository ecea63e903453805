"""Was the wall clock set? It is compared with the clock that never steps."""

from __future__ import annotations

import json
import logging
import os
from dataclasses import dataclass
from pathlib import Path

from exam_kit.clock import Clock

__all__ = ["ClockStep", "ClockWatch"]

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class ClockStep:
    """The wall clock was set by `seconds` (positive: forward)."""

    seconds: float
    exact: bool = True
    """False: it went back by this much at least, while the machine was off"""


class ClockWatch:
    """Compares the wall clock with the clock that never steps.

    What it saw last is kept in a file, so that a clock set while no agent ran is noticed as well: exactly within one
    boot of the machine. Across a restart of the machine only a clock that went back is seen, and by how much at least.
    """

    def __init__(self, clock: Clock, tolerance_s: float = 2.0, *, kept: Path | None = None) -> None:
        self._clock = clock
        self._tolerance_s = tolerance_s
        self._kept = kept
        self._exact = True
        self._offset = self._read() - self._while_away()

    def _read(self) -> float:
        return self._clock.now().timestamp() - self._clock.boot()

    def _while_away(self) -> float:
        """By how many seconds the clock was set since the file was written."""
        if self._kept is None:
            return 0.0
        try:
            seen = json.loads(self._kept.read_text(encoding="utf-8"))
            if seen["boot"] == self._clock.boot_id():
                return self._read() - float(seen["offset_s"])
            self._exact = False
            return min(self._clock.now().timestamp() - float(seen["wall_s"]), 0.0)
        except FileNotFoundError:
            return 0.0
        except (OSError, ValueError, KeyError, TypeError) as problem:
            log.warning("%s: cannot be read (%s); the clock is trusted as it is", self._kept, problem)
            return 0.0

    def step(self) -> ClockStep | None:
        """The step since the last look; None when there was none.

        Raises:
            OSError: what was seen cannot be kept; the step is still to be seen at the next look.
        """
        offset = self._read()
        self._keep(offset)
        moved, self._offset = offset - self._offset, offset
        exact, self._exact = self._exact, True
        return None if abs(moved) < self._tolerance_s else ClockStep(moved, exact)

    def _keep(self, offset_s: float) -> None:
        if self._kept is None:
            return
        seen = {"boot": self._clock.boot_id(), "offset_s": offset_s, "wall_s": self._clock.now().timestamp()}
        # Replaced, not overwritten, so that a reader sees the old text or the new one.
        beside = self._kept.with_name(f".{self._kept.name}.{os.getpid()}")
        beside.write_text(json.dumps(seen), encoding="utf-8")
        beside.replace(self._kept)
