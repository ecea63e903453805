"""Taking bags in from the screen: the work goes on in a thread of its own, whoever looks at it."""

from __future__ import annotations

import logging
import threading
from html import escape
from pathlib import Path

import streamlit as st

from exam_kit.archive.destinations import carriers
from exam_kit.archive.result import Progress
from exam_kit.errors import ExamKitError, Message, UsageError, m
from exam_kit.home import Home
from exam_kit.i18n import _, set_language
from exam_kit.region.desk import RegionDesk
from exam_kit.region.intake import OUTCOME_LABELS, Outcome, take_in
from exam_kit.region.receipts import export_receipts
from exam_kit.region.sources import bags_at
from exam_kit.ui.marks import mark
from exam_kit.ui.plain import plain
from exam_kit.ui.region_seat import RegionSeat, require_region
from exam_kit.ui.seat import saying_errors
from exam_kit.ui.when import size

__all__ = ["intake_form", "intake_running", "intake_view", "receipts_form"]

log = logging.getLogger(__name__)

TONES = {
    "taken": "good",
    "supplement": "good",
    "same_content": "good",
    "again": "none",
    "quarantined": "bad",
    "known_quarantine": "bad",
    "locked": "warn",
    "unfinished": "warn",
    "failed": "warn",
    "cancelled": "warn",
}


class IntakeRun:
    """One intake under way or ended. Written by its thread, read by pages."""

    def __init__(self, home: Home, place: str, actor: str, in_place: bool) -> None:
        self.place = place
        self.outcomes: list[Outcome] = []
        self.progress: tuple[str, Progress] | None = None
        self.problem: Message | None = None
        self.stop = threading.Event()
        self._arguments = home, actor, in_place
        self._thread = threading.Thread(target=self._run, name="region-intake", daemon=True)
        self._thread.start()

    @property
    def alive(self) -> bool:
        return self._thread.is_alive()

    def _run(self) -> None:
        home, actor, in_place = self._arguments
        set_language("en")
        try:
            desk = RegionDesk.open(home)  # of this thread's own: a connection belongs to one
            try:
                take_in(
                    desk,
                    bags_at(home, desk.region, self.place),
                    actor=actor,
                    in_place=in_place,
                    told=self.outcomes.append,
                    progress=self._tell,
                    cancelled=self.stop.is_set,
                )
            finally:
                desk.close()
        except ExamKitError as problem:
            self.problem = problem.message
        except OSError as problem:
            self.problem = m(
                "{path}: cannot be read ({reason}). See that the carrier is plugged in and readable.",
                path=problem.filename or self.place,
                reason=problem.strerror or str(problem),
            )
        except Exception as problem:
            # Silence would read as "no bag was found"; the traceback is for us.
            log.exception("the intake from %s failed", self.place)
            self.problem = m("A mistake of the program: {reason}.", reason=type(problem).__name__)

    def _tell(self, bag: str, now: Progress) -> None:
        self.progress = bag, now


@st.cache_resource(show_spinner=False)
def _runs(_root: str) -> dict[str, IntakeRun]:
    """The last intake of this home, shared by all who look."""
    return {}


def intake_running(seat: RegionSeat) -> bool:
    run = _runs(str(seat.home.root)).get("last")
    return run is not None and run.alive


def intake_form(seat: RegionSeat) -> None:
    """Where from, copied or in place; one button."""
    found = [str(carrier.path) for carrier in carriers(seat.home) if carrier.kind != "folder"]
    with st.form("intake", border=False):
        typed = st.text_input(
            _("Folder or drive with bags, or s3://STORE"), value=found[0] if found else "", key="intake-place"
        )
        in_place = st.checkbox(_("Verify in place and do not copy (the region's own network storage)"), key="in-place")
        asked = st.form_submit_button(_("Take the bags in"), type="primary", disabled=intake_running(seat))
    if found:
        st.caption(_("Plugged in: {places}").format(places=plain(", ".join(found))))
    if not asked:
        return
    with saying_errors(seat):
        place = typed.strip()
        if not place or not (place.startswith("s3://") or Path(place).is_dir()):
            raise UsageError(
                m("{path}: there is no such folder. Plug the carrier in, or name a bag's folder.", path=typed or "—")
            )
        _runs(str(seat.home.root))["last"] = IntakeRun(seat.home, place, seat.account.login, in_place)
        st.rerun()


@st.fragment(run_every=1.0)
def intake_view() -> None:
    """How far the intake has come, and what came of each bag. The page is drawn anew when it ends."""
    seat = require_region()
    run = _runs(str(seat.home.root)).get("last")
    if run is None:
        return
    if run.alive:
        st.session_state["intake-seen"] = True
        bag, now = run.progress or ("", Progress("proving", 0, 0, 0, 0))
        done = _("{done} of {total}").format(done=size(seat, now.done_bytes), total=size(seat, now.bytes))
        st.progress(min(1.0, now.done_bytes / now.bytes) if now.bytes else 0.0, text=plain(f"{bag} · {done}"))
        if st.button(_("Stop the intake"), key="stop-intake"):
            run.stop.set()
            st.caption(_("Asked to stop; what is verified stays verified."))
    elif st.session_state.pop("intake-seen", False):
        st.rerun()
    if run.problem is not None:
        st.error(plain(run.problem.text(seat.language)))
    if not run.alive and not run.outcomes and run.problem is None:
        st.info(plain(_("{place}: no bag was found there.").format(place=run.place)))
    st.html("".join(_line(seat, outcome) for outcome in reversed(run.outcomes[-100:])))


def _line(seat: RegionSeat, outcome: Outcome) -> str:
    tone = TONES[outcome.outcome]
    reason = f"<p>{escape(outcome.reason.text(seat.language))}</p>" if outcome.reason else ""
    if outcome.sealed_as:
        reason += f"<p>{escape(_('encrypted on the carrier: {name}').format(name=outcome.sealed_as))}</p>"
    return (
        f'<div class="ek-check {tone}" data-outcome="{outcome.outcome}"><header><span>{mark(tone)}'
        f"{escape(outcome.bag)}</span><span>{escape(_(OUTCOME_LABELS[outcome.outcome]))}</span></header>{reason}</div>"
    )


def receipts_form(seat: RegionSeat) -> None:
    """The receipts of all points to a stick or folder, a folder per point."""
    with st.form("receipts", border=False):
        typed = st.text_input(_("Folder or stick for the receipts"), key="receipts-place")
        asked = st.form_submit_button(_("Write the receipts"))
    if asked:
        with saying_errors(seat), seat.desk() as desk:
            made = export_receipts(desk, Path(typed.strip() or "—"))
            st.success(_("Receipts written: {count}").format(count=len(made)))  # here, where one looks
