"""A bag sent to a real store (OpenStack Swift on loopback): the short form of `python -m tests.e2e.ordeal_s3`."""

from __future__ import annotations

import shutil
import time
from pathlib import Path

import pytest

from exam_kit.archive.s3 import StoreFault, bags_there, keep_report, keys_of, probe_store, send_bag, verify_in_store
from exam_kit.clock import SystemClock
from exam_kit.point import Secrets
from tests.s3.line import Line
from tests.s3.servers import Swift
from tests.s3.world import STORE, World, make_world

pytestmark = pytest.mark.skipif(bool(Swift.missing()), reason=Swift.missing() or "runs")

THREADS = 4


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    """Two recordings of two parts each and the bag's small files."""
    return make_world(tmp_path_factory.mktemp("world"), pieces=1, size=8_000_000)


def test_a_killed_upload_goes_on_and_flipped_bits_are_not_taken(swift: Swift, world: World) -> None:
    line = Line(swift.port)
    swift.make_bucket("short")
    world.store(swift, line.endpoint, "short")
    child = world.start("send", str(world.bag), STORE)
    deadline = time.monotonic() + 60
    while len(line.puts) < 3 and child.poll() is None and time.monotonic() < deadline:
        time.sleep(0.002)
    child.kill()
    child.communicate()
    begun = [put.target for put in line.puts]
    assert len(begun) >= 3
    line.flip_next(1)
    line.flip_next(2)
    result = send_bag(world.bag, world.wire(), world.home, SystemClock())
    line.close()
    assert result.state == "finished"
    again = {put.target for put in line.puts[len(begun) :] if not put.flipped} & set(begun)
    assert len(again) <= THREADS
    flipped = [put for put in line.puts if put.flipped]
    assert [put.status for put in flipped] == [400, 400]
    assert world.differing(swift, "short") == []
    assert line.puts[-1].target.endswith("tagmanifest-sha256.txt")


def test_what_the_store_keeps_is_believed_after_the_probe_only(swift: Swift, world: World) -> None:
    swift.make_bucket("kept")
    world.store(swift, swift.endpoint, "kept")
    wire, bag = world.wire(), world.bag.name
    sent = send_bag(world.bag, wire, world.home, SystemClock())
    assert sent.proofs == {"downloaded": sent.files}
    report = probe_store(
        wire.store, keys_of(wire.store, Secrets(world.home, file_only=True)), world.home, SystemClock()
    )
    keep_report(world.home, report)
    assert (report.trust.sha256, report.trust.parts_sha256, report.trust.lock) == (True, True, False)
    assert report.exit_code == 0
    assert bags_there(wire) == {bag: True}
    found = verify_in_store(wire, bag, world.home)
    assert found.outcome == "whole"
    # The recordings went in parts before the store was believed: the composite of each is remembered all the same.
    assert found.proofs["server_sha256"] > 0
    assert found.proofs["downloaded"] == 0
    assert send_bag(world.bag, wire, world.home, SystemClock()).sent_bytes == 0
    path = next(path for path in world.files() if path.endswith(".mp4"))
    swift.client().put_object(Bucket="kept", Key=world.key(path), Body=b"x" * world.files()[path][0])
    found = verify_in_store(wire, bag, world.home)
    assert [one.path for one in found.findings] == [path]
    assert found.outcome == "changed"
    again = send_bag(world.bag, wire, world.home, SystemClock())
    assert [one.path for one in again.failed] == [path]
    assert "another object" in str(again.failed[0].message)


def test_a_recording_changed_since_its_birth_is_not_sent_and_the_bag_stays_unfinished(
    swift: Swift, world: World, tmp_path: Path
) -> None:
    swift.make_bucket("changed")
    world.store(swift, swift.endpoint, "changed")
    bag = tmp_path / world.bag.name
    shutil.copytree(world.bag, bag)
    path = next(path for path in world.files() if path.endswith(".mp4"))
    content = bytearray((bag / path).read_bytes())
    content[-1] ^= 1  # the last part: the others have left before anybody can know
    (bag / path).write_bytes(content)
    result = send_bag(bag, world.wire(), world.home, SystemClock())
    assert result.state == "failed"
    assert [one.path for one in result.failed] == [path]
    assert bags_there(world.wire()) == {bag.name: False}
    assert not swift.client().list_multipart_uploads(Bucket="changed").get("Uploads")


def test_cancelled_and_taken_up_again(swift: Swift, world: World) -> None:
    swift.make_bucket("cancelled")
    line = Line(swift.port)
    world.store(swift, line.endpoint, "cancelled")
    result = send_bag(world.bag, world.wire(), world.home, SystemClock(), cancelled=lambda: len(line.puts) >= 2)
    assert result.state == "cancelled"
    assert result.files < len(world.files())
    had = len(line.puts)
    result = send_bag(world.bag, world.wire(), world.home, SystemClock())
    line.close()
    assert result.state == "finished"
    again = [put for put in line.puts[had:] if put.target in {put.target for put in line.puts[:had]}]
    assert len(again) <= THREADS
    assert bags_there(world.wire()) == {world.bag.name: True}


def test_a_bag_without_its_tag_manifest_is_an_unfinished_one(swift: Swift, world: World) -> None:
    swift.make_bucket("unfinished")
    world.store(swift, swift.endpoint, "unfinished")
    for path in ("bagit.txt", "bag-info.txt", "manifest-sha256.txt"):
        swift.client().put_object(Bucket="unfinished", Key=world.key(path), Body=(world.bag / path).read_bytes())
    assert bags_there(world.wire()) == {world.bag.name: False}
    found = verify_in_store(world.wire(), world.bag.name, world.home)
    assert found.outcome == "not_a_bag"
    assert "not finished" in str(found.findings[0].message)


@pytest.mark.parametrize(
    ("bucket", "secret", "kind", "words"),
    [
        ("nowhere", "", "bucket", "there is no bucket nowhere"),
        ("told", "a-wrong-secret", "signature", "does not accept the secret key"),
    ],
)
def test_each_fault_is_told_without_the_keys(
    swift: Swift, world: World, bucket: str, secret: str, kind: str, words: str
) -> None:
    world.store(swift, swift.endpoint, bucket, secret=secret)
    wire = world.wire()
    with pytest.raises(StoreFault) as told:
        send_bag(world.bag, wire, world.home, SystemClock())
    assert told.value.kind == kind
    assert words in str(told.value)
    assert swift.secret not in repr(told.value) + repr(vars(wire))
    assert secret == "" or secret not in repr(told.value) + repr(vars(wire))


def test_a_retention_that_nobody_holds_is_refused(swift: Swift, world: World) -> None:
    world.store(swift, swift.endpoint, "told-2", retention="compliance")
    with pytest.raises(StoreFault, match="not proved that the store holds it"):
        send_bag(world.bag, world.wire(), world.home, SystemClock())


def test_a_store_that_does_not_answer_is_told_after_a_few_tries(world: World, tmp_path: Path) -> None:
    line = Line(1)
    line.close()

    class Nobody:
        access, secret = "nobody", "nothing"

    world.store(Nobody(), line.endpoint, "nobody")  # type: ignore[arg-type]
    with pytest.raises(StoreFault, match="does not answer") as told:
        send_bag(world.bag, world.wire(), world.home, SystemClock())
    assert told.value.kind == "network"
