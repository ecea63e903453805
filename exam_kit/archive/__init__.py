"""Copies that prove themselves: the copy engine, the sealed bag, its verification, and the hand-over act."""

from exam_kit.archive.act import CARRIER_LABELS, ActFile, ActGap, Carrier, Document, HandoverAct, KeepRule
from exam_kit.archive.bag_report import EXIT_CODES, BagFinding, BagReport
from exam_kit.archive.destinations import carrier_at, carriers
from exam_kit.archive.job import run_archive
from exam_kit.archive.job_rows import kept_message
from exam_kit.archive.result import PHASE_LABELS, STATE_LABELS, ArchiveResult, FailedFile, Progress
from exam_kit.archive.verify import verify_bag

__all__ = [
    "CARRIER_LABELS",
    "EXIT_CODES",
    "PHASE_LABELS",
    "STATE_LABELS",
    "ActFile",
    "ActGap",
    "ArchiveResult",
    "BagFinding",
    "BagReport",
    "Carrier",
    "Document",
    "FailedFile",
    "HandoverAct",
    "KeepRule",
    "Progress",
    "carrier_at",
    "carriers",
    "kept_message",
    "run_archive",
    "verify_bag",
]
