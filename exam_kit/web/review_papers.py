"""What was found in the books, taken along as PDF, XLSX or CSV."""

from __future__ import annotations

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from exam_kit.journal.categories import load_categories
from exam_kit.review.export import MOST_PRINTED, review_csv, review_pdf, review_xlsx
from exam_kit.review.integrity import chain_said, prover_of
from exam_kit.review.lines import look
from exam_kit.review.question import Question
from exam_kit.store import Act
from exam_kit.web.desk import Desk, session_of, signed_in

__all__ = ["review_paper_routes"]

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
MEDIA = {"pdf": "application/pdf", "xlsx": XLSX, "csv": "text/csv; charset=utf-8"}


def review_paper_routes(desk: Desk) -> list[Route]:
    """`/papers/review.pdf`, `.xlsx`, `.csv` of what the query asks for (see `Question.of`)."""

    def paper(kind: str) -> Route:
        async def answer(request: Request) -> Response:
            signed_in(request, Act.VIEW)
            session = session_of(request.scope)
            language = session.language if session else "ru"
            question = Question.of(request.query_params)
            content = await run_in_threadpool(_made, desk, kind, question, language)
            name = f"review-{question.book}.{kind}"
            shown = "inline" if kind == "pdf" else f'attachment; filename="{name}"'
            return Response(content, media_type=MEDIA[kind], headers={"Content-Disposition": shown})

        return Route(f"/papers/review.{kind}", answer)

    return [paper(kind) for kind in MEDIA]


def _made(desk: Desk, kind: str, question: Question, language: str) -> bytes:
    point, ledger = desk.point(), desk.ledger
    limit = MOST_PRINTED + 1 if kind == "pdf" else None
    lines = look(ledger, point, load_categories(desk.home), question, language, limit=limit).lines
    if kind == "csv":
        return review_csv(point, lines, language)
    if kind == "xlsx":
        return review_xlsx(point, question, lines, language)
    clock = ledger.clock
    chain = chain_said(prover_of(desk.home, clock).look(ledger), point, clock.now())
    return review_pdf(point, question, lines, chain, language, ledger.signed_head())
