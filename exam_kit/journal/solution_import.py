"""What a file of solutions would bring, and taking it over: all that fits together, or nothing."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from enum import StrEnum

from exam_kit.clock import iso
from exam_kit.i18n import N_
from exam_kit.journal.person import Actor, Person, authorise, login_of, person_of
from exam_kit.journal.solution import IMPORTED, TAKEN, Shelf, Solution
from exam_kit.journal.solution_file import Count, Incoming, SolutionFile, read_file, written_file
from exam_kit.journal.solutions import Solutions
from exam_kit.store.accounts import Account
from exam_kit.store.rights import Act

__all__ = ["FATE_LABELS", "Fate", "Plan", "Row", "export", "plan_import", "take"]

TERMINAL = "terminal:"
"""Whoever owns the terminal is an actor of their own (docs/decisions/0005)."""


class Fate(StrEnum):
    """What becomes of a solution of a file."""

    NEW = "new"
    NEWER = "newer"
    TAKEN_BACK = "taken_back"
    SAME = "same"
    DUPLICATE = "duplicate"
    OLDER = "older"
    GONE = "gone"
    CONFLICT = "conflict"


FATE_LABELS = {
    Fate.NEW: N_("new"),
    Fate.NEWER: N_("newer than here"),
    Fate.TAKEN_BACK: N_("withdrawn by its point"),
    Fate.SAME: N_("already here"),
    Fate.DUPLICATE: N_("the same text stands here already"),
    Fate.OLDER: N_("older than here"),
    Fate.GONE: N_("withdrawn by its point, never was here"),
    Fate.CONFLICT: N_("conflict: not taken, compare both"),
}
CHANGING = (Fate.NEW, Fate.NEWER, Fate.TAKEN_BACK)


@dataclass(frozen=True)
class Row:
    """One solution of the file; `standing` is the one here that it is compared with."""

    fate: Fate
    incoming: Incoming
    standing: Solution | None = None


@dataclass(frozen=True)
class Plan:
    """What taking the file over does. `counts` are those that are newer than what is known here."""

    file: SolutionFile
    rows: tuple[Row, ...]
    counts: tuple[Count, ...]

    def of(self, *fates: Fate) -> tuple[Row, ...]:
        return tuple(row for row in self.rows if row.fate in fates)

    @property
    def changes(self) -> bool:
        return bool(self.of(*CHANGING) or self.counts)


def export(book: Solutions) -> bytes:
    """The file of this point, as of its last entry on solutions: the same as long as nothing new is written."""
    shelf = book.shelf
    last = [change.at for one in shelf.solutions.values() for change in one.history]
    as_of = max([*last, *([shelf.counted] if shelf.counted else [])], default=book.ledger.clock.now())
    return written_file(shelf, book.key, as_of)


def plan_import(book: Solutions, raw: bytes, name: str) -> Plan:
    """Read and compare; nothing is written.

    Raises:
        RefusedEntry: the file cannot be read, whole.
    """
    return _plan(book.shelf, book.key, read_file(raw, name))


def take(book: Solutions, raw: bytes, name: str, actor: Actor | str) -> Plan:
    """Take the file over in one transaction and tell what was done; without news nothing is written.

    `actor` is an account with the right, or `terminal:<user>`.

    Raises:
        AccessDenied, RefusedEntry: no right; the file cannot be read, whole. Nothing was taken then.
    """
    if isinstance(actor, str) and actor.startswith(TERMINAL):
        login, by = actor, Person(actor)
    else:
        authorise(actor, Act.KEEP_SOLUTIONS)  # type: ignore[arg-type]  # any other text is refused there
        assert isinstance(actor, Account)
        login, by = login_of(actor), person_of(actor)
    file = read_file(raw, name)
    with book.ledger.store.transaction():
        plan = _plan(book.shelf, book.key, file)
        if not plan.changes:
            return plan
        common = {"point": book.key, "by": by.as_dict()}
        for row in plan.of(*CHANGING):
            book.ledger.append(TAKEN, {**common, **_taken(row, file)}, login)
        body = {
            "file": {"name": name[:200], "sha256": hashlib.sha256(raw).hexdigest(), "from": file.point,
                     "as_of": iso(file.as_of)},
            "fates": {fate.value: len(plan.of(fate)) for fate in Fate if plan.of(fate)},
            "counts": [_counted(count) for count in plan.counts],
        }  # fmt: skip
        book.ledger.append(IMPORTED, {**common, **body}, login)
        return plan


def _taken(row: Row, file: SolutionFile) -> dict[str, object]:
    incoming = row.incoming
    return {
        "id": incoming.id,
        "origin": incoming.origin,
        "from": file.point,
        "revision": incoming.revision,
        "written": str(incoming.written),
        "content": incoming.content.as_dict(),
        "hash": incoming.content.hash,
        "withdrawn": bool(incoming.withdrawn),
        "why": incoming.withdrawn,
    }


def _counted(count: Count) -> dict[str, object]:
    tallies = {code: list(tally) for code, tally in count.told.tallies.items()}
    return {"id": count.id, "from": count.of, "as_of": iso(count.told.as_of), "tallies": tallies}


def _plan(shelf: Shelf, point: str, file: SolutionFile) -> Plan:
    by_hash = {one.content.hash: one for one in shelf.solutions.values() if not one.withdrawn}
    rows, known_as = [], {}
    for incoming in file.solutions:
        row = _fate(shelf, point, incoming, by_hash)
        rows.append(row)
        if row.fate is Fate.DUPLICATE and row.standing is not None:
            known_as[incoming.id] = row.standing.id
        elif row.fate in (Fate.GONE, Fate.CONFLICT):
            known_as[incoming.id] = ""  # what was counted belongs to another text, or to none
        elif row.fate is Fate.NEW:
            by_hash[incoming.content.hash] = Solution(
                incoming.id, incoming.origin, incoming.content, incoming.revision, incoming.written
            )
    coming = {row.incoming.id for row in rows if row.fate is Fate.NEW}
    counts: dict[tuple[str, str], Count] = {}
    for count in file.counts:
        name = known_as.get(count.id, count.id)
        standing = shelf.solutions.get(name)
        if count.of == point or (standing is None and name not in coming):
            continue  # one's own, come back; or of a solution that is not here
        before = standing.elsewhere.get(count.of) if standing else None
        earlier = counts.get((name, count.of))
        if (before is None or before.as_of < count.told.as_of) and (
            earlier is None or earlier.told.as_of < count.told.as_of
        ):
            counts[name, count.of] = replace(count, id=name)
    return Plan(file, tuple(rows), tuple(counts.values()))


def _fate(shelf: Shelf, point: str, incoming: Incoming, by_hash: dict[str, Solution]) -> Row:
    standing = shelf.solutions.get(incoming.id)
    if standing is None:
        twin = by_hash.get(incoming.content.hash)
        if incoming.withdrawn:
            return Row(Fate.GONE, incoming)
        if twin is not None:
            return Row(Fate.DUPLICATE, incoming, twin)
        # It says it was written here, and the ledger knows nothing of it: its number may be given to another one.
        return Row(Fate.CONFLICT if incoming.origin == point else Fate.NEW, incoming)
    same = standing.content.hash == incoming.content.hash
    if incoming.revision < standing.revision:
        return Row(Fate.SAME if same else Fate.OLDER, incoming, standing)
    if standing.origin == point:
        return Row(Fate.SAME if same else Fate.CONFLICT, incoming, standing)
    if incoming.withdrawn or standing.withdrawn:
        return Row(_withdrawn(incoming, standing), incoming, standing)
    if same:
        return Row(Fate.SAME, incoming, standing)
    return Row(Fate.NEWER if incoming.revision > standing.revision else Fate.CONFLICT, incoming, standing)


def _withdrawn(incoming: Incoming, standing: Solution) -> Fate:
    if not standing.withdrawn:
        return Fate.TAKEN_BACK
    # Withdrawn here: only what its point has written since is followed again.
    return Fate.NEWER if not incoming.withdrawn and incoming.revision > standing.revision else Fate.SAME
