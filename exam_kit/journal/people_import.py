"""People out of a table: every bad row is named, and nothing is half taken."""

from __future__ import annotations

import csv
import datetime as dt
import io
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from exam_kit.errors import Message, RefusedEntry, m
from exam_kit.i18n import LANGUAGES, N_, translate
from exam_kit.journal.people import People, PersonDraft
from exam_kit.journal.people_profile import POINT_ROLES, PeopleProfile
from exam_kit.store.accounts import Account
from exam_kit.store.rights import ROLE_LABELS, Role

__all__ = ["COLUMNS", "GIVEN_BY", "OTHER_COLUMNS", "VALID_UNTIL", "Row", "parse_date", "read_people", "take_people"]

COLUMNS = {
    "name": N_("Full name"),
    "post": N_("Post"),
    "role": N_("Role"),
    "login": N_("Account"),
    "order": N_("Appointment order №"),
    "date": N_("Appointment order date"),
    "agreed": N_("Agreed with"),
}
OTHER_COLUMNS = {
    "number": N_("№"),
    "dismissal_order": N_("Dismissal order №"),
    "dismissal_date": N_("Dismissal order date"),
    "received": N_("Copy received"),
    "state": N_("State"),
}
"""What the export writes besides; an import leaves it out, because it is entered by order or by the person alone."""
GIVEN_BY = N_("{briefing}: given by")
VALID_UNTIL = N_("{briefing}: valid until")

MOST_BYTES, MOST_ROWS = 1_000_000, 500
"""More than any point has people; all are entered in one go, and nobody else can write meanwhile."""
_YEAR = r"(19\d\d|2[01]\d\d)"  # of other ones the calendar's ends come too near: no moment can be reckoned there
_DAY = re.compile(rf"(\d{{1,2}})[./](\d{{1,2}})[./]{_YEAR}|{_YEAR}-(\d{{1,2}})-(\d{{1,2}})", re.ASCII)


@dataclass(frozen=True)
class Row:
    """One line of the table, `line` counted from 1 with the head. `briefings`: code → day, by whom, until."""

    line: int
    person: PersonDraft
    order: str
    date: dt.date | None
    agreed: str
    briefings: Mapping[str, tuple[dt.date, str, dt.date | None]]


def parse_date(text: str) -> dt.date:
    """28.05.2026, 28/05/2026 or 2026-05-28.

    Raises:
        RefusedEntry: it is not a date.
    """
    found = _DAY.fullmatch(text.strip())
    if found:
        day, month, year = (found[1], found[2], found[3]) if found[1] else (found[6], found[5], found[4])
        try:
            return dt.date(int(year), int(month), int(day))
        except ValueError:
            pass  # no such day in the calendar: said below
    raise RefusedEntry(m("Date: '{text}' is not a date. Write day, month and year: 28.05.2026.", text=text.strip()))


def read_people(content: bytes, profile: PeopleProfile) -> list[Row]:
    """The rows of a CSV file (UTF-8, semicolons or commas) whose head names the columns in any of our languages.

    Raises:
        RefusedEntry: it cannot be read; `details` names every bad row.
    """
    table = _table(content)
    keys = _head(table[0], profile)
    rows, bad = [], []
    for line, cells in enumerate(table[1:], 2):
        values = {key: _plain(cell) for key, cell in zip(keys, cells, strict=False)}
        if not any(values.values()):
            continue
        try:
            if len(cells) > len(keys):
                raise RefusedEntry(m("it has more cells than the head. Put texts with separators in quotes."))
            rows.append(_row(line, values, profile))
        except RefusedEntry as problem:
            bad.append(m("row {row}: {reason}", row=line, reason=problem.message))
    _refuse(bad)
    return rows


def take_people(people: People, rows: list[Row], actor: Account) -> int:
    """Enter all of them, or none; how many.

    Raises:
        RefusedEntry: at least one cannot be entered; `details` names every one.
        AccessDenied: `actor` does not keep the register.
    """
    bad = []
    with people.ledger.store.transaction():
        for row in rows:
            try:
                _take(people, row, actor)
            except RefusedEntry as problem:
                bad.append(m("row {row}: {reason}", row=row.line, reason=problem.message))
        _refuse(bad)  # leaves the transaction by an error: what was entered of the good rows is rolled back
    return len(rows)


def _take(people: People, row: Row, actor: Account) -> None:
    card = people.add(row.person, actor)
    if row.date is not None:
        people.appoint(card.number, row.order, row.date, row.agreed, actor)
    for code, (day, given_by, until) in row.briefings.items():
        people.brief(card.number, code, day, given_by, actor, until=until)


def _refuse(bad: list[Message]) -> None:
    if bad:
        raise RefusedEntry(
            m("People: nothing was taken in, because rows are wrong: {count}. Correct them and choose the file again:",
              count=len(bad)),
            bad,
        )  # fmt: skip


def _table(content: bytes) -> list[list[str]]:
    if len(content) > MOST_BYTES:
        raise RefusedEntry(m("People: the file is larger than a list of people can be. Choose the right file."))
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        raise RefusedEntry(
            m("People: the file is not text in UTF-8. Save the table as 'CSV UTF-8' and choose it again.")
        ) from problem
    first = text.partition("\n")[0]
    separator = ";" if first.count(";") >= first.count(",") else ","
    try:
        table = list(csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True))
    except csv.Error as problem:
        raise RefusedEntry(
            m("People: the file is not a CSV table ({reason}). Save it anew from the spreadsheet.", reason=problem)
        ) from problem
    if not table or not any(cell.strip() for cell in table[0]):
        raise RefusedEntry(m("People: the file is empty. Choose a table whose first row names the columns."))
    if len(table) > MOST_ROWS:
        raise RefusedEntry(m("People: more than {count} rows. Choose the right file.", count=MOST_ROWS))
    return table


def _titles(profile: PeopleProfile) -> Iterator[tuple[str, str]]:
    """Every title a column may have, and what it stands for."""
    for key, title in {**COLUMNS, **OTHER_COLUMNS}.items():
        yield key, key
        for language in LANGUAGES:
            yield translate(title, language).casefold(), key
    for one in profile.briefing:
        yield one.code, one.code
        for language in LANGUAGES:
            label = one.label.text(language)
            yield label.casefold(), one.code
            yield translate(GIVEN_BY, language).format(briefing=label).casefold(), f"{one.code} by"
            yield translate(VALID_UNTIL, language).format(briefing=label).casefold(), f"{one.code} until"


def _head(cells: list[str], profile: PeopleProfile) -> list[str]:
    known = dict(_titles(profile))
    keys, bad = [], []
    for cell in cells:
        title = " ".join(_plain(cell).split()).casefold()
        key = known.get(title, "") if title else ""
        if (title and not key) or (key and key in keys):
            bad.append(m("column '{title}': not known or named twice. Rename it or take it out.", title=cell.strip()))
        keys.append(key)
    bad += [
        m("column '{title}' is missing. Add it.", title=m(COLUMNS[key])) for key in ("name", "role") if key not in keys
    ]
    if bad:
        raise RefusedEntry(m("People: the head of the table does not fit:"), bad)
    return keys


def _row(line: int, values: Mapping[str, str], profile: PeopleProfile) -> Row:
    person = PersonDraft(
        values.get("name", ""), _role(values.get("role", "")), values.get("post", ""), values.get("login", "")
    )
    order, day = values.get("order", ""), values.get("date", "")
    if bool(order) != bool(day):
        raise RefusedEntry(m("of the order of appointment only № or date is given. Give both or neither."))
    briefings = {}
    for one in profile.briefing:
        if given := values.get(one.code, ""):
            until = values.get(f"{one.code} until", "")
            briefings[one.code] = (
                parse_date(given),
                values.get(f"{one.code} by", ""),
                parse_date(until) if until else None,
            )
    return Row(line, person, order, parse_date(day) if day else None, values.get("agreed", ""), briefings)


def _role(text: str) -> Role:
    wanted = " ".join(text.split()).casefold()
    for role in POINT_ROLES:
        if wanted in (role.value, *(translate(ROLE_LABELS[role], language).casefold() for language in LANGUAGES)):
            return role
    raise RefusedEntry(
        m(
            "'{role}' is no role of a point. Write one of: {known}.",
            role=text,
            known=m("{one}, {two}, {three}", **dict(zip(("one", "two", "three"), _role_names(), strict=True))),
        )
    )


def _role_names() -> list[Message]:
    return [m(ROLE_LABELS[role]) for role in POINT_ROLES]


def _plain(cell: str) -> str:
    """The cell without the apostrophe that an export sets before what a spreadsheet would take for a formula."""
    cell = cell.strip()
    return cell[1:] if cell[:1] == "'" and cell[1:2] in ("=", "+", "-", "@") else cell
