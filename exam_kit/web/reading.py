"""Roles that only read are answered by routes of their own, over a database that is open for reading only.

So a new route need not remember it: whatever it does, for such a role there is no handle to write with.
"""

from __future__ import annotations

from collections.abc import Callable

from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from exam_kit.store import READ_ONLY
from exam_kit.web.desk import Desk, session_of

__all__ = ["by_role"]


def by_role(routes: Callable[[Desk], list[Route]], desk: Desk) -> list[Route]:
    """The `routes` of `desk`, made a second time over its database for reading for those who only read."""
    made = routes(desk)
    for route, reading in zip(made, routes(desk.reading()), strict=True):
        route.app = _ByRole(route.app, reading.app)
    return made


class _ByRole:
    def __init__(self, writing: ASGIApp, reading: ASGIApp) -> None:
        self._writing = writing
        self._reading = reading

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        session = session_of(scope)
        # Without a session nothing is known of who asks: nothing is written for them either.
        reads = session is None or session.account.role in READ_ONLY
        await (self._reading if reads else self._writing)(scope, receive, send)
