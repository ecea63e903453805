"""Segment and gap rows, and one camera's day drawn from them."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest

from exam_kit.cctv.coverage import coverage
from exam_kit.cctv.rows import Rows
from exam_kit.cctv.segments import gaps, segments
from exam_kit.cctv.status import CAUSES, STATES, CameraStatus, Desired, camera_statuses
from exam_kit.clock import FakeClock, from_iso, iso
from exam_kit.errors import StoreError
from exam_kit.i18n import LANGUAGES, translate
from exam_kit.point import Point
from exam_kit.store import Ledger, Store

DAY = "2026-05-28T"
CAMERA = "R1-1"  # planned 06:00–11:05 UTC: an exam from 07:00 for 235 minutes, 60 before, 10 after


def at(clock: str) -> datetime:
    return from_iso(f"{DAY}{clock}Z")


@pytest.fixture
def rows(store: Store, ledger: Ledger, point: Point) -> Rows:
    return Rows(store, ledger, point)


def closed(path: str, start: str, end: str, opened: str = "", sha256: str | None = "ab" * 32) -> dict[str, object]:
    return {
        "camera": CAMERA, "opened_path": opened or path, "path": path, "from": iso(at(start)), "to": iso(at(end)),
        "frames": 600, "bytes": 1000, "sha256": sha256, "reason": "cut",
    }  # fmt: skip


def test_a_segment_is_a_row_when_it_opens_and_a_ledger_entry_when_it_closes(
    rows: Rows, store: Store, ledger: Ledger
) -> None:
    rows.segment_opened(CAMERA, "a-open.mp4", at("06:00:00"))
    (opened,) = segments(store)
    assert (opened.end, opened.closed) == (None, False)
    event = closed("a-060000.mp4", "06:00:00", "06:01:00", "a-open.mp4")
    rows.segment_closed(event)
    rows.segment_closed(event)  # told twice
    (found,) = segments(store, CAMERA, date(2026, 5, 28))
    (entry,) = ledger.entries(["segment.closed"])
    assert (found.path, found.end, found.closed, found.seq) == ("a-060000.mp4", at("06:01:00"), True, entry.seq)
    assert entry.body["sha256"] == found.sha256
    assert segments(store, "HQ-1") == segments(store, day=date(2026, 5, 29)) == []


def test_a_segment_nobody_announced_is_entered_all_the_same(rows: Rows, store: Store) -> None:
    rows.segment_closed(closed("b.mp4", "06:00:00", "06:01:00"))
    assert [segment.path for segment in segments(store)] == ["b.mp4"]


def test_the_local_day_decides(rows: Rows, store: Store) -> None:
    """22:30 UTC is the next day in Moscow."""
    rows.segment_opened(CAMERA, "late-open.mp4", at("22:30:00"))
    assert segments(store)[0].day == date(2026, 5, 29)


def test_a_gap_is_entered_when_it_opens_and_when_it_closes(rows: Rows, store: Store, ledger: Ledger) -> None:
    number = rows.gap_opened(CAMERA, at("06:10:00"), "stream_ended", "end of stream")
    rows.gap_explained(number, "camera_refused", "Connection refused")
    assert rows.open_gaps()[CAMERA]["id"] == number
    rows.gap_closed(number, at("06:12:00"))
    rows.gap_closed(number, at("06:30:00"))  # it has ended already
    (gap,) = gaps(store, CAMERA)
    assert (gap.start, gap.end, gap.cause) == (at("06:10:00"), at("06:12:00"), "camera_refused")
    assert [entry.kind for entry in ledger.entries(prefix="gap.")] == ["gap.opened", "gap.closed"]
    assert gaps(store, CAMERA, at("06:12:00"), at("07:00:00")) == gaps(store, "HQ-1") == []


def test_a_row_stands_and_falls_with_its_entry(rows: Rows, store: Store, ledger: Ledger) -> None:
    store.connection.execute("DROP TABLE gap")
    with pytest.raises(StoreError):
        rows.gap_opened(CAMERA, at("06:10:00"), "disk_full", "")
    assert list(ledger.entries(["gap.opened"])) == []


def test_coverage_tells_recorded_missing_idle_and_future_time_apart(rows: Rows, store: Store, point: Point) -> None:
    rows.segment_closed(closed("1.mp4", "06:00:01", "06:30:00"))
    rows.segment_closed(closed("2.mp4", "06:40:00", "07:00:00"))
    rows.segment_closed(closed("gone.mp4", "07:10:00", "07:20:00", sha256=None) | {"reason": "file_missing"})
    rows.gap_closed(rows.gap_opened(CAMERA, at("06:30:00"), "camera_refused", ""), at("06:40:00"))
    found = coverage(store, point, CAMERA, at("05:00:00"), at("12:00:00"), now=at("08:00:00"))
    assert [(span.start, span.end, span.kind, span.cause) for span in found.spans] == [
        (at("05:00:00"), at("06:00:00"), "not_planned", None),
        (at("06:00:00"), at("06:00:01"), "gap", "starting"),
        (at("06:00:01"), at("06:30:00"), "recorded", None),
        (at("06:30:00"), at("06:40:00"), "gap", "camera_refused"),
        (at("06:40:00"), at("07:00:00"), "recorded", None),
        (at("07:00:00"), at("08:00:00"), "gap", "not_recorded"),
        (at("08:00:00"), at("11:05:00"), "future", None),
        (at("11:05:00"), at("12:00:00"), "not_planned", None),
    ]
    assert found.recorded_s == 29 * 60 + 59 + 20 * 60
    assert found.gap_s == 1 + 10 * 60 + 60 * 60


def test_a_noted_gap_reaches_from_the_last_frame_to_the_next_one(rows: Rows, store: Store, point: Point) -> None:
    """The clock noted it a second late at both ends, as it does on a busy computer: still one gap, with its cause."""
    rows.segment_closed(closed("1.mp4", "06:00:00", "06:30:00"))
    rows.segment_closed(closed("2.mp4", "06:30:12", "06:40:00"))
    rows.gap_closed(rows.gap_opened(CAMERA, at("06:30:01"), "stream_ended", ""), at("06:30:11"))
    found = coverage(store, point, CAMERA, at("06:00:00"), at("06:40:00"), now=at("08:00:00"))
    (gap,) = [span for span in found.spans if span.kind == "gap"]
    assert (gap.start, gap.end, gap.cause) == (at("06:30:00"), at("06:30:12"), "stream_ended")


@pytest.mark.parametrize(
    ("reported", "ends"),
    [("06:09:58", "06:10:00"), ("06:05:00", "06:05:00"), (None, "06:00:00")],
    ids=["just reported", "silent for minutes", "never reported"],
)
def test_a_file_being_written_counts_as_far_as_was_reported(
    reported: str | None, ends: str, rows: Rows, store: Store, point: Point, clock: FakeClock
) -> None:
    rows.segment_opened(CAMERA, "a-open.mp4", at("06:00:00"))
    rows.states([CameraStatus(CAMERA, recorded_to=at(reported) if reported else None)], clock.now())
    found = coverage(store, point, CAMERA, at("06:00:00"), at("06:10:00"), now=at("06:10:00"))
    assert found.recorded_s == (at(ends) - at("06:00:00")).total_seconds()
    assert found.recorded_s + found.gap_s == 600


def test_a_status_is_read_back_as_it_was_written(rows: Rows, store: Store, clock: FakeClock) -> None:
    written = CameraStatus(
        CAMERA, "lost", clock.now(), fault="sign_in_refused", detail="401", asks=True, gap_since=at("06:00:00"),
        recorded_to=at("05:59:59"), desired=Desired("a", "b", "c", 3), boot_id=clock.boot_id(),
    )  # fmt: skip
    rows.states([written], clock.now() + timedelta(seconds=1))
    read = camera_statuses(store)[CAMERA]
    written.seen_at = clock.now() + timedelta(seconds=1)
    assert read == written


@pytest.mark.parametrize("language", [language for language in LANGUAGES if language != "en"])
def test_every_cause_and_state_has_words_in_every_language(language: str) -> None:
    for text in (*CAUSES.values(), *STATES.values()):
        assert translate(text, language) != text
