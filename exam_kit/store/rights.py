"""Who may do what. Denied unless it stands here (field guide, section 1)."""

from __future__ import annotations

from enum import StrEnum

from exam_kit.errors import AccessDenied, m
from exam_kit.i18n import N_

__all__ = ["ACT_LABELS", "READ_ONLY", "ROLE_LABELS", "Act", "Role", "may", "require"]


class Role(StrEnum):
    SPECIALIST = "specialist"
    HEAD_OF_POINT = "head_of_point"
    COMMISSION_MEMBER = "commission_member"
    COMMISSION_HEAD = "commission_head"
    REGIONAL_ADMIN = "regional_admin"


class Act(StrEnum):
    VIEW = "view"
    RUN_CHECKS = "run_checks"
    CONFIRM_CHECKS = "confirm_checks"
    RECORD = "record"
    ORDER_RECORDING = "order_recording"
    WRITE_LOG = "write_log"
    COUNTERSIGN = "countersign"
    OPEN_INCIDENT = "open_incident"
    DECIDE_STOP = "decide_stop"
    AGREE_STOP = "agree_stop"
    ARCHIVE = "archive"
    WITNESS = "witness"
    RECEIVE = "receive"
    HOLD_FOOTAGE = "hold_footage"
    DELETE_FOOTAGE = "delete_footage"
    KEEP_PEOPLE = "keep_people"
    KEEP_EQUIPMENT = "keep_equipment"
    KEEP_SOLUTIONS = "keep_solutions"
    SIGN_OFF_INCIDENT = "sign_off_incident"


ROLE_LABELS = {
    Role.SPECIALIST: N_("technical specialist"),
    Role.HEAD_OF_POINT: N_("head of the exam point"),
    Role.COMMISSION_MEMBER: N_("commission member"),
    Role.COMMISSION_HEAD: N_("commission head"),
    Role.REGIONAL_ADMIN: N_("regional admin"),
}

ACT_LABELS = {
    Act.VIEW: N_("view"),
    Act.RUN_CHECKS: N_("run the checks"),
    Act.CONFIRM_CHECKS: N_("confirm readiness"),
    Act.RECORD: N_("start and stop recording"),
    Act.ORDER_RECORDING: N_("order recording on or off"),
    Act.WRITE_LOG: N_("write the access log"),
    Act.COUNTERSIGN: N_("countersign the access log"),
    Act.OPEN_INCIDENT: N_("open an incident"),
    Act.DECIDE_STOP: N_("decide to stop an exam"),
    Act.AGREE_STOP: N_("agree to stop an exam"),
    Act.ARCHIVE: N_("archive footage"),
    Act.WITNESS: N_("witness the hand-over"),
    Act.RECEIVE: N_("receive and verify archives"),
    Act.HOLD_FOOTAGE: N_("put footage under a legal hold"),
    Act.DELETE_FOOTAGE: N_("delete footage and lift legal holds"),
    Act.KEEP_PEOPLE: N_("keep the register of people"),
    Act.KEEP_EQUIPMENT: N_("keep the register of equipment"),
    Act.KEEP_SOLUTIONS: N_("keep the base of solutions"),
    Act.SIGN_OFF_INCIDENT: N_("sign off an incident"),
}

RIGHTS: dict[Role, frozenset[Act]] = {
    Role.SPECIALIST: frozenset(
        {
            Act.VIEW,
            Act.RUN_CHECKS,
            Act.RECORD,
            Act.WRITE_LOG,
            Act.OPEN_INCIDENT,
            Act.ARCHIVE,
            Act.KEEP_EQUIPMENT,
            Act.KEEP_SOLUTIONS,
        }
    ),
    Role.HEAD_OF_POINT: frozenset(
        {
            Act.VIEW,
            Act.ORDER_RECORDING,
            Act.COUNTERSIGN,
            Act.OPEN_INCIDENT,
            Act.WITNESS,
            Act.KEEP_PEOPLE,
            Act.KEEP_EQUIPMENT,
            Act.KEEP_SOLUTIONS,
            Act.SIGN_OFF_INCIDENT,
        }
    ),
    Role.COMMISSION_MEMBER: frozenset(
        {
            Act.VIEW,
            Act.CONFIRM_CHECKS,
            Act.COUNTERSIGN,
            Act.OPEN_INCIDENT,
            Act.DECIDE_STOP,
            Act.WITNESS,
            Act.HOLD_FOOTAGE,
            Act.KEEP_PEOPLE,
            Act.SIGN_OFF_INCIDENT,
        }
    ),
    Role.COMMISSION_HEAD: frozenset({Act.VIEW, Act.AGREE_STOP}),
    Role.REGIONAL_ADMIN: frozenset({Act.VIEW, Act.RECEIVE, Act.HOLD_FOOTAGE, Act.DELETE_FOOTAGE}),
}

READ_ONLY = frozenset({Role.COMMISSION_HEAD})
"""Roles that are given the database for reading only. To agree to a stop is told to who decides, and written there."""


def may(role: Role, act: Act) -> bool:
    """True when `role` has the right to `act`."""
    return act in RIGHTS[role]


def require(role: Role, act: Act) -> None:
    """Raises AccessDenied when `role` has no right to `act`."""
    if not may(role, act):
        raise AccessDenied(
            m(
                "To {act}: the role '{role}' does not have this right. Ask a person whose role has it to do it.",
                act=m(ACT_LABELS[act]),
                role=m(ROLE_LABELS[role]),
            )
        )
