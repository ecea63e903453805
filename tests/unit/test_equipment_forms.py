"""Equipment on paper: what stands in the forms, in three languages; the demo's list; sheets in the bag."""

from __future__ import annotations

import io
from collections.abc import Callable

import pytest
from pypdf import PdfReader

from exam_kit.agent.demo_equipment import CANDIDATES, ITEMS, make_equipment
from exam_kit.clock import FakeClock
from exam_kit.forms.equipment_handover import COLUMNS, TITLES, handover_sheet_pdf
from exam_kit.forms.equipment_state import DEFECT_COLUMNS, STOCK_COLUMNS, consumables_pdf, defects_pdf
from exam_kit.forms.equipment_stocktake import stocktake_pdf
from exam_kit.home import Home
from exam_kit.i18n import LANGUAGES, translate
from exam_kit.journal.consumable import Consumables
from exam_kit.journal.equipment import Equipment
from exam_kit.journal.equipment_item import ItemDraft, SheetKind
from exam_kit.journal.equipment_reserve import defects, reserves
from exam_kit.journal.equipment_takes import StockTakes
from exam_kit.journal.numbering import RowRef
from exam_kit.journal.person import Person
from exam_kit.point import Point
from exam_kit.store import Account, Head, Ledger, Role

SPECIALIST = Account("spec", "Специалист Т. Т.", Role.SPECIALIST, "технический специалист", "ru")
HEAD = Account("head", "Руководитель Р. Р.", Role.HEAD_OF_POINT, "руководитель ППЭ", "ru")
AT = Head(124, "0123456789abcdef" * 4)


@pytest.fixture
def book(ledger: Ledger, point: Point, clock: FakeClock) -> Equipment:
    found = Equipment(ledger, point, clock)
    found.add(ItemDraft("101-001", "printer", "SN1", "#strong[Лазер]", "0001"), SPECIALIST)
    found.add(ItemDraft("101-002", "camera", "SN2", room="7777"), SPECIALIST)
    return found


def squeezed(pdf: bytes) -> str:
    """All pages' text without spaces and hyphens: where a narrow column broke a line does not matter."""
    text = " ".join(page.extract_text() for page in PdfReader(io.BytesIO(pdf)).pages)
    return "".join(text.replace("-", "").replace("\u00ad", "").replace("\u200b", "").split())


def has(pdf: bytes, *texts: str) -> None:
    found = squeezed(pdf)
    for text in texts:
        assert "".join(text.replace("-", "").split()) in found, text


@pytest.mark.parametrize("language", list(LANGUAGES))
@pytest.mark.parametrize("kind", list(SheetKind))
def test_a_sheet_keeps_what_it_said(
    book: Equipment, point: Point, clock: FakeClock, language: str, kind: SheetKind
) -> None:
    sheet = book.issue(["101-001"], HEAD, SPECIALIST, condition="исправен", room="0002", signed=HEAD)
    if kind is SheetKind.RETURN:
        sheet = book.take_back(["101-001"], SPECIALIST, condition="потёрт корпус", room="0001")
    if kind is SheetKind.MOVE:
        sheet = book.move(["101-002"], "0001", SPECIALIST, condition="исправна", to=Person("Организатор О. О."))

    def paper() -> bytes:
        return handover_sheet_pdf(point, sheet, book.norms, language, AT, made_at=clock.now())

    before = paper()
    has(before, translate(TITLES[kind], language).format(number=sheet.number), sheet.condition, AT.hash)
    has(before, *(translate(head, language) for head, _width, _centred in COLUMNS))
    has(before, sheet.lines[0].inventory, sheet.lines[0].serial, book.norms.kind_label(sheet.lines[0].kind, language))
    if kind is not SheetKind.MOVE:
        has(before, "#strong[Лазер]", SPECIALIST.name, HEAD.name, str(sheet.seq))
    book.change("101-001", {"model": "другая", "inventory": "9-9"}, "опечатка", SPECIALIST)
    assert paper() == before


@pytest.mark.parametrize("language", list(LANGUAGES))
def test_the_defect_list_says_what_is_wrong_and_what_to_do(
    book: Equipment, point: Point, clock: FakeClock, language: str
) -> None:
    def paper() -> bytes:
        found = defects(book.register())
        return defects_pdf(point, point.days[0], found, book.norms, language, AT, made_at=clock.now())

    has(paper(), translate("No item is faulty or in repair.", language))
    book.set_state("101-001", "faulty", "мнёт бумагу", SPECIALIST, todo="заменить ролик", incident=RowRef(2026, 4))
    has(paper(), "101-001", "мнёт бумагу", "заменить ролик", "4 / 2026", translate("faulty", language))
    has(paper(), *(translate(head, language) for head, _width, _centred in DEFECT_COLUMNS))


@pytest.mark.parametrize("language", list(LANGUAGES))
def test_the_sheet_of_consumables_has_stock_minimum_and_need(
    ledger: Ledger, point: Point, clock: FakeClock, language: str
) -> None:
    stock = Consumables(ledger, point, clock)

    def paper() -> bytes:
        basis = stock.stock().basis
        return consumables_pdf(point, stock.lines(), basis, stock.rooms(), 1.2, language, AT, made_at=clock.now())

    stock.receive("paper", 77, "", SPECIALIST)
    has(paper(), translate("need not known", language), translate("not written", language))
    stock.set_basis(180, SPECIALIST)
    has(paper(), "77", "180", translate("enough", language), stock.norms.consumable[0].label.text(language))
    has(paper(), *(translate(head, language) for head, _width, _centred in STOCK_COLUMNS))


@pytest.mark.parametrize("language", list(LANGUAGES))
def test_a_stock_take_on_paper_groups_what_was_found(
    book: Equipment, point: Point, clock: FakeClock, language: str
) -> None:
    takes = StockTakes(book)
    takes.start(SPECIALIST)
    takes.tick("101-001", "0002", SPECIALIST)
    takes.tick("чужой 1", "0002", SPECIALIST)
    take = takes.end(HEAD)

    def paper() -> bytes:
        register = takes.register_of(take)
        return stocktake_pdf(point, register, take, book.norms, language, AT, made_at=clock.now())

    before = paper()
    say: Callable[[str], str] = lambda text: translate(text, language).format(count=1)  # noqa: E731
    has(before, say("Missing: {count}"), say("In another room than the register says: {count}"), "чужой 1", HEAD.name)
    book.move(["101-001"], "0002", SPECIALIST, condition="исправен")
    assert paper() == before


def test_the_demos_equipment_is_entered_once(home: Home, ledger: Ledger, point: Point) -> None:
    rooms = {room.code for room in point.rooms}
    linked = {station.id for station in point.stations} | {camera.id for camera in point.cameras}
    assert {item.room for item in ITEMS} <= rooms
    with pytest.MonkeyPatch.context() as patch:
        known = tuple(item if item.linked in linked else ItemDraft(**{**item.fields(), "linked": ""}) for item in ITEMS)
        patch.setattr("exam_kit.agent.demo_equipment.ITEMS", known)
        make_equipment(home, point, ledger)
        entries = ledger.head().seq
        make_equipment(home, point, ledger)
    assert ledger.head().seq == entries
    book, stock = Equipment(ledger, point), Consumables(ledger, point)
    lacking = [line.kind.code for line in reserves(book.register(), book.norms, point) if line.lacking]
    assert lacking == ["token"]
    basis = stock.stock().basis
    assert basis is not None
    assert basis.candidates == CANDIDATES
