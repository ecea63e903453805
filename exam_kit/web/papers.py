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
from exam_kit.archive.act_read import act_from
from exam_kit.archive.delivered import delivery_of
from exam_kit.archive.kept_papers import kept_act, kept_coverage
from exam_kit.checks.results import get_run, told
from exam_kit.errors import UsageError, m
from exam_kit.forms import access_log_pdf, check_protocol_pdf, incident_pdf, room_calls_pdf
from exam_kit.forms.room_calls import room_calls_csv
from exam_kit.journal.access_log import AccessLog
from exam_kit.journal.categories import load_categories
from exam_kit.journal.person import person_of
from exam_kit.journal.incident_files import states_of
from exam_kit.journal.incidents import Incidents
from exam_kit.journal.room_call import RoomCalls
from exam_kit.store import Act
from exam_kit.web.desk import Desk, row_number, session_of, signed_in
from exam_kit.web.evidence import evidence_routes
from exam_kit.web.people_papers import people_routes

__all__ = ["paper_routes"]

Asked = dict[str, str]


def paper_routes(desk: Desk) -> list[Route]:
    """`/papers/<form>.pdf` and `/papers/<table>.csv`, in the reader's language, what is meant is in the query; and what
    was added to answers."""
    makers: dict[str, Callable[[Desk, Asked, str], bytes]] = {
        "access-log": _access_log,
        "incident": _incident,
        "room-calls": _room_calls,
        "protocol": _protocol,
        "act": _act,
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
    return [*forms, *people_routes(desk), *evidence_routes(desk)]


def _access_log(desk: Desk, asked: Asked, language: str) -> bytes:
    point, day = desk.point(), _date(asked)
    rows = AccessLog(desk.ledger, point).rows(day)
    return access_log_pdf(point, (point.day(day) or day) if day else None, rows, language, desk.ledger.signed_head())


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


def _act(desk: Desk, asked: Asked, language: str) -> bytes:
    """The act as it was sealed, which belongs to the bag; with ``received`` a fresh print with the region's mark."""
    order = orders.get(desk.store, _number(asked, "order"))
    if order is None or order.kind != "archive":
        raise _not_there()
    copies = [order.result, *order.result.get("copies", [])]
    wanted = row_number(asked.get("copy", "")) or order.result.get("copy")
    found = next((one for one in copies if one.get("bag") and one.get("copy") == wanted), order.result)
    bag, job = str(found.get("bag") or ""), str(found.get("job", ""))
    if asked.get("received"):
        return _received_act(desk, job, str(found.get("bag_hash", "")), language)
    lies = Path(bag) / "data" / "documents" / "act.pdf" if bag else None
    act = kept_act(desk.home, job) or lies
    if act is None or not act.is_file():
        raise _not_there()
    return act.read_bytes()


def _received_act(desk: Desk, job: str, bag_hash: str, language: str) -> bytes:
    said, delivery = kept_coverage(desk.home, job), delivery_of(desk.ledger, bag_hash)
    if said is None or delivery is None:
        raise _not_there()
    point, act = desk.point(), act_from(said)
    people = {account.login: person_of(account) for account in desk.accounts.all()}
    return handover_act_pdf(
        point, point.day(act.exam_date), act, language, desk.ledger.signed_head(), people=people,
        made_at=desk.ledger.clock.now(), delivery=delivery,
    )  # fmt: skip


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
