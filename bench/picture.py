"""`python -m bench.picture [--hours H] [--rooms N] [--set development|held-out]`: how picture health does.

Prints, on footage no threshold was chosen by, condition × alarm rate × median time to the alarm, fresh false alarms
per camera and hour of untampered footage, whether a walk test sees people and only people, and milliseconds per check.
A keyframe a second, as the watch is fed while recording. `--film PATH` names `vtest.avi` where it is not installed.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np

from bench.picture_footage import VTEST, Footage, development, held_out
from bench.picture_tamper import CONDITIONS, Condition, grain
from exam_kit.cctv.picture import SHIPPED, Approved, PictureState, Thresholds, measure
from exam_kit.cctv.picture_watch import PictureWatch

__all__ = ["Told", "false_alarms", "main", "tamper"]

LEAD, LASTS = 16, 40
"""Keyframes of good footage before a condition, and of the condition."""
CALM = (PictureState.OK, PictureState.UNKNOWN)


@dataclass
class Told:
    """How one condition was told on so many cameras."""

    runs: int = 0
    alarms: int = 0
    named: int = 0
    waits_s: list[float] = field(default_factory=list)
    states: Counter[str] = field(default_factory=Counter)
    walked: int = 0

    def line(self) -> str:
        wait = f"{statistics.median(self.waits_s):.0f}" if self.waits_s else "–"
        said = ", ".join(f"{state} {count}" for state, count in self.states.most_common(3))
        return f"{self.alarms}/{self.runs} | {self.named} | {wait} | {said or '–'}"


def tamper(footage: Footage, other: Footage, condition: Condition, limits: Thresholds, told: Told, start: int) -> None:
    """Play good footage and then the condition; add what the watch said to `told`."""
    watch = PictureWatch(limits, footage.approved())
    for second in range(start, start + LEAD):
        watch.see(footage.finished(footage.raw(second), second), second)
    if watch.state is not PictureState.OK:
        # A false alarm already: counted where those are counted.
        return
    told.runs += 1
    kept = footage.raw(start + LEAD)
    sent = footage.finished(kept.copy(), start + LEAD)
    walked = False
    wait, state = None, PictureState.OK
    for number in range(LASTS):
        second = start + LEAD + number
        if condition.repeats == "bytes":
            frame = sent
        else:
            if condition.repeats == "view":
                noisy = kept + grain(number, 2.0, (*kept.shape[:2], 1))
                picture = np.asarray(np.clip(noisy, 0, 255), dtype=np.uint8)
            else:
                picture = (other if condition.other_scene else footage).raw(second)
            frame = footage.finished(condition.change(picture, number), second, caption=condition.caption)
        state = watch.see(frame, second)
        # The step from the living picture into the repeated one may be a movement; after it there is none.
        walked |= watch.moving and number >= 3
        if wait is None and state not in CALM:
            wait = number + 1
    told.walked += walked
    if wait is not None:
        told.alarms += 1
        told.waits_s.append(wait)
        told.states[str(state)] += 1
        told.named += state in condition.names


def false_alarms(footage: Footage, seconds: int, limits: Thresholds, start: int = 0) -> tuple[Counter[str], int]:
    """Fresh alarms by state over so many seconds of good footage, and the keyframes under an alarm."""
    watch = PictureWatch(limits, footage.approved())
    fresh: Counter[str] = Counter()
    alarmed, under = False, 0
    for second in range(start, start + seconds):
        state = watch.see(footage.finished(footage.raw(second), second), second)
        now = state not in CALM
        fresh[str(state)] += now and not alarmed
        alarmed = now
        under += now
    return +fresh, under


def _cost(footage: Footage) -> tuple[float, float, float]:
    """Milliseconds of processor time: a check alone, one against the approved picture, the watch per keyframe."""
    burst = [footage.finished(footage.raw(second), second) for second in range(12)]
    small = [np.asarray(cv2.resize(one, (320, 180)), dtype=np.uint8) for one in burst]
    approved = Approved(footage.approved())

    def timed(act: Callable[[], object], rounds: int) -> float:
        began = time.process_time()
        for _ in range(rounds):
            act()
        return (time.process_time() - began) * 1000 / rounds

    watch = PictureWatch(Thresholds.from_mapping(SHIPPED), footage.approved())
    ticks = iter(range(100_000))

    def keyframe() -> None:
        second = next(ticks)
        watch.see(burst[second % 12], second)

    return (
        timed(lambda: measure(small[:5]), 40),
        timed(lambda: measure(small[:5], approved), 40),
        timed(keyframe, 200),
    )


def _table(cameras: Sequence[Footage], limits: Thresholds, starts: Sequence[int], names: Sequence[str]) -> None:
    print("\n| Condition | Strength | Alarms | by its name | median s to the alarm | said at the end |")
    print("|---|---|---|---|---|---|")
    for condition in (one for one in CONDITIONS if one.name in names):
        told = Told()
        for index, footage in enumerate(cameras):
            for start in starts:
                tamper(footage, cameras[(index + 1) % len(cameras)], condition, limits, told, start)
        note = "" if condition.told else f" (walk test: {told.runs - told.walked}/{told.runs} show nobody walking)"
        print(f"| {condition.name} | {condition.strength} | {told.line()}{note} |", flush=True)


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the figures; 0."""
    parser = argparse.ArgumentParser(prog="python -m bench.picture")
    parser.add_argument("--hours", type=float, default=1.0, help="good footage per camera, hours")
    parser.add_argument("--rooms", type=int, default=8)
    parser.add_argument("--first", type=int, default=None, help="seed of the first room")
    parser.add_argument("--set", choices=("held-out", "development"), default="held-out")
    parser.add_argument("--condition", nargs="+", default=sorted({one.name for one in CONDITIONS}))
    parser.add_argument("--starts", type=int, nargs="+", default=[100, 1500], help="seconds at which conditions begin")
    parser.add_argument("--film", type=Path, default=VTEST)
    parser.add_argument("--only", choices=("conditions", "false-alarms"), default=None)
    options = parser.parse_args(arguments)
    cv2.setNumThreads(1)
    limits = Thresholds.from_mapping(SHIPPED)
    first = {} if options.first is None else {"first": options.first}
    cameras = development() if options.set == "development" else held_out(options.rooms, film=options.film, **first)
    print(f"{options.set}: {', '.join(camera.name for camera in cameras)}")
    if options.only != "false-alarms":
        _table(cameras, limits, options.starts, options.condition)
    if options.only != "conditions":
        seconds = round(options.hours * 3600)
        whole: Counter[str] = Counter()
        print("\n| Good footage | hours | fresh alarms | keyframes under alarm |\n|---|---|---|---|")
        for camera in cameras:
            fresh, under = false_alarms(camera, seconds, limits)
            whole += fresh
            said = ", ".join(f"{state} {count}" for state, count in fresh.items()) or "none"
            print(f"| {camera.name} | {options.hours:g} | {said} | {under} |", flush=True)
        hours = options.hours * len(cameras)
        print(f"fresh false alarms: {sum(whole.values())} in {hours:g} camera-hours,", end=" ")
        print(f"{sum(whole.values()) / hours:.2f} per camera and hour ({dict(whole)})")
    alone, compared, keyframe = _cost(cameras[0])
    print(f"\nms of processor time: a burst {alone:.1f}, against the approved picture {compared:.1f}, ", end="")
    print(f"the watch per keyframe {keyframe:.1f}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
