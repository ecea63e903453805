"""What turns a proved copy into a sealed bag with its name."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from exam_kit.archive.act import ActFile, Carrier, Document, HandoverAct, KeepRule
from exam_kit.archive.act_make import make_act, papers
from exam_kit.archive.age_sink import EncryptingSink, SealedJournal, secret_of
from exam_kit.archive.age_stream import recipient_in
from exam_kit.archive.bag import LEDGER, Listed, coverage_json, seal, sweep, write_proved
from exam_kit.archive.copy_journal import JOURNAL, CopyJournal
from exam_kit.archive.destinations import carrier_at
from exam_kit.archive.encrypted_seal import seal_encrypted
from exam_kit.archive.job_rows import Job
from exam_kit.archive.kept_papers import ACT, keep_papers
from exam_kit.archive.medium import fsync_folder
from exam_kit.archive.result import FailedFile, Progress
from exam_kit.archive.selection import Asked, Choice
from exam_kit.archive.sink import FolderSink
from exam_kit.archive.supplement import First, label_of
from exam_kit.archive.verify import verify_bag
from exam_kit.clock import Clock
from exam_kit.errors import ArchiveError, m
from exam_kit.home import Home
from exam_kit.point import Point
from exam_kit.store import Head, Ledger, Store
from exam_kit.store.export import export_lines
from exam_kit.store.keys import SigningKey

__all__ = ["Evidence", "NotWhole", "Order", "already_sealed", "inner_hash", "open_sink", "seal_copy", "seal_staged"]

ENCRYPTED = "archive.encrypted"
"""Ledger entry that binds an encrypted bag to the bag inside it, written just before it gets its name."""


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
    first: First | None = None
    number: int = 0
    """The order's, by which the ledger knows which of its copies are finished; 0 for a run that nobody ordered."""


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
    sink: FolderSink | EncryptingSink,
    journal: CopyJournal,
    files: Sequence[ActFile],
    failed: Sequence[FailedFile],
    evidence: Evidence,
    seal_number: str,
    progress: Callable[[Progress], None],
) -> tuple[HandoverAct, str, str]:
    """Act, documents, ledger, lists and signature beside the proved `files`; then the check, then the name.

    Returns the act, the bag's hash, and that of the encrypted bag around it ("" without encryption).

    Raises:
        ArchiveError: there is nothing to seal, or the sealed copy does not verify.
        OSError: the destination failed.
    """
    size = sum(file.bytes for file in files)
    progress(Progress("sealing", len(files), len(files), size, size))
    sealed = sink if isinstance(sink, EncryptingSink) else None
    carrier = replace(carrier_at(job.part, seal_number), path=str(job.bag.parent))
    lying = [sealed.name(file.path) if sealed else file.path for file in files]
    act, bag_hash, lies = _write(order, job, sink, journal, files, failed, evidence, carrier, lying)
    report = verify_bag(job.part, quick=True, key=order.ledger.public_key, unfinished=True)
    if not report.whole or report.bag_hash != lies:
        raise ArchiveError(
            m("{bag}: the sealed copy does not verify. Archive to another carrier.", bag=job.bag),
            [finding.message for finding in report.findings],
        )
    if sealed:
        _bind(order, job, bag_hash, lies)
    _name(job, journal)
    return act, bag_hash, lies if sealed else ""


def seal_staged(
    order: Order,
    job: Job,
    sink: FolderSink | EncryptingSink,
    journal: CopyJournal,
    files: Sequence[ActFile],
    failed: Sequence[FailedFile],
    evidence: Evidence,
    carrier: Carrier,
) -> HandoverAct:
    """Everything of a bag but its recordings, which lie proved elsewhere: sealed in the job's folder on this computer.

    Returns the act. Raises as `seal_copy`.
    """
    act, bag_hash, lies = _write(order, job, sink, journal, files, failed, evidence, carrier, ())
    if isinstance(sink, EncryptingSink):
        _bind(order, job, bag_hash, lies)
    _name(job, journal)
    return act


def _bind(order: Order, job: Job, bag_hash: str, lies: str) -> None:
    """What is inside cannot be read again here: after a crash only the ledger can tell the inner bag's hash."""
    body = {"job": job.id, "bag": job.name, "bag_hash": bag_hash, "sealed_as": job.bag.name, "sealed_hash": lies}
    order.ledger.append(ENCRYPTED, body, order.actor)


def _write(
    order: Order,
    job: Job,
    sink: FolderSink | EncryptingSink,
    journal: CopyJournal,
    files: Sequence[ActFile],
    failed: Sequence[FailedFile],
    evidence: Evidence,
    carrier: Carrier,
    lying: Sequence[str],
) -> tuple[HandoverAct, str, str]:
    """The act, the bag's hash, and that of what lies on the carrier, which differs when it is encrypted."""
    if not files:
        raise ArchiveError(
            m("{day}: not one recording could be copied; there is no archive.", day=order.day),
            [failure.message for failure in failed],
        )
    sealed = sink if isinstance(sink, EncryptingSink) else None
    sweep(sink.root, {JOURNAL, *lying})
    checkpoint = order.ledger.checkpoint()
    act = make_act(
        order.point,
        order.day,
        order.asked,
        job=job,
        carrier=carrier,
        files=tuple(files),
        gaps=order.choice.gaps,
        deficiencies=[*order.choice.deficiencies, *(failure.message for failure in failed)],
        made_at=order.clock.now(),
        handed_by=order.actor,
        witness=order.ordered_by,
        keep=order.keep,
        head=Head(checkpoint.seq, checkpoint.hash) if checkpoint else Head(0, ""),
        supplement_to=order.first.bag if order.first else "",
    )
    payload = [Listed(file.path, file.sha256, file.bytes) for file in files]
    documents = papers(order.documents, act)
    payload += [write_proved(sink, path, [content]) for path, content in documents]
    export = (line.encode() + b"\n" for line in export_lines(order.ledger, act.ledger_head.seq))
    payload.append(write_proved(sink, LEDGER, export))
    journal.note("sealing", files=len(files), read_back=evidence.read_bytes, from_device=evidence.device_bytes)
    lost = [{"path": failure.path, "why": str(failure.message)} for failure in failed]
    coverage = coverage_json(act, order.choice.cameras, lost)
    keep_papers(order.home, job.id, dict(documents).get(f"data/documents/{ACT}"), coverage)
    key = SigningKey.load_or_create(order.home.keys)
    written = journal.sealed()
    first = label_of(order.first) if order.first else ""
    bag_hash = lies = seal(sink, act, payload, coverage, key, None if sealed else written, first)
    if sealed:
        lies = seal_encrypted(sealed, job.name, job.copy, key, written)
    return act, bag_hash, lies


def _name(job: Job, journal: CopyJournal) -> None:
    journal.close()  # Windows renames no folder in which a file is open
    job.part.rename(job.bag)
    fsync_folder(job.bag.parent)


def open_sink(order: Order, job: Job) -> tuple[FolderSink | EncryptingSink, CopyJournal]:
    """Where the copy goes, and its journal.

    Raises:
        ArchiveError: it is to be encrypted, and for whom is not known.
    """
    folder = FolderSink(job.part)
    if not order.asked.encrypted:
        return folder, CopyJournal(job.part)
    sink = EncryptingSink(
        folder, recipient_in(order.point), secret_of(SigningKey.load_or_create(order.home.keys), job.id)
    )
    return sink, SealedJournal(job.part, sink)


def already_sealed(order: Order, job: Job, evidence: Evidence) -> tuple[str, str]:
    """The bag got its name, and the machine stopped before the ledger knew: verify all of it; its hashes.

    As `seal_copy` returns them: the bag's, and that of the encrypted bag around it ("" without encryption).

    Raises:
        NotWhole: it is damaged.
    """
    report = verify_bag(job.bag, key=order.ledger.public_key)
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
    if not report.encrypted:
        return report.bag_hash, ""
    return inner_hash(order, job, report.bag_hash), report.bag_hash


def inner_hash(order: Order, job: Job, sealed_hash: str) -> str:
    """The hash of the bag inside the encrypted one.

    Raises:
        NotWhole: the ledger never sealed such a bag.
    """
    inside = [
        str(entry.body["bag_hash"])
        for entry in order.ledger.entries([ENCRYPTED])
        if entry.body["sealed_hash"] == sealed_hash
    ]
    if not inside:
        raise NotWhole(m("{bag}: the ledger never sealed this bag. Put it aside; a new copy is made.", bag=job.bag))
    return inside[-1]
