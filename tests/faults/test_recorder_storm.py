"""A camera whose stream kills whoever reads it ends up alone and is tried less and less often; the rest records."""

from __future__ import annotations

import queue
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from exam_kit.cctv import crew as crew_module
from exam_kit.cctv.crew import SETTLED_S, WAITS_S, Crew
from exam_kit.cctv.names import Label
from exam_kit.cctv.recorder import Recorder
from exam_kit.cctv.segments import gaps
from exam_kit.cctv.source import Source
from exam_kit.cctv.status import Desired
from exam_kit.cctv.wire import CameraOrder, WorkerConfig
from exam_kit.clock import SystemClock
from exam_kit.home import Home
from exam_kit.point import Secrets
from exam_kit.store import Ledger, Store
from tests.cctv_fixtures import make_clip, point_of

Until = Callable[..., None]
ORDER = Desired("smirnov", "petrova", "exam", 1)


class Stand:
    """A worker that does nothing, in place of a process."""

    def __init__(self, *_words: object) -> None:
        self.cameras: set[str] = set()
        self.pid = id(self)

    def send(self, _command: dict[str, Any]) -> None:
        return


@pytest.fixture
def time_s(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [1000.0]
    monkeypatch.setattr(crew_module, "WorkerProcess", Stand)
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    return now


def order(camera: str) -> CameraOrder:
    return CameraOrder(Source(camera, "file:///x.mp4"), Label("77", "0001", "0001", camera, "UTC"))


def test_the_camera_that_kills_its_worker_ends_alone_and_waits_longer_each_time(
    home: Home, time_s: list[float]
) -> None:
    config = WorkerConfig(str(home.footage), str(home.live), str(home.run), 1.0, 0)
    crew = Crew(config, queue.SimpleQueue(), str)
    names = [f"C{number}" for number in range(8)]
    for name in names:
        crew.start(order(name))
    assert len(crew.pids) == 1
    waited = []
    for _death in range(12):
        time_s[0] += 1
        worker: Any = next(worker for worker in crew._workers if "C3" in worker.cameras)
        waits = crew.died(worker)
        waited.append(waits["C3"])
        for name in sorted(waits):
            crew.start(order(name))
    assert waited[: len(WAITS_S)] == list(WAITS_S)
    assert max(waited) == WAITS_S[-1], "the wait is bounded"
    alone: Any = next(worker for worker in crew._workers if "C3" in worker.cameras)
    assert alone.cameras == {"C3"}
    assert set().union(*(worker.cameras for worker in crew._workers)) == set(names)
    assert len(crew.pids) <= 4, "seven healthy cameras do not need seven processes"
    time_s[0] += SETTLED_S
    assert crew.died(alone) == {"C3": 0.0}, "who lived long is started again at once"


@pytest.fixture
def recorder(home: Home, store: Store, tmp_path: Path) -> Iterator[Recorder]:
    url = f"{make_clip(tmp_path / 'clip.mp4').as_uri()}?loop=1"
    clock = SystemClock()
    made = Recorder(
        point_of({"C1": url, "C2": url, "C3": url}, user=None), home, store, Ledger(store, home, clock), clock,
        Secrets(home, file_only=True), segment_s=5.0, cameras_per_worker=4,
    )  # fmt: skip
    yield made
    made.close("test ended")


def test_real_workers_that_die_at_once_leave_the_other_cameras_recording(
    recorder: Recorder, store: Store, until: Until
) -> None:
    recorder.set_desired(dict.fromkeys(("C1", "C2", "C3"), ORDER))
    killed = set()

    def only_the_guilty_one_is_lost() -> bool:
        recorder.tick()
        for worker in list(recorder._crew._workers):
            if "C2" in worker.cameras and worker.pid not in killed:
                killed.add(worker.pid)
                worker.kill()
        seen = recorder.status()
        others = all(seen[camera].state == "recording" for camera in ("C1", "C3"))
        return others and len(killed) > 3 and (seen["C2"].state, seen["C2"].fault) == ("lost", "worker_killed")

    until(only_the_guilty_one_is_lost, 40)
    assert recorder.status()["C2"].retry_at is not None
    assert {gap.cause for gap in gaps(store, "C2")} == {"worker_killed"}
