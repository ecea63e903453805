"""Bags come to the region: taken whole or not at all, and what is wrong with the others is said."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from exam_kit.archive.bag_tree import FolderTree
from exam_kit.archive.receipt import read_receipt
from exam_kit.archive.verify import verify_bag
from exam_kit.errors import UsageError
from exam_kit.region.days import lacking, point_days
from exam_kit.region.desk import RegionDesk
from exam_kit.region.intake import Outcome, take_in
from exam_kit.region.looked import _content
from exam_kit.region.sources import bags_at, bags_in
from exam_kit.store.keys import VerifyKey
from tests.region_site import AFTER, DAYS, Post, as_stick, flip_a_byte, make_point, make_region, register_points

DAY = DAYS[0]


@pytest.fixture
def post(tmp_path: Path) -> Post:
    made = make_point(tmp_path / "p1", 1)
    made.record(DAY)
    return made


@pytest.fixture
def desk(tmp_path: Path, post: Post) -> RegionDesk:
    return make_region(tmp_path / "region", post)


def take(desk: RegionDesk, place: Path, **choice: bool) -> list[Outcome]:
    return take_in(desk, bags_in(place), actor="denis", in_place=choice.get("in_place", False))


def state(desk: RegionDesk, point: str = "77-0001") -> str:
    return point_days(desk.catalogue, AFTER, day=DAY, points=[point])[0].state


def tree(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_genuine_bag_is_taken_whole_and_gets_its_receipt(desk: RegionDesk, post: Post, tmp_path: Path) -> None:
    bag = post.bag(DAY, tmp_path / "stick")
    before = tree(bag)
    (outcome,) = take(desk, tmp_path / "stick")
    assert (outcome.outcome, outcome.point, outcome.reason) == ("taken", "77-0001", None)
    assert outcome.folder is not None and tree(outcome.folder) == before == tree(bag)
    assert verify_bag(outcome.folder, key=VerifyKey.load(post.key_file)).whole
    assert outcome.receipt is not None
    receipt = read_receipt(outcome.receipt.read_bytes(), desk.key.public)
    assert (receipt.bag_hash, receipt.outcome, receipt.delivered_min, receipt.expected_min) == (
        outcome.bag_hash,
        "taken",
        12.0,
        12.0,
    )
    assert state(desk) == "delivered"
    assert not list(desk.home.root.rglob("*.part"))


def test_the_same_bag_a_second_time_is_recognised(desk: RegionDesk, post: Post, tmp_path: Path) -> None:
    bag = post.bag(DAY, tmp_path / "stick")
    (first,) = take(desk, tmp_path / "stick")
    as_stick(bag, tmp_path / "other")
    (second,) = take(desk, tmp_path / "other")
    assert (second.outcome, second.receipt) == ("again", first.receipt)
    take(desk, tmp_path / "other")
    assert len(list(desk.ledger.entries(["region.again"]))) == 1, "noted once for each carrier"
    assert len(desk.catalogue.query("SELECT * FROM bag")) == 1


def test_copy_2_is_recognised_as_the_same_recordings(desk: RegionDesk, post: Post, tmp_path: Path) -> None:
    post.bag(DAY, tmp_path / "stick")
    take(desk, tmp_path / "stick")
    post.bag(DAY, tmp_path / "second")
    (outcome,) = take(desk, tmp_path / "second")
    assert outcome.outcome == "same_content"
    assert outcome.receipt is not None
    assert read_receipt(outcome.receipt.read_bytes(), desk.key.public).outcome == "same_content"
    assert not list(outcome.folder.rglob("*.mp4")) if outcome.folder else False, "not stored twice"


def test_in_place_nothing_is_copied(desk: RegionDesk, post: Post, tmp_path: Path) -> None:
    bag = post.bag(DAY, tmp_path / "nas")
    (outcome,) = take(desk, tmp_path / "nas", in_place=True)
    assert outcome.outcome == "taken"
    assert not list(desk.home.root.rglob("*.mp4"))
    assert desk.catalogue.query("SELECT place FROM bag") == [{"place": str(bag)}]
    assert state(desk) == "delivered"


def unsigned(bag: Path) -> None:
    (bag / "signature" / "tagmanifest-sha256.sig").unlink()


def shortened(bag: Path) -> None:
    next(iter(sorted(bag.rglob("*.mp4")))).unlink()


def linked(bag: Path) -> None:
    (bag / "data" / "link.mp4").symlink_to("/etc/passwd")


@pytest.mark.parametrize(
    ("damage", "code", "in_place"),
    [
        (flip_a_byte, "altered", False),
        (flip_a_byte, "altered", True),
        (shortened, "altered", False),
        (unsigned, "unsigned", False),
        (linked, "not_a_bag", False),
    ],
)
def test_what_is_not_as_it_was_sealed_goes_to_quarantine(
    desk: RegionDesk, post: Post, tmp_path: Path, damage: object, code: str, in_place: bool
) -> None:
    bag = post.bag(DAY, tmp_path / "stick")
    damage(bag)  # type: ignore[operator]
    before = sorted(path.relative_to(bag) for path in bag.rglob("*"))
    (outcome,) = take(desk, tmp_path / "stick", in_place=in_place)
    assert outcome.outcome == "quarantined" and outcome.reason is not None and outcome.folder is not None
    note = json.loads((outcome.folder / "note.json").read_text(encoding="utf-8"))
    assert (note["reason"], note["text"]) == (code, str(outcome.reason))
    assert (outcome.folder / "bag").exists() is not in_place
    assert not (outcome.folder / "bag" / "data" / "link.mp4").exists(), "a link is never followed"
    assert sorted(path.relative_to(bag) for path in bag.rglob("*")) == before, "the source is not touched"
    assert not list(desk.bags.rglob("*.mp4")) and not list(desk.home.root.rglob("*.part"))
    assert not list(desk.receipts.rglob("*")) if desk.receipts.exists() else True
    (again,) = take(desk, tmp_path / "stick", in_place=in_place)
    assert (again.outcome, again.folder) == ("known_quarantine", outcome.folder)
    if code != "not_a_bag":
        assert state(desk) == "quarantine"


def test_a_good_bag_after_an_altered_one_is_taken(desk: RegionDesk, post: Post, tmp_path: Path) -> None:
    bag = post.bag(DAY, tmp_path / "stick")
    flip_a_byte(as_stick(bag, tmp_path / "bad"))
    assert take(desk, tmp_path / "bad")[0].outcome == "quarantined"
    assert take(desk, tmp_path / "stick")[0].outcome == "taken"
    assert state(desk) == "delivered"


def stranger(folder: Path, identifier: str, copy: str = "1") -> None:
    """What anybody can make: a few text files that look like a bag."""
    (folder / "data").mkdir(parents=True)
    (folder / "bagit.txt").write_text("BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n", encoding="utf-8")
    (folder / "manifest-sha256.txt").write_text("", encoding="utf-8")
    (folder / "tagmanifest-sha256.txt").write_text("", encoding="utf-8")
    (folder / "bag-info.txt").write_text(f"External-Identifier: {identifier}\nCopy-Number: {copy}\n", encoding="utf-8")


@pytest.mark.parametrize(
    ("identifier", "copy"),
    [
        ("77-0001-99991231", "1"),
        ("77-0009-99991231", "1"),
        ("77-0001-00010101", "1"),
        ("77\x1b]0;x\x07-0001-20260528", "1"),
        ("77-0001-20260528", "9" * 5000),
    ],
)
def test_a_strangers_labels_cannot_stop_the_region(
    desk: RegionDesk, post: Post, tmp_path: Path, identifier: str, copy: str
) -> None:
    stranger(tmp_path / "stick" / "0", identifier, copy)
    post.bag(DAY, tmp_path / "stick")
    assert [outcome.outcome for outcome in take(desk, tmp_path / "stick")] == ["quarantined", "taken"]
    desk.rebuild()
    assert state(desk) == "delivered"
    (row,) = desk.catalogue.query("SELECT point, day FROM quarantine")
    assert row["point"].isprintable() and row["day"] in ("", "2026-05-28")


@pytest.mark.skipif(os.name != "posix", reason="only there a name may be no text")
def test_a_folder_whose_name_is_no_text_is_set_aside_and_the_next_is_taken(
    desk: RegionDesk, post: Post, tmp_path: Path
) -> None:
    odd = Path(os.fsdecode(os.fsencode(tmp_path / "stick" / "0") + b"\xff"))
    stranger(odd, "77-0001-20260528")
    (odd / "tagmanifest-sha256.txt").unlink()
    post.bag(DAY, tmp_path / "stick")
    assert [outcome.outcome for outcome in take(desk, tmp_path / "stick")] == ["quarantined", "taken"]


def test_an_unregistered_point_is_foreign_until_it_is_registered(desk: RegionDesk, tmp_path: Path) -> None:
    stranger = make_point(tmp_path / "p9", 9)
    stranger.record(DAY)
    stranger.bag(DAY, tmp_path / "stick")
    (outcome,) = take(desk, tmp_path / "stick")
    assert outcome.outcome == "quarantined" and "77-0009" in str(outcome.reason)
    register_points(desk, stranger)
    assert take(desk, tmp_path / "stick")[0].outcome == "taken"


def test_another_points_key_is_named(desk: RegionDesk, post: Post, tmp_path: Path) -> None:
    other = make_point(tmp_path / "p2", 2)
    register_points(desk, other)
    impostor = make_point(tmp_path / "impostor", 1)
    for name in ("ledger.key", "ledger.pub"):
        (impostor.home.keys / name).write_bytes((other.home.keys / name).read_bytes())
    impostor = make_point(tmp_path / "impostor", 1)
    impostor.record(DAY)
    impostor.bag(DAY, tmp_path / "stick")
    (outcome,) = take(desk, tmp_path / "stick")
    assert outcome.outcome == "quarantined"
    assert "says it is of 77-0001" in str(outcome.reason) and "(77-0002)" in str(outcome.reason)


def test_a_key_changed_past_the_register_is_noticed(desk: RegionDesk, post: Post, tmp_path: Path) -> None:
    post.bag(DAY, tmp_path / "stick")
    other = make_point(tmp_path / "p2", 2)
    register_points(desk, other)
    own, foreign = (desk.register.folder / f"77-000{number}.csv" for number in (1, 2))
    key = foreign.read_text(encoding="utf-8").splitlines()[1].rpartition(";")[2]
    old = own.read_text(encoding="utf-8").splitlines()[1].rpartition(";")[2]
    own.write_text(own.read_text(encoding="utf-8").replace(old, key), encoding="utf-8")
    (outcome,) = take(desk, tmp_path / "stick")
    assert outcome.outcome == "quarantined" and "Find out who changed" in str(outcome.reason)


class Elsewhere:
    """A bag that is no folder, read through the interface alone, as one in an object store is."""

    def __init__(self, folder: Path) -> None:
        self._folder = FolderTree(folder)
        self.name, self.place = folder.name, f"s3://north/{folder.name}"
        self.there, self.files, self.room_bytes = self._folder.there, self._folder.files, self._folder.room_bytes
        self.open, self.sha256 = self._folder.open, self._folder.sha256


def test_a_bag_that_is_no_folder_is_verified_where_it_lies(desk: RegionDesk, post: Post, tmp_path: Path) -> None:
    bag = post.bag(DAY, tmp_path / "stick")
    bad = as_stick(bag, tmp_path / "bad")
    flip_a_byte(bad)
    outcomes = take_in(desk, [Elsewhere(bad), Elsewhere(bag)], actor="denis")
    assert [outcome.outcome for outcome in outcomes] == ["quarantined", "taken"]
    assert not list(desk.home.root.rglob("*.mp4"))
    assert desk.catalogue.query("SELECT place FROM bag") == [{"place": f"s3://north/{bag.name}"}]
    assert state(desk) == "delivered"


def test_a_store_that_region_toml_does_not_name_is_said(desk: RegionDesk) -> None:
    with pytest.raises(UsageError, match="south: there is no such store"):
        list(bags_at(desk.home, desk.region, "s3://south/bag"))


def test_an_unfinished_copy_is_left_alone(desk: RegionDesk, post: Post, tmp_path: Path) -> None:
    bag = post.bag(DAY, tmp_path / "stick")
    bag.rename(bag.with_name(bag.name + ".part"))
    assert [outcome.outcome for outcome in take(desk, tmp_path / "stick")] == ["unfinished"]


def test_cancelled_is_taken_up_again(desk: RegionDesk, post: Post, tmp_path: Path) -> None:
    post.bag(DAY, tmp_path / "stick")
    asked = iter([False, True])
    stopped = take_in(desk, bags_in(tmp_path / "stick"), actor="denis", cancelled=lambda: next(asked, True))
    assert [outcome.outcome for outcome in stopped] == ["cancelled"]
    assert not desk.catalogue.query("SELECT * FROM bag")
    assert take(desk, tmp_path / "stick")[0].outcome == "taken"


def test_verifying_in_place_can_be_stopped(desk: RegionDesk, post: Post, tmp_path: Path) -> None:
    post.bag(DAY, tmp_path / "stick")
    proving: list[str] = []
    (outcome,) = take_in(
        desk,
        bags_in(tmp_path / "stick"),
        actor="denis",
        in_place=True,
        progress=lambda _bag, now: proving.append(now.phase),
        cancelled=lambda: len(proving) > 2,
    )
    assert (outcome.outcome, len(proving)) == ("cancelled", 3)
    assert desk.catalogue.query("SELECT * FROM bag") == [] and not list(desk.quarantine.glob("*"))
    assert [one.outcome for one in take(desk, tmp_path / "stick", in_place=True)] == ["taken"]


def test_a_carrier_pulled_while_it_is_read_is_no_fault_of_the_bag(desk: RegionDesk, post: Post, tmp_path: Path) -> None:
    bag = post.bag(DAY, tmp_path / "stick")

    def pull(_bag: str, _now: object) -> None:
        if bag.exists():
            bag.rename(tmp_path / "pulled")

    (outcome,) = take_in(desk, bags_in(tmp_path / "stick"), actor="denis", in_place=True, progress=pull)
    assert outcome.outcome == "failed" and "See that the carrier is plugged in" in str(outcome.reason)
    assert not list(desk.quarantine.glob("*"))


def test_what_is_missing_is_told_to_the_minute(desk: RegionDesk, tmp_path: Path) -> None:
    post = make_point(tmp_path / "p2", 2)
    post.record(DAY, cameras=("COR1-1",), minutes=(0, 6))
    post.record(DAY, cameras=("ENTR-1",), minutes=(1, 4))
    register_points(desk, post)
    post.bag(DAY, tmp_path / "stick")
    assert take(desk, tmp_path / "stick")[0].outcome == "taken"
    assert state(desk, post.id) == "late"
    (camera,) = lacking(desk.catalogue, day=DAY, points=[post.id])
    told = [(f"{start:%H:%M}", f"{end:%H:%M}") for start, end in camera.spans]
    assert (camera.camera, told) == ("ENTR-1", [("06:58", "06:59"), ("07:02", "07:04")])


def test_the_catalogue_is_derived(desk: RegionDesk, post: Post, tmp_path: Path) -> None:
    bag = post.bag(DAY, tmp_path / "stick")
    flip_a_byte(as_stick(bag, tmp_path / "bad"))
    take(desk, tmp_path / "bad")
    take(desk, tmp_path / "stick")
    post.bag(DAY, tmp_path / "second")
    take(desk, tmp_path / "second")
    tables = [row["name"] for row in desk.catalogue.query("SELECT name FROM sqlite_master WHERE type = 'table'")]
    before = {table: sorted(map(str, desk.catalogue.query(f"SELECT * FROM {table}"))) for table in tables}
    desk.rebuild()
    after = {table: sorted(map(str, desk.catalogue.query(f"SELECT * FROM {table}"))) for table in tables}
    assert after == before
    assert before["bag"] and before["span"] and before["quarantine"] and before["receipt"]


def test_a_bag_spoilt_afterwards_does_not_count_when_the_catalogue_is_rebuilt(
    desk: RegionDesk, post: Post, tmp_path: Path
) -> None:
    post.bag(DAY, tmp_path / "stick")
    (outcome,) = take(desk, tmp_path / "stick")
    assert outcome.folder is not None
    os.truncate(outcome.folder / "coverage.json", 10)
    desk.rebuild()
    assert desk.catalogue.query("SELECT read FROM bag") == [{"read": 0}]
    assert state(desk) != "delivered"


def test_two_bags_without_recordings_are_not_the_same() -> None:
    papers = {"data/documents/act.pdf": "aa"}
    assert _content(papers) == "" == _content({"data/ledger.jsonl": "bb"})
    assert _content({**papers, "data/corridor/a.mp4": "cc"}) == _content({"data/corridor/b.MP4": "cc"}) != ""
