"""Kinds of equipment, the reserves asked for and the need of consumables: data, dated, a point may have its own."""

from __future__ import annotations

import datetime as dt
import math
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from exam_kit.errors import PointInvalid, m
from exam_kit.home import Home
from exam_kit.i18n import current_language
from exam_kit.point import Point
from exam_kit.point.model import Zone
from exam_kit.point.reasons import reason

__all__ = ["ConsumableNorm", "KindNorm", "Need", "Norms", "Reserve", "exam_rooms", "load_norms"]

SHIPPED = Path(__file__).with_name("equipment.toml")

Code = Annotated[str, Field(pattern=r"^[a-z_]{2,40}$")]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Words(_Part):
    """One name in the kit's three languages."""

    ru: str = Field(min_length=1)
    en: str = Field(min_length=1)
    lv: str = Field(min_length=1)

    def text(self, language: str | None = None) -> str:
        chosen: str = getattr(self, language or current_language())
        return chosen

    def all(self) -> tuple[str, str, str]:
        return self.ru, self.en, self.lv


Factor = Annotated[float, Field(ge=0, le=1000, allow_inf_nan=False)]


def _up(count: float) -> int:
    """Rounded up; to the sixth place first: 0.07 × 100 is a hair more than 7 in binary, and 7 is enough."""
    return math.ceil(round(count, 6))


class Reserve(_Part):
    """How many must lie in reserve, by the number of exam rooms."""

    fixed: Factor = 0
    per_room: Factor = 0

    def count(self, rooms: int) -> int:
        return _up(self.fixed + self.per_room * rooms)


class Need(_Part):
    """How much an exam needs, by the number of exam rooms and candidates."""

    fixed: Factor = 0
    per_room: Factor = 0
    per_candidate: Factor = 0

    def count(self, rooms: int, candidates: int | None) -> int | None:
        """None where it hangs on the number of candidates and that is not known."""
        if self.per_candidate and candidates is None:
            return None
        return _up(self.fixed + self.per_room * rooms + self.per_candidate * (candidates or 0))


class KindNorm(_Part):
    """A kind of equipment. `source` says where its reserve comes from."""

    code: Code
    label: Words
    source: str = Field(min_length=1)
    reserve: Reserve = Reserve()
    profiles: tuple[str, ...] = ()

    def reserve_for(self, point: Point) -> int:
        """How many working ones must lie in reserve at this point."""
        if self.profiles and point.profile not in self.profiles:
            return 0
        return self.reserve.count(exam_rooms(point))


class ConsumableNorm(_Part):
    """A consumable: what it is counted in, how much an exam needs, and the least there must be in any case."""

    code: Code
    label: Words
    unit: Words
    source: str = Field(min_length=1)
    need: Need
    minimum: int = Field(ge=0)


class Norms(_Part):
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
            if wanted in (kind.code, *(label.casefold() for label in kind.label.all())):
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
    own = home.profiles / SHIPPED.name if home else None
    path = own if own and own.exists() else SHIPPED
    try:
        norms = Norms.model_validate(tomllib.loads(path.read_text(encoding="utf-8-sig")))
    except ValidationError as problem:
        details = [
            m("  {where}: {reason}", where=".".join(str(part) for part in error["loc"]), reason=reason(error))
            for error in problem.errors()
        ]
        raise PointInvalid(
            m("{name}: mistakes found: {count}. Correct each and start again:", name=path, count=len(details)), details
        ) from problem
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as problem:
        raise PointInvalid(
            m("{name}: is not valid TOML: {reason}. Correct that line.", name=path, reason=problem)
        ) from problem
    repeated = _twice([kind.code for kind in norms.kind]) + _twice([one.code for one in norms.consumable])
    if repeated:
        raise PointInvalid(
            m("{name}: mistakes found: {count}. Correct each and start again:", name=path, count=len(repeated)),
            [m("  code '{code}' stands more than once; each must differ", code=code) for code in repeated],
        )
    return norms


def _twice(codes: Sequence[str]) -> list[str]:
    return sorted({code for code in codes if codes.count(code) > 1})
