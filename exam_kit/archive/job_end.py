"""What every copy of a run has, whatever it goes to: its job's rows, its entries in the ledger, and its end."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from exam_kit.archive.act import HandoverAct
from exam_kit.archive.job_done import of_order
from exam_kit.archive.job_rows import Job, JobRows
from exam_kit.archive.job_seal import Evidence, NotWhole, Order
from exam_kit.archive.kept_papers import kept_deficiencies
from exam_kit.archive.result import ArchiveResult, FailedFile, Progress
from exam_kit.errors import ArchiveError, ExamKitError, Message, StoreError, m

__all__ = ["JobCopy", "note_begin"]


def note_begin(order: Order, number: int, job: Job, **facts: str) -> None:
    """Enter the beginning of the copy for the order's destination `number`, or that it is taken up."""
    order.ledger.append(
        "archive.resumed" if job.resumed else "archive.started",
        {
            "job": job.id,
            "bag": job.name,
            "day": str(order.day),
            **order.asked.as_dict(),
            **of_order(order, number),
            **{name: value for name, value in facts.items() if value},
            "ordered_by": order.ordered_by,
        },
        order.actor,
    )


class JobCopy(ABC):
    """One copy. A step that fails (`_step`) ends this copy alone: `error` says why, and the others go on."""

    def __init__(self, order: Order, number: int, job: Job, rows: JobRows, tell: Callable[[Progress], None]) -> None:
        self.job = job
        self.error: ExamKitError | None = None
        self._order, self._number, self._rows = order, number, rows
        self._tell, self._now = tell, Progress("copying", 0, 0, 0, 0, destination=job.destination)
        self._state = "running"
        self._failed: list[FailedFile] = []
        self._evidence = Evidence()
        self._act: HandoverAct | None = None
        self._bag_hash, self._sealed_hash = "", ""

    def interrupted(self, problem: Exception) -> None:
        """The run ends by something that is no fault of this destination."""
        if self._state == "running":
            mistake = ArchiveError(m("A mistake of the program: {reason}.", reason=type(problem).__name__))
            self._ends_by(problem if isinstance(problem, ExamKitError) else mistake, "failed")

    def result(self, elapsed_s: float) -> ArchiveResult:
        finished = self._state == "finished"
        copied = self._rows.verified(self.job).values() if finished else ()
        return ArchiveResult(
            state=self._state,
            job=self.job.id,
            bag=self.job.bag if finished and not self.job.address else None,
            address=self.job.address if finished else "",
            bag_hash=self._bag_hash,
            copy=self.job.copy,
            files=len(copied),
            bytes=sum(size for size, _sha256 in copied),
            failed=tuple(self._failed),
            deficiencies=self._lacking(),
            read_back_bytes=self._evidence.read_bytes,
            device_bytes=self._evidence.device_bytes,
            elapsed_s=elapsed_s,
            act=self._act,
            destination=None if self.job.address else self.job.bag.parent,
            error=self.error,
        )

    def _lacking(self) -> tuple[Message, ...]:
        if self._act is not None:
            return self._act.deficiencies
        kept = kept_deficiencies(self._order.home, self.job.id) if self._state == "finished" else None
        return self._order.choice.deficiencies if kept is None else kept

    @contextmanager
    def _step(self) -> Iterator[None]:
        try:
            yield
        except StoreError:
            raise  # the database refuses: neither row nor entry can be written; the next run takes the job up
        except OSError as problem:
            error = self._fault(problem)
            error.__cause__ = problem
            self._ends_by(error, "failed")
        except ExamKitError as problem:
            self._ends_by(problem, "given_up" if isinstance(problem, NotWhole) else "failed")

    @abstractmethod
    def _fault(self, problem: OSError) -> ArchiveError:
        """What a fault of the destination is called."""

    def _ends_by(self, error: ExamKitError, state: str) -> None:
        self.error = error
        self._stopped(state, error.message)
        self._progress(replace(self._now, error=error.message))

    def _progress(self, now: Progress) -> None:
        self._now = replace(now, destination=self.job.destination)
        self._tell(self._now)

    def _finished(self, files: int, size: int, **facts: Any) -> None:
        self._state = "finished"
        sealed = {"sealed_as": self.job.bag.name, "sealed_hash": self._sealed_hash} if self._sealed_hash else {}
        first = {"supplement_to": self._order.first.bag} if self._order.first else {}
        self._order.ledger.append(
            "archive.finished",
            {
                "job": self.job.id,
                "bag": self.job.name,
                "copy": self.job.copy,
                "files": files,
                "bytes": size,
                "failed": len(self._failed),
                "bag_hash": self._bag_hash,
                "read_back": self._evidence.read_bytes,
                **sealed,
                **first,
                **facts,
                **of_order(self._order, self._number),
            },
            self._order.actor,
            also=lambda connection, entry: self._rows.state(connection, self.job, "finished", entry.seq, None),
        )

    def _stopped(self, state: str, message: Message | None) -> None:
        """`state` is of the job: ``cancelled``, ``failed`` (both can be taken up) or ``given_up``."""
        self._state = "cancelled" if state == "cancelled" else "failed"
        self._order.ledger.append(
            "archive.stopped",
            {"job": self.job.id, "state": state, "why": str(message) if message else ""},
            self._order.actor,
            also=lambda connection, entry: self._rows.state(connection, self.job, state, entry.seq, message),
        )
