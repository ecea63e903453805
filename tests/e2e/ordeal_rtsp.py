"""Four cameras with user and password from a real RTSP server, recorded by the real program, which is killed twice.

``python -m tests.e2e.ordeal_rtsp --seconds 90`` prints what was recorded, what was lost at each kill, the gaps with
their causes, and where the password was looked for. Ends with 1 when anything promised did not hold.
"""

from __future__ import annotations

import argparse
import base64
import datetime as dt
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

import av
import psutil

from exam_kit.cctv.segments import gaps, segments
from exam_kit.clock import iso
from exam_kit.home import Home
from exam_kit.point import Secrets
from exam_kit.store import Store
from exam_kit.store.keys import VerifyKey
from exam_kit.store.verify import read_anchors, verify_database
from tests.cctv_fixtures import FOOTAGE, PASSWORD, USER, RtspServer, make_clip
from tests.conftest import POINT_TOML

CAMERAS = {"HQ-1": "hq", "R1-1": "r1", "COR1-1": "cor1", "ENTR-1": "entr"}
LOST_AT_MOST_S = 2.0


def set_up(home: Home, port: int) -> None:
    """A point whose cameras the server has and whose exam is on."""
    now = dt.datetime.now(ZoneInfo("Europe/Moscow"))
    text = POINT_TOML.replace("2026-05-28", str(now.date())).replace("start = 10:00:00", f"start = {now:%H:%M:%S}")
    text = text.replace('user = "viewer"\n', "").replace("check_window_min = 60", "check_window_min = 1")
    for camera, mount in CAMERAS.items():
        start = text.index(f'id = "{camera}"')
        line = text.index("url = ", start)
        end = text.index("\n", line)
        text = f'{text[:line]}url = "rtsp://127.0.0.1:{port}/{mount}"\nuser = "{USER}"{text[end:]}'
    home.create()
    home.point_file.write_text(text, encoding="utf-8")
    secrets = Secrets(home)
    for camera in CAMERAS:
        secrets.set(f"camera:{camera}", PASSWORD)


def forms_of(password: str) -> list[bytes]:
    """The password as it could stand somewhere: plain, quoted, as JSON, in a basic sign-in."""
    basic = base64.b64encode(f"{USER}:{password}".encode()).decode()
    texts = {password, quote(password), quote(password, safe=""), json.dumps(password)[1:-1], basic}
    return [text.encode() for text in texts]


def processes_of(root: psutil.Process) -> Iterator[psutil.Process]:
    yield root
    yield from root.children(recursive=True)


def look_for_password_in_processes(root: psutil.Process) -> tuple[int, list[str]]:
    """Command lines and environments of the program's processes: how many were read, where it was found."""
    looked, found = 0, []
    for process in processes_of(root):
        for kind in ("cmdline", "environ"):
            content = Path(f"/proc/{process.pid}/{kind}").read_bytes()
            looked += 1
            if any(form in content for form in forms_of(PASSWORD)):
                found.append(f"{kind} of {process.pid}")
    return looked, found


def look_for_password_in_files(home: Home) -> tuple[int, list[str]]:
    """Every file of the home but the one that keeps the passwords: how many were read, where it was found."""
    looked, found = 0, []
    for path in home.root.rglob("*"):
        if path.is_file() and path != home.secrets:
            looked += 1
            content = path.read_bytes()
            if any(form in content for form in forms_of(PASSWORD)):
                found.append(str(path.relative_to(home.root)))
    return looked, found


def played(path: Path) -> tuple[int, float]:
    """Decode the whole file: frames, and seconds from the first frame to the end of the last."""
    frames, last = 0, 0.0
    with av.open(str(path)) as container:
        for frame in container.decode(video=0):
            frames += 1
            last = float(frame.time or 0.0)
    return frames, last


def agent_pid(home: Home) -> int:
    try:
        return int(json.loads((home.run / "agent.json").read_text(encoding="utf-8"))["pid"])
    except (OSError, ValueError):
        return 0


def recording(store: Store) -> int:
    rows = store.query("SELECT camera, state FROM camera_state")
    return sum(row["state"] == "recording" for row in rows)


def wait_for(condition: Any, seconds: float, what: str) -> float:
    """Poll; the seconds it took."""
    begun = time.monotonic()
    while not condition():
        if time.monotonic() - begun > seconds:
            raise SystemExit(f"not within {seconds} s: {what}")
        time.sleep(0.05)
    return time.monotonic() - begun


def run(home: Home, footage: Path, seconds: float) -> dict[str, Any]:
    """Record for `seconds` with two kills; the report."""
    with RtspServer(CAMERAS.values(), file=footage) as server, socket.socket() as probe:
        set_up(home, server.port)
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
        probe.close()
        program = subprocess.Popen(
            [sys.executable, "-m", "exam_kit", "up", "--port", str(port)],
            env={**os.environ, "EXAM_KIT_HOME": str(home.root)},
            stdout=subprocess.DEVNULL,
        )
        root = psutil.Process(program.pid)
        try:
            wait_for(lambda: home.store.exists() and agent_pid(home), 60, "the agent starts")
            store = Store(home.store, read_only=True)
            wait_for(lambda: recording(store) == len(CAMERAS), 60, "all cameras record")
            begun = time.time()
            time.sleep(seconds / 3)
            looked, in_processes = look_for_password_in_processes(root)
            workers = [p for p in root.children(recursive=True) if "exam_kit.cctv.worker" in " ".join(p.cmdline())]
            workers_killed = dt.datetime.now(dt.UTC)
            for worker in workers:
                worker.kill()
            back = {"workers": wait_for(lambda: resumed(store, workers_killed), 30, "recording after the workers' end")}
            time.sleep(max(0.0, begun + seconds * 2 / 3 - time.time()))
            agent_killed = dt.datetime.now(dt.UTC)
            os.kill(agent_pid(home), signal.SIGKILL)
            back["agent"] = wait_for(lambda: resumed(store, agent_killed), 60, "recording after the agent's end")
            time.sleep(max(0.0, begun + seconds - time.time()))
        finally:
            program.terminate()
            ended = program.wait(60)
        files, in_files = look_for_password_in_files(home)
        store.close()
        store = Store(home.store, read_only=True)
        kills = {"worker_killed": workers_killed, "agent_stopped": agent_killed}
        return {
            "seconds": seconds,
            "exit_code": ended,
            "workers_killed": len(workers),
            "recording_again_after_s": {name: round(value, 2) for name, value in back.items()},
            "cameras": {camera: of_camera(home, store, camera, kills) for camera in CAMERAS},
            "password": {
                "command_lines_and_environments": looked,
                "files": files,
                "found": [*in_processes, *in_files],
            },
            "ledger": verify_database(
                home.store, VerifyKey.load(home.keys / "ledger.pub"), read_anchors(home.anchors)
            ).as_dict(),
        }


def resumed(store: Store, since: dt.datetime) -> bool:
    rows = store.query("SELECT DISTINCT camera FROM segment WHERE from_at > ?", (iso(since),))
    return len(rows) == len(CAMERAS)


def of_camera(home: Home, store: Store, camera: str, kills: dict[str, dt.datetime]) -> dict[str, Any]:
    """What is on the disk of one camera, played to its end, and how much each kill lost."""
    pieces = []
    for segment in segments(store, camera):
        frames, last = played(segment.file(home))
        pieces.append((segment.start, segment.start + dt.timedelta(seconds=last), frames, segment))
    lost = {}
    for cause, killed in kills.items():
        before = [end for start, end, _frames, _segment in pieces if start < killed]
        lost[cause] = round((killed - max(before)).total_seconds(), 2) if before else None
    return {
        "segments": len(pieces),
        "closed_and_hashed": sum(piece[3].sha256 is not None for piece in pieces),
        "frames_played": sum(piece[2] for piece in pieces),
        "frames_noted": sum(piece[3].frames or 0 for piece in pieces),
        "recorded_s": round(sum((piece[1] - piece[0]).total_seconds() for piece in pieces), 1),
        "not_on_disk_before_kill_s": lost,
        "gaps": [
            {"cause": gap.cause, "seconds": round((gap.end - gap.start).total_seconds(), 2) if gap.end else None}
            for gap in gaps(store, camera)
        ],
    }


def faults(report: dict[str, Any]) -> list[str]:
    """What was promised and did not hold."""
    wrong = [] if report["exit_code"] == 0 else [f"the program ended with {report['exit_code']}"]
    wrong += [f"password in {place}" for place in report["password"]["found"]]
    if not report["ledger"]["whole"]:
        wrong.append("the ledger is not whole")
    for camera, seen in report["cameras"].items():
        causes = [gap["cause"] for gap in seen["gaps"]]
        wrong += [
            f"{camera}: no gap with cause {cause}"
            for cause in ("worker_killed", "agent_stopped")
            if cause not in causes
        ]
        wrong += [
            f"{camera}: {lost} s lost before {cause}"
            for cause, lost in seen["not_on_disk_before_kill_s"].items()
            if lost is None or lost > LOST_AT_MOST_S
        ]
        if seen["closed_and_hashed"] != seen["segments"] or seen["frames_played"] != seen["frames_noted"]:
            wrong.append(f"{camera}: a segment is not closed, or does not play to its end")
    return wrong


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--seconds", type=float, default=90)
    seconds = options.parse_args().seconds
    with tempfile.TemporaryDirectory() as folder:
        footage = FOOTAGE if FOOTAGE.exists() else make_clip(Path(folder) / "clip.mp4", seconds=20)
        report = run(Home.at(Path(folder) / "home"), footage, seconds)
    print(json.dumps(report, indent=1, ensure_ascii=False))
    wrong = faults(report)
    print("\n".join(wrong) or "everything promised held")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
