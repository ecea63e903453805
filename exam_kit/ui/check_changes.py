"""What changed since the last run: one line over the results, and a mark on each."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from html import escape
from typing import Any

from exam_kit.checks.compare import Kind
from exam_kit.clock import from_iso
from exam_kit.i18n import N_, _
from exam_kit.ui.seat import Seat
from exam_kit.ui.when import moment

__all__ = ["Changes", "changes_line", "changes_of", "tag", "what_changed", "without"]

Changes = Mapping[tuple[str, str], Mapping[str, Any]]
"""Changes as `compare_dict` tells them, by check and target."""

SHORT = {
    Kind.NEW: N_("new"),
    Kind.STILL: N_("still there"),
    Kind.FIXED: N_("fixed"),
    Kind.OPEN: N_("not judged"),
    Kind.MOVED: N_("value moved"),
    Kind.ADDED: N_("first time"),
    Kind.DROPPED: N_("no longer checked"),
    Kind.MISSING: N_("missing"),
}


def changes_of(comparison: Mapping[str, Any] | None) -> Changes:
    """The changes of a comparison, to be looked up for a result."""
    return {(one["check"], one["target"]): one for one in comparison["changes"]} if comparison else {}


def without(comparison: Mapping[str, Any] | None, targets: Collection[str]) -> Mapping[str, Any] | None:
    """The comparison without what changed on these targets; what is missing stays."""
    if comparison is None:
        return None
    left = [one for one in comparison["changes"] if one["target"] not in targets or one["kind"] == Kind.MISSING]
    counts = {kind.value: sum(one["kind"] == kind for one in left) for kind in Kind}
    return {**comparison, "changes": left, "counts": counts}


def changes_line(seat: Seat, comparison: Mapping[str, Any] | None) -> str:
    """The count of each kind, and the changes themselves folded away; empty when there is nothing to compare with."""
    if comparison is None:
        return ""
    since = _("Since the run of {moment}:").format(moment=moment(seat, from_iso(comparison["before_at"])))
    counts = {Kind(kind): count for kind, count in comparison["counts"].items() if count}
    parts = [f'<span class="ek-tag {kind}">{escape(_(SHORT[kind]))} {count}</span>' for kind, count in counts.items()]
    if comparison["missing"]:
        gone = _("was there, is missing: {names}").format(names=", ".join(comparison["missing"]))
        parts.append(f"<b>{escape(gone)}</b>")
    if comparison["profile_changed"]:
        parts.append(f"<b>{escape(_('the profile was changed'))}</b>")
    if not parts:
        parts.append(escape(_("nothing changed")))
    told = [one for one in comparison["changes"] if one["kind"] != Kind.STILL]
    lines = "".join(
        f"<li>{escape(_(SHORT[Kind(one['kind'])]))}: {escape(one['text'][seat.language])}</li>" for one in told
    )
    folded = f"<details><summary>{escape(_('What changed'))}</summary><ul>{lines}</ul></details>" if told else ""
    return f'<div class="ek-changes" data-changes><span>{escape(since)}</span>{"".join(parts)}{folded}</div>'


def tag(change: Mapping[str, Any] | None) -> str:
    """The change of one result as a small word beside it."""
    if change is None:
        return ""
    kind = Kind(change["kind"])
    return f'<span class="ek-tag {kind}">{escape(_(SHORT[kind]))}</span>'


def what_changed(seat: Seat, change: Mapping[str, Any]) -> str:
    """ "remark → fault; free: 91 GB → 12 GB": the change without the check's name."""
    text, title = str(change["text"][seat.language]), str(change["title"][seat.language])
    name = f"{title} · {change['target']}" if change["target"] else title
    return text.removeprefix(f"{name}: ")
