"""Bags that lie in no folder are fetched: whole or not at all, and no file twice for an interruption's sake."""

from __future__ import annotations

import errno
import io
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

import pytest

from exam_kit.archive.bag_tree import FolderTree
from exam_kit.archive.s3 import StoreFault, StoreTree
from exam_kit.archive.sink import FolderSink
from exam_kit.archive.verify import verify_bag
from exam_kit.errors import m
from exam_kit.point import ObjectStore
from exam_kit.region.desk import RegionDesk
from exam_kit.region.intake import Outcome, take_in
from exam_kit.store.keys import VerifyKey
from tests.region_site import DAYS, Post, as_stick, flip_a_byte, make_point, make_region

DAY = DAYS[0]


class Afar:
    """A bag read through the interface alone; counts what is opened, and gives other bytes or nothing where asked."""

    def __init__(self, folder: Path) -> None:
        self._folder = FolderTree(folder)
        self.name, self.place = folder.name, f"s3://north/{folder.name}"
        self.there, self.files, self.room_bytes = self._folder.there, self._folder.files, self._folder.room_bytes
        self.sha256 = self._folder.sha256
        self.opened: Counter[str] = Counter()
        self.given: Callable[[str, bytes], bytes] = lambda _path, content: content

    def open(self, path: str, most_bytes: int | None = None) -> BinaryIO:
        self.opened[path] += 1
        with self._folder.open(path) as source:
            return io.BytesIO(self.given(path, source.read()))

    @property
    def recordings(self) -> dict[str, int]:
        return {path: count for path, count in self.opened.items() if path.endswith(".mp4")}


@pytest.fixture
def post(tmp_path: Path) -> Iterator[Post]:
    made = make_point(tmp_path / "p1", 1)
    made.record(DAY)
    yield made
    made.store.close()


@pytest.fixture
def desk(tmp_path: Path, post: Post) -> Iterator[RegionDesk]:
    made = make_region(tmp_path / "region", post)
    yield made
    made.close()


@pytest.fixture
def bag(post: Post, tmp_path: Path) -> Path:
    return post.bag(DAY, tmp_path / "stick")


def fetch(desk: RegionDesk, tree: Afar, cancelled: Callable[[], bool] = lambda: False) -> Outcome:
    (outcome,) = take_in(desk, [tree], actor="denis", fetch=True, cancelled=cancelled)
    return outcome


def content(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_fetched_bag_is_the_regions_own(desk: RegionDesk, post: Post, bag: Path) -> None:
    outcome = fetch(desk, Afar(bag))
    assert (outcome.outcome, outcome.reason) == ("taken", None)
    assert outcome.folder is not None and content(outcome.folder) == content(bag)
    assert verify_bag(outcome.folder, key=VerifyKey.load(post.key_file)).whole
    assert outcome.receipt is not None
    assert not list(desk.home.root.rglob("*.part"))
    assert desk.catalogue.query("SELECT place FROM bag") == [{"place": str(outcome.folder)}]


def test_without_being_asked_to_it_stays_there(desk: RegionDesk, bag: Path) -> None:
    (outcome,) = take_in(desk, [Afar(bag)], actor="denis")
    assert outcome.outcome == "taken"
    assert not list(desk.home.root.rglob("*.mp4"))


def test_what_came_is_not_fetched_again(desk: RegionDesk, bag: Path) -> None:
    tree = Afar(bag)
    assert fetch(desk, tree, lambda: len(tree.recordings) >= 4).outcome == "cancelled"
    begun = dict(tree.recordings)
    assert begun and not list(desk.bags.glob("*/*/*_*[!t]"))
    again = Afar(bag)
    assert fetch(desk, again).outcome == "taken"
    assert set(begun.values()) == set(again.recordings.values()) == {1}
    assert len(set(begun) & set(again.recordings)) <= 1, "the one under way, and no other"
    assert set(begun) | set(again.recordings) == {path for path, _size in tree.files() if path.endswith(".mp4")}


def test_a_file_that_came_otherwise_is_fetched_once_more(desk: RegionDesk, bag: Path) -> None:
    tree = Afar(bag)
    victim = next(path for path, _size in tree.files() if path.endswith(".mp4"))
    tree.given = lambda path, said: b"x" * len(said) if (path, tree.opened[path]) == (victim, 1) else said
    outcome = fetch(desk, tree)
    assert outcome.outcome == "taken" and tree.recordings.pop(victim) == 2
    assert outcome.folder is not None and content(outcome.folder) == content(bag)


def test_one_that_keeps_coming_otherwise_is_not_taken_and_not_called_altered(desk: RegionDesk, bag: Path) -> None:
    tree = Afar(bag)
    victim = next(path for path, _size in tree.files() if path.endswith(".mp4"))
    tree.given = lambda path, said: said + b"x" if path == victim else said
    outcome = fetch(desk, tree)
    assert outcome.outcome == "failed" and "twice it did not arrive" in str(outcome.reason)
    assert not list(desk.quarantine.glob("*")) and not list(desk.bags.glob("*/*/*_*[!t]"))
    assert tree.recordings[victim] == 2
    tree.given = lambda _path, said: said
    assert fetch(desk, tree).outcome == "taken"


def test_what_was_changed_on_its_way_only_is_not_set_aside(desk: RegionDesk, bag: Path) -> None:
    tree = Afar(bag)
    tree.given = lambda path, said: b"x" * len(said) if (path, tree.opened[path]) == ("coverage.json", 1) else said
    outcome = fetch(desk, tree)
    assert (outcome.outcome, list(desk.quarantine.glob("*"))) == ("taken", [])


def test_an_altered_one_goes_to_quarantine_and_nothing_of_it_stays(desk: RegionDesk, bag: Path) -> None:
    flip_a_byte(bag)
    outcome = fetch(desk, Afar(bag))
    assert outcome.outcome == "quarantined" and "not as it was sealed" in str(outcome.reason)
    assert not list(desk.home.root.rglob("*.mp4*"))


def test_a_source_that_breaks_off_is_taken_up_again(desk: RegionDesk, bag: Path) -> None:
    tree = Afar(bag)

    def breaking(path: str, said: bytes) -> bytes:
        if len(tree.recordings) > 3 and path.endswith(".mp4"):
            raise OSError(errno.EIO, "the line is cut", path)
        return said

    tree.given = breaking
    outcome = fetch(desk, tree)
    assert outcome.outcome == "failed" and "the line is cut" in str(outcome.reason)
    again = Afar(bag)
    assert fetch(desk, again).outcome == "taken"
    assert len(again.recordings) == 12 - 3


class GoneStore:
    """Lists a bag and then gives none of its files: the line is cut. Counts what is asked for."""

    def __init__(self, folder: Path) -> None:
        self.store = ObjectStore(name="north", endpoint="http://127.0.0.1:1", bucket="bucket")
        self._files = list(FolderTree(folder).files())
        self.asked = 0

    def listing(self, prefix: str) -> Iterator[tuple[str, int, str]]:
        for path, size in self._files:
            yield prefix + path, size, "etag"

    def read(self, _key: str, _size: int, _etag: str) -> Iterator[bytes]:
        self.asked += 1
        raise StoreFault("network", "", m("north: does not answer."))
        yield b""


def test_a_store_that_is_gone_is_not_waited_for_at_every_file(desk: RegionDesk, bag: Path) -> None:
    wire = GoneStore(bag)
    tree = StoreTree(wire, bag.name)  # type: ignore[arg-type]
    report = verify_bag(tree)
    assert not report.whole and wire.asked == 1
    assert tree.fault is not None and tree.fault.kind == "network"
    (outcome,) = take_in(desk, [StoreTree(wire, bag.name)], actor="denis")  # type: ignore[arg-type]
    assert (outcome.outcome, str(outcome.reason), wire.asked) == ("failed", "north: does not answer.", 2)
    assert not list(desk.quarantine.glob("*"))


def test_our_own_disk_that_fails_is_named(desk: RegionDesk, bag: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_arguments: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(FolderSink, "write", full)
    outcome = fetch(desk, Afar(bag))
    assert outcome.outcome == "failed" and "is full" in str(outcome.reason) and str(desk.bags) in str(outcome.reason)
    monkeypatch.undo()
    assert fetch(desk, Afar(bag)).outcome == "taken"


def test_bytes_that_our_disk_gives_back_otherwise_are_not_accepted(
    desk: RegionDesk, bag: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settle = FolderSink.settle
    spoilt: list[str] = []

    def spoiling(sink: FolderSink, path: str) -> None:
        settle(sink, path)
        if path.endswith(".mp4") and not spoilt:
            spoilt.append(path)
            part = sink.part(path)
            part.write_bytes(bytes([part.read_bytes()[0] ^ 1]) + part.read_bytes()[1:])

    monkeypatch.setattr(FolderSink, "settle", spoiling)
    tree = Afar(bag)
    outcome = fetch(desk, tree)
    assert outcome.outcome == "taken" and tree.recordings[spoilt[0]] == 2
    assert outcome.folder is not None and content(outcome.folder) == content(bag)


def test_the_same_recordings_once_more_are_not_fetched(desk: RegionDesk, post: Post, bag: Path, tmp_path: Path) -> None:
    assert fetch(desk, Afar(bag)).outcome == "taken"
    assert fetch(desk, Afar(as_stick(bag, tmp_path / "other"))).outcome == "again"
    assert fetch(desk, Afar(post.bag(DAY, tmp_path / "copy2"))).outcome == "same_content"
    assert len(list(desk.bags.rglob("*.mp4"))) == 12
