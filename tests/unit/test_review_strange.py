"""Review bundles that somebody signed with a key of their own and no kit wrote: refused in words, never by a fall."""

from __future__ import annotations

from pathlib import Path

import pytest

from exam_kit.errors import ExamKitError, StoreError
from exam_kit.home import Home
from exam_kit.point import Point
from exam_kit.review.bundle import KIND, LEDGER, TRIES, make_bundle
from exam_kit.review.bundle_home import settle
from exam_kit.review.bundle_read import BundleRefused, read_bundle
from exam_kit.store import Checkpoint, Ledger
from exam_kit.store.export import export_to
from tests.unit.test_review_bundle import WRITER, bundle, empty, packed, strange, unpacked

__all__ = ["bundle"]  # the fixture


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("anchors.txt", b"\xff\xfe\x00"),
        ("point.toml", b"a = " + b"[" * 200_000),
        ("point.toml", b"\xff\xfe"),
        ("point.toml", b""),
        ("recordings.json", b"[" * 200_000),
        ("recordings.json", b"\xff\xfe"),
        ("recordings.json", b'{"gaps":[["a","b",null,{},"x"]]}'),
        ("recordings.json", b'{"gaps":[["\\ud800","b","c","d","x"]]}'),
    ],
    ids=lambda one: one if isinstance(one, str) else repr(one[:12]),
)
def test_it_is_refused(bundle: Path, ledger: Ledger, tmp_path: Path, name: str, content: bytes) -> None:
    made = strange(bundle, ledger, tmp_path / "strange.review", name, content)
    read = read_bundle(made, empty(tmp_path / "u"))
    with pytest.raises(ExamKitError) as refusal:
        settle(read, tmp_path / "there", "strange.review", "en", 0)
    assert refusal.value.text("en").strip()


def test_what_is_not_the_making_of_a_bundle_is_none(bundle: Path, ledger: Ledger, tmp_path: Path) -> None:
    bodies: list[dict[str, object]] = [{"files": []}, {"more": 1}]
    for body in bodies:
        ledger.append(KIND, body, "agent")
        export_to(ledger, tmp_path / "export.txt")
        files = {**unpacked(bundle), LEDGER: (tmp_path / "export.txt").read_bytes()}
        with pytest.raises(BundleRefused, match="making of a bundle"):
            read_bundle(packed(tmp_path / "other.review", files), empty(tmp_path / str(ledger.head().seq)))


def test_older_files_do_not_pass_beside_a_ledger_that_went_on(bundle: Path, ledger: Ledger, tmp_path: Path) -> None:
    """Gaps that came since would be missing beside lines that are there."""
    ledger.append("agent.started", {}, "agent")
    export_to(ledger, tmp_path / "export.txt")
    mixed = {**unpacked(bundle), LEDGER: (tmp_path / "export.txt").read_bytes()}
    with pytest.raises(BundleRefused, match="making of a bundle"):
        read_bundle(packed(tmp_path / "mixed.review", mixed), empty(tmp_path / "u"))


def test_a_bundle_ends_with_its_own_entry_though_others_write_meanwhile(
    home: Home, ledger: Ledger, point: Point, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    left = 3
    signing = Ledger.checkpoint

    def interrupted(self: Ledger) -> Checkpoint | None:
        nonlocal left
        if left:
            left -= 1
            self.append("agent.started", {}, "agent")
        return signing(self)

    monkeypatch.setattr(Ledger, "checkpoint", interrupted)
    made = make_bundle(home, point, ledger, WRITER, tmp_path / "late.review")
    assert [entry.seq for entry in ledger.entries([KIND])][-1] == made.entries == ledger.head().seq
    assert len(list(ledger.entries([KIND]))) == 4
    assert read_bundle(made.path, empty(tmp_path / "u")).report.entries == made.entries
    left = TRIES
    with pytest.raises(StoreError, match="all the time"):
        make_bundle(home, point, ledger, WRITER, tmp_path / "never.review")
    assert not list(tmp_path.glob("never*"))
