"""The base of solutions of one point: written, revised, withdrawn and judged as entries of the ledger.

The shipped solutions stand beside the point's own and cannot be changed here; whether they helped can be said of them
as of any other. Rights are checked here, whoever calls.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from exam_kit.clock import Clock
from exam_kit.errors import RefusedEntry, m
from exam_kit.journal.categories import Categories, load_categories
from exam_kit.journal.incident import Incident
from exam_kit.journal.numbering import next_number, point_key
from exam_kit.journal.person import Actor, authorise, clean, login_of, person_of
from exam_kit.journal.solution import ADDED, JUDGED, KINDS, REVISED, WITHDRAWN, Shelf, Solution, fold
from exam_kit.journal.solution_base import base_shelf
from exam_kit.journal.solution_content import Content, Wording, written_in
from exam_kit.point.model import Point
from exam_kit.store.fold import folded
from exam_kit.store.ledger import Entry, Ledger
from exam_kit.store.rights import Act

__all__ = ["Solutions"]


class Solutions:
    """The solutions of one point.

    Methods that write return the solution as it then stands, on the disk. They raise `AccessDenied` for a role without
    the right, `RefusedEntry` for what the rules do not allow, `StoreError` when the database refuses.
    """

    def __init__(
        self, ledger: Ledger, point: Point, clock: Clock | None = None, categories: Categories | None = None
    ) -> None:
        self.ledger = ledger
        self.key = point_key(point)
        self._point = point
        self._clock = clock or ledger.clock
        self.categories = categories or load_categories()

    @property
    def shelf(self) -> Shelf:
        """All solutions as they stand."""

        def carry(shelf: Shelf, entries: Iterable[Entry]) -> Shelf:
            return fold(entries, self.key, shelf)

        return folded(self.ledger, f"solutions of {self.key}", KINDS, carry, base_shelf())

    def get(self, solution: str) -> Solution:
        """Raises RefusedEntry when there is none of this id."""
        found = self.shelf.solutions.get(solution)
        if found is None:
            raise RefusedEntry(m("Solution {id}: there is no such solution. Choose one from the list.", id=solution))
        return found

    def add(self, content: Content, actor: Actor, *, sheet: Incident | None = None) -> Solution:
        """Write a solution, of the closed incident `sheet` or of one's own knowledge.

        A sheet becomes one solution; it is revised afterwards, or withdrawn and then written anew.
        """
        authorise(actor, Act.KEEP_SOLUTIONS)
        content = self._written(content)
        if sheet is not None and sheet.is_open:
            raise RefusedEntry(
                m("Incident {number}: it is still open. Close it, then make a solution of it.", number=sheet.number)
            )
        today = self._clock.now().astimezone(self._point.tz).date()
        with self.ledger.store.transaction() as connection:
            if sheet is not None and (made := self.made_of(sheet)) is not None:
                raise RefusedEntry(
                    m("Incident {number}: it is solution {id} already. Revise that one.", number=sheet.number, id=made)
                )
            self._differs(content)
            number = next_number(connection, (ADDED,), self.key, today.year)
            name = f"{self.key}/{today.year}/{number}"
            body = {
                "year": today.year,
                "no": number,
                "origin": self.key,
                "written": str(today),
                "incident": sheet.ref.as_list() if sheet else None,
                "content": content.as_dict(),
                "hash": content.hash,
            }
            return self._write(ADDED, name, 1, actor, body)

    def revise(self, solution: str, content: Content, why: str, actor: Actor) -> Solution:
        """Write it anew; what it said before stays in its history. Only the point's own can be revised."""
        authorise(actor, Act.KEEP_SOLUTIONS)
        content, why = self._written(content), _reason(why)
        with self.ledger.store.transaction():
            standing = self._own(solution)
            if content.hash == standing.content.hash:
                raise RefusedEntry(m("Solution {id}: nothing is changed. Change it, then save.", id=solution))
            self._differs(content)
            body = {"why": why, "content": content.as_dict(), "hash": content.hash}
            return self._write(REVISED, solution, standing.revision + 1, actor, body)

    def withdraw(self, solution: str, why: str, actor: Actor) -> Solution:
        """Say that it must not be followed any more; it is found no longer, and stays to be read with its history.

        One that came from another point can be withdrawn here too; until a later revision of it is taken over.
        """
        authorise(actor, Act.KEEP_SOLUTIONS)
        why = _reason(why)
        with self.ledger.store.transaction():
            standing = self._standing(solution)
            if standing.shipped:
                raise _not_ours(solution)
            return self._write(WITHDRAWN, solution, standing.revision, actor, {"why": why})

    def judge(self, solution: str, helped: bool, sheet: Incident, actor: Actor) -> Solution:
        """Say on a sheet whether it helped. Said again, the later word counts; the same word is not written twice."""
        authorise(actor, Act.OPEN_INCIDENT)
        with self.ledger.store.transaction():
            standing = self._standing(solution)
            said = standing.verdicts.get(sheet.ref)
            if said is not None and said.helped == helped:
                return standing
            body = {"helped": helped, "incident": sheet.ref.as_list(), "category": sheet.category}
            return self._write(JUDGED, solution, standing.revision, actor, body)

    def made_of(self, sheet: Incident) -> str | None:
        """The id of the solution that a sheet became, unless it was withdrawn."""
        shelf = self.shelf
        made = shelf.by_sheet.get(sheet.ref)
        return made if made is not None and not shelf.solutions[made].withdrawn else None

    def draft_of(self, sheet: Incident, reader: str) -> Content:
        """What a sheet says, as the beginning of a solution: the cause is for a person to add."""
        steps = [event.text for event in sheet.timeline if event.kind in ("step", "restored") and event.text]
        if sheet.replaced_with:
            steps.append(sheet.replaced_with)
        wording = Wording(sheet.description, "", tuple(steps or [sheet.conclusion]))
        language = written_in([wording.symptom, *wording.steps], reader)
        return Content(sheet.category, {language: wording})

    def _written(self, content: Content) -> Content:
        content = content.cleaned()
        if content.category not in self.categories.by_code:
            raise RefusedEntry(
                m("Solution: '{code}' is not a category. Choose one from the list.", code=content.category)
            )
        return content

    def _differs(self, content: Content) -> None:
        digest = content.hash
        for other in self.shelf.solutions.values():
            if not other.withdrawn and other.content.hash == digest:
                raise RefusedEntry(m("Solution: {id} says exactly this already. Use that one.", id=other.id))

    def _standing(self, solution: str) -> Solution:
        standing = self.get(solution)
        if standing.withdrawn:
            raise RefusedEntry(m("Solution {id}: it is withdrawn. Write a new one.", id=solution))
        return standing

    def _own(self, solution: str) -> Solution:
        standing = self._standing(solution)
        if standing.origin != self.key:
            raise _not_ours(solution)
        return standing

    def _write(self, kind: str, solution: str, revision: int, actor: Actor, fields: Mapping[str, Any]) -> Solution:
        body = {"point": self.key, "id": solution, "revision": revision, "by": person_of(actor).as_dict(), **fields}
        self.ledger.append(kind, body, login_of(actor))
        return self.shelf.solutions[solution]


def _reason(why: str) -> str:
    said = clean(why, "why", required=False)
    if not said:
        raise RefusedEntry(m("Solution: no reason is given. Write why."))
    return said


def _not_ours(solution: str) -> RefusedEntry:
    return RefusedEntry(
        m("Solution {id}: it was not written at this point. Write one of your own that says it better.", id=solution)
    )
