"""`point.toml`: what is accepted, and every mistake in one listing."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from exam_kit.errors import NotSetUp, PointInvalid
from exam_kit.home import Home
from exam_kit.point import (
    Point,
    Secrets,
    Zone,
    camera_windows,
    check_due,
    exam_start,
    load_point,
    read_point,
    zone_windows,
)
from tests.conftest import POINT_TOML

AGE = "age1xd589q2w0tzax9ywew23yjdxupa9u3wyh32f6jwjuryxnln70ekqy6j4js"


def mistakes(text: str) -> list[str]:
    with pytest.raises(PointInvalid) as caught:
        read_point(text)
    return [str(detail).strip() for detail in caught.value.details]


def test_windows_are_utc_and_per_zone(point: Point) -> None:
    day = point.days[0]
    assert exam_start(point, day) == datetime(2026, 5, 28, 7, 0, tzinfo=UTC)
    windows = zone_windows(point, day)
    assert windows[Zone.HEADQUARTERS].start == datetime(2026, 5, 28, 4, 15, tzinfo=UTC)  # 07:15 in Moscow
    assert windows[Zone.ROOM].start == datetime(2026, 5, 28, 6, 0, tzinfo=UTC)
    assert windows[Zone.ROOM].end == datetime(2026, 5, 28, 11, 5, tzinfo=UTC)
    assert check_due(point, day)[0] == datetime(2026, 5, 28, 5, 0, tzinfo=UTC)
    assert [window.zone for window in camera_windows(point, point.camera("ENTR-1"))] == [Zone.ENTRANCE]


def test_the_regions_public_keys_may_be_left_out(point: Point) -> None:
    assert (point.region_centre.key, point.region_centre.age) == (None, None)
    known = read_point(POINT_TOML + f'[region_centre]\nkey = "keys/region.pub"\nage = "{AGE}"\n').region_centre
    assert (known.key, known.age) == ("keys/region.pub", AGE)


def test_a_days_own_window_wins() -> None:
    text = POINT_TOML + "[days.recording.room]\nlead_min = 5\ntail_min = 0\n"
    point = read_point(text)
    assert zone_windows(point, point.days[0])[Zone.ROOM].start == datetime(2026, 5, 28, 6, 55, tzinfo=UTC)


def test_a_start_in_the_hour_that_daylight_saving_skips_is_still_one_moment() -> None:
    text = POINT_TOML.replace("Europe/Moscow", "Europe/Riga").replace("2026-05-28", "2026-03-29")
    point = read_point(text.replace("10:00:00", "03:30:00"))
    assert exam_start(point, point.days[0]) == datetime(2026, 3, 29, 1, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('region = "77"', 'region = "7x"', "line 2: region: does not have the form"),
        ('code = "0001"\nname = "Школа', 'coda = "0001"\nname = "Школа', "code: this key is missing; add it"),
        ('timezone = "Europe/Moscow"', 'timezone = "Moscow"', "timezone: no such time zone; give an IANA name"),
        ('zone = "entrance"', 'zone = "door"', "rooms[5] (ENTR).zone: must be one of"),
        ("rtsp://127.0.0.1:9/hq", "rtsp://u:geheim@127.0.0.1/hq", "a password may not stand in the address"),
        ("rtsp://127.0.0.1:9/r1", "gopher://127.0.0.1/r1", "an address begins with rtsp://"),
        ("rtsp://127.0.0.1:9/r1", "rtsp://127.0.0.1:99999/r1", "the port in the address is no number"),
        ("rtsp://127.0.0.1:9/r1", "rtsp://127.0.0.1:rtsp/r1", "the port in the address is no number"),
        ("start = 10:00:00", "start = 10:00:00\nstop = 1", "stop: no such key; remove it"),
        ('room = "COR1"', 'room = "COR9"', "cameras: COR1-1: room 'COR9' is not among the rooms"),
        ('id = "R1-1"', 'id = "hq-1"', "stands more than once"),
        ("[recording.entrance]\nlead_min = 120\ntail_min = 30", "", "add [recording.entrance]"),
        ("duration_min = 235", "duration_min = -1", "duration_min"),
        (
            "[recording.room]",
            f'[region_centre]\nage = "{AGE[:-1]}q"\n[recording.room]',
            "is not the public key of an age",
        ),
        ("[recording.room]", '[region_centre]\nkey = ""\n[recording.room]', "region_centre.key: must not be empty"),
        ("[recording.room]", "[region_centre]\nname = 1\n[recording.room]", "region_centre.name: no such key"),
    ],
)
def test_each_mistake_is_named_with_its_way_out(old: str, new: str, said: str) -> None:
    text = POINT_TOML.replace(old, new, 1)
    assert text != POINT_TOML
    found = mistakes(text)
    assert any(said in line for line in found), found
    assert not any("geheim" in line for line in found)


def test_all_mistakes_stand_in_one_listing() -> None:
    text = POINT_TOML.replace('region = "77"', 'region = "777"').replace("duration_min = 235", "duration_min = 0")
    text = text.replace('zone = "entrance"', 'zone = "door"')
    assert len(mistakes(text)) >= 3


@pytest.mark.parametrize("text", ["region = 77\nregion = 78", "[[rooms", "\x00", "x = "])
def test_what_is_not_toml_is_one_message(text: str) -> None:
    with pytest.raises(PointInvalid, match="not valid TOML"):
        read_point(text)


def test_no_point_says_how_to_get_one(tmp_path: Path) -> None:
    with pytest.raises(NotSetUp, match="exam-kit demo"):
        load_point(tmp_path / "point.toml")


def test_a_byte_order_mark_of_a_windows_editor_is_accepted(tmp_path: Path) -> None:
    path = tmp_path / "point.toml"
    path.write_text(POINT_TOML, encoding="utf-8-sig")
    assert load_point(path).day(date(2026, 5, 28)) is not None


def test_passwords_are_kept_in_a_file_only_the_owner_can_read(home: Home) -> None:
    secrets = Secrets(home, file_only=True)
    secrets.set("camera:HQ-1", "geheim")
    secrets.set("camera:R1-1", "пароль")
    assert Secrets(home, file_only=True).values(["camera:HQ-1", "camera:R1-1", "camera:none"]) == ["geheim", "пароль"]
    assert home.secrets.stat().st_mode & 0o077 == 0
    assert "geheim" not in repr(secrets)


@pytest.mark.parametrize("code", ["COM1", "con", "LPT9", "Aux"])
def test_a_name_that_windows_keeps_for_a_device_is_a_mistake(code: str) -> None:
    text = POINT_TOML.replace('"R1-1"', f'"{code}"')
    with pytest.raises(PointInvalid) as found:
        read_point(text)
    assert "Windows keeps this name for a device" in found.value.text("en")
    assert read_point(POINT_TOML.replace('"R1-1"', '"COM1-1"')).camera("COM1-1")
