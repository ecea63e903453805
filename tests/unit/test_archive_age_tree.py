"""The bag inside an encrypted one, read through the encryption: the same bag, and nothing in the clear anywhere."""

from __future__ import annotations

import gc
import hashlib
import threading
from pathlib import Path

import pytest
from pyrage import encrypt, x25519

from exam_kit.archive.age_open import open_bag
from exam_kit.archive.age_tree import Locked, OpenedTree, Unopened, opened_tree
from exam_kit.archive.bag_tree import FolderTree, walk
from exam_kit.archive.verify import verify_bag
from exam_kit.clock import FakeClock
from exam_kit.home import Home
from exam_kit.point import Point
from exam_kit.store import Ledger, Store
from tests.archive_day import archive, record


@pytest.fixture
def identity() -> x25519.Identity:
    return x25519.Identity.generate()


@pytest.fixture
def sealed(
    home: Home, store: Store, ledger: Ledger, point: Point, clock: FakeClock, tmp_path: Path, identity: x25519.Identity
) -> Path:
    record(store, ledger, home, cameras=("COR1-1",), size=65_536)  # the sizes lie around a chunk's end
    clock.advance(3600)
    centre = point.region_centre.model_copy(update={"age": str(identity.to_public())})
    for_region = point.model_copy(update={"region_centre": centre})
    result = archive(store, ledger, home, for_region, tmp_path / "drive", clock, encrypt=True)
    assert result.bag is not None
    return result.bag


def test_it_is_the_bag_that_opening_makes(
    sealed: Path, identity: x25519.Identity, ledger: Ledger, tmp_path: Path
) -> None:
    tree = opened_tree(FolderTree(sealed), [identity])
    to = tmp_path / "to"
    to.mkdir()
    plain = FolderTree(Path(open_bag(sealed, [identity], to).path))
    there, here = walk(plain), walk(tree)
    assert {path: size for path, (_name, size) in here.items()} == {path: size for path, (_name, size) in there.items()}
    for path in there:
        with plain.open(path) as one, tree.open(path) as other:
            assert one.read() == other.read(), path
    report = verify_bag(tree, key=ledger.public_key)
    assert (report.outcome, report.chain) == ("whole", "whole")
    assert report.bag_hash == verify_bag(plain).bag_hash
    assert (tree.name, tree.place) == (plain.name, str(sealed))


@pytest.mark.parametrize("size", [0, 1, 65_535, 65_536, 65_537, (9 << 20) + 5])
def test_sizes_are_reckoned_to_the_byte_and_read_in_any_pieces(
    identity: x25519.Identity, tmp_path: Path, size: int
) -> None:
    content = hashlib.shake_256(b"x").digest(size)
    (tmp_path / "a.age").write_bytes(encrypt(content, [identity.to_public()]))
    sealed = {"a": ("a.age", (tmp_path / "a.age").stat().st_size)}
    tree = OpenedTree(FolderTree(tmp_path), "bag", sealed, [identity])
    assert dict(tree.files()) == {"a": size}
    room = memoryview(bytearray((4 << 20) + 4096))
    with tree.opened("a") as source:
        read = b""
        while got := source.fill(room):
            read += bytes(room[:got])
    assert read == content
    seen: list[int] = []
    assert tree.sha256("a", seen.append) == hashlib.sha256(content).hexdigest()
    assert sum(seen) == sealed["a"][1]


def test_a_reader_that_stops_half_way_leaves_no_thread(identity: x25519.Identity, tmp_path: Path) -> None:
    (tmp_path / "a.age").write_bytes(encrypt(bytes(12 << 20), [identity.to_public()]))
    tree = OpenedTree(FolderTree(tmp_path), "bag", {"a": ("a.age", (tmp_path / "a.age").stat().st_size)}, [identity])
    with tree.open("a") as source:
        assert source.read(10) == bytes(10)
    gc.collect()
    assert "archive-age-open" not in {thread.name for thread in threading.enumerate()}


def test_another_key_opens_nothing_and_a_changed_index_is_told_apart(sealed: Path, identity: x25519.Identity) -> None:
    with pytest.raises(Locked, match="does not open"):
        opened_tree(FolderTree(sealed), [x25519.Identity.generate()])
    with pytest.raises(Locked):
        opened_tree(FolderTree(sealed), [])
    index = sealed / "data" / "index.age"
    for at in (60, -1):
        broken = bytearray(index.read_bytes())
        broken[at] ^= 1
        index.write_bytes(broken)
        with pytest.raises(Unopened):
            opened_tree(FolderTree(sealed), [identity])


def test_a_flipped_bit_is_a_changed_file(sealed: Path, identity: x25519.Identity) -> None:
    tree = opened_tree(FolderTree(sealed), [identity])
    (video, *_others) = [path for path, _size in tree.files() if path.endswith(".mp4")]
    lies = sealed / tree.sealed_name(video)
    broken = bytearray(lies.read_bytes())
    broken[-20_000] ^= 4
    lies.write_bytes(broken)
    report = verify_bag(tree)
    assert (report.outcome, [finding.path for finding in report.findings]) == ("changed", [video])
    with tree.open(video) as source:
        for _again in range(2):
            with pytest.raises(Unopened, match="decryption"):
                source.read()
