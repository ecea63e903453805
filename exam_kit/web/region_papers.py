"""The region's report, made when it is asked for."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from exam_kit.agent.region_report import report_data
from exam_kit.errors import UsageError, m
from exam_kit.forms.region_report import ReportData, region_report_pdf, region_report_xlsx
from exam_kit.region.desk import RegionDesk
from exam_kit.store import Act
from exam_kit.web.desk import Desk, session_of, signed_in

__all__ = ["region_paper_routes"]

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def region_paper_routes(desk: Desk) -> list[Route]:
    """`/papers/region.pdf` and `/papers/region.xlsx`, of the day in the query or of all days."""

    def paper(make: Callable[[ReportData], bytes], media: str, shown: str) -> Callable[[Request], object]:
        async def answer(request: Request) -> Response:
            signed_in(request, Act.RECEIVE)
            session = session_of(request.scope)
            language = session.language if session else "ru"
            asked = request.query_params.get("day", "")
            content = await run_in_threadpool(_made, desk, make, asked, language)
            return Response(content, media_type=media, headers={"Content-Disposition": shown})

        return answer

    return [
        Route("/papers/region.pdf", paper(region_report_pdf, "application/pdf", "inline")),
        Route("/papers/region.xlsx", paper(region_report_xlsx, XLSX, 'attachment; filename="region.xlsx"')),
    ]


def _made(desk: Desk, make: Callable[[ReportData], bytes], asked: str, language: str) -> bytes:
    try:
        day = date.fromisoformat(asked) if asked else None
    except ValueError:
        raise UsageError(m("Document: there is no such document. Go back and choose it from the list.")) from None
    region = RegionDesk.open(desk.home)
    try:
        return make(report_data(region, language, day))
    finally:
        region.close()
