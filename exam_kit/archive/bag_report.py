"""What verification of a bag found, for people, for programs and as an exit code."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from exam_kit.archive.bag_coverage import BagCoverage
from exam_kit.archive.bag_paths import shown
from exam_kit.errors import Message
from exam_kit.i18n import N_, decimal, translate

__all__ = [
    "CHAIN_LABELS",
    "EXIT_CODES",
    "OUTCOME_LABELS",
    "RELATION_LABELS",
    "SIGNATURE_LABELS",
    "BagFinding",
    "BagReport",
    "outcome_label",
]

EXIT_CODES = {"whole": 0, "changed": 20, "missing": 21, "unexpected": 22, "not_a_bag": 23}
"""Exit code of each outcome; when several apply, the worst stands: not a bag, changed, missing, unexpected."""

_WORST_FIRST = ("not_a_bag", "changed", "missing", "unexpected")

OUTCOME_LABELS = {
    "whole": N_("WHOLE: every file is as it was when the bag was sealed."),
    "changed": N_("CHANGED: the bag is not as it was when it was sealed."),
    "missing": N_("MISSING: files are not there any more."),
    "unexpected": N_("UNEXPECTED: there are files that do not belong to the bag."),
    "not_a_bag": N_("NOT A BAG, or not readable: nothing was proved."),
}
_QUICK = N_("WHOLE as far as a quick look tells: the recordings' sizes fit, their content was not read.")
SIGNATURE_LABELS = {
    "valid": N_("signature: valid, made with the given key of the point"),
    "valid_own_key": N_(
        "signature: fits the key inside the bag; whose key that is was not checked (give the point's key to check it)"
    ),
    "invalid": N_("signature: NOT VALID"),
    "foreign": N_("signature: made with ANOTHER key than the given one"),
    "absent": N_("signature: NONE"),
    "unknown": N_("signature: not checked"),
}
CHAIN_LABELS = {
    "whole": N_("chain: every recording is the one the ledger saw when it was closed"),
    "listed": N_("chain: whole by the bag's lists; the recordings themselves were not read"),
    "broken": N_("chain: BROKEN between the ledger and the bag"),
    "broken_here": N_("chain: whole from the ledger to the sealing of the bag, BROKEN between that and here"),
    "sealed": N_("chain: encrypted; open the bag with the region's key to check it"),
    "unknown": N_("chain: not checked"),
}
RELATION_LABELS = {
    "": N_("supplement to {bag}; that bag was not looked at"),
    "found": N_("supplement to {bag}, which lies here and is whole"),
    "damaged": N_("supplement to {bag}, which lies here and is NOT whole"),
    "differs": N_("supplement to {bag}, but the bag of that name here is ANOTHER one"),
    "absent": N_("supplement to {bag}, which is not here"),
}
"""How a supplement stands to the bag it belongs to, among the bags that were verified together."""

_SHOWN = 50
_LONGEST = 200


@dataclass(frozen=True)
class BagFinding:
    """One thing that is wrong: `kind` is changed, missing, unexpected or not_a_bag; `path` is relative to the bag."""

    kind: str
    path: str
    message: Message


@dataclass
class BagReport:
    """`files` and `bytes` are the payload's as the manifest and the disk have it; `read_bytes` were read and hashed.

    `device_bytes` is how much of that the kernel fetched from the device (None: it does not tell). `signature` and
    `chain` are keys of `SIGNATURE_LABELS` and `CHAIN_LABELS`. `supplement_to` is the first bag's name and hash,
    `relation` a key of `RELATION_LABELS`. `info` and `coverage` are the bag's own words and may hold anything.
    """

    path: str
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
    encrypted: bool = False
    supplement_to: str = ""
    relation: str = ""
    proofs: dict[str, int] = field(default_factory=dict)
    info: dict[str, str] = field(default_factory=dict)
    coverage: BagCoverage | None = None
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
            "path": shown(self.path),
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
            "encrypted": self.encrypted,
            "supplement_to": self.supplement_to,
            "relation": self.relation,
            "proofs": self.proofs,
            "info": {shown(label): shown(value) for label, value in self.info.items()},
            "findings": [
                {"kind": finding.kind, "path": shown(finding.path), "text": shown(finding.message.text())}
                for finding in self.findings
            ],
        }

    def whose(self, language: str | None = None) -> str:
        """Region, point, day and copy as the bag tells them, in one line; "" when it tells nothing."""
        labels = ("External-Identifier", "Source-Organization", "Exam-Subject")
        said = [shown(self.info[label])[:_LONGEST] for label in labels if self.info.get(label)]
        if copy := self.info.get("Copy-Number"):
            said.append(translate(N_("copy {number}"), language).format(number=shown(copy)[:_LONGEST]))
        return " · ".join(said)

    def text(self, language: str | None = None, most: int = _SHOWN) -> str:
        """The report in lines; at most `most` findings, and how many more there are."""
        counts = translate("files: {files}, {mb} MB; read and compared: {read_mb} MB", language)
        lines: list[str] = [
            shown(self.path),
            *([whose] if (whose := self.whose(language)) else []),
            translate(outcome_label(self), language),
            counts.format(files=self.files, mb=_mb(self.bytes, language), read_mb=_mb(self.read_bytes, language)),
            translate(SIGNATURE_LABELS[self.signature], language),
            translate(CHAIN_LABELS[self.chain], language),
        ]
        if self.proofs:
            by = translate("files proved by the store's own SHA-256: {kept}, by reading them: {read}", language)
            kept, read = (self.proofs.get(how, 0) for how in ("server_sha256", "downloaded"))
            lines.append(by.format(kept=kept, read=read))
        if self.supplement_to:
            first = self.supplement_to.partition(" ")[0]
            lines.append(translate(RELATION_LABELS[self.relation], language).format(bag=first))
        lines += [f"- {shown(finding.message.text(language))}" for finding in self.findings[:most]]
        more = len(self.findings) - most
        rest = [translate("… and {count} more", language).format(count=more)] if more > 0 else []
        return "\n".join([*lines, *rest])


def _mb(size: int, language: str | None) -> str:
    return decimal(size / 1e6, language=language).replace("\u00a0", " ")  # a terminal gets plain signs only


def outcome_label(report: BagReport) -> str:
    """One sentence, untranslated: what came of it."""
    return _QUICK if report.whole and report.quick else OUTCOME_LABELS[report.outcome]
