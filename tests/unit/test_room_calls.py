"""Room calls: the short form, from a call to a line on paper."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from pypdf import PdfReader

from exam_kit.clock import FakeClock
from exam_kit.errors import AccessDenied, RefusedEntry
from exam_kit.forms import room_calls_pdf
from exam_kit.forms.room_calls import COLUMNS, room_calls_csv
from exam_kit.i18n import translate
from exam_kit.journal.incidents import Incidents
from exam_kit.journal.numbering import RowRef
from exam_kit.journal.room_call import RoomCallDraft, RoomCalls
from exam_kit.point import Point
from exam_kit.store import Account, Ledger, Role

SPECIALIST = Account("spec", "Специалист Т. Т.", Role.SPECIALIST, "технический специалист", "ru")
CHAIR = Account("chair", "Председатель П. П.", Role.COMMISSION_HEAD, "председатель ГЭК", "ru")
ONE = RowRef(2026, 1)


@pytest.fixture
def calls(ledger: Ledger, point: Point, clock: FakeClock) -> RoomCalls:
    return RoomCalls(ledger, point, clock)


def draft(clock: FakeClock, **changes: Any) -> RoomCallDraft:
    values = {"room": "0001", "what": "не печатает бланк", "called_at": clock.now(), "caller": "организатор"}
    return RoomCallDraft(**{**values, **changes})


def test_a_call_from_the_door_to_the_end(calls: RoomCalls, clock: FakeClock) -> None:
    assert calls.call(draft(clock), SPECIALIST).is_open
    clock.advance(180)
    assert calls.arrived(ONE, SPECIALIST).waited_s == 180
    clock.advance(300)
    call = calls.left(ONE, "заменена бумага", SPECIALIST)
    assert (call.is_open, call.done, call.left_at) == (False, "заменена бумага", clock.now())
    assert calls.all() == [call] == calls.all(call.called_at.date())
    with pytest.raises(RefusedEntry, match="it is over"):
        calls.left(ONE, "ещё", SPECIALIST)


def test_a_call_that_is_over_is_one_entry(calls: RoomCalls, ledger: Ledger, clock: FakeClock) -> None:
    begun = clock.now() - timedelta(minutes=10)
    call = calls.call(
        draft(clock, called_at=begun, arrived_at=begun + timedelta(minutes=2), left_at=clock.now(), done="готово"),
        SPECIALIST,
    )
    assert (call.is_open, call.waited_s) == (False, 120)
    assert len(list(ledger.entries(["call.called", "call.arrived", "call.left"]))) == 1
    second = calls.call(draft(clock, called_at=begun, left_at=clock.now(), done="готово"), SPECIALIST)
    assert second.arrived_at == clock.now(), "who has left was there"


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"room": "0099"}, "'0099' is not in this point"),
        ({"what": " "}, "nothing is written"),
        ({"left_at": 0, "done": ""}, "nothing says what was done"),
        ({"arrived_at": -2}, "not in this order"),
        ({"called_at": 60}, "still to come"),
    ],
)
def test_what_a_call_does_not_take(calls: RoomCalls, clock: FakeClock, changes: dict[str, Any], reason: str) -> None:
    given = {
        name: clock.now() + timedelta(minutes=value) if isinstance(value, int) else value
        for name, value in changes.items()
    }
    with pytest.raises(RefusedEntry, match=reason):
        calls.call(draft(clock, **given), SPECIALIST)
    assert calls.all() == []


def test_readers_write_no_calls(calls: RoomCalls, point: Point, ledger: Ledger, clock: FakeClock) -> None:
    calls.call(draft(clock), SPECIALIST)
    acts: tuple[Callable[[], object], ...] = (
        lambda: calls.call(draft(clock), CHAIR),
        lambda: calls.arrived(ONE, CHAIR),
        lambda: calls.left(ONE, "x", CHAIR),
        lambda: calls.withdraw(ONE, "x", CHAIR),
        lambda: calls.becomes(ONE, "other", Incidents(ledger, point, clock), CHAIR),
    )
    head = ledger.head()
    for act in acts:
        with pytest.raises(AccessDenied):
            act()
    assert ledger.head() == head


def test_a_call_becomes_an_incident_and_each_names_the_other(
    calls: RoomCalls, point: Point, ledger: Ledger, clock: FakeClock
) -> None:
    calls.call(draft(clock, what="погас экран станции"), SPECIALIST)
    sheets = Incidents(ledger, point, clock)
    sheet = calls.becomes(ONE, "unit_failure", sheets, SPECIALIST)
    assert (sheet.room, sheet.description, sheet.calls) == ("0001", "погас экран станции", (ONE,))
    assert calls.get(ONE).incident == sheet.ref
    with pytest.raises(RefusedEntry, match="an incident already"):
        calls.becomes(ONE, "unit_failure", sheets, SPECIALIST)
    head = ledger.head()
    calls.call(draft(clock), SPECIALIST)
    with pytest.raises(RefusedEntry, match="not a category"):
        calls.becomes(RowRef(2026, 2), "ufo", sheets, SPECIALIST)
    assert len(sheets.all()) == 1
    assert ledger.head().seq == head.seq + 1


def test_a_withdrawn_call_stays_and_numbers_have_no_hole(calls: RoomCalls, clock: FakeClock) -> None:
    for _call in range(3):
        calls.call(draft(clock), SPECIALIST)
    calls.withdraw(RowRef(2026, 2), "не та аудитория", SPECIALIST)
    assert [(call.number, call.withdrawn) for call in calls.all()] == [(1, ""), (2, "не та аудитория"), (3, "")]
    with pytest.raises(RefusedEntry, match="it is over"):
        calls.arrived(RowRef(2026, 2), SPECIALIST)


@pytest.mark.parametrize("language", ["ru", "en", "lv"])
def test_the_form_has_the_columns_of_the_field_guide(
    calls: RoomCalls, ledger: Ledger, point: Point, clock: FakeClock, language: str
) -> None:
    calls.call(draft(clock, left_at=clock.now(), done="=cmd|' /C calc'!A0"), SPECIALIST)
    made = room_calls_pdf(point, None, calls.all(), language, ledger.signed_head(), made_at=clock.now())
    text = " ".join(page.extract_text() for page in PdfReader(io.BytesIO(made)).pages)
    for title in COLUMNS.values():
        assert translate(title, language).split()[0] in text
    assert "не печатает бланк" in text and "0001" in text
    table = room_calls_csv(point, calls.all(), language).decode("utf-8-sig")
    assert translate("Called at", language) in table.splitlines()[0]
    assert "'=cmd|" in table, "a spreadsheet runs no cell"
