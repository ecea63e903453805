"""Timestamps as cameras send them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from types import SimpleNamespace

import pytest

from exam_kit.cctv.packets import codec_parameters, is_torn, whole
from exam_kit.cctv.timeline import Anchor, DecodeOrder, Drift, WallClock

NOON = datetime(2026, 5, 28, 9, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("delay", "times", "expected"),
    [
        pytest.param(0, [0, 10, 20, 30], [0, 10, 20, 30], id="no reordering"),
        pytest.param(2, [0, 40, 10, 20, 30, 80, 50], [-20, -10, 0, 10, 20, 30, 40], id="B pyramid"),
        pytest.param(0, [0, 30, 10, 20, 60], None, id="reorders although it said it does not"),
        pytest.param(0, [0, 0, 0], None, id="the same time again and again"),
    ],
)
def test_decode_times_grow_and_never_pass_the_presentation(
    delay: int, times: list[int], expected: list[int] | None
) -> None:
    order = DecodeOrder(delay, 10)
    found = [order.put(time) for time in times]
    decode = [dts for _pts, dts in found]
    assert decode == sorted(set(decode))
    assert all(dts <= pts for pts, dts in found)
    if expected is not None:
        assert decode == expected
        assert [pts for pts, _dts in found] == times


def test_ticks_become_moments() -> None:
    anchor = Anchor(NOON, 90_000, Fraction(1, 90_000))
    assert anchor.moment(0) == NOON - timedelta(seconds=1)
    assert anchor.shifted(2).moment(180_000) == NOON + timedelta(seconds=3)


def test_time_goes_on_by_the_clock_that_never_steps() -> None:
    boot = iter([110.0, 120.0])
    clock = WallClock(NOON.timestamp() - 100.0, lambda: next(boot))
    assert clock.at(NOON + timedelta(seconds=8)) == NOON + timedelta(seconds=10)
    assert clock.steady() == NOON + timedelta(seconds=20)


def test_nothing_is_dated_before_what_is_recorded_and_from_there_time_goes_on() -> None:
    """The machine's clock was behind the footage when the camera was ordered."""
    boot = iter([5.0, 7.0, 9.0])
    recorded_to = NOON + timedelta(hours=1)
    clock = WallClock(NOON.timestamp(), lambda: next(boot))
    assert clock.at(recorded_to) == recorded_to
    assert clock.at(recorded_to) == recorded_to + timedelta(seconds=2), "a pause has its length"
    assert clock.steady() == recorded_to + timedelta(seconds=4)


@pytest.mark.parametrize(
    ("lags_s", "expected"),
    [
        pytest.param([0.1] * 8, [0.0] * 8, id="in step"),
        pytest.param([15.0, 14.0, 9.0, 0.0, 0.1, 0.0], [0.0] * 6, id="a backlog after a pause is no drift"),
        pytest.param([1.2, 1.3, 1.4, 1.5, 1.6, 0.1], [0.0, 0.0, 0.0, 0.0, 1.2, 0.0], id="a slow camera"),
        pytest.param([-1.2, -1.3, -1.4, -1.5, -1.6], [0.0, 0.0, 0.0, 0.0, -1.2], id="a fast camera"),
    ],
)
def test_drift_is_what_stays(lags_s: list[float], expected: list[float]) -> None:
    drift = Drift(1.0)
    assert [drift.correction_s(lag) for lag in lags_s] == expected


@pytest.mark.parametrize(
    ("codec", "data", "expected"),
    [
        ("h264", b"\0\0\0\1\x67ABC\0\0\0\1\x68D\0\0\1\x65E", b"\x67ABC"),
        ("h264", b"\0\0\1\x65slice", None),
        ("h264", b"\0\0\0\5\x67ABCD", None),
        ("hevc", b"\0\0\1\x40\1vps\0\0\1\x42\1sps\0\0\1\x44\1pps", b"\x42\1sps"),
        ("mjpeg", b"\0\0\1\x67", None),
        ("h264", b"", None),
    ],
)
def test_the_parameter_set_of_a_keyframe(codec: str, data: bytes, expected: bytes | None) -> None:
    assert codec_parameters(codec, data) == expected


class _Packet(bytes):
    """As far as it is looked at."""

    stream = SimpleNamespace(type="video", codec_context=SimpleNamespace(name="h264"))
    size = property(len)


@pytest.mark.parametrize(
    ("data", "torn"),
    [
        pytest.param(b"\x00\x00\x01\x09\xf0", True, id="a delimiter and nothing after it"),
        pytest.param(b"\x00\x00\x01\x67\x42\x00\x00\x01\x68\xce", True, id="parameters alone"),
        pytest.param(b"\x00\x00\x01\x09\xf0\x00\x00\x01\x41\x9a", False, id="a small picture"),
        pytest.param(b"\x00\x00\x01\x09\xf0" + bytes(64), False, id="too large to be looked into"),
        pytest.param(b"\x00\x00\x00\x02\x41\x9a", False, id="lengths instead of start codes"),
    ],
)
def test_the_head_of_a_frame_is_no_frame(data: bytes, torn: bool) -> None:
    assert is_torn(_Packet(data)) is torn


@pytest.mark.parametrize(
    ("waits_s", "kept"),
    [
        pytest.param([0.04, 0.04, 3.0], [0, 1], id="what comes when waiting ended is a piece"),
        pytest.param([0.04, 2.0, 0.04], [0, 1, 2], id="a pause in the middle costs nothing"),
        pytest.param([0.04, 2.0, 2.0, 0.04], [0, 1, 2, 3], id="a slow camera"),
    ],
)
def test_a_piece_of_a_frame_is_not_recorded(
    monkeypatch: pytest.MonkeyPatch, waits_s: list[float], kept: list[int]
) -> None:
    now = [0.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])

    def incoming() -> Iterator[int]:
        for number, wait_s in enumerate(waits_s):
            now[0] += wait_s
            yield number

    assert list(whole(incoming())) == kept
