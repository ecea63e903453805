"""Facts and expectations in words, in every language, for the screen and the protocol."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from exam_kit.checks.model import Outcome, Reading, Reason, Result, Rule, Severity, State, Texts, Verdict
from exam_kit.i18n import LANGUAGES, N_, translate

__all__ = [
    "FAMILY_LABELS",
    "REASON_LABELS",
    "SEVERITY_LABELS",
    "STATE_LABELS",
    "VERDICT_LABELS",
    "expected",
    "found",
    "in_all",
    "value_text",
]

STATE_LABELS = {
    State.OK: N_("in order"),
    State.WARN: N_("remark"),
    State.FAIL: N_("fault"),
    State.UNKNOWN: N_("not known"),
    State.SKIP: N_("does not apply"),
    State.PENDING: N_("to be confirmed"),
    State.WAIVED: N_("allowed by decision"),
}
SEVERITY_LABELS = {
    Severity.BLOCKER: N_("blocks the exam"),
    Severity.MAJOR: N_("important"),
    Severity.MINOR: N_("minor"),
    Severity.INFO: N_("for information"),
}
VERDICT_LABELS = {
    Verdict.NOT_READY: N_("NOT READY"),
    Verdict.INCOMPLETE: N_("CHECK INCOMPLETE"),
    Verdict.READY_WITH_REMARKS: N_("READY WITH REMARKS"),
    Verdict.READY: N_("READY"),
}
REASON_LABELS = {
    Reason.TIMEOUT: N_("no answer in time"),
    Reason.ERROR: N_("could not be measured"),
    Reason.DENIED: N_("access refused"),
    Reason.TOOL_ABSENT: N_("the program that tells this is not installed"),
    Reason.NOT_RUN: N_("was not run"),
    Reason.NO_CAMERAS: N_("the point has no cameras"),
    Reason.NO_PLAN: N_("no recording is planned"),
    Reason.NOT_REQUIRED: N_("not required here"),
    Reason.OTHER_SYSTEM: N_("not for this operating system"),
}
FAMILY_LABELS = {
    "camera": N_("Cameras"),
    "disk": N_("Disk"),
    "memory": N_("Memory"),
    "cpu": N_("Processor"),
    "os": N_("Operating system"),
    "clock": N_("Clock"),
    "antivirus": N_("Antivirus"),
    "network": N_("Network"),
    "software": N_("Programs"),
    "power": N_("Power"),
    "ledger": N_("Journal and keys"),
    "screen": N_("Screen"),
    "printer": N_("Printers"),
    "scanner": N_("Scanners"),
    "usb": N_("What is plugged in"),
    "backup": N_("Backups"),
    "kit": N_("The kit itself"),
    "manual": N_("By eye and hand"),
    "own": N_("Own checks"),
}

_WORDS = {
    True: N_("yes"),
    False: N_("no"),
    # Picture states (cctv.picture) and kinds of back-up power, as probes name them.
    "ok": N_("in order"),
    "black": N_("black picture"),
    "dark": N_("dark picture"),
    "covered": N_("covered camera"),
    "glare": N_("blinding light"),
    "blurred": N_("blurred picture"),
    "frozen": N_("frozen picture"),
    "moved": N_("moved camera"),
    "unknown": N_("not known"),
    "none": N_("none"),
    "battery": N_("battery"),
    "ups": N_("UPS"),
    # Why a camera does not answer (cctv.source.SourceCause).
    "refused": N_("connection refused"),
    "unauthorised": N_("sign-in refused"),
    "timeout": N_("silence"),
    "no_video": N_("no video"),
    "ended": N_("the stream ended"),
    # How far network.channel got.
    "nothing": N_("nothing"),
    "name": N_("the name only"),
    "connection": N_("a connection"),
    "answer": N_("an answer"),
    # A printer's state (printer.supplies).
    "idle": N_("idle"),
    "printing": N_("printing"),
    "stopped": N_("stopped"),
}


def in_all(say: Callable[[str], str]) -> Texts:
    """`say(language)` for every language."""
    return {language: say(language) for language in LANGUAGES}


def _comma(text: str, language: str) -> str:
    return text if language == "en" else text.replace(".", ",")


def _number(value: float, language: str) -> str:
    if float(value).is_integer():
        return str(int(value))
    rounded = f"{value:.2f}" if abs(value) < 10 else f"{value:.1f}"
    return _comma(rounded.rstrip("0").rstrip("."), language)


_SCALES: dict[str, tuple[float, str]] = {
    "bytes": (1e9, N_("{value} GB")),
    "bytes_per_s": (1e6, N_("{value} MB/s")),
    "bps": (1e6, N_("{value} Mbit/s")),
    "hz": (1e9, N_("{value} GHz")),
    "s": (1, N_("{value} s")),
    "min": (1, N_("{value} min")),
    "h": (1, N_("{value} h")),
    "d": (1, N_("{value} d")),
    "px": (1, N_("{value} px")),
    "fps": (1, N_("{value} frames/s")),
    "%": (1, "{value} %"),
    "times": (1, "× {value}"),
}


def value_text(value: Any, unit: str, language: str) -> str:
    """One value with its unit, in the reader's words."""
    if value is None:
        return "—"
    if isinstance(value, int | float) and not isinstance(value, bool):
        divisor, template = _SCALES.get(unit, (1, "{value}"))
        return translate(template, language).format(value=_number(value / divisor, language))
    if unit == "date":  # a station's file may hold anything there; what is no date stays as it is
        return re.sub(r"^(\d{4})-(\d\d)-(\d\d)$", r"\3.\2.\1", str(value))
    word = _WORDS.get(value)
    return translate(word, language) if word else str(value)


def found(result: Result, language: str) -> str:
    """What was found, in one line."""
    reason = result.fact.reason
    if reason is not None:
        return translate(REASON_LABELS[reason], language)
    if result.fact.outcome is Outcome.PENDING:
        return result.signed.note if result.signed else ""
    known = ((name, value) for name, value in result.fact.values.items() if value is not None)
    return ", ".join(_named(name, value, result.readings, language) for name, value in known)


def expected(result: Result, language: str) -> str:
    """What the profile asks for, in one line; a milder bound for a remark stands in brackets."""
    must = [_rule(rule, result.readings, language) for rule in result.expect.fail]
    should = [_rule(rule, result.readings, language) for rule in result.expect.warn]
    if not must:
        return ", ".join(should)
    if not should:
        return ", ".join(must)
    return translate(N_("{must} (better: {should})"), language).format(must=", ".join(must), should=", ".join(should))


def _named(name: str, value: Any, readings: Mapping[str, Reading], language: str) -> str:
    reading = readings.get(name, Reading())
    text = value_text(value, reading.unit, language)
    return f"{translate(reading.label, language)}: {text}" if reading.label else text


_SIGNS = {
    "below": "≥ {value}",
    "above": "≤ {value}",
    "is_not": "{value}",
    "none_of": "{value}",
    "version_below": "≥ {value}",
}


def _rule(rule: Rule, readings: Mapping[str, Reading], language: str) -> str:
    """The good side of a rule: `free below 1` asks for `free ≥ 1`."""
    reading = readings.get(rule.of, Reading())
    bounds = rule.bound if isinstance(rule.bound, tuple) else (rule.bound,)
    template = _SIGNS.get(rule.condition, N_("not {value}"))
    if rule.condition == "is" and isinstance(rule.bound, bool):
        bounds, template = (not rule.bound,), "{value}"
    value = " / ".join(value_text(bound, reading.unit, language) for bound in bounds)
    said = translate(template, language).format(value=value)
    label = translate(reading.label or rule.of, language)
    return f"{label} {said}" if said[:1] in "≥≤" else f"{label}: {said}"
