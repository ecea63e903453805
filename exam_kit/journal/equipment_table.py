"""A list from a spreadsheet, CSV or XLSX, as rows of texts: whatever somebody sends, rows or one plain refusal."""

from __future__ import annotations

import csv
import io
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from xml.etree.ElementTree import ParseError

import openpyxl
from openpyxl.utils.exceptions import InvalidFileException

from exam_kit.errors import Message, UsageError, m

__all__ = ["MOST_BYTES", "MOST_ROWS", "TableRow", "read_table"]

MOST_BYTES = 8_000_000
MOST_UNPACKED_BYTES = 30_000_000
MOST_ROWS = 10_000
MOST_COLUMNS = 100

# What openpyxl raises on files that are no workbooks, or damaged ones: it checks little before it reads.
_UNREADABLE = (
    zipfile.BadZipFile,
    zlib.error,
    InvalidFileException,
    ParseError,
    LookupError,
    ArithmeticError,
    ValueError,
    TypeError,
    AttributeError,
    NotImplementedError,
    RuntimeError,
    EOFError,
    OSError,
)


@dataclass(frozen=True)
class TableRow:
    """A row of a list: its number as the spreadsheet shows it, and its cells without spaces around them."""

    number: int
    cells: tuple[str, ...]


def read_table(name: str, content: bytes) -> list[TableRow]:
    """The rows of the first sheet that are not empty. `name` is only told; the content says what it is.

    CSV: UTF-8 (with or without BOM) or Windows-1251, separated by semicolons, commas or tabs.

    Raises:
        UsageError: it is neither, or too large.
    """
    if len(content) > MOST_BYTES:
        raise _refused(name, m("it is larger than {limit} MB", limit=MOST_BYTES // 1_000_000))
    if content.startswith(b"PK"):
        rows = list(_xlsx(name, content))
    elif content.startswith(b"\xd0\xcf\x11\xe0"):
        raise _refused(name, m("it is an XLS file of old Excel, or protected with a password"))
    else:
        rows = list(_csv(name, content))
    return [row for row in rows if any(row.cells)]


def _refused(name: str, reason: Message) -> UsageError:
    return UsageError(
        m(
            "{name}: cannot be read as a list: {reason}. Save it as XLSX or as CSV (UTF-8) and choose it again.",
            name=name,
            reason=reason,
        )
    )


def _csv(name: str, content: bytes) -> Iterator[TableRow]:
    text = _decoded(name, content)
    first = text.lstrip("\r\n").partition("\n")[0]
    delimiter = max(";\t,", key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        for count, row in enumerate(reader, 1):
            _bounded(name, count, len(row))
            yield TableRow(count, tuple(_unguarded(cell.strip()) for cell in row))
    except csv.Error as problem:
        reason = m("row {row}: a quotation mark stands in the wrong place", row=reader.line_num)
        raise _refused(name, reason) from problem


def _decoded(name: str, content: bytes) -> str:
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        encodings: tuple[str, ...] = ("utf-16",)
    else:
        encodings = ("utf-8-sig", "cp1251")  # in this order: nearly every byte means something in Windows-1251
    for encoding in encodings:
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            return text
    raise _refused(name, m("it is not a text"))


def _unguarded(cell: str) -> str:
    """Without the apostrophe that our own export puts before what a spreadsheet would take for a formula."""
    return cell[1:] if len(cell) > 1 and cell[0] == "'" and cell[1] in "=+-@" else cell


def _xlsx(name: str, content: bytes) -> Iterator[TableRow]:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as parts:
            unpacked = sum(part.file_size for part in parts.infolist())
        if unpacked > MOST_UNPACKED_BYTES:
            raise _refused(name, m("it is larger than {limit} MB", limit=MOST_UNPACKED_BYTES // 1_000_000))
        book = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=True)
        sheet = book.worksheets[0]
        for count, row in enumerate(sheet.iter_rows(values_only=True), 1):
            _bounded(name, count, len(row))
            yield TableRow(count, tuple(_text(value) for value in row))
    except _UNREADABLE as problem:
        raise _refused(name, m("it is no workbook, or a damaged one")) from problem


def _bounded(name: str, row: int, columns: int) -> None:
    if row > MOST_ROWS or columns > MOST_COLUMNS:
        raise _refused(
            name, m("it has more than {rows} rows or {columns} columns", rows=MOST_ROWS, columns=MOST_COLUMNS)
        )


def _text(value: object) -> str:
    """A cell as a person reads it: whole numbers without a point, dates as dates."""
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time().isoformat() == "00:00:00" else value.isoformat(" ")
    return str(value).strip()
