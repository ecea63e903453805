"""The day's journals as CSV: opened by a spreadsheet, run by none."""

from __future__ import annotations

import csv
import datetime as dt
import io
from pathlib import Path

import pytest

from exam_kit.clock import FakeClock
from exam_kit.errors import AccessDenied
from exam_kit.forms.exports import export_day, guarded
from exam_kit.home import Home
from exam_kit.journal.access_log import AccessDraft, AccessLog
from exam_kit.journal.incidents import IncidentDraft, Incidents
from exam_kit.point import Point
from exam_kit.store import Account, Ledger, Role

SPECIALIST = Account("spec", "=Специалист; Т. Т.", Role.SPECIALIST, '"технический" специалист', "ru")
DAY = dt.date(2026, 5, 28)


@pytest.fixture
def journals(ledger: Ledger, point: Point, clock: FakeClock) -> tuple[AccessLog, Incidents]:
    log, sheets = AccessLog(ledger, point, clock), Incidents(ledger, point, clock)
    log.add(AccessDraft("0001–0002, 7777", "operability_check", clock.now(), clock.now()), SPECIALIST)
    sheets.open(IncidentDraft("other", "+cmd|' /C calc'!A0", clock.now(), room="0001"), SPECIALIST)
    sheets.step(1, "перезапуск", SPECIALIST)
    return log, sheets


def read(path: Path) -> list[list[str]]:
    content = path.read_bytes()
    assert content.startswith(b"\xef\xbb\xbf")
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""), delimiter=";"))


def test_a_day_is_two_files(home: Home, point: Point, journals: tuple[AccessLog, Incidents]) -> None:
    paths = export_day(home, point, DAY, *journals)
    assert [path.name for path in paths] == ["2026-05-28-access-log.csv", "2026-05-28-incidents.csv"]
    titles, row = read(paths[0])
    line = dict(zip(titles, row, strict=True))
    assert line["№"] == "1"
    assert line["Действие"] == "проверка работоспособности"
    assert line["Лицо, выполнявшее действие: ФИО"] == "'=Специалист; Т. Т."
    assert line["Лицо, выполнявшее действие: Должность"] == '"технический" специалист'
    titles, row = read(paths[1])
    sheet = dict(zip(titles, row, strict=True))
    assert sheet["Описание"] == "'+cmd|' /C calc'!A0"
    assert "принята мера: перезапуск" in sheet["Принятые меры по шагам"]


def test_another_language_and_an_empty_day(home: Home, point: Point, journals: tuple[AccessLog, Incidents]) -> None:
    paths = export_day(home, point, dt.date(2026, 5, 29), *journals, language="lv")
    assert [len(read(path)) for path in paths] == [1, 1]
    assert "Darbība" in read(paths[0])[0]


def test_a_file_is_replaced_only_when_it_changes(
    home: Home, point: Point, journals: tuple[AccessLog, Incidents], clock: FakeClock
) -> None:
    log, _ = journals
    path = export_day(home, point, DAY, *journals)[0]
    before = path.stat()
    export_day(home, point, DAY, *journals)
    assert path.stat().st_ino == before.st_ino
    log.withdraw(1, "ошибка", SPECIALIST)
    export_day(home, point, DAY, *journals)
    assert len(read(path)) == 3
    assert not list(home.logs.glob("*.part"))


def test_a_place_that_cannot_be_written_is_named(
    home: Home, point: Point, journals: tuple[AccessLog, Incidents]
) -> None:
    (home.logs / "2026-05-28-access-log.csv").mkdir()
    with pytest.raises(AccessDenied, match=r"2026-05-28-access-log\.csv: the day's journal cannot be written"):
        export_day(home, point, DAY, *journals)


@pytest.mark.parametrize("cell", ["=1+1", "+7 900", "-1", "@SUM(A1)", "\t=1", "\r=1"])
def test_a_formula_is_kept_from_running(cell: str) -> None:
    assert guarded(cell) == f"'{cell}"


@pytest.mark.parametrize("cell", ["", "08:00", "0001–0017", "a=b", " text"])
def test_plain_cells_stay_as_they_are(cell: str) -> None:
    assert guarded(cell) == cell
