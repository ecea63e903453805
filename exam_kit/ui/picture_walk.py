"""The walk test on the screen: who is to be walked before still, and what is proven."""

from __future__ import annotations

from html import escape

import streamlit as st

from exam_kit.cctv.walk import Walk, finish_walk, latest_walk, start_walk, walked_cameras
from exam_kit.i18n import _, ngettext
from exam_kit.ui.camera_facts import CameraFact, camera_facts
from exam_kit.ui.marks import mark
from exam_kit.ui.picture_facts import limits_of, may_approve
from exam_kit.ui.seat import Seat, flash, saying_errors
from exam_kit.ui.when import moment, seconds_time, span

__all__ = ["walk_buttons", "walk_progress"]


def walk_buttons(seat: Seat) -> None:
    """Begin, or end before the time."""
    walk, facts = latest_walk(seat.store), camera_facts(seat)
    if not may_approve(seat):
        st.caption(_("A walk test is begun by a technical specialist or a commission member."))
    elif walk is not None and walk.finished_at is None:
        if st.button(_("End the walk test"), key="walk-end"):
            with saying_errors(seat):
                statuses = {fact.camera.id: fact.status for fact in facts if fact.status is not None}
                finish_walk(seat.ledger, walk, statuses, seat.account.login)
                flash(_("The walk test is entered in the journal."))
                st.rerun()
    else:
        ready = [fact.camera.id for fact in facts if fact.recording]
        text = ngettext("Begin the walk test ({count} camera)", "Begin the walk test ({count} cameras)", len(ready))
        if st.button(text.format(count=len(ready)), type="primary", disabled=not ready, key="walk-begin"):
            with saying_errors(seat):
                start_walk(seat.ledger, seat.account, ready, limits_of(seat).walk_s)
                st.rerun()
        if len(ready) < len(facts):
            st.caption(_("Only cameras that record can be tested. Start the recording of the others first."))


def walk_progress(seat: Seat) -> None:
    """How far it has come; every camera with what is known of it."""
    walk, facts = latest_walk(seat.store), camera_facts(seat)
    going = walk is not None and walk.finished_at is None
    head = _head(seat, walk, facts) if walk is not None and going else ""
    rows = "".join(_row(seat, fact, walk if going else None) for fact in facts)
    st.html(f'{head}<table class="ek-table" data-walk>{rows}</table>')


def _head(seat: Seat, walk: Walk, facts: list[CameraFact]) -> str:
    seen = walk.seen({fact.camera.id: fact.status for fact in facts if fact.status is not None})
    left = max(0.0, (walk.ends_at - seat.now).total_seconds())
    text = _("Walk slowly through the picture of each camera: {done} of {count} saw you, {span} left.")
    said = text.format(done=len(seen), count=len(walk.cameras), span=span(seat, left))
    return f'<p role="status"><b>{escape(said)}</b></p>'


def _row(seat: Seat, fact: CameraFact, walk: Walk | None) -> str:
    name = escape(" · ".join(dict.fromkeys((fact.camera.id, fact.room.label))))
    if walk is None:
        tone, said = _known(seat, fact)
    elif fact.camera.id not in walk.cameras:
        tone, said = "unknown", _("not in this test")
    else:
        at = walk.seen({fact.camera.id: fact.status} if fact.status else {}).get(fact.camera.id)
        tone = "good" if at else "ask"
        said = _("somebody seen at {time}").format(time=seconds_time(seat, at)) if at else _("waiting for somebody")
    cells = f"<td>{name}</td><td>{mark(tone)}{escape(said)}</td>"
    return f'<tr data-camera="{escape(fact.camera.id)}" data-tone="{tone}">{cells}</tr>'


def _known(seat: Seat, fact: CameraFact) -> tuple[str, str]:
    last = walked_cameras(seat.store).get(fact.camera.id)
    if last is None:
        return "unknown", _("no walk test yet: not known")
    at, moved = last
    when = moment(seat, at)
    if (seat.now - at).total_seconds() > limits_of(seat, fact.camera.id).reference_days * 86400:
        return "unknown", _("walk test of {moment} is too old: not known").format(moment=when)
    if moved:
        return "good", _("living picture, walk test of {moment}").format(moment=when)
    return "bad", _("nobody was seen in the walk test of {moment}").format(moment=when)
