"""The door: nothing but the sign-in page opens without a session, and nothing is served to another site.

Pure ASGI, because it must stand before websockets as well as before pages. Streamlit serves its own files and its
websocket before any script runs, so a check inside the scripts alone would come too late.
"""

from __future__ import annotations

from urllib.parse import quote, urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse, RedirectResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from exam_kit.web.desk import SCOPE_KEY, SESSION_COOKIE, Desk, cookies

__all__ = ["Guard"]

HOSTS = ("127.0.0.1", "localhost")
OPEN_PATHS = ("/signin", "/healthz", "/open")
"""The last one opens a review bundle by its own word; elsewhere nothing answers to it."""

# Asked for by programs, not by people: answered with a status instead of being led to the sign-in page.
MACHINE_PATHS = ("/_stcore", "/media", "/static", "/component", "/app", "/live", "/recordings")

# Streamlit's bundle needs inline styles and one inline script; everything else comes from this server only, so a page
# cannot call outside even by mistake.
POLICY = "; ".join(
    (
        "default-src 'self'",
        "script-src 'self' 'unsafe-inline'",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data: blob:",
        "media-src 'self' blob:",
        "font-src 'self' data:",
        "connect-src 'self'",
        "worker-src 'self' blob:",
        "object-src 'none'",
        "base-uri 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)

HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    # Not "no-referrer": with it browsers send "Origin: null" with a form, and the check of the origin would fail.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}


class Guard:
    """ASGI middleware: a person without a session is led to the sign-in page, a program is refused."""

    def __init__(self, app: ASGIApp, desk: Desk) -> None:
        self._app = app
        self._desk = desk

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        refusal = self._foreign(scope, headers)
        if refusal is None and scope["path"] not in OPEN_PATHS:
            session = self._desk.sessions.find(cookies(headers).get(SESSION_COOKIE))
            if session is None:
                await self._refuse_stranger(scope, receive, send)
                return
            scope[SCOPE_KEY] = session
        if refusal is not None:
            await _answer(scope, receive, send, refusal, "refused")
            return
        await self._app(scope, receive, _with_headers(scope, send))

    def _foreign(self, scope: Scope, headers: Headers) -> int | None:
        """The status to refuse with when the request was made for another host or by another site's page."""
        host = headers.get("host", "")
        try:
            named = urlsplit(f"//{host}").hostname
        except ValueError:
            return 400
        if named not in HOSTS:
            return 400
        origin = headers.get("origin")
        if scope["type"] == "websocket":
            return None if origin == f"http://{host}" else 403
        changes = scope["method"] not in ("GET", "HEAD", "OPTIONS")
        if changes and origin is not None and origin != f"http://{host}":
            return 403
        if changes and headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
            return 403
        return None

    async def _refuse_stranger(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path"]
        asked_by_person = scope["type"] == "http" and scope["method"] in ("GET", "HEAD")
        if asked_by_person and not f"{path}/".startswith(tuple(f"{prefix}/" for prefix in MACHINE_PATHS)):
            target = "/signin" if path == "/" else f"/signin?next={quote(path)}"
            response = RedirectResponse(target, status_code=303)
            await response(scope, receive, _with_headers(scope, send))
            return
        await _answer(scope, receive, send, 403 if scope["type"] == "websocket" else 401, "sign in first")


async def _answer(scope: Scope, receive: Receive, send: Send, status: int, text: str) -> None:
    if scope["type"] == "websocket":
        # Closing before accepting makes the server answer the handshake with 403.
        await send({"type": "websocket.close", "code": 1008, "reason": text})
        return
    response = PlainTextResponse(text, status_code=status)
    await response(scope, receive, _with_headers(scope, send))


def _with_headers(scope: Scope, send: Send) -> Send:
    if scope["type"] != "http":
        return send

    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in HEADERS.items():
                headers[name] = value
            # What was shown to one person must not be shown to the next from the browser's cache.
            if not scope["path"].startswith("/static/"):
                headers["Cache-Control"] = "no-store"
        await send(message)

    return sending
