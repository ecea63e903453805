"""Parts of the protocol of technical readiness: stations in the published columns, waivers, what changed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from exam_kit.clock import from_iso, iso
from exam_kit.forms.sheet import Paper
from exam_kit.i18n import N_
from exam_kit.point import Station, StationRole

__all__ = ["MARKS", "comparison_part", "stations_part", "waivers_part"]

MARKS = {"ok": "☑", "warn": "☑", "waived": "☑", "fail": "☒", "unknown": "☐", "pending": "☐", "skip": "–"}
"""A mark stands only where the thing is good or was let pass by name; what is unknown is never ticked."""

WORST_FIRST = ("fail", "unknown", "pending", "waived", "warn", "ok", "skip")
NOT_CHECKED = "—"

STATION_ROLES = {
    StationRole.AUTHORISATION: N_("authorisation station"),
    StationRole.PRINT: N_("print station"),
    StationRole.SCAN: N_("scan station"),
    StationRole.HEADQUARTERS: N_("headquarters station"),
    StationRole.ORGANISER: N_("organiser station"),
    StationRole.COMPUTER_EXAM: N_("computer-exam station"),
    StationRole.CCTV: N_("CCTV computer"),
}

STATION_COLUMNS = {
    "number": N_("№"),
    "station": N_("Station"),
    "role": N_("Role"),
    "main": N_("Main or reserve"),
    "software": N_("Software version"),
    "os": N_("Operating system"),
    "hardware": N_("Hardware"),
    "print": N_("Test print"),
    "scan": N_("Test scan"),
    "channels": N_("Channels"),
    "clock": N_("Clock"),
    "verdict": N_("Verdict"),
}

HARDWARE = ("cpu", "memory", "disk", "screen", "power", "usb")

Check = Mapping[str, Any]


def stations_part(paper: Paper, run: Mapping[str, Any]) -> dict[str, Any]:
    """One row for the specialist's computer and one for each station of the point; a reserve stands as such.

    A station whose result was not taken in has dashes: nothing is known of it.
    """
    laptop = [check for check in run["checks"] if not check["target"]]
    verdict = run["verdict_label"][paper.language] if run["verdict_label"] else NOT_CHECKED
    rows = [[paper.say(N_("technical specialist's computer")), "", paper.say(N_("main")), *_cells(laptop), verdict]]
    for station in paper.point.stations:
        found = run.get("stations", {}).get(station.id)
        cells = _cells(found["checks"]) if found else [NOT_CHECKED] * 7
        judged = found["verdict_label"][paper.language] if found else paper.say(N_("not checked"))
        rows.append([*_who(paper, station), *cells, judged])
    return {
        "columns": [paper.say(label) for label in STATION_COLUMNS.values()],
        "rows": [[str(number), *row] for number, row in enumerate(rows, 1)],
    }


def _who(paper: Paper, station: Station) -> list[str]:
    kind = N_("main") if station.main else N_("reserve")
    return [f"{station.id} · {station.room}", paper.say(STATION_ROLES[station.role]), paper.say(kind)]


def _cells(checks: Sequence[Check]) -> list[str]:
    """The seven columns from software to clock: marks, with the version where there is one."""

    def of(*families: str) -> list[Check]:
        return [check for check in checks if check.get("family") in families]

    def by_hand(word: str, family: str) -> list[Check]:
        # Sheets that a person looks at are items of the profile named after what was printed or scanned.
        return [one for one in checks if one.get("family") == family or (one.get("manual") and word in one["check"])]

    software = [check for check in of("software") if check.get("values", {}).get("installed") is not None]
    system = [check for check in of("os") if check.get("values", {}).get("family")]
    return [
        _mark(software, lambda values: str(values.get("version") or "")),
        _mark(system, lambda values: f"{values['family']} {values.get('version') or ''}".strip()),
        _mark(of(*HARDWARE)),
        _mark(by_hand("print", "printer")),
        _mark(by_hand("scan", "scanner")),
        _mark(of("network")),
        _mark(of("clock")),
    ]


def _mark(checks: Sequence[Check], text: Callable[[Mapping[str, Any]], str] | None = None) -> str:
    """The worst mark of these checks, and what `text` says of each one's values."""
    if not checks:
        return NOT_CHECKED
    states = {check["state"] for check in checks}
    worst = next(state for state in WORST_FIRST if state in states)
    said = ", ".join(dict.fromkeys(filter(None, (text(one["values"]) for one in checks)))) if text else ""
    return f"{MARKS[worst]} {said}".strip()


WAIVER_COLUMNS = {
    "entry": N_("Entry"),
    "what": N_("What may pass"),
    "covers": N_("Instead of"),
    "why": N_("Grounds"),
    "by": N_("Decided by"),
    "given": N_("Given"),
    "until": N_("Until"),
}


def waivers_part(paper: Paper, run: Mapping[str, Any]) -> dict[str, Any]:
    """A line for each waiver that covers a result; one that has ended by the time of printing says so."""
    now = iso(paper.made_at)
    rows = []
    for waiver in run.get("waivers", ()):
        until = paper.moment(from_iso(waiver["until"]))
        title = waiver["title"][paper.language]
        rows.append(
            [
                str(waiver["number"]),
                f"{title} · {waiver['target']}" if waiver["target"] else title,
                waiver["covers_label"][paper.language],
                waiver["why"],
                f"{waiver['name']}, {waiver['post']}" if waiver["post"] else waiver["name"],
                paper.moment(from_iso(waiver["given_at"])),
                paper.say(N_("{until} (ended)"), until=until) if waiver["until"] <= now else until,
            ]
        )
    return {"columns": [paper.say(label) for label in WAIVER_COLUMNS.values()], "rows": rows}


def comparison_part(paper: Paper, run: Mapping[str, Any]) -> dict[str, Any] | None:
    """What changed since the last run: its line, and under each kind the checks, their targets put together."""
    told = run.get("comparison")
    if not told:
        return None
    language = paper.language
    groups: dict[str, dict[tuple[str, str], list[str]]] = {}
    for change in told["changes"]:
        title = change["title"][language]
        what = f"{title} · {change['target']}" if change["target"] else title
        rest = change["text"][language].removeprefix(f"{what}: ")
        if change["kind"] == "missing":  # what is gone counts, not each thing that was asked of it
            title, rest = change["target"], ""
        targets = groups.setdefault(change["kind_label"][language], {}).setdefault((title, rest), [])
        if change["target"] and rest:
            targets.append(change["target"])
    return {
        "line": paper.say(
            N_("Compared with the check of {moment}: {summary}"),
            moment=paper.moment(from_iso(told["before_at"])),
            summary=told["summary"][language],
        ),
        "groups": [
            {"label": label, "lines": [_line(*key, targets) for key, targets in found.items()]}
            for label, found in groups.items()
        ],
    }


def _line(title: str, rest: str, targets: Sequence[str]) -> str:
    what = f"{title} · {', '.join(targets)}" if targets else title
    return f"{what}: {rest}" if rest else what
