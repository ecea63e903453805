"""Lists of equipment taken in: all or nothing, every bad row named, and whatever file somebody chooses."""

from __future__ import annotations

import io
import random
import zipfile

import pytest
import xlsxwriter

from exam_kit.clock import FakeClock
from exam_kit.errors import AccessDenied, ExamKitError, RefusedEntry, UsageError
from exam_kit.forms.equipment_list import equipment_csv, equipment_xlsx, template_xlsx
from exam_kit.i18n import LANGUAGES
from exam_kit.journal.equipment import Equipment
from exam_kit.journal.equipment_import import plan_import, take_import
from exam_kit.journal.equipment_item import FIELDS, ItemDraft, ItemState
from exam_kit.journal.equipment_table import TableRow, read_table
from exam_kit.journal.person import Person
from exam_kit.point import Point
from exam_kit.store import Account, Ledger, Role

SPECIALIST = Account("spec", "Специалист Т. Т.", Role.SPECIALIST, "технический специалист", "ru")
MEMBER = Account("gek", "Член К. К.", Role.COMMISSION_MEMBER, "член ГЭК", "ru")

HEAD = "Инвентарный №;Серийный №;Вид;Модель;Место;Лицензия;Состояние;Станция или камера;Примечание"
GOOD = f"""{HEAD}
101-001;SN1;принтер;LaserJet;0001;;в работе;;
101-002;SN2;printer;LaserJet;7777;;spare;;"в шкафу; слева"
101-003;;Videokamera;;0001;;в работе;R1-1;
"""


@pytest.fixture
def book(ledger: Ledger, point: Point, clock: FakeClock) -> Equipment:
    return Equipment(ledger, point, clock)


def workbook(rows: list[list[object]]) -> bytes:
    target = io.BytesIO()
    book = xlsxwriter.Workbook(target, {"in_memory": True})
    sheet = book.add_worksheet()
    for number, row in enumerate(rows):
        sheet.write_row(number, 0, row)
    book.close()
    return target.getvalue()


def test_a_list_is_taken_in_and_the_second_time_changes_nothing(book: Equipment, ledger: Ledger) -> None:
    plan = take_import(book, "список.csv", GOOD.encode(), SPECIALIST)
    assert (len(plan.new), len(plan.changed), plan.unchanged, plan.mistakes) == (3, 0, 0, ())
    item = book.get("101-002")
    assert (item.kind, item.room, item.state, item.remark) == ("printer", "7777", ItemState.SPARE, "в шкафу; слева")
    assert item.history[0].data["import"]["row"] == 3
    entries = ledger.head().seq
    again = take_import(book, "список.csv", GOOD.encode(), SPECIALIST)
    assert (again.new, again.changed, again.unchanged) == ((), (), 3)
    assert ledger.head().seq == entries


def test_a_later_list_changes_only_what_it_says(book: Equipment) -> None:
    take_import(book, "a.csv", GOOD.encode(), SPECIALIST)
    later = "inventory,kind,room\n101 - 001,,2\n101-004,UPS,7777\n"
    plan = take_import(book, "b.csv", later.encode(), SPECIALIST)
    assert [(row.number, dict(row.fields)) for row in plan.changed] == [(2, {"room": "0002"})], "0001 is no 1 in Excel"
    item = book.get("101-001")
    assert (item.inventory, item.kind, item.serial, item.room) == ("101-001", "printer", "SN1", "0002")
    assert book.get("101-004").state is ItemState.IN_USE


def test_every_bad_row_is_named_and_nothing_is_taken(book: Equipment, ledger: Ledger) -> None:
    bad = f"""{HEAD}
101-001;SN1;принтер;;0001;;в работе;;
;SN2;принтер;;0001;;в работе;;
101-003;;звездолёт;;0099;;в работе;;
101-001;;сканер;;0001;;в работе;;
101-005;;принтер;;0001;;потерян;;
101-006;;камера;;0001;;в работе;R1-1;
101-007;;видеокамера;;0001;;в работе;R1-1;
101-008;;видеокамера;;0001;;в работе;R1-1;
"""
    before = ledger.head()
    with pytest.raises(RefusedEntry) as refused:
        take_import(book, "a.csv", bad.encode(), SPECIALIST)
    said = [str(one) for one in refused.value.details]
    assert [one.partition(":")[0] for one in said] == [
        "Row 3", "Row 4", "Row 4", "Row 5", "Row 6", "Row 7", "Row 9",
    ]  # fmt: skip
    assert "stands in row 2 too" in said[3]
    assert "item 101-007 is in use as this already" in said[6]
    assert ledger.head() == before
    assert book.register().items == {}


def test_what_somebody_has_is_not_moved_by_a_list(book: Equipment) -> None:
    take_import(book, "a.csv", GOOD.encode(), SPECIALIST)
    book.issue(["101-001"], Person("Организатор О. О."), SPECIALIST, condition="цел")
    plan = plan_import(book, "b.csv", b"inventory;kind;room\n101-001;printer;7777\n")
    assert "has it. Write its return first" in str(plan.mistakes[0])


def test_only_keepers_take_in(book: Equipment) -> None:
    with pytest.raises(AccessDenied):
        take_import(book, "a.csv", GOOD.encode(), MEMBER)


@pytest.mark.parametrize("language", list(LANGUAGES))
@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_what_is_exported_can_be_taken_in_again(book: Equipment, point: Point, language: str, kind: str) -> None:
    take_import(book, "a.csv", GOOD.encode(), SPECIALIST)
    book.add(ItemDraft("=1+1", "other", serial="+7", model="@x", room="0002", remark="-"), SPECIALIST)
    book.add(ItemDraft("0007", "laptop", room="0002", state="written_off", remark="'цитата'"), SPECIALIST)
    before = {item.inventory: item.fields() for item in book.register().items.values()}
    items = list(book.register().items.values())
    if kind == "csv":
        content = equipment_csv(items, book.norms, language)
    else:
        content = equipment_xlsx(point, items, book.norms, language)
    plan = plan_import(book, "export", content)
    assert (plan.new, plan.changed, plan.mistakes, plan.unchanged) == ((), (), (), 5)
    assert {item.inventory: item.fields() for item in book.register().items.values()} == before


@pytest.mark.parametrize("language", list(LANGUAGES))
def test_the_template_names_every_column_and_takes_nothing_in(book: Equipment, point: Point, language: str) -> None:
    plan = plan_import(book, "template.xlsx", template_xlsx(point, book.norms, language))
    assert (plan.new, plan.changed, plan.mistakes, plan.skipped) == ((), (), (), ())
    head = read_table("t", template_xlsx(point, book.norms, language))[0]
    assert len(head.cells) == len(FIELDS)


def test_numbers_of_a_workbook_are_texts(book: Equipment) -> None:
    content = workbook(
        [["inventory", "kind", "room", "serial"], [101340.0, "printer", 7777, 1.5], [None, None], ["x", "ИБП"]]
    )
    take_import(book, "a.xlsx", content, SPECIALIST)
    item = book.get("101340")
    assert (item.room, item.serial) == ("7777", "1.5")
    assert book.get("x").kind == "ups"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1251"])
@pytest.mark.parametrize("separator", [";", ",", "\t"])
def test_lists_as_spreadsheets_write_them(encoding: str, separator: str) -> None:
    text = separator.join(("Вид", "Инвентарный №")) + "\r\n" + separator.join(("принтер", '"а б"')) + "\r\n"
    rows = read_table("a.csv", text.encode(encoding))
    assert [row.cells for row in rows] == [("Вид", "Инвентарный №"), ("принтер", "а б")]
    assert [row.number for row in rows] == [1, 2]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\0\1\2",
        b"PK\x03\x04",
        b"PK\x05\x06" + bytes(18),
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(100),
        b"\xff\xfe\x00",
        b'a;b\n"no end',
        b"a;b\n1;2\n",
        b"inventory\n1\n",
        b"inventory;kind;Inventory\n1;printer;2\n",
        ("inventory;kind\n" + "x;printer\n" * 11_000).encode(),
        b";" * 500,
    ],
)
def test_what_is_no_list_is_refused_in_words(book: Equipment, content: bytes) -> None:
    with pytest.raises(UsageError):
        plan_import(book, "файл", content)


def test_a_damaged_workbook_is_refused_in_words(book: Equipment) -> None:
    rows: list[list[object]] = [[f"n-{number}", "printer"] for number in range(50)]
    whole = workbook([["inventory", "kind"], *rows])
    dice = random.Random(6)  # the same every time
    refused = 0
    for _try in range(150):
        damaged = bytearray(whole)
        for _cut in range(dice.randint(1, 20)):
            damaged[dice.randrange(len(damaged))] = dice.randrange(256)
        if dice.random() < 0.3:
            damaged = damaged[: dice.randrange(4, len(damaged))]
        try:
            plan_import(book, "a.xlsx", bytes(damaged))
        except ExamKitError:
            refused += 1
    assert refused > 50
    assert book.register().items == {}


@pytest.mark.parametrize(
    ("part", "before", "after"),
    [
        ("xl/workbook.xml", b'encoding="UTF-8"', b'encoding="UTF-99"'),
        ("xl/styles.xml", b'fontId="0"', b'fontId="99999999999999999999"'),
    ],
)
def test_a_workbook_of_strange_numbers_and_letters_is_read_or_refused_in_words(
    part: str, before: bytes, after: bytes
) -> None:
    changed, sheet = io.BytesIO(), workbook([["inventory"], ["101-001"]])
    with zipfile.ZipFile(io.BytesIO(sheet)) as whole, zipfile.ZipFile(changed, "w") as parts:
        for name in whole.namelist():
            content = whole.read(name)
            assert name != part or before in content
            parts.writestr(name, content.replace(before, after) if name == part else content)
    try:
        assert [row.cells[0] for row in read_table("x.xlsx", changed.getvalue())] == ["inventory", "101-001"]
    except UsageError as refusal:
        assert "cannot be read as a list" in str(refusal)


def test_garbage_is_refused_or_every_row_of_it_named(book: Equipment) -> None:
    dice = random.Random(7)  # the same every time
    signs = "abc;,\"'\n\r\t=+-@№Ж\u200b\u202e\x07 0"
    for _try in range(150):
        rows = "".join(dice.choice(signs) for _sign in range(dice.randint(0, 80)))
        try:
            plan = plan_import(book, "a.csv", f"inventory;kind;room\n{rows}".encode())
        except ExamKitError:
            continue
        assert plan.new == plan.changed == ()


def test_a_file_is_read_before_the_others_are_made_to_wait(
    book: Equipment, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    waiting = []

    def read(name: str, content: bytes) -> list[TableRow]:
        waiting.append(ledger.store.connection.in_transaction)
        return read_table(name, content)

    monkeypatch.setattr("exam_kit.journal.equipment_import.read_table", read)
    assert len(take_import(book, "a.csv", GOOD.encode(), SPECIALIST).new) == 3
    assert waiting == [False]
