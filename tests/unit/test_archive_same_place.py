"""Two copies of one order in one place are refused before anything is begun, whatever the place is called."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from exam_kit.agent import orders
from exam_kit.archive.destinations import refuse_same
from exam_kit.cli import main
from exam_kit.clock import FakeClock
from exam_kit.errors import UsageError
from exam_kit.home import Home
from exam_kit.point import Point, read_point
from exam_kit.store import Ledger, Store, open_store
from tests.archive_day import archive, record
from tests.conftest import POINT_TOML

STORES = "".join(
    f'\n[[store]]\nname = "{name}"\nendpoint = "{endpoint}"\nbucket = "copies"\nprefix = "{prefix}"\n'
    for name, endpoint, prefix in (
        ("region", "https://s3.example.ru", "77"),
        ("again", "https://S3.example.ru/", "77/"),
        ("beside", "https://s3.example.ru", "78"),
    )
)


def link(place: Path) -> str:
    (place.parent / "link").symlink_to(place, target_is_directory=True)
    return str(place.parent / "link")


@pytest.mark.parametrize(
    "name",
    [
        str,
        lambda place: f"{place}/",
        lambda place: f"{place}/../{place.name}",
        link,
        lambda _place: "s3://region",
        lambda _place: "s3://again",
    ],
    ids=["the same", "slash", "dots", "link", "store", "store by another name"],
)
def test_one_place_is_not_taken_twice(tmp_path: Path, name: Callable[[Path], str]) -> None:
    place, point = tmp_path / "stick", read_point(POINT_TOML + STORES)
    place.mkdir()
    (tmp_path / "other").mkdir()
    with pytest.raises(UsageError, match="is the same place as"):
        refuse_same([place, "s3://region", tmp_path / "other", name(place)], point)


def test_different_places_are_let_through(tmp_path: Path) -> None:
    for folder in ("a", "b", "b/c"):
        (tmp_path / folder).mkdir()
    places = [tmp_path / "a", tmp_path / "b", tmp_path / "b" / "c", tmp_path / "none", tmp_path / "none2"]
    refuse_same([*places, "s3://region", "s3://beside", "s3://unknown"], read_point(POINT_TOML + STORES))


def test_nothing_is_begun(
    home: Home, store: Store, ledger: Ledger, point: Point, clock: FakeClock, tmp_path: Path
) -> None:
    record(store, ledger, home)
    stick = tmp_path / "stick"
    stick.mkdir()
    with pytest.raises(UsageError, match="is the same place as"):
        archive(store, ledger, home, point, stick, clock, also_to=[Path(link(stick))])
    assert list(stick.iterdir()) == [] and store.query("SELECT 1 FROM archive_job") == []


def test_the_command_line_gives_no_order(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("EXAM_KIT_HOME", str(home.root))
    monkeypatch.setenv("EXAM_KIT_LANGUAGE", "en")
    home.point_file.write_text(POINT_TOML + STORES, encoding="utf-8")
    stick = tmp_path / "stick"
    stick.mkdir()
    for twice in ([str(stick), f"{stick}/"], ["s3://region", "s3://region/"]):
        words = [word for place in twice for word in ("--to", place)]
        assert main(["archive", "--day", "2026-05-28", *words]) == 2
        said = capsys.readouterr().err
        assert "is the same place as" in said and said.count("\n") == 1
    assert main(["archive", "--day", "2026-05-28", "--encrypt", "--to", str(stick)]) == 18
    assert "no age recipient of the region" in capsys.readouterr().err
    store = open_store(home)
    assert orders.recent(store) == []
    store.close()
