"""A later bag that brings what a first one did not have: it names the first by name and hash, and repeats nothing."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePath

from exam_kit.archive.bag_report import BagReport

__all__ = ["LABEL", "First", "label_of", "relate", "supplement_to"]

LABEL = "Supplement-To"

_SAID = re.compile(r"([0-9A-Za-z_-]{1,100}) ([0-9a-f]{64})")


@dataclass(frozen=True)
class First:
    """The bag that a supplement belongs to."""

    bag: str
    bag_hash: str


def label_of(first: First) -> str:
    """The value of the tag ``Supplement-To`` in bag-info.txt."""
    return f"{first.bag} {first.bag_hash}"


def supplement_to(info: Mapping[str, str]) -> str:
    """What a bag's tags say of the first bag, ``NAME HASH``; "" when it is no supplement or says nothing usable."""
    said = info.get(LABEL, "")
    return said if _SAID.fullmatch(said) else ""


def relate(reports: Sequence[BagReport]) -> None:
    """Set each supplement's `relation` among bags that were verified together: found, differs or absent."""
    hashes = {PurePath(report.path).name: report for report in reports}
    by_hash = {report.bag_hash: report for report in reports if report.bag_hash}
    for report in reports:
        if not report.supplement_to:
            continue
        name, _space, bag_hash = report.supplement_to.partition(" ")
        first = by_hash.get(bag_hash)
        if first is not None:
            report.relation = "found" if first.whole else "damaged"
        else:
            report.relation = "differs" if name in hashes else "absent"
