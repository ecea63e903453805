"""An archive run from the order to the sealed bags, one at each destination.

Choose → copy to all destinations at once, each file proved by reading back → prove again what an earlier, interrupted
run had copied → then for each bag: act and documents → seal and sign → verify → give the folder its name → ledger. A
run that ends anywhere in between is taken up by the next one of the same day, zones and destination.
"""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from exam_kit.archive.act import Document, HandoverAct, KeepRule
from exam_kit.archive.aside import Aside
from exam_kit.archive.destinations import refuse_same
from exam_kit.archive.engine import copy_all
from exam_kit.archive.faults import destination_error
from exam_kit.archive.job_copy import BagCopy, open_copy
from exam_kit.archive.job_done import finished_copies
from exam_kit.archive.job_seal import Order
from exam_kit.archive.result import ArchiveResult, NotOneCopy, Progress, Whole, not_begun
from exam_kit.archive.s3.store_lane import StoreLane, Wires
from exam_kit.archive.s3.wire import Wire
from exam_kit.archive.selection import Asked, choose
from exam_kit.archive.stores import store_of, sweep_staging
from exam_kit.archive.supplement_choice import only_new
from exam_kit.clock import Clock
from exam_kit.errors import AlreadyRunning, ArchiveError, StoreError, UsageError, m
from exam_kit.home import Home
from exam_kit.point import Point, Zone
from exam_kit.store import Ledger, Store

__all__ = ["run_archive"]


def run_archive(
    *,
    store: Store,
    ledger: Ledger,
    home: Home,
    point: Point,
    day: dt.date,
    zones: Sequence[Zone] = (),
    asked: Asked | None = None,
    destination: Path | None = None,
    destinations: Sequence[Path | str] = (),
    actor: str,
    ordered_by: str,
    documents: Callable[[HandoverAct], Sequence[Document]],
    progress: Callable[[Progress], None],
    cancelled: Callable[[], bool],
    clock: Clock,
    paused: Callable[[], bool] = lambda: False,
    keep: KeepRule | None = None,
    seal_number: str = "",
    seal_numbers: Sequence[str] = (),
    number: int = 0,
    wires: Wires | None = None,
) -> ArchiveResult:
    """Copy the closed pieces of `zones`, or of what is `asked`, on local date `day` into a sealed bag under each
    destination.

    A destination is a folder, or ``s3://STORE`` for a store that `wires` knows. Every recording is read once for all
    folders, and put aside for the first store as far as its line keeps up; the rest a store's line reads for itself.
    The bags are copy 1, 2 and so on. A bag of the same day, zones and destination that did not end well is taken up
    where it stopped; after a finished one the next copy is made. `documents` is called once for each bag, when every
    file of it is proved, with its act; what it returns goes to `data/documents/`. `actor` and `ordered_by` are logins;
    `seal_numbers` are the carriers' paper seals, in the order of the destinations (`seal_number` for a single one).
    `number` is the order's: its copies that the ledger calls finished are not made again, however often it is served.
    While `paused` says so nothing is read; `cancelled` ends the run, and what is proved stays. Callbacks may be called
    in several threads, those that make or tell something by one at a time.

    Files that cannot be copied are in the result's `failed` and in the act's deficiencies; the others are in the bag. A
    destination that fails ends with its `error` in `result.copies`, and the others go on. The result itself is that of
    the first bag that was finished (else cancelled); `progress` is told the whole with each copy's share.

    Raises:
        UsageError: no destination, or two that are one.
        ArchiveError: nothing to archive, or every destination failed (of several: NotOneCopy); what was verified stays.
        AlreadyRunning: another process works on this very job.
        StoreError: the database refused.
    """
    asked = asked or Asked(tuple(zones))
    asked.refuse_unknown(point)
    choice = choose(store, point, home, day, asked, clock.now())
    order = Order(
        store, ledger, home, point, day, asked, actor, ordered_by, _one_at_a_time(documents), clock, choice, keep,
        number=number,
    )  # fmt: skip
    places: list[Path | str] = [destination] if destination is not None else list(destinations)
    seals = [seal_number] if seal_number else list(seal_numbers)
    if not places:
        raise UsageError(m("No destination was named. Name a folder or a drive."))
    refuse_same(places, point)
    sweep_staging(home, store)
    done = finished_copies(order)
    if len(done) == len(places):
        return _first([done[number] for number in sorted(done)])
    if not choice.pieces:
        raise ArchiveError(
            m("{day}: there is no closed recording of the chosen places; nothing was archived.", day=day),
            choice.deficiencies,
        )
    if asked.supplement:
        first, choice = only_new(store, ledger, day, asked, choice)
        order = replace(order, choice=choice, first=first)
    whole, started = Whole(progress), clock.monotonic()
    copies: dict[int, BagCopy] = {}
    lanes: dict[int, StoreLane] = {}
    ended = dict(done)
    with ExitStack() as held:
        for which, place in enumerate(places, 1):
            tell = whole.share(which)
            if which in done:
                files, size = done[which].files, done[which].bytes
                tell(Progress("sealing", files, files, size, size, destination=str(place)))
                continue
            store_name = store_of(str(place))
            if store_name:
                lanes[which] = StoreLane(order, which, store_name, wires or _no_stores, tell, cancelled, paused)
                continue
            seal = seals[which - 1] if which <= len(seals) else ""
            try:
                copies[which] = open_copy(order, which, Path(place), seal, tell, held)
            except (AlreadyRunning, ArchiveError, OSError) as problem:
                error = destination_error(problem, Path(place), 0) if isinstance(problem, OSError) else problem
                ended[which] = not_begun(Path(place), error)
                tell(Progress("copying", 0, 0, 0, 0, destination=str(place), error=error.message))
        aside = next((lane.aside for lane in lanes.values()), None)
        for lane in lanes.values():
            if lane.aside is not aside:
                lane.aside.close()
            lane.start()
        try:
            _make(list(copies.values()), clock, cancelled, paused, aside)
            ended |= {which: lane.wait() for which, lane in lanes.items()}
        finally:
            for lane in lanes.values():
                lane.abandon()
    elapsed_s = clock.monotonic() - started
    ended |= {which: copy.result(elapsed_s) for which, copy in copies.items()}
    return _first([ended[which] for which in sorted(ended)])


def _one_at_a_time(documents: Callable[[HandoverAct], Sequence[Document]]) -> Callable[..., Sequence[Document]]:
    """Whoever makes the papers need not expect that a store's lane asks for them beside the drives."""
    lock = threading.Lock()

    def make(act: HandoverAct) -> Sequence[Document]:
        with lock:
            return documents(act)

    return make


def _no_stores(name: str) -> Wire:
    raise ArchiveError(m("{store}: there is no such store. Name it in point.toml under [[store]].", store=name))


def _make(
    copies: Sequence[BagCopy],
    clock: Clock,
    cancelled: Callable[[], bool],
    paused: Callable[[], bool],
    aside: Aside | None,
) -> None:
    try:
        for copy in copies:
            copy.prepare()
        for proving in (False, True):
            targets = [(copy, target) for copy in copies if (target := copy.target(proving=proving)) is not None]
            onto = None if proving else aside
            copy_all([target for _copy, target in targets], clock=clock, cancelled=cancelled, paused=paused, aside=onto)
            if onto is not None:
                onto.close()  # the line reads for itself from here on
            for copy, target in targets:
                copy.took(target)
        for copy in copies:
            copy.conclude()
    except StoreError:
        raise  # neither row nor entry can be written; the next run takes the bags up
    except Exception as problem:
        for copy in copies:
            copy.interrupted(problem)
        raise


def _first(results: Sequence[ArchiveResult]) -> ArchiveResult:
    for state in ("finished", "cancelled"):
        for result in results:
            if result.state == state:
                return replace(result, copies=tuple(results))
    failed = [result.error for result in results if result.error is not None]
    if not failed:
        raise ArchiveError(m("Not one copy could be made."))
    raise failed[0] if len(results) == 1 else NotOneCopy(results)
