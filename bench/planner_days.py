"""`python -m bench.planner_days --days 2000`: the plan lives through exam days on a laptop that is not treated well.

Sleep, restarts of the agent and of the machine, clocks set wrongly and set right again, and changes of daylight saving
in several zones. On some days (half, by default) a time server answers, so that a run can prove its clock. The same
days are lived through by a plain daily job of the `schedule` library.
"""

from __future__ import annotations

import argparse
import random
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path

from bench.laptop import HOUR, Life, Window, at, live, story
from bench.plan_agents import DailyJob, PlanAgent
from exam_kit.clock import FakeClock
from exam_kit.home import Home
from exam_kit.point import Point, check_due, read_point
from exam_kit.store import open_store

__all__ = ["ZONES", "Figures", "main", "simulate"]

ZONES = (
    ("Europe/Moscow", "10:00:00", date(2026, 5, 1)),
    ("Europe/Riga", "09:00:00", date(2026, 3, 1)),
    ("Asia/Kamchatka", "10:00:00", date(2026, 9, 1)),
    ("America/St_Johns", "10:00:00", date(2026, 2, 15)),
    # The check itself falls into the night in which the clocks change.
    ("Europe/Berlin", "04:30:00", date(2026, 3, 10)),
    ("Australia/Lord_Howe", "04:00:00", date(2026, 3, 20)),
    ("Africa/Casablanca", "05:00:00", date(2026, 2, 1)),
    ("Europe/Kaliningrad", "10:00:00", date(2026, 1, 15)),
)
"""Zone, start of its exams by local time, first day. Check at T-2 h, to be begun within an hour."""


@dataclass
class Figures:
    """What one agent did with the windows it met."""

    windows: int = 0
    could: int = 0
    once: int = 0
    not_served: list[str] = field(default_factory=list)
    twice: list[str] = field(default_factory=list)
    again: int = 0
    """served again because the clock was set wrongly in between, and no time server had answered"""
    luck: int = 0
    """served though the reckoning says it was hardly possible"""
    outside: int = 0
    """runs outside their window"""
    slept_through: int = 0
    said: int = 0
    astray: int = 0
    """windows whose only run a wrong clock put elsewhere"""
    astray_said: int = 0
    unsaid: list[str] = field(default_factory=list)
    said_twice: list[str] = field(default_factory=list)
    said_wrongly: list[str] = field(default_factory=list)
    """reported as not run, though served"""
    doubted: list[str] = field(default_factory=list)
    """reported as run at another time, though served, by a clock that was right again"""
    said_early: int = 0
    """reports by a clock that ran ahead, of windows not over"""
    wrong_clock: int = 0
    """windows during which the laptop's clock was wrong for a while"""
    night_changes: int = 0

    def add(self, other: Figures) -> None:
        for name, value in vars(other).items():
            setattr(self, name, getattr(self, name) + value)


def _point(zone: str, start: str, days: list[date]) -> Point:
    head = (
        f'region = "77"\nregion_name = "r"\ncode = "0001"\nname = "n"\naddress = "a"\ntimezone = "{zone}"\n'
        'profile = "demo"\ncheck_lead_min = 120\ncheck_window_min = 60\n'
        '[recording.headquarters]\nlead_min = 165\ntail_min = 120\n[[rooms]]\ncode = "7777"\nzone = "headquarters"\n'
    )
    return read_point(
        head + "".join(f'[[days]]\ndate = {day}\nstart = {start}\nsubject = "s"\nduration_min = 235\n' for day in days)
    )


def _windows(point: Point) -> list[Window]:
    found = []
    for day in point.days:
        due, until = check_due(point, day)
        found.append(Window(str(day.date), due.timestamp(), until.timestamp()))
    return found


def simulate(
    zone: str, start: str, first: date, days: int, seed: int, answering: float = 0.5
) -> tuple[Figures, Figures]:
    """The plan's figures and the daily job's, for one zone; `answering` is the share of days with a time server."""
    point = _point(zone, start, [first + timedelta(days=number) for number in range(days)])
    windows = _windows(point)
    events = story(windows, seed)
    rng = random.Random(seed + 1)
    witnessed = {window.day for window in windows if rng.random() < answering}
    begin, over = windows[0].start - 24 * HOUR, windows[-1].end + 24 * HOUR
    with tempfile.TemporaryDirectory(prefix="planner-days-") as folder:
        home = Home.at(Path(folder))
        store = open_store(home)
        life = Life(FakeClock(at(begin)), begin)
        plan = PlanAgent(life, store, point, home.run, witnessed)
        live(life, plan, events, over, seed)
        store.close()
    planned = _figures(life, windows, zone, witnessed)
    _reports(planned, plan, life, windows, zone)
    other = Life(FakeClock(at(begin)), begin)
    lead = f"{int(start[:2]) - 2:02d}{start[2:5]}"
    live(other, DailyJob(other, point.tz, lead), events, over, seed)
    offsets = [at(window.start).astimezone(point.tz).utcoffset() for window in windows]
    planned.night_changes = sum(one != two for one, two in pairwise(offsets))
    return planned, _figures(other, windows, zone, set())


def _figures(life: Life, windows: list[Window], zone: str, witnessed: set[str]) -> Figures:
    figures = Figures(windows=len(windows))
    inside: Counter[str] = Counter()
    for began, day in life.runs:
        window = next((one for one in windows if one.day == day), None)
        if window is not None and window.holds(began):
            inside[day] += 1
        else:
            figures.outside += 1
    for window in windows:
        could, times = life.could_serve(window), inside[window.day]
        figures.could += could
        figures.once += could and times == 1
        figures.luck += not could and times > 0
        right = life.was_right(window.start, window.end)
        figures.wrong_clock += not right
        if could and not times:
            figures.not_served.append(f"{zone} {window.day}")
        if times > 1 and not right and window.day not in witnessed:
            figures.again += 1
        elif times > 1:
            figures.twice.append(f"{zone} {window.day}")
    return figures


def _reports(figures: Figures, agent: PlanAgent, life: Life, windows: list[Window], zone: str) -> None:
    ends = {window.day: window.end for window in windows}
    reports = agent.reported + agent.astray
    said = Counter(day for _moment, day in reports)
    rightly = Counter(day for moment, day in reports if life.was_right(moment, moment))
    not_run = {day for moment, day in agent.reported if life.was_right(moment, moment)}
    figures.said_early += sum(moment < ends[day] for moment, day in reports)
    for window in windows:
        name = f"{zone} {window.day}"
        runs = [began for began, day in life.runs if day == window.day]
        if rightly[window.day] > 1:
            figures.said_twice.append(name)
        if any(map(window.holds, runs)):
            if rightly[window.day]:
                (figures.said_wrongly if window.day in not_run else figures.doubted).append(name)
            continue
        if runs:
            figures.astray += 1
            figures.astray_said += said[window.day] > 0
        else:
            figures.slept_through += 1
            figures.said += said[window.day] > 0
        if not said[window.day]:
            figures.unsaid.append(name)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.planner_days", description=__doc__)
    parser.add_argument("--days", type=int, default=2000, help="exam days in all, over the zones (default 2000)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--time-servers", type=float, default=0.5, help="share of days on which one answers")
    options = parser.parse_args()
    plan, daily = Figures(), Figures()
    began = time.perf_counter()
    for number, (zone, start, first) in enumerate(ZONES):
        share = -(-options.days // len(ZONES))
        one, two = simulate(zone, start, first, share, options.seed * 1000 + number, options.time_servers)
        plan.add(one)
        daily.add(two)
        print(f"  {zone:<22} {share} days: could {one.could}, plan {one.once}, daily job {two.once}", flush=True)
    print(f"{plan.windows} exam days in {len(ZONES)} zones, {plan.night_changes} changes of daylight saving, "
          f"{plan.wrong_clock} with a wrong clock for a while; {time.perf_counter() - began:.0f} s")  # fmt: skip
    print(f"{'':44}{'plan':>10}{'daily job':>12}")
    for label, of in (("windows it could serve", "could"), ("  of these served once", "once")):
        print(f"{label:<44}{getattr(plan, of):>10}{getattr(daily, of):>12}")
    print(f"{'':44}{plan.once / plan.could:>10.1%}{daily.once / daily.could:>12.1%}")
    for label, of in (("  not served", "not_served"), ("  served twice", "twice")):
        print(f"{label:<44}{len(getattr(plan, of)):>10}{len(getattr(daily, of)):>12}")
    for label, of in (("  twice, clock set wrongly, nobody to ask", "again"), ("runs outside their window", "outside"),
                      ("served though hardly possible", "luck")):  # fmt: skip
        print(f"{label:<44}{getattr(plan, of):>10}{getattr(daily, of):>12}")
    for label, number in (
        ("slept through", plan.slept_through),
        ("  reported on waking", plan.said),
        ("run only at a wrong time", plan.astray),
        ("  reported", plan.astray_said),
        ("reported twice", len(plan.said_twice)),
        ("reported as not run though served", len(plan.said_wrongly)),
        ("doubted though served, nobody to ask", len(plan.doubted)),
        ("reported early, by a clock ahead", plan.said_early),
    ):
        print(f"{label:<44}{number:>10}")
    for label, listed in (("not served", plan.not_served), ("twice", plan.twice), ("unsaid", plan.unsaid),
                          ("said twice", plan.said_twice), ("said wrongly", plan.said_wrongly),
                          ("doubted", plan.doubted)):  # fmt: skip
        if listed:
            print(f"{label}: {', '.join(listed[:12])}")


if __name__ == "__main__":
    main()
