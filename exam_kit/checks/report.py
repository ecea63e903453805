"""A run as one plain dictionary: for the screens, the protocol and `--json`."""

from __future__ import annotations

from typing import Any

from exam_kit.checks.compare import compare, compare_dict
from exam_kit.checks.model import EXIT_CODES, Reason, Result, Run, State, Waived
from exam_kit.checks.wording import (
    FAMILY_LABELS,
    REASON_LABELS,
    SEVERITY_LABELS,
    STATE_LABELS,
    VERDICT_LABELS,
    expected,
    found,
    in_all,
)
from exam_kit.i18n import translate

__all__ = ["CANCELLED", "cancelled_by", "result_dict", "run_dict"]

CANCELLED = "cancelled_by"
"""In the evidence of what a cancelled run did not come to, and in its ledger entry: the login of who ended it."""


def cancelled_by(run: Run) -> str:
    """The login of whoever cancelled this run; "" where it went to its end."""
    found = (str(result.fact.evidence.get(CANCELLED, "")) for result in run.results if result.carried_from is None)
    return next(filter(None, found), "")


def run_dict(run: Run, *, before: Run | None = None) -> dict[str, Any]:
    """Everything a reader of the run needs. Texts for people are {"ru", "en", "lv"}; codes are language-neutral.

    Keys: id, day, profile, profile_hash, actor, started_at, ended_at, verdict, verdict_label, exit_code, counts,
    cancelled_by (a login, or ""), waivers (those that cover a result), comparison (with the run `before`, or None),
    checks.
    """
    verdict = run.verdict
    return {
        "id": run.id,
        "day": run.day,
        "profile": run.profile,
        "profile_hash": run.profile_hash,
        "actor": run.actor,
        "started_at": run.started_at,
        "ended_at": run.ended_at,
        "verdict": verdict.value if verdict else None,
        "verdict_label": in_all(lambda language: translate(VERDICT_LABELS[verdict], language)) if verdict else None,
        "exit_code": EXIT_CODES[verdict] if verdict else None,
        "counts": run.counts,
        "cancelled_by": cancelled_by(run),
        "waivers": _waivers(run),
        "comparison": compare_dict(compare(before, run)) if before else None,
        "checks": [result_dict(result) for result in run.results],
    }


def result_dict(result: Result) -> dict[str, Any]:
    """One result. `fix` is there always; show it where `state` is neither "ok" nor "skip"."""
    family = FAMILY_LABELS.get(result.family, result.family)
    reason = result.fact.reason
    if reason is None and result.state is State.UNKNOWN:  # measured, but not what the rules can be applied to
        reason = Reason.ERROR
    return {
        "check": result.check,
        "target": result.target,
        "position": result.position,
        "family": result.family,
        "family_label": in_all(lambda language: translate(family, language)),
        "title": dict(result.title),
        "state": result.state.value,
        "state_label": in_all(lambda language: translate(STATE_LABELS[result.state], language)),
        "reason": reason.value if reason else "",
        "reason_label": in_all(lambda language: translate(REASON_LABELS[reason], language)) if reason else None,
        "severity": result.severity.value,
        "severity_label": in_all(lambda language: translate(SEVERITY_LABELS[result.severity], language)),
        "expected": in_all(lambda language: expected(result, language)),
        "found": in_all(lambda language: found(result, language)),
        "values": dict(result.fact.values),
        # A point's own check may give none: then what it measured, or why it could not, is what there is to look at.
        "evidence": dict(result.fact.evidence or result.fact.values or ({"reason": reason.value} if reason else {})),
        "fix": dict(result.fix),
        "at": result.at,
        "elapsed_s": result.elapsed_s,
        "manual": result.manual,
        "signed": result.signed.as_dict() if result.signed else None,
        "waived": _waived(result.waived) if result.waived else None,
        "carried_from": result.carried_from,
    }


def _waived(waived: Waived) -> dict[str, Any]:
    """The waiver, and the state that it covers."""
    state = STATE_LABELS[waived.covers]
    return {
        **waived.waiver.as_dict(),
        "covers": waived.covers.value,
        "covers_label": in_all(lambda language: translate(state, language)),
    }


def _waivers(run: Run) -> list[dict[str, Any]]:
    """One line for each waiver that covers a result of the run, in the order they were given."""
    found = {
        result.waived.waiver.number: {**_waived(result.waived), "title": dict(result.title)}
        for result in run.results
        if result.waived
    }
    return [found[number] for number in sorted(found)]
