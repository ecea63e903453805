"""Dated data files of a season: one is shipped, a point may have its own, and every mistake in it is named."""

from __future__ import annotations

import functools
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import PydanticCustomError

from exam_kit.errors import PointInvalid, m
from exam_kit.home import Home
from exam_kit.i18n import current_language
from exam_kit.point.reasons import reason

__all__ = ["Part", "Texts", "all_differ", "read_dated"]


class Part(BaseModel):
    """A piece of a data file: nothing in it is unknown, and nothing changes."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Texts(Part):
    """One text in the kit's three languages."""

    ru: str = Field(min_length=1)
    en: str = Field(min_length=1)
    lv: str = Field(min_length=1)

    def text(self, language: str | None = None) -> str:
        chosen: str = getattr(self, language or current_language())
        return chosen


def all_differ(codes: Iterable[str]) -> None:
    """For a validator: PydanticCustomError that names the codes which stand more than once."""
    listed = list(codes)
    repeated = sorted({code for code in listed if listed.count(code) > 1})
    if repeated:
        raise PydanticCustomError(
            "codes", "{codes} stands more than once; every code must differ", {"codes": ", ".join(repeated)}
        )


Data = TypeVar("Data", bound=BaseModel)


def read_dated(model: type[Data], shipped: Path, home: Home | None) -> Data:
    """The point's own file of that name in `profiles/`; the shipped one when there is none.

    Raises:
        PointInvalid: it cannot be read or has mistakes; `details` lists every one.
    """
    own = home.profiles / shipped.name if home else None
    path = own if own and own.exists() else shipped
    try:
        stamp = path.stat()
    except OSError as problem:
        raise _unreadable(path, problem) from problem
    read = _as_of(model, path, stamp.st_mtime_ns, stamp.st_size)
    assert isinstance(read, model)
    return read


@functools.lru_cache(maxsize=16)
def _as_of(model: type[BaseModel], path: Path, _changed_ns: int, _bytes: int) -> BaseModel:
    """Screens ask every few seconds; the file changes a few times a season."""
    try:
        return model.model_validate(tomllib.loads(path.read_text(encoding="utf-8-sig")))
    except ValidationError as problem:
        details = [
            m("  {where}: {reason}", where=".".join(str(part) for part in error["loc"]), reason=reason(error))
            for error in problem.errors()
        ]
        raise PointInvalid(
            m("{name}: mistakes found: {count}. Correct each and start again:", name=path, count=len(details)), details
        ) from problem
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as problem:
        raise _unreadable(path, problem) from problem


def _unreadable(path: Path, problem: Exception) -> PointInvalid:
    return PointInvalid(m("{name}: is not valid TOML: {reason}. Correct that line.", name=path, reason=problem))
