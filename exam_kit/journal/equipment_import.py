"""Taking a list of equipment in: everything or nothing, and the same file a second time changes nothing."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from exam_kit.errors import Message, RefusedEntry, UsageError, m
from exam_kit.i18n import LANGUAGES, translate
from exam_kit.journal.equipment import Equipment
from exam_kit.journal.equipment_fold import ADDED, CHANGED, Draft
from exam_kit.journal.equipment_item import FIELD_LABELS, STATE_LABELS, ItemDraft, ItemState, number_key
from exam_kit.journal.equipment_norms import Norms
from exam_kit.journal.equipment_rules import checked_fields
from exam_kit.journal.equipment_table import TableRow, read_table
from exam_kit.journal.person import AGENT, AGENT_PERSON, authorise, clean
from exam_kit.point.model import Point
from exam_kit.store.accounts import Account
from exam_kit.store.ledger import Entry
from exam_kit.store.rights import Act

__all__ = ["NEEDED", "ImportPlan", "ImportRow", "plan_import", "take_import"]

NEEDED = ("inventory", "kind")
"""Columns that a list must have."""


@dataclass(frozen=True)
class ImportRow:
    """A row of the list: its number there, the item it is about where that is known already, and its fields."""

    number: int
    item: int | None
    fields: Mapping[str, str]


@dataclass(frozen=True)
class ImportPlan:
    """What taking a list in would do. With any mistake it does nothing."""

    name: str
    sha256: str
    new: tuple[ImportRow, ...]
    changed: tuple[ImportRow, ...]
    unchanged: int
    mistakes: tuple[Message, ...]
    skipped: tuple[str, ...]
    """Headings of columns that say nothing to the register and are left out."""


def plan_import(book: Equipment, name: str, content: bytes) -> ImportPlan:
    """Read the list and see what it would do; writes nothing.

    Raises:
        UsageError: it is not a list, or its columns are not those of the template.
    """
    return _planned(book, name, content, _rows(name, content))


def _rows(name: str, content: bytes) -> list[TableRow]:
    rows = read_table(clean(name, "name"), content)
    if not rows:
        raise UsageError(m("{name}: there are no rows in it. Fill in the template and choose it again.", name=name))
    return rows


def _planned(book: Equipment, name: str, content: bytes, rows: list[TableRow]) -> ImportPlan:
    name = clean(name, "name")
    columns, skipped = _columns(name, rows[0])
    draft = Draft(book.register())
    planned = _Plan(book, draft)
    for row in rows[1:]:
        planned.take(row, {field: row.cells[at] if at < len(row.cells) else "" for field, at in columns.items()})
    return ImportPlan(
        name,
        hashlib.sha256(content).hexdigest(),
        tuple(planned.new),
        tuple(planned.changed),
        planned.unchanged,
        tuple(planned.mistakes),
        skipped,
    )


def take_import(book: Equipment, name: str, content: bytes, actor: Account) -> ImportPlan:
    """Take the list in, all of it; what was done.

    Raises:
        RefusedEntry: a row cannot stand, and so nothing was taken in; `details` names every such row.
        UsageError: as `plan_import`.
    """
    authorise(actor, Act.KEEP_EQUIPMENT)
    rows = _rows(name, content)  # before the transaction: a large workbook takes a while, and nobody could write
    with book.ledger.store.transaction():
        plan = _planned(book, name, content, rows)  # anew: the register may have gone on since it was shown
        if plan.mistakes:
            raise RefusedEntry(
                m("{name}: nothing is taken in, mistakes found: {count}.", name=name, count=len(plan.mistakes)),
                plan.mistakes,
            )
        origin = {"file": name, "sha256": plan.sha256}
        for row in plan.new:
            book.append(ADDED, {"fields": dict(row.fields), "import": {**origin, "row": row.number}}, actor)
        for row in plan.changed:
            body = {"item": row.item, "fields": dict(row.fields), "why": name, "import": {**origin, "row": row.number}}
            book.append(CHANGED, body, actor)
    return plan


class _Plan:
    """Row by row what the list does to the register; the register in the draft goes with it."""

    def __init__(self, book: Equipment, draft: Draft) -> None:
        self._book = book
        self._draft = draft
        self._register = draft.done()
        self._seen: dict[str, int] = {}
        self.new: list[ImportRow] = []
        self.changed: list[ImportRow] = []
        self.mistakes: list[Message] = []
        self.unchanged = 0

    def take(self, row: TableRow, given: dict[str, str]) -> None:
        key = number_key(given["inventory"])
        if key and key in self._seen:
            self.mistakes.append(
                m(
                    "Row {row}: {inventory} stands in row {other} too. Take one of them out.",
                    row=row.number,
                    inventory=given["inventory"],
                    other=self._seen[key],
                )
            )
            return
        self._seen[key] = row.number
        item = self._register.find(given["inventory"]) if key else None
        # A column that the list does not have leaves what the register says as it is.
        before = item.fields() if item else ItemDraft("", "").fields()
        coded = _coded(given, self._book.norms, self._book.point)
        if item is not None:
            coded["inventory"] = item.inventory  # case and spaces do not make a change
        coded = {name: value for name, value in coded.items() if value or name not in ("kind", "state")}
        try:
            fields = checked_fields({**before, **coded}, self._book.point, self._book.norms, self._register, item)
        except RefusedEntry as refused:
            reasons = refused.details or (refused.message,)
            self.mistakes += [m("Row {row}: {reason}", row=row.number, reason=reason) for reason in reasons]
            return
        if item is None:
            self.new.append(ImportRow(row.number, None, fields))
            self._go_on(ADDED, row, {"fields": fields})
            return
        changed = {name: value for name, value in fields.items() if value != before[name]}
        if not changed:
            self.unchanged += 1
            return
        self.changed.append(ImportRow(row.number, item.id, changed))
        self._go_on(CHANGED, row, {"item": item.id, "fields": changed})

    def _go_on(self, kind: str, row: TableRow, body: dict[str, Any]) -> None:
        """The draft as it will be after this row, so that rows are seen beside one another."""
        whole = {"by": AGENT_PERSON.as_dict(), **body}
        self._draft.take(Entry(-row.number, self._book.ledger.clock.now(), AGENT, kind, whole, ""))


def _columns(name: str, head: TableRow) -> tuple[dict[str, int], tuple[str, ...]]:
    """Which column holds which field, by its name in any language; and the columns that are left out."""
    known = {
        _folded(called): field
        for field, label in FIELD_LABELS.items()
        for called in (field, *(translate(label, language) for language in LANGUAGES))
    }
    columns: dict[str, int] = {}
    skipped = []
    for at, title in enumerate(head.cells):
        field = known.get(_folded(title))
        if field is None:
            skipped += [title] if title else []
        elif field in columns:
            raise UsageError(m("{name}: the column '{title}' stands twice. Take one out.", name=name, title=title))
        else:
            columns[field] = at
    lacking = [translate(FIELD_LABELS[field]) for field in NEEDED if field not in columns]
    if lacking:
        raise UsageError(
            m(
                "{name}: row {row} must name the columns, and these are not there: {columns}. Use the template.",
                name=name,
                row=head.number,
                columns=", ".join(lacking),
            )
        )
    return columns, tuple(skipped)


def _coded(given: Mapping[str, str], norms: Norms, point: Point) -> dict[str, str]:
    """What people write as the register has it: kinds and states by their names, rooms also without zeros in front."""
    coded = dict(given)
    if given.get("kind"):
        coded["kind"] = norms.kind_called(given["kind"]) or given["kind"]
    if given.get("state"):
        coded["state"] = _states().get(_folded(given["state"]), given["state"])
    if given.get("room"):
        coded["room"] = _room(given["room"], point)
    return coded


def _states() -> dict[str, str]:
    return {
        _folded(called): state.value
        for state in ItemState
        for called in (state.value, *(translate(STATE_LABELS[state], language) for language in LANGUAGES))
    }


def _room(written: str, point: Point) -> str:
    """The code of the room; a spreadsheet takes 0001 for a number and makes 1 of it."""
    wanted = _folded(written)
    exact = [room.code for room in point.rooms if wanted in (_folded(room.code), _folded(room.name))]
    bare = [room.code for room in point.rooms if room.code.lstrip("0").casefold() == wanted]
    found = exact or bare
    return found[0] if len(found) == 1 else written


def _folded(text: str) -> str:
    return " ".join(text.casefold().split())
