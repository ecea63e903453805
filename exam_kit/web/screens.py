"""The documents that screens live in: Streamlit's own index, in the reader's language and under our name."""

from __future__ import annotations

import re
from pathlib import Path

import streamlit
from starlette.convertors import Convertor, register_url_convertor
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from exam_kit.i18n import N_, translate
from exam_kit.web.desk import session_of
from exam_kit.web.signin_page import ICON

__all__ = ["page_names", "screen_routes"]

STYLE = '<link rel="stylesheet" href="/live/kit.css">'
SCRIPT_NAMES = ("alarms", "wall", "footage", "log", "next")
SCRIPTS = "".join(f'<script defer src="/live/{name}.js"></script>' for name in SCRIPT_NAMES)
NEEDS_SCRIPTS = N_("The screens need JavaScript: allow it for this address in the browser's settings.")


class _Word(Convertor[str]):
    """One path segment without a dot, so that files such as /favicon.png pass by."""

    regex = "[A-Za-z0-9_-]+"

    def convert(self, value: str) -> str:
        return value

    def to_string(self, value: str) -> str:
        return value


def page_names(folder: Path) -> frozenset[str]:
    """The addresses of the screens: the names of the scripts in `folder`."""
    return frozenset(path.stem for path in folder.glob("[a-z]*.py"))


def screen_routes(known: frozenset[str], *, start: str) -> list[Route]:
    """The start page and one route for each of the `known` screens; any other address leads to the start page.

    `start` stands at `/`: under its own name Streamlit says in English that it does not exist. A point's screens come
    with the scripts of its alarms, a region's do not. Serving the index here, and not through Streamlit, sets
    ``<html lang>``: a screen reader chooses its voice by it.
    """
    register_url_convertor("word", _Word())
    index = (Path(streamlit.__file__).parent / "static" / "index.html").read_text(encoding="utf-8")

    async def screen(request: Request) -> Response:
        name = request.path_params.get("name", "")
        if name == start or (name and name not in known):
            return RedirectResponse("/", status_code=303)
        session = session_of(request.scope)
        ours = STYLE + (SCRIPTS if start == "today" else "")
        return HTMLResponse(_document(index, session.language if session else "ru", ours))

    return [Route("/", screen), Route("/{name:word}", screen)]


def _document(index: str, language: str, ours: str) -> str:
    text = index.replace('<html lang="en">', f'<html lang="{language}">', 1)
    text = text.replace("<title>Streamlit</title>", "<title>Exam Kit</title>", 1)
    text = text.replace('href="./favicon.png"', f'href="{ICON}"', 1)
    # Ours stand in the document itself: the alarm must not depend on any page, nor on Streamlit's connection.
    text = text.replace("</head>", f"{ours}</head>", 1)
    return re.sub(
        r"<noscript>.*?</noscript>",
        f"<noscript>{translate(NEEDS_SCRIPTS, language)}</noscript>",
        text,
        count=1,
        flags=re.DOTALL,
    )
