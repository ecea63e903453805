"""What a station's file says, read strictly: an unknown key or a value of another kind is not understood."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictFloat, StrictInt, StrictStr, field_validator

from exam_kit.checks.model import Fact, Outcome, Reason
from exam_kit.clock import from_iso, iso

__all__ = ["FORMAT", "Record", "Tested"]

FORMAT = "exam-kit station result v1"

Hex = Annotated[str, Field(pattern=r"^[0-9a-f]{16,64}$")]
Short = Annotated[str, Field(max_length=200)]


def _moment(text: str) -> str:
    """A moment as the store keeps it; ValueError when it is none."""
    return iso(from_iso(text))


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class FactPart(_Part):
    values: dict[Short, StrictBool | StrictInt | StrictFloat | StrictStr | None] = Field(max_length=40)
    evidence: dict[str, Any] = Field(max_length=100)
    outcome: Outcome
    reason: Reason | None


class Tested(_Part):
    """One check as the station ran it. The state it came to there is not in the record: it is judged here."""

    check: Short
    probe: Short
    args: dict[str, Any]
    at: Short
    elapsed_s: float = Field(ge=0, le=3600)
    fact: FactPart

    _at = field_validator("at")(_moment)

    def as_fact(self) -> Fact:
        measured = self.fact.outcome is Outcome.MEASURED
        return Fact(
            dict(self.fact.values) if measured else {}, self.fact.evidence, self.fact.outcome, self._reason(measured)
        )

    def _reason(self, measured: bool) -> Reason | None:
        if measured or self.fact.outcome is Outcome.PENDING:
            return None
        return self.fact.reason or Reason.ERROR


class PointPart(_Part):
    region: Short
    code: Short
    ledger: Short


class ProfilePart(_Part):
    name: Short
    hash: Hex


class Record(_Part):
    """The whole line."""

    format: Short
    point: PointPart
    stick: Hex
    station: Short
    role: Short
    machine: dict[Short, StrictStr | StrictInt | None] = Field(max_length=20)
    profile: ProfilePart
    started_at: Short
    ended_at: Short
    nonce: Hex
    checks: tuple[Tested, ...] = Field(max_length=500)

    _moments = field_validator("started_at", "ended_at")(_moment)

    @classmethod
    def read(cls, found: Mapping[str, Any]) -> Record:
        """ValueError when it is not of this form."""
        if found.get("format") != FORMAT:
            raise ValueError("another format")
        record = cls.model_validate(found)
        if len({tested.check for tested in record.checks}) != len(record.checks):
            raise ValueError("a check stands twice")
        if any(not math.isfinite(tested.elapsed_s) for tested in record.checks):
            raise ValueError("a duration that is none")
        return record
