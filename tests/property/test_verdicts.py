"""What holds for every fact and every expectation."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from exam_kit.checks.model import (
    CONDITIONS,
    Expectation,
    Fact,
    Outcome,
    Reading,
    Reason,
    Result,
    Rule,
    Severity,
    State,
    Verdict,
)
from exam_kit.checks.verdicts import judge, overall, rejudge

scalars = st.none() | st.booleans() | st.integers(-1000, 1000) | st.floats() | st.text(max_size=6)
names = st.sampled_from(["a", "b", "c"])
bounds = scalars | st.lists(scalars, max_size=3).map(tuple)
rules = st.builds(Rule, names, st.sampled_from(CONDITIONS), bounds)
expectations = st.builds(Expectation, st.lists(rules, max_size=3).map(tuple), st.lists(rules, max_size=3).map(tuple))
measured = st.dictionaries(names, scalars).map(lambda values: Fact(values, {"seen": "x"}))
unmeasured = st.builds(Fact.unknown, st.sampled_from(Reason))
facts = measured | unmeasured | st.just(Fact.pending()) | st.builds(Fact.skip, st.sampled_from(Reason))
texts = st.just({"ru": "р", "en": "e", "lv": "l"})


@st.composite
def results(draw: st.DrawFn) -> Result:
    fact, expect = draw(facts), draw(expectations)
    judgement = judge(fact, expect)
    return Result(
        check=draw(names),
        target=draw(names),
        position=draw(st.integers(0, 9)),
        probe="test.any",
        title=draw(texts),
        fix=draw(texts),
        severity=draw(st.sampled_from(Severity)),
        expect=expect,
        readings={"a": Reading("s", "a")},
        fact=fact,
        state=judgement.state,
        broke=judgement.rules,
        at="2026-05-28T05:00:00.000000Z",
        elapsed_s=0.1,
    )


@given(results())
def test_stored_facts_are_judged_again_to_the_same_bytes(result: Result) -> None:
    stored = json.dumps(result.as_dict(), ensure_ascii=False)
    again = rejudge(Result.from_dict(json.loads(stored)))
    assert json.dumps(again.as_dict(), ensure_ascii=False) == stored


@given(unmeasured | measured.map(lambda fact: Fact({}, {}, fact.outcome)), expectations)
def test_without_a_value_nothing_is_good(fact: Fact, expect: Expectation) -> None:
    assert judge(fact, expect).state is State.UNKNOWN


@given(measured, expectations)
def test_good_means_every_rule_had_its_value(fact: Fact, expect: Expectation) -> None:
    if judge(fact, expect).state is State.OK:
        assert all(fact.values.get(rule.of) is not None for rule in (*expect.fail, *expect.warn))
        assert expect.fail or expect.warn


@given(st.lists(results(), max_size=6))
def test_ready_means_that_nothing_is_open(found: list[Result]) -> None:
    verdict = overall(found)
    states = {result.state for result in found}
    blockers = {result.state for result in found if result.severity is Severity.BLOCKER}
    if verdict is Verdict.READY:
        assert states <= {State.OK, State.SKIP}
        assert State.OK in states
    if State.UNKNOWN in blockers or State.PENDING in blockers:
        assert verdict in (Verdict.NOT_READY, Verdict.INCOMPLETE)
    assert (verdict is Verdict.NOT_READY) == (State.FAIL in blockers)


@given(results())
def test_a_pending_item_is_manual(result: Result) -> None:
    assert result.manual == (result.fact.outcome is Outcome.PENDING)
