"""What a probe is given: where it is, whom it looks at, and how long it has."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TypeVar

from exam_kit.checks.command import Children, CommandRecord, run_command
from exam_kit.checks.site import CheckContext, Machine, SharedFacts

if TYPE_CHECKING:  # an exam station has neither pydantic nor the point's file
    from exam_kit.checks.profile import Profile
    from exam_kit.point import Camera

__all__ = ["At"]

T = TypeVar("T")


class At:
    """One probe's place in one run, until `deadline` (of `time.perf_counter()`).

    `camera` is there for probes registered with `per="camera"`.
    """

    def __init__(
        self,
        context: CheckContext,
        profile: Profile,
        shared: SharedFacts,
        deadline: float,
        camera: Camera | None = None,
    ) -> None:
        self.context = context
        self.profile = profile
        self.shared = shared
        self.deadline = deadline
        self.camera = camera
        self.children = Children()

    @property
    def machine(self) -> Machine:
        return self.context.machine

    def remaining_s(self, *, keep_s: float = 0.0) -> float:
        """Seconds this probe has left, `keep_s` of them kept back to say what happened; never less than a millisecond,
        because a socket that is given no time at all does not wait and fails in another way than by time."""
        return max(self.deadline - time.perf_counter() - keep_s, 0.001)

    def command(self, *argv: str, timeout_s: float | None = None) -> CommandRecord:
        """Run a program; it is killed when this probe's time is up, or after `timeout_s`."""
        limit = self.remaining_s(keep_s=0.1) if timeout_s is None else min(timeout_s, self.remaining_s(keep_s=0.1))
        return run_command(argv, timeout_s=limit, children=self.children, environment=self.machine.environment)

    def once(self, name: str, read: Callable[[], T]) -> T:
        """A fact read once per run, whoever asks first."""
        return self.shared.once(name, read, self.remaining_s(keep_s=0.1))

    def texts(self, *argv: str) -> Sequence[str]:
        """The lines a program says, read once per run; NoFact when it does not run or fails."""
        return self.once(" ".join(argv), lambda: self.command(*argv).answer().splitlines())
