"""Whatever is not ok says what to do in three languages and shows what was seen: every profile, outcome, own check."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from exam_kit.checks import CheckContext, Fact, Reason, State, load_profile, run_checks
from exam_kit.checks.model import CONDITIONS, Check, Expectation, Reading, Result, Rule, Severity, Waived, Waiver
from exam_kit.checks.profile import SHIPPED
from exam_kit.checks.registry import get_probe
from exam_kit.checks.report import result_dict
from exam_kit.checks.verdicts import judge
from exam_kit.clock import FakeClock
from exam_kit.home import Home
from exam_kit.i18n import LANGUAGES
from exam_kit.point import Point, Secrets
from exam_kit.store import Store

UNKNOWN = (Reason.TIMEOUT, Reason.ERROR, Reason.DENIED, Reason.TOOL_ABSENT, Reason.NOT_RUN)
ALPHABETS = {"ru": re.compile("[А-Яа-яЁё]"), "en": re.compile("[A-Za-z]"), "lv": re.compile("[A-Za-zĀ-ž]")}

OWN = """from exam_kit.checks import At, Fact, check


@check(
    "{name}",
    severity="major",
    fail=[{{"of": "litres", "below": 20}}],
    warn=[{{"of": "litres", "below": 40}}],
    readings={{"litres": ("", "litres")}},
    timeout_s={limit},
    title={{"ru": "Топливо", "en": "Fuel", "lv": "Degviela"}},
    fix={{"ru": "Долейте топливо.", "en": "Refuel it.", "lv": "Papildiniet degvielu."}},
)
def gauge(at: At) -> Fact:
    {body}
"""

BODIES = {
    "fails": ('return Fact({"litres": 3.0})', State.FAIL, None),
    "warns": ('return Fact({"litres": 30.0})', State.WARN, None),
    "nothing": ("return Fact({})", State.UNKNOWN, None),
    "word": ('return Fact({"litres": "many"})', State.UNKNOWN, None),
    "nan": ('return Fact({"litres": float("nan")})', State.UNKNOWN, None),
    "none": ("return None", State.UNKNOWN, Reason.ERROR),
    "raises": ('raise ValueError("dry")', State.UNKNOWN, Reason.ERROR),
    "denied": ('raise PermissionError("no")', State.UNKNOWN, Reason.DENIED),
    "absent": ('at.command("no-such-gauge-4711").answer()', State.UNKNOWN, Reason.TOOL_ABSENT),
    "refuses": ('at.command("false").answer()', State.UNKNOWN, Reason.ERROR),
    "hangs": ("import time; time.sleep(30)", State.UNKNOWN, Reason.TIMEOUT),
    "says-so": ("from exam_kit.checks import Reason; return Fact.unknown(Reason.ERROR)", State.UNKNOWN, Reason.ERROR),
}


def holds(told: Mapping[str, Any]) -> None:
    """All that must stand in a result that is not ok."""
    what = told["check"], told["state"], told["reason"]
    for language, letters in ALPHABETS.items():
        assert letters.search(told["fix"][language]), what
        assert letters.search(told["state_label"][language]), what
        assert told["title"][language], what
        if told["reason"]:
            assert letters.search(told["reason_label"][language]), what
    assert len({told["fix"][language] for language in LANGUAGES}) == 3, what
    assert told["evidence"] or told["manual"], what


def met(rule: Rule) -> object:
    """A value for which the rule's fault is there."""
    bound = rule.bound
    match rule.condition:
        case "below" | "above":
            assert isinstance(bound, int | float)
            return bound - 1 if rule.condition == "below" else bound + 1
        case "is":
            return bound
        case "is_not":
            return (not bound) if isinstance(bound, bool) else f"not {bound}"
        case "one_of":
            assert isinstance(bound, tuple)
            return bound[0]
        case "none_of":
            return "none of these"
        case "version_below":
            return "0.0.1"
    raise AssertionError(rule.condition)


def facts_of(check: Check) -> Iterator[tuple[Fact, State]]:
    """Every outcome this check can have that is not ok, and the state that follows from it."""
    if check.probe == "manual.confirm":
        yield Fact.pending(), State.PENDING
    for reason in UNKNOWN:
        yield Fact.unknown(reason), State.UNKNOWN
    for rule in check.expect.fail:
        yield Fact({rule.of: met(rule)}), State.FAIL  # type: ignore[dict-item]
    for rule in () if check.expect.fail else check.expect.warn:
        yield Fact({rule.of: met(rule)}), State.WARN  # type: ignore[dict-item]
    for rule in check.expect.fail + check.expect.warn:
        yield Fact({rule.of: None}), State.UNKNOWN


def result_of(check: Check, fact: Fact) -> Result:
    probe = get_probe(check.probe)
    readings: Mapping[str, Reading] = probe.readings if probe else {}
    judged = judge(fact, check.expect)
    return Result(
        check.id, "", 0, check.probe, check.title, check.fix, check.severity, check.expect, readings, fact,
        judged.state, judged.rules, "2026-05-28T05:00:00.000000Z", 0.1,
    )  # fmt: skip


@pytest.mark.parametrize("name", sorted(path.stem for path in SHIPPED.glob("*.toml")))
def test_every_outcome_of_every_check_of_a_profile(name: str, home: Home) -> None:
    seen = set()
    waiver = Waiver(1, "c", "", "why", "2026-05-29", Severity.BLOCKER, "2026-05-28", "l", "n", "commission_member", "")
    for check in load_profile(name, home).checks:
        for fact, state in facts_of(check):
            result = result_of(check, fact)
            others = {State.FAIL, State.UNKNOWN} if state is State.UNKNOWN else {state}
            assert result.state in others, (check.id, fact)
            holds(result_dict(result))
            holds(result_dict(result._replace(state=State.WAIVED, waived=Waived(waiver, result.state))))
            seen.add(result.state)
    assert seen >= {State.FAIL, State.WARN, State.UNKNOWN, State.PENDING}


def test_every_condition_was_thought_of() -> None:
    bounds: dict[str, Any] = {"one_of": ("a",), "none_of": ("a",), "version_below": "1.0", "is_not": True}
    for condition in CONDITIONS:
        rule = Rule("x", condition, bounds.get(condition, 1))
        assert judge(Fact({"x": met(rule)}), Expectation(fail=(rule,))).state is State.FAIL  # type: ignore[dict-item]


def test_every_outcome_of_a_points_own_check(home: Home, point: Point, store: Store, clock: FakeClock) -> None:
    folder: Path = home.root / "checks"
    folder.mkdir()
    for name, (body, _state, _reason) in BODIES.items():
        text = OWN.format(name=name, body=body, limit=0.5 if name == "hangs" else 5)
        (folder / f"{name.replace('-', '_')}.py").write_text(text, encoding="utf-8")
    (folder / "broken.py").write_text("1 / 0\n", encoding="utf-8")
    context = CheckContext(point, home, store, Secrets(home, file_only=True), None, clock)
    run = run_checks(load_profile("demo", home), context, only=[*BODIES, "own-broken"])
    told = {one["check"]: one for one in map(result_dict, run.results)}
    for name, (_body, state, reason) in BODIES.items():
        assert told[name]["state"] == state, name
        assert reason is None or told[name]["reason"] == reason, name
        holds(told[name])
    assert told["own-broken"]["state"] == State.UNKNOWN
    holds(told["own-broken"])
