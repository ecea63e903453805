"""What an ordeal left on the disk and in the books, compared with what really happened."""

from __future__ import annotations

import datetime as dt
import json
import subprocess
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

from exam_kit.cctv.coverage import Interval, coverage, intersect, length_s, subtract
from exam_kit.cctv.sealer import hash_file
from exam_kit.cctv.segments import Gap, Segment, gaps, segments
from exam_kit.clock import SystemClock
from exam_kit.home import Home
from exam_kit.point import load_point
from exam_kit.store import Ledger, Store
from exam_kit.store.keys import VerifyKey
from exam_kit.store.verify import read_anchors, verify_database
from tests.e2e.ordeal_rtsp import look_for_password_in_files

__all__ = ["Event", "Verdict", "judge"]

NEAR_S = 0.25
"""A gap's ends, and a row's length, agree with the footage to this: a few frames."""
SEAM_S = 0.5


@dataclass(frozen=True)
class Event:
    """A fault on one camera, from `begun` to `ended` by the machine's clock, and the causes its gap may bear. A kill
    ends when it begins."""

    camera: str
    begun: float
    ended: float
    causes: frozenset[str]


@dataclass
class Verdict:
    """`lost_s`: seconds without footage around each event; `before_s`: those of them before the event began."""

    lost_s: list[float] = field(default_factory=list)
    before_s: list[float] = field(default_factory=list)
    outage_s: list[float] = field(default_factory=list)
    """0 for a kill"""
    gaps_right: int = 0
    files: int = 0
    files_play: int = 0
    sample: list[Path] = field(default_factory=list)
    password: list[str] = field(default_factory=list)
    password_looked: int = 0
    wrong: list[str] = field(default_factory=list)


def judge(home: Home, events: Sequence[Event]) -> Verdict:
    """Every file decoded and hashed, every second of every camera accounted for, every event's gap looked at."""
    verdict, store, point = Verdict(), Store(home.store, read_only=True), load_point(home.point_file)
    ledger = Ledger(store, home, SystemClock())
    entered = {entry.body["path"]: entry.body["sha256"] for entry in ledger.entries(["segment.closed"])}
    for camera in point.cameras:
        rows = segments(store, camera.id)
        _files(home, rows, entered, verdict)
        _time(store, home, rows, verdict, camera.id)
        for event in events:
            if event.camera == camera.id:
                _event(event, rows, gaps(store, camera.id), home, verdict)
    on_disk = {path.relative_to(home.footage).as_posix() for path in home.footage.rglob("*.mp4")}
    listed = {row.path for row in segments(store)}
    verdict.wrong += [f"{path}: on the disk and not in the index" for path in sorted(on_disk - listed)]
    verdict.wrong += [f"{path}: in the index and not on the disk" for path in sorted(listed - on_disk)]
    verdict.password_looked, verdict.password = look_for_password_in_files(home)
    if not verify_database(home.store, VerifyKey.load(home.keys / "ledger.pub"), read_anchors(home.anchors)).whole:
        verdict.wrong.append("the ledger is not whole")
    store.close()
    return verdict


def decoded(path: Path) -> tuple[int, float]:
    """Frames that ffprobe decodes, and the length from the first to the end of the last; (0, 0) when it complains."""
    said = subprocess.run(
        ["ffprobe", "-v", "error", "-count_frames", "-select_streams", "v:0", "-of", "json",
         "-show_entries", "stream=nb_read_frames,duration:format=duration", str(path)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if said.returncode != 0 or said.stderr.strip():
        return 0, 0.0
    found = json.loads(said.stdout)
    if not found.get("streams"):
        return 0, 0.0
    return int(found["streams"][0].get("nb_read_frames", 0)), float(found["format"].get("duration", 0.0))


def _files(home: Home, rows: Sequence[Segment], entered: dict[str, str], verdict: Verdict) -> None:
    with ThreadPoolExecutor(2) as pool:
        films = list(pool.map(lambda row: decoded(row.file(home)) if row.file(home).exists() else (0, 0.0), rows))
    for row, (frames, lasts_s) in zip(rows, films, strict=True):
        verdict.files += 1
        faults = []
        if row.end is None or row.sha256 is None:
            faults.append("not closed")
        elif row.file(home).exists():
            if hash_file(row.file(home)) != (row.bytes, row.sha256):
                faults.append("another hash than in the index")
            if entered.get(row.path) != row.sha256:
                faults.append("another hash than in the ledger")
            if frames != row.frames:
                faults.append(f"{frames} frames decode, {row.frames} are noted")
            noted_s = (row.end - row.start).total_seconds()
            if row.frames and abs(noted_s - lasts_s) > NEAR_S:
                faults.append(f"lasts {lasts_s:.2f} s, {noted_s:.2f} are noted")
        verdict.wrong += [f"{row.path}: {fault}" for fault in faults]
        # A file that was killed within its first second holds no frame, and says so.
        verdict.files_play += not faults and (frames > 0 or row.frames == 0)


def _footage(rows: Sequence[Segment]) -> list[Interval]:
    return [(row.start, row.end) for row in rows if row.end is not None and row.frames]


def _time(store: Store, home: Home, rows: Sequence[Segment], verdict: Verdict, camera: str) -> None:
    footage = _footage(rows)
    for before, after in pairwise(footage):
        over_s = (before[1] - after[0]).total_seconds()
        if over_s > 0:
            verdict.wrong.append(f"{camera}: two files overlap by {over_s:.3f} s at {after[0]:%H:%M:%S}")
    if not footage:
        verdict.wrong.append(f"{camera}: nothing is recorded")
        return
    start, end = footage[0][0], footage[-1][1]
    point = load_point(home.point_file)
    seen = coverage(store, point, camera, start, end, end)
    unexplained = [span for span in seen.spans if span.kind != "recorded" and span.cause in (None, "not_recorded",
                                                                                             "starting")]  # fmt: skip
    verdict.wrong += [
        f"{camera}: {(span.end - span.start).total_seconds():.2f} s {span.cause or span.kind} at {span.start:%H:%M:%S}"
        for span in unexplained
    ]
    if abs(length_s([(span.start, span.end) for span in seen.spans]) - (end - start).total_seconds()) > 0.001:
        verdict.wrong.append(f"{camera}: coverage leaves time out")
    noted = [(gap.start, gap.end) for gap in gaps(store, camera) if gap.end is not None]
    both = length_s(intersect(noted, footage))
    if both > NEAR_S:
        verdict.wrong.append(f"{camera}: gaps of {both:.2f} s are recorded time")


def _event(event: Event, rows: Sequence[Segment], noted: Sequence[Gap], home: Home, verdict: Verdict) -> None:
    begun, ended = (dt.datetime.fromtimestamp(at, dt.UTC) for at in (event.begun, event.ended))
    footage = _footage(rows)
    holes = [
        hole
        for hole in subtract([(footage[0][0], footage[-1][1])], footage)
        if hole[1] >= begun and hole[0] <= max(ended, begun + dt.timedelta(seconds=2))
    ]
    verdict.lost_s.append(length_s(holes))
    first = min((hole[0] for hole in holes), default=begun)
    verdict.before_s.append(max(0.0, (begun - first).total_seconds()))
    verdict.outage_s.append(event.ended - event.begun)
    beside = [row.file(home) for row in rows if row.frames and row.end and abs((row.end - first).total_seconds()) < 1]
    verdict.sample += beside[:1] if holes else []
    complaints = [said for hole in holes for said in _explained(hole, noted, event.causes)]
    verdict.gaps_right += not complaints
    verdict.wrong += [f"{event.camera} at {begun:%H:%M:%S}: {said}" for said in complaints]


def _explained(hole: Interval, noted: Sequence[Gap], causes: frozenset[str]) -> list[str]:
    """What is wrong with the gaps that stand for this hole."""
    length = (hole[1] - hole[0]).total_seconds()
    if length <= SEAM_S:
        return []
    over = [(gap, (gap.start, gap.end)) for gap in noted if gap.end and intersect([hole], [(gap.start, gap.end)])]
    near = dt.timedelta(seconds=NEAR_S)
    left_s = length_s(subtract([(hole[0] + near, hole[1] - near)], [span for _gap, span in over]))
    said = [f"{left_s:.2f} of {length:.2f} s without a gap"] if left_s > 0.001 else []
    said += [f"cause {gap.cause} ({gap.detail})" for gap, _span in over if gap.cause not in causes]
    out = [span for _gap, span in over if span[0] < hole[0] - near or span[1] > hole[1] + near]
    return said + [f"a gap from {a:%H:%M:%S.%f} to {b:%H:%M:%S.%f} for one from {hole[0]:%H:%M:%S.%f} "
                   f"to {hole[1]:%H:%M:%S.%f}" for a, b in out]  # fmt: skip
