"""What verification of a bag found, for people, for programs and as an exit code."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from exam_kit.errors import Message
from exam_kit.i18n import N_, translate

__all__ = ["EXIT_CODES", "BagFinding", "BagReport"]

EXIT_CODES = {"whole": 0, "changed": 20, "missing": 21, "unexpected": 22, "not_a_bag": 23}
"""Exit code of each outcome; when several apply, the worst stands: not a bag, changed, missing, unexpected."""

_WORST_FIRST = ("not_a_bag", "changed", "missing", "unexpected")

_OUTCOMES = {
    "whole": N_("WHOLE: every file is as it was when the bag was sealed."),
    "changed": N_("CHANGED: the bag is not as it was when it was sealed."),
    "missing": N_("MISSING: files are not there any more."),
    "unexpected": N_("UNEXPECTED: there are files that do not belong to the bag."),
    "not_a_bag": N_("NOT A BAG, or not readable: nothing was proved."),
}
_QUICK = N_("WHOLE as far as a quick look tells: the recordings' sizes fit, their content was not read.")
_SIGNATURES = {
    "valid": N_("signature: valid, made with the given key of the point"),
    "valid_own_key": N_(
        "signature: fits the key inside the bag; whose key that is was not checked (give the point's key to check it)"
    ),
    "invalid": N_("signature: NOT VALID"),
    "foreign": N_("signature: made with ANOTHER key than the given one"),
    "absent": N_("signature: NONE"),
    "unknown": N_("signature: not checked"),
}
_CHAINS = {
    "whole": N_("chain: every recording is the one the ledger saw when it was closed"),
    "broken": N_("chain: BROKEN between the ledger and the bag"),
    "unknown": N_("chain: not checked"),
}
_SHOWN = 50


@dataclass(frozen=True)
class BagFinding:
    """One thing that is wrong: `kind` is changed, missing, unexpected or not_a_bag; `path` is relative to the bag."""

    kind: str
    path: str
    message: Message


@dataclass
class BagReport:
    """`files` and `bytes` are the payload's as the manifest and the disk have it; `read_bytes` were read and hashed.

    `device_bytes` is how much of that the kernel fetched from the device (None: it does not tell). `signature` is
    valid, valid_own_key, invalid, foreign, absent or unknown; `chain` (birth → ledger → bag) whole, broken or unknown.
    """

    path: Path
    quick: bool = False
    files: int = 0
    bytes: int = 0
    read_bytes: int = 0
    device_bytes: int | None = None
    signature: str = "unknown"
    key: str = ""
    chain: str = "unknown"
    ledger_entries: int = 0
    bag_hash: str = ""
    elapsed_s: float = 0.0
    info: dict[str, str] = field(default_factory=dict)
    findings: list[BagFinding] = field(default_factory=list)

    def add(self, kind: str, path: str, message: Message) -> None:
        self.findings.append(BagFinding(kind, path, message))

    @property
    def outcome(self) -> str:
        kinds = {finding.kind for finding in self.findings}
        return next((kind for kind in _WORST_FIRST if kind in kinds), "whole")

    @property
    def whole(self) -> bool:
        return not self.findings

    @property
    def exit_code(self) -> int:
        return EXIT_CODES[self.outcome]

    def named(self, path: str) -> list[BagFinding]:
        """The findings about one file."""
        return [finding for finding in self.findings if finding.path == path]

    def as_dict(self) -> dict[str, Any]:
        return {
            "path": str(self.path),
            "outcome": self.outcome,
            "exit_code": self.exit_code,
            "quick": self.quick,
            "files": self.files,
            "bytes": self.bytes,
            "read_bytes": self.read_bytes,
            "device_bytes": self.device_bytes,
            "signature": self.signature,
            "key": self.key,
            "chain": self.chain,
            "ledger_entries": self.ledger_entries,
            "bag_hash": self.bag_hash,
            "elapsed_s": round(self.elapsed_s, 3),
            "info": self.info,
            "findings": [
                {"kind": finding.kind, "path": finding.path, "text": finding.message.text()}
                for finding in self.findings
            ],
        }

    def text(self, language: str | None = None, shown: int = _SHOWN) -> str:
        """The report in lines; at most `shown` findings, and how many more there are."""
        outcome = _QUICK if self.whole and self.quick else _OUTCOMES[self.outcome]
        counts = translate("files: {files}, {mb} MB; read and compared: {read_mb} MB", language)
        lines: Sequence[str] = (
            f"{self.path}",
            translate(outcome, language),
            counts.format(files=self.files, mb=f"{self.bytes / 1e6:.1f}", read_mb=f"{self.read_bytes / 1e6:.1f}"),
            translate(_SIGNATURES[self.signature], language),
            translate(_CHAINS[self.chain], language),
            *(f"- {finding.message.text(language)}" for finding in self.findings[:shown]),
        )
        more = len(self.findings) - shown
        rest = [translate("… and {count} more", language).format(count=more)] if more > 0 else []
        return "\n".join([*lines, *rest])
