"""Solutions go from point to point in a file: whole, compared, and never half."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import rfc8785

from exam_kit.clock import FakeClock
from exam_kit.errors import AccessDenied, RefusedEntry
from exam_kit.home import Home
from exam_kit.journal.incident import Incident, IncidentDraft
from exam_kit.journal.incidents import Incidents
from exam_kit.journal.solution import Tally
from exam_kit.journal.solution_content import Content, Wording
from exam_kit.journal.solution_file import MOST_BYTES, MOST_SOLUTIONS, MOST_TOLD, read_file
from exam_kit.journal.solution_import import Fate, export, plan_import, take
from exam_kit.journal.solutions import Solutions
from exam_kit.point import Point
from exam_kit.store import Account, Ledger, Role, open_store

SPECIALIST = Account("spec", "Специалист Т. Т.", Role.SPECIALIST, "технический специалист", "ru")
MEMBER = Account("gek", "Член К. К.", Role.COMMISSION_MEMBER, "член ГЭК", "ru")
Desk = tuple[Solutions, Incidents]


def content(text: str, category: str = "unit_failure") -> Content:
    return Content(category, {"ru": Wording(text, "Старый кабель", ("Заменить кабель", "Проверить"))})


@pytest.fixture
def desks(tmp_path: Path, point: Point, clock: FakeClock) -> Callable[[str], Desk]:
    """A point's books by its code, each over a ledger of its own."""

    def made(code: str) -> Desk:
        home = Home.at(tmp_path / code)
        home.create()
        ledger = Ledger(open_store(home), home, clock)
        other = point.model_copy(update={"code": code})
        return Solutions(ledger, other, clock), Incidents(ledger, other, clock)

    return made


def sheet(sheets: Incidents, clock: FakeClock) -> Incident:
    draft = IncidentDraft("unit_failure", "принтер", clock.now())
    return replace(sheets.open(draft, SPECIALIST), closed_at=clock.now())


def fates(book: Solutions, raw: bytes) -> dict[str, Fate]:
    return {row.incoming.id: row.fate for row in plan_import(book, raw, "file.json").rows}


def test_what_one_point_learned_helps_another(desks: Callable[[str], Desk], clock: FakeClock) -> None:
    (here, sheets), (there, their_sheets) = desks("0001"), desks("0002")
    made = here.add(content("Принтер шумит"), SPECIALIST)
    here.judge(made.id, True, sheet(sheets, clock), SPECIALIST)
    here.judge("base/printer_fails", False, sheet(sheets, clock), SPECIALIST)
    raw = export(here)
    assert export(here) == raw, "the same as long as nothing new is written"
    assert fates(there, raw) == {made.id: Fate.NEW}
    assert there.shelf.solutions.keys() == here.shelf.solutions.keys() - {made.id}, "looking takes nothing over"

    take(there, raw, "from 0001.json", SPECIALIST)
    taken = there.get(made.id)
    assert (taken.content, taken.origin, taken.revision) == (made.content, "77-0001", 1)
    assert (taken.own_tally(), taken.other_tally("unit_failure")) == (Tally(0, 0), Tally(1, 0))
    assert there.get("base/printer_fails").other_tally() == Tally(0, 1)

    there.judge(made.id, False, sheet(their_sheets, clock), SPECIALIST)
    assert (there.get(made.id).own_tally(), there.get(made.id).other_tally()) == (Tally(0, 1), Tally(1, 0))
    head = there.ledger.head()
    plan = take(there, raw, "again.json", SPECIALIST)
    assert not plan.changes
    assert fates(there, raw) == {made.id: Fate.SAME}
    assert there.ledger.head() == head, "a second time brings nothing and writes nothing"

    take(here, export(there), "back.json", SPECIALIST)
    back = here.get(made.id)
    assert (back.own_tally(), back.other_tally()) == (Tally(1, 0), Tally(0, 1)), "one's own is not counted twice"


def test_later_counts_take_the_place_of_earlier_ones(desks: Callable[[str], Desk], clock: FakeClock) -> None:
    (here, sheets), (there, _) = desks("0001"), desks("0002")
    made = here.add(content("Принтер шумит"), SPECIALIST)
    here.judge(made.id, True, sheet(sheets, clock), SPECIALIST)
    first = export(here)
    clock.advance(3600)
    here.judge(made.id, True, sheet(sheets, clock), SPECIALIST)
    take(there, export(here), "later.json", SPECIALIST)
    take(there, first, "earlier.json", SPECIALIST)
    assert there.get(made.id).other_tally() == Tally(2, 0)


def test_counts_pass_on_through_a_third_point(desks: Callable[[str], Desk], clock: FakeClock) -> None:
    (first, sheets), (second, _), (third, _) = desks("0001"), desks("0002"), desks("0003")
    made = first.add(content("Принтер шумит"), SPECIALIST)
    first.judge(made.id, True, sheet(sheets, clock), SPECIALIST)
    take(second, export(first), "a.json", SPECIALIST)
    take(third, export(second), "b.json", SPECIALIST)
    assert third.get(made.id).origin == "77-0001"
    assert third.get(made.id).elsewhere.keys() == {"77-0001"}


def test_a_later_revision_comes_and_an_earlier_one_does_not(desks: Callable[[str], Desk]) -> None:
    (here, _), (there, _) = desks("0001"), desks("0002")
    made = here.add(content("Принтер шумит"), SPECIALIST)
    old = export(here)
    take(there, old, "1.json", SPECIALIST)
    here.revise(made.id, content("Принтер шумит и греется"), "точнее", SPECIALIST)
    assert fates(there, export(here)) == {made.id: Fate.NEWER}
    take(there, export(here), "2.json", SPECIALIST)
    assert there.get(made.id).revision == 2
    assert len(there.get(made.id).history) == 2, "what it said before can still be read"
    assert fates(there, old) == {made.id: Fate.OLDER}


def test_what_its_point_takes_back_is_taken_back_everywhere(desks: Callable[[str], Desk]) -> None:
    (here, _), (there, _), (late, _) = desks("0001"), desks("0002"), desks("0003")
    made = here.add(content("Принтер шумит"), SPECIALIST)
    take(there, export(here), "1.json", SPECIALIST)
    here.withdraw(made.id, "опасно: ток", SPECIALIST)
    assert fates(there, export(here)) == {made.id: Fate.TAKEN_BACK}
    take(there, export(here), "2.json", SPECIALIST)
    assert (there.get(made.id).withdrawn, there.get(made.id).why_withdrawn) == (True, "опасно: ток")
    assert fates(late, export(here)) == {made.id: Fate.GONE}
    take(late, export(there), "3.json", SPECIALIST)
    assert made.id not in late.shelf.solutions


def test_what_is_withdrawn_only_here_does_not_travel(desks: Callable[[str], Desk]) -> None:
    (here, _), (there, _) = desks("0001"), desks("0002")
    made = here.add(content("Принтер шумит"), SPECIALIST)
    take(there, export(here), "1.json", SPECIALIST)
    there.withdraw(made.id, "у нас другой принтер", SPECIALIST)
    assert plan_import(here, export(there), "2.json").rows == ()
    assert fates(there, export(here)) == {made.id: Fate.SAME}
    assert there.get(made.id).withdrawn


def test_the_same_text_from_two_points_stands_once_and_its_counts_add_up(
    desks: Callable[[str], Desk], clock: FakeClock
) -> None:
    (here, _), (there, their_sheets) = desks("0001"), desks("0002")
    own = here.add(content("Принтер шумит"), SPECIALIST)
    theirs = there.add(content("Принтер шумит"), SPECIALIST)
    there.judge(theirs.id, True, sheet(their_sheets, clock), SPECIALIST)
    plan = take(here, export(there), "1.json", SPECIALIST)
    assert [(row.fate, row.standing and row.standing.id) for row in plan.rows] == [(Fate.DUPLICATE, own.id)]
    assert theirs.id not in here.shelf.solutions
    assert here.get(own.id).other_tally() == Tally(1, 0)


def test_conflicts_are_shown_with_both_texts_and_not_taken(desks: Callable[[str], Desk]) -> None:
    (here, _), (there, _) = desks("0001"), desks("0002")
    made = here.add(content("Принтер шумит"), SPECIALIST)
    take(there, export(here), "1.json", SPECIALIST)
    other = edited(export(here), lambda one: with_text(one, "Принтер молчит"))
    for book in (here, there):
        plan = take(book, other, "2.json", SPECIALIST)
        (row,) = plan.of(Fate.CONFLICT)
        assert row.standing is not None
        assert row.standing.content != row.incoming.content
        assert book.get(made.id).content == made.content


def test_a_solution_that_says_it_is_ours_and_is_not_known_is_not_taken(desks: Callable[[str], Desk]) -> None:
    (here, _), (there, _) = desks("0001"), desks("0002")
    there.add(content("Принтер шумит"), SPECIALIST)
    forged = export(there).replace(b"77-0002/2026/1", b"77-0001/2026/1")
    assert fates(here, forged) == {"77-0001/2026/1": Fate.CONFLICT}
    take(here, forged, "forged.json", SPECIALIST)
    assert here.add(content("Другое"), SPECIALIST).id == "77-0001/2026/1"


def test_only_who_keeps_the_base_takes_over_and_the_terminal_is_named(desks: Callable[[str], Desk]) -> None:
    (here, _), (there, _) = desks("0001"), desks("0002")
    made = here.add(content("Принтер шумит"), SPECIALIST)
    for actor in (MEMBER, "agent", "spec"):
        with pytest.raises(AccessDenied):
            take(there, export(here), "1.json", actor)
    take(there, export(here), "1.json", "terminal:root")
    (change,) = there.get(made.id).history
    assert change.by.name == "terminal:root"


# Files as they must not be.

GOOD: dict[str, Any] = {
    "id": "77-0002/2026/1",
    "revision": 1,
    "written": "2026-05-28",
    **content("Принтер шумит").as_dict(),
    "hash": content("Принтер шумит").hash,
    "withdrawn": "",
}
COUNT = {
    "id": "77-0002/2026/1",
    "from": "77-0002",
    "as_of": "2026-05-28T10:00:00.000Z",
    "tallies": {"unit_failure": [1, 0]},
}


def document(**more: Any) -> dict[str, Any]:
    empty = {"format": "exam-kit solutions", "version": 1, "point": "77-0002", "as_of": "2026-05-28T10:00:00.000Z"}
    return {**empty, "solutions": [GOOD], "counts": [COUNT], **more}


def edited(raw: bytes, edit: Callable[[dict[str, Any]], dict[str, Any]]) -> bytes:
    data = json.loads(raw)
    data["solutions"] = [edit(one) for one in data["solutions"]]
    return rfc8785.dumps(data)


def with_text(one: dict[str, Any], symptom: str) -> dict[str, Any]:
    texts = {**one["texts"], "ru": {**one["texts"]["ru"], "symptom": symptom}}
    changed = {**one, "texts": texts}
    return {**changed, "hash": Content.of(changed).hash}


def good(**more: Any) -> list[dict[str, Any]]:
    return [{**GOOD, **more}]


def wording(**more: Any) -> dict[str, Any]:
    return {"ru": {**GOOD["texts"]["ru"], **more}}


NO_FILE = [
    b"",
    b"\x00\xff\xfe",
    "решения".encode("utf-16"),
    b"[]",
    b"null",
    b"{}",
    b'{"format": "exam-kit solutions"',
    b'{"format": "exam-kit bag", "version": 1}',
    b'{"format": "exam-kit solutions", "format": "exam-kit solutions"}',
    b'{"format": NaN}',
    b"[" * 200_000,
    b'{"a":' * 100_000,
    b'{"format": ' + b"1" * 10_000 + b"}",
    b"PK\x03\x04 a zip archive",
    rfc8785.dumps(document(point="77-0002; DROP TABLE ledger")),
    rfc8785.dumps(document(point=770002)),
    rfc8785.dumps(document(as_of="yesterday")),
    rfc8785.dumps(document(as_of="0001-01-01T00:00:00+14:00")),
    rfc8785.dumps(document(more=1)),
]


@pytest.mark.parametrize("raw", NO_FILE)
def test_what_is_no_file_of_solutions_is_said_to_be_none(raw: bytes) -> None:
    with pytest.raises(RefusedEntry, match=r"garbage\.json: is not a file of solutions"):
        read_file(raw, "garbage.json")


SPOILT: list[tuple[dict[str, Any], str]] = [
    (document(solutions={}), "is not a list"),
    (document(solutions=[None]), "exactly these fields"),
    (document(solutions=[GOOD, "x"]), "solutions 2"),
    (document(solutions=[{}]), "exactly these fields"),
    (document(solutions=good(extra=1)), "exactly these fields"),
    (document(solutions=[GOOD, GOOD]), "more than once"),
    (document(solutions=good(id="base/printer_fails")), "another shape"),
    (document(solutions=good(id="../../etc/passwd")), "another shape"),
    (document(solutions=good(id="77-0002/2026/0")), "another shape"),
    (document(solutions=good(id="٧٧-0002/2026/1")), "another shape"),
    (document(solutions=good(id=7)), "another shape"),
    (document(solutions=good(revision=0)), "not a number"),
    (document(solutions=good(revision=True)), "not a number"),
    (document(solutions=good(revision=2.5)), "not a number"),
    (document(solutions=good(revision="1")), "not a number"),
    (document(solutions=good(written="28.05.2026")), "not a date"),
    (document(solutions=good(category="<script>")), "another shape"),
    (document(solutions=good(texts={})), "nothing is written"),
    (document(solutions=good(texts=[])), "another shape"),
    (document(solutions=good(texts={"de": GOOD["texts"]["ru"]})), "not a language"),
    (document(solutions=good(texts=wording(symptom=""))), "symptom is empty"),
    (document(solutions=good(texts=wording(steps=[]))), "no steps"),
    (document(solutions=good(texts=wording(steps=["x"] * 100))), "too many steps"),
    (document(solutions=good(texts=wording(steps="Заменить"))), "another shape"),
    (document(solutions=good(texts=wording(steps=[["x"]]))), "another shape"),
    (document(solutions=good(texts=wording(symptom="а" * 5000))), "another shape"),
    (document(solutions=good(texts=wording(symptom="строка\nдругая"))), "does not write"),
    (document(solutions=good(texts=wording(symptom="\x1b[31mкрасный"))), "does not write"),
    (document(solutions=good(texts=wording(cause="другая причина"))), "hash differs"),
    (document(solutions=good(hash="0" * 64)), "hash differs"),
    (document(solutions=good(hash="zz")), "another shape"),
    (document(solutions=good(withdrawn=None)), "another shape"),
    (document(solutions=[]), "counted, but not in the file"),
    (document(counts=[{**COUNT, "from": "77"}]), "another shape"),
    (document(counts=[{**COUNT, "tallies": {"unit_failure": [1]}}]), "another shape"),
    (document(counts=[{**COUNT, "tallies": {"unit_failure": [-1, 0]}}]), "not a number"),
    (document(counts=[{**COUNT, "tallies": {"unit_failure": [10**9, 0]}}]), "not a number"),
    (document(counts=[{**COUNT, "as_of": "2026-05-28"}]), "not a moment"),
]


@pytest.mark.parametrize(("data", "reason"), SPOILT)
def test_every_spoilt_part_is_named_with_its_reason(data: dict[str, Any], reason: str) -> None:
    with pytest.raises(RefusedEntry) as told:
        read_file(json.dumps(data).encode(), "spoilt.json")
    assert reason in told.value.text("en")
    for language in ("ru", "lv"):
        assert told.value.text(language).encode()


def test_a_broken_character_in_a_file_is_refused() -> None:
    raw = json.dumps(document(counts=[])).replace("\\u041f\\u0440\\u0438\\u043d", "\\ud800", 1).encode()
    with pytest.raises(RefusedEntry, match="mistakes in the file: 1") as told:
        read_file(raw, "broken.json")
    assert "broken character" in told.value.text("en")
    raw = json.dumps(document(solutions=good(id="\ud800"))).encode()
    with pytest.raises(RefusedEntry) as told:
        read_file(raw, "broken.json")
    assert told.value.text("ru").encode()


def test_one_spoilt_solution_among_good_ones_takes_none(desks: Callable[[str], Desk]) -> None:
    (here, _), (there, _) = desks("0001"), desks("0002")
    for number in range(30):
        here.add(content(f"Принтер шумит {number}"), SPECIALIST)
    data = json.loads(export(here))
    data["solutions"][17]["hash"] = "0" * 64
    head = there.ledger.head()
    with pytest.raises(RefusedEntry, match=r"mistakes in the file: 1\.") as told:
        take(there, json.dumps(data).encode(), "1.json", SPECIALIST)
    (detail,) = told.value.details
    assert data["solutions"][17]["id"] in str(detail)
    assert there.ledger.head() == head, "nothing is half taken"
    assert all(one.shipped for one in there.shelf.solutions.values())
    for one in data["solutions"]:
        one["hash"] = "0" * 64
    with pytest.raises(RefusedEntry) as told:
        take(there, json.dumps(data).encode(), "1.json", SPECIALIST)
    assert len(told.value.details) == MOST_TOLD + 1, "the rest is counted"


def test_too_much_is_refused_before_it_is_read() -> None:
    with pytest.raises(RefusedEntry, match="at most"):
        read_file(b" " * (MOST_BYTES + 1), "large.json")
    many = rfc8785.dumps(document(solutions=[1] * (MOST_SOLUTIONS + 1), counts=[]))
    with pytest.raises(RefusedEntry, match="mistakes in the file: 1"):
        read_file(many, "many.json")


def test_a_later_version_asks_for_a_newer_kit() -> None:
    with pytest.raises(RefusedEntry, match="newer Exam Kit"):
        read_file(rfc8785.dumps(document(version=2)), "later.json")


def test_the_file_names_no_person_and_no_incident(desks: Callable[[str], Desk], clock: FakeClock) -> None:
    book, sheets = desks("0001")
    book.add(content("Принтер шумит"), SPECIALIST, sheet=sheet(sheets, clock))
    raw = export(book).decode()
    assert "Специалист" not in raw
    assert "spec" not in raw
    assert "incident" not in raw


def test_a_file_with_a_mark_at_its_beginning_and_laid_out_by_hand_is_read(desks: Callable[[str], Desk]) -> None:
    book, _ = desks("0001")
    raw = b"\xef\xbb\xbf" + json.dumps(document(), indent=4).encode()
    assert fates(book, raw) == {GOOD["id"]: Fate.NEW}
