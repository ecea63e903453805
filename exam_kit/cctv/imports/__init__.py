"""Footage that others recorded, brought in: looked at first, its clock confirmed by a person, then copied unchanged."""

from __future__ import annotations

from exam_kit.cctv.imports.asked import Chosen, ImportAsked, Taken, choose, kept_offset_s
from exam_kit.cctv.imports.look import Facts, LookFault, look_at, picture_at
from exam_kit.cctv.imports.names import NamedTime, time_in_name
from exam_kit.cctv.imports.plan import FAULTS, SUFFIXES, TIME_SOURCES, Found, plan_import
from exam_kit.cctv.imports.take import ImportCancelled, take_import

__all__ = [
    "FAULTS",
    "SUFFIXES",
    "TIME_SOURCES",
    "Chosen",
    "Facts",
    "Found",
    "ImportAsked",
    "ImportCancelled",
    "LookFault",
    "NamedTime",
    "Taken",
    "choose",
    "kept_offset_s",
    "look_at",
    "picture_at",
    "plan_import",
    "take_import",
    "time_in_name",
]
