"""The point's solutions as the file that other points take over."""

from __future__ import annotations

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from exam_kit.journal.categories import load_categories
from exam_kit.journal.solution_import import export
from exam_kit.journal.solutions import Solutions
from exam_kit.store import Act
from exam_kit.web.desk import Desk, signed_in

__all__ = ["solution_routes"]


def solution_routes(desk: Desk) -> list[Route]:
    """`/papers/solutions.json`, for who keeps the base."""

    async def file(request: Request) -> Response:
        signed_in(request, Act.KEEP_SOLUTIONS)
        book = Solutions(desk.ledger, desk.point(), categories=load_categories(desk.home))
        content = await run_in_threadpool(export, book)
        name = f'attachment; filename="solutions-{book.key}.json"'
        headers = {"Content-Disposition": name, "Cache-Control": "private, no-store"}
        return Response(content, media_type="application/json", headers=headers)

    return [Route("/papers/solutions.json", file)]
