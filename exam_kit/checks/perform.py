"""A whole run, kept in the store while it goes on."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace

from exam_kit.checks.model import Reason, Result, Run
from exam_kit.checks.profile import Profile
from exam_kit.checks.results import finish_run, latest_run, save_result, start_run
from exam_kit.checks.runner import run_checks
from exam_kit.checks.site import CheckContext
from exam_kit.store import Ledger

__all__ = ["perform"]


def perform(
    ledger: Ledger,
    profile: Profile,
    context: CheckContext,
    *,
    actor: str,
    only: Collection[str] | None = None,
    on_result: Callable[[Result], None] | None = None,
) -> Run:
    """A whole run, kept: start, check, save each result as it comes, carry over, finish.

    `only` names the checks to run; the others are carried over from the latest run of the same exam day, or stand as
    not run. Answers given by hand on the same exam day are carried over by a full run as well.
    """
    store = ledger.store
    day = context.day.date.isoformat() if context.day else None
    before = latest_run(store, day=day)
    run = start_run(store, profile, day=day, actor=actor, clock=context.clock)

    def keep(result: Result) -> None:
        earlier = _answered(before, result) if before and day else None
        result = earlier or result
        save_result(store, run.id, result)
        if on_result is not None:
            on_result(result)

    measured = run_checks(profile, context, only=only, on_result=keep)
    if only is not None:
        known = {result.key: result for result in before.results} if before else {}
        for result in measured.results:
            if result.fact.reason is Reason.NOT_RUN:
                earlier = known.get(result.key)
                keep(_carried(earlier, before.id, result.position) if earlier and before else result)
    return finish_run(ledger, run.id, clock=context.clock)


def _carried(result: Result, run_id: str, position: int) -> Result:
    """An earlier result standing in a later run, marked with the run that measured it."""
    return replace(result, position=position, carried_from=result.carried_from or run_id)


def _answered(before: Run, result: Result) -> Result | None:
    if not result.manual:
        return None
    for earlier in before.results:
        if earlier.key == result.key and earlier.signed is not None:
            return _carried(earlier, before.id, result.position)
    return None
