"""Kinds of equipment, the reserves asked for and the need of consumables: data, dated, a point may have its own."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

from pydantic import Field, model_validator

from exam_kit.home import Home
from exam_kit.i18n import LANGUAGES
from exam_kit.journal.dated import Part, Texts, all_differ, read_dated
from exam_kit.point import Point
from exam_kit.point.model import Zone

__all__ = ["ConsumableNorm", "KindNorm", "Need", "Norms", "Reserve", "exam_rooms", "load_norms"]

SHIPPED = Path(__file__).with_name("equipment.toml")

Code = Annotated[str, Field(pattern=r"^[a-z_]{2,40}$")]


Factor = Annotated[float, Field(ge=0, le=1000, allow_inf_nan=False)]


def _up(count: float) -> int:
    """Rounded up; to the sixth place first: 0.07 × 100 is a hair more than 7 in binary, and 7 is enough."""
    return math.ceil(round(count, 6))


class Reserve(Part):
    """How many must lie in reserve, by the number of exam rooms."""

    fixed: Factor = 0
    per_room: Factor = 0

    def count(self, rooms: int) -> int:
        return _up(self.fixed + self.per_room * rooms)


class Need(Part):
    """How much an exam needs, by the number of exam rooms and candidates."""

    fixed: Factor = 0
    per_room: Factor = 0
    per_candidate: Factor = 0

    def count(self, rooms: int, candidates: int | None) -> int | None:
        """None where it hangs on the number of candidates and that is not known."""
        if self.per_candidate and candidates is None:
            return None
        return _up(self.fixed + self.per_room * rooms + self.per_candidate * (candidates or 0))


class KindNorm(Part):
    """A kind of equipment. `source` says where its reserve comes from."""

    code: Code
    label: Texts
    source: str = Field(min_length=1)
    reserve: Reserve = Reserve()
    profiles: tuple[str, ...] = ()

    def reserve_for(self, point: Point) -> int:
        """How many working ones must lie in reserve at this point."""
        if self.profiles and point.profile not in self.profiles:
            return 0
        return self.reserve.count(exam_rooms(point))


class ConsumableNorm(Part):
    """A consumable: what it is counted in, how much an exam needs, and the least there must be in any case."""

    code: Code
    label: Texts
    unit: Texts
    source: str = Field(min_length=1)
    need: Need
    minimum: int = Field(ge=0)


class Norms(Part):
    """All of a season."""

    season: str
    dated: dt.date
    source: str
    margin: float = Field(ge=1, le=10)
    kind: tuple[KindNorm, ...] = Field(min_length=1)
    consumable: tuple[ConsumableNorm, ...] = ()

    @property
    def kinds(self) -> Mapping[str, KindNorm]:
        return {kind.code: kind for kind in self.kind}

    @model_validator(mode="after")
    def _differ(self) -> Norms:
        all_differ(kind.code for kind in self.kind)
        all_differ(one.code for one in self.consumable)
        return self

    @property
    def consumables(self) -> Mapping[str, ConsumableNorm]:
        return {one.code: one for one in self.consumable}

    def kind_label(self, code: str, language: str | None = None) -> str:
        """What the kind is called; its code where an older entry names one that is no longer in the data."""
        return next((kind.label.text(language) for kind in self.kind if kind.code == code), code)

    def kind_called(self, name: str) -> str:
        """The code of the kind that is called so in any language, or by its code; empty where there is none."""
        wanted = " ".join(name.casefold().split())
        for kind in self.kind:
            if wanted in (kind.code, *(kind.label.text(language).casefold() for language in LANGUAGES)):
                return kind.code
        return ""


def exam_rooms(point: Point) -> int:
    """How many exam rooms the point has."""
    return sum(room.zone is Zone.ROOM for room in point.rooms)


def load_norms(home: Home | None = None) -> Norms:
    """The point's own `profiles/equipment.toml` when there is one, otherwise the shipped data.

    Raises:
        PointInvalid: the file has mistakes; `details` lists every one.
    """
    return read_dated(Norms, SHIPPED, home)
