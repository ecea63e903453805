"""The forms as PDF, made when they are asked for, from what stands in the store at that moment."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from exam_kit.agent import orders
from exam_kit.checks.results import get_run, told
from exam_kit.errors import UsageError, m
from exam_kit.forms import access_log_pdf, check_protocol_pdf, incident_pdf
from exam_kit.journal.access_log import AccessLog
from exam_kit.journal.categories import load_categories
from exam_kit.journal.incidents import Incidents
from exam_kit.store import Act
from exam_kit.web.desk import Desk, row_number, session_of, signed_in
from exam_kit.web.evidence import evidence_routes

__all__ = ["paper_routes"]

Asked = dict[str, str]


def paper_routes(desk: Desk) -> list[Route]:
    """`/papers/<form>.pdf`, in the reader's language, what is meant is in the query; and what was added to answers."""
    makers: dict[str, Callable[[Desk, Asked, str], bytes]] = {
        "access-log": _access_log,
        "incident": _incident,
        "protocol": _protocol,
        "act": _act,
    }

    def paper(make: Callable[[Desk, Asked, str], bytes]) -> Callable[[Request], object]:
        async def answer(request: Request) -> Response:
            signed_in(request, Act.VIEW)
            session = session_of(request.scope)
            language = session.language if session else "ru"
            content = await run_in_threadpool(make, desk, dict(request.query_params), language)
            return Response(content, media_type="application/pdf", headers={"Content-Disposition": "inline"})

        return answer

    forms = [Route(f"/papers/{name}.pdf", paper(make)) for name, make in makers.items()]
    return [*forms, *evidence_routes(desk)]


def _access_log(desk: Desk, asked: Asked, language: str) -> bytes:
    point, day = desk.point(), _date(asked)
    rows = AccessLog(desk.ledger, point).rows(day)
    return access_log_pdf(point, (point.day(day) or day) if day else None, rows, language, desk.ledger.signed_head())


def _incident(desk: Desk, asked: Asked, language: str) -> bytes:
    point, categories = desk.point(), load_categories(desk.home)
    sheet = Incidents(desk.ledger, point, categories=categories).get(_number(asked, "number"), _number(asked, "year"))
    return incident_pdf(point, sheet, language, desk.ledger.signed_head(), categories=categories)


def _protocol(desk: Desk, asked: Asked, language: str) -> bytes:
    try:
        run = get_run(desk.store, asked.get("run", ""))
    except KeyError:
        raise _not_there() from None
    point = desk.point()
    day = point.day(date.fromisoformat(run.day)) if run.day else None
    return check_protocol_pdf(point, day, told(desk.store, run), language, desk.ledger.signed_head())


def _act(desk: Desk, asked: Asked, _language: str) -> bytes:
    """The act as it was sealed: it belongs to the bag and is not made anew."""
    order = orders.get(desk.store, _number(asked, "order"))
    if order is None or order.kind != "archive":
        raise _not_there()
    copies = [order.result, *order.result.get("copies", [])]
    wanted = row_number(asked.get("copy", "")) or order.result.get("copy")
    bag = next((one["bag"] for one in copies if one.get("bag") and one.get("copy") == wanted), order.result.get("bag"))
    act = Path(bag) / "data" / "documents" / "act.pdf" if bag else None
    if act is None or not act.is_file():
        raise _not_there()
    return act.read_bytes()


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
