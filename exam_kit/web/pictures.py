"""Approved pictures, and their edges against the live ones, for the screens."""

from __future__ import annotations

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from exam_kit.cctv.live import looked_at
from exam_kit.cctv.still import edges_beside
from exam_kit.store import Act
from exam_kit.web.desk import Desk, signed_in

__all__ = ["picture_routes"]


def picture_routes(desk: Desk) -> list[Route]:
    """`/pictures/<camera>/approved.jpg` and `/pictures/<camera>/edges.png`; 204 where there is nothing to show."""

    def approved(camera: str) -> bytes:
        if all(one.id != camera for one in desk.point().cameras):
            return b""
        try:
            return (desk.home.references / f"{camera}.jpg").read_bytes()
        except OSError:
            return b""

    def edges(camera: str) -> bytes:
        before, live = approved(camera), desk.home.live / f"{camera}.jpg"
        if before:
            looked_at(live)
        try:
            now = live.read_bytes() if before else b""
        except OSError:
            now = b""
        return edges_beside(before, now) or b""

    async def picture(request: Request) -> Response:
        signed_in(request, Act.VIEW)
        content = await run_in_threadpool(approved, request.path_params["camera"])
        return Response(content, media_type="image/jpeg") if content else Response(status_code=204)

    async def difference(request: Request) -> Response:
        signed_in(request, Act.VIEW)
        content = await run_in_threadpool(edges, request.path_params["camera"])
        return Response(content, media_type="image/png") if content else Response(status_code=204)

    return [Route("/pictures/{camera}/approved.jpg", picture), Route("/pictures/{camera}/edges.png", difference)]
