"""What the recorder is given may be damaged, late or senseless: what can be recorded is recorded, and said truly."""

from __future__ import annotations

import errno
import queue
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from exam_kit.cctv import intake
from exam_kit.cctv.coverage import coverage
from exam_kit.cctv.intake import Intake
from exam_kit.cctv.process import WorkerProcess
from exam_kit.cctv.recorder import Recorder
from exam_kit.cctv.segments import gaps, segments
from exam_kit.cctv.status import Desired
from exam_kit.cctv.wire import Timings, WorkerConfig
from exam_kit.clock import FakeClock, SystemClock
from exam_kit.errors import AccessDenied
from exam_kit.home import Home
from exam_kit.point import Point, Secrets, read_point
from exam_kit.store import Ledger, Store
from tests.cctv_fixtures import make_clip, point_of
from tests.conftest import POINT_TOML

Until = Callable[..., None]
PLAN = Desired("agent", "plan", "window of zone room")
STOP = Desired("smirnov", "petrova", "the exam is over", 8)


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"{make_clip(tmp_path / 'clip.mp4').as_uri()}?loop=1"


@pytest.fixture
def made(home: Home, store: Store) -> Iterator[Callable[..., Recorder]]:
    """Recorders on this home; those still open are closed at the end."""
    opened: list[Recorder] = []

    def make(point: Point) -> Recorder:
        clock = SystemClock()
        secrets = Secrets(home, file_only=True)
        opened.append(Recorder(point, home, store, Ledger(store, home, clock), clock, secrets, segment_s=1.0))
        return opened[-1]

    yield make
    for recorder in opened:
        recorder.close("test ended")


def exam_now(url: str, *, cameras: int = 1) -> Point:
    """A point whose room is planned to be recorded now, and for an hour more."""
    start = datetime.now(UTC) - timedelta(minutes=1)
    text = POINT_TOML[: POINT_TOML.index("[[cameras]]")].replace("Europe/Moscow", "UTC")
    for number in range(1, cameras + 1):
        text += f'[[cameras]]\nid = "R1-{number}"\nroom = "0001"\nurl = "{url}"\nbitrate_mbps = 2\n'
    day = f'[[days]]\ndate = {start:%Y-%m-%d}\nstart = {start:%H:%M:%S}\nsubject = "x"\nduration_min = 60\n'
    return read_point(text + day)


def records(recorder: Recorder, camera: str, until: Until) -> None:
    def yes() -> bool:
        recorder.tick()
        return recorder.status()[camera].state == "recording"

    until(yes, 15)


@pytest.mark.parametrize("text", ["{", "[]", "\x00"])
def test_damaged_passwords_keep_no_camera_without_one_from_recording(
    home: Home, made: Callable[..., Recorder], url: str, until: Until, text: str
) -> None:
    home.secrets.write_text(text, encoding="utf-8")
    with pytest.raises(AccessDenied):
        Secrets(home, file_only=True).get("camera:HQ-1")
    recorder = made(point_of({"HQ-1": url}, user=None))
    recorder.set_desired({"HQ-1": PLAN})
    records(recorder, "HQ-1", until)


def test_a_report_without_sense_holds_up_no_other(made: Callable[..., Recorder], url: str, until: Until) -> None:
    recorder = made(point_of({"HQ-1": url}, user=None))
    for event in (5, {}, {"event": "progress", "camera": "HQ-1"}):
        recorder._events.put((None, event))  # type: ignore[arg-type]
    recorder.set_desired({"HQ-1": PLAN})
    records(recorder, "HQ-1", until)


def test_a_restart_after_the_heads_stop_makes_no_gap(
    store: Store, made: Callable[..., Recorder], url: str, until: Until
) -> None:
    point = exam_now(url)
    first = made(point)
    first.recover()
    first.set_desired({"R1-1": PLAN})
    records(first, "R1-1", until)
    first.set_desired({}, {"R1-1": STOP})
    first.close("agent stopped")
    again = made(point)
    again.recover()
    again.set_desired({}, {"R1-1": STOP})
    again.tick()
    assert gaps(store) == []


def test_a_stop_ordered_while_no_agent_ran_takes_the_rest_out_of_the_plan(
    store: Store, made: Callable[..., Recorder], url: str, until: Until
) -> None:
    point = exam_now(url)
    first = made(point)
    first.recover()
    first.set_desired({"R1-1": PLAN})
    records(first, "R1-1", until)
    first.close("agent stopped")
    again = made(point)
    again.recover()
    again.set_desired({}, {"R1-1": STOP})
    again.tick()
    # The last frame lasts until the next one would have come, which may be a moment ahead of the clock.
    now = max(datetime.now(UTC), *(segment.end for segment in segments(store) if segment.end))
    seen = coverage(store, point, "R1-1", now, now + timedelta(minutes=30), now + timedelta(minutes=30))
    assert {span.kind for span in seen.spans} == {"not_planned"}


def test_the_gap_of_a_camera_that_left_the_point_ends_when_it_was_last_seen(
    home: Home, store: Store, ledger: Ledger, url: str, clock: FakeClock, made: Callable[..., Recorder]
) -> None:
    nobody = "rtsp://127.0.0.1:9/nothing"
    first = made(point_of({"HQ-1": url, "OLD-1": nobody}, user=None))
    first.set_desired({"OLD-1": PLAN})
    first._cameras["OLD-1"].open_gap(datetime.now(UTC), "camera_unreachable")
    first.close("agent stopped")
    made(point_of({"HQ-1": url}, user=None)).recover()
    assert [gap.end is not None for gap in gaps(store, "OLD-1")] == [True]


def test_a_file_that_cannot_be_finished_now_is_finished_later(
    home: Home, point: Point, until: Until, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(intake, "AGAIN_S", 0.1)
    events: Any = queue.SimpleQueue()
    path = "2026-05-28/R1-1/77_0001_20260528_0001_R1-1_100000-open.mp4"
    held = home.footage / path
    held.mkdir(parents=True)  # whatever is there, it cannot be read as a file
    row = {"camera": "R1-1", "path": path, "from_at": "2026-05-28T07:00:00.000000Z"}
    worker = Intake(home.footage, point, events)
    worker.take(row, path)
    until(lambda: worker._again)
    held.rmdir()
    make_clip(held)
    until(lambda: not events.empty())
    worker.close()
    _worker, event = events.get()
    assert (event["event"], event["opened_path"], event["reason"]) == ("closed", path, "recovered")
    assert (home.footage / event["path"]).exists()


def test_a_dead_workers_pipe_may_fail_as_it_does_on_windows(home: Home, until: Until) -> None:
    events: Any = queue.SimpleQueue()
    config = WorkerConfig(str(home.footage), str(home.live), str(home.run), 1.0, 0, Timings())
    worker = WorkerProcess(config, events, str)

    class Pipe:
        """Windows tells of a broken pipe as of an invalid argument, again when it is closed."""

        def write(self, _text: str) -> None:
            raise OSError(errno.EINVAL, "Invalid argument")

        flush = close = lambda self: self.write("")

    real, worker._process.stdin = worker._process.stdin, Pipe()  # type: ignore[assignment]
    worker.send({"do": "stop", "camera": "HQ-1", "reason": "test"})
    worker.kill()

    def told() -> bool:
        return not events.empty() and events.get()[1]["event"] == "exit"

    until(told)
    assert real is not None
    real.close()
