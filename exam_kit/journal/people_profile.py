"""What the people of a point need before they act: kinds of briefing, their validity, how many are on duty. Data."""

from __future__ import annotations

import calendar
import datetime as dt
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from exam_kit.errors import Message
from exam_kit.home import Home
from exam_kit.journal.dated import Part, Texts, all_differ, read_dated
from exam_kit.store.rights import Role

__all__ = ["POINT_ROLES", "Briefing", "PeopleProfile", "load_people_profile"]

SHIPPED = Path(__file__).with_name("people.toml")

POINT_ROLES = (Role.SPECIALIST, Role.HEAD_OF_POINT, Role.COMMISSION_MEMBER)
"""Roles that a point appoints and puts on duty. The commission head and the region stand above its register."""


def _of_the_point(roles: tuple[Role, ...]) -> tuple[Role, ...]:
    strange = sorted(set(roles) - set(POINT_ROLES))
    if strange:
        raise PydanticCustomError(
            "roles", "no role of a point: {roles}; use {known}",
            {"roles": ", ".join(strange), "known": ", ".join(POINT_ROLES)},
        )  # fmt: skip
    return roles


class Briefing(Part):
    """One kind of training or briefing. `source` says where the requirement comes from."""

    code: Annotated[str, Field(pattern=r"^[a-z_]{2,40}$")]
    label: Texts
    roles: tuple[Role, ...] = Field(min_length=1)
    source: Texts
    valid_months: int | None = Field(default=None, ge=1, le=120)

    @model_validator(mode="after")
    def _known(self) -> Briefing:
        _of_the_point(self.roles)
        return self

    def valid_until(self, given: dt.date) -> dt.date | None:
        """The last day it holds; None where it does not run out."""
        if self.valid_months is None:
            return None
        months = given.year * 12 + given.month - 1 + self.valid_months
        year, month = divmod(months, 12)
        return dt.date(year, month + 1, min(given.day, calendar.monthrange(year, month + 1)[1]))


class PeopleProfile(Part):
    """The requirements of a season."""

    season: str
    dated: dt.date
    source: Texts
    checked_roles: tuple[Role, ...]
    roster: Mapping[Role, Annotated[int, Field(ge=0, le=1000)]]
    briefing: tuple[Briefing, ...]

    @model_validator(mode="after")
    def _agree(self) -> PeopleProfile:
        _of_the_point(self.checked_roles)
        _of_the_point(tuple(self.roster))
        all_differ(briefing.code for briefing in self.briefing)
        return self

    @property
    def by_code(self) -> Mapping[str, Briefing]:
        return {briefing.code: briefing for briefing in self.briefing}

    def needed(self, *roles: Role) -> tuple[Briefing, ...]:
        """The briefings somebody with any of these roles must have."""
        return tuple(one for one in self.briefing if set(one.roles) & set(roles))

    def label(self, code: str, language: str | None = None) -> str:
        """What the briefing is called; its code where an older entry names one that is no longer in the data."""
        found = self.by_code.get(code)
        return found.label.text(language) if found else code

    def named(self, codes: tuple[str, ...]) -> Message:
        """The names of briefings as a part of a message, in the language of whoever reads it."""
        return _Names("", {"codes": codes, "profile": self})


class _Names(Message):
    """Names that stand in the profile in three languages, not in the catalogues."""

    def text(self, language: str | None = None) -> str:
        profile = self.values["profile"]
        assert isinstance(profile, PeopleProfile)
        codes: tuple[str, ...] = self.values["codes"]  # type: ignore[assignment]
        return ", ".join(profile.label(code, language) for code in codes)


def load_people_profile(home: Home | None = None) -> PeopleProfile:
    """The point's own `profiles/people.toml` when there is one, otherwise the shipped requirements.

    Raises:
        PointInvalid: the file has mistakes; `details` lists every one.
    """
    return read_dated(PeopleProfile, SHIPPED, home)
