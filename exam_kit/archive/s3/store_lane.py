"""The thread that makes a copy in a store beside the drives of the same run, at the line's own speed."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import replace

from exam_kit.archive.aside import Aside
from exam_kit.archive.job_end import note_begin
from exam_kit.archive.job_lock import job_lock
from exam_kit.archive.job_rows import JobRows
from exam_kit.archive.job_seal import Order
from exam_kit.archive.result import ArchiveResult, Progress, not_begun
from exam_kit.archive.s3.store_copy import StoreCopy, locked_until
from exam_kit.archive.s3.tree import names_there
from exam_kit.archive.s3.wire import Cancelled, Wire
from exam_kit.archive.stores import SCHEME, staging_folder
from exam_kit.errors import AlreadyRunning, ArchiveError, ExamKitError, StoreError, m

__all__ = ["StoreLane", "Wires"]

log = logging.getLogger(__name__)

Wires = Callable[[str], Wire]
"""The line to a store of point.toml by its name. Raises ArchiveError where there is none, or no keys."""


class StoreLane:
    """`start` it, then `wait` for its result; `abandon` ends it early. Nothing of the network holds the drives."""

    def __init__(
        self,
        order: Order,
        number: int,
        store: str,
        wires: Wires,
        tell: Callable[[Progress], None],
        cancelled: Callable[[], bool],
        paused: Callable[[], bool],
    ) -> None:
        self.aside = Aside()
        self._order, self._number, self._store = order, number, store
        self._wires, self._tell, self._paused = wires, tell, paused
        self._abandoned = threading.Event()
        self._cancelled = lambda: self._abandoned.is_set() or cancelled()
        self._result: ArchiveResult | None = None
        self._broken: StoreError | None = None
        self._thread = threading.Thread(target=self._run, name=f"archive-{store}", daemon=True)

    def start(self) -> None:
        self._tell(Progress("copying", 0, 0, 0, 0, destination=f"{SCHEME}{self._store}"))
        self._thread.start()

    def wait(self) -> ArchiveResult:
        """What came of it. Raises StoreError when the database refused."""
        self.aside.close()
        self._thread.join()
        if self._broken is not None:
            raise self._broken
        assert self._result is not None
        return self._result

    def abandon(self) -> None:
        """The run ends by something else; what arrived stays."""
        self._abandoned.set()
        self.aside.close()
        self._thread.join()

    def _run(self) -> None:
        try:
            self._result = self._made()
        except Cancelled:
            self._result = ArchiveResult("cancelled", "", None, "", 0, 0, 0, (), (), 0, None, 0.0)
        except StoreError as problem:
            self._broken = problem
        except (AlreadyRunning, ArchiveError) as problem:
            self._refused(problem)
        except Exception as problem:
            log.exception("the copy to %s failed", self._store)
            self._refused(ArchiveError(m("A mistake of the program: {reason}.", reason=type(problem).__name__)))
        finally:
            self.aside.drop()
            self._order.store.close()

    def _refused(self, problem: ExamKitError) -> None:
        self._result = not_begun(None, problem)
        self._tell(Progress("copying", 0, 0, 0, 0, destination=f"{SCHEME}{self._store}", error=problem.message))

    def _made(self) -> ArchiveResult:
        order, began = self._order, self._order.clock.monotonic()
        wire = self._wires(self._store)
        until = locked_until(order, wire)
        rows, address = JobRows(order.store, order.clock), f"{SCHEME}{self._store}"
        folder = staging_folder(order.home, self._store)
        job = rows.begun_at(order.point, order.day, order.asked, address, folder)
        if job is None:
            there = names_there(wire, self._cancelled)
            job = rows.new_at(order.point, order.day, order.asked, address, folder, there)
        with job_lock(order.home.run, job.id):
            note_begin(order, self._number, job, store=self._store)
            copy = StoreCopy(order, self._number, job, rows, wire, until, self._tell)
            try:
                copy.make(self._cancelled, self._paused, self.aside)
            except StoreError:
                raise
            except Exception as problem:
                log.exception("the copy to %s failed", self._store)
                copy.interrupted(problem)
            return replace(copy.result(order.clock.monotonic() - began), proofs=copy.proofs)
