"""Missing time is what of a window no span holds: by minutes counted one by one."""

from __future__ import annotations

import datetime as dt

from hypothesis import given
from hypothesis import strategies as st

from exam_kit.region.spans import clip, merged, missing, total_s

START = dt.datetime(2026, 5, 28, 6, 0, tzinfo=dt.UTC)
minutes = st.integers(min_value=0, max_value=60)


def at(minute: int) -> dt.datetime:
    return START + dt.timedelta(minutes=minute)


@given(st.lists(st.tuples(minutes, minutes), max_size=12), minutes, st.integers(min_value=1, max_value=30))
def test_missing_is_the_rest_of_the_window(pairs: list[tuple[int, int]], first: int, length: int) -> None:
    spans = [(at(one), at(other)) for one, other in pairs]
    window = at(first), at(first + length)
    held = {minute for one, other in pairs for minute in range(one, other)}
    lacking = {minute for minute in range(first, first + length) if minute not in held}
    found = missing(spans, window)
    told = {minute for minute in range(first, first + length) for one, other in found if one <= at(minute) < other}
    assert told == lacking
    assert total_s(found) == 60 * len(lacking)
    assert total_s(clip(spans, window)) + total_s(found) == 60 * length
    assert merged(found) == found
