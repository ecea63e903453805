"""What changed between two runs: pure functions of the two.

A check is in *trouble* when it is a fault, a remark, not known, or let pass by a waiver. Trouble that was not there is
new, trouble that stays is still there, trouble that is in order now was fixed. Where the old measurement judged by the
new rules gives the new state, the profile made the difference, not the world.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from exam_kit.checks.model import Outcome, Result, Run, Scalar, State
from exam_kit.checks.verdicts import judge
from exam_kit.checks.wording import STATE_LABELS, VERDICT_LABELS, in_all, value_text
from exam_kit.i18n import N_, translate

__all__ = ["KIND_LABELS", "Change", "Comparison", "Kind", "Moved", "compare", "compare_dict"]

TROUBLE = (State.FAIL, State.WARN, State.UNKNOWN, State.WAIVED)

MOVED_SHARE = 0.1
"""A number has moved when it changed by at least this share of its bound and of itself; less is noise."""


class Kind(StrEnum):
    NEW = "new"
    STILL = "still"
    FIXED = "fixed"
    OPEN = "open"
    MOVED = "moved"
    ADDED = "added"
    DROPPED = "dropped"
    MISSING = "missing"


KIND_LABELS = {
    Kind.NEW: N_("New since the last run"),
    Kind.STILL: N_("Still there"),
    Kind.FIXED: N_("Fixed"),
    Kind.OPEN: N_("Not judged this time"),
    Kind.MOVED: N_("Value moved"),
    Kind.ADDED: N_("Not checked the last time"),
    Kind.DROPPED: N_("No longer in the profile"),
    Kind.MISSING: N_("Was there, is missing now"),
}


@dataclass(frozen=True)
class Moved:
    """One judged value then and now; `unit` as in `wording`."""

    name: str
    label: str
    unit: str
    was: Scalar
    now: Scalar


@dataclass(frozen=True)
class Change:
    """One check on one target, then and now. `was` is None when it was not there, `now` when it is no longer there."""

    kind: Kind
    check: str
    target: str
    title: Mapping[str, str]
    severity: str
    was: State | None
    now: State | None
    moved: tuple[Moved, ...] = ()
    by_profile: bool = False


@dataclass(frozen=True)
class Comparison:
    """Two runs compared; `missing` are targets (cameras, stations) that the run before had and this one has not."""

    before: Run
    now: Run
    changes: tuple[Change, ...]
    missing: tuple[str, ...]
    profile_changed: bool

    def of(self, kind: Kind) -> tuple[Change, ...]:
        return tuple(change for change in self.changes if change.kind is kind)


def compare(before: Run, now: Run) -> Comparison:
    """What changed from the run `before` to the run `now`. Results without any change are left out."""
    old = {result.key: result for result in before.results}
    new = {result.key: result for result in now.results}
    old_targets, new_targets = ({target for _check, target in keys if target} for keys in (old, new))
    old_checks = {check for check, _target in old}
    new_checks = {check for check, _target in new}
    gone = old_targets - new_targets
    changes = []
    for key, result in new.items():
        if key in old:
            change = _change(old[key], result)
        else:
            known = result.check in old_checks and not (result.target and result.target not in old_targets)
            change = _alone(Kind.ADDED, None, result) if not known or result.state in TROUBLE else None
        if change is not None:
            changes.append(change)
    for key, result in old.items():
        if key in new:
            continue
        if result.target in gone:
            changes.append(_alone(Kind.MISSING, result, None))
        elif result.check not in new_checks:
            changes.append(_alone(Kind.DROPPED, result, None))
    return Comparison(
        before=before,
        now=now,
        changes=tuple(changes),
        missing=tuple(sorted(gone)),
        profile_changed=(before.profile, before.profile_hash) != (now.profile, now.profile_hash),
    )


def _alone(kind: Kind, was: Result | None, now: Result | None) -> Change:
    told = now or was
    assert told is not None
    return Change(
        kind,
        told.check,
        told.target,
        told.title,
        told.severity.value,
        was.state if was else None,
        now.state if now else None,
    )


def _change(was: Result, now: Result) -> Change | None:
    moved = tuple(_moved(was, now))
    kind = _kind(was.state, now.state) or (Kind.MOVED if moved else None)
    if kind is None:
        return None
    return Change(
        kind=kind,
        check=now.check,
        target=now.target,
        title=now.title,
        severity=now.severity.value,
        was=was.state,
        now=now.state,
        moved=moved,
        by_profile=_by_profile(was, now),
    )


def _kind(was: State, now: State) -> Kind | None:
    if now in TROUBLE:
        return Kind.STILL if was in TROUBLE else Kind.NEW
    if was in TROUBLE:
        return Kind.FIXED if now is State.OK else Kind.OPEN
    return None


def _by_profile(was: Result, now: Result) -> bool:
    """Whether the rules made the difference: the old measurement gives the new state by the new rules."""
    if was.state is now.state or was.expect == now.expect or was.fact.outcome is not Outcome.MEASURED:
        return False
    return was.waived is None and now.waived is None and judge(was.fact, now.expect).state is now.state


def _moved(was: Result, now: Result) -> Iterable[Moved]:
    """The values that the rules of now look at and that are not what they were."""
    if was.fact.outcome is not Outcome.MEASURED or now.fact.outcome is not Outcome.MEASURED:
        return
    bounds: dict[str, list[Any]] = {}
    for rule in (*now.expect.fail, *now.expect.warn):
        bounds.setdefault(rule.of, []).append(rule.bound)
    for name, known in bounds.items():
        old, new = was.fact.values.get(name), now.fact.values.get(name)
        if _differ(old, new, known):
            reading = now.readings.get(name)
            yield Moved(name, reading.label if reading else name, reading.unit if reading else "", old, new)


def _differ(old: Scalar, new: Scalar, bounds: Iterable[Any]) -> bool:
    if not _is_number(old) or not _is_number(new):
        return old != new or type(old) is not type(new)
    change = abs(float(new) - float(old))  # type: ignore[arg-type]
    nearest = min((abs(float(bound)) for bound in bounds if _is_number(bound)), default=0.0)
    itself = max(abs(float(old)), abs(float(new)))  # type: ignore[arg-type]
    return change > 0 and change >= MOVED_SHARE * nearest and change >= MOVED_SHARE * itself


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def compare_dict(comparison: Comparison) -> dict[str, Any]:
    """The comparison for screens, the protocol and JSON; texts for people are {"ru", "en", "lv"}.

    Keys: before, before_at, before_verdict, before_profile, before_profile_hash, profile_changed, missing, counts
    (every kind), summary, changes. A change has: kind, kind_label, check, target, title, severity, was, now, moved,
    by_profile, text.
    """
    before = comparison.before
    return {
        "before": before.id,
        "before_at": before.started_at,
        "before_verdict": before.verdict.value if before.verdict else None,
        "before_profile": before.profile,
        "before_profile_hash": before.profile_hash,
        "profile_changed": comparison.profile_changed,
        "missing": list(comparison.missing),
        "counts": {kind.value: len(comparison.of(kind)) for kind in Kind},
        "summary": in_all(lambda language: _summary(comparison, language)),
        "changes": [_change_dict(change) for kind in Kind for change in comparison.of(kind)],
    }


def _change_dict(change: Change) -> dict[str, Any]:
    return {
        "kind": change.kind.value,
        "kind_label": in_all(lambda language: translate(KIND_LABELS[change.kind], language)),
        "check": change.check,
        "target": change.target,
        "title": dict(change.title),
        "severity": change.severity,
        "was": change.was.value if change.was else None,
        "now": change.now.value if change.now else None,
        "moved": [vars(moved) for moved in change.moved],
        "by_profile": change.by_profile,
        "text": in_all(lambda language: _text(change, language)),
    }


def _text(change: Change, language: str) -> str:
    """ "Room for the day's recording: remark → fault; free: 91 GB → 12 GB"."""
    title = change.title.get(language, change.title["en"])
    what = f"{title} · {change.target}" if change.target else title
    states = [translate(STATE_LABELS[state], language) for state in (change.was, change.now) if state is not None]
    parts = [" → ".join(dict.fromkeys(states))]
    for moved in change.moved:
        label = translate(moved.label or moved.name, language)
        then, now = (value_text(value, moved.unit, language) for value in (moved.was, moved.now))
        parts.append(f"{label}: {then} → {now}")
    if change.by_profile:
        parts.append(translate(N_("by the changed profile"), language))
    return f"{what}: {'; '.join(parts)}"


def _summary(comparison: Comparison, language: str) -> str:
    """One line: the verdict then and now, how many of each kind, whether the profile is another, what is missing."""
    verdicts = [
        translate(VERDICT_LABELS[run.verdict], language)
        for run in (comparison.before, comparison.now)
        if run.verdict is not None
    ]
    parts = [" → ".join(dict.fromkeys(verdicts))] if verdicts else []
    for kind in Kind:
        count = len(comparison.of(kind))
        if count and kind is not Kind.MISSING:
            parts.append(f"{translate(KIND_LABELS[kind], language)}: {count}")
    if comparison.missing:
        parts.append(f"{translate(KIND_LABELS[Kind.MISSING], language)}: {', '.join(comparison.missing)}")
    if comparison.profile_changed:
        parts.append(translate(N_("the profile was changed"), language))
    if len(parts) == len(verdicts[:1]):
        parts.append(translate(N_("nothing changed"), language))
    return "; ".join(parts)
