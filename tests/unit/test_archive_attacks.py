"""Every attack of the table is answered with its exit code and its reason, and touches nothing but the bag."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pyrage import x25519

from exam_kit.archive import verify_bag
from exam_kit.archive.age_open import open_bag
from exam_kit.archive.age_sink import EncryptingSink
from exam_kit.archive.bag import write_proved
from exam_kit.archive.copy_journal import CopyJournal
from exam_kit.archive.encrypted import INDEX
from exam_kit.archive.encrypted_seal import seal_encrypted
from exam_kit.archive.sink import FolderSink
from exam_kit.errors import ArchiveError
from exam_kit.forms.verify_report import verify_html
from exam_kit.store.keys import SigningKey
from tests.bag_attacks import ATTACKS, Attack, run
from tests.bag_forger import Made, forger, make
from tests.e2e.ordeal_bag import attacked

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="links, pipes and sockets need rights there")

LISTS = "a list that is too long"
SHORT = [attack for attack in ATTACKS if not attack.long and attack.name != LISTS]
MEASURED = [attack for attack in ATTACKS if attack.name in (LISTS, "names that command a terminal")]


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Made:
    return make(tmp_path_factory.mktemp("own"), "0001", 1)


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> Made:
    return make(tmp_path_factory.mktemp("other"), "0002", 2)


@pytest.mark.parametrize("attack", SHORT, ids=lambda attack: attack.name)
def test_attacks_are_refused_with_the_reason(attack: Attack, own: Made, other: Made, tmp_path: Path) -> None:
    made = forger(tmp_path, own, other)
    run(attack, made)
    before = {path: path.lstat().st_mtime_ns for path in tmp_path.rglob("*")}
    report = verify_bag(made.bag, key=own.key.public if attack.given else None)
    text = report.text("en")
    assert report.exit_code == attack.code, text
    assert attack.said in text
    assert not attack.chain or report.chain == attack.chain
    page = verify_html([report], datetime(2026, 5, 28, tzinfo=UTC), "en")
    assert text.replace("\n", "").isprintable() and "<script" not in page and "<b>" not in page
    assert before == {path: path.lstat().st_mtime_ns for path in tmp_path.rglob("*")}


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory is measured by Linux")
@pytest.mark.parametrize("attack", MEASURED, ids=lambda attack: attack.name)
def test_memory_is_bounded_and_nothing_else_is_opened(attack: Attack, own: Made, other: Made, tmp_path: Path) -> None:
    assert attacked(tmp_path / "attack", attack, own, other)[1] == []


@pytest.mark.parametrize(
    "path", ["data/../../../evil.mp4", "/tmp/evil.mp4", "data/..\\evil.mp4", "evil/evil.mp4", "data/\u202eevil.mp4"]
)
def test_an_encrypted_bag_whose_index_leads_out_is_not_opened(
    path: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Anybody can encrypt to the region: what is inside is as hostile as what is outside."""
    bag, to = tmp_path / "sealed-000000000000_copy1", tmp_path / "to"
    bag.mkdir()
    to.mkdir()
    identity = x25519.Identity.generate()
    sink = EncryptingSink(FolderSink(bag), identity.to_public(), b"secret")
    write_proved(sink, "data/room/good.mp4", [b"good"])
    sink.accepted[path] = sink.accepted.pop("data/room/good.mp4")
    sink.adopt({})
    good = sink.name("data/room/good.mp4")
    journal = CopyJournal(bag)
    monkeypatch.setattr(sink, "name", lambda asked: INDEX if asked == INDEX else good)
    seal_encrypted(sink, "77_0001_20260528_ROOM_copy1", 1, SigningKey.load_or_create(tmp_path), journal.sealed())
    journal.close()
    assert verify_bag(bag).whole, "the forgery itself is well made"
    before = set(tmp_path.rglob("*"))
    with pytest.raises(ArchiveError, match=r"leads out|cannot be seen|not the index"):
        open_bag(bag, [identity], to)
    assert set(tmp_path.rglob("*")) == before
