"""Encrypted bags at the region: opened on their way in, judged as the bag inside, nothing left in the clear."""

from __future__ import annotations

import errno
import hashlib
import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pyrage import encrypt, x25519

from exam_kit.archive.age_tree import opened_tree
from exam_kit.archive.bag import Listed, seal_lists
from exam_kit.archive.bag_tree import FolderTree
from exam_kit.archive.encrypted import info_text
from exam_kit.archive.receipt import read_receipt
from exam_kit.archive.sink import FolderSink
from exam_kit.archive.verify import verify_bag
from exam_kit.clock import FakeClock
from exam_kit.home import Home
from exam_kit.region.desk import RegionDesk
from exam_kit.region.identity import identities, own_recipient, take_identities
from exam_kit.region.intake import Outcome, take_in
from exam_kit.region.sources import bags_in
from exam_kit.store.keys import SigningKey, VerifyKey
from tests.region_site import AFTER, DAYS, Post, as_stick, make_point, make_region, register_points
from tests.unit.test_region_fetch import Afar
from tests.unit.test_region_intake import state

DAY = DAYS[0]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A point with a day, a region that knows it, and a stick with the day encrypted to the region; copied by tests."""
    root = tmp_path_factory.mktemp("encrypted")
    post = make_point(root / "p1", 1)
    post.record(DAY)
    desk = make_region(root / "region", post)
    post.bag(DAY, root / "stick", age=own_recipient(desk, "denis"))
    desk.close()
    post.store.close()
    return root


@pytest.fixture
def post(made: Path, tmp_path: Path) -> Iterator[Post]:
    shutil.copytree(made / "p1", tmp_path / "p1")
    opened = make_point(tmp_path / "p1", 1)
    yield opened
    opened.store.close()


@pytest.fixture
def desk(made: Path, tmp_path: Path) -> Iterator[RegionDesk]:
    shutil.copytree(made / "region", tmp_path / "region")
    opened = RegionDesk.open(Home.at(tmp_path / "region"), FakeClock(AFTER))
    yield opened
    opened.close()


@pytest.fixture
def sealed(made: Path, tmp_path: Path) -> Path:
    shutil.copytree(made / "stick", tmp_path / "stick")
    (bag,) = (tmp_path / "stick").iterdir()
    return bag


def take(desk: RegionDesk, place: Path, **choice: bool) -> list[Outcome]:
    return take_in(desk, bags_in(place), actor="denis", **choice)  # type: ignore[arg-type]


def in_the_clear(desk: RegionDesk) -> list[Path]:
    """What lies on the region's disk and could be footage."""
    return [path for path in desk.home.root.rglob("*") if path.name.endswith((".mp4", ".mp4.part", ".jsonl"))]


def lying(desk: RegionDesk, sealed: Path, ending: str) -> Path:
    """The ciphertext of the first inner file whose path ends so."""
    tree = opened_tree(FolderTree(sealed), identities(desk.home))
    (first, *_others) = sorted(path for path, _size in tree.files() if path.endswith(ending))
    return sealed / tree.sealed_name(first)


def flip(path: Path, at: int) -> None:
    content = bytearray(path.read_bytes())
    content[at] ^= 1
    path.write_bytes(content)


def test_it_is_taken_as_the_bag_inside(desk: RegionDesk, post: Post, sealed: Path, tmp_path: Path) -> None:
    before = {path: path.read_bytes() for path in sealed.rglob("*") if path.is_file()}
    (outcome,) = take(desk, tmp_path / "stick")
    assert (outcome.outcome, outcome.point, outcome.reason) == ("taken", "77-0001", None)
    assert (outcome.bag, outcome.sealed_as) == ("77_0001_20260528_COR-ENTR_copy1", sealed.name)
    assert outcome.folder is not None and outcome.receipt is not None
    report = verify_bag(outcome.folder, key=VerifyKey.load(post.key_file))
    assert (report.outcome, report.chain, report.bag_hash) == ("whole", "whole", outcome.bag_hash)
    receipt = read_receipt(outcome.receipt.read_bytes(), desk.key.public)
    assert (receipt.bag, receipt.bag_hash, receipt.delivered_min) == (outcome.bag, outcome.bag_hash, 12.0)
    [sent] = post.ledger.entries(["archive.finished"])
    assert sent.body["bag_hash"] == outcome.bag_hash, "the receipt is about the bag that the point's act names"
    [taken] = desk.ledger.entries(["region.taken"])
    assert (taken.body["bag"], taken.body["sealed_as"]) == (outcome.bag, sealed.name)
    assert state(desk) == "delivered"
    assert not list(desk.home.root.rglob("*.part"))
    assert {path: path.read_bytes() for path in sealed.rglob("*") if path.is_file()} == before


def test_the_same_again_and_the_same_in_the_clear_are_recognised(
    desk: RegionDesk, post: Post, sealed: Path, tmp_path: Path
) -> None:
    (first,) = take(desk, tmp_path / "stick")
    as_stick(sealed, tmp_path / "other")
    (second,) = take(desk, tmp_path / "other")
    assert (second.outcome, second.bag, second.receipt) == ("again", first.bag, first.receipt)
    assert first.folder is not None
    as_stick(first.folder, tmp_path / "plain")
    assert [outcome.outcome for outcome in take(desk, tmp_path / "plain")] == ["again"]
    post.bag(DAY, tmp_path / "copy2", age=own_recipient(desk, "denis"))
    (copy2,) = take(desk, tmp_path / "copy2")
    assert copy2.outcome == "same_content" and copy2.folder is not None and not list(copy2.folder.rglob("*.mp4"))
    post.bag(DAY, tmp_path / "copy3")
    assert [outcome.outcome for outcome in take(desk, tmp_path / "copy3")] == ["same_content"]


def test_a_supplement_is_recognised(desk: RegionDesk, tmp_path: Path) -> None:
    late = make_point(tmp_path / "p2", 2)
    late.record(DAY, minutes=(0, 3))
    register_points(desk, late)
    recipient = own_recipient(desk, "denis")
    late.bag(DAY, tmp_path / "first", age=recipient)
    late.record(DAY, minutes=(3, 6))
    late.bag(DAY, tmp_path / "later", age=recipient, supplement=1)
    assert [one.outcome for place in ("first", "later") for one in take(desk, tmp_path / place)] == [
        "taken",
        "supplement",
    ]
    assert state(desk, late.id) == "delivered"


def test_in_place_it_stays_encrypted(desk: RegionDesk, sealed: Path, tmp_path: Path) -> None:
    (outcome,) = take(desk, tmp_path / "stick", in_place=True)
    assert outcome.outcome == "taken" and state(desk) == "delivered"
    assert not in_the_clear(desk)
    assert desk.catalogue.query("SELECT place FROM bag") == [{"place": str(sealed)}]
    desk.rebuild()
    assert state(desk) == "delivered"


def test_fetched_from_a_store_and_altered_nothing_of_it_stays_in_the_clear(desk: RegionDesk, sealed: Path) -> None:
    flip(lying(desk, sealed, ".mp4"), -20_000)
    for outcome in ("quarantined", "known_quarantine"):
        assert [one.outcome for one in take_in(desk, [Afar(sealed)], actor="denis", fetch=True)] == [outcome]
        assert not in_the_clear(desk)


@pytest.mark.parametrize("fetch", [False, True])
def test_in_a_store_it_is_proved_there_or_fetched(desk: RegionDesk, sealed: Path, fetch: bool) -> None:
    afar = Afar(sealed)
    (outcome,) = take_in(desk, [afar], actor="denis", fetch=fetch)
    assert outcome.outcome == "taken" and outcome.folder is not None
    assert bool(list(outcome.folder.rglob("*.mp4"))) is fetch


@pytest.mark.parametrize(
    ("ending", "at"),
    [
        (".mp4", -20_000),
        (".mp4", 40),
        ("data/ledger.jsonl", -1),
        ("coverage.json", -1),
        ("bag-info.txt", -5),
        ("point.pub", -1),
        ("tagmanifest-sha256.sig", -1),
        ("manifest-sha256.txt", -1),
    ],
)
def test_a_flipped_bit_goes_to_quarantine_in_ciphertext(
    desk: RegionDesk, sealed: Path, tmp_path: Path, ending: str, at: int
) -> None:
    flip(lying(desk, sealed, ending), at)
    (outcome,) = take(desk, tmp_path / "stick")
    assert outcome.outcome == "quarantined" and outcome.folder is not None
    note = json.loads((outcome.folder / "note.json").read_text(encoding="utf-8"))
    assert note["reason"] == "altered" and note["findings"]
    assert sorted(path.name for path in (outcome.folder / "bag" / "data").iterdir()) == sorted(
        path.name for path in (sealed / "data").iterdir()
    )
    assert not in_the_clear(desk) and not list(desk.home.root.rglob("*.part"))
    assert [one.outcome for one in take(desk, tmp_path / "stick")] == ["known_quarantine"]
    if ending in (".mp4", "data/ledger.jsonl", "point.pub"):
        assert (outcome.point, state(desk)) == ("77-0001", "quarantine")


def outer_list(sealed: Path) -> None:
    flip(sealed / "manifest-sha256.txt", 10)


def outer_signature(sealed: Path) -> None:
    (sealed / "signature" / "tagmanifest-sha256.sig").unlink()


def index(sealed: Path) -> None:
    flip(sealed / "data" / "index.age", 60)


def gone(sealed: Path) -> None:
    max((sealed / "data").iterdir(), key=lambda path: path.stat().st_size).unlink()


def label(sealed: Path) -> None:
    (sealed / "bag-info.txt").write_bytes(b"\xff\xfe")


@pytest.mark.parametrize(
    ("damage", "code"),
    [(outer_list, "altered"), (outer_signature, "unsigned"), (index, "altered"), (gone, "altered"), (label, "altered")],
)
def test_an_encrypted_bag_that_is_not_whole_as_it_lies(
    desk: RegionDesk, sealed: Path, tmp_path: Path, damage: Callable[[Path], None], code: str
) -> None:
    damage(sealed)
    (outcome,) = take(desk, tmp_path / "stick")
    assert outcome.outcome == "quarantined" and outcome.folder is not None
    assert json.loads((outcome.folder / "note.json").read_text(encoding="utf-8"))["reason"] == code
    assert not in_the_clear(desk)


def wrapped(desk: RegionDesk, plain: Path, post: Post, to: Path) -> Path:
    """What a sender who signs the outer bag properly can put inside: any folder, file by file."""
    recipient = identities(desk.home)[0].to_public()
    bag = to / "sealed-aaaabbbbcccc_copy1"
    (bag / "data").mkdir(parents=True)
    lines, named = [], []
    for number, path in enumerate(sorted(path for path in plain.rglob("*") if path.is_file())):
        name = f"data/{number:032x}.age"
        (bag / name).write_bytes(encrypt(path.read_bytes(), [recipient]))
        lines.append(f"{name}\t{path.relative_to(plain).as_posix()}\n")
        named.append(name)
    text = f"exam-kit encrypted bag v1\t{plain.name}\n{''.join(lines)}".encode()
    (bag / "data" / "index.age").write_bytes(encrypt(text, [recipient]))
    seal_outer(bag, post, [*named, "data/index.age"])
    return bag


def seal_outer(bag: Path, post: Post, payload: list[str]) -> None:
    listed = [
        Listed(name, hashlib.sha256((bag / name).read_bytes()).hexdigest(), (bag / name).stat().st_size)
        for name in payload
    ]
    key = SigningKey.load_or_create(post.home.keys)
    seal_lists(FolderSink(bag), info_text(listed, 1), listed, [], key, None)


def inner_unsigned(plain: Path) -> None:
    (plain / "signature" / "tagmanifest-sha256.sig").unlink()


def inner_altered(plain: Path) -> None:
    flip(next(iter(sorted(plain.rglob("*.mp4")))), 100)


def untouched(_plain: Path) -> None:
    return


@pytest.mark.parametrize(
    ("damage", "code"), [(untouched, ""), (inner_unsigned, "unsigned"), (inner_altered, "altered")]
)
def test_what_counts_is_the_bag_inside(
    desk: RegionDesk, post: Post, tmp_path: Path, damage: Callable[[Path], None], code: str
) -> None:
    plain = post.bag(DAY, tmp_path / "plain")
    damage(plain)
    stranger = make_point(tmp_path / "p8", 8)  # whoever sealed the outer bag proves nothing
    wrapped(desk, plain, stranger, tmp_path / "stick")
    (outcome,) = take(desk, tmp_path / "stick")
    assert outcome.outcome == ("quarantined" if code else "taken")
    if code:
        assert outcome.folder is not None
        assert json.loads((outcome.folder / "note.json").read_text(encoding="utf-8"))["reason"] == code
        assert not in_the_clear(desk)


def test_another_points_bag_inside_is_foreign_or_signed_with_another_key(
    desk: RegionDesk, sealed: Path, tmp_path: Path
) -> None:
    stranger = make_point(tmp_path / "p9", 9)
    stranger.record(DAY)
    stranger.bag(DAY, tmp_path / "foreign", age=own_recipient(desk, "denis"))
    (outcome,) = take(desk, tmp_path / "foreign")
    assert outcome.outcome == "quarantined" and "77-0009" in str(outcome.reason)
    assert not in_the_clear(desk)
    impostor = make_point(tmp_path / "impostor", 1)
    impostor.record(DAY)
    impostor.bag(DAY, tmp_path / "false", age=own_recipient(desk, "denis"))
    (outcome,) = take(desk, tmp_path / "false")
    assert outcome.outcome == "quarantined" and "says it is of 77-0001" in str(outcome.reason)
    assert not in_the_clear(desk)


def test_without_the_right_identity_it_waits(desk: RegionDesk, post: Post, sealed: Path, tmp_path: Path) -> None:
    secrets = desk.home.secrets.read_bytes()
    desk.home.secrets.unlink()
    (outcome,) = take(desk, tmp_path / "stick")
    assert outcome.outcome == "locked" and sealed.name in str(outcome.reason) and "--from FILE" in str(outcome.reason)
    other = x25519.Identity.generate()
    (tmp_path / "other.key").write_text(f"{other}\n")
    take_identities(desk, tmp_path / "other.key", "denis")
    (outcome,) = take(desk, tmp_path / "stick")
    assert outcome.outcome == "locked" and "to another recipient" in str(outcome.reason)
    assert not in_the_clear(desk) and not desk.catalogue.query("SELECT * FROM quarantine")
    assert not list(desk.ledger.entries(["region.taken", "region.quarantined"]))
    desk.home.secrets.write_bytes(secrets)
    assert [one.outcome for one in take(desk, tmp_path / "stick")] == ["taken"]


def test_a_bag_encrypted_to_an_earlier_identity_is_still_opened(desk: RegionDesk, sealed: Path, tmp_path: Path) -> None:
    (tmp_path / "new.key").write_text(f"{x25519.Identity.generate()}\n")
    take_identities(desk, tmp_path / "new.key", "denis")
    assert [one.outcome for one in take(desk, tmp_path / "stick")] == ["taken"]


def test_a_full_disk_is_told_and_the_bag_is_taken_later(
    desk: RegionDesk, sealed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = FolderSink.write

    def full(sink: FolderSink, data: memoryview) -> None:
        if sum(1 for _file in sink.root.rglob("*.mp4")) >= 3:
            raise OSError(errno.ENOSPC, "No space left on device")
        written(sink, data)

    monkeypatch.setattr(FolderSink, "write", full)
    (outcome,) = take(desk, tmp_path / "stick")
    assert outcome.outcome == "failed" and "full" in str(outcome.reason)
    monkeypatch.undo()
    assert [one.outcome for one in take(desk, tmp_path / "stick")] == ["taken"]
    assert state(desk) == "delivered" and not list(desk.home.root.rglob("*.part"))


def test_a_carrier_that_fails_in_the_middle_is_not_the_bags_fault(desk: RegionDesk, sealed: Path) -> None:
    afar, broken = Afar(sealed), lying(desk, sealed, ".mp4").name

    def given(path: str, content: bytes) -> bytes:
        if path.endswith(broken) and afar.opened[path] > 1:  # its header was read before
            raise OSError(errno.EIO, "Input/output error", path)
        return content

    afar.given = given
    (outcome,) = take_in(desk, [afar], actor="denis", fetch=True)
    assert outcome.outcome == "failed" and "cannot be read (Input/output error)" in str(outcome.reason)
    assert not desk.catalogue.query("SELECT * FROM quarantine")
    (outcome,) = take_in(desk, [Afar(sealed)], actor="denis", fetch=True)
    assert outcome.outcome == "taken"


def test_too_little_room_is_said_before_anything_is_opened(
    desk: RegionDesk, sealed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: usage._replace(free=1000))
    (outcome,) = take(desk, tmp_path / "stick")
    assert outcome.outcome == "failed" and "are needed" in str(outcome.reason)
    assert not in_the_clear(desk)


def test_stopped_it_is_taken_up_without_opening_twice(desk: RegionDesk, sealed: Path, tmp_path: Path) -> None:
    def enough() -> bool:
        return len(list(desk.bags.rglob("*.mp4"))) >= 4

    stopped = take_in(desk, bags_in(tmp_path / "stick"), actor="denis", cancelled=enough)
    assert [one.outcome for one in stopped] == ["cancelled"]
    here = {path.name: path.stat().st_mtime_ns for path in desk.bags.rglob("*.mp4")}
    assert len(here) >= 4
    (outcome,) = take(desk, tmp_path / "stick")
    assert outcome.outcome == "taken" and outcome.folder is not None
    now = {path.name: path.stat().st_mtime_ns for path in outcome.folder.rglob("*.mp4")}
    assert here.items() <= now.items() and len(now) == 12
