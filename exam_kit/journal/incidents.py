"""Incident sheets: opened once, written on step by step, closed when all is restored and decided.

What people write stands here, what the agent writes as well in `incident_opening`. Like the access log they are typed
entries over the ledger: nothing is edited, a later note stands beside the earlier one in the timeline. Rights are
checked here, whoever calls.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from exam_kit.clock import iso
from exam_kit.errors import RefusedEntry, m
from exam_kit.journal.incident import Incident, IncidentDraft
from exam_kit.journal.incident_cameras import Outage
from exam_kit.journal.incident_files import keep_files, refuse_more
from exam_kit.journal.incident_opening import OpenedIncidents, named
from exam_kit.journal.incident_parts import Agreement, Decision, Line
from exam_kit.journal.numbering import RowRef
from exam_kit.journal.person import Actor, Person, authorise, clean, person_of
from exam_kit.journal.questions import Value
from exam_kit.store.accounts import Account
from exam_kit.store.rights import Act, Role

__all__ = ["WHO_DECIDES", "Decision", "Incident", "IncidentDraft", "Incidents"]

COUNT_LIMIT = 100_000
"""Above this a number of people or minutes is a slip of the hand."""

WHO_DECIDES = {
    Decision.GO_ON: Act.OPEN_INCIDENT,
    Decision.MAKE_UP_TIME: Act.COUNTERSIGN,
    Decision.MOVE_CANDIDATES: Act.COUNTERSIGN,
    Decision.STOP_EXAM: Act.DECIDE_STOP,
}
"""Going on is anybody's who keeps the sheet; what touches candidates is the head's or a commission member's."""


class Incidents(OpenedIncidents):
    """The incident sheets of one point.

    Methods that write return the sheet as it then stands, on the disk; they raise `AccessDenied`, `RefusedEntry` and
    `StoreError` as the access log's do. `at` is when something happened, now when left out. A closed sheet takes no
    more entries. `year` is the year the number is counted in, this year's when left out.
    """

    def step(
        self, number: int, text: str, actor: Actor, at: datetime | None = None, *, year: int | None = None
    ) -> Incident:
        """Write a measure that was taken."""
        return self._add(number, year, "step", actor, at, clean(text, "measure"))

    def report(
        self,
        number: int,
        to: Person,
        actor: Actor,
        at: datetime | None = None,
        *,
        text: str = "",
        role: Role | None = None,
        year: int | None = None,
    ) -> Incident:
        """Write who was told; `role` says as what, where it is known."""
        more = {"to": named(to).as_dict(), **({"role": role.value} if role else {})}
        return self._add(number, year, "reported", actor, at, clean(text, "text", required=False), **more)

    def answer(
        self,
        number: int,
        answers: Mapping[str, Value],
        actor: Actor,
        at: datetime | None = None,
        *,
        year: int | None = None,
    ) -> Incident:
        """Write answers to the guided questions of the sheet's category, by the questions' codes."""
        category = self.categories.by_code.get(self.get(number, year).category)
        asked = {question.code: question for question in category.questions} if category else {}
        unknown = [code for code in answers if code not in asked]
        if unknown or not answers:
            raise RefusedEntry(
                m("Incident {number}: no question of this case was answered. Answer at least one.", number=number)
            )
        kept = [asked[code].answered(value) for code, value in answers.items()]
        return self._add(number, year, "answered", actor, at, "", answers=kept)

    def hand(
        self,
        number: int,
        line: Line | str,
        person: Person | None,
        why: str,
        actor: Actor,
        at: datetime | None = None,
        *,
        year: int | None = None,
    ) -> Incident:
        """Hand the sheet over, up or back; within a line, to another person. The first line takes up without a why."""
        to = Line(line)
        authorise(actor, Act.OPEN_INCIDENT)
        with self._ledger.store.transaction():
            sheet = self._open_sheet(number, year)
            had, to_person = sheet.holder, named(person) if person else None
            taken_up = had.person is None and had.line is to
            same = (to_person is None) if had.person is None else bool(to_person and had.person.same_as(to_person))
            if had.line is to and same:
                raise RefusedEntry(
                    m("Incident {number}: they have it already. Choose another line or person.", number=number)
                )
            moment = at or self._clock.now()
            if moment < had.since.replace(second=0, microsecond=0):
                raise RefusedEntry(
                    m("Incident {number}: handed over before it was received. Correct the time.", number=number)
                )
            return self._write(
                sheet,
                "handed",
                actor,
                max(moment, had.since),
                clean(why, "handed", required=not taken_up),
                to=to.value,
                person=to_person.as_dict() if to_person else None,
            )

    def attach(
        self,
        number: int,
        files: Sequence[tuple[str, bytes]],
        actor: Account,
        *,
        text: str = "",
        year: int | None = None,
    ) -> Incident:
        """Keep photos and papers (name, content) with the sheet, by their SHA-256."""
        authorise(actor, Act.OPEN_INCIDENT)
        said = clean(text, "text", required=False)
        refuse_more(self._open_sheet(number, year).files, len(files))
        kept = keep_files(self._ledger.store, files)
        with self._ledger.store.transaction():
            sheet = self._open_sheet(number, year)
            refuse_more(sheet.files, len(kept))
            return self._write(sheet, "attached", actor, None, said, files=[one._asdict() for one in kept])

    def note(
        self,
        number: int,
        actor: Actor,
        *,
        replaced_with: str | None = None,
        gap_from: datetime | None = None,
        gap_to: datetime | None = None,
        candidates: int | None = None,
        minutes_added: int | None = None,
        evidence: Sequence[str] = (),
        log_rows: Sequence[RowRef] = (),
        checks: Sequence[str] = (),
        gaps: Sequence[Outage] = (),
        equipment: Sequence[str] = (),
        year: int | None = None,
    ) -> Incident:
        """Fill in fields of the sheet. A field noted again takes the later value; evidence and links add up."""
        for count in (candidates, minutes_added):
            if count is not None and not 0 <= count <= COUNT_LIMIT:
                raise RefusedEntry(
                    m("Incident: {count} is not a number of people or minutes. Write how many.", count=count)
                )
        if gap_from and gap_to and gap_to < gap_from:
            raise RefusedEntry(m("Incident: the gap ends before it begins. Correct one of the times."))
        given: dict[str, Any] = {
            "replaced_with": clean(replaced_with, "replaced with", required=False) if replaced_with else None,
            "gap_from": iso(gap_from) if gap_from else None,
            "gap_to": iso(gap_to) if gap_to else None,
            "candidates": candidates,
            "minutes_added": minutes_added,
            "evidence": [clean(item, "evidence") for item in evidence] or None,
            "log_rows": [ref.as_list() for ref in log_rows] or None,
            "checks": [clean(run, "evidence") for run in checks] or None,
            "gaps": [gap.as_dict() for gap in gaps] or None,
            "equipment": [clean(item, "evidence") for item in equipment] or None,
        }
        fields = {name: value for name, value in given.items() if value is not None}
        if not fields:
            clean("", "note")
        return self._add(number, year, "noted", actor, None, "", fields=fields)

    def decide(
        self,
        number: int,
        decision: Decision | str,
        text: str,
        actor: Account,
        *,
        agreed: Agreement | None = None,
        at: datetime | None = None,
        year: int | None = None,
    ) -> Incident:
        """Write a decision about the exam. To stop it takes a commission member and the chair's agreement.

        The member writes down who agreed, when and how: the chair's own account writes nothing.
        """
        try:
            taken = Decision(decision)
        except ValueError as problem:
            raise RefusedEntry(
                m("Incident: '{decision}' is not a decision. Choose one from the list.", decision=decision)
            ) from problem
        authorise(actor, WHO_DECIDES[taken])
        chair = self._agreed(agreed, actor) if taken is Decision.STOP_EXAM else {"agreed_by": None}
        return self._add(
            number,
            year,
            "decided",
            actor,
            at,
            clean(text, "decision", required=False),
            decision=taken.value,
            **chair,
        )

    def close(
        self,
        number: int,
        restored_at: datetime | None,
        decision: str,
        actor: Account,
        *,
        signed_off: Account,
        year: int | None = None,
    ) -> Incident:
        """Close the sheet with its conclusion; a person's act, never the agent's.

        `restored_at` may be left out where it is noted already, or where the exam was stopped. A decision about the
        exam stands on the sheet by now. `signed_off` is whoever signed it with their own PIN: the head of the point or
        a commission member, and never who opened it.
        """
        authorise(actor, Act.OPEN_INCIDENT)
        authorise(signed_off, Act.SIGN_OFF_INCIDENT)
        with self._ledger.store.transaction():
            sheet = self._open_sheet(number, year)
            restored = restored_at or sheet.restored_at
            if restored is None and not sheet.stopped:
                raise RefusedEntry(
                    m("Incident {number}: nothing says when it was restored. Write the time.", number=number)
                )
            if restored is not None:
                self._in_time(restored)
                restored = self._since_detection(sheet, restored)
            if sheet.decision is None:
                raise RefusedEntry(
                    m("Incident {number}: nothing was decided about the exam. Write the decision.", number=number)
                )
            if person_of(signed_off).same_as(sheet.opened_by):
                raise RefusedEntry(
                    m("Incident {number}: who opened it cannot sign it off. Ask another person to sign.", number=number)
                )
            conclusion = clean(decision, "decision")
            moment = iso(restored) if restored else None
            signed = person_of(signed_off).as_dict()
            return self._write(sheet, "closed", actor, None, conclusion, restored_at=moment, signed_off=signed)

    def _agreed(self, agreed: Agreement | None, actor: Account) -> dict[str, Any]:
        """The agreement as the ledger keeps it."""
        if agreed is None or not agreed.person.name.strip() or agreed.person.same_as(person_of(actor)):
            raise RefusedEntry(
                m(
                    "Incident: an exam is stopped only with the agreement of the commission head. "
                    "Name who agreed; it cannot be the one who decides."
                )
            )
        if agreed.at is None or agreed.way is None:
            raise RefusedEntry(m("Incident: nothing says when and how the commission head agreed. Write both."))
        self._in_time(agreed.at)
        return {
            "agreed_by": named(agreed.person).as_dict(),
            "agreed_at": iso(agreed.at),
            "agreed_how": agreed.way.value,
        }
