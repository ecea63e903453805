"""The base of solutions: written, revised, taken back, judged, and made of a closed incident."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from datetime import timedelta

import pytest

from exam_kit.clock import FakeClock
from exam_kit.errors import AccessDenied, RefusedEntry
from exam_kit.i18n import LANGUAGES
from exam_kit.journal.categories import load_categories
from exam_kit.journal.incident import Incident, IncidentDraft
from exam_kit.journal.incidents import Incidents
from exam_kit.journal.solution import Tally
from exam_kit.journal.solution_base import SHIPPED, base_shelf
from exam_kit.journal.solution_content import MOST_STEPS, Content, Wording
from exam_kit.journal.solutions import Solutions
from exam_kit.point import Point
from exam_kit.store import Account, Ledger, Role
from exam_kit.store.verify import verify_database

SPECIALIST = Account("spec", "Специалист Т. Т.", Role.SPECIALIST, "технический специалист", "ru")
HEAD = Account("head", "Руководитель Р. Р.", Role.HEAD_OF_POINT, "руководитель ППЭ", "ru")
MEMBER = Account("gek", "Член К. К.", Role.COMMISSION_MEMBER, "член ГЭК", "ru")
CHAIR = Account("chair", "Председатель П. П.", Role.COMMISSION_HEAD, "председатель ГЭК", "ru")

HUM = Content(
    "cctv_lost",
    {"ru": Wording("Камера гудит и гаснет", "Слабый блок питания", ("Заменить блок питания", "Проверить запись"))},
)


@pytest.fixture
def book(ledger: Ledger, point: Point, clock: FakeClock) -> Solutions:
    return Solutions(ledger, point, clock)


def sheet_of(ledger: Ledger, point: Point, clock: FakeClock, *, closed: bool = True, steps: int = 1) -> Incident:
    """An incident as it is left behind."""
    sheets = Incidents(ledger, point, clock)
    lost = clock.now() - timedelta(minutes=5)
    made = sheets.open(IncidentDraft("cctv_lost", "камера R1-1 гудит и гаснет", lost, camera="R1-1"), SPECIALIST)
    for number in range(steps):
        sheets.step(made.number, f"заменён блок питания {number}", SPECIALIST)
    sheet = sheets.get(made.number)
    return replace(sheet, closed_at=clock.now(), conclusion="камера пишет") if closed else sheet


def test_every_case_of_the_field_guide_is_shipped_in_three_languages() -> None:
    shipped = base_shelf().solutions.values()
    covered = {one.content.category for one in shipped}
    assert covered == {
        "cctv_lost", "mains_failure", "stream_lost", "key_missing", "unit_failure", "computer_station_hangs",
        "wrong_clock", "wrong_view", "memory_card", "virus_or_update", "fire_evacuation",
    }  # fmt: skip
    assert covered <= set(load_categories().by_code)
    for one in shipped:
        assert set(one.content.texts) == set(LANGUAGES)
        assert one.content.cleaned().as_dict() == one.content.as_dict()
        assert len({len(wording.steps) for wording in one.content.texts.values()}) == 1
        assert one.source in ("regulation", "practice")
    assert tomllib.loads(SHIPPED.read_text("utf-8"))["source"]


def test_a_solution_is_written_numbered_and_shown_in_the_readers_language(book: Solutions) -> None:
    first = book.add(HUM, SPECIALIST)
    second = book.add(Content("other", {"lv": Wording("Kamera dūc", "", ("Nomainīt",))}), HEAD)
    assert (first.id, second.id) == ("77-0001/2026/1", "77-0001/2026/2")
    assert first.content.shown("ru") == ("ru", HUM.texts["ru"])
    assert first.content.shown("lv")[0] == "ru", "another language's text, and it is said which"
    assert second.content.shown("ru")[0] == "lv"


def test_what_is_written_is_cleaned(book: Solutions) -> None:
    typed = {"ru": Wording(" Гаснет\nкамера ", "", ("", " Заменить\x00 ", "")), "en": Wording("", " ", ("",))}
    made = book.add(Content("other", typed), SPECIALIST)
    assert made.content.texts == {"ru": Wording("Гаснет камера", "", ("Заменить",))}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (Content("other", {}), "nothing is written"),
        (Content("other", {"ru": Wording("", "", ("Заменить",))}), "symptom is empty"),
        (Content("other", {"ru": Wording("Гудит", "", (" ",))}), "no steps"),
        (Content("other", {"ru": Wording("Гудит", "", ("шаг",) * (MOST_STEPS + 1))}), "too many steps"),
        (Content("other", {"de": Wording("Brummt", "", ("Tauschen",))}), "not a language"),
        (Content("../etc", HUM.texts), "not a category"),
        (Content("other", {"ru": Wording("Г" * 5000, "", ("Заменить",))}), "at most"),
        (Content("other", {"ru": Wording("\ud800", "", ("Заменить",))}), "broken character"),
    ],
)
def test_what_cannot_be_a_solution_is_refused(content: Content, said: str) -> None:
    with pytest.raises(RefusedEntry, match=said):
        content.cleaned()


def test_a_category_must_be_one_of_the_points(book: Solutions) -> None:
    head = book.ledger.head()
    with pytest.raises(RefusedEntry, match="not a category"):
        book.add(Content("no_such", HUM.texts), SPECIALIST)
    assert book.ledger.head() == head


def test_revisions_and_withdrawal_are_entries_and_all_of_them_can_be_read(book: Solutions) -> None:
    made = book.add(HUM, SPECIALIST)
    better = Content("cctv_lost", {**HUM.texts, "en": Wording("The camera hums", "", ("Change the power supply",))})
    book.revise(made.id, better, "перевод", HEAD)
    gone = book.withdraw(made.id, "камеру сняли", HEAD)
    assert [change.kind for change in gone.history] == ["added", "revised", "withdrawn"]
    assert [change.by.login for change in gone.history] == ["spec", "head", "head"]
    assert gone.history[0].content == HUM
    assert gone.history[1].content == better
    assert (gone.revision, gone.withdrawn, gone.why_withdrawn) == (2, True, "камеру сняли")
    assert gone.id not in book.shelf.findable
    with pytest.raises(RefusedEntry, match="withdrawn"):
        book.revise(made.id, HUM, "обратно", HEAD)
    assert not verify_database(book.ledger.store.path, [book.ledger.public_key]).findings


def test_nothing_is_written_twice(book: Solutions) -> None:
    made = book.add(HUM, SPECIALIST)
    with pytest.raises(RefusedEntry, match=made.id):
        book.add(HUM, HEAD)
    with pytest.raises(RefusedEntry, match="nothing is changed"):
        book.revise(made.id, HUM, "просто так", HEAD)
    with pytest.raises(RefusedEntry, match="no reason"):
        book.withdraw(made.id, "  ", HEAD)


def test_the_shipped_ones_are_read_only_but_can_be_judged(
    book: Solutions, ledger: Ledger, point: Point, clock: FakeClock
) -> None:
    name = "base/cctv_not_recording"
    with pytest.raises(RefusedEntry, match="not written at this point"):
        book.revise(name, HUM, "лучше", HEAD)
    with pytest.raises(RefusedEntry, match="not written at this point"):
        book.withdraw(name, "не надо", HEAD)
    sheet = sheet_of(ledger, point, clock)
    assert book.judge(name, True, sheet, SPECIALIST).own_tally("cctv_lost") == Tally(1, 0)


def test_who_may_do_what(book: Solutions, ledger: Ledger, point: Point, clock: FakeClock) -> None:
    sheet = sheet_of(ledger, point, clock)
    made = book.add(HUM, SPECIALIST)
    for actor in (MEMBER, CHAIR):
        with pytest.raises(AccessDenied):
            book.add(HUM, actor)
        with pytest.raises(AccessDenied):
            book.revise(made.id, HUM, "why", actor)
        with pytest.raises(AccessDenied):
            book.withdraw(made.id, "why", actor)
    with pytest.raises(AccessDenied):
        book.judge(made.id, True, sheet, CHAIR)
    with pytest.raises(AccessDenied):
        book.add(HUM, "agent")
    assert book.judge(made.id, True, sheet, MEMBER).own_tally() == Tally(1, 0)


def test_a_sheet_says_once_whether_it_helped_and_may_change_its_mind(
    book: Solutions, ledger: Ledger, point: Point, clock: FakeClock
) -> None:
    made = book.add(HUM, SPECIALIST)
    first, second = sheet_of(ledger, point, clock), sheet_of(ledger, point, clock)
    book.judge(made.id, True, first, SPECIALIST)
    head = ledger.head()
    book.judge(made.id, True, first, HEAD)
    assert ledger.head() == head, "the same word again is nothing new"
    book.judge(made.id, True, second, SPECIALIST)
    assert book.get(made.id).own_tally() == Tally(2, 0)
    book.judge(made.id, False, second, SPECIALIST)
    assert book.get(made.id).own_tally() == Tally(1, 1)
    assert book.get(made.id).own_tally("mains_failure") == Tally(0, 0)


def test_a_closed_sheet_becomes_a_solution_once(
    book: Solutions, ledger: Ledger, point: Point, clock: FakeClock
) -> None:
    sheet = sheet_of(ledger, point, clock, steps=2)
    draft = book.draft_of(sheet, "en")
    assert draft.category == "cctv_lost"
    assert draft.texts == {
        "ru": Wording("камера R1-1 гудит и гаснет", "", ("заменён блок питания 0", "заменён блок питания 1"))
    }
    made = book.add(draft, SPECIALIST, sheet=sheet)
    assert made.incident == sheet.ref
    assert book.made_of(sheet) == made.id
    with pytest.raises(RefusedEntry, match=made.id):
        book.add(HUM, SPECIALIST, sheet=sheet)
    book.withdraw(made.id, "ошибка", SPECIALIST)
    assert book.made_of(sheet) is None
    again = book.add(HUM, SPECIALIST, sheet=sheet)
    assert book.made_of(sheet) == again.id


def test_a_sheet_without_measures_gives_its_conclusion(
    book: Solutions, ledger: Ledger, point: Point, clock: FakeClock
) -> None:
    draft = book.draft_of(sheet_of(ledger, point, clock, steps=0), "ru")
    assert draft.texts["ru"].steps == ("камера пишет",)


def test_an_open_sheet_cannot_be_one(book: Solutions, ledger: Ledger, point: Point, clock: FakeClock) -> None:
    sheet = sheet_of(ledger, point, clock, closed=False)
    with pytest.raises(RefusedEntry, match="still open"):
        book.add(HUM, SPECIALIST, sheet=sheet)


def test_the_same_view_is_folded_anew_and_carried_on(book: Solutions, point: Point, clock: FakeClock) -> None:
    made = book.add(HUM, SPECIALIST)
    carried = book.shelf
    book.ledger.store.folds.clear()
    assert Solutions(book.ledger, point, clock).shelf == carried
    assert carried.solutions[made.id].content == HUM
