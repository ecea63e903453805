"""The screens as one ASGI application."""

from __future__ import annotations

import logging

import streamlit
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from exam_kit.errors import AccessDenied, ExamKitError
from exam_kit.home import Home, kit_root
from exam_kit.i18n import _
from exam_kit.region.settings import is_region
from exam_kit.review.bundle_home import is_bundle
from exam_kit.web.alarms import alarm_routes
from exam_kit.web.desk import Desk, session_of
from exam_kit.web.footage import footage_routes
from exam_kit.web.guard import Guard
from exam_kit.web.media import media_routes
from exam_kit.web.papers import paper_routes
from exam_kit.web.pictures import picture_routes
from exam_kit.web.reading import by_role
from exam_kit.web.region_papers import region_paper_routes
from exam_kit.web.review_bundle import bundle_door
from exam_kit.web.review_papers import review_paper_routes
from exam_kit.web.screens import page_names, screen_routes
from exam_kit.web.signin import signin_routes
from exam_kit.web.solutions import solution_routes
from exam_kit.web.wall import wall_routes

__all__ = ["build_app"]

log = logging.getLogger(__name__)

REGION, REVIEW = "region", "review"
"""The one screen of a region's home, and of a review bundle's."""


def build_app(home: Home) -> streamlit.App:
    """Sign-in, media and documents around the Streamlit router, behind the guard.

    Raises:
        StoreError, AccessDenied: the home cannot be opened.
    """
    desk = Desk.open(home)
    return streamlit.App(
        kit_root() / "exam_kit" / "ui" / "main.py",
        routes=_routes(desk),
        middleware=[Middleware(Guard, desk=desk)],
        exception_handlers={ExamKitError: _plainly},
        on_script_error=_say_on_screen,
    )


def _routes(desk: Desk) -> list[Route]:
    if is_bundle(desk.home):
        return _bundle_routes(desk)
    return _region_routes(desk) if is_region(desk.home) else _point_routes(desk)


def _point_routes(desk: Desk) -> list[Route]:
    return [
        *signin_routes(desk),
        *by_role(_point_matters, desk),
        *screen_routes(page_names(kit_root() / "pages") - {REGION}, start="today"),
    ]


def _point_matters(desk: Desk) -> list[Route]:
    """All that is served of the point beside its screens."""
    return [
        *alarm_routes(desk),
        *wall_routes(desk),
        *footage_routes(desk),
        *media_routes(desk),
        *picture_routes(desk),
        *paper_routes(desk),
        *solution_routes(desk),
        *review_paper_routes(desk),
    ]


def _region_routes(desk: Desk) -> list[Route]:
    """A region has one screen and its report; nothing of a point is served there."""
    return [
        *signin_routes(desk),
        *media_routes(desk),
        *region_paper_routes(desk),
        *screen_routes(frozenset({REGION}), start=REGION),
    ]


def _bundle_routes(desk: Desk) -> list[Route]:
    """A bundle's home has the review and nothing else; its one session reads."""
    return [
        *bundle_door(desk),
        *by_role(lambda desk: [*media_routes(desk), *review_paper_routes(desk)], desk),
        *screen_routes(frozenset({REVIEW}), start=REVIEW),
    ]


def _say_on_screen(problem: Exception) -> bool:
    """What went wrong, in one plain line instead of a traceback; the traceback goes to the log."""
    if isinstance(problem, ExamKitError):
        streamlit.error(problem.text())
        return True
    log.error("a screen failed", exc_info=problem)
    streamlit.error(
        _("This screen failed. What was recorded and written is safe. Reload the page; if it stays, send the log file.")
    )
    return True


async def _plainly(request: Request, problem: ExamKitError) -> Response:
    session = session_of(request.scope)
    status = 403 if isinstance(problem, AccessDenied) else 404
    return PlainTextResponse(problem.text(session.language if session else None), status_code=status)
