"""What a verification of the ledger saw."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from exam_kit.errors import Message, m

__all__ = ["Finding", "LedgerReport"]


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong: what kind, at which entry, in words. `at` is that entry's time as it stands, UTC."""

    kind: str
    seq: int | None
    message: Message
    at: str = ""

    def as_dict(self) -> dict[str, Any]:
        return {"kind": self.kind, "entry": self.seq, "at": self.at, "text": self.message.text()}


@dataclass
class LedgerReport:
    """What verification saw. `sealed` entries were proved with an enrolled first key; remarks accuse nobody.

    `agreeing` are the anchors given from outside that the chain holds: number of the entry, and when it was signed.
    """

    ledger: str = ""
    entries: int = 0
    head: str = ""
    head_at: str = ""
    checkpoints: int = 0
    anchors: int = 0
    sealed: int = 0
    agreeing: dict[int, str] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    remarks: list[Finding] = field(default_factory=list)

    @property
    def whole(self) -> bool:
        """True when nothing is wrong and there was something to prove."""
        return not self.findings and self.entries > 0

    def add(self, kind: str, seq: int | None, message: Message, at: str = "") -> None:
        self.findings.append(Finding(kind, seq, message, at))

    def remark(self, kind: str, seq: int | None, message: Message) -> None:
        self.remarks.append(Finding(kind, seq, message))

    def damaged(self, reason: object) -> None:
        """The file itself is not a whole database."""
        self.add(
            "database damaged",
            None,
            m("The database file is damaged: {reason}. Restore it from the backup.", reason=reason),
        )

    def as_dict(self) -> dict[str, Any]:
        return {
            "whole": self.whole,
            "ledger": self.ledger,
            "entries": self.entries,
            "head": self.head,
            "head_at": self.head_at,
            "checkpoints": self.checkpoints,
            "anchors": self.anchors,
            "sealed": self.sealed,
            "agreeing": [{"entry": seq, "at": at} for seq, at in sorted(self.agreeing.items())],
            "findings": [finding.as_dict() for finding in self.findings],
            "remarks": [remark.as_dict() for remark in self.remarks],
        }
