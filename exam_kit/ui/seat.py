"""Who sits before the screen, at which point, in which language: what every page asks for first."""

from __future__ import annotations

import functools
import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Protocol
from zoneinfo import ZoneInfo

import streamlit as st

from exam_kit.clock import Clock, SystemClock
from exam_kit.errors import AccessDenied, ExamKitError
from exam_kit.home import Home
from exam_kit.i18n import _, set_language
from exam_kit.point import ExamDay, Point, load_point
from exam_kit.store import READ_ONLY, Account, Act, Ledger, Session, Sessions, Store, may, open_store, require
from exam_kit.ui.plain import plain

__all__ = [
    "SESSION_COOKIE",
    "Reader",
    "Seat",
    "Sitter",
    "flash",
    "keep_language",
    "live",
    "require_page",
    "say_flash",
    "saying_errors",
    "script",
    "session_here",
]

SESSION_COOKIE = "exam_kit_session"
"""The same name as in `exam_kit.web.desk`: neither of the two rooms may import the other."""


class Reader(Protocol):
    """Whoever reads a screen: in which language, by which clock."""

    @property
    def language(self) -> str: ...

    @property
    def tz(self) -> ZoneInfo: ...


class Sitter(Reader, Protocol):
    """Whoever is signed in, at a point or at the region: what stands around every page."""

    @property
    def account(self) -> Account: ...

    @property
    def token(self) -> str: ...

    @property
    def brand(self) -> tuple[str, str]: ...


@dataclass(frozen=True)
class Seat:
    """What a page has at hand. `token` is the session's secret: never shown, never logged.

    For a role that only reads, `store` and `ledger` are opened for reading: no page can write for it.
    """

    home: Home
    store: Store
    ledger: Ledger
    clock: Clock
    point: Point
    account: Account
    language: str
    token: str

    def __repr__(self) -> str:
        return f"Seat({self.account.login}, {self.language})"

    def may(self, act: Act) -> bool:
        return may(self.account.role, act)

    @property
    def tz(self) -> ZoneInfo:
        return self.point.tz

    @property
    def brand(self) -> tuple[str, str]:
        """What stands above the menu: where this is, in two lines."""
        return _("Exam point {code}").format(code=self.point.code), self.point.name

    @property
    def now(self) -> datetime:
        return self.clock.now()

    @property
    def today(self) -> date:
        """The date on the point's calendar."""
        return self.now.astimezone(self.point.tz).date()

    @property
    def day(self) -> ExamDay | None:
        """The exam day in hand: today's, else the next one, else the last one."""
        days = sorted(self.point.days, key=lambda day: day.date)
        ahead = [day for day in days if day.date >= self.today]
        return ahead[0] if ahead else (days[-1] if days else None)


def require_page(act: Act) -> Seat:
    """The first line of every page: nothing is drawn before it returns.

    Without a session, or with a role that may not `act`, it says so and ends the script.
    """
    seat = _find_seat()
    try:
        require(seat.account.role, act)
    except AccessDenied as refusal:
        st.error(plain(refusal.text(seat.language)))
        st.stop()
    return seat


def live(every_s: float) -> Callable[[Callable[[Seat], None]], Callable[[], None]]:
    """A part of a page that draws itself again every `every_s` seconds.

    It finds its seat anew each time: the session may have ended, or the language changed, since the page was drawn.
    """

    def decorate(draw: Callable[[Seat], None]) -> Callable[[], None]:
        @st.fragment(run_every=every_s)
        @functools.wraps(draw)
        def piece() -> None:
            draw(_find_seat())

        return piece

    return decorate


@contextmanager
def saying_errors(seat: Reader) -> Iterator[None]:
    """Errors of the domain become a plain line on the screen; what was typed stays in its fields."""
    try:
        yield
    except ExamKitError as problem:
        st.error(plain(problem.text(seat.language)))


def flash(text: str) -> None:
    """Say `text` after the next redraw: what was just done is visible also when its form has gone."""
    st.session_state["flash"] = text


def script(page: str) -> str:
    """The script of a page as `st.page_link` wants it: its path from the router."""
    return f"../../pages/{page}.py"


def say_flash() -> None:
    """Show what `flash` kept, once."""
    said = st.session_state.pop("flash", None)
    # The place is there also when there is nothing to say: otherwise what follows would move and lose its state.
    place = st.container()
    if said:
        place.success(plain(said))


def _find_seat() -> Seat:
    found, session, token = session_here()
    home, store, ledger, clock = found
    if session.account.role in READ_ONLY:
        store, ledger = _reading(str(home.root))
    try:
        point = _point(home.point_file)
    except ExamKitError as problem:
        st.error(plain(problem.text(session.language)))
        st.stop()
    return Seat(home, store, ledger, clock, point, session.account, session.language, token)


def session_here() -> tuple[tuple[Home, Store, Ledger, Clock], Session, str]:
    """The opened home, whoever is signed in, and the session's secret; without a session the script ends."""
    found = _opened(str(Home.find().root))
    _home, store, _ledger, clock = found
    token = st.context.cookies.get(SESSION_COOKIE, "")
    session = Sessions(store, clock).find(token)
    if session is None:
        _signed_out()
    assert session is not None
    set_language(session.language)
    return found, session, token


def keep_language(token: str, language: str) -> None:
    """Remember the language of the session: the one thing of a sign-in that is changed from within a page."""
    _home, store, _ledger, clock = _opened(str(Home.find().root))
    Sessions(store, clock).set_language(token, language)


def _signed_out() -> None:
    st.html(
        f'<div style="max-width:26rem;margin:15vh auto;text-align:center"><h1>{_("You are signed out")}</h1>'
        f'<p><a href="/signin" target="_self">{_("Sign in")}</a></p></div>'
    )
    st.stop()


def _point(path: Path) -> Point:
    """The point, read again when its file has changed: several parts of a page ask for it every second."""
    try:
        stamp = path.stat()
    except OSError:
        return load_point(path)
    return _point_as_of(path, stamp.st_mtime_ns, stamp.st_size)


@functools.lru_cache(maxsize=4)
def _point_as_of(path: Path, _changed_ns: int, _bytes: int) -> Point:
    return load_point(path)


@st.cache_resource(max_entries=4, show_spinner=False)
def _opened(root: str) -> tuple[Home, Store, Ledger, Clock]:
    home = Home.find()
    assert str(home.root) == root
    store, clock = open_store(home), SystemClock()
    # Streamlit has Python look for garbage among all objects after every run of a script, also of a part that redraws
    # itself each second. What was loaded by now stays as long as the process; leaving it out saves most of that work.
    gc.collect()
    gc.freeze()
    return home, store, Ledger(store, home, clock), clock


@st.cache_resource(max_entries=4, show_spinner=False)
def _reading(root: str) -> tuple[Store, Ledger]:
    home, store, _ledger, clock = _opened(root)
    reading = store.reading()
    return reading, Ledger(reading, home, clock)
