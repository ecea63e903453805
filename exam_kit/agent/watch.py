"""What the agent notices, written where people look: incident sheets and access log lines.

The trades do not know each other; here a camera that does not record becomes an incident, a recording on order
becomes a line of the access log, and a slept-through check is reported on waking.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from exam_kit.agent import orders
from exam_kit.agent.camera_watch import CameraWatch
from exam_kit.agent.log_lines import giver_of, orderer_of
from exam_kit.agent.orders import Order
from exam_kit.agent.planner import PlannedRun
from exam_kit.archive.bag_report import OUTCOME_LABELS
from exam_kit.cctv.status import CameraStatus
from exam_kit.checks.model import Run, Severity, State
from exam_kit.clock import Clock, iso
from exam_kit.errors import ExamKitError, Message, m
from exam_kit.forms.exports import export_day
from exam_kit.home import Home
from exam_kit.journal.access_log import AccessAction, AccessDraft, AccessLog
from exam_kit.journal.categories import load_categories
from exam_kit.journal.incidents import IncidentDraft, Incidents
from exam_kit.journal.person import AGENT, fitting
from exam_kit.point import ExamDay, Point, camera_windows, zone_windows
from exam_kit.store import Ledger, Store

__all__ = ["Watch"]

log = logging.getLogger(__name__)

BEGINNING = timedelta(seconds=60)
"""For so long after a window's start a recording counts as begun by the plan."""

KNOWN_ORDERS = 500
"""A season has fewer archive orders."""

WRITING_UP = timedelta(hours=1)
"""So long after its last window an exam day is still the one that people write about, also past midnight."""
GOOD_AGAIN = m("The check is good again.")
NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass
class Watch:
    """Keeps the journals in line with what the agent sees."""

    point: Point
    home: Home
    store: Store
    ledger: Ledger
    clock: Clock
    _exported: int = 0

    def __post_init__(self) -> None:
        self._incidents = Incidents(self.ledger, self.point, self.clock, load_categories(self.home))
        self._access_log = AccessLog(self.ledger, self.point, self.clock)
        self._cameras = CameraWatch(self.point, self.store, self._incidents, self.clock)

    def _say(self, message: Message) -> str:
        """Journals are kept in the point's language."""
        return fitting(message.text(self.point.language))

    def today(self) -> ExamDay | None:
        """The exam day that is on: today's by the point's clock, or one whose recording goes on past midnight; else the
        next one."""
        now = self.clock.now()
        local = now.astimezone(self.point.tz).date()
        days = sorted(self.point.days, key=lambda day: day.date)
        return next((day for day in days if day.date >= local or now < self._over(day)), None)

    def _over(self, day: ExamDay) -> datetime:
        """When the last of a day's windows ends, and what came of it was written down."""
        return max((window.end for window in zone_windows(self.point, day).values()), default=NEVER) + WRITING_UP

    def day_of(self, text: str) -> ExamDay | None:
        return self.point.day(date.fromisoformat(text))

    def cameras(self, status: Mapping[str, CameraStatus]) -> None:
        """Open an incident for cameras that should record and do not; note their return on the same sheet."""
        self._cameras.look(status)

    def recording_ordered(self, order: Order) -> list[str]:
        """A line of the access log for recording switched on or off by an order; its cameras that are not here."""
        places = {camera.id: camera.room for camera in self.point.cameras}
        ordered = order.body.get("cameras", [])
        rooms = tuple(dict.fromkeys(places[camera] for camera in ordered if camera in places))
        if not rooms:
            raise ExamKitError(
                m("Order {number}: none of its cameras is in this point. Choose from the list.", number=order.id)
            )
        action = AccessAction.RECORDING_STARTED if order.kind == "record" else AccessAction.RECORDING_STOPPED
        now = self.clock.now()
        text = self._say(m("by order of {name}: {why}", name=orderer_of(self.ledger, order), why=order.why))
        giver = giver_of(self.ledger, order)
        self._access_log.add(AccessDraft(rooms, action, now, now, text=text, person=giver, order=order.id), AGENT)
        return [camera for camera in ordered if camera not in places]

    def recording_began(self, cameras: Sequence[str]) -> None:
        """A line of the access log for cameras that the plan switched on.

        A recording that goes on after the agent was away is not switched on again: its gap says what happened.
        """
        now = self.clock.now()
        fresh = [
            camera
            for camera in map(self.point.camera, cameras)
            if any(
                window.holds(now) and now - window.start < BEGINNING for window in camera_windows(self.point, camera)
            )
        ]
        if not fresh:
            return
        rooms = tuple(dict.fromkeys(camera.room for camera in fresh))
        draft = AccessDraft(rooms, AccessAction.RECORDING_STARTED, now, now, text=self._say(m("by the day's plan")))
        self._access_log.add(draft, AGENT)

    def recording_ended(self, cameras: Sequence[str]) -> None:
        """A line of the access log for cameras whose planned window is over."""
        rooms = tuple(dict.fromkeys(self.point.camera(camera).room for camera in cameras))
        now = self.clock.now()
        draft = AccessDraft(rooms, AccessAction.RECORDING_STOPPED, now, now, text=self._say(m("by the day's plan")))
        self._access_log.add(draft, AGENT)

    def check_finished(self, run: Run) -> None:
        """One incident per failed blocker; it is noted as restored by the next good run."""
        self._now_good("check", GOOD_AGAIN)
        for result in run.results:
            key = f"check:{result.check}:{result.target}"
            if result.severity is Severity.BLOCKER and result.state is State.FAIL:
                title = result.title.get(self.point.language, result.title["en"])
                text = self._say(m("Check failed: {title} {target}", title=title, target=result.target)).strip()
                camera = result.target if any(known.id == result.target for known in self.point.cameras) else ""
                category = self._incidents.categories.for_check(result.probe)
                draft = IncidentDraft(category, text, self.clock.now(), camera=camera, checks=(run.id,))
                self._incidents.open_for(key, draft)
            elif result.state is State.OK:
                self._now_good(key, GOOD_AGAIN)

    def check_impossible(self, reason: str) -> None:
        """A check that could not be run at all, such as by a profile with mistakes."""
        text = self._say(m("The check could not be run: {reason}", reason=reason))
        self._incidents.open_for("check", IncidentDraft("check_missed", text, self.clock.now()))

    def check_missed(self, run: PlannedRun) -> None:
        """A planned check that nobody served, or only at a wrong time: said on waking, never passed over."""
        planned = f"{run.due_from.astimezone(self.point.tz):%d.%m.%Y %H:%M}"
        body = {"run": run.id, "due_from": iso(run.due_from), "due_until": iso(run.due_until)}
        if run.began is None:
            text = m("The check planned for {time} was not run: the laptop was off or asleep.", time=planned)
        else:
            body["began"] = iso(run.began)
            text = m(
                "The check planned for {time} was run at {began} by the clock as it is set now, outside its time. "
                "See whether the clock is right now.",
                time=planned,
                began=f"{run.began.astimezone(self.point.tz):%d.%m.%Y %H:%M}",
            )
        self.ledger.append("plan.missed", body, "agent")
        self._incidents.open_for(run.id, IncidentDraft("check_missed", self._say(text), self.clock.now()))

    def check_served(self, run_id: str) -> None:
        """A planned check was run in its time: what a wrong clock had reported of it is taken back."""
        self._now_good(run_id, m("By the clock as it is set now, the check was run in its time."))

    def archive_ended(self, order: Order, errors: Mapping[str, str]) -> None:
        """Where the copies of an order went, each with why it failed, "" where it was made.

        A carrier has one sheet for one day: trying again there does not open another, and a good copy is noted on it.
        """
        for place, reason in errors.items():
            key = f"archive:{order.body.get('day', '')}:{place}"
            if reason:
                text = m("Archive order {number} failed: {reason}", number=order.id, reason=reason)
                self._bad_archive(key, text)
            else:
                self._now_good(key, m("The copy was made and verified by order {number}.", number=order.id))

    def bag_verified(self, path: str, outcome: str, *, quick: bool) -> None:
        """A copy that was looked at: one that was changed or lacks files opens a sheet, a whole one is noted on it."""
        key = f"bag:{path}"
        if outcome == "not_a_bag" and self._incidents.find_open(key) is None and not self._made_here(path):
            return  # a folder that never was one: somebody chose wrongly
        if outcome != "whole":
            label = m(OUTCOME_LABELS[outcome])
            self._bad_archive(key, m("The archive {path} was verified. {outcome}", path=path, outcome=label))
        elif not quick:  # a quick look proves no content
            self._now_good(key, m("The archive was verified again and is whole."))

    def _made_here(self, path: str) -> bool:
        """Did an order of this agent make a bag there?"""
        for order in orders.recent(self.store, "archive", KNOWN_ORDERS):
            copies = [order.result, *order.result.get("copies", [])]
            if any(one.get("bag") == path for one in copies):
                return True
        return False

    def _bad_archive(self, key: str, text: Message) -> None:
        self._incidents.open_for(key, IncidentDraft("archive_failed", self._say(text), self.clock.now()))

    def _now_good(self, key: str, text: Message) -> None:
        sheet = self._incidents.find_open(key)
        if sheet is not None and sheet.restored_at is None:
            self._incidents.restored(sheet.number, AGENT, year=sheet.year, text=self._say(text))

    def day_ended(self) -> None:
        """After the last window of today the day's journals are exported to `logs/`, once for each new state."""
        day = self.today()
        if day is None:
            return
        ends = [window.end for window in zone_windows(self.point, day).values()]
        if ends and self.clock.now() > max(ends) + timedelta(seconds=1):
            head = self.ledger.head().seq
            if head != self._exported:
                export_day(self.home, self.point, day, self._access_log, self._incidents)
                self._exported = head
