"""The access log and the cabinet log as forms and as tables, made when they are asked for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from typing import TypeVar

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from exam_kit.errors import UsageError, m
from exam_kit.forms import access_log_pdf
from exam_kit.forms.cabinet_log import cabinet_log_pdf, cabinet_log_table
from exam_kit.forms.exports import access_log_table, as_csv
from exam_kit.forms.spreadsheet import as_xlsx
from exam_kit.i18n import N_, translate
from exam_kit.journal.access_log import AccessLog
from exam_kit.journal.access_row import AccessRow
from exam_kit.journal.cabinet import CabinetLine
from exam_kit.journal.cabinet_log import CabinetLog
from exam_kit.journal.search import Asked, chosen
from exam_kit.store import Act
from exam_kit.web.desk import Desk, session_of, signed_in

__all__ = ["log_routes"]

Query = dict[str, str]
Line = TypeVar("Line", AccessRow, CabinetLine)
PDF, CSV = "application/pdf", "text/csv; charset=utf-8"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
MOST_PRINTED = 5_000
"""Lines of one printed log: some three hundred pages, which one machine sets in half a minute."""


def log_routes(desk: Desk) -> list[Route]:
    """`/papers/access-log.pdf` and its neighbours, in the reader's language; the query says which lines."""
    makers: dict[str, tuple[str, Callable[[Desk, Query, str], bytes]]] = {
        "access-log.pdf": (PDF, _access_pdf),
        "access-log.csv": (CSV, lambda desk, asked, language: as_csv(_access_table(desk, asked, language))),
        "access-log.xlsx": (XLSX, _access_xlsx),
        "cabinet-log.pdf": (PDF, _cabinet_pdf),
        "cabinet-log.csv": (CSV, lambda desk, asked, language: as_csv(_cabinet_table(desk, asked, language))),
        "cabinet-log.xlsx": (XLSX, _cabinet_xlsx),
    }

    def paper(name: str, kind: str, make: Callable[[Desk, Query, str], bytes]) -> Callable[[Request], object]:
        async def answer(request: Request) -> Response:
            signed_in(request, Act.VIEW)
            session = session_of(request.scope)
            language = session.language if session else "ru"
            content = await run_in_threadpool(make, desk, dict(request.query_params), language)
            shown = "inline" if kind == PDF else "attachment"
            headers = {"Content-Disposition": f'{shown}; filename="{name}"'}
            return Response(content, media_type=kind, headers=headers)

        return answer

    return [Route(f"/papers/{name}", paper(name, kind, make)) for name, (kind, make) in makers.items()]


def _access_pdf(desk: Desk, asked: Query, language: str) -> bytes:
    point, rows = desk.point(), _printable(_rows(desk, asked, language))
    day = _day(asked)
    return access_log_pdf(point, (point.day(day) or day) if day else None, rows, language, desk.ledger.signed_head())


def _access_table(desk: Desk, asked: Query, language: str) -> list[list[str]]:
    return access_log_table(desk.point(), _rows(desk, asked, language), language)


def _access_xlsx(desk: Desk, asked: Query, language: str) -> bytes:
    return as_xlsx(translate(N_("Access log"), language), _access_table(desk, asked, language))


def _cabinet_pdf(desk: Desk, asked: Query, language: str) -> bytes:
    point, day = desk.point(), _day(asked)
    lines = _printable(CabinetLog(desk.ledger, point).lines(day))
    return cabinet_log_pdf(point, (point.day(day) or day) if day else None, lines, language, desk.ledger.signed_head())


def _cabinet_table(desk: Desk, asked: Query, language: str) -> list[list[str]]:
    point = desk.point()
    return cabinet_log_table(point, CabinetLog(desk.ledger, point).lines(_day(asked)), language)


def _cabinet_xlsx(desk: Desk, asked: Query, language: str) -> bytes:
    return as_xlsx(translate(N_("Cabinet log (PAK)"), language), _cabinet_table(desk, asked, language))


def _rows(desk: Desk, asked: Query, language: str) -> Sequence[AccessRow]:
    log, day = AccessLog(desk.ledger, desk.point()), _day(asked)
    if day is not None:
        return log.rows(day)
    try:
        return chosen(log.book(), Asked.of_query(asked, language))
    except ValueError:
        raise _not_there() from None


def _printable(lines: Sequence[Line]) -> Sequence[Line]:
    if len(lines) > MOST_PRINTED:
        raise UsageError(
            m(
                "Log: {count} lines are too many for paper, {most} fit. Choose fewer days, or take them as a table.",
                count=len(lines),
                most=MOST_PRINTED,
            )
        )
    return lines


def _day(asked: Query) -> date | None:
    try:
        return date.fromisoformat(asked["day"]) if asked.get("day") else None
    except ValueError:
        raise _not_there() from None


def _not_there() -> UsageError:
    return UsageError(m("Document: there is no such document. Go back and choose it from the list."))
