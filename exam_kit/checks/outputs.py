"""A run for other programs: JSON, JUnit, TAP, Nagios, Prometheus. Pure functions of `run_dict`'s dictionary.

What is not known is never shown as good in any of them: a remark, an unknown and an item that waits for a person do
not pass. Only a waiver lets a fault through, and says so where the format has a place for it.
"""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET
from collections.abc import Callable, Mapping
from typing import Any

from exam_kit.checks.model import EXIT_CODES, State, Verdict
from exam_kit.clock import from_iso
from exam_kit.i18n import N_, translate

__all__ = ["FORMATS", "NAGIOS_CODES", "NAGIOS_UNKNOWN", "exit_code", "nagios_unknown", "write_out"]

Told = Mapping[str, Any]

NAGIOS_CODES = {Verdict.READY: 0, Verdict.READY_WITH_REMARKS: 1, Verdict.NOT_READY: 2, Verdict.INCOMPLETE: 3}
NAGIOS_UNKNOWN = 3
_NAGIOS_WORDS = ("OK", "WARNING", "CRITICAL", "UNKNOWN")

NOT_GOOD = (State.FAIL.value, State.UNKNOWN.value, State.PENDING.value, State.WARN.value)


def write_out(run: Told, form: str, *, language: str, point: str) -> str:
    """The run in the format `form` (a key of FORMATS); `point` is "region-code". Ends with a line break."""
    return FORMATS[form](run, language, point)


def exit_code(run: Told, form: str) -> int:
    """What a command that writes this format ends with: Nagios has codes of its own, all else the verdict's."""
    verdict = Verdict(run["verdict"]) if run["verdict"] else Verdict.INCOMPLETE
    return (NAGIOS_CODES if form == "nagios" else EXIT_CODES)[verdict]


def nagios_unknown(reason: str) -> str:
    """The answer of a Nagios check that could not be made."""
    return f"EXAM-KIT {_NAGIOS_WORDS[NAGIOS_UNKNOWN]} - {_one_line(reason).replace('|', '/')}\n"


def _json(run: Told, _language: str, _point: str) -> str:
    return json.dumps(run, ensure_ascii=False, indent=2) + "\n"


def _name(check: Told, language: str) -> str:
    title = check["title"].get(language) or check["title"]["en"]
    return f"{title} · {check['target']}" if check["target"] else title


def _said(check: Told, language: str) -> str:
    """State, what was found and what is asked for, in one line."""
    parts = [check["state_label"][language]]
    waived = check.get("waived")
    if waived:
        parts.append(_waiver(waived, language))
    if check["found"][language]:
        parts.append(check["found"][language])
    elif check["reason_label"]:
        parts.append(check["reason_label"][language])
    if check["expected"][language]:
        parts.append(f"[{check['expected'][language]}]")
    return _one_line(": ".join([parts[0], ", ".join(parts[1:])]) if len(parts) > 1 else parts[0])


def _waiver(waived: Told, language: str) -> str:
    template = N_("by {name} until {until} UTC: {why}")
    until = f"{from_iso(waived['until']):%Y-%m-%d %H:%M}"
    return translate(template, language).format(name=waived["name"], until=until, why=waived["why"])


def _one_line(text: str) -> str:
    return re.sub(r"\s+", " ", text).strip()


# JUnit ----------------------------------------------------------------------------------------------------------------

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def _junit(run: Told, language: str, point: str) -> str:
    """One suite. Faults and remarks are failures, unknown and unanswered errors; waived and not asked are skipped."""
    checks = run["checks"]
    kinds = {State.FAIL: "failure", State.WARN: "failure", State.UNKNOWN: "error", State.PENDING: "error"}
    kinds |= {State.SKIP: "skipped", State.WAIVED: "skipped"}
    found = [kinds.get(State(check["state"])) for check in checks]
    totals = {"tests": str(len(checks))} | {
        many: str(found.count(one)) for many, one in (("failures", "failure"), ("errors", "error"))
    }
    seconds = f"{sum(check['elapsed_s'] for check in checks):.3f}"
    suites = ET.Element("testsuites", {"name": "exam-kit", **totals, "time": seconds})
    stamp = f"{from_iso(run['started_at']):%Y-%m-%dT%H:%M:%S}"
    suite = ET.SubElement(
        suites,
        "testsuite",
        {
            "name": _xml(run["profile"]),
            **totals,
            "skipped": str(found.count("skipped")),
            "time": seconds,
            "timestamp": stamp,
            "hostname": point,
        },
    )
    properties = ET.SubElement(suite, "properties")
    for key in ("id", "day", "verdict", "profile_hash"):
        ET.SubElement(properties, "property", {"name": key, "value": _xml(str(run[key] or ""))})
    for check, kind in zip(checks, found, strict=True):
        case = ET.SubElement(
            suite,
            "testcase",
            {
                "classname": f"exam_kit.{check['family']}.{check['check']}",
                "name": _xml(_name(check, language)),
                "time": f"{check['elapsed_s']:.3f}",
            },
        )
        if kind is None:
            continue
        outcome = ET.SubElement(case, kind, {"message": _xml(_said(check, language))})
        if kind != "skipped":
            outcome.set("type", f"{check['state']}.{check['severity']}")
            outcome.text = _xml(check["fix"].get(language) or check["fix"].get("en", ""))
    ET.indent(suites)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(suites, encoding="unicode") + "\n"


def _xml(text: str) -> str:
    return _NOT_XML.sub("\ufffd", text)


# TAP ------------------------------------------------------------------------------------------------------------------


def _tap(run: Told, language: str, _point: str) -> str:
    """TAP 13; readers refuse a newer number. A waived fault is a TODO, which counts against nothing."""
    lines = ["TAP version 13", f"1..{len(run['checks'])}"]
    for number, check in enumerate(run["checks"], 1):
        state = State(check["state"])
        good = state in (State.OK, State.SKIP)
        line = f"{'ok' if good else 'not ok'} {number} - {_tap_text(_name(check, language))}"
        if state is State.SKIP:
            line += f" # SKIP {_tap_text(_said(check, language))}"
        elif state is State.WAIVED:
            line += f" # TODO {_tap_text(_said(check, language))}"
        lines.append(line)
        if not good:
            told = {
                "check": check["check"],
                "target": check["target"],
                "state": check["state"],
                "severity": check["severity"],
                "message": _said(check, language),
                "fix": _one_line(check["fix"].get(language) or check["fix"].get("en", "")),
            }
            # A JSON string is a YAML string, whatever stands in it.
            lines += ["  ---", *(f"  {key}: {json.dumps(value, ensure_ascii=False)}" for key, value in told.items())]
            lines.append("  ...")
    return "\n".join(lines) + "\n"


def _tap_text(text: str) -> str:
    return _one_line(text).replace("\\", "\\\\").replace("#", "\\#")


# Nagios ---------------------------------------------------------------------------------------------------------------


def _nagios(run: Told, language: str, point: str) -> str:
    """One line with the verdict and performance data, then a line for each check that is not good."""
    word = _NAGIOS_WORDS[exit_code(run, "nagios")]
    verdict = run["verdict_label"][language] if run["verdict_label"] else "—"
    counts = run["counts"]
    labels = {check["state"]: check["state_label"][language] for check in run["checks"]}
    said = ", ".join(f"{labels[state]}: {count}" for state, count in counts.items() if count and state in labels)
    at = f"{from_iso(run['ended_at'] or run['started_at']):%Y-%m-%d %H:%M} UTC"
    data = " ".join(f"{state}={count};;;0;{len(run['checks'])}" for state, count in counts.items())
    head = _one_line(f"EXAM-KIT {word} - {point} {verdict} ({said}) {at}").replace("|", "/")
    order = {state: place for place, state in enumerate(NOT_GOOD)}
    bad = sorted((check for check in run["checks"] if check["state"] in order), key=lambda one: order[one["state"]])
    more = [_one_line(f"{_name(check, language)}: {_said(check, language)}").replace("|", "/") for check in bad]
    return "\n".join([f"{head} | {data}", *more]) + "\n"


# Prometheus -----------------------------------------------------------------------------------------------------------


def _prometheus(run: Told, _language: str, point: str) -> str:
    """Text exposition format, for node_exporter's textfile collector. Codes only: no name of a person stands in it."""
    lines: list[str] = []

    def metric(name: str, text: str, samples: list[tuple[dict[str, str], float]]) -> None:
        if not samples:
            return
        lines.extend((f"# HELP exam_kit_{name} {text}", f"# TYPE exam_kit_{name} gauge"))
        for labels, value in samples:
            inside = ",".join(f'{key}="{_label(found)}"' for key, found in ({"point": point} | labels).items())
            lines.append(f"exam_kit_{name}{{{inside}}} {value!r}")

    verdict = run["verdict"] or Verdict.INCOMPLETE.value
    metric("verdict", "1 for the verdict of the run.", [({"verdict": one}, int(one == verdict)) for one in Verdict])
    metric("checks", "Results in each state.", [({"state": one}, count) for one, count in run["counts"].items()])
    metric(
        "check_state",
        "1 for the state each check is in.",
        [(_labels(check) | {"severity": check["severity"], "state": check["state"]}, 1) for check in run["checks"]],
    )
    metric(
        "check_value",
        "Measured values, in the units of the probes (docs/checks.md).",
        [
            (_labels(check) | {"value": name}, float(value))
            for check in run["checks"]
            for name, value in check["values"].items()
            if isinstance(value, int | float)
        ],
    )
    metric("check_seconds", "How long each check took.", [(_labels(one), one["elapsed_s"]) for one in run["checks"]])
    metric(
        "waiver_until_timestamp_seconds",
        "When the waiver that covers a check ends.",
        [
            ({"check": one["check"], "target": one["target"]}, from_iso(one["until"]).timestamp())
            for one in run["waivers"]
        ],
    )
    ended = run["ended_at"] or run["started_at"]
    metric("run_timestamp_seconds", "When the run ended.", [({"profile": run["profile"]}, from_iso(ended).timestamp())])
    return "\n".join(lines) + "\n"


def _labels(check: Told) -> dict[str, str]:
    return {"check": check["check"], "target": check["target"], "family": check["family"]}


def _label(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


FORMATS: dict[str, Callable[[Told, str, str], str]] = {
    "json": _json,
    "junit": _junit,
    "tap": _tap,
    "nagios": _nagios,
    "prometheus": _prometheus,
}
