"""Cameras, processes and disks that fail while the recorder records. Real streams, real processes, real kills."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from urllib.parse import quote

import av
import av.error
import psutil
import pytest

from exam_kit.cctv.recorder import Recorder
from exam_kit.cctv.sealer import hash_file
from exam_kit.cctv.segments import Segment, gaps, segments
from exam_kit.cctv.status import Desired, camera_statuses
from exam_kit.cctv.wire import Timings
from exam_kit.clock import Clock, SystemClock
from exam_kit.home import Home
from exam_kit.point import Secrets
from exam_kit.store import Ledger, Store
from tests.cctv_fixtures import PASSWORD, Agent, RtspServer, make_clip, needs_rtsp, point_of

Until = Callable[..., None]
ORDER = Desired("smirnov", "petrova", "exam", 1)
QUICK = Timings(sign_in_wait_s=0.5, disk_wait_s=0.5)


class Bench:
    """A recorder with real clocks on a home of its own."""

    def __init__(self, home: Home, store: Store) -> None:
        self.home, self.store = home, store
        self.secrets = Secrets(home, file_only=True)
        self.ledger = Ledger(store, home, SystemClock())
        self.recorder: Recorder | None = None

    def start(
        self,
        urls: dict[str, str],
        *,
        password: str | None = PASSWORD,
        reserve_bytes: int = 1 << 20,
        sound: bool = False,
        clock: Clock | None = None,
    ) -> Recorder:
        for camera in urls:
            if password is not None:
                self.secrets.set(f"camera:{camera}", password)
        self.recorder = Recorder(
            point_of(urls, sound=sound), self.home, self.store, self.ledger, clock or SystemClock(), self.secrets,
            segment_s=3.0, timings=QUICK, reserve_bytes=reserve_bytes,
        )  # fmt: skip
        self.recorder.recover()
        self.recorder.set_desired(dict.fromkeys(urls, ORDER))
        return self.recorder

    def state(self, camera: str) -> str:
        assert self.recorder is not None
        self.recorder.tick()
        return self.recorder.status()[camera].state


@pytest.fixture
def bench(home: Home, store: Store) -> Iterator[Bench]:
    made = Bench(home, store)
    yield made
    if made.recorder is not None:
        made.recorder.close("test ended")


def playable_s(path: Path) -> float:
    """Seconds that decode, to the last frame before the first error, if there is one."""
    ends = [0.0]
    with av.open(str(path)) as container:
        video = container.streams.video[0]
        base = float(video.time_base or 0)
        first = (video.start_time or 0) * base
        try:
            for frame in container.decode(video):
                if frame.pts is not None:
                    ends.append(frame.pts * base + 0.1 - first)  # ten frames a second
        except av.error.InvalidDataError:
            return max(ends)
    return max(ends)


def assert_all_play(home: Home, found: list[Segment]) -> None:
    """Every file stands where the row says, with that hash and length, and plays to its end."""
    assert found
    for segment in found:
        assert segment.end is not None
        assert (segment.bytes, segment.sha256) == hash_file(segment.file(home))
        if segment.frames:
            assert playable_s(segment.file(home)) == pytest.approx(
                (segment.end - segment.start).total_seconds(), abs=0.25
            )
    assert {segment.path for segment in found} == {
        path.relative_to(home.footage).as_posix() for path in home.footage.rglob("*.mp4")
    }


def traces_of(secret: str, home: Home) -> list[str]:
    """Where the secret, or its form in an address, can be found: processes, and files except the one it is kept in."""
    forms = [form.encode() for form in (secret, quote(secret), quote(secret, safe=""))]
    places = [path for process in Path("/proc").glob("[0-9]*") for path in (process / "cmdline", process / "environ")]
    places += [path for path in home.root.rglob("*") if path.is_file() and path != home.secrets]
    found = []
    for place in places:
        try:
            content = place.read_bytes()
        except OSError:
            continue  # the process has ended, or is another user's
        found += [str(place)] if any(form in content for form in forms) else []
    return found


def workers(pid: int) -> list[psutil.Process]:
    """Recording workers among the children of a process."""
    children = psutil.Process(pid).children()
    return [child for child in children if "exam_kit.cctv.worker" in child.cmdline()]


@needs_rtsp
@pytest.mark.rtsp
def test_killed_workers_and_a_killed_agent_lose_next_to_nothing(home: Home, store: Store, until: Until) -> None:
    """kill -9 for the workers, then for the agent: all footage plays, every gap has its cause, no password anywhere."""
    cameras = {"HQ-1": "a", "R1-1": "b"}
    secrets = Secrets(home, file_only=True)
    for camera in cameras:
        secrets.set(f"camera:{camera}", PASSWORD)

    def recording_since(count: int) -> bool:
        rows = [[s for s in segments(store, camera) if s.frames != 0] for camera in cameras]
        return all(len(row) >= count for row in rows)

    with RtspServer(cameras.values()) as server:
        urls = {camera: server.url(mount) for camera, mount in cameras.items()}
        agent = Agent(home, urls, segment_s=2.0)
        until(lambda: recording_since(2), 20)
        killed = len(segments(store))
        for worker in workers(agent.pid):
            worker.kill()
        until(lambda: len([gap for gap in gaps(store) if gap.end]) == 2 and len(segments(store)) > killed + 2, 20)
        assert traces_of(PASSWORD, home) == []
        orphans = workers(agent.pid)
        agent.kill()
        psutil.wait_procs(orphans, 10)
        again = Agent(home, urls, segment_s=2.0)
        until(lambda: len([gap for gap in gaps(store) if gap.end]) == 4, 20)
        assert again.end() == 0

    assert [gap.cause for gap in gaps(store)] == ["worker_killed"] * 2 + ["agent_stopped"] * 2
    assert_all_play(home, segments(store))
    for camera in cameras:
        mine, holes = segments(store, camera), gaps(store, camera)
        ends = {segment.end for segment in mine}
        starts = {segment.start for segment in mine}
        assert all(hole.start in ends and hole.end in starts for hole in holes), "a gap lies between two files"
        for before, after in pairwise(mine):
            assert before.end is not None
            assert after.start >= before.end, "files do not overlap"
    entries = [entry.body for entry in Ledger(store, home, SystemClock()).entries(["segment.closed"])]
    assert {entry["sha256"] for entry in entries} == {segment.sha256 for segment in segments(store)}
    assert traces_of(PASSWORD, home) == []


@needs_rtsp
@pytest.mark.rtsp
def test_a_stalled_camera_is_a_gap_and_comes_back(bench: Bench, until: Until) -> None:
    with RtspServer(["a"], sound=True) as server:
        recorder = bench.start({"HQ-1": server.url("a")}, sound=True)
        until(lambda: bench.state("HQ-1") == "recording")
        assert recorder.status()["HQ-1"].sound == "pcm_alaw → aac", "mp4 cannot carry G.711"
        server.stall()
        until(lambda: bench.state("HQ-1") == "lost")
        server.go_on()
        until(lambda: bench.state("HQ-1") == "recording", 20)
    (gap,) = gaps(bench.store)
    assert gap.cause == "stream_stalled"
    assert gap.end is not None


@needs_rtsp
@pytest.mark.rtsp
def test_a_dead_camera_that_returns(bench: Bench, until: Until) -> None:
    """Killed, refused for a while, started again on the same port: the cause is what the camera said while away."""
    with RtspServer(["a"]) as server:
        bench.start({"HQ-1": server.url("a")})
        until(lambda: bench.state("HQ-1") == "recording")
        server.kill()
        until(lambda: bench.state("HQ-1") == "lost" and gaps(bench.store)[0].cause == "camera_refused")
        with RtspServer(["a"], port=server.port):
            until(lambda: bench.state("HQ-1") == "recording", 20)
    assert bench.recorder is not None
    bench.recorder.close("test ended")
    bench.recorder = None
    assert_all_play(bench.home, segments(bench.store))


@needs_rtsp
@pytest.mark.rtsp
def test_a_wrong_password_is_tried_three_times_and_then_asked_for(bench: Bench, until: Until) -> None:
    wrong = "wr0ng/пароль"
    with RtspServer(["a"]) as server:
        recorder = bench.start({"HQ-1": server.url("a")}, password=wrong)

        def asks() -> bool:
            recorder.tick()
            return recorder.status()["HQ-1"].asks

        until(asks)
        status = camera_statuses(bench.store)["HQ-1"]
        assert (status.state, status.fault, status.retry_at) == ("lost", "sign_in_refused", None)
        (gap,) = gaps(bench.store)
        assert (gap.cause, gap.end) == ("sign_in_refused", None)
        assert traces_of(wrong, bench.home) == []
        bench.secrets.set("camera:HQ-1", PASSWORD)
        recorder.retry("HQ-1")
        until(lambda: bench.state("HQ-1") == "recording")
    assert gaps(bench.store)[0].end is not None


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    return make_clip(tmp_path / "clip.mp4")


@pytest.fixture
def small_disk(home: Home) -> Iterator[Path]:
    """The footage folder on a disk of its own of 6 MiB."""
    mounted = sys.platform == "linux" and os.geteuid() == 0
    if mounted:
        said = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=6m", "tmpfs", str(home.footage)],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        mounted = said.returncode == 0
    if not mounted:
        pytest.skip("a small file system cannot be mounted here (needs root on Linux)")
    yield home.footage
    subprocess.run(["umount", "-l", str(home.footage)], check=True)


@pytest.mark.parametrize("reserve_bytes", [2 << 20, 0], ids=["space kept free", "filled to the last byte"])
def test_a_full_disk_stops_cleanly_and_recording_resumes(
    reserve_bytes: int, small_disk: Path, bench: Bench, until: Until, clip: Path
) -> None:
    recorder = bench.start({"HQ-1": f"{clip.as_uri()}?loop=1"}, password=None, reserve_bytes=reserve_bytes)
    until(lambda: bench.state("HQ-1") == "recording" and recorder.status()["HQ-1"].segments > 0)
    filler = small_disk / "filler"
    with filler.open("wb") as target:
        left = shutil.disk_usage(small_disk).free - reserve_bytes // 2
        target.write(b"\0" * max(0, left - (30_000 if reserve_bytes == 0 else 0)))

    def full() -> bool:
        recorder.tick()
        return recorder.status()["HQ-1"].fault == "disk_full"

    until(full, 20)
    before = [segment for segment in segments(bench.store) if segment.frames]
    filler.unlink()
    until(lambda: bench.state("HQ-1") == "recording", 20)
    recorder.close("test ended")
    bench.recorder = None
    assert {gap.cause for gap in gaps(bench.store)} == {"disk_full"}
    assert all(gap.end for gap in gaps(bench.store))
    assert {s.path for s in before} <= {s.path for s in segments(bench.store)}, "nothing that was written is lost"
    assert "disk_full" in {segment.reason for segment in segments(bench.store)}
    assert_all_play(bench.home, segments(bench.store))
