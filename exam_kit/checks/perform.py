"""A whole run, kept in the store while it goes on."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager

from exam_kit.checks.command import end_everyone
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

LOOK_S = 0.2
"""How often a run looks whether it was cancelled."""


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
    what has no answer yet stands as unknown (not run), and the run is closed with that login. A check that only waits,
    for an answer from the network, holds it up until its own time limit at most.

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
        if cancelled():
            raise _Cancelled  # also what came of programs that were killed is no answer
        answered = earlier.get(result.key) if result.manual and day else None
        if answered is not None and answered.signed is not None:
            result = answered._replace(position=result.position)
        result = waive(result, from_the_start)
        save_result(store, run.id, result)
        answered_keys.add(result.key)
        if on_result is not None:
            on_result(result, done, total)

    answered_keys: set[tuple[str, str]] = set()
    ended_by = ""
    try:
        with _killing_when(cancelled):
            measured = run_checks(profile, context, only=only, on_result=keep)
    except _Cancelled:
        ended_by = cancelled()
        measured = run_checks(profile, context, only=())  # runs none, names all
    for result in measured.results:
        if result.key in answered_keys or result.fact.reason is not Reason.NOT_RUN:
            continue
        carried = earlier.get(result.key)
        asked = only is None or result.check in only
        if ended_by and asked and not (carried and carried.signed and day):
            save_result(store, run.id, result._replace(fact=Fact.unknown(Reason.NOT_RUN, **{CANCELLED: ended_by})))
        else:
            save_result(store, run.id, carried._replace(position=result.position) if carried else result)
    return finish_run(ledger, run.id, clock=context.clock, waivers=in_force(), cancelled_by=ended_by)


@contextmanager
def _killing_when(cancelled: Callable[[], str]) -> Iterator[None]:
    """While the run goes on: once it is cancelled, no program of its checks lives on, also none begun after."""
    over = threading.Event()

    def watch() -> None:
        while not over.wait(LOOK_S):
            if cancelled():
                end_everyone()

    threading.Thread(target=watch, name="cancel", daemon=True).start()
    try:
        yield
    finally:
        over.set()


class _Cancelled(Exception):
    """Somebody wants the run ended."""


def _carried(result: Result, run_id: str) -> Result:
    """An earlier result standing in a later run, marked with the run that measured it."""
    return waive(result, ())._replace(carried_from=result.carried_from or run_id)
