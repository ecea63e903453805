"""Sign-in and sign-out: plain HTML forms, so that they work before any script does and by keyboard alone."""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import parse_qs

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from exam_kit.agent.demo_point import is_demo
from exam_kit.errors import AccessDenied, ExamKitError
from exam_kit.home import Home
from exam_kit.i18n import LANGUAGES
from exam_kit.store import Account
from exam_kit.web.desk import LANGUAGE_COOKIE, SESSION_COOKIE, Desk, cookies
from exam_kit.web.signin_page import SignInPage, render

__all__ = ["demo_accounts", "signin_routes"]

FORM_BYTES = 4096
HERE = re.compile(r"/[a-z0-9_]{0,40}")


def signin_routes(desk: Desk) -> list[Route]:
    """`/signin`, `/signout` and `/healthz`."""

    async def show(request: Request) -> Response:
        chosen = _chosen(request)
        target = _target(request.query_params.get("next"))
        response = await run_in_threadpool(_page, desk, chosen or desk.language(), target)
        if chosen:
            _keep_language(response, chosen)
        return response

    async def enter(request: Request) -> Response:
        form = await _form(request)
        language = _known(form.get("lang")) or desk.language()
        target, login = _target(form.get("next")), form.get("login", "").strip()
        try:
            account = await run_in_threadpool(desk.accounts.check, login, form.get("pin", ""))
            token = await run_in_threadpool(_open, desk, account, _known(cookies(request.headers).get(LANGUAGE_COOKIE)))
        except AccessDenied as refusal:
            return await run_in_threadpool(_page, desk, language, target, login, refusal.text(language), 401)
        except ExamKitError as problem:
            return await run_in_threadpool(_page, desk, language, target, login, problem.text(language), 503)
        response = RedirectResponse(target, status_code=303)
        response.set_cookie(SESSION_COOKIE, token, httponly=True, samesite="strict", path="/")
        response.delete_cookie(LANGUAGE_COOKIE, httponly=True, samesite="strict", path="/")
        return response

    async def signin(request: Request) -> Response:
        return await (enter(request) if request.method == "POST" else show(request))

    async def leave(request: Request) -> Response:
        await run_in_threadpool(desk.sessions.close, cookies(request.headers).get(SESSION_COOKIE, ""))
        response = RedirectResponse("/signin", status_code=303)
        response.delete_cookie(SESSION_COOKIE, httponly=True, samesite="strict", path="/")
        return response

    async def health(_request: Request) -> Response:
        return PlainTextResponse("ok")

    return [
        Route("/signin", signin, methods=["GET", "HEAD", "POST"]),
        Route("/signout", leave, methods=["POST"]),
        Route("/healthz", health),
    ]


def demo_accounts(home: Home) -> list[dict[str, str]]:
    """The made-up accounts of a demo point with their PINs; none on a real one."""
    if not is_demo(home):
        return []
    try:
        data: Any = json.loads(home.demo_file.read_text(encoding="utf-8"))
        return [{key: str(entry[key]) for key in ("login", "name", "role", "pin")} for entry in data["accounts"]]
    except (OSError, ValueError, KeyError, TypeError):
        return []


def _open(desk: Desk, account: Account, chosen: str | None) -> str:
    token = desk.sessions.open(account)
    if chosen:
        desk.sessions.set_language(token, chosen)
    return token


def _page(
    desk: Desk, language: str, target: str, login: str = "", problem: str = "", status: int = 200
) -> HTMLResponse:
    """The form again, with what was typed (never the PIN) and what is wrong."""
    title = None
    try:
        title = desk.title(language)
    except ExamKitError as missing:
        problem = problem or missing.text(language)
    page = SignInPage(language, target, title, login, problem, demo_accounts(desk.home), bool(desk.accounts.all()))
    return HTMLResponse(render(page), status_code=status)


async def _form(request: Request) -> dict[str, str]:
    """The fields of a small form; too long a one is read as empty."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > FORM_BYTES:
            return {}
    return {name: values[0] for name, values in parse_qs(body.decode("utf-8", errors="replace")).items()}


def _known(language: str | None) -> str | None:
    return language if language in LANGUAGES else None


def _chosen(request: Request) -> str | None:
    asked = _known(request.query_params.get("lang"))
    return asked or _known(cookies(request.headers).get(LANGUAGE_COOKIE))


def _keep_language(response: Response, language: str) -> None:
    response.set_cookie(LANGUAGE_COOKIE, language, httponly=True, samesite="strict", path="/")


def _target(asked: str | None) -> str:
    """Where to go after signing in: a page of this server, never another address."""
    return asked if asked and HERE.fullmatch(asked) else "/"
