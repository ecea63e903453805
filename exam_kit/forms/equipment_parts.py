"""What the forms about equipment share: tables for their template, and how an item is called on paper."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from exam_kit.forms.sheet import Paper
from exam_kit.forms.typeset import typeset
from exam_kit.journal.equipment_item import Item, SheetLine
from exam_kit.journal.equipment_norms import Norms

__all__ = ["Column", "item_name", "made", "part", "place"]

Column = tuple[str, int, bool]
"""The English head of a column, its width in mm (0: what is left), and whether it is centred."""


def part(
    paper: Paper, columns: Sequence[Column], rows: Sequence[Sequence[str]], empty: str, title: str = ""
) -> dict[str, Any]:
    """A table of the template; `empty` and `title` are said already."""
    return {
        "title": title,
        "columns": [{"title": paper.say(head), "width": width, "centred": centred} for head, width, centred in columns],
        "rows": [list(row) for row in rows],
        "empty": empty,
    }


def made(
    paper: Paper,
    title: str,
    parts: Sequence[dict[str, Any]],
    *,
    totals: Sequence[str] = (),
    closing: str = "",
    flipped: bool = True,
    **head: Any,
) -> bytes:
    """The form as PDF; `head` goes to `Paper.data`."""
    data = paper.data(title, parts=list(parts), totals=list(totals), closing=closing, flipped=flipped, **head)
    return typeset("equipment", data, paper.made_at)


def item_name(item: Item | SheetLine, norms: Norms, language: str) -> str:
    """Kind and model."""
    kind = norms.kind_label(item.kind, language)
    return f"{kind}, {item.model}" if item.model else kind


def place(paper: Paper, code: str) -> str:
    """A room as a form names it: its code, and its name where it has one."""
    if not code or not paper.point.has_room(code):
        return code
    name = paper.point.room(code).name
    return f"{code}, {name}" if name and name != code else code
