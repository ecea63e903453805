"""One run of the point's checks, kept; apart from the other duties so that `exam-kit check` loads no more than this."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from exam_kit.checks import CheckContext, load_profile, run_and_keep
from exam_kit.checks.model import Run
from exam_kit.clock import Clock
from exam_kit.home import Home
from exam_kit.point import ExamDay, Point, Secrets
from exam_kit.store import Ledger, Store

__all__ = ["check_now"]


def check_now(
    point: Point,
    home: Home,
    store: Store,
    ledger: Ledger,
    secrets: Secrets,
    clock: Clock,
    day: ExamDay | None,
    actor: str,
    only: Sequence[str] | None = None,
    on_result: Any = None,
    cancelled: Callable[[], str] = lambda: "",
) -> Run:
    """Run the point's profile and keep every result as it comes; `cancelled` as `run_and_keep` has it.

    Raises:
        PointInvalid: the profile has mistakes.
    """
    profile = load_profile(point.profile, home)
    context = CheckContext(point=point, home=home, store=store, secrets=secrets, day=day, clock=clock)
    return run_and_keep(profile, context, ledger, actor=actor, only=only, on_result=on_result, cancelled=cancelled)
