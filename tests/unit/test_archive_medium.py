"""Reading past the page cache: to the end of a file, and not a block more than it has."""

from __future__ import annotations

from pathlib import Path

import pytest

from exam_kit.archive.medium import ALIGNMENT, BLOCK, MediumReader, aligned, read_medium


@pytest.mark.parametrize("size", [0, 1, ALIGNMENT, ALIGNMENT + 1, BLOCK, BLOCK + 5, 2 * BLOCK])
def test_a_file_of_any_size_is_read_to_its_end(tmp_path: Path, size: int) -> None:
    data = bytes(number % 251 for number in range(size))
    path = tmp_path / "file"
    path.write_bytes(data)

    blocks = [bytes(block) for block in read_medium(path)]

    assert b"".join(blocks) == data
    assert [len(block) for block in blocks[:-1]] == [BLOCK] * (len(blocks) - 1)


def test_what_lies_past_the_end_is_not_asked_for(tmp_path: Path) -> None:
    """The kernel would fill the rest of the block with zeros, and that takes time."""
    path = tmp_path / "file"
    path.write_bytes(b"x" * (ALIGNMENT + 1))
    room = aligned()
    room[:] = b"\xff" * len(room)

    with MediumReader(path) as source:
        assert source.fill(room) == ALIGNMENT + 1
        assert source.fill(room[:ALIGNMENT]) == 0

    assert bytes(room[2 * ALIGNMENT :]) == b"\xff" * (len(room) - 2 * ALIGNMENT)


@pytest.mark.parametrize("size", [0, 10, ALIGNMENT, BLOCK + 10])
def test_a_file_that_grows_meanwhile_is_read_to_its_new_end(tmp_path: Path, size: int) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"a" * size)
    more = b"b" * (2 * ALIGNMENT + 7)
    room, seen = aligned(), b""

    with MediumReader(path) as source:
        with path.open("ab") as writer:
            writer.write(more)
        while got := source.fill(room):
            seen += bytes(room[:got])

    assert seen == b"a" * size + more
