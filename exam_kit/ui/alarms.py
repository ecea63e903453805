"""What must not be overlooked on any page: footage that is not being made."""

from __future__ import annotations

from dataclasses import dataclass

from exam_kit.agent.status import agent_alive
from exam_kit.i18n import _
from exam_kit.ui.camera_facts import camera_facts
from exam_kit.ui.seat import Seat
from exam_kit.ui.when import clock_time

__all__ = ["Alarm", "alarms"]


@dataclass(frozen=True)
class Alarm:
    """What is wrong and what to do about it, in the reader's language."""

    what: str
    way_out: str


def alarms(seat: Seat) -> list[Alarm]:
    """The alarms now, the gravest first."""
    facts = camera_facts(seat)
    if not agent_alive(seat.home, seat.clock):
        wanted = [fact for fact in facts if fact.wanted]
        what = (
            _("The agent is not running: {count} cameras should record and do not.").format(count=len(wanted))
            if wanted
            else _("The agent is not running: nothing is recorded, checked or archived.")
        )
        return [Alarm(what, _("Start Exam Kit again on this computer; if it does not help, run 'exam-kit doctor'."))]
    raised = []
    for fact in facts:
        if fact.missing(seat.now):
            since = f" {_('since {time}').format(time=clock_time(seat, fact.since))}" if fact.since else ""
            cause = f": {_(fact.cause)}" if fact.cause else ""
            place = _("{camera}, {room}: should record and does not").format(
                camera=fact.camera.id, room=fact.room.label
            )
            raised.append(
                Alarm(
                    f"{place}{since}{cause}.",
                    _("See that the camera has power and its cable is in; it is taken up again by itself."),
                )
            )
    return raised
