"""Results of a check run, drawn: the verdict, then what is wrong, each with what to do about it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from html import escape
from typing import Any

from exam_kit.clock import from_iso
from exam_kit.i18n import N_, _
from exam_kit.store.rights import ROLE_LABELS, Role
from exam_kit.ui.check_changes import Changes, tag, what_changed
from exam_kit.ui.marks import CHECK_TONES, VERDICT_TONES, chip, mark
from exam_kit.ui.seat import Seat
from exam_kit.ui.when import moment, seconds_time, size

__all__ = ["GROUPS", "card", "grouped", "in_order", "name_of", "roles_text", "verdict"]

GROUPS = (
    (N_("Faults"), ("fail",)),
    (N_("Not known"), ("unknown",)),
    (N_("To be confirmed by hand"), ("pending",)),
    (N_("Remarks"), ("warn", "waived")),
    (N_("In order"), ("ok",)),
    (N_("Does not apply"), ("skip",)),
)
"""Headings and the states under each, in the order they are shown."""

PICTURES = (".jpg", ".jpeg", ".png", ".webp", ".gif")
"""Names of what a browser is asked to show; what it really is, the server decides by the content."""
PICTURE_STYLE = "display:block;max-width:100%;max-height:12rem;border-radius:.3rem;margin:.2rem 0"


def verdict(seat: Seat, told: Mapping[str, Any]) -> str:
    """The banner over the results of a run, given as `run_dict` tells it."""
    tone = VERDICT_TONES.get(told["verdict"] or "", "ask")
    word = told["verdict_label"][seat.language] if told["verdict_label"] else _("running")
    counts = told["counts"]
    said = _("in order {ok} · faults {faults} · not known {unknown} · remarks {remarks} · to confirm {pending}").format(
        ok=counts["ok"],
        faults=counts["fail"],
        unknown=counts["unknown"],
        remarks=counts["warn"] + counts["waived"],
        pending=counts["pending"],
    )
    when = moment(seat, from_iso(told["ended_at"] or told["started_at"]))
    profile = _("profile '{name}'").format(name=told["profile"])
    if told["cancelled_by"]:
        profile = f"{profile} · {_('cancelled before its end by {login}').format(login=told['cancelled_by'])}"
    return (
        f'<div class="ek-verdict {tone}" data-verdict="{told["verdict"]}">{mark(tone)}<div><b>{escape(word)}</b>'
        f"<span>{escape(said)}</span><br><span>{escape(when)} · {escape(profile)}</span></div></div>"
    )


def grouped(told: Mapping[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """The results of a run under the headings of `GROUPS`, as `run_dict` tells them."""
    return {title: [one for one in told["checks"] if one["state"] in states] for title, states in GROUPS}


def name_of(seat: Seat, told: Mapping[str, Any]) -> str:
    """What was checked, and on what."""
    title = str(told["title"][seat.language])
    return f"{title} · {told['target']}" if told["target"] else title


def card(seat: Seat, told: Mapping[str, Any], changes: Changes | None = None) -> str:
    """One result in full: expected, found, what to do, what changed, and the evidence folded away."""
    language, tone = seat.language, CHECK_TONES[told["state"]]
    change = (changes or {}).get((told["check"], told["target"]))
    rows = [(_("Expected"), told["expected"][language], ""), (_("Found"), told["found"][language], "")]
    if told["state"] not in ("ok", "skip"):
        rows.append((_("What to do"), told["fix"][language], "fix"))
    if change is not None and change["moved"]:
        rows.append((_("Since the last run"), what_changed(seat, change), ""))
    if told["signed"]:
        rows.append((_("Answered by"), _signature(seat, told["signed"]), ""))
    if told["waived"]:
        rows += _waiver(seat, told["waived"])
    listed = "".join(
        f'<dt>{escape(label)}</dt><dd class="{kind}">{escape(value)}</dd>' for label, value, kind in rows if value
    )
    if told["signed"] and told["signed"].get("attachments"):
        listed += f"<dt>{_('Attached')}</dt><dd>{_attached(seat, told['signed']['attachments'])}</dd>"
    severity = f"{told['family_label'][language]} · {told['severity_label'][language]}"
    return (
        f'<div class="ek-check {tone}"><header><span>{mark(tone)}{escape(name_of(seat, told))}</span>'
        f"<span>{chip(tone, told['state_label'][language])}{tag(change)}</span></header>"
        f"<dl>{listed}<dt>{_('Matters as')}</dt><dd>{escape(severity)}</dd></dl>{_evidence(seat, told)}</div>"
    )


def in_order(
    seat: Seat, results: Iterable[Mapping[str, Any]], changes: Changes | None = None, *, states: bool = False
) -> str:
    """Results as a plain table: those that need no action, or with `states` any, each with its state in words."""
    known = changes or {}
    rows = "".join(
        f"<tr>{_state(seat, told) if states else ''}"
        f"<td>{'' if states else mark(CHECK_TONES[told['state']])}{escape(name_of(seat, told))}"
        f"{tag(known.get((told['check'], told['target'])))}</td>"
        f"<td>{escape(told['found'][seat.language])}</td><td>{escape(told['expected'][seat.language])}</td>"
        f'<td class="num">{escape(seconds_time(seat, from_iso(told["at"])))}</td></tr>'
        for told in results
    )
    names = (*((N_("State"),) if states else ()), N_("Check"), N_("Found"), N_("Expected"), N_("Time"))
    head = "".join(f"<th>{escape(_(name))}</th>" for name in names)
    return f'<table class="ek-table"><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>'


def _state(seat: Seat, told: Mapping[str, Any]) -> str:
    return f"<td>{chip(CHECK_TONES[told['state']], told['state_label'][seat.language])}</td>"


def roles_text(roles: Iterable[str]) -> str:
    """Roles by name, for "who answers this"."""
    return ", ".join(_(ROLE_LABELS[Role(role)]) for role in roles)


def _signature(seat: Seat, signed: Mapping[str, Any]) -> str:
    post = signed["post"] or _(ROLE_LABELS[Role(signed["role"])])
    return f"{signed['name']}, {post}, {moment(seat, from_iso(signed['at']))}"


def _attached(seat: Seat, papers: Iterable[Mapping[str, Any]]) -> str:
    """Each photo or paper as a link that opens it in a new tab, pictures shown."""
    links = []
    for one in papers:
        text = escape(f"{one['name']} ({size(seat, one['bytes'])})")
        address = f"/papers/evidence/{escape(one['sha256'])}"
        if one["name"].lower().endswith(PICTURES):
            text = f'<img src="{address}" alt="" style="{PICTURE_STYLE}">{text}'
        links.append(f'<a href="{address}" target="_blank" data-attached>{text}</a>')
    return "<br>".join(links)


def _waiver(seat: Seat, waived: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    post = waived["post"] or _(ROLE_LABELS[Role(waived["role"])])
    until = moment(seat, from_iso(waived["until"]))
    return [
        (_("Waived by"), f"{waived['name']}, {post}, {moment(seat, from_iso(waived['given_at']))}", ""),
        (_("Why"), waived["why"], ""),
        (_("Until"), until, ""),
        (_("Without the waiver"), waived["covers_label"][seat.language], ""),
    ]


def _evidence(seat: Seat, told: Mapping[str, Any]) -> str:
    if not told["evidence"] or told["manual"]:
        return ""
    text = json.dumps(told["evidence"], ensure_ascii=False, indent=1, default=str)
    at = seconds_time(seat, from_iso(told["at"]))
    took = _("{seconds} s").format(seconds=round(told["elapsed_s"], 1))
    return f"<details><summary>{_('Evidence')} · {at} · {took}</summary><pre>{escape(text)}</pre></details>"
