"""Judging: pure functions from facts to states and from states to the verdict.

The same fact and the same expectation always give the same answer, so what was measured yesterday can be judged again
by today's profile. What could not be measured is never good.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from typing import NamedTuple

from exam_kit.checks.model import (
    SEVERITIES,
    Expectation,
    Fact,
    Outcome,
    Result,
    Rule,
    Scalar,
    Severity,
    State,
    Verdict,
    Waived,
    Waiver,
)

__all__ = ["Judgement", "judge", "overall", "rejudge", "version_key", "waive"]

WAIVABLE = (State.WARN, State.FAIL, State.UNKNOWN)
"""What a waiver may cover. An item that waits for a person is answered first, be it with 'fault'."""


class Judgement(NamedTuple):
    """The state, and the rules that decided it: those that were met, or those that could not be decided."""

    state: State
    rules: tuple[Rule, ...] = ()


def judge(fact: Fact, expect: Expectation) -> Judgement:
    """What `fact` means by `expect`.

    A rule that is met decides: failures first. A rule that cannot be decided (the value is missing, of another kind,
    not a number) makes the state unknown, unless a failure is already certain. No rules at all prove nothing.
    """
    match fact.outcome:
        case Outcome.UNKNOWN:
            return Judgement(State.UNKNOWN)
        case Outcome.SKIPPED:
            return Judgement(State.SKIP)
        case Outcome.PENDING:
            return Judgement(State.PENDING)
        case Outcome.MEASURED:
            pass
    if not expect.fail and not expect.warn:
        return Judgement(State.UNKNOWN)
    for rules, state in ((expect.fail, State.FAIL), (expect.warn, State.WARN)):
        met = {rule: _met(rule, fact.values.get(rule.of)) for rule in rules}
        if any(met.values()):
            return Judgement(state, tuple(rule for rule in rules if met[rule]))
        undecided = tuple(rule for rule in rules if met[rule] is None)
        if undecided:
            return Judgement(State.UNKNOWN, undecided)
    return Judgement(State.OK)


def rejudge(result: Result, expect: Expectation | None = None, waivers: Iterable[Waiver] = ()) -> Result:
    """The same measurement judged again, by its own expectation or by another, under the waivers that are given.

    A signed item keeps its answer. Without its waiver, a waived result is what it was before it was waived.
    """
    result = waive(result, ())
    if result.signed is None:
        expect = result.expect if expect is None else expect
        judgement = judge(result.fact, expect)
        result = result._replace(expect=expect, state=judgement.state, broke=judgement.rules)
    return waive(result, waivers)


def waive(result: Result, waivers: Iterable[Waiver]) -> Result:
    """The result under these waivers and no others; a pure function of both.

    The caller gives the waivers that hold (`Waiver.in_force`). Of several that cover it, the one that lasts longest
    stands. A graver check than the waiver may cover stays as it is.
    """
    if result.waived is not None:
        result = result._replace(state=result.waived.covers, waived=None)
    if result.state not in WAIVABLE:
        return result
    grave = SEVERITIES.index(result.severity)
    fitting = [one for one in waivers if one.key == result.key and grave <= SEVERITIES.index(one.most)]
    if not fitting:
        return result
    waiver = max(fitting, key=lambda one: (one.until, one.number))
    return result._replace(state=State.WAIVED, waived=Waived(waiver, result.state))


def overall(results: Iterable[Result]) -> Verdict:
    """The verdict of a run.

    A failed blocker: not ready. A blocker that is unknown or waits for a person, or a run that proved nothing:
    incomplete. Anything else that is not plainly good is a remark.
    """
    found = list(results)
    blockers = {result.state for result in found if result.severity is Severity.BLOCKER}
    if State.FAIL in blockers:
        return Verdict.NOT_READY
    if blockers & {State.UNKNOWN, State.PENDING} or all(result.state is State.SKIP for result in found):
        return Verdict.INCOMPLETE
    if any(result.state not in (State.OK, State.SKIP) for result in found):
        return Verdict.READY_WITH_REMARKS
    return Verdict.READY


def _met(rule: Rule, value: Scalar) -> bool | None:
    """Whether the fault is there; None when it cannot be told."""
    if value is None:
        return None
    bound = rule.bound
    match rule.condition:
        case "below" | "above":
            if not _is_number(value) or not _is_number(bound):
                return None
            return float(value) < float(bound) if rule.condition == "below" else float(value) > float(bound)  # type: ignore[arg-type]
        case "is" | "is_not":
            if not _same_kind(value, bound):
                return None
            return (value == bound) is (rule.condition == "is")
        case "one_of" | "none_of":
            if not isinstance(bound, tuple) or not any(_same_kind(value, entry) for entry in bound):
                return None
            return (value in bound) is (rule.condition == "one_of")
        case "version_below":
            have, need = version_key(value), version_key(bound)
            return None if have is None or need is None else have < need
    return None


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _same_kind(value: object, other: object) -> bool:
    """A word is never compared with a number, nor a number with yes or no."""
    return (_is_number(value) and _is_number(other)) or (type(value) is type(other) and not isinstance(value, float))


def version_key(text: object) -> tuple[int, ...] | None:
    """The numbers of a version, an epoch and a package's revision left out: "7:5.1.9-0+deb12" is (5, 1, 9).

    None when it does not begin with a number. Trailing zeros do not count: 3.11 is 3.11.0.
    """
    if not isinstance(text, str):
        return None
    found = re.match(r"\s*(?:\d+:)?v?(\d+(?:\.\d+)*)", text)
    if found is None:
        return None
    parts = [int(part) for part in found[1].split(".")]
    while len(parts) > 1 and parts[-1] == 0:
        parts.pop()
    return tuple(parts)
