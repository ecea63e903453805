"""File names that explain themselves."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import PurePosixPath

import pytest

from exam_kit.cctv.names import Label, closed_path, open_path, parse_name

START = datetime(2026, 5, 28, 6, 0, tzinfo=UTC)


def label(timezone: str = "Europe/Moscow") -> Label:
    return Label("77", "0001", "7777", "HQ-1", timezone)


@pytest.mark.parametrize(
    ("timezone", "expected"),
    [
        ("Europe/Moscow", "2026-05-28/HQ-1/77_0001_20260528_7777_HQ-1_090000-091001.mp4"),
        ("Asia/Kamchatka", "2026-05-28/HQ-1/77_0001_20260528_7777_HQ-1_180000-181001.mp4"),
        ("Europe/Kaliningrad", "2026-05-28/HQ-1/77_0001_20260528_7777_HQ-1_080000-081001.mp4"),
    ],
)
def test_names_are_in_the_points_local_time(timezone: str, expected: str) -> None:
    end = START + timedelta(minutes=10, seconds=1, milliseconds=900)
    assert closed_path(label(timezone), START, end) == PurePosixPath(expected)


def test_a_file_being_recorded_says_so_and_a_second_of_the_same_name_is_numbered() -> None:
    assert open_path(label(), START).name == "77_0001_20260528_7777_HQ-1_090000-open.mp4"
    assert open_path(label(), START, 2).name == "77_0001_20260528_7777_HQ-1_090000-open_2.mp4"


@pytest.mark.parametrize("number", [1, 2])
@pytest.mark.parametrize("length_s", [0, 60, 3600 * 20])
def test_a_name_is_read_back(length_s: int, number: int) -> None:
    """Also when the recording went past midnight."""
    end = START + timedelta(seconds=length_s)
    found = parse_name(closed_path(label(), START, end, number).name, "Europe/Moscow")
    assert found is not None
    assert (found.region, found.point, found.place, found.camera) == ("77", "0001", "7777", "HQ-1")
    assert (found.start, found.end) == (START, end)
    opened = parse_name(open_path(label(), START, number).name, "Europe/Moscow")
    assert opened is not None
    assert (opened.start, opened.end) == (START, None)


@pytest.mark.parametrize(
    "name",
    ["holiday.mp4", "77_0001_20261328_7777_HQ-1_090000-091000.mp4", "77_0001_20260528_7777_HQ-1_090000-091000.avi", ""],
)
def test_other_names_are_not_ours(name: str) -> None:
    assert parse_name(name, "Europe/Moscow") is None
