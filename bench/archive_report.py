"""The table of `bench.archive`, and how the figures stand to the goals."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from bench.archive_peers import Peer
from bench.archive_routes import Measured, Route

__all__ = ["Outcome", "as_dict", "goals", "table"]

GB = 1e9
MIB = 1 << 20


@dataclass(frozen=True)
class Outcome:
    """All turns in one place to copy to. `floors` are seconds of writing as many bytes and nothing else."""

    place: str
    throttled: bool
    size: int
    files: int
    floors: Sequence[float]
    turns: Mapping[str, Sequence[Measured]]
    routes: Mapping[str, Route]

    def seconds(self, name: str) -> float:
        return statistics.median(turn.seconds for turn in self.turns[name])

    def peers(self) -> list[str]:
        return [name for name, route in self.routes.items() if isinstance(route, Peer) and route.verifies]


@dataclass(frozen=True)
class Goal:
    """`value` over `goal`; `at_most` says which side is good."""

    name: str
    value: float
    goal: float
    at_most: bool = True
    unit: str = ""

    @property
    def met(self) -> bool:
        return self.value <= self.goal if self.at_most else self.value >= self.goal

    def __str__(self) -> str:
        side, end = "at most" if self.at_most else "at least", "met" if self.met else "MISSED"
        return f"{self.name:<66}{self.value:8.2f}{self.unit}  (goal {side} {self.goal:g}: {end})"


def table(outcome: Outcome) -> list[str]:
    """A line a route: medians over the rounds, the largest memory."""
    floor = statistics.median(outcome.floors) if outcome.floors else None
    plain = outcome.seconds("cp") if "cp" in outcome.turns else None
    head = f"{outcome.place}: {outcome.size / GB:.3f} GB in {outcome.files} files"
    if floor:
        head += f"; dd oflag=direct writes as many bytes in {floor:.2f} s ({outcome.size / floor / 1e6:.0f} MB/s)"
    lines = [
        head,
        f"{'':<30}{'s':>8}{'verify':>8}{'/floor':>8}{'/cp':>7}{'read to verify':>20}{'CPU s/GB':>10}{'MiB':>6}",
    ]
    for name, turns in outcome.turns.items():
        route, seconds = outcome.routes[name], outcome.seconds(name)
        verify = statistics.median(turn.verify_s for turn in turns)
        read = statistics.median(turn.verify_read for turn in turns) / MIB
        cells = [
            f"{route.name:<30}",
            f"{seconds:8.2f}",
            f"{verify:8.2f}" if verify else " " * 8,
            f"{seconds / floor:8.2f}" if floor else " " * 8,
            f"{seconds / plain:7.2f}" if plain else " " * 7,
            f"{f'{read:.0f} of {turns[0].copies_bytes / MIB:.0f} MiB' if route.verifies else '–':>20}",
            f"{_cpu(outcome, name):10.2f}",
            f"{_peak(outcome, name) / MIB:6.0f}",
        ]
        lines.append("".join(cells))
    sealing = [turn.sealing_s for turn in outcome.turns.get("ours", ())]
    if sealing:
        lines.append(f"  of ours {statistics.median(sealing):.2f} s are papers, lists, signature, looking the bag over")
    return lines


def goals(outcome: Outcome) -> list[Goal]:
    """The goals that this run can say something about."""
    if "ours" not in outcome.turns:
        return []
    ours, made = outcome.seconds("ours"), []
    if outcome.throttled:
        if outcome.floors:
            made.append(Goal("ours / the drive's write floor", ours / statistics.median(outcome.floors), 1.05))
        if "cp" in outcome.turns:
            made.append(Goal("ours / cp -r, sync", ours / outcome.seconds("cp"), 0.75))
        peers = outcome.peers()
        if peers:
            best = min(peers, key=outcome.seconds)
            name = f"quickest peer that verifies ({outcome.routes[best].name}) / ours"
            made.append(Goal(name, outcome.seconds(best) / ours, 1.8, at_most=False))
        if {"ours-second", "ours-both"} <= outcome.turns.keys():
            slower = max(ours, outcome.seconds("ours-second"))
            made.append(
                Goal("two destinations at once / the slower one alone", outcome.seconds("ours-both") / slower, 1.05)
            )
    elif "cp" in outcome.turns:
        made.append(Goal("ours / cp -r, sync", ours / outcome.seconds("cp"), 1.0))
    made.append(Goal("CPU of ours", _cpu(outcome, "ours"), 0.8, unit=" s/GB"))
    made.append(Goal("memory of ours", _peak(outcome, "ours") / 1e6, 150, unit=" MB"))
    turns = outcome.turns["ours"]
    read = min(turn.verify_read / turn.copies_bytes for turn in turns)
    made.append(Goal("of its copy, ours read from the device to verify (least)", read, 1.0, at_most=False))
    return made


def as_dict(outcome: Outcome) -> dict[str, Any]:
    return {
        "place": outcome.place,
        "throttled": outcome.throttled,
        "bytes": outcome.size,
        "files": outcome.files,
        "floors_s": list(outcome.floors),
        "turns": {name: [asdict(turn) for turn in turns] for name, turns in outcome.turns.items()},
        "goals": [{**asdict(goal), "met": goal.met} for goal in goals(outcome)],
    }


def _cpu(outcome: Outcome, name: str) -> float:
    return statistics.median(turn.cpu_s / (outcome.size / GB) for turn in outcome.turns[name])


def _peak(outcome: Outcome, name: str) -> int:
    return max(turn.peak_bytes for turn in outcome.turns[name])
