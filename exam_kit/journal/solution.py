"""A solution as it is read back from the ledger, with all that was done to it and how often it helped."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from types import MappingProxyType
from typing import Any, NamedTuple

from exam_kit.clock import from_iso
from exam_kit.i18n import N_
from exam_kit.journal.numbering import RowRef
from exam_kit.journal.person import Person
from exam_kit.journal.solution_content import Content
from exam_kit.store.ledger import Entry

__all__ = [
    "ADDED",
    "BASE",
    "CHANGE_LABELS",
    "KINDS",
    "SOURCE_LABELS",
    "Change",
    "Shelf",
    "Solution",
    "Tally",
    "Told",
    "fold",
]

BASE = "base"
"""Where the solutions that are shipped with the kit come from."""

ADDED, REVISED, WITHDRAWN = "solution.added", "solution.revised", "solution.withdrawn"
JUDGED, TAKEN, IMPORTED = "solution.judged", "solution.taken", "solution.imported"
KINDS = (ADDED, REVISED, WITHDRAWN, JUDGED, TAKEN, IMPORTED)

SOURCE_LABELS = {"regulation": N_("from a published regulation"), "practice": N_("common practice")}

CHANGE_LABELS = {
    "added": N_("written"),
    "revised": N_("revised"),
    "withdrawn": N_("taken back"),
    "taken": N_("taken over from another point"),
}


class Tally(NamedTuple):
    """How often it helped, and how often it did not."""

    helped: int = 0
    not_helped: int = 0

    def plus(self, other: Tally) -> Tally:
        return Tally(self.helped + other.helped, self.not_helped + other.not_helped)


NOTHING = Tally()


@dataclass(frozen=True)
class Told:
    """What another point counted of a solution, for each category, as it stood at `as_of` (UTC)."""

    as_of: datetime
    tallies: Mapping[str, Tally]


@dataclass(frozen=True)
class Verdict:
    """What one sheet says of a solution; `seq` is the entry."""

    helped: bool
    category: str
    seq: int


@dataclass(frozen=True)
class Change:
    """One line of a solution's history. `content` is what it said from then on; None where it did not change."""

    kind: str
    at: datetime
    by: Person
    why: str
    content: Content | None
    seq: int

    @property
    def label(self) -> str:
        """English key of the kind's name; translate it where it is shown."""
        return CHANGE_LABELS[self.kind]


@dataclass(frozen=True)
class Solution:
    """A solution as it stands now. `id` is the same at every point: where it was written, the year and its number.

    `origin` is that point's key, or "base"; `source` of a shipped one is a key of `SOURCE_LABELS`. `revision` counts
    from 1. `verdicts` are this point's own, one for each incident sheet; `elsewhere` is what other points counted.
    """

    id: str
    origin: str
    content: Content
    revision: int
    written: dt.date
    source: str = ""
    incident: RowRef | None = None
    withdrawn: bool = False
    why_withdrawn: str = ""
    history: tuple[Change, ...] = ()
    verdicts: Mapping[RowRef, Verdict] = field(default_factory=lambda: MappingProxyType({}))
    elsewhere: Mapping[str, Told] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def shipped(self) -> bool:
        return self.origin == BASE

    def own_tally(self, category: str | None = None) -> Tally:
        """What the sheets of this point say: of all categories, or of one."""
        said = [one.helped for one in self.verdicts.values() if category in (None, one.category)]
        return Tally(sum(said), len(said) - sum(said))

    def other_tally(self, category: str | None = None) -> Tally:
        """What other points counted, together."""
        total = NOTHING
        for told in self.elsewhere.values():
            for code, tally in told.tallies.items():
                if category in (None, code):
                    total = total.plus(tally)
        return total


@dataclass(frozen=True)
class Shelf:
    """All solutions by id. `stamp` changes whenever what can be found does; `by_sheet` names what a sheet became.

    `counted` is when this point last said whether something helped.
    """

    solutions: Mapping[str, Solution]
    stamp: str
    by_sheet: Mapping[RowRef, str] = field(default_factory=lambda: MappingProxyType({}))
    counted: datetime | None = None

    @property
    def findable(self) -> dict[str, Content]:
        """What stands: all that is not withdrawn."""
        return {one.id: one.content for one in self.solutions.values() if not one.withdrawn}


def fold(entries: Iterable[Entry], point: str, before: Shelf) -> Shelf:
    """The solutions of `point` with all that the entries say about them, going on from `before`."""
    found, by_sheet = dict(before.solutions), dict(before.by_sheet)
    stamp, counted = before.stamp, before.counted
    for entry in entries:
        body = entry.body
        if body.get("point") != point:
            continue
        if entry.kind == IMPORTED:
            _told_elsewhere(found, body)
            continue
        if entry.kind == JUDGED:
            _judged(found, entry)
            counted = entry.at
            continue
        stamp = f"{before.stamp.partition(' ')[0]} {entry.hash}"
        solution = _changed(found.get(body["id"]), entry)
        found[solution.id] = solution
        if entry.kind == ADDED and solution.incident:
            by_sheet[solution.incident] = solution.id
    return Shelf(found, stamp, by_sheet, counted)


def _changed(standing: Solution | None, entry: Entry) -> Solution:
    body = entry.body
    content = Content.of(body["content"]) if body.get("content") else None
    kind = entry.kind.removeprefix("solution.")
    change = Change(kind, entry.at, Person.from_dict(body["by"]), body.get("why", ""), content, entry.seq)
    gone = entry.kind == WITHDRAWN or bool(body.get("withdrawn"))
    if standing is None:
        assert content is not None  # a history begins with what was written or taken
        incident = RowRef.of(body["incident"]) if body.get("incident") else None
        written = dt.date.fromisoformat(body["written"])
        return Solution(
            body["id"], body["origin"], content, body["revision"], written,
            incident=incident, withdrawn=gone, why_withdrawn=change.why if gone else "", history=(change,),
        )  # fmt: skip
    return replace(
        standing,
        content=content or standing.content,
        revision=body["revision"],
        withdrawn=gone,
        why_withdrawn=change.why if gone else "",
        history=(*standing.history, change),
    )


def _judged(found: dict[str, Solution], entry: Entry) -> None:
    body = entry.body
    solution = found.get(body["id"])
    if solution is None:
        return  # of a shipped one that a later kit no longer has
    verdict = Verdict(body["helped"], body["category"], entry.seq)
    found[solution.id] = replace(solution, verdicts={**solution.verdicts, RowRef.of(body["incident"]): verdict})


def _told_elsewhere(found: dict[str, Solution], body: Mapping[str, Any]) -> None:
    for row in body["counts"]:
        solution = found.get(row["id"])
        if solution is None:
            continue
        tallies = {code: Tally(*counts) for code, counts in row["tallies"].items()}
        told = Told(from_iso(row["as_of"]), tallies)
        found[solution.id] = replace(solution, elsewhere={**solution.elsewhere, row["from"]: told})
