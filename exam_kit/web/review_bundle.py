"""The door of a review bundle: an address that opens it once, for whoever started the program."""

from __future__ import annotations

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from exam_kit.i18n import N_, translate
from exam_kit.review.bundle_home import enter
from exam_kit.web.desk import SESSION_COOKIE, Desk, cookies

__all__ = ["bundle_door"]

SHUT = N_("This review is shut. Start 'exam-kit review' with the bundle again and open the address it names.")


def bundle_door(desk: Desk) -> list[Route]:
    """`/open?once=…` begins the only session there is, `/signout` ends it; `/signin` says how to begin anew."""

    async def opened(request: Request) -> Response:
        once = request.query_params.get("once", "")
        token = await run_in_threadpool(enter, desk.home, desk.store, once)
        response = RedirectResponse("/", status_code=303)
        response.set_cookie(SESSION_COOKIE, token, httponly=True, samesite="strict", path="/")
        return response

    async def left(request: Request) -> Response:
        await run_in_threadpool(desk.sessions.close, cookies(request.headers).get(SESSION_COOKIE, ""))
        response = RedirectResponse("/signin", status_code=303)
        response.delete_cookie(SESSION_COOKIE, httponly=True, samesite="strict", path="/")
        return response

    async def shut(_request: Request) -> Response:
        return PlainTextResponse(translate(SHUT, desk.language()))

    async def health(_request: Request) -> Response:
        return PlainTextResponse("ok")

    return [
        Route("/open", opened),
        Route("/signout", left, methods=["POST"]),
        Route("/signin", shut),
        Route("/healthz", health),
    ]
