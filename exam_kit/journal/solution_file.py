"""The file in which solutions go from point to point: one JSON, canonical, read with suspicion.

It is not signed: a solution is advice, and whoever takes it over reads it first. What is checked is that every solution
is whole (its hash), that nothing in the file is of another shape than described here, and that it is not too much.

::

    {"format": "exam-kit solutions", "version": 1, "point": "77-0001", "as_of": "2026-05-28T14:02:11.000Z",
     "solutions": [{"id", "revision", "written", "category", "texts", "hash", "withdrawn"}],
     "counts": [{"id", "from", "as_of", "tallies": {category: [helped, not helped]}}]}
"""

from __future__ import annotations

import datetime as dt
import json
import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NoReturn, TypeVar

import rfc8785

from exam_kit.clock import from_iso, iso
from exam_kit.errors import ExamKitError, Message, RefusedEntry, m
from exam_kit.i18n import LANGUAGES
from exam_kit.journal.solution import BASE, Shelf, Solution, Tally, Told
from exam_kit.journal.solution_content import CATEGORY, Content, Wording

__all__ = ["MOST_BYTES", "MOST_SOLUTIONS", "Count", "Incoming", "SolutionFile", "read_file", "written_file"]

FORMAT, VERSION = "exam-kit solutions", 1
MOST_BYTES = 16 * 1024 * 1024
MOST_SOLUTIONS = 5000
MOST_COUNTS = 50_000
MOST_HELPED = 1_000_000
MOST_TOLD = 20
"""How many mistakes of a file are named one by one."""

POINT = re.compile(r"\d{2}-\d{4}", re.ASCII)
NAME = re.compile(r"(\d{2}-\d{4})/20\d{2}/[1-9]\d{0,5}", re.ASCII)
SHIPPED_NAME = re.compile(rf"{BASE}/[a-z_]{{2,40}}")
HASH = re.compile(r"[0-9a-f]{64}")

Row = TypeVar("Row")


@dataclass(frozen=True)
class Incoming:
    """A solution of a file. `withdrawn` is why its point took it back; empty while it stands."""

    id: str
    revision: int
    written: dt.date
    content: Content
    withdrawn: str = ""

    @property
    def origin(self) -> str:
        return self.id.partition("/")[0]


@dataclass(frozen=True)
class Count:
    """What the point `of` counted of the solution `id`."""

    id: str
    of: str
    told: Told


@dataclass(frozen=True)
class SolutionFile:
    """A file that was read whole: nothing in it is of a wrong shape."""

    point: str
    as_of: datetime
    solutions: tuple[Incoming, ...]
    counts: tuple[Count, ...]


class _Fault(Exception):
    """What is wrong with one part; never seen outside this module."""

    def __init__(self, reason: Message) -> None:
        super().__init__(str(reason))
        self.reason = reason


def written_file(shelf: Shelf, point: str, as_of: datetime) -> bytes:
    """All but the shipped solutions, and what was counted here and elsewhere; RFC 8785, so that equal is equal bytes.

    No person is named in it, nor the incident a solution comes from. Another point's solution that was withdrawn only
    here is left out: that is for its own point to say.
    """
    solutions = [one for _name, one in sorted(shelf.solutions.items()) if _travels(one, point)]
    document = {
        "format": FORMAT,
        "version": VERSION,
        "point": point,
        "as_of": iso(as_of),
        "solutions": [_solution_row(one) for one in solutions if not one.shipped],
        "counts": [row for one in solutions for row in _count_rows(one, point, shelf.counted)],
    }
    return rfc8785.dumps(document)  # type: ignore[arg-type]


def _travels(one: Solution, point: str) -> bool:
    return one.origin == point or not one.withdrawn or one.history[-1].kind == "taken"


def _solution_row(one: Solution) -> dict[str, Any]:
    return {
        "id": one.id,
        "revision": one.revision,
        "written": str(one.written),
        **one.content.as_dict(),
        "hash": one.content.hash,
        "withdrawn": (one.why_withdrawn or "—") if one.withdrawn else "",
    }


def _count_rows(one: Solution, point: str, counted: datetime | None) -> list[dict[str, Any]]:
    told = dict(one.elsewhere)
    if one.verdicts and counted is not None:
        codes = {verdict.category for verdict in one.verdicts.values()}
        told[point] = Told(counted, {code: one.own_tally(code) for code in codes})
    return [
        {"id": one.id, "from": of, "as_of": iso(said.as_of), "tallies": {c: list(t) for c, t in said.tallies.items()}}
        for of, said in sorted(told.items())
    ]


def read_file(raw: bytes, name: str) -> SolutionFile:
    """What the file says, all of it.

    Raises:
        RefusedEntry: it is too large, no such file, of a later version; or parts of it are spoilt, each named.
    """
    document = _document(raw, name)
    faults: list[Message] = []
    solutions = _all(document["solutions"], _incoming, "solutions", MOST_SOLUTIONS, faults)
    counts = _all(document["counts"], _count, "counts", MOST_COUNTS, faults)
    known = Counter(one.id for one in solutions)
    faults += [
        m("  {name}: stands in the file more than once", name=name) for name, times in known.items() if times > 1
    ]
    faults += [
        m("  {name}: counted, but not in the file", name=one.id)
        for one in counts
        if one.id not in known and not SHIPPED_NAME.fullmatch(one.id)
    ]
    if faults:
        more = [m("  and {count} more", count=len(faults) - MOST_TOLD)] if len(faults) > MOST_TOLD else []
        raise RefusedEntry(
            m("{name}: mistakes in the file: {count}. Nothing was taken over; have it exported again:",
              name=name, count=len(faults)),
            [*faults[:MOST_TOLD], *more],
        )  # fmt: skip
    return SolutionFile(document["point"], document["as_of"], tuple(solutions), tuple(counts))


def _document(raw: bytes, name: str) -> dict[str, Any]:
    if len(raw) > MOST_BYTES:
        raise RefusedEntry(
            m("{name}: {size} bytes, at most {limit} are read. It is not an export of one point's solutions.",
              name=name, size=len(raw), limit=MOST_BYTES)
        )  # fmt: skip
    try:
        document = json.loads(raw.decode("utf-8-sig"), object_pairs_hook=_no_key_twice, parse_constant=_no_such_number)
        if not isinstance(document, dict) or document.get("format") != FORMAT:
            raise ValueError("another format")
    except (ValueError, RecursionError) as problem:
        raise RefusedEntry(
            m("{name}: is not a file of solutions ({reason}). Choose one that 'solutions export' made.",
              name=name, reason=str(problem)[:120])
        ) from problem  # fmt: skip
    if document.get("version") != VERSION:
        raise RefusedEntry(
            m("{name}: is of version {version}, this kit reads version {known}. Use a newer Exam Kit.",
              name=name, version=_said(document.get("version")), known=VERSION)
        )  # fmt: skip
    try:
        _keys(document, {"format", "version", "point", "as_of", "solutions", "counts"})
        point = _text(document["point"], POINT)
        return {**document, "point": point, "as_of": _moment(document["as_of"])}
    except _Fault as fault:
        raise RefusedEntry(
            m("{name}: is not a file of solutions ({reason}). Choose one that 'solutions export' made.",
              name=name, reason=fault.reason)
        ) from fault  # fmt: skip


def _no_key_twice(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key stands twice in one object")
    return found


def _no_such_number(text: str) -> NoReturn:
    raise ValueError(f"{text} is not a number")


def _all(rows: object, read: Callable[[object], Row], what: str, most: int, faults: list[Message]) -> list[Row]:
    """Every row read by `read`; what cannot be read is added to `faults`, by its number and, where it has one, id."""
    if not isinstance(rows, list) or len(rows) > most:
        faults.append(m("  {what}: is not a list of at most {limit}", what=what, limit=most))
        return []
    found = []
    for number, row in enumerate(rows, 1):
        try:
            found.append(read(row))
        except _Fault as fault:
            name = row.get("id") if isinstance(row, dict) else None
            where = _said(name) if isinstance(name, str) else ""
            faults.append(
                m("  {what} {number} {name}: {reason}", what=what, number=number, name=where, reason=fault.reason)
            )
    return found


def _incoming(row: object) -> Incoming:
    fields = _keys(row, {"id", "revision", "written", "category", "texts", "hash", "withdrawn"})
    name = _text(fields["id"], NAME)
    content = _content(fields["category"], fields["texts"])
    if _text(fields["hash"], HASH) != content.hash:
        raise _Fault(m("its text is not the one it was written with: the hash differs"))
    try:
        written = dt.date.fromisoformat(_text(fields["written"]))
    except ValueError as problem:
        raise _Fault(m("'{value}' is not a date", value=_said(fields["written"]))) from problem
    revision = _number(fields["revision"], 1, 100_000)
    return Incoming(name, revision, written, content, _text(fields["withdrawn"], most=4000))


def _content(category: object, texts: object) -> Content:
    if not isinstance(texts, dict):
        raise _Fault(m("'{value}' has another shape than it should", value="texts"))
    found = {}
    for language, text in texts.items():
        if language not in LANGUAGES:
            raise _Fault(m("'{value}' is not a language of the kit", value=_said(language)))
        fields = _keys(text, {"symptom", "cause", "steps"})
        if not isinstance(fields["steps"], list):
            raise _Fault(m("'{value}' has another shape than it should", value="steps"))
        steps = tuple(_text(step) for step in fields["steps"])
        found[language] = Wording(_text(fields["symptom"]), _text(fields["cause"]), steps)
    content = Content(_text(category, CATEGORY), found)
    try:
        clean = content.cleaned()
    except ExamKitError as problem:
        raise _Fault(problem.message) from problem
    if clean.as_dict() != content.as_dict():
        raise _Fault(m("its text holds characters the kit does not write"))
    return content


def _count(row: object) -> Count:
    fields = _keys(row, {"id", "from", "as_of", "tallies"})
    name = _text(fields["id"])
    if not (NAME.fullmatch(name) or SHIPPED_NAME.fullmatch(name)):
        raise _Fault(m("'{value}' has another shape than it should", value=_said(name)))
    if not isinstance(fields["tallies"], dict) or len(fields["tallies"]) > 100:
        raise _Fault(m("'{value}' has another shape than it should", value="tallies"))
    tallies = {_text(code, CATEGORY): _tally(counts) for code, counts in fields["tallies"].items()}
    return Count(name, _text(fields["from"], POINT), Told(_moment(fields["as_of"]), tallies))


def _tally(counts: object) -> Tally:
    if not isinstance(counts, list) or len(counts) != 2:
        raise _Fault(m("'{value}' has another shape than it should", value="tallies"))
    return Tally(*(_number(one, 0, MOST_HELPED) for one in counts))


def _keys(row: object, names: set[str]) -> Mapping[str, Any]:
    if not isinstance(row, dict) or set(row) != names:
        raise _Fault(m("it must have exactly these fields: {names}", names=", ".join(sorted(names))))
    return row


def _text(value: object, pattern: re.Pattern[str] | None = None, most: int = 4000) -> str:
    if not isinstance(value, str) or len(value) > most or (pattern is not None and not pattern.fullmatch(value)):
        raise _Fault(m("'{value}' has another shape than it should", value=_said(value)))
    return value


def _number(value: object, least: int, most: int) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise _Fault(m("'{value}' is not a number from {least} to {most}", value=_said(value), least=least, most=most))
    return value


def _moment(value: object) -> datetime:
    text = _text(value, most=40)
    try:
        moment = from_iso(text)
    except (ValueError, OverflowError) as problem:
        raise _Fault(m("'{value}' is not a moment", value=_said(text))) from problem
    return moment


def _said(value: object) -> str:
    """The beginning of something strange, fit to be shown: broken characters would break the screen as well."""
    return str(value)[:40].encode("utf-8", "replace").decode()
