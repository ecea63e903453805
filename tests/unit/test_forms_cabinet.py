"""The cabinet log on paper and as a table."""

from __future__ import annotations

import io

import pytest
from openpyxl import load_workbook
from pypdf import PdfReader

from exam_kit.clock import FakeClock
from exam_kit.forms.cabinet_log import COLUMNS, cabinet_log_pdf, cabinet_log_table
from exam_kit.forms.exports import as_csv
from exam_kit.forms.spreadsheet import as_xlsx
from exam_kit.i18n import LANGUAGES, translate
from exam_kit.journal.cabinet import CabinetAct, CabinetDraft, CabinetLine
from exam_kit.journal.cabinet_log import CabinetLog
from exam_kit.journal.person import Person
from exam_kit.point import Point
from exam_kit.store import Account, Head, Ledger, Role

SPECIALIST = Account("spec", "Специалист Т. Т.", Role.SPECIALIST, "технический специалист", "ru")
HEAD = Account("head", "Руководитель Р. Р.", Role.HEAD_OF_POINT, "руководитель ППЭ", "ru")
AT = Head(124, "0123456789abcdef" * 4)


@pytest.fixture
def lines(ledger: Ledger, point: Point, clock: FakeClock) -> list[CabinetLine]:
    """An opening, a closing with a wrong seal and its correction, an opening at which another seal was found."""
    log = CabinetLog(ledger, point, clock)
    people = (Person("Инициатор И. И.", "=администратор"), (Person("Оператор О. О."), Person("Оператор П. П.")))

    def write(act: str, seal: str, reason: str, *, whole: bool = True) -> CabinetDraft:
        initiator, operators = people
        return CabinetDraft("ПАК-1", CabinetAct(act), clock.now(), reason, True, seal, initiator, operators, whole)

    log.add(write("opened", "0045211", "замена диска"), SPECIALIST)
    log.add(write("closed", "0045212", "#set text(red)"), SPECIALIST)
    log.countersign(1, HEAD)
    log.correct(2, write("closed", "0045213", "работы окончены"), "описка в номере", SPECIALIST)
    log.add(write("opened", "9", "осмотр", whole=False), SPECIALIST)
    return log.lines()


def text_of(pdf: bytes) -> str:
    """Without spaces and hyphens: where a narrow column broke a line does not matter."""
    text = " ".join(page.extract_text() for page in PdfReader(io.BytesIO(pdf)).pages)
    return squeezed(text)


def squeezed(text: str) -> str:
    return "".join(text.replace("-", "").replace("\u00ad", "").replace("\u200b", "").split())


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_published_columns_and_all_that_was_written(
    point: Point, lines: list[CabinetLine], clock: FakeClock, language: str
) -> None:
    text = text_of(cabinet_log_pdf(point, None, lines, language, AT, made_at=clock.now()))
    for title in COLUMNS.values():
        assert squeezed(translate(title, language)) in text
    for said in ("0045211", "0045213", "замена диска", "#set text(red)", "описка в номере", "Оператор П. П."):
        assert squeezed(said) in text
    assert squeezed(translate("Seals put on the cabinets", language)) in text
    assert squeezed(translate("{seal}, DAMAGED, removed", language).format(seal="9")) in text
    assert squeezed(HEAD.name) in text


def test_the_same_input_gives_the_same_bytes(point: Point, lines: list[CabinetLine], clock: FakeClock) -> None:
    made = [cabinet_log_pdf(point, lines[0].date, lines, "ru", AT, made_at=clock.now()) for _ in range(2)]
    assert made[0] == made[1]
    assert b"pdfaid" in made[0]


def test_an_empty_log_is_a_form_too(point: Point, clock: FakeClock) -> None:
    text = text_of(cabinet_log_pdf(point, None, [], "en", AT, made_at=clock.now()))
    assert "Nolines." in text
    assert "Sealsputon" not in text


def test_tables_hold_every_line_and_run_no_formula(point: Point, lines: list[CabinetLine]) -> None:
    table = cabinet_log_table(point, lines, "en")
    assert {len(row) for row in table} == {len(table[0])}
    assert [row[0] for row in table[1:]] == ["1", "2", "3", "4"]
    assert table[4][7] == "9, DAMAGED, removed; the one put on was 0045213"
    csv = as_csv(table).decode("utf-8-sig")
    assert "'=администратор" in csv
    sheet = load_workbook(io.BytesIO(as_xlsx("log", table))).active
    assert sheet is not None
    cells = [cell for row in sheet.iter_rows() for cell in row]
    assert {cell.data_type for cell in cells if cell.value} == {"s"}
    assert sheet.cell(2, 10).value == "=администратор"
