"""What must hold for any spans, any paths and any torn journal."""

from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from exam_kit.archive.bag_paths import decode_path, document_name, encode_path, path_fault
from exam_kit.archive.copy_journal import JOURNAL, CopyJournal


@given(st.text(min_size=1))
def test_a_path_survives_the_manifest(path: str) -> None:
    text = encode_path(path)
    assert "\n" not in text and "\r" not in text
    assert decode_path(text) == path


@given(st.text(alphabet="./\\~C:%ab\0яé", min_size=1, max_size=12))
def test_a_path_that_passes_stays_inside(path: str) -> None:
    if path_fault(path) is None and "\0" not in path:
        root = Path("/bag")
        assert (root / path).is_relative_to(root) and ".." not in Path(path).parts
        assert not path.startswith(("/", "~")) and "\\" not in path


@given(st.text(min_size=1, max_size=20))
def test_a_document_name_is_one_plain_file_name(name: str) -> None:
    plain = document_name(name)
    if plain is not None:
        assert path_fault(f"data/documents/{plain}") is None
        assert encode_path(plain) == plain, "sha256sum does not decode what BagIt encodes"


@settings(deadline=None)  # it waits for the disk
@given(st.integers(0, 400), st.binary(max_size=6))
def test_a_torn_or_overwritten_journal_acknowledges_nothing_it_did_not_finish(cut: int, noise: bytes) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        journal = CopyJournal(folder)
        for number in range(3):
            journal.verified(f"data/room/{number}.mp4", number, f"{number}" * 64, None)
        journal.close()
        whole = (folder / JOURNAL).read_bytes()
        kept = whole[: min(cut, len(whole))]
        (folder / JOURNAL).write_bytes(kept + noise)
        again = CopyJournal(folder)
        lines = kept.count(b"\n")
        finished = set(again.proved)
        assert {f"data/room/{number}.mp4" for number in range(lines)} <= finished
        assert len(finished) <= lines + (whole[len(kept) : len(kept) + 1] == b"\n" or noise.startswith(b"\n"))
        again.verified("data/room/new.mp4", 1, "f" * 64, None)
        again.close()
        last = CopyJournal(folder)
        assert set(last.proved) == finished | {"data/room/new.mp4"}
        last.close()
