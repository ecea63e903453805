"""Review bundles that somebody signed with a key of their own and no kit wrote: refused in words, never by a fall."""

from __future__ import annotations

from pathlib import Path

import pytest

from exam_kit.errors import ExamKitError
from exam_kit.review.bundle_home import settle
from exam_kit.review.bundle_read import read_bundle
from exam_kit.store import Ledger
from tests.unit.test_review_bundle import bundle, empty, strange

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
