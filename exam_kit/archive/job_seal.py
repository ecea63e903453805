"""What turns a proved copy into a sealed bag with its name."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from exam_kit.archive.act import ActFile, Document, HandoverAct, KeepRule
from exam_kit.archive.act_make import make_act, papers
from exam_kit.archive.bag import LEDGER, Listed, coverage_json, seal, sweep, write_proved
from exam_kit.archive.copy_journal import JOURNAL, CopyJournal
from exam_kit.archive.destinations import carrier_at
from exam_kit.archive.job_rows import Job
from exam_kit.archive.medium import fsync_folder
from exam_kit.archive.result import FailedFile, Progress
from exam_kit.archive.selection import Asked, Choice
from exam_kit.archive.sink import FolderSink
from exam_kit.archive.verify import verify_bag
from exam_kit.clock import Clock
from exam_kit.errors import ArchiveError, m
from exam_kit.home import Home
from exam_kit.point import Point
from exam_kit.store import Head, Ledger, Store
from exam_kit.store.export import export_lines
from exam_kit.store.keys import SigningKey

__all__ = ["Evidence", "NotWhole", "Order", "already_sealed", "seal_copy"]


class NotWhole(ArchiveError):
    """A bag that was sealed is not what it was: its job is given up, and the next run makes another copy."""


@dataclass(frozen=True)
class Order:
    """What a run was asked for, and what it works with."""

    store: Store
    ledger: Ledger
    home: Home
    point: Point
    day: dt.date
    asked: Asked
    actor: str
    ordered_by: str
    documents: Callable[[HandoverAct], Sequence[Document]]
    clock: Clock
    choice: Choice
    keep: KeepRule | None


@dataclass
class Evidence:
    """Bytes read back from the carrier, and how many of them the device itself gave (None: the kernel did not tell)."""

    read_bytes: int = 0
    device_bytes: int | None = 0

    def add(self, read_bytes: int, device_bytes: int | None) -> None:
        self.read_bytes += read_bytes
        if self.device_bytes is not None:
            self.device_bytes = None if device_bytes is None else self.device_bytes + device_bytes


def seal_copy(
    order: Order,
    job: Job,
    sink: FolderSink,
    journal: CopyJournal,
    files: Sequence[ActFile],
    failed: Sequence[FailedFile],
    evidence: Evidence,
    seal_number: str,
    progress: Callable[[Progress], None],
) -> tuple[HandoverAct, str]:
    """Act, documents, ledger, lists and signature beside the proved `files`; then the check, then the name.

    Returns the act and the bag's hash.

    Raises:
        ArchiveError: there is nothing to seal, or the sealed copy does not verify.
        OSError: the destination failed.
    """
    if not files:
        raise ArchiveError(
            m("{day}: not one recording could be copied; there is no archive.", day=order.day),
            [failure.message for failure in failed],
        )
    size = sum(file.bytes for file in files)
    progress(Progress("sealing", len(files), len(files), size, size))
    sweep(sink.root, {JOURNAL, *(file.path for file in files)})
    checkpoint = order.ledger.checkpoint()
    act = make_act(
        order.point,
        order.day,
        order.asked,
        job=job,
        carrier=replace(carrier_at(job.part, seal_number), path=str(job.bag.parent)),
        files=tuple(files),
        gaps=order.choice.gaps,
        deficiencies=[*order.choice.deficiencies, *(failure.message for failure in failed)],
        made_at=order.clock.now(),
        handed_by=order.actor,
        witness=order.ordered_by,
        keep=order.keep,
        head=Head(checkpoint.seq, checkpoint.hash) if checkpoint else Head(0, ""),
    )
    payload = [Listed(file.path, file.sha256, file.bytes) for file in files]
    payload += [write_proved(sink, path, [content]) for path, content in papers(order.documents, act)]
    export = (line.encode() + b"\n" for line in export_lines(order.ledger, act.ledger_head.seq))
    payload.append(write_proved(sink, LEDGER, export))
    journal.note("sealing", files=len(files), read_back=evidence.read_bytes, from_device=evidence.device_bytes)
    lost = [{"path": failure.path, "why": str(failure.message)} for failure in failed]
    coverage = coverage_json(act, order.choice.cameras, lost)
    key = SigningKey.load_or_create(order.home.keys)
    bag_hash = seal(sink, act, payload, coverage, key, (sink.root / JOURNAL).read_bytes())
    report = verify_bag(job.part, quick=True, key=order.ledger.public_key, unfinished=True)
    if not report.whole or report.bag_hash != bag_hash:
        raise ArchiveError(
            m("{bag}: the sealed copy does not verify. Archive to another carrier.", bag=job.bag),
            [finding.message for finding in report.findings],
        )
    job.part.rename(job.bag)
    fsync_folder(job.bag.parent)
    return act, bag_hash


def already_sealed(job: Job, evidence: Evidence) -> str:
    """The bag got its name, and the machine stopped before the ledger knew: verify all of it; its hash.

    Raises:
        NotWhole: it is damaged.
    """
    report = verify_bag(job.bag)
    if not report.whole:
        raise NotWhole(
            m(
                "{bag}: was sealed and is not whole any more. Put it aside and start the archive again; a new copy "
                "is made.",
                bag=job.bag,
            ),
            [finding.message for finding in report.findings],
        )
    evidence.add(report.read_bytes, report.device_bytes)
    return report.bag_hash
