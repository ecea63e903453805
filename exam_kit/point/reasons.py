"""What is wrong with a value, in our words and every language: pydantic says it in English only."""

from __future__ import annotations

from typing import Any

from pydantic_core import ErrorDetails

from exam_kit.errors import Message
from exam_kit.i18n import N_
from exam_kit.point.part import SAID

__all__ = ["reason"]

_WORDS = {
    "missing": N_("this key is missing; add it"),
    "extra_forbidden": N_("no such key; remove it or correct its spelling"),
    "unexpected_keyword_argument": N_("no such key; remove it or correct its spelling"),
    "codes": N_("{codes} stands more than once; every code must differ"),
    "enum": N_("must be one of {expected}"),
    "literal_error": N_("must be one of {expected}"),
    "string_pattern_mismatch": N_("does not have the form {pattern}"),
    "string_too_short": N_("must not be empty"),
    "string_too_long": N_("must have at most {max_length} characters"),
    "string": N_("must be text in quotes"),
    "greater_than_equal": N_("must be at least {ge}"),
    "greater_than": N_("must be more than {gt}"),
    "less_than_equal": N_("must be at most {le}"),
    "less_than": N_("must be less than {lt}"),
    "finite_number": N_("must be a number"),
    "too_short": N_("at least one is needed"),
    "too_long": N_("must have at most {max_length} entries"),
    "float": N_("must be a number"),
    "int": N_("must be a whole number"),
    "bool": N_("must be true or false"),
    "date": N_("must be a date such as 2026-05-28"),
    "time": N_("must be a time such as 10:00:00"),
    "tuple": N_("must be a list: [ … ] or [[tables]]"),
    "list": N_("must be a list: [ … ] or [[tables]]"),
    "dict": N_("must be a [table]"),
    "mapping": N_("must be a [table]"),
    "model": N_("must be a [table]"),
    "none_required": N_("must be left out"),
}
"""By the beginning of pydantic's error type; the longer beginning stands first."""


def reason(error: ErrorDetails) -> Message:
    """The mistake in our words; where we have none, a general sentence with pydantic's technical word."""
    kind, values = error["type"], error.get("ctx", {})
    if kind == SAID:  # of our own validators
        return Message(error["msg"])
    for begins, words in _WORDS.items():
        if kind.startswith(begins):
            return Message(words, {name: _listed(value) for name, value in values.items()})
    return Message(N_("cannot be used ({kind}: {said}); correct it"), {"kind": kind, "said": error["msg"]})


def _listed(value: Any) -> Any:
    """What pydantic expects ('a', 'b' or 'c') without its English word."""
    return value.replace("' or '", "', '") if isinstance(value, str) else value
