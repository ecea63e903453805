"""The guided questions of a category, and the answers that a sheet keeps.

An answer carries the question as it was asked, in every language: the data may change, the sheet must not.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from exam_kit.errors import RefusedEntry, m
from exam_kit.i18n import N_, translate
from exam_kit.journal.dated import Part, Texts
from exam_kit.journal.person import Person, clean

__all__ = ["Answer", "Option", "Question", "Value"]

Value = bool | int | float | str


class Option(Part):
    """One of the answers of a choice."""

    code: Annotated[str, Field(pattern=r"^[a-z_]{2,40}$")]
    label: Texts


class Question(Part):
    """What is asked. `fills`: the field of the sheet that the answer is also written into."""

    code: Annotated[str, Field(pattern=r"^[a-z_]{2,40}$")]
    kind: Literal["yes_no", "choice", "text", "number"]
    label: Texts
    options: tuple[Option, ...] = ()
    least: float = 0
    most: float = 100_000
    fills: Literal["candidates", "minutes_added", "replaced_with"] | None = None

    @model_validator(mode="after")
    def _fits(self) -> Question:
        codes = [option.code for option in self.options]
        if (self.kind == "choice") != (len(set(codes)) >= 2) or len(set(codes)) != len(codes):
            raise PydanticCustomError(
                "options", "a choice has two or more different options, another question has none; correct them"
            )
        if self.fills and self.kind != ("text" if self.fills == "replaced_with" else "number"):
            raise PydanticCustomError(
                "fills", "people and minutes are filled in by a number, replaced_with by a text; correct the kind"
            )
        if self.least > self.most:
            raise PydanticCustomError("bounds", "least is above most; correct one of them")
        return self

    def checked(self, value: Value) -> Value:
        """`value` as it is kept.

        Raises:
            RefusedEntry: it does not answer this question.
        """
        if self.kind == "yes_no" and isinstance(value, bool):
            return value
        if self.kind == "choice" and value in [option.code for option in self.options]:
            return value
        if self.kind == "text" and isinstance(value, str):
            return clean(value, "answer")
        if self.kind == "number" and isinstance(value, int | float) and not isinstance(value, bool):
            whole = float(value).is_integer()
            if self.least <= float(value) <= self.most and (whole or not self.fills):
                return int(value) if whole else float(value)
        raise RefusedEntry(
            m(
                "'{question}': '{value}' is not an answer to it. Choose one from the list or write a number that fits.",
                question=self.label.text(),
                value=str(value)[:60],
            )
        )

    def answered(self, value: Value) -> dict[str, Any]:
        """The answer as the ledger keeps it; RefusedEntry when it is none."""
        kept = self.checked(value)
        body: dict[str, Any] = {"code": self.code, "kind": self.kind, "value": kept, "asked": self.label.model_dump()}
        if self.kind == "choice":
            body["said"] = next(option.label.model_dump() for option in self.options if option.code == kept)
        if self.fills:
            body["fills"] = self.fills
        return body


YES, NO = N_("yes"), N_("no")


@dataclass(frozen=True)
class Answer:
    """What was answered, by whom and when. `asked` and `said` (of a choice) by language."""

    code: str
    kind: str
    value: Value
    asked: Mapping[str, str]
    said: Mapping[str, str]
    by: Person
    at: datetime

    @classmethod
    def of(cls, kept: Mapping[str, Any], by: Person, at: datetime) -> Answer:
        """As it stands in the ledger."""
        return cls(kept["code"], kept["kind"], kept["value"], kept["asked"], kept.get("said", {}), by, at)

    def question(self, language: str) -> str:
        return self.asked.get(language) or self.asked["en"]

    def text(self, language: str) -> str:
        """The answer in words."""
        if isinstance(self.value, bool):
            return translate(YES if self.value else NO, language)
        return self.said.get(language) or str(self.value)
