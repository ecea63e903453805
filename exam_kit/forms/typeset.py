"""Data and a template in, PDF/A out: the same bytes for the same input.

Data reaches the template as JSON and is set as text, never read as markup, so whatever a person wrote prints as it was
written. Only the fonts that Typst carries in itself are used, so a form looks alike on every machine.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import typst

from exam_kit.errors import ExamKitError, m

__all__ = ["typeset"]

TEMPLATES = Path(__file__).with_name("templates")
STANDARD: Final = "a-2b"

_MISSING = re.compile(r"the text `(\"(?:[^\"\\]|\\.)*\")` could not be displayed", re.DOTALL)
_LONG_WORD = re.compile(r"[^\s-]{25,}")
_BREAK = "\u200b"
PIECE = 12
"""A word too long for a narrow column may be broken after this many characters."""


def typeset(template: str, data: Mapping[str, Any], made_at: datetime) -> bytes:
    """The PDF of `templates/<template>.typ` filled with `data`; `made_at` becomes the document's date.

    A character that the fonts do not have prints as its code, ``[U+4F60]``: PDF/A refuses empty boxes, and a form
    must not lose what was written.

    Raises:
        ExamKitError: the template and the data do not fit.
    """
    text = json.dumps(_breakable(data), ensure_ascii=False, sort_keys=True)
    try:
        return _compile(template, text, made_at)
    except typst.TypstError as problem:
        missing = {char for found in _MISSING.findall(problem.diagnostic) for char in _unquoted(found)}
        if not missing:
            raise _unprintable(template, problem) from problem
    coded = _mapped(data, lambda value: "".join(f"[U+{ord(c):04X}]" if c in missing else c for c in value))
    try:
        return _compile(template, json.dumps(_breakable(coded), ensure_ascii=False, sort_keys=True), made_at)
    except typst.TypstError as problem:
        raise _unprintable(template, problem) from problem


def _compile(template: str, data: str, made_at: datetime) -> bytes:
    return typst.compile(
        str(TEMPLATES / f"{template}.typ"),
        root=str(TEMPLATES),
        format="pdf",
        font_paths=[],
        ignore_system_fonts=True,
        sys_inputs={"data": data},
        timestamp=int(made_at.timestamp()),
        pdf_standards=STANDARD,
    )


def _unprintable(template: str, problem: typst.TypstError) -> ExamKitError:
    return ExamKitError(
        m(
            "Form '{form}': cannot be set in type ({reason}). Export the journal as CSV and report this form.",
            form=template,
            reason=str(problem),
        )
    )


def _unquoted(literal: str) -> str:
    """The text of a string as Typst's diagnostics quote it: ``"\\u{1f600}"``."""
    return re.sub(r"\\u\{([0-9a-fA-F]+)\}", lambda found: chr(int(found[1], 16)), literal[1:-1])


def _breakable(value: Any) -> Any:
    return _mapped(value, lambda text: _LONG_WORD.sub(_broken, text))


def _broken(word: re.Match[str]) -> str:
    return _BREAK.join(word[0][at : at + PIECE] for at in range(0, len(word[0]), PIECE))


def _mapped(value: Any, change: Any) -> Any:
    if isinstance(value, str):
        return change(value)
    if isinstance(value, Mapping):
        return {key: _mapped(item, change) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_mapped(item, change) for item in value]
    return value
