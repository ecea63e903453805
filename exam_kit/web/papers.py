"""The forms as PDF, made when they are asked for, from what stands in the store at that moment."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from exam_kit.checks.results import get_run, told
from exam_kit.errors import UsageError, m
from exam_kit.forms import check_protocol_pdf, incident_pdf, room_calls_pdf
from exam_kit.forms.room_calls import room_calls_csv
from exam_kit.journal.categories import load_categories
from exam_kit.journal.incident_files import states_of
from exam_kit.journal.incidents import Incidents
from exam_kit.journal.room_call import RoomCalls
from exam_kit.store import Act
from exam_kit.web.act_paper import act_paper
from exam_kit.web.desk import Desk, row_number, session_of, signed_in
from exam_kit.web.equipment_papers import equipment_routes
from exam_kit.web.evidence import evidence_routes
from exam_kit.web.log_papers import log_routes
from exam_kit.web.people_papers import people_routes

__all__ = ["paper_routes"]

Asked = dict[str, str]


def paper_routes(desk: Desk) -> list[Route]:
    """`/papers/<form>.pdf` and `/papers/<table>.csv`, in the reader's language, what is meant is in the query; and what
    was added to answers."""
    makers: dict[str, Callable[[Desk, Asked, str], bytes]] = {
        "incident": _incident,
        "room-calls": _room_calls,
        "protocol": _protocol,
        "act": act_paper,
    }

    tables: dict[str, Callable[[Desk, Asked, str], bytes]] = {"room-calls": _room_calls_table}

    def paper(
        make: Callable[[Desk, Asked, str], bytes], media: str = "application/pdf", shown: str = "inline"
    ) -> Callable[[Request], object]:
        async def answer(request: Request) -> Response:
            signed_in(request, Act.VIEW)
            session = session_of(request.scope)
            language = session.language if session else "ru"
            content = await run_in_threadpool(make, desk, dict(request.query_params), language)
            return Response(content, media_type=media, headers={"Content-Disposition": shown})

        return answer

    forms = [Route(f"/papers/{name}.pdf", paper(make)) for name, make in makers.items()]
    forms += [
        Route(f"/papers/{name}.csv", paper(make, "text/csv; charset=utf-8", f'attachment; filename="{name}.csv"'))
        for name, make in tables.items()
    ]
    return [*forms, *log_routes(desk), *people_routes(desk), *equipment_routes(desk), *evidence_routes(desk)]


def _incident(desk: Desk, asked: Asked, language: str) -> bytes:
    point, categories = desk.point(), load_categories(desk.home)
    sheet = Incidents(desk.ledger, point, categories=categories).get(_number(asked, "number"), _number(asked, "year"))
    found = states_of(desk.home, sheet.files)
    return incident_pdf(point, sheet, language, desk.ledger.signed_head(), categories=categories, found=found)


def _room_calls(desk: Desk, asked: Asked, language: str) -> bytes:
    point, day = desk.point(), _date(asked)
    calls = RoomCalls(desk.ledger, point).all(day)
    return room_calls_pdf(point, (point.day(day) or day) if day else None, calls, language, desk.ledger.signed_head())


def _room_calls_table(desk: Desk, asked: Asked, language: str) -> bytes:
    return room_calls_csv(desk.point(), RoomCalls(desk.ledger, desk.point()).all(_date(asked)), language)


def _protocol(desk: Desk, asked: Asked, language: str) -> bytes:
    try:
        run = get_run(desk.store, asked.get("run", ""))
    except KeyError:
        raise _not_there() from None
    point = desk.point()
    day = point.day(date.fromisoformat(run.day)) if run.day else None
    return check_protocol_pdf(point, day, told(desk.store, run), language, desk.ledger.signed_head())


def _date(asked: Asked) -> date | None:
    try:
        return date.fromisoformat(asked["day"]) if asked.get("day") else None
    except ValueError:
        raise _not_there() from None


def _number(asked: Asked, name: str) -> int:
    number = row_number(asked.get(name, ""))
    if number is None:
        raise _not_there()
    return number


def _not_there() -> UsageError:
    return UsageError(m("Document: there is no such document. Go back and choose it from the list."))
