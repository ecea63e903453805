"""The register: every mistake of a file at once, nothing registered by halves, a changed key noticed."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from pathlib import Path

import pytest

from exam_kit.errors import ExamKitError, PointInvalid, UsageError
from exam_kit.region.desk import RegionDesk
from exam_kit.region.expected import csv_text, key_text, of_point, read_csv
from exam_kit.region.register import read_file
from exam_kit.region.settings import init_region
from exam_kit.store.keys import SigningKey
from exam_kit.store.rekey import change_keys
from exam_kit.ui.region_register import read_uploads
from tests.region_site import DAYS, make_point, make_region

HEAD = "region;point;name;timezone;day;subject;zone;place;camera;from;to;key"
GOOD = "77;0001;Школа № 1;Europe/Moscow;2026-05-28;Русский язык;corridor;COR1;COR1-1;08:00;15:00;"


def test_the_csv_comes_back_as_it_was_written(tmp_path: Path) -> None:
    key = SigningKey.load_or_create(tmp_path / "keys").public
    post = make_point(tmp_path / "p1", 1)
    listed = of_point(post.point, key)
    text = csv_text([listed])
    (again,) = read_csv(text, "r.csv")
    assert (again.id, again.expected, again.key and again.key.fingerprint) == (
        "77-0001",
        listed.expected,
        key.fingerprint,
    )
    assert csv_text([again]) == text
    assert key_text(key) in text


@pytest.mark.parametrize("mark", [",", "\t"])
def test_other_separators_and_a_bom_are_understood(mark: str) -> None:
    text = "\ufeff" + f"{HEAD}\n{GOOD}\n".replace(";", mark)
    assert [point.id for point in read_csv(text, "r.csv")] == ["77-0001"]


def test_a_window_past_midnight_ends_on_the_next_day() -> None:
    (point,) = read_csv(f"{HEAD}\n{GOOD.replace('08:00;15:00', '22:00;01:30')}\n", "r.csv")
    (row,) = point.expected
    assert (row.end - row.start).total_seconds() == 3.5 * 3600


def test_every_mistake_is_listed_with_its_line() -> None:
    rows = [
        GOOD,
        GOOD,  # line 3: twice
        GOOD.replace("COR1-1", "COR1-2").replace("Школа № 1", "Школа"),  # line 4: another name
        GOOD.replace("corridor", "garden").replace("08:00", "8 o'clock"),  # line 5: two mistakes
        GOOD.replace("Europe/Moscow", "Europe/Nowhere").replace("2026-05-28", "28.5."),  # line 6: two
        GOOD.replace("77;0001", "7;1"),  # line 7: two
        GOOD.replace("COR1-1", "COR1-3") + "bm90IGEga2V5",  # line 8: no key
        "77;0001",  # line 9: too short
    ]
    with pytest.raises(PointInvalid) as caught:
        read_csv("\n".join([HEAD, *rows]), "r.csv")
    told = [str(detail) for detail in caught.value.details]
    assert [line.split(":")[0].strip() for line in told] == [
        *("line 3", "line 4", "line 5", "line 5", "line 6", "line 6", "line 7", "line 7", "line 8", "line 9")
    ]
    assert "mistakes found: 10" in str(caught.value)


@pytest.mark.parametrize("text", ["", HEAD.replace("zone;", ""), HEAD + ";more", "name\n"])
def test_a_wrong_head_says_which_columns_there_are(text: str) -> None:
    with pytest.raises(PointInvalid, match=r"region;point;name;timezone;day|columns"):
        raise_details(text)


def raise_details(text: str) -> None:
    try:
        read_csv(text, "r.csv")
    except PointInvalid as problem:
        raise PointInvalid(problem.details[0]) from problem


def test_days_are_added_and_replaced_and_others_stay(tmp_path: Path) -> None:
    post = make_point(tmp_path / "p1", 1)
    desk = make_region(tmp_path / "region", post)
    text = f"{HEAD}\n{GOOD.replace('2026-05-28', '2026-06-11')}\n"
    desk.register.add(read_csv(text, "r.csv"), actor="denis", source="r.csv")
    point = desk.register.point("77-0001")
    assert sorted(map(str, point.days)) == ["2026-05-28", "2026-06-01", "2026-06-11"]
    assert point.key is not None, "the key stays when a file brings none"


def test_a_changed_key_is_refused_until_it_is_said_to_be_genuine(tmp_path: Path) -> None:
    post = make_point(tmp_path / "p1", 1)
    desk = make_region(tmp_path / "region", post)
    other = SigningKey.load_or_create(tmp_path / "other").public
    listed = of_point(post.point, other)
    before = (desk.register.folder / "77-0001.csv").read_bytes()
    with pytest.raises(PointInvalid) as caught:
        desk.register.add([listed], actor="denis", source="card")
    assert other.fingerprint in str(caught.value.details[0]) and desk.known_key("77-0001") in str(
        caught.value.details[0]
    )
    assert (desk.register.folder / "77-0001.csv").read_bytes() == before
    (change,) = desk.register.add([listed], actor="denis", source="card", replace_keys=True)
    desk.catch_up()
    assert change.key_changed and desk.known_key("77-0001") == other.fingerprint
    *_rest, entry = desk.ledger.entries(["region.registered"])
    assert entry.body["key_changed"] == {"77-0001": change.old_key}


def test_another_region_and_a_key_for_nobody_are_refused(tmp_path: Path) -> None:
    desk = make_region(tmp_path / "region")
    key = SigningKey.load_or_create(tmp_path / "keys").public
    stranger = read_csv(f"{HEAD}\n{GOOD.replace('77;', '78;')}\n", "r.csv")
    with pytest.raises(PointInvalid) as caught:
        desk.register.add(stranger, actor="denis", source="r.csv", keys={"77-0009": key})
    assert len(caught.value.details) == 2
    assert desk.register.stamps() == {}


def test_a_point_is_registered_by_its_folder(tmp_path: Path) -> None:
    post = make_point(tmp_path / "p1", 1)
    (listed,) = read_file(post.home.root)
    assert listed.key is not None and listed.key.pem() == post.key_file.read_bytes()
    assert listed.days == set(DAYS) and len(listed.expected) == 4


def test_what_a_spreadsheet_would_run_is_guarded_and_comes_back(tmp_path: Path) -> None:
    bad = GOOD.replace("Школа № 1", "=HYPERLINK(1)").replace("Русский язык", "@математика").replace("COR1;", "-1 этаж;")
    (point,) = read_csv(f"{HEAD}\n{bad}\n", "r.csv")
    text = csv_text([point])
    assert ";'=HYPERLINK(1);" in text and ";'@математика;" in text and ";'-1 этаж;" in text
    (again,) = read_csv(text, "r.csv")
    assert (again.name, again.expected) == ("=HYPERLINK(1)", point.expected)
    (quoted,) = read_csv(f"{HEAD}\n{GOOD.replace('Школа', chr(39) + 'Школа')}\n", "r.csv")
    assert quoted.name == "'Школа № 1"


def test_a_day_that_could_not_be_read_again_is_not_registered(tmp_path: Path) -> None:
    desk = make_region(tmp_path / "region")
    (point,) = read_csv(f"{HEAD}\n{GOOD}\n", "r.csv")
    strange = replace(point.expected[0], day=dt.date(1998, 5, 28))
    with pytest.raises(PointInvalid) as caught:
        desk.register.add([replace(point, expected=[strange])], actor="a", source="p")
    assert "77-0001: 1998-05-28 is no day of an exam" in caught.value.text("en")
    assert desk.register.stamps() == {}
    desk.close()


def test_the_key_that_is_given_out_follows_a_change_of_the_keys(tmp_path: Path) -> None:
    desk = make_region(tmp_path / "region")
    path = desk.publish_key()
    before = path.read_bytes()
    desk.ledger.append("agent.started", {}, "agent")
    change_keys(desk.ledger, desk.home, "planned", "admin")
    desk.close()
    again = RegionDesk.open(desk.home)
    assert path.read_bytes() == again.key.public.pem() != before
    again.close()


def test_files_given_on_the_page_are_read_with_their_keys(tmp_path: Path) -> None:
    key, other = (SigningKey.load_or_create(tmp_path / name).public.pem() for name in ("a", "b"))
    post = make_point(tmp_path / "p1", 1)
    setup = post.home.point_file.read_bytes()
    points, keys = read_uploads([("point.toml", setup), ("ledger.pub", key)])
    assert [point.id for point in points] == ["77-0001"] == list(keys)
    csv = f"{HEAD}\n{GOOD}\n{GOOD.replace('0001', '0002')}\n".encode()
    points, keys = read_uploads([("Реестр ППЭ.csv", csv), ("77-0002.pub", key), ("ключ 77-0001.pub", other)])
    assert (len(points), sorted(keys)) == (2, ["77-0001", "77-0002"])
    with pytest.raises(UsageError, match="whose key is this"):
        read_uploads([("a.csv", csv), ("ledger.pub", key)])
    with pytest.raises(PointInvalid) as caught:
        read_uploads([("a.csv", csv.replace(b"08:00", b"8 o'clock").replace(b"corridor", b"garden"))])
    assert len(caught.value.details) == 4 and str(caught.value).startswith("a.csv: mistakes found")
    with pytest.raises(ExamKitError) as caught_too:
        read_uploads([("point.toml", b"region = 7")])
    assert str(caught_too.value).startswith("point.toml:")


def test_a_home_is_made_once(tmp_path: Path) -> None:
    desk = make_region(tmp_path / "region")
    with pytest.raises(UsageError, match="is there already"):
        init_region(desk.home, "77", "x", "Europe/Moscow", "ru")
    assert RegionDesk.open(desk.home).region.name == "Москва"
    with pytest.raises(PointInvalid):
        init_region(type(desk.home).at(tmp_path / "bad"), "7", "x", "Mars/Base", "ru")
    assert not (tmp_path / "bad" / "region.toml").exists()
