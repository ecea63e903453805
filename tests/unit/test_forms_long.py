"""Forms with texts as long as a field takes: every word stands on the paper, none runs off it."""

from __future__ import annotations

import io
from datetime import date
from typing import Any

import pytest
from pypdf import PdfReader

from exam_kit.clock import FakeClock
from exam_kit.forms.equipment_handover import handover_sheet_pdf
from exam_kit.forms.equipment_state import defects_pdf
from exam_kit.forms.familiarisation import familiarisation_pdf
from exam_kit.forms.room_calls import room_calls_pdf
from exam_kit.home import Home
from exam_kit.journal.equipment import Equipment
from exam_kit.journal.equipment_item import ItemDraft, ItemState
from exam_kit.journal.equipment_norms import load_norms
from exam_kit.journal.people import People, PersonDraft
from exam_kit.journal.people_profile import load_people_profile
from exam_kit.journal.person import Person
from exam_kit.journal.room_call import RoomCallDraft, RoomCalls
from exam_kit.point import Point
from exam_kit.store import Account, Head, Ledger, Role

SPECIALIST = Account("spec", "Специалист Т. Т.", Role.SPECIALIST, "технический специалист", "ru")
HEAD = Account("head", "Руководитель Р. Р.", Role.HEAD_OF_POINT, "руководитель ППЭ", "ru")
TODAY = date(2026, 5, 28)
AT = Head(124, "0123456789abcdef" * 4)
NAME = "ж" * 300


@pytest.mark.parametrize("text", ["ж" * 4000, "ж" * 8 + " жжжжжжжж" * 443], ids=["one word", "long words"])
def test_the_longest_texts_stay_on_the_paper(
    ledger: Ledger, point: Point, home: Home, clock: FakeClock, text: str
) -> None:
    book, norms = Equipment(ledger, point, clock), load_norms(home)
    book.add(ItemDraft("1", "printer", remark=text), SPECIALIST)
    book.set_state("1", ItemState.FAULTY, text, SPECIALIST, todo=text)
    defects = defects_pdf(point, None, list(book.register().items.values()), norms, "ru", AT)
    sheet = book.issue(["1"], Person(NAME), SPECIALIST, condition=text)
    people = People(ledger, point, load_people_profile(home), clock)
    number = people.add(PersonDraft(NAME, Role.SPECIALIST, NAME), HEAD).number
    people.appoint(number, NAME, TODAY, NAME, HEAD)
    people.withdraw(number, people.get(number).records[0].seq, text, HEAD)
    calls = RoomCalls(ledger, point, clock)
    calls.call(RoomCallDraft("0001", text, clock.now(), caller=NAME), SPECIALIST)
    letters = text.count("ж")
    for form, least in (
        (defects, 2 * letters),
        (handover_sheet_pdf(point, sheet, norms, "ru", AT), letters + 300),
        (familiarisation_pdf(point, people.register().people, "ru", AT), letters + 600),
        (room_calls_pdf(point, None, calls.all(), "ru", AT), letters + 300),
    ):
        found, lowest = _seen(form, "ж")
        assert found >= least
        assert lowest > 0


def _seen(form: bytes, letter: str) -> tuple[int, float]:
    """How often a letter is printed, and how far above the lower edge of its page the lowest is (points)."""
    lowest, found = 1000.0, 0

    def visit(text: str, cm: Any, tm: Any, _font: Any, _size: Any) -> None:
        nonlocal lowest, found
        if letter in text:
            found += text.count(letter)
            lowest = min(lowest, tm[5] * cm[3] + cm[5])

    for page in PdfReader(io.BytesIO(form)).pages:
        page.extract_text(visitor_text=visit)
    return found, lowest
