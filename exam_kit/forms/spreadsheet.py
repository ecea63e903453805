"""Rows of text as an XLSX sheet: what a person wrote is text there, never a formula and never a link."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence

import xlsxwriter

__all__ = ["as_xlsx"]

WIDEST = 60
"""Characters; longer cells are cut in the view, not in the file."""


def as_xlsx(name: str, rows: Iterable[Sequence[str]]) -> bytes:
    """One sheet; the first of `rows` are the titles, which stay in sight and carry a filter."""
    target = io.BytesIO()
    options = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False, "in_memory": True}
    with xlsxwriter.Workbook(target, options) as book:
        heads = book.add_format({"bold": True, "bg_color": "#E8EDF4", "border": 1, "text_wrap": True})
        sheet = book.add_worksheet(name[:31])
        wide: list[int] = []
        last = 0
        for number, row in enumerate(rows):
            if number == 0:
                wide = [min(WIDEST, len(cell)) for cell in row]
            for place, cell in enumerate(row):
                sheet.write_string(number, place, cell, heads if number == 0 else None)
                wide[place] = max(wide[place], min(WIDEST, len(cell)))
            last = number
        for place, width in enumerate(wide):
            sheet.set_column(place, place, width + 2)
        sheet.freeze_panes(1, 0)
        sheet.autofilter(0, 0, max(1, last), max(0, len(wide) - 1))
    return target.getvalue()
