"""The register of equipment as CSV and XLSX, and the template to fill in; either can be taken in again."""

from __future__ import annotations

import io
from collections.abc import Sequence

import xlsxwriter

from exam_kit.forms.exports import as_csv
from exam_kit.i18n import N_, translate
from exam_kit.journal.equipment_item import FIELD_LABELS, FIELDS, STATE_LABELS, Item, ItemState, number_key
from exam_kit.journal.equipment_norms import Norms
from exam_kit.point import Point

__all__ = ["equipment_csv", "equipment_xlsx", "template_csv", "template_xlsx"]

WIDTHS = {"inventory": 18, "serial": 18, "kind": 24, "model": 28, "room": 10, "licence": 24, "state": 14, "linked": 18}
REMARK_WIDTH = 40
CHOSEN_ROWS = 2000
"""So many rows of the template offer their kinds, places and states for choice."""


def equipment_csv(items: Sequence[Item], norms: Norms, language: str) -> bytes:
    """All items, in the order of their numbers, and who has them."""
    return as_csv([_heads(language, held=True), *_rows(items, norms, language)])


def equipment_xlsx(point: Point, items: Sequence[Item], norms: Norms, language: str) -> bytes:
    """The same as a workbook."""
    return _workbook(point, norms, language, _rows(items, norms, language), held=True)


def template_csv(language: str) -> bytes:
    """The columns and nothing under them."""
    return as_csv([_heads(language, held=False)])


def template_xlsx(point: Point, norms: Norms, language: str) -> bytes:
    """The columns, with the point's places, the kinds and the states to choose from."""
    return _workbook(point, norms, language, [], held=False)


def _heads(language: str, *, held: bool) -> list[str]:
    return [
        *(translate(label, language) for label in FIELD_LABELS.values()),
        *([translate(N_("Who has it"), language)] * held),
    ]


def _rows(items: Sequence[Item], norms: Norms, language: str) -> list[list[str]]:
    rows = []
    for item in sorted(items, key=lambda one: number_key(one.inventory)):
        cells = {
            **item.fields(),
            "kind": norms.kind_label(item.kind, language),
            "state": translate(STATE_LABELS[item.state], language),
        }
        rows.append([*(cells[name] for name in FIELDS), item.holder.name if item.holder else ""])
    return rows


def _workbook(point: Point, norms: Norms, language: str, rows: Sequence[Sequence[str]], *, held: bool) -> bytes:
    target = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    book = xlsxwriter.Workbook(target, options)
    # All cells are text: a spreadsheet would take the zeros off 0001 and turn long numbers into powers of ten.
    text = book.add_format({"num_format": "@", "text_wrap": True, "valign": "top"})
    bold = book.add_format({"bold": True, "bg_color": "#E9EEF5", "border": 1, "text_wrap": True, "valign": "top"})
    sheet = book.add_worksheet(translate(N_("Equipment"), language))
    for column, head in enumerate(_heads(language, held=held)):
        name = FIELDS[column] if column < len(FIELDS) else ""
        sheet.set_column(column, column, WIDTHS.get(name, REMARK_WIDTH), text)
        sheet.write_string(0, column, head, bold)
    for number, row in enumerate(rows, 1):
        for column, cell in enumerate(row):
            sheet.write_string(number, column, cell, text)
    sheet.freeze_panes(1, 1)
    sheet.autofilter(0, 0, max(1, len(rows)), len(_heads(language, held=held)) - 1)
    sheet.set_landscape()
    sheet.set_paper(9)
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(0)
    lists = book.add_worksheet(translate(N_("Lists"), language))
    choices = {
        "kind": [kind.label.text(language) for kind in norms.kind],
        "room": [room.code for room in point.rooms],
        "state": [translate(STATE_LABELS[state], language) for state in ItemState],
        "linked": [*(station.id for station in point.stations), *(camera.id for camera in point.cameras)],
    }
    for column, (name, values) in enumerate(choices.items()):
        lists.set_column(column, column, 30, text)
        lists.write_string(0, column, translate(FIELD_LABELS[name], language), bold)
        for number, value in enumerate(values, 1):
            lists.write_string(number, column, value, text)
        if values:
            letter = "ABCD"[column]
            source = f"='{lists.get_name()}'!${letter}$2:${letter}${len(values) + 1}"
            at = FIELDS.index(name)
            # Told, not forced: what is taken in is checked anyway, and a name in another language is as good.
            sheet.data_validation(
                1, at, CHOSEN_ROWS, at, {"validate": "list", "source": source, "error_type": "information",
                                         "show_error": False}
            )  # fmt: skip
    book.close()
    return target.getvalue()
