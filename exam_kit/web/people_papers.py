"""The papers and tables of the register of people, made when they are asked for."""

from __future__ import annotations

from collections.abc import Callable

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from exam_kit.forms.briefings import briefings_pdf
from exam_kit.forms.duty_roster import duty_roster_pdf
from exam_kit.forms.familiarisation import familiarisation_pdf
from exam_kit.forms.people_list import people_csv, people_xlsx
from exam_kit.journal.people import People, read_register
from exam_kit.journal.people_profile import load_people_profile
from exam_kit.store import Act
from exam_kit.web.desk import Desk, session_of, signed_in

__all__ = ["people_routes"]

PDF, CSV = "application/pdf", "text/csv; charset=utf-8"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def people_routes(desk: Desk) -> list[Route]:
    """`/papers/familiarisation.pdf` and its neighbours, in the reader's language."""
    makers: dict[str, tuple[str, Callable[[Desk, str], bytes]]] = {
        "familiarisation.pdf": (PDF, _familiarisation),
        "briefings.pdf": (PDF, _briefings),
        "duty-roster.pdf": (PDF, _roster),
        "people.csv": (CSV, _csv),
        "people.xlsx": (XLSX, _xlsx),
    }

    def paper(name: str, kind: str, make: Callable[[Desk, str], bytes]) -> Callable[[Request], object]:
        async def answer(request: Request) -> Response:
            signed_in(request, Act.VIEW)
            session = session_of(request.scope)
            content = await run_in_threadpool(make, desk, session.language if session else "ru")
            shown = "inline" if kind == PDF else "attachment"
            return Response(
                content, media_type=kind, headers={"Content-Disposition": f'{shown}; filename="{name}"'}
            )  # fmt: skip

        return answer

    return [Route(f"/papers/{name}", paper(name, kind, make)) for name, (kind, make) in makers.items()]


def _people(desk: Desk) -> People:
    return People(desk.ledger, desk.point(), load_people_profile(desk.home))


def _familiarisation(desk: Desk, language: str) -> bytes:
    cards = read_register(desk.ledger, desk.point()).people
    return familiarisation_pdf(desk.point(), cards, language, desk.ledger.signed_head())


def _briefings(desk: Desk, language: str) -> bytes:
    people = _people(desk)
    head = desk.ledger.signed_head()
    return briefings_pdf(desk.point(), people.register().people, people.profile, language, head)


def _roster(desk: Desk, language: str) -> bytes:
    people, point = _people(desk), desk.point()
    return duty_roster_pdf(point, point.days, people.register(), people.profile, language, desk.ledger.signed_head())


def _csv(desk: Desk, language: str) -> bytes:
    people = _people(desk)
    return people_csv(desk.point(), people.register().people, people.profile, language)


def _xlsx(desk: Desk, language: str) -> bytes:
    people = _people(desk)
    return people_xlsx(desk.point(), people.register().people, people.profile, language)
