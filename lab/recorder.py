"""The recorder under power cuts: frames its files were given that do not play afterwards, and finished files."""

from __future__ import annotations

import hashlib
import json
import logging
import subprocess
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest.mock import patch

from exam_kit.cctv.recorder import Recorder
from exam_kit.cctv.recovery import find_for, take_in, unknown_files
from exam_kit.cctv.rows import Rows
from exam_kit.cctv.status import Desired
from exam_kit.cctv.wire import Timings
from exam_kit.clock import SystemClock
from exam_kit.errors import StoreError
from exam_kit.home import Home
from exam_kit.point import Point, Secrets, read_point
from exam_kit.store import Ledger, open_store
from exam_kit.store.verify import verify_database
from lab.cameras import FPS, Cameras, make_clip
from lab.experiment import Found

__all__ = ["RecorderExperiment"]

CLIP = "clip.ts"
WORKER = "exam_kit.cctv.worker"
_POPEN = subprocess.Popen
LOST_AT_MOST_S = 5.0
"""The promise of the recorder's task."""


class RecorderExperiment:
    """A real recorder with its worker process, database and ledger, all on the logged disk."""

    size_mb = 96

    def __init__(
        self, seconds: float = 90.0, cameras: int = 4, segment_s: float = 15.0, *, careless: bool = False
    ) -> None:
        """`careless` works through the path of `lab/careless`, in the worker process too."""
        self._seconds = seconds
        self._cameras = tuple(f"CAM-{number + 1}" for number in range(cameras))
        self._segment_s = segment_s
        self._seen: dict[str, int] = {}

    def prepare(self, work: Path) -> None:
        make_clip(work / CLIP, self._seconds + 60)

    def run(self, disk: Path, work: Path, mark: Callable[[str], None]) -> None:
        logging.basicConfig(level=logging.INFO)
        server = Cameras(work / CLIP)
        home, clock = Home.at(disk / "home"), SystemClock()
        store = open_store(home)
        point = _point({camera: server.url(camera) for camera in self._cameras})
        recorder = Recorder(
            point, home, store, Ledger(store, home, clock), clock, Secrets(home, file_only=True),
            segment_s=self._segment_s, reserve_bytes=8 << 20, timings=Timings(open_s=60, read_s=60),
            cameras_per_worker=len(self._cameras),
        )  # fmt: skip
        closed = Rows.segment_closed

        def closing(rows: Rows, event: dict[str, Any]) -> None:
            closed(rows, event)
            mark(f"closed:{event['path']}:{event['sha256']}")

        # The emulated machine takes half a minute to start a worker: that is no silence.
        with (
            patch.object(Rows, "segment_closed", closing),
            patch("exam_kit.cctv.crew.SILENT_S", 600.0),
            patch("subprocess.Popen", _counting),
        ):
            recorder.recover()
            recorder.set_desired({camera: Desired("agent", "agent", "plan") for camera in self._cameras})
            ends = None
            while ends is None or time.monotonic() < ends:
                recorder.tick()
                if ends is None and all(status.state == "recording" for status in recorder.status().values()):
                    ends = time.monotonic() + self._seconds
                time.sleep(0.05)
            recorder.close("agent_stopped")
        server.close()
        store.close()

    def check(self, disk: Path, work: Path, marks: list[str], found: Found) -> None:
        home = Home.at(disk / "home")
        given = _given(marks)
        if not given:
            return
        before = {path: digest for kind, path, digest in (m.split(":") for m in marks if m.startswith("closed:"))}
        found.counts["acknowledged segments looked for"] += len(before)
        for path, digest in before.items():
            file = home.footage / path
            if not file.exists():
                found.breach("acknowledged segments lost", path)
            elif hashlib.sha256(file.read_bytes()).hexdigest() != digest:
                found.breach("acknowledged segments changed", path)
        try:
            store = open_store(home)
        except StoreError as problem:
            found.breach("databases that do not open", str(problem))
            return
        point = _point(dict.fromkeys(self._cameras, "http://127.0.0.1:9/"))
        rows = Rows(store, Ledger(store, home), point)
        for row in rows.unfinished():
            lying = find_for(home.footage, row)
            if lying is None:
                found.counts["open rows whose file had not reached the disk"] += 1
            else:
                rows.segment_closed(take_in(home.footage, point, row, lying))
        for path in unknown_files(home.footage, rows.known_paths()):
            try:
                rows.segment_closed(take_in(home.footage, point, None, path))
            except LookupError:
                found.counts["files without a head: nothing was in them"] += 1
        known = store.query("SELECT * FROM segment")
        seen = {row["path"]: row["sha256"] for row in known}
        for path, digest in before.items():
            if seen.get(path) != digest:
                found.breach("acknowledged segments not in the index", path)
        store.close()
        if not verify_database(home.store).whole:
            found.breach("ledgers not whole", str(len(marks)))
        self._measure(home, known, given, found)

    def _measure(self, home: Home, known: list[dict[str, Any]], given: Counter[str], found: Found) -> None:
        playing = dict.fromkeys(self._cameras, 0)
        for row in known:
            if not row["frames"]:
                continue
            # The same bytes play the same: a file that was finished before many cuts is played once.
            frames = self._seen.get(row["sha256"])
            if frames is None:
                frames = self._seen[row["sha256"]] = _played(home.footage / row["path"])
                found.counts["different files played by ffprobe"] += 1
            # ffprobe also counts the frame in whose middle a cut-off file ends; it is not one that counts here.
            if frames - row["frames"] not in ((0, 1) if row["closed_reason"] == "recovered" else (0,)):
                example = f"{row['path']}: {frames} instead of {row['frames']}, {row['closed_reason']}"
                found.breach("files in which ffprobe sees other frames than we noted", example)
            playing[row["camera"]] += min(frames, row["frames"])
        for camera, count in given.items():
            lost_s = (count - playing[camera]) / FPS
            found.counts["cameras looked at, all cuts together"] += 1
            found.counts[f"of these {_step(lost_s)}"] += 1
            found.at_most("seconds lost, at most", lost_s)
            if lost_s > LOST_AT_MOST_S:
                found.breach(f"cameras that lost more than {LOST_AT_MOST_S:.0f} s", f"{camera}: {lost_s:.1f} s")


def _step(lost_s: float) -> str:
    step = next((step for step in range(int(LOST_AT_MOST_S) + 1) if lost_s <= step), None)
    return f"lost at most {step} s" if step is not None else "lost more"


def _counting(line: list[str], **more: Any) -> subprocess.Popen[Any]:
    """Start what was asked for; in the place of the recorder's worker the one that counts."""
    return _POPEN(["lab.counting_worker" if word == WORKER else word for word in line], **more)


def _given(marks: list[str]) -> Counter[str]:
    """Frames that the files of every camera had been given; one worker holds all cameras."""
    last = next((mark for mark in reversed(marks) if mark.startswith("given:")), "given:")
    pairs = (part.split("=") for part in last.removeprefix("given:").split(",") if part)
    return Counter({camera: int(count) for camera, count in pairs})


def _played(file: Path) -> int:
    """Frames that ffprobe finds; a file of which nothing can be read has none."""
    line = ["ffprobe", "-v", "error", "-select_streams", "v:0", "-count_packets"]
    line += ["-show_entries", "stream=nb_read_packets", "-of", "json", str(file)]
    said = json.loads(subprocess.run(line, capture_output=True, text=True, check=False).stdout or "{}")
    return int((said.get("streams") or [{"nb_read_packets": 0}])[0]["nb_read_packets"])


def _point(urls: dict[str, str]) -> Point:
    text = (
        'region = "00"\nregion_name = "Lab"\ncode = "0000"\nname = "Lab"\naddress = "Lab"\ntimezone = "Europe/Moscow"\n'
        'profile = "demo"\ncheck_lead_min = 120\ncheck_window_min = 60\n'
    )
    for zone in ("headquarters", "room", "corridor", "entrance"):
        text += f"[recording.{zone}]\nlead_min = 60\ntail_min = 10\n"
    for code, zone in (("7777", "headquarters"), ("0001", "room")):
        text += f'[[rooms]]\ncode = "{code}"\nzone = "{zone}"\nname = "{code}"\n'
    for camera, url in urls.items():
        text += f'[[cameras]]\nid = "{camera}"\nroom = "0001"\nurl = "{url}"\nbitrate_mbps = 1\n'
    return read_point(text)
