"""Asking for the copy: what, where to, who witnesses. The usual copy takes one click."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

import streamlit as st

from exam_kit.archive import CARRIER_LABELS
from exam_kit.archive.destinations import refuse_same
from exam_kit.archive.selection import Asked
from exam_kit.archive.stores import store_of
from exam_kit.cctv.segments import Segment
from exam_kit.clock import iso
from exam_kit.errors import ExamKitError, RefusedEntry, m
from exam_kit.i18n import _, ngettext
from exam_kit.point import ExamDay, Zone
from exam_kit.store import Act, Role
from exam_kit.ui.archive_choice import later, sealed_for, usual, what
from exam_kit.ui.archive_facts import Place, by_hand_left, copies_of, footage_of, places_for, wanted_bytes
from exam_kit.ui.archive_stores import draw_stores
from exam_kit.ui.camera_facts import camera_facts
from exam_kit.ui.chrome import next_by_key
from exam_kit.ui.day_facts import archive_orders
from exam_kit.ui.marks import mark
from exam_kit.ui.orders_view import give, people_with
from exam_kit.ui.plain import plain
from exam_kit.ui.seat import Seat, live
from exam_kit.ui.when import size

__all__ = ["draw_order"]

BEST, TOUCHED = "archive-best", "archive-touched"
"""The drive chosen in advance; set once somebody chose a drive: from then on none is chosen for them."""
REFUSED = "archive-refused"
"""An order that was refused, and why."""


@live(3.0)
def draw_order(seat: Seat) -> None:
    """The form. It looks for drives every three seconds: one that is plugged in appears, the best is chosen."""
    day = seat.day
    if day is None:
        return
    if any(order.open for order in archive_orders(seat, day)):
        st.rerun()  # somebody gave it elsewhere
    with st.container(border=True, key="archive-order"):
        st.html(f'<h3 class="ek-h">{escape(_("Copy the footage and prove it"))}</h3>')
        footage: Mapping[str, Sequence[Segment]] = footage_of(seat, day)
        asked, good = what(seat, day)
        footage, asked = later(seat, day, footage, asked)
        files, volume = wanted_bytes(seat, footage, asked)
        chosen = _where(seat, places_for(seat, volume))
        _send(seat, day, sealed_for(seat, asked), chosen, footage, (files, volume), good)


def _where(seat: Seat, places: Sequence[Place]) -> list[str]:
    """The drives as they are found, one line each with what tells them apart; those that are ticked."""
    if not st.session_state.get(TOUCHED):
        st.session_state[BEST] = places[0].path if places and places[0].fits else ""
    best, chosen = st.session_state.get(BEST, ""), []
    st.html(f'<p class="ek-note">{escape(_("Where to. A drive that is plugged in appears here by itself."))}</p>')
    for one in places:
        label = f"{_(CARRIER_LABELS[one.carrier.kind])} · {one.carrier.label or one.path}"
        tick_at, facts_at = st.columns([3, 5], vertical_alignment="center")
        # Another best drive makes other boxes, so that it is the one ticked as long as nobody chose.
        if tick_at.checkbox(label, one.path == best, key=f"archive-to-{best}-{one.path}", on_change=_touched):
            chosen.append(one.path)
        facts_at.html(_facts(seat, one))
    chosen += draw_stores(seat)
    if not any(one.carrier.kind == "removable" for one in places):
        said = _("No drive is plugged in. A copy on this computer does not leave the point with anybody.")
        st.html(f'<p class="ek-note">{mark("warn")}{escape(said)}</p>')
    typed = (st.session_state.get("archive-folder") or "").strip()
    return [*chosen, typed] if typed else chosen


def _facts(seat: Seat, place: Place) -> str:
    carrier = place.carrier
    free = _("{free} free of {total}").format(
        free=size(seat, carrier.free_bytes or 0), total=size(seat, carrier.total_bytes or 0)
    )
    serial = _("serial № {number}").format(number=carrier.serial) if carrier.serial else _("serial № not known")
    words = [free, carrier.filesystem or _("file system not known"), serial, *([carrier.path] if carrier.label else [])]
    if place.fits:
        tone, room = "good", _("there is room")
    else:
        tone, room = "bad", _("too little room for what is chosen")
    return (
        f'<span class="ek-drive" data-drive="{escape(carrier.path)}" data-fits="{str(place.fits).lower()}">'
        f"{mark(tone)}{escape(room)} · {escape(' · '.join(words))}</span>"
    )


def _touched() -> None:
    st.session_state[TOUCHED] = True


def _send(
    seat: Seat,
    day: ExamDay,
    asked: Asked,
    chosen: Sequence[str],
    footage: Mapping[str, Sequence[Segment]],
    wanted: tuple[int, int],
    good: bool,
) -> None:
    who_at, more_at, send_at = st.columns([3, 2, 3], vertical_alignment="bottom")
    people = {one.login: one for one in people_with(seat, Act.WITNESS)}
    # The head of the point is who orders it as a rule.
    logins = sorted(people, key=lambda login: people[login].role is not Role.HEAD_OF_POINT)
    witness = who_at.selectbox(
        _("Who ordered and witnesses"), logins, filter_mode=None, key="archive-by",
        format_func=lambda login: f"{people[login].name}, {people[login].post}",
    )  # fmt: skip
    drives = list(dict.fromkeys(path for path in chosen if not store_of(path)))  # one ticked and typed is refused below
    with more_at.popover(_("Folder, seals"), width="stretch"):
        st.text_input(_("or another folder"), key="archive-folder", placeholder=str(seat.home.bags))
        seals = {path: st.text_input(_("Seal № of {place}").format(place=path), key=f"seal-{path}") for path in drives}
    label = _("Archive the corridors and the entrance") if usual(seat, asked) else _("Archive what is chosen")
    running = _still_recording(seat, asked)
    files, volume = wanted
    can = bool(good and files)
    body = _body(day, asked, chosen, seals)
    if send_at.button(label, type="primary", width="stretch", key="archive-go", disabled=not can):
        st.session_state[REFUSED] = None
        try:
            if not chosen:
                raise RefusedEntry(m("Archive: no drive is chosen. Tick at least one."))
            _refuse_relative(chosen)
            refuse_same(chosen, seat.point)
            if running:
                raise RefusedEntry(
                    m(
                        "Archive: {count} of the chosen cameras record just now, and the end of it would be missing. "
                        "Stop the recording first.",
                        count=running,
                    )
                )
            give(seat, "archive", body, ordered_by=witness or "", why=_("hand-over of the footage"))
        except ExamKitError as problem:
            st.session_state[REFUSED] = ((body, running), problem.message)
        else:
            st.session_state.pop(TOUCHED, None)
            st.rerun()
    copies = ngettext("{count} copy", "{count} copies", len(chosen)).format(count=len(chosen))
    counted = ngettext("{count} recording", "{count} recordings", files).format(count=files)
    said = f"{counted}, {size(seat, volume)} · {copies}" if files else _nothing(footage)
    st.html(f'<p class="ek-note" data-wanted="{0 if running else files}">{escape(said)}</p>')
    refused = st.session_state.get(REFUSED)
    # It stands until something else is chosen; the form's own redraws would wipe it away.
    if refused is not None and refused[0] == (body, running):
        st.error(plain(refused[1].text(seat.language)))
    left = by_hand_left(seat, footage, copies_of(seat, archive_orders(seat, day)))
    next_by_key("archive-go" if can and left and not running else "")


def _still_recording(seat: Seat, asked: Asked) -> int:
    """How many of the chosen cameras record; of a span that is over everything is closed."""
    if asked.span is not None and asked.span[1] <= seat.now:
        return 0
    return sum(fact.recording and asked.wants(seat.point, fact.camera) for fact in camera_facts(seat))


def _refuse_relative(chosen: Sequence[str]) -> None:
    """A folder that is not written in full would be looked for wherever the agent happened to be started."""
    for path in chosen:
        if not store_of(path) and not Path(path).is_absolute():
            raise RefusedEntry(
                m("{place}: a folder is written in full, as {example}.", place=path, example="/media/usb/copies")
            )


def _nothing(footage: Mapping[str, Sequence[Segment]]) -> str:
    if any(footage.values()):
        return _("Of what is chosen nothing was recorded.")
    return _("Nothing of this day is recorded and closed yet.")


def _body(day: ExamDay, asked: Asked, chosen: Sequence[str], seals: Mapping[str, Any]) -> dict[str, Any]:
    body: dict[str, Any] = {
        "day": str(day.date),
        "zones": [zone.value for zone in Zone if zone in asked.zones],
        "cameras": list(asked.cameras),
        "destinations": list(chosen),
        "seals": {path: number.strip() for path, number in seals.items() if (number or "").strip()},
    }
    if asked.encrypted:
        body["encrypted"] = True
    if asked.supplement:
        body["supplement"] = asked.supplement
    if asked.span:
        body |= {"from": iso(asked.span[0]), "to": iso(asked.span[1])}
    return body
