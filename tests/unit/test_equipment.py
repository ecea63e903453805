"""The register of equipment, as its keepers use it: who has what, where it stands, what is wrong with it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from exam_kit.clock import FakeClock
from exam_kit.errors import AccessDenied, PointInvalid, RefusedEntry
from exam_kit.home import Home
from exam_kit.journal.equipment import Equipment
from exam_kit.journal.equipment_item import Item, ItemDraft, ItemState, SheetKind
from exam_kit.journal.equipment_norms import load_norms
from exam_kit.journal.equipment_reserve import defects, reserves
from exam_kit.journal.equipment_takes import StockTakes, take_result
from exam_kit.journal.numbering import RowRef
from exam_kit.journal.person import Person
from exam_kit.point import Point
from exam_kit.store import Account, Ledger, Role

SPECIALIST = Account("spec", "Специалист Т. Т.", Role.SPECIALIST, "технический специалист", "ru")
HEAD = Account("head", "Руководитель Р. Р.", Role.HEAD_OF_POINT, "руководитель ППЭ", "ru")
MEMBER = Account("gek", "Член К. К.", Role.COMMISSION_MEMBER, "член ГЭК", "ru")
CHAIR = Account("chair", "Председатель П. П.", Role.COMMISSION_HEAD, "председатель ГЭК", "ru")
REGION = Account("rcoi", "Администратор А. А.", Role.REGIONAL_ADMIN, "РЦОИ", "ru")
ORGANISER = Person("Организатор О. О.", "организатор")


@pytest.fixture
def book(ledger: Ledger, point: Point, clock: FakeClock) -> Equipment:
    found = Equipment(ledger, point, clock)
    found.add(ItemDraft("101-001", "printer", serial="SN1", model="LaserJet", room="0001"), SPECIALIST)
    found.add(ItemDraft("101-002", "printer", room="7777", state="spare"), SPECIALIST)
    found.add(ItemDraft("101-003", "camera", room="0001", linked="R1-1"), SPECIALIST)
    return found


@pytest.fixture
def takes(book: Equipment) -> StockTakes:
    return StockTakes(book)


def test_an_item_is_found_by_its_number_however_it_is_typed(book: Equipment) -> None:
    item = book.add(ItemDraft(" ИНВ  7 ", "laptop", room="7777"), HEAD)
    assert item.inventory == "ИНВ 7"
    assert book.find("инв 7") == book.find("ИНВ7") == item
    assert book.find("8") is None
    with pytest.raises(RefusedEntry, match="no such inventory"):
        book.get("8")


@pytest.mark.parametrize(
    ("draft", "why"),
    [
        (ItemDraft("", "printer"), "nothing is written"),
        (ItemDraft(" \n", "printer"), "nothing is written"),
        (ItemDraft("101-001", "printer"), "in the register already"),
        (ItemDraft("1 0 1-001", "printer"), "in the register already"),
        (ItemDraft("9", "spaceship"), "no such kind"),
        (ItemDraft("9", "printer", room="0099"), "not a room"),
        (ItemDraft("9", "printer", state="lost"), "not a state"),
        (ItemDraft("9", "printer", linked="NO-1"), "neither a station nor a camera"),
        (ItemDraft("9", "camera", linked="R1-1"), "in use as this already"),
        (ItemDraft("9" * 201, "printer"), "longer than"),
    ],
)
def test_what_cannot_stand_is_refused(book: Equipment, draft: ItemDraft, why: str) -> None:
    before = book.register()
    with pytest.raises(RefusedEntry, match=why):
        book.add(draft, SPECIALIST)
    assert book.register() == before


def test_every_mistake_is_told_at_once(book: Equipment) -> None:
    with pytest.raises(RefusedEntry) as refused:
        book.add(ItemDraft("", "spaceship", room="0099"), SPECIALIST)
    assert len(refused.value.details) == 3


@pytest.mark.parametrize("who", [MEMBER, CHAIR, REGION])
@pytest.mark.parametrize(
    "act",
    [
        lambda book, who: book.add(ItemDraft("9", "printer"), who),
        lambda book, who: book.change("101-001", {"model": "x"}, "why", who),
        lambda book, who: book.set_state("101-001", "faulty", "why", who),
        lambda book, who: book.issue(["101-001"], ORGANISER, who, condition="цел"),
        lambda book, who: book.take_back(["101-001"], who, condition="цел"),
        lambda book, who: book.move(["101-001"], "0002", who, condition="цел"),
        lambda book, who: StockTakes(book).start(who),
        lambda book, who: StockTakes(book).tick("101-001", "0001", who),
        lambda book, who: StockTakes(book).untick("101-001", who),
        lambda book, who: StockTakes(book).end(who),
    ],
)
def test_only_keepers_write(book: Equipment, who: Account, act: Callable[[Equipment, Account], object]) -> None:
    before = book.register()
    with pytest.raises(AccessDenied):
        act(book, who)
    assert book.register() == before


def test_what_is_given_to_one_is_not_given_to_another_before_it_is_back(book: Equipment) -> None:
    sheet = book.issue(["101-001", "101-002"], ORGANISER, SPECIALIST, condition="исправны", room="0002")
    assert (sheet.kind, sheet.number, sheet.signed) == (SheetKind.ISSUE, 1, False)
    assert [line.room for line in sheet.lines] == ["0001", "7777"], "the sheet keeps where they came from"
    assert book.get("101-001").room == "0002"
    for act in (
        lambda: book.issue(["101-001"], Person("Другой Д. Д."), SPECIALIST, condition="исправен"),
        lambda: book.move(["101-002"], "0001", SPECIALIST, condition="исправен"),
        lambda: book.set_state("101-001", "written_off", "сломан", SPECIALIST),
        lambda: book.change("101-001", {"room": "0001"}, "не там", SPECIALIST),
    ):
        with pytest.raises(RefusedEntry, match=r"Организатор О\. О\. has it"):
            act()
    back = book.take_back(["101-002"], SPECIALIST, condition="исправен", room="7777")
    assert (back.number, back.giver, back.receiver, back.signed) == (2, ORGANISER, Person(
        SPECIALIST.name, SPECIALIST.post, "spec"), True)  # fmt: skip
    assert book.get("101-001").holder == ORGANISER
    assert book.get("101-002").holder is None
    again = book.issue(["101-002"], Person("Другой Д. Д."), SPECIALIST, condition="исправен")
    assert again.number == 3
    assert [event.kind for event in book.get("101-002").history] == ["added", "issued", "returned", "issued"]


def test_a_receiver_with_an_account_signs_with_their_own_pin(book: Equipment) -> None:
    for signed in (None, SPECIALIST):
        with pytest.raises(RefusedEntry, match="own PIN"):
            book.issue(["101-001"], MEMBER, SPECIALIST, condition="цел", signed=signed)
    with pytest.raises(RefusedEntry, match="another person's PIN"):
        book.issue(["101-001"], ORGANISER, SPECIALIST, condition="цел", signed=MEMBER)
    with pytest.raises(RefusedEntry, match="cannot give and receive"):
        book.issue(["101-001"], SPECIALIST, SPECIALIST, condition="цел", signed=SPECIALIST)
    sheet = book.issue(["101-001"], MEMBER, SPECIALIST, condition="цел", signed=MEMBER)
    assert sheet.signed
    assert sheet.receiver == Person(MEMBER.name, MEMBER.post, "gek")


def test_a_holder_does_not_take_back_from_themselves(book: Equipment) -> None:
    book.issue(["101-001"], SPECIALIST, HEAD, condition="цел", signed=SPECIALIST)
    with pytest.raises(RefusedEntry, match="cannot give and receive"):
        book.take_back(["101-001"], SPECIALIST, condition="цел")
    assert book.take_back(["101-001"], HEAD, condition="цел").giver.login == "spec"


def test_a_return_is_of_one_person_and_of_what_was_given(book: Equipment) -> None:
    book.issue(["101-001"], ORGANISER, SPECIALIST, condition="цел")
    book.issue(["101-002"], Person("Другой Д. Д."), SPECIALIST, condition="цел")
    with pytest.raises(RefusedEntry, match="a sheet for each"):
        book.take_back(["101-001", "101-002"], SPECIALIST, condition="цел")
    with pytest.raises(RefusedEntry, match="not given to anybody"):
        book.take_back(["101-003"], SPECIALIST, condition="цел")


def test_sheets_name_every_unknown_number_and_need_a_condition(book: Equipment) -> None:
    with pytest.raises(RefusedEntry) as refused:
        book.issue(["101-001", "404", "405"], ORGANISER, SPECIALIST, condition="цел")
    assert [str(one).partition(":")[0] for one in refused.value.details] == ["404", "405"]
    with pytest.raises(RefusedEntry, match="condition"):
        book.issue(["101-001"], ORGANISER, SPECIALIST, condition=" ")
    with pytest.raises(RefusedEntry, match="no item is named"):
        book.issue([], ORGANISER, SPECIALIST, condition="цел")
    with pytest.raises(RefusedEntry, match="stands in 0001 already"):
        book.move(["101-001"], "0001", SPECIALIST, condition="цел")
    assert book.register().sheets == {}


def test_sheets_are_numbered_without_a_hole_and_anew_each_year(book: Equipment, clock: FakeClock) -> None:
    first = book.move(["101-001"], "0002", SPECIALIST, condition="цел")
    second = book.issue(["101-001"], ORGANISER, SPECIALIST, condition="цел")
    clock.advance(365 * 86400)
    third = book.take_back(["101-001"], SPECIALIST, condition="цел")
    assert [sheet.ref for sheet in (first, second, third)] == [RowRef(2026, 1), RowRef(2026, 2), RowRef(2027, 1)]
    assert book.sheet(1, 2026) == first
    with pytest.raises(RefusedEntry, match="no such sheet in 2027"):
        book.sheet(2)


def test_a_fault_says_what_is_wrong_and_goes_on_through_the_repair(book: Equipment) -> None:
    with pytest.raises(RefusedEntry, match="nothing says why"):
        book.set_state("101-001", "faulty", " ", SPECIALIST)
    book.set_state("101-001", "faulty", "мнёт бумагу", SPECIALIST, todo="заменить ролик", incident=RowRef(2026, 4))
    item = book.set_state("101-001", "in_repair", "", SPECIALIST)
    assert (item.state, item.fault, item.todo) == (ItemState.IN_REPAIR, "мнёт бумагу", "заменить ролик")
    assert item.incident == RowRef(2026, 4)
    assert defects(book.register()) == [item]
    mended = book.set_state("101-001", "in_use", "", SPECIALIST)
    assert (mended.fault, mended.todo, mended.incident) == ("", "", None)
    assert defects(book.register()) == []


def test_what_comes_back_faulty_is_on_the_list_at_once(book: Equipment) -> None:
    book.issue(["101-001"], ORGANISER, SPECIALIST, condition="исправен")
    with pytest.raises(RefusedEntry, match="nothing says why"):
        book.take_back(["101-001"], SPECIALIST, condition="разбит", state="faulty")
    book.take_back(["101-001"], SPECIALIST, condition="разбит", state="faulty", fault="не включается", todo="в ремонт")
    (item,) = defects(book.register())
    assert (item.inventory, item.fault, item.todo, item.holder) == ("101-001", "не включается", "в ремонт", None)


def test_a_camera_is_replaced_by_another(book: Equipment) -> None:
    spare = book.add(ItemDraft("101-004", "camera", room="7777", state="spare", linked="R1-1"), SPECIALIST)
    with pytest.raises(RefusedEntry, match="in use as this already"):
        book.set_state("101-004", "in_use", "замена", SPECIALIST)
    book.set_state("101-003", "faulty", "чёрный кадр", SPECIALIST)
    assert book.set_state("101-004", "in_use", "замена", SPECIALIST).id == spare.id


def test_a_wrong_number_is_put_right_and_the_history_stays(book: Equipment) -> None:
    before = book.get("101-001")
    item = book.change("101-001", {"inventory": "101-010"}, "опечатка", HEAD)
    assert (item.id, item.inventory) == (before.id, "101-010")
    assert book.find("101-001") is None
    assert book.change("101-010", {"model": "LaserJet"}, "", HEAD) == item, "no change, no entry, no reason"
    with pytest.raises(RefusedEntry, match="nothing says why"):
        book.change("101-010", {"model": "другая"}, "", HEAD)


def test_writing_off_is_final_but_for_a_reason(book: Equipment) -> None:
    book.set_state("101-001", "written_off", "акт 5", HEAD)
    with pytest.raises(RefusedEntry, match="written off"):
        book.issue(["101-001"], ORGANISER, SPECIALIST, condition="цел")
    with pytest.raises(RefusedEntry, match="nothing says why"):
        book.set_state("101-001", "in_use", "", HEAD)
    assert book.set_state("101-001", "in_use", "списан по ошибке", HEAD).state is ItemState.IN_USE


def test_a_room_that_has_gone_from_the_point_holds_nothing_up(book: Equipment, ledger: Ledger, point: Point) -> None:
    smaller = point.model_copy(update={"rooms": tuple(room for room in point.rooms if room.code != "0001")})
    later = Equipment(ledger, smaller)
    assert later.set_state("101-001", "faulty", "сломан", SPECIALIST).room == "0001"
    assert later.change("101-001", {"serial": "SN2"}, "прочитан", SPECIALIST).serial == "SN2"
    assert later.change("101-001", {"room": "7777"}, "аудитории нет", SPECIALIST).room == "7777"


def test_reserves_say_which_kind_has_none(book: Equipment, point: Point) -> None:
    def lacking() -> set[str]:
        return {line.kind.code for line in reserves(book.register(), book.norms, point) if line.lacking}

    assert lacking() == {"print_station", "camera", "token"}
    book.issue(["101-002"], ORGANISER, SPECIALIST, condition="цел")
    assert "printer" in lacking(), "what somebody has is no reserve"
    assert "scan_station" not in lacking(), "not asked for by this profile"
    kege = point.model_copy(update={"profile": "kege"})
    (line,) = [one for one in reserves(book.register(), book.norms, kege) if one.kind.code == "computer_exam_station"]
    assert (line.required, line.lacking) == (2, 2), "one for each exam room"


def test_a_stock_take_is_stopped_gone_on_with_and_ended(
    takes: StockTakes, book: Equipment, ledger: Ledger, point: Point
) -> None:
    book.add(ItemDraft("101-004", "laptop", room="7777"), SPECIALIST)
    book.add(ItemDraft("101-005", "laptop", room="7777"), SPECIALIST)
    book.add(ItemDraft("101-006", "laptop", room="7777", state="written_off"), SPECIALIST)
    book.issue(["101-005"], ORGANISER, SPECIALIST, condition="цел")
    take = takes.start(SPECIALIST)
    with pytest.raises(RefusedEntry, match="№ 1 goes on"):
        takes.start(HEAD)
    takes.tick("101-001", "0001", SPECIALIST)
    takes.tick("101-002", "0001", SPECIALIST)
    entries = ledger.head().seq
    assert takes.tick(" 101-001 ", "0001", HEAD).by.login == "spec"
    assert ledger.head().seq == entries, "seen here already"
    later = StockTakes(Equipment(ledger, point))  # another day, another process
    later.tick("101-006", "7777", HEAD)
    later.tick("чужой-1", "7777", HEAD)
    later.tick("101-004", "0001", HEAD)
    later.untick("101-004", HEAD)
    with pytest.raises(RefusedEntry, match="not ticked off"):
        later.untick("101-004", HEAD)
    ended = later.end(HEAD)

    def numbers(ids: tuple[int, ...]) -> list[str]:
        return [book.register().items[one].inventory for one in ids]

    assert ended.ref == take.ref == RowRef(2026, 1)
    assert ended.result is not None
    assert numbers(ended.result.found) == ["101-001"]
    assert [(book.register().items[one].inventory, room) for one, room in ended.result.elsewhere] == [
        ("101-002", "0001")
    ]
    assert numbers(ended.result.missing) == ["101-003", "101-004"]
    assert numbers(ended.result.away) == ["101-005"]
    assert ended.result.unexpected == ("101-006", "чужой-1")
    book.move(["101-002"], "0001", SPECIALIST, condition="цел")
    assert take_result(book.register(), later.get(1)) == ended.result, "it stays what it was"
    assert later.register_of(ended).find("101-002") != book.find("101-002"), "a print of it names the place of then"
    assert later.start(SPECIALIST, ["0001"]).number == 2


def test_a_stock_take_of_one_room_expects_what_stands_there(takes: StockTakes, book: Equipment) -> None:
    take = takes.start(SPECIALIST, ["0001"])
    takes.tick("101-001", "0001", SPECIALIST)
    takes.tick("101-002", "0001", SPECIALIST)
    result = takes.end(SPECIALIST).result
    assert result is not None
    assert [book.register().items[one].inventory for one in result.missing] == ["101-003"]
    assert [room for _item, room in result.elsewhere] == ["0001"]
    assert take.rooms == ("0001",)


@pytest.mark.parametrize(("typed", "room"), [("", "0001"), (" ", "0001"), ("1" * 300, "0001"), ("101-001", "0099")])
def test_a_tick_needs_a_number_and_a_room(takes: StockTakes, typed: str, room: str) -> None:
    takes.start(SPECIALIST)
    with pytest.raises(RefusedEntry):
        takes.tick(typed, room, SPECIALIST)


def test_a_points_own_norms_win_and_every_mistake_is_listed(tmp_path: Path) -> None:
    home = Home.at(tmp_path)
    home.profiles.mkdir(parents=True)
    own = home.profiles / "equipment.toml"
    shipped = load_norms()
    text = (Path(__file__).parents[2] / "exam_kit" / "journal" / "equipment.toml").read_text(encoding="utf-8")
    own.write_text(text.replace("margin = 1.2", "margin = 1.5"), encoding="utf-8")
    assert (shipped.margin, load_norms(home).margin) == (1.2, 1.5)
    own.write_text(
        text.replace("margin = 1.2", "margin = 0.5").replace("minimum = 5", "minimum = -5"), encoding="utf-8"
    )
    with pytest.raises(PointInvalid) as refused:
        load_norms(home)
    assert len(refused.value.details) == 3
    own.write_text(text.replace('code = "scanner"', 'code = "printer"'), encoding="utf-8")
    with pytest.raises(PointInvalid) as refused:
        load_norms(home)
    assert "printer stands more than once" in str(refused.value.details[0])
    own.write_text("margin = ", encoding="utf-8")
    with pytest.raises(PointInvalid, match="not valid TOML"):
        load_norms(home)


def test_what_nothing_was_added_to_is_not_read_again(book: Equipment, ledger: Ledger) -> None:
    with ledger.store.transaction():
        made: list[Item] = [book.add(ItemDraft(f"K-{number}", "other"), SPECIALIST) for number in range(30)]
    assert book.register() is book.register()
    assert [item.inventory for item in made] == [item.inventory for item in list(book.register().items.values())[3:]]
