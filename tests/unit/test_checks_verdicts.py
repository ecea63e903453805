"""Judging facts, as tables."""

from __future__ import annotations

import math

import pytest

from exam_kit.checks.model import (
    EXIT_CODES,
    Expectation,
    Fact,
    Outcome,
    Reading,
    Reason,
    Result,
    Rule,
    Scalar,
    Severity,
    State,
    Verdict,
)
from exam_kit.checks.verdicts import judge, overall, rejudge, version_key

B, M, INFO = Severity.BLOCKER, Severity.MAJOR, Severity.INFO


def result(state: State, severity: Severity, check: str = "x") -> Result:
    outcome = {State.PENDING: Outcome.PENDING, State.UNKNOWN: Outcome.UNKNOWN, State.SKIP: Outcome.SKIPPED}
    fact = Fact({"n": 1}, {}, outcome.get(state, Outcome.MEASURED), Reason.ERROR if state is State.UNKNOWN else None)
    texts = {"ru": "а", "en": "a", "lv": "ā"}
    return Result(
        check, "", 0, "test.x", texts, texts, severity, Expectation(), {"n": Reading()}, fact, state, (), "", 0.0
    )


@pytest.mark.parametrize(
    ("condition", "bound", "value", "state"),
    [
        ("below", 2, 1.9, State.FAIL),
        ("below", 2, 2, State.OK),
        ("above", 60, 60, State.OK),
        ("above", 60, 60.01, State.FAIL),
        ("is", False, False, State.FAIL),
        ("is", False, True, State.OK),
        ("is_not", "ok", "black", State.FAIL),
        ("is_not", "ok", "ok", State.OK),
        ("one_of", ("black", "frozen"), "frozen", State.FAIL),
        ("one_of", ("black", "frozen"), "ok", State.OK),
        ("none_of", ("windows", "debian"), "plan9", State.FAIL),
        ("none_of", ("windows", "debian"), "debian", State.OK),
        ("version_below", "3.11", "3.10.9", State.FAIL),
        ("version_below", "3.11", "3.11.2-1+b1", State.OK),
        ("version_below", "3.11", "7:3.9", State.FAIL),
        # What cannot be decided is never good.
        ("below", 2, None, State.UNKNOWN),
        ("below", 2, "3", State.UNKNOWN),
        ("below", 2, True, State.UNKNOWN),
        ("below", 2, math.nan, State.UNKNOWN),
        ("above", 2, math.inf, State.UNKNOWN),
        ("is", False, 0, State.UNKNOWN),
        ("is", False, "no", State.UNKNOWN),
        ("is_not", "ok", None, State.UNKNOWN),
        ("one_of", ("black",), 7, State.UNKNOWN),
        ("version_below", "3.11", "unknown", State.UNKNOWN),
        ("version_below", "3.11", 3.12, State.UNKNOWN),
    ],
)
def test_a_rule_on_a_value(condition: str, bound: Scalar | tuple[Scalar, ...], value: Scalar, state: State) -> None:
    rule = Rule("n", condition, bound)
    assert judge(Fact({"n": value}), Expectation(fail=(rule,))).state is state
    as_warning = State.WARN if state is State.FAIL else state
    assert judge(Fact({"n": value}), Expectation(warn=(rule,))).state is as_warning


def test_a_certain_failure_outweighs_what_is_not_known() -> None:
    absent, old = Rule("installed", "is", False), Rule("version", "version_below", "2")
    fact = Fact({"installed": False, "version": None})
    assert judge(fact, Expectation(fail=(old, absent))).rules == (absent,)
    assert judge(fact, Expectation(fail=(old, absent))).state is State.FAIL
    # A warning does not: the failure it might be is worse.
    assert judge(fact, Expectation(fail=(old,), warn=(absent,))).state is State.UNKNOWN


def test_no_rules_prove_nothing() -> None:
    assert judge(Fact({"n": 1}), Expectation()).state is State.UNKNOWN


@pytest.mark.parametrize("reason", list(Reason))
def test_no_value_is_unknown_whatever_is_expected(reason: Reason) -> None:
    assert judge(Fact.unknown(reason), Expectation(fail=(Rule("n", "below", 1),))).state is State.UNKNOWN


@pytest.mark.parametrize(
    ("found", "verdict"),
    [
        ([(State.OK, B), (State.OK, M)], Verdict.READY),
        ([(State.OK, B), (State.SKIP, B)], Verdict.READY),
        ([(State.OK, B), (State.WARN, B)], Verdict.READY_WITH_REMARKS),
        ([(State.OK, B), (State.FAIL, M)], Verdict.READY_WITH_REMARKS),
        ([(State.OK, B), (State.UNKNOWN, INFO)], Verdict.READY_WITH_REMARKS),
        ([(State.OK, B), (State.PENDING, M)], Verdict.READY_WITH_REMARKS),
        ([(State.OK, B), (State.WAIVED, B)], Verdict.READY_WITH_REMARKS),
        ([(State.OK, B), (State.UNKNOWN, B)], Verdict.INCOMPLETE),
        ([(State.OK, B), (State.PENDING, B)], Verdict.INCOMPLETE),
        ([(State.UNKNOWN, B), (State.FAIL, B)], Verdict.NOT_READY),
        ([(State.SKIP, B), (State.SKIP, M)], Verdict.INCOMPLETE),
        ([], Verdict.INCOMPLETE),
    ],
)
def test_the_verdict(found: list[tuple[State, Severity]], verdict: Verdict) -> None:
    assert overall(result(state, severity) for state, severity in found) is verdict


def test_exit_codes() -> None:
    assert [EXIT_CODES[verdict] for verdict in Verdict] == [3, 4, 5, 0]


def test_judging_by_another_expectation() -> None:
    stored = result(State.UNKNOWN, B)
    measured = Result.from_dict({**stored.as_dict(), "fact": Fact({"n": 3}).as_dict()})
    stricter = Expectation(fail=(Rule("n", "below", 4),))
    assert rejudge(measured, stricter).state is State.FAIL
    assert rejudge(measured, stricter).broke == stricter.fail


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("3.11", (3, 11)),
        ("3.11.0", (3, 11)),
        ("7:5.1.9-0+deb12u1", (5, 1, 9)),
        ("v2.0", (2,)),
        ("4.18.24090.11", (4, 18, 24090, 11)),
        ("0", (0,)),
        ("", None),
        ("none", None),
        (None, None),
    ],
)
def test_versions(text: object, key: tuple[int, ...] | None) -> None:
    assert version_key(text) == key
