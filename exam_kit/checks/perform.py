"""A whole run, kept in the store while it goes on."""

from __future__ import annotations

from collections.abc import Callable, Collection

from exam_kit.checks.model import Fact, Reason, Result, Run, Waiver
from exam_kit.checks.profile import Profile
from exam_kit.checks.report import CANCELLED
from exam_kit.checks.results import finish_run, latest_run, save_result, start_run
from exam_kit.checks.runner import OnResult, run_checks
from exam_kit.checks.site import CheckContext
from exam_kit.checks.verdicts import waive
from exam_kit.checks.waivers_given import permitted, waivers_given
from exam_kit.clock import iso
from exam_kit.store import Ledger

__all__ = ["run_and_keep"]


def run_and_keep(
    profile: Profile,
    context: CheckContext,
    ledger: Ledger,
    *,
    actor: str,
    only: Collection[str] | None = None,
    on_result: OnResult | None = None,
    cancelled: Callable[[], str] = lambda: "",
) -> Run:
    """Start a run, check, save each result as it comes, carry over, finish with an entry of the ledger.

    `only` names the checks to run; the others are carried over from the latest run of the same exam day, or stand as
    not run. Answers given by hand on the same exam day are carried over by a full run as well. Waivers in force are
    applied as far as the profile allows them.

    `cancelled` gives the login of whoever wants the run ended, else "". Then the programs of its checks are killed,
    what has no answer yet stands as unknown (not run), and the run is closed with that login.

    Raises:
        UsageError: `only` names a check the profile does not have.
        StoreError: a result could not be kept.
    """
    store = ledger.store
    day = context.day.date.isoformat() if context.day else None
    before = latest_run(store, day=day) if day else latest_run(store)
    if before is not None and before.day != day:
        before = None
    earlier = {result.key: _carried(result, before.id) for result in before.results} if before else {}
    run = start_run(store, profile, day=day, actor=actor, clock=context.clock)

    def in_force() -> list[Waiver]:
        return permitted(waivers_given(ledger, at=iso(context.clock.now())), profile)

    from_the_start = in_force()

    def keep(result: Result, done: int, total: int) -> None:
        if result.fact.reason is Reason.NOT_RUN and cancelled():
            return  # a probe may say so, too: that is its answer, and no earlier one stands in its place
        answered = earlier.get(result.key) if result.manual and day else None
        if answered is not None and answered.signed is not None:
            result = answered._replace(position=result.position)
        result = waive(result, from_the_start)
        save_result(store, run.id, result)
        answered_keys.add(result.key)
        if on_result is not None:
            on_result(result, done, total)

    answered_keys: set[tuple[str, str]] = set()
    measured = run_checks(profile, context, only=only, on_result=keep, ended=cancelled)
    left = [result for result in measured.results if result.key not in answered_keys]
    ended_by = cancelled() if any(only is None or result.check in only for result in left) else ""
    for result in left:
        carried = earlier.get(result.key)
        asked = only is None or result.check in only
        if ended_by and asked and not (carried and carried.signed and day):
            save_result(store, run.id, result._replace(fact=Fact.unknown(Reason.NOT_RUN, **{CANCELLED: ended_by})))
        else:
            save_result(store, run.id, carried._replace(position=result.position) if carried else result)
    return finish_run(ledger, run.id, clock=context.clock, waivers=in_force(), cancelled_by=ended_by)


def _carried(result: Result, run_id: str) -> Result:
    """An earlier result standing in a later run, marked with the run that measured it."""
    return waive(result, ())._replace(carried_from=result.carried_from or run_id)
