"""Categories of incidents: what each is called, what to do first, how long there is. Data, not code."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from datetime import datetime, timedelta
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from exam_kit.home import Home
from exam_kit.i18n import current_language
from exam_kit.journal.dated import Part, Texts, all_differ, read_dated
from exam_kit.journal.questions import Question
from exam_kit.point import Point, exam_start

__all__ = ["CameraBounds", "Categories", "Category", "Limit", "Mark", "load_categories"]

CHECK_FAILED = "check_failed"

SHIPPED = Path(__file__).with_name("incidents.toml")


class Lists(Part):
    """First actions in the kit's three languages, in the order they are done."""

    ru: tuple[str, ...] = Field(min_length=1)
    en: tuple[str, ...] = Field(min_length=1)
    lv: tuple[str, ...] = Field(min_length=1)

    def text(self, language: str | None = None) -> tuple[str, ...]:
        chosen: tuple[str, ...] = getattr(self, language or current_language())
        return chosen

    @model_validator(mode="after")
    def _alike(self) -> Lists:
        if len({len(self.ru), len(self.en), len(self.lv)}) != 1:
            raise PydanticCustomError("lists", "as many actions in every language; add the missing ones")
        return self


class Limit(Part):
    """Until when it must be over: minutes or days from detection, or minutes around the start of the day's exam."""

    kind: Literal["minutes", "days", "exam_start"]
    value: float

    def until(self, detected_at: datetime, point: Point) -> datetime | None:
        """The moment, UTC; None where it hangs on an exam and there is none on that local date."""
        if self.kind == "minutes":
            return detected_at + timedelta(minutes=self.value)
        if self.kind == "days":
            return detected_at + timedelta(days=self.value)
        day = point.day(detected_at.astimezone(point.tz).date())
        return exam_start(point, day) + timedelta(minutes=self.value) if day else None


class Mark(Part):
    """Something that is due a while after detection.

    It is done once somebody of every role in `tell` was told, and with `decision` once one was taken; without either
    nothing can say that it is done, and it stays due.
    """

    after_min: float = Field(gt=0)
    label: Texts
    tell: tuple[Literal["specialist", "head_of_point", "commission_member", "commission_head"], ...] = ()
    decision: bool = False


class CameraBounds(Part):
    """When cameras that do not record are an incident, seconds.

    `lost_s`: one that comes back sooner is a gap in the recording. `group_s`: cameras lost within it of one another
    share a sheet. `outage_s`: time without agent or computer that is over by now; shorter ones stay gaps.
    """

    lost_s: float = Field(gt=0)
    group_s: float = Field(ge=0)
    outage_s: float = Field(gt=0)


class Category(Part):
    """One kind of incident. `source` says where its limit and actions come from."""

    code: Annotated[str, Field(pattern=r"^[a-z_]{2,40}$")]
    label: Texts
    first: Lists
    source: str = Field(min_length=1)
    limit: Limit | None = None
    marks: tuple[Mark, ...] = ()
    cameras: CameraBounds | None = None
    questions: tuple[Question, ...] = ()
    checks: tuple[str, ...] = ()
    """probes (`clock.*`) whose failed blockers are of this category"""

    @model_validator(mode="after")
    def _ask_once(self) -> Category:
        codes = [question.code for question in self.questions]
        if len(set(codes)) != len(codes):
            raise PydanticCustomError("questions", "a question's code stands twice; every code must differ")
        return self

    @property
    def tell(self) -> tuple[str, ...]:
        """The roles that its marks want told, the most urgent first."""
        marks = sorted(self.marks, key=lambda mark: mark.after_min)
        return tuple(dict.fromkeys(role for mark in marks for role in mark.tell))


class Categories(Part):
    """All categories of a season."""

    season: str
    dated: dt.date
    source: str
    category: tuple[Category, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _differ(self) -> Categories:
        all_differ(category.code for category in self.category)
        return self

    @property
    def by_code(self) -> Mapping[str, Category]:
        return {category.code: category for category in self.category}

    def for_check(self, probe: str) -> str:
        """The category of a failed check; `check_failed`, `other` or the first where none names its probe."""
        for category in self.category:
            if any(fnmatchcase(probe, pattern) for pattern in category.checks):
                return category.code
        known = self.by_code
        return next((code for code in (CHECK_FAILED, "other") if code in known), self.category[0].code)

    def label(self, code: str, language: str | None = None) -> str:
        """What the category is called; its code where an older journal names one that is no longer in the data."""
        found = self.by_code.get(code)
        return found.label.text(language) if found else code


def load_categories(home: Home | None = None) -> Categories:
    """The point's own `profiles/incidents.toml` when there is one, otherwise the shipped categories.

    Raises:
        PointInvalid: the file has mistakes; `details` lists every one.
    """
    return read_dated(Categories, SHIPPED, home)
