"""What the recorder does with what others left behind: no index, no row, another boot, another picture."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import av
import pytest

from exam_kit.cctv.recorder import Recorder
from exam_kit.cctv.recovery import reaches
from exam_kit.cctv.segments import gaps, segments
from exam_kit.cctv.status import Desired, camera_statuses
from exam_kit.clock import SystemClock
from exam_kit.errors import UsageError
from exam_kit.home import Home
from exam_kit.point import Secrets
from exam_kit.store import Ledger, Store, open_store
from tests.cctv_fixtures import make_clip, point_of

Until = Callable[..., None]
ORDER = Desired("smirnov", "petrova", "exam", 7)


class NextBoot(SystemClock):
    """The same clock after a restart of the machine."""

    def boot_id(self) -> str:
        return "next"


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"{make_clip(tmp_path / 'clip.mp4').as_uri()}?loop=1"


@pytest.fixture
def made(home: Home) -> Iterator[Callable[..., Recorder]]:
    """Recorders on this home; those still open are closed at the end."""
    opened: list[Recorder] = []

    def make(url: str, clock: SystemClock | None = None) -> Recorder:
        store = open_store(home)
        clock = clock or SystemClock()
        point = point_of({"HQ-1": url}, user=None)
        secrets = Secrets(home, file_only=True)
        recorder = Recorder(point, home, store, Ledger(store, home, clock), clock, secrets, segment_s=1.0)
        opened.append(recorder)
        return recorder

    yield make
    for recorder in opened:
        recorder.close("test ended")


def record(recorder: Recorder, until: Until, pieces: int) -> None:
    """Record until that many segments are finished."""
    recorder.set_desired({"HQ-1": ORDER})

    def enough() -> bool:
        recorder.tick()
        return recorder.status()["HQ-1"].segments >= pieces

    until(enough, 15)


def test_a_lost_index_loses_no_footage(home: Home, made: Callable[..., Recorder], url: str, until: Until) -> None:
    first = made(url)
    record(first, until, 2)
    first.close("test ended")
    store = open_store(home)
    before = segments(store)
    store.close()
    for file in home.store.parent.glob("exam-kit.db*"):
        file.unlink()
    stranger = home.footage / "2026-05-28" / "HQ-1" / "holiday.mp4"
    stranger.parent.mkdir(parents=True, exist_ok=True)
    stranger.write_bytes(b"not a film")

    again = made(url)
    said = again.recover()
    store = open_store(home)

    def all_back() -> bool:
        again.tick()
        return len(segments(store)) == len(before)

    until(all_back)
    assert said
    assert [(s.path, s.sha256, s.frames, s.start) for s in segments(store)] == [
        (s.path, s.sha256, s.frames, s.start) for s in before
    ]
    assert {s.reason for s in segments(store)} == {"recovered"}
    assert stranger.exists()
    store.close()


def test_a_file_left_open_without_a_row_is_closed_by_what_it_says_itself(
    home: Home, made: Callable[..., Recorder], url: str, until: Until
) -> None:
    first = made(url)
    record(first, until, 1)
    first.close("test ended")
    store = open_store(home)
    kept = segments(store)[0]
    opened = kept.file(home).with_name(kept.file(home).stem.rpartition("-")[0] + "-open.mp4")
    kept.file(home).rename(opened)
    store.close()
    for file in home.store.parent.glob("exam-kit.db*"):
        file.unlink()

    again = made(url)
    again.recover()
    store = open_store(home)

    def back() -> bool:
        again.tick()
        return any(s.sha256 == kept.sha256 for s in segments(store))

    until(back)
    assert not opened.exists()
    assert kept.file(home).exists()
    store.close()


@pytest.mark.parametrize(("clock", "cause"), [(SystemClock, "agent_stopped"), (NextBoot, "machine_off")])
def test_time_without_an_agent_is_a_gap_with_its_cause(
    made: Callable[..., Recorder], url: str, until: Until, store: Store, clock: type[SystemClock], cause: str
) -> None:
    first = made(url)
    record(first, until, 1)
    first.close("sigterm")
    again = made(url, clock())
    again.recover()
    (gap,) = gaps(store)
    assert (gap.cause, gap.end) == (cause, None)
    assert gap.start == segments(store)[-1].end
    record(again, until, 1)
    (gap,) = gaps(store)
    assert gap.end is not None
    assert gap.end in {segment.start for segment in segments(store)}


def test_orders_are_in_the_ledger_and_the_state_is_there_for_the_screens(
    made: Callable[..., Recorder], url: str, until: Until, store: Store, home: Home
) -> None:
    recorder = made(url)
    record(recorder, until, 1)
    status = camera_statuses(store)["HQ-1"]
    assert (status.state, status.desired, status.codec, status.width) == ("recording", ORDER, "h264", 320)
    assert (home.live / "HQ-1.jpg").read_bytes()[:2] == b"\xff\xd8"
    with pytest.raises(UsageError, match="NOPE"):
        recorder.set_desired({"NOPE": ORDER})
    recorder.set_desired({}, {"HQ-1": Desired("smirnov", "petrova", "over", 8)})

    def all_closed() -> bool:
        recorder.tick()
        return all(segment.closed for segment in segments(store))

    until(all_closed)
    said = [(e.kind, e.actor, e.body["order"], e.body["why"]) for e in
            Ledger(store, home, SystemClock()).entries(prefix="recording.")]  # fmt: skip
    assert said == [("recording.started", "smirnov", 7, "exam"), ("recording.stopped", "smirnov", 8, "over")]
    assert recorder.status()["HQ-1"].state == "off"
    assert gaps(store) == []
    assert segments(store)[-1].reason == "stopped"


def test_a_camera_that_changes_its_picture_size_begins_a_new_file(
    tmp_path: Path, made: Callable[..., Recorder], until: Until, store: Store, home: Home
) -> None:
    stream = tmp_path / "changing.ts"
    with stream.open("wb") as target:
        for number, width in enumerate((320, 480)):
            clip = make_clip(tmp_path / f"{width}.mp4", seconds=2, width=width)
            part = tmp_path / f"{width}.ts"
            with (
                av.open(str(clip)) as source,
                av.open(str(part), "w", format="mpegts", options={"output_ts_offset": str(2 * number)}) as out,
            ):
                copy = out.add_stream_from_template(source.streams.video[0])
                for packet in source.demux(video=0):
                    if packet.size:
                        packet.stream = copy
                        out.mux(packet)
            target.write(part.read_bytes())
    recorder = made(stream.as_uri())
    recorder.set_desired({"HQ-1": ORDER})

    def changed() -> bool:
        recorder.tick()
        return "stream_changed" in {segment.reason for segment in segments(store)}

    until(changed, 15)
    recorder.close("test ended")
    for segment in segments(store):
        with av.open(str(segment.file(home))) as film:
            assert len({(frame.width, frame.height) for frame in film.decode(video=0)}) <= 1
    assert segments(store)[0].start > datetime(2020, 1, 1, tzinfo=UTC)


def test_a_file_killed_before_its_first_fragment_reaches_to_its_own_beginning(tmp_path: Path) -> None:
    """Whatever was reported of it never reached the disk: the gap begins with the file, not with the report."""
    row = {"from_at": "2026-05-28T07:00:00.000000Z"}
    whole = make_clip(tmp_path / "whole.mp4", seconds=2)
    head = tmp_path / "head.mp4"
    head.write_bytes(whole.read_bytes()[:40])
    assert reaches(head, row) == "2026-05-28T07:00:00.000000Z"
    assert reaches(whole, row) == "2026-05-28T07:00:02.000000Z"
