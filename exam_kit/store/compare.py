"""Two copies of one ledger side by side: at which entry do they part ways."""

from __future__ import annotations

import json
from itertools import zip_longest
from pathlib import Path

from exam_kit.errors import m
from exam_kit.store.report import LedgerReport
from exam_kit.store.verify import hashes_of

__all__ = ["judge_copy"]


def judge_copy(path: Path, other: Path, report: LedgerReport) -> None:
    """Add a finding for the first entry at which the ledger in `path` and the copy `other` differ.

    One that merely ends earlier agrees as far as it goes: a remark where it is the copy, a finding where the copy has
    more than the ledger that is verified.
    """
    for number, (here, there) in enumerate(zip_longest(hashes_of(path), hashes_of(other)), start=1):
        if here == there:
            continue
        if here is not None and there is not None:
            text = m("Entry {seq}: here and in {path} stand different entries.", seq=number, path=other)
            report.add("copies differ", number, text, _at(here[2]))
        elif here is None and there is not None:
            text = m("Entry {seq}: is missing here; {path} has it.", seq=number, path=other)
            report.add("tail missing", number, text, _at(there[2]))
        else:
            text = m("{path}: agrees up to entry {seq} and ends there.", seq=number - 1, path=other)
            report.remark("copy ends", number - 1, text)
        return


def _at(record: str) -> str:
    try:
        return str(json.loads(record)["at"])
    except (ValueError, TypeError, KeyError):
        return ""
