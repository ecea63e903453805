"""The protocol of technical readiness on paper, from a run of the checks."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from exam_kit.checks.model import Reason
from exam_kit.clock import from_iso
from exam_kit.forms.protocol_parts import MARKS, comparison_part, stations_part, waivers_part
from exam_kit.forms.sheet import DUTY_SIGNATURES, Paper, signature
from exam_kit.forms.typeset import typeset
from exam_kit.i18n import N_
from exam_kit.journal.person import Person
from exam_kit.point import ExamDay, Point
from exam_kit.store import Checkpoint, Head

__all__ = ["check_protocol_pdf"]

TITLE = N_("Protocol of technical readiness")

COLUMNS = {
    "number": N_("№"),
    "title": N_("What was checked"),
    "expected": N_("Required"),
    "found": N_("Found"),
    "state": N_("Result"),
}

WORDS = {
    "verdict": N_("Verdict"),
    "remarks": N_("Remarks"),
    "none": N_("none"),
    "stations": N_("Stations and reserves"),
    "checks": N_("Checks"),
    "waivers": N_("Waivers: let pass by decision"),
    "comparison": N_("Since the last check"),
}

REMARKED = ("warn", "fail", "unknown", "pending", "waived")


def check_protocol_pdf(
    point: Point,
    day: ExamDay | dt.date | None,
    run: Mapping[str, Any],
    language: str,
    head: Head | Checkpoint,
    *,
    people: Mapping[str, Person] | None = None,
    made_at: datetime | None = None,
) -> bytes:
    """The protocol as PDF. `people` gives a name for the login that ran it.

    `run` is `exam_kit.checks.results.told`'s, with the comparison and the stations, or `run_dict`'s without them.
    """
    paper = Paper(point, language, head, day=day, made_at=made_at)
    asked = _in_order(run["checks"])
    checks = [_check(paper, number, check) for number, check in enumerate(asked, 1)]
    actor = (people or {}).get(run["actor"])
    verdict = run["verdict_label"]
    more = [
        (paper.say(N_("Check begun")), paper.moment(from_iso(run["started_at"]))),
        (
            paper.say(N_("Check ended")),
            paper.moment(from_iso(run["ended_at"])) if run["ended_at"] else paper.say(N_("still running")),
        ),
        (paper.say(N_("Run by")), actor.name if actor else str(run["actor"])),
        (paper.say(N_("Profile")), f"{run['profile']}, SHA-256 {run['profile_hash']}"),
    ]
    if run.get("cancelled_by"):
        more.append((paper.say(N_("Cancelled before its end by")), str(run["cancelled_by"])))
    data = paper.data(
        paper.say(TITLE),
        more=more,
        signatures=[
            signature(paper.say(role), actor.name if actor and number == 0 else "", actor.post if actor else "")
            for number, role in enumerate(DUTY_SIGNATURES)
        ],
        columns=paper.words(COLUMNS),
        families=_grouped(checks),
        words=paper.words(WORDS),
        stations=stations_part(paper, run),
        waivers=waivers_part(paper, run),
        comparison=comparison_part(paper, run),
        verdict=verdict[language] if verdict else paper.say(N_("still running")),
        good=run["verdict"] == "ready",
        counts=_counts(run, language),
        remarks=_remarks(paper, asked) + _station_remarks(paper, run),
    )
    return typeset("protocol", data, paper.made_at)


def _in_order(checks: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """What was asked of this computer, families together, in the order of each family's first check."""
    families: dict[str, list[Mapping[str, Any]]] = {}
    for check in checks:
        if check.get("reason") != Reason.NOT_REQUIRED:
            families.setdefault(check["family_label"]["en"], []).append(check)
    return [check for family in families.values() for check in family]


def _check(paper: Paper, number: int, check: Mapping[str, Any]) -> dict[str, Any]:
    language, state = paper.language, check["state"]
    title = check["title"][language]
    signed = check.get("signed")
    found = check["found"][language]
    if signed:
        by = f"{signed['name']}, {paper.moment(from_iso(signed['at']))}"
        found = f"{found} — {by}" if found else by
        for kept in signed.get("attachments", ()):
            found += f"; {kept['name']} (SHA-256 {kept['sha256'][:16]})"
    waived = check.get("waived")
    if waived:
        covered = paper.say(
            N_("{state}, let pass by entry № {number}"), state=waived["covers_label"][language], number=waived["number"]
        )
        found = f"{found} — {covered}" if found else covered
    return {
        "number": str(number),
        "family": check["family_label"][language],
        "title": f"{title} · {check['target']}" if check["target"] else title,
        "expected": check["expected"][language],
        "found": found,
        "state": f"{MARKS[state]} {check['state_label'][language]}",
        "alarm": state in ("fail", "unknown"),
    }


def _grouped(checks: list[dict[str, Any]]) -> list[dict[str, Any]]:
    groups: dict[str, list[dict[str, Any]]] = {}
    for check in checks:
        groups.setdefault(check["family"], []).append(check)
    return [{"label": label, "checks": found} for label, found in groups.items()]


def _counts(run: Mapping[str, Any], language: str) -> str:
    labels = {check["state"]: check["state_label"][language] for check in run["checks"]}
    return ", ".join(f"{labels[state]}: {count}" for state, count in run["counts"].items() if count and state in labels)


def _remarks(paper: Paper, checks: Sequence[Mapping[str, Any]]) -> list[str]:
    """One line for each check that is not simply good, whatever the number of its cameras."""
    found: dict[tuple[str, str], list[tuple[int, str]]] = {}
    words: dict[tuple[str, str], tuple[str, str, str]] = {}
    for number, check in enumerate(checks, 1):
        if check["state"] in REMARKED:
            key = check["check"], check["state"]
            found.setdefault(key, []).append((number, check["target"]))
            words[key] = (
                check["title"][paper.language],
                f"{check['state_label'][paper.language]}, {check['severity_label'][paper.language]}",
                check["fix"].get(paper.language, ""),
            )
    return [_remark(paper, *words[key], places) for key, places in found.items()]


def _station_remarks(paper: Paper, run: Mapping[str, Any]) -> list[str]:
    """The same for exam stations: what is not good there, and on which of them."""
    found: dict[tuple[str, str, str], list[str]] = {}
    for station, told in run.get("stations", {}).items():
        for check in told["checks"]:
            if check["state"] in REMARKED:
                state = f"{check['state_label'][paper.language]}, {check['severity_label'][paper.language]}"
                key = check["title"][paper.language], state, check["fix"].get(paper.language, "")
                found.setdefault(key, []).append(station)
    return [f"{', '.join(where)}: {title} ({state}). {fix}".rstrip() for (title, state, fix), where in found.items()]


def _remark(paper: Paper, title: str, state: str, fix: str, places: Sequence[tuple[int, str]]) -> str:
    numbers = ", ".join(str(number) for number, _target in places)
    targets = ", ".join(target for _number, target in places if target)
    what = f"{title} · {targets}" if targets else title
    return f"{paper.say(N_('№'))} {numbers} {what} ({state}). {fix}".rstrip()
