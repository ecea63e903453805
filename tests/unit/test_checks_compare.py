"""Two runs compared, as a table."""

from __future__ import annotations

import json
from typing import Any

import pytest

from exam_kit.checks.compare import Kind, compare, compare_dict
from exam_kit.checks.model import (
    Expectation,
    Fact,
    Outcome,
    Reading,
    Reason,
    Result,
    Rule,
    Run,
    Severity,
    State,
    Verdict,
)
from exam_kit.checks.verdicts import judge
from exam_kit.i18n import LANGUAGES

TEXTS = {"ru": "проверка", "en": "check", "lv": "pārbaude"}
BELOW_10 = Expectation(fail=(Rule("n", "below", 10),))


def result(
    check: str = "x", target: str = "", n: Any = 20, expect: Expectation = BELOW_10, fact: Fact | None = None
) -> Result:
    fact = fact or Fact({"n": n, "noise": n})
    judged = judge(fact, expect)
    readings = {"n": Reading("s", "n")}
    return Result(
        check,
        target,
        0,
        "t.t",
        TEXTS,
        TEXTS,
        Severity.MAJOR,
        expect,
        readings,
        fact,
        judged.state,
        judged.rules,
        "",
        0.0,
    )


def run(*results: Result, digest: str = "a", verdict: Verdict = Verdict.READY) -> Run:
    at = "2026-05-28T05:00:00.000000Z"
    return Run("r", None, "p", digest, "agent", at, at, verdict, results)


UNKNOWN = Fact.unknown(Reason.TIMEOUT)
SKIPPED = Fact({}, {}, Outcome.SKIPPED, Reason.NOT_REQUIRED)
STRICT = Expectation(fail=(Rule("n", "below", 30),))


@pytest.mark.parametrize(
    ("before", "now", "kind", "by_profile"),
    [
        (result(), result(), None, False),
        (result(), result(n=20.9), None, False),  # noise: under a tenth of the bound
        (result(n=1000), result(n=1050), None, False),  # under a tenth of itself
        (result(), result(n=15), Kind.MOVED, False),
        (result(), result(n=5), Kind.NEW, False),
        (result(n=5), result(n=5), Kind.STILL, False),
        (result(n=5), result(fact=UNKNOWN), Kind.STILL, False),
        (result(n=5), result(), Kind.FIXED, False),
        (result(n=5), result(fact=Fact.pending()), Kind.OPEN, False),
        (result(n=5), result(fact=SKIPPED), Kind.OPEN, False),
        (result(), result(fact=UNKNOWN), Kind.NEW, False),
        (result(), result(expect=STRICT), Kind.NEW, True),
        (result(n=5), result(n=5, expect=Expectation(fail=(Rule("n", "below", 1),))), Kind.FIXED, True),
        (result(), result(n=5, expect=Expectation(fail=(Rule("n", "below", 12),))), Kind.NEW, False),
        (result(fact=Fact.pending()), result(), None, False),
    ],
)
def test_one_check_then_and_now(before: Result, now: Result, kind: Kind | None, by_profile: bool) -> None:
    changes = compare(run(before), run(now)).changes
    assert [(one.kind, one.by_profile) for one in changes] == ([] if kind is None else [(kind, by_profile)])


def test_targets_and_checks_that_come_and_go() -> None:
    before = run(result("a", "R1"), result("a", "R2"), result("b"))
    now = run(result("a", "R1"), result("a", "R3"), result("c"), digest="b")
    found = compare(before, now)
    assert found.missing == ("R2",)
    assert found.profile_changed
    assert {(one.kind, one.check, one.target) for one in found.changes} == {
        (Kind.MISSING, "a", "R2"),
        (Kind.DROPPED, "b", ""),
        (Kind.ADDED, "a", "R3"),
        (Kind.ADDED, "c", ""),
    }


def test_it_is_told_in_every_language() -> None:
    before, now = run(result(), verdict=Verdict.READY), run(result(n=5.5), verdict=Verdict.NOT_READY)
    told = compare_dict(compare(before, now))
    json.dumps(told)
    (change,) = told["changes"]
    assert change["text"]["ru"] == "проверка: в порядке → неисправность; n: 20 с → 5,5 с"
    assert told["summary"]["en"] == "READY → NOT READY; New since the last run: 1"
    assert [set(change[key]) == set(LANGUAGES) for key in ("text", "kind_label", "title")] == [True] * 3
    assert told["counts"]["new"] == 1
    nothing = compare_dict(compare(before, before))
    assert nothing["summary"]["en"] == "READY; nothing changed"
    assert nothing["changes"] == []


def test_it_is_pure() -> None:
    before, now = run(result(n=5)), run(result())
    assert compare(before, now) == compare(before, now)
    assert now.results[0].state is State.OK
