"""The counted table of `ordeal_copy`."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import Any

__all__ = ["HEAD", "Row", "read_rows"]

HEAD = """| fault | where | times | acknowledged files looked for | lost, wrong or accepted though different | counted \
| promises broken | s |
|---|---|---|---|---|---|---|---|"""


@dataclass
class Row:
    """One kind of fault. `wrong` says every promise that was broken; `why_not` why it was not run."""

    fault: str
    where: str
    times: int = 0
    looked_for: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    most: dict[str, float] = field(default_factory=dict)
    said: Counter[str] = field(default_factory=Counter)
    """Messages that people would see."""
    wrong: list[str] = field(default_factory=list)
    why_not: str = ""
    took_s: float = 0.0

    def as_dict(self) -> dict[str, Any]:
        return {**asdict(self), "counts": dict(self.counts), "said": dict(self.said)}

    def line(self) -> str:
        if self.why_not:
            return f"| {self.fault} | {self.where} | not run: {self.why_not} |"
        lies = sum(said.startswith(("acknowledged", "accepted")) for said in self.wrong)
        counted = ", ".join(f"{name} {count}" for name, count in sorted(self.counts.items()))
        most = "".join(f", at most {value:g} {name}" for name, value in self.most.items())
        return (
            f"| {self.fault} | {self.where} | {self.times} | {self.looked_for} | {lies} | {counted}{most} "
            f"| {len(self.wrong)} | {self.took_s:.0f} |"
        )


def read_rows(text: str) -> Iterable[Row]:
    """Rows from the JSON that `as_dict` made."""
    for facts in json.loads(text):
        yield Row(**{**facts, "counts": Counter(facts["counts"]), "said": Counter(facts["said"])})
