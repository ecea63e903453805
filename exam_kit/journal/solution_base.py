"""The solutions that are shipped with the kit: data, dated, each with where it comes from. Nobody changes them here."""

from __future__ import annotations

import datetime as dt
import tomllib
from functools import cache
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from exam_kit.journal.solution import BASE, Shelf, Solution
from exam_kit.journal.solution_content import Content, Wording

__all__ = ["base_shelf"]

SHIPPED = Path(__file__).with_name("solutions.toml")


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Text(_Part):
    symptom: str = Field(min_length=1)
    cause: str = Field(min_length=1)
    steps: tuple[str, ...] = Field(min_length=1)

    @property
    def wording(self) -> Wording:
        return Wording(self.symptom, self.cause, self.steps)


class _Case(_Part):
    code: Annotated[str, Field(pattern=r"^[a-z_]{2,40}$")]
    category: str
    source: Literal["regulation", "practice"]
    ru: _Text
    en: _Text
    lv: _Text


class _Cases(_Part):
    dated: dt.date
    source: str = Field(min_length=1)
    case: tuple[_Case, ...] = Field(min_length=1)


@cache
def base_shelf() -> Shelf:
    """The shipped solutions, from which the point's own shelf goes on."""
    cases = _Cases.model_validate(tomllib.loads(SHIPPED.read_text(encoding="utf-8")))
    found = {}
    for case in cases.case:
        texts = {"ru": case.ru.wording, "en": case.en.wording, "lv": case.lv.wording}
        solution = Solution(
            f"{BASE}/{case.code}", BASE, Content(case.category, texts), 1, cases.dated,
            source=case.source,
        )  # fmt: skip
        found[solution.id] = solution
    digest = "-".join(solution.content.hash[:8] for solution in found.values())
    return Shelf(found, digest)
