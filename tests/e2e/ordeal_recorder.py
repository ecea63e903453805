"""The fault table: cameras, network, disk, clock and our own processes fail again and again while the real program
records real RTSP cameras (digest sign-in, a password that needs quoting).

``python -m tests.e2e.ordeal_recorder --times 20 [--only FAULT …]`` prints for every fault how many seconds were lost,
whether the gaps, the files and the books agree with what happened, and where the password was found. Ends with 1 when
anything promised did not hold. Network faults, the small disk and the set clock need root, iproute2 and a C compiler.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from exam_kit.home import Home
from tests.e2e.ordeal_browser import not_played
from tests.e2e.ordeal_cameras import LiveCamera, make_picture, networks_possible
from tests.e2e.ordeal_judge import Event, Verdict, judge
from tests.e2e.ordeal_program import Program, set_up, wait_for
from tests.ui.site import chromium

__all__ = ["FAULTS", "Fault", "run"]

OUTAGE_S = 6.0
"""Recording is back at most so long after an outage ends."""
SIGN_IN_S = 66.0
"""The next try after a refused sign-in is a minute later: cameras lock out who asks too often."""
KILL_S = 1.0
HOLD_S = 8.0
DISK_BYTES = 160 << 20


@dataclass(frozen=True)
class Bench:
    """A running program and its cameras."""

    program: Program
    cameras: list[LiveCamera]
    dice: random.Random

    @property
    def names(self) -> list[str]:
        return [camera.camera for camera in self.cameras]

    def settle(self, seconds: float) -> None:
        """Let it record for a while that differs each time, so that faults fall anywhere in a segment."""
        self.program.await_recording()
        time.sleep(seconds + 4 * self.dice.random())


Act = Callable[[Bench], list[Event]]
Hurt = Callable[[LiveCamera], None]


@dataclass(frozen=True)
class Fault:
    """What is done in one round; `each`: it hits cameras one by one, so that many of them make many repetitions."""

    name: str
    act: Act
    promised_s: float
    kill: bool = False
    each: bool = False
    network: bool = False
    disk: bool = False
    clock: bool = False
    settle_s: float = 2.5
    """Recording before each round. Who is killed again too soon is started again later each time."""
    machine_wide: bool = False
    """one repetition a round, whatever number of cameras it hits"""

    def __str__(self) -> str:
        return self.name

    @property
    def promise(self) -> str:
        return f"before the kill < {self.promised_s:g}" if self.kill else f"outage + {self.promised_s:g}"


def _causes(*names: str) -> frozenset[str]:
    return frozenset(names)


def _killed(bench: Bench, victims: Callable[[], Sequence[int]], cause: frozenset[str]) -> list[Event]:
    at = bench.program.kill(victims)
    return [Event(camera, at, at, cause) for camera in bench.names]


def kill_worker(bench: Bench) -> list[Event]:
    program = bench.program
    was = {worker.pid for worker in program.workers()}
    events = _killed(bench, lambda: list(was), _causes("worker_killed"))
    wait_for(lambda: _replaced(was, [worker.pid for worker in program.workers()]), 30, "another worker")
    time.sleep(0.5)
    return events


def kill_agent(bench: Bench) -> list[Event]:
    was = bench.program.agent()
    events = _killed(bench, bench.program.agent, _causes("agent_stopped"))
    wait_for(lambda: _replaced(set(was), bench.program.agent()), 60, "another agent")
    return events


def kill_everything(bench: Bench) -> list[Event]:
    was = bench.program.agent()
    events = _killed(bench, bench.program.everything, _causes("agent_stopped"))
    bench.program.bury()
    bench.program.start()
    wait_for(lambda: _replaced(set(was), bench.program.agent()), 60, "another agent")
    return events


def _replaced(was: set[int], now: Sequence[int]) -> bool:
    """Others are there, and they have taken note of what happened: the states that can be read are theirs."""
    return bool(now) and not was.intersection(now) and 0 not in now


def _outage(
    hurt: Callable[[LiveCamera], None], mend: Callable[[LiveCamera], None], seconds: float, *causes: str
) -> Act:
    def act(bench: Bench) -> list[Event]:
        begun = {}
        for camera in bench.cameras:
            begun[camera.camera] = time.time()
            hurt(camera)
            time.sleep(bench.dice.random() * 0.3)
        events = []
        for camera in bench.cameras:
            time.sleep(max(0.0, begun[camera.camera] + seconds - time.time()))
            mend(camera)
            events.append(Event(camera.camera, begun[camera.camera], time.time(), frozenset(causes)))
        return events

    return act


def change_size(bench: Bench) -> list[Event]:
    events = []
    for camera in bench.cameras:
        begun = time.time()
        camera.change_size()
        events.append(Event(camera.camera, begun, time.time(), _causes("stream_changed")))
    time.sleep(3)
    return events


def fill_disk(bench: Bench) -> list[Event]:
    """Half of the times only the space kept free is touched; half of the times not a byte is left."""
    footage = bench.program.home.footage
    filler = footage / "filler"
    left = shutil.disk_usage(footage).free - (16 << 20 if bench.dice.random() < 0.5 else 0)
    begun = time.time()
    with filler.open("wb") as target:
        os.posix_fallocate(target.fileno(), 0, left - (1 << 20))
        with contextlib.suppress(OSError):
            while left > 0:
                target.seek(0, os.SEEK_END)
                left -= os.write(target.fileno(), b"\0" * 65536) if left < 1 << 20 else left
    wait_for(lambda: not bench.program.store.query("SELECT 1 FROM camera_state WHERE state = 'recording'"), 20,
             "the full disk is noticed")  # fmt: skip
    time.sleep(2)
    filler.unlink()
    return [Event(camera, begun, time.time(), _causes("disk_full", "disk_failed")) for camera in bench.names]


def _clock(seconds: int) -> Act:
    def act(bench: Bench) -> list[Event]:
        """The clock is set; while it is wrong every camera drops out, and now and then a process of ours dies."""
        program = bench.program
        program.set_clock(seconds)
        time.sleep(3)
        drop = _outage(LiveCamera.kill, LiveCamera.return_to_life, 4, "camera_refused", "stream_ended")
        events = drop(bench)
        program.await_recording(seconds=20)
        time.sleep(3)
        if bench.dice.random() < 0.5:
            events += (kill_worker if bench.dice.random() < 0.5 else kill_agent)(bench)
            program.await_recording(seconds=30)
        program.set_clock(0)
        time.sleep(4)
        return events

    return act


FAULTS = [
    Fault("worker-killed", kill_worker, KILL_S, kill=True, machine_wide=True, settle_s=9),
    Fault("agent-killed", kill_agent, KILL_S, kill=True, machine_wide=True, settle_s=14),
    Fault("all-killed", kill_everything, KILL_S, kill=True, machine_wide=True),
    Fault("stalled", _outage(LiveCamera.stall, LiveCamera.go_on, HOLD_S, "stream_stalled"), OUTAGE_S, each=True),
    Fault("camera-killed", _outage(LiveCamera.kill, LiveCamera.return_to_life, HOLD_S, "camera_refused"), OUTAGE_S,
          each=True),
    Fault("sign-in-refused", _outage(LiveCamera.refuse, LiveCamera.accept, HOLD_S, "sign_in_refused"), SIGN_IN_S,
          each=True),
    Fault("size-changed", change_size, OUTAGE_S, each=True),
    Fault("cut-8s", _outage(LiveCamera.cut, LiveCamera.mend, 8, "camera_unreachable"), OUTAGE_S, each=True,
          network=True),
    Fault("cut-90s", _outage(LiveCamera.cut, LiveCamera.mend, 90, "camera_unreachable"), OUTAGE_S, each=True,
          network=True),
    Fault("disk-full", fill_disk, OUTAGE_S, disk=True),
    Fault("clock-hour-back", _clock(-3600), OUTAGE_S, clock=True),
    Fault("clock-day-on", _clock(86400), OUTAGE_S, clock=True),
]  # fmt: skip


@contextlib.contextmanager
def small_disk(folder: Path) -> Iterator[None]:
    """The folder becomes an ext4 file system of its own in a file."""
    image = folder.with_suffix(".img")
    with image.open("wb") as target:
        target.truncate(DISK_BYTES)
    subprocess.run(["mkfs.ext4", "-q", "-m", "0", str(image)], check=True)
    subprocess.run(["mount", "-o", "loop", str(image), str(folder)], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)
        image.unlink()


def run(fault: Fault, times: int, folder: Path) -> Verdict:
    """`times` repetitions of one fault in one recording session."""
    together = min(times, 10 if fault.each else 4)
    rounds = times if fault.machine_wide else -(-times // together)
    home = Home.at(folder / fault.name)
    dice = random.Random(fault.name)
    pictures = [folder / "small.mp4", folder / "large.mp4"]
    for picture, (width, height) in zip(pictures, ((320, 240), (640, 360)), strict=True):
        if not picture.exists():
            make_picture(picture, width, height)
    with contextlib.ExitStack() as stack:
        cameras = [
            stack.enter_context(LiveCamera(f"C{number}", number if fault.network else None, *pictures))
            for number in range(1, together + 1)
        ]
        set_up(home, cameras)
        if fault.disk:
            stack.enter_context(small_disk(home.footage))
        program = Program(home, together, clock=folder if fault.clock else None)
        events: list[Event] = []
        try:
            bench = Bench(program, cameras, dice)
            for _round in range(rounds):
                bench.settle(fault.settle_s)
                events += fault.act(bench)
                # Longer than promised: what is late shall be measured.
                program.await_recording(seconds=fault.promised_s + 60)
            bench.settle(fault.settle_s)
            program.look_for_password()
        finally:
            code = program.end()
        verdict = judge(home, events)
        verdict.password += program.found
        verdict.password_looked += program.looked
        if code != 0:
            verdict.wrong.append(f"the program ended with {code}")
        _promises(fault, verdict)
        if chromium() is not None:
            # Those beside the first, a middle and the last fault.
            sample = list(dict.fromkeys(verdict.sample))
            verdict.wrong += not_played([sample[0], sample[len(sample) // 2], sample[-1]] if sample else [])
    return verdict


def _promises(fault: Fault, verdict: Verdict) -> None:
    verdict.wrong += [f"password in {place}" for place in verdict.password]
    for lost_s, before_s, outage_s in zip(verdict.lost_s, verdict.before_s, verdict.outage_s, strict=True):
        if outage_s == 0 and before_s >= KILL_S:
            verdict.wrong.append(f"{before_s:.2f} s lost before the kill")
        if outage_s > 0 and lost_s > outage_s + fault.promised_s:
            verdict.wrong.append(f"{lost_s:.2f} s lost in an outage of {outage_s:.2f} s")


def _row(fault: Fault, verdict: Verdict) -> str:
    def of(values: Sequence[float]) -> str:
        return f"{min(values):.2f}/{statistics.median(values):.2f}/{max(values):.2f}"

    outage = "–" if fault.kill else f"{statistics.median(verdict.outage_s):.1f}"
    return (
        f"| {fault.name} | {len(verdict.lost_s)} | {outage} | {of(verdict.before_s) if fault.kill else '–'} "
        f"| {of(verdict.lost_s)} | {fault.promise} | {verdict.gaps_right}/{len(verdict.lost_s)} "
        f"| {verdict.files_play}/{verdict.files} | {len(verdict.password)} of {verdict.password_looked} |"
    )


HEAD = """| fault | n | outage s | lost before s min/median/max | gap s min/median/max | promised s | gaps right | \
files play | password found |
|---|---|---|---|---|---|---|---|---|"""


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--times", type=int, default=20)
    options.add_argument("--only", nargs="+", choices=[fault.name for fault in FAULTS])
    options.add_argument("--folder", type=Path, help="keep homes and footage here")
    given = options.parse_args()
    broken = []
    with tempfile.TemporaryDirectory() as folder:
        print(HEAD, flush=True)
        for fault in FAULTS:
            if given.only and fault.name not in given.only:
                continue
            if (fault.network or fault.disk) and not networks_possible():
                print(f"| {fault.name} | not run: needs root and network namespaces |", flush=True)
                continue
            verdict = run(fault, given.times, given.folder or Path(folder))
            print(_row(fault, verdict), flush=True)
            broken += [f"{fault.name}: {said}" for said in verdict.wrong]
    print("\n".join(broken) or "everything promised held")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
