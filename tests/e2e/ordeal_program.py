"""The program under ordeal: the real supervisor with the real agent and its workers, on a home of its own.

``python -m tests.e2e.ordeal_program`` is what runs: `exam-kit up` without the screens.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import os
import signal
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from zoneinfo import ZoneInfo

import psutil

from exam_kit.agent.supervisor import Child, Supervisor
from exam_kit.home import Home
from exam_kit.point import Secrets
from exam_kit.store import Store
from tests.cctv_fixtures import PASSWORD, USER
from tests.conftest import POINT_TOML
from tests.e2e.ordeal_cameras import LiveCamera
from tests.e2e.ordeal_rtsp import agent_pid, look_for_password_in_processes, wait_for

__all__ = ["Program", "set_up", "wait_for"]

SEGMENT_S = 10


def set_up(home: Home, cameras: Sequence[LiveCamera]) -> None:
    """A point with these cameras in one exam room, and the exam is on."""
    now = dt.datetime.now(ZoneInfo("Europe/Moscow"))
    head = POINT_TOML[: POINT_TOML.index("[[cameras]]")].replace("check_window_min = 60", "check_window_min = 1")
    # Begun at midnight, so that a day is always the present one; it goes on for longer than any ordeal.
    head = head.replace("tail_min = 10", "tail_min = 1440")
    listed = "".join(
        f'[[cameras]]\nid = "{camera.camera}"\nroom = "0001"\nurl = "{camera.url}"\nuser = "{USER}"\nbitrate_mbps = 2\n'
        for camera in cameras
    )
    day = f'[[days]]\ndate = {now.date()}\nstart = 00:00:00\nsubject = "x"\nduration_min = 720\n'
    home.create()
    home.point_file.write_text(head + listed + day, encoding="utf-8")
    secrets = Secrets(home)
    for camera in cameras:
        secrets.set(f"camera:{camera.camera}", PASSWORD)


class Program:
    """Started, killed in parts or as a whole, started again. `looked` and `found` tell of the password."""

    def __init__(self, home: Home, cameras: int, clock: Path | None = None) -> None:
        """`clock`: folder for a wall clock that can be set (`set_clock`)."""
        self.home, self._cameras = home, cameras
        self.looked, self.found = 0, list[str]()
        self._environment = {**os.environ, "EXAM_KIT_HOME": str(home.root)}
        self._offset = clock / "set" if clock else None
        if clock is not None:
            library = clock / "set_clock.so"
            source = Path(__file__).with_name("set_clock.c")
            subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", str(library), str(source), "-ldl"], check=True)
            self.set_clock(0)
            self._environment |= {"LD_PRELOAD": str(library), "EXAM_KIT_SET_CLOCK": str(self._offset)}
        self.start()

    def start(self) -> None:
        self._root = subprocess.Popen(
            [sys.executable, "-m", "tests.e2e.ordeal_program"],
            env=self._environment,
            stdout=(self.home.logs / "said.log").open("ab"),
            stderr=subprocess.STDOUT,
        )
        wait_for(lambda: self.home.store.exists() and agent_pid(self.home), 60, "the agent starts")
        self.store = Store(self.home.store, read_only=True)

    def set_clock(self, seconds: int) -> None:
        """Everybody's wall clock reads so many seconds off."""
        assert self._offset is not None
        with self._offset.open("r+b" if self._offset.exists() else "wb") as target:
            target.write(struct.pack("q", seconds))

    def recording(self, cameras: Sequence[str] | None = None) -> bool:
        """Do these cameras record, or all?"""
        rows = self.store.query("SELECT camera FROM camera_state WHERE state = 'recording'")
        on = {row["camera"] for row in rows}
        return set(cameras) <= on if cameras is not None else len(on) == self._cameras

    def await_recording(self, cameras: Sequence[str] | None = None, seconds: float = 60) -> None:
        wait_for(lambda: self.recording(cameras), seconds, f"recording of {cameras or 'all cameras'}")

    def workers(self) -> list[psutil.Process]:
        """Those that live; one that was killed may still stand in the list of processes."""
        found = []
        for process in self._processes():
            with contextlib.suppress(psutil.NoSuchProcess):  # a zombie is one of them
                if "exam_kit.cctv.worker" in process.cmdline():
                    found.append(process)
        return found

    def kill(self, victims: Callable[[], Sequence[int]]) -> float:
        """kill -9; the moment, seconds since 1970 by the machine's own clock."""
        pids = victims()
        for pid in pids:
            os.kill(pid, signal.SIGKILL)
        return time.time()

    def everything(self) -> list[int]:
        """The supervisor first, so that it starts nobody again."""
        return [process.pid for process in self._processes()]

    def agent(self) -> list[int]:
        return [agent_pid(self.home)]

    def bury(self) -> None:
        """Wait for the supervisor that was killed."""
        self._root.wait(10)

    def look_for_password(self) -> None:
        """In the command lines and environments of all its processes."""
        looked, found = look_for_password_in_processes(psutil.Process(self._root.pid))
        self.looked += looked
        self.found += found

    def end(self) -> int:
        """A clean end; the exit code."""
        self._root.terminate()
        try:
            return self._root.wait(60)
        finally:
            if self._root.poll() is None:
                self.kill(self.everything)
            self.store.close()

    def _processes(self) -> list[psutil.Process]:
        root = psutil.Process(self._root.pid)
        return [root, *root.children(recursive=True)]


def main() -> int:
    agent = Child("agent", ["-m", "exam_kit.agent", "--plan-beat-s", "2", "--segment-s", str(SEGMENT_S)])
    return Supervisor(Home.find(), [agent]).run()


if __name__ == "__main__":
    sys.exit(main())
