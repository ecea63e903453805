"""What an experiment is: work on a disk that marks what it promised, and what must be true of the disk after a cut."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

__all__ = ["Experiment", "Found"]

EXAMPLES = 5


@dataclass
class Found:
    """Counts over all cuts. Names in `broken` are promises that were not kept: each must be 0; `most` holds maxima."""

    counts: Counter[str] = field(default_factory=Counter)
    broken: Counter[str] = field(default_factory=Counter)
    most: dict[str, float] = field(default_factory=dict)
    examples: list[str] = field(default_factory=list)

    def breach(self, what: str, example: str) -> None:
        """A promise was not kept."""
        self.broken[what] += 1
        if len(self.examples) < EXAMPLES:
            self.examples.append(f"{what}: {example}")

    def at_most(self, what: str, value: float) -> None:
        self.most[what] = max(value, self.most.get(what, value))

    def written(self) -> str:
        """As JSON, out of the machine. Not by asdict: before Python 3.12 it makes pairs of a Counter's keys."""
        return json.dumps(vars(self))

    @classmethod
    def read(cls, text: str) -> Found:
        """What `written` gave."""
        read = json.loads(text)
        return cls(Counter(read["counts"]), Counter(read["broken"]), read["most"], read["examples"])


class Experiment(Protocol):
    """One of the lab's experiments."""

    size_mb: int

    def prepare(self, work: Path) -> None:
        """Make what it needs in `work`, before the machine starts."""

    def run(self, disk: Path, work: Path, mark: Callable[[str], None]) -> None:
        """Inside the machine: do the work on the logged file system at `disk`."""

    def check(self, disk: Path, work: Path, marks: list[str], found: Found) -> None:
        """The disk after a cut, mounted at `disk`; `marks` are what was promised before."""
