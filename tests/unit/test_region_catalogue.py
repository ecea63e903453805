"""The catalogue of a whole region: right numbers, found by an index; and the report made of them."""

from __future__ import annotations

import datetime as dt
import io
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from bench.region import FIRST, NOW, deliver, register_season
from exam_kit.agent.region_report import report_data
from exam_kit.clock import FakeClock
from exam_kit.errors import StoreError
from exam_kit.forms.region_report import ReportAside, region_report_pdf, region_report_xlsx
from exam_kit.home import Home
from exam_kit.region.catalogue import Catalogue
from exam_kit.region.days import count_states, lacking, point_days
from exam_kit.region.desk import RegionDesk
from exam_kit.region.settings import init_region

POINTS, DAYS, CAMERAS = 300, 2, 3


@pytest.fixture(scope="module")
def season(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[RegionDesk, int]]:
    home = Home.at(tmp_path_factory.mktemp("season") / "region")
    init_region(home, "77", "Москва", "Europe/Moscow", "ru")
    desk = RegionDesk.open(home, FakeClock(NOW))
    register_season(desk, POINTS, DAYS, CAMERAS)
    yield desk, deliver(desk)
    desk.close()


def test_what_lacks_is_counted_and_nothing_else(season: tuple[RegionDesk, int]) -> None:
    desk, lack = season
    rows = point_days(desk.catalogue, NOW)
    assert len(rows) == POINTS * DAYS
    assert sum(row.cameras for row in rows) == POINTS * DAYS * CAMERAS
    found = lacking(desk.catalogue)
    assert len(found) == sum(row.short for row in rows) == lack > 0
    counts = count_states(rows)
    assert counts["delivered"] + counts["late"] + counts["nothing"] == len(rows)
    lacks = sum((end - start).total_seconds() for row in found for start, end in row.spans)
    assert sum(row.missing_s for row in rows) == pytest.approx(lacks)


def test_one_day_and_one_point_are_part_of_the_whole(season: tuple[RegionDesk, int]) -> None:
    desk, _lack = season
    every = lacking(desk.catalogue)
    assert lacking(desk.catalogue, day=FIRST) == [row for row in every if row.day == FIRST]
    point = every[0].point
    assert lacking(desk.catalogue, points=[point]) == [row for row in every if row.point == point]
    assert lacking(desk.catalogue, most=5) == every[:5]
    assert point_days(desk.catalogue, NOW, day=FIRST, points=[point])[0].day == FIRST


def test_what_is_missing_is_found_by_an_index(season: tuple[RegionDesk, int]) -> None:
    plan = season[0].catalogue.query("EXPLAIN QUERY PLAN SELECT * FROM camera_day WHERE short AND day = '2026-05-25'")
    assert "camera_day_short" in str(plan)


def test_before_the_deadline_nothing_is_overdue(season: tuple[RegionDesk, int]) -> None:
    desk, _lack = season
    early = dt.datetime.combine(FIRST, dt.time(20), tzinfo=dt.UTC)
    counts = count_states(point_days(desk.catalogue, early))
    assert counts["late"] == counts["nothing"] == 0 and counts["partly"] > 0


@pytest.mark.parametrize("language", ["ru", "en", "lv"])
def test_the_report_is_set_in_every_language(season: tuple[RegionDesk, int], language: str) -> None:
    desk, _lack = season
    data = report_data(desk, language, FIRST, ["77-0001", "77-0002"])
    assert len(data.days) == 2
    assert region_report_pdf(data).startswith(b"%PDF")


def test_what_somebody_wrote_is_text_in_the_table(season: tuple[RegionDesk, int]) -> None:
    desk, _lack = season
    hostile = ReportAside(NOW, "77-0001", "=cmd|' /C calc'!A0", "=1+1")
    every = replace(report_data(desk, "en"), aside=[hostile])
    with zipfile.ZipFile(io.BytesIO(region_report_xlsx(every))) as book:
        sheets = [name for name in book.namelist() if name.startswith("xl/worksheets/sheet")]
        assert len(sheets) == 3
        first = book.read("xl/worksheets/sheet1.xml").decode()
        assert first.count("<row ") == 1 + POINTS * DAYS
        assert not any("<f>" in book.read(name).decode() for name in sheets)
        assert "=1+1" in book.read("xl/sharedStrings.xml").decode()


def test_a_catalogue_that_cannot_be_read_says_how_to_get_another(tmp_path: Path) -> None:
    path = tmp_path / "catalogue.db"
    path.write_bytes(b"this is no database" * 400)
    with pytest.raises(StoreError, match="region rebuild"):
        Catalogue(path)
