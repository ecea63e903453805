"""`region.toml`: which region this is, and its dated rules. The file makes a home a region's home."""

from __future__ import annotations

import datetime as dt
import json
import tomllib
from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, ValidationError, field_validator
from pydantic_core import PydanticCustomError

from exam_kit.archive.act import KeepRule
from exam_kit.errors import NotSetUp, PointInvalid, UsageError, m
from exam_kit.home import Home
from exam_kit.i18n import N_
from exam_kit.point import ObjectStore
from exam_kit.point.part import SAID, Part
from exam_kit.point.reasons import reason
from exam_kit.store.durable import sync_folder

__all__ = ["EXAM_YEARS", "Region", "Rules", "init_region", "is_region", "known_zone", "load_region"]

EXAM_YEARS = range(2000, 2200)
"""A day of another year is a slip, or a trap: deadlines at the end of the calendar cannot be reckoned."""

TEMPLATE = Path(__file__).with_name("region.example.toml")


class Keep(Part):
    """Until when footage is kept: this day and month, `years` after the exam's year."""

    month: int = Field(ge=1, le=12)
    day: int = Field(ge=1, le=31)
    years: int = Field(ge=0, le=20)


class Rules(Part):
    """What counts for exam days from `valid_from` on."""

    valid_from: dt.date
    name: str = Field(min_length=1)
    source: str = ""
    delivery_days: int = Field(ge=0, le=365)
    slack_s: float = Field(ge=0, le=3600)
    keep: Keep

    def due(self, day: dt.date, zone: ZoneInfo) -> dt.datetime:
        """The last moment of delivery, UTC: the end of the last day, by the point's clock."""
        after = day + dt.timedelta(days=self.delivery_days + 1)
        return dt.datetime.combine(after, dt.time(), tzinfo=zone).astimezone(dt.UTC)

    def keep_until(self, day: dt.date) -> dt.date:
        return KeepRule(self.keep.month, self.keep.day, self.keep.years, self.source).until(day)


class Region(Part):
    """A region (РЦОИ) and its rules, the oldest first."""

    region: Annotated[str, Field(pattern=r"^\d{2}$")]
    name: str = Field(min_length=1)
    timezone: str
    language: Literal["ru", "en", "lv"] = "ru"
    rules: tuple[Rules, ...] = Field(min_length=1)
    store: tuple[ObjectStore, ...] = ()

    @field_validator("timezone")
    @classmethod
    def _zone(cls, name: str) -> str:
        if not known_zone(name):
            raise PydanticCustomError(
                SAID,
                N_("no such time zone; give an IANA name such as Europe/Moscow, Asia/Yekaterinburg or Europe/Riga"),
            )
        return name

    @field_validator("rules")
    @classmethod
    def _in_order(cls, rules: tuple[Rules, ...]) -> tuple[Rules, ...]:
        return tuple(sorted(rules, key=lambda rule: rule.valid_from))

    @property
    def tz(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)

    def rules_on(self, day: dt.date) -> Rules:
        """The rules of an exam day; the oldest for a day before all of them."""
        return next((rule for rule in reversed(self.rules) if rule.valid_from <= day), self.rules[0])


def known_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True


def is_region(home: Home) -> bool:
    return home.region_file.exists()


def load_region(home: Home) -> Region:
    """The region of this home.

    Raises:
        NotSetUp: there is no `region.toml`.
        PointInvalid: it has mistakes; `details` has one message for each.
    """
    path = home.region_file
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        raise NotSetUp(
            m("{path}: no region is set up here. Run 'exam-kit region init', or set EXAM_KIT_HOME.", path=path)
        ) from None
    except (OSError, UnicodeDecodeError) as problem:
        raise PointInvalid(
            m(
                "{path}: cannot be read ({reason}). Save it as UTF-8 text where this user may read it.",
                path=path,
                reason=problem,
            )
        ) from problem
    except tomllib.TOMLDecodeError as problem:
        raise PointInvalid(
            m("{name}: is not valid TOML: {reason}. Correct that line.", name=path, reason=problem)
        ) from problem
    try:
        return Region.model_validate(data)
    except ValidationError as problem:
        details = [
            m("  {where}: {reason}", where=".".join(str(part) for part in error["loc"]), reason=reason(error))
            for error in problem.errors()
        ]
        raise PointInvalid(
            m("{name}: mistakes found: {count}. Correct each and start again:", name=path, count=len(details)), details
        ) from problem


def init_region(home: Home, region: str, name: str, timezone: str, language: str) -> Region:
    """Write `region.toml` from the shipped one and make the folders.

    Raises:
        UsageError: a point or a region is set up here already.
        PointInvalid: the given values are not usable; nothing is left behind.
    """
    for path in (home.region_file, home.point_file):
        if path.exists():
            raise UsageError(
                m(
                    "{path}: is there already. Set EXAM_KIT_HOME to another folder, or edit the file by hand.",
                    path=path,
                )
            )
    text = TEMPLATE.read_text(encoding="utf-8")
    quoted = json.dumps(name, ensure_ascii=False)
    for field, value in (("region", region), ("name", quoted), ("timezone", timezone), ("language", language)):
        text = text.replace(f"{{{field}}}", value)
    home.create()
    home.region_file.write_text(text, encoding="utf-8")
    sync_folder(home.root)
    try:
        return load_region(home)
    except PointInvalid:
        home.region_file.unlink()
        raise
