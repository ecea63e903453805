"""Sets of rooms survive being written and read."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exam_kit.errors import RefusedEntry
from exam_kit.journal.rooms import format_rooms, parse_rooms

CODES = st.one_of(
    st.integers(0, 60).map("{:04}".format),
    st.integers(0, 30).map("{}".format),
    st.integers(1, 12).map("COR{}".format),
    st.from_regex(r"[A-Za-z0-9-]{1,8}", fullmatch=True),
)
KNOWN = st.lists(CODES, min_size=1, max_size=60, unique_by=str.casefold)


@given(KNOWN, st.data())
def test_what_is_written_is_read_back(known: list[str], data: st.DataObject) -> None:
    chosen = data.draw(st.sets(st.sampled_from(known), min_size=1))
    assert set(parse_rooms(format_rooms(chosen), known)) == chosen


@given(st.text(max_size=30), KNOWN)
def test_any_text_is_read_or_refused(text: str, known: list[str]) -> None:
    try:
        rooms = parse_rooms(text, known)
    except RefusedEntry:
        return
    assert rooms
    assert set(rooms) <= set(known)


@pytest.mark.parametrize(
    ("text", "rooms"),
    [
        ("0001–0017, 7777", [*(f"{n:04}" for n in range(1, 18) if n != 13), "7777"]),
        ("0001-0003;7777", ["0001", "0002", "0003", "7777"]),
        ("0001 — 0003", ["0001", "0002", "0003"]),
        ("cor1-COR3", ["COR1", "COR2", "COR3"]),
        ("A-1", ["A-1"]),
        ("0002, 0002,", ["0002"]),
    ],
)
def test_how_people_write(text: str, rooms: list[str]) -> None:
    known = [*(f"{n:04}" for n in range(1, 21) if n != 13), "7777", "COR1", "COR2", "COR3", "A-1", "A", "1"]
    assert list(parse_rooms(text, known)) == rooms


@pytest.mark.parametrize("text", ["", "0003–0001", "0001–COR1", "0001–0099", "–0002", "0001–0002–0003", "1–0003"])
def test_what_is_refused(text: str) -> None:
    with pytest.raises(RefusedEntry):
        parse_rooms(text, ["0001", "0002", "0003", "1", "COR1"])


@pytest.mark.parametrize(
    ("rooms", "text"),
    [
        (["0001", "0002"], "0001, 0002"),
        (["7777", "0003", "0002", "0001"], "0001–0003, 7777"),
        (["COR1", "0001", "COR3", "COR2"], "0001, COR1–COR3"),
        (["0009", "0010", "0011"], "0009–0011"),
        (["9", "10", "11"], "9, 10, 11"),
    ],
)
def test_how_the_log_writes(rooms: list[str], text: str) -> None:
    assert format_rooms(rooms) == text
