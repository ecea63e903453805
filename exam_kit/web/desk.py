"""What every route needs: the home, its store and who is signed in."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from http.cookies import CookieError, SimpleCookie
from pathlib import Path
from typing import Any

from starlette.requests import Request

from exam_kit.errors import ExamKitError
from exam_kit.home import Home
from exam_kit.i18n import N_, translate
from exam_kit.point import Point, load_point
from exam_kit.region.settings import is_region, load_region
from exam_kit.store import Account, Accounts, Act, Ledger, Session, Sessions, Store, open_store, require

__all__ = ["LANGUAGE_COOKIE", "SESSION_COOKIE", "Desk", "cookies", "row_number", "session_of", "signed_in"]

SESSION_COOKIE = "exam_kit_session"
LANGUAGE_COOKIE = "exam_kit_language"
SCOPE_KEY = "exam_kit.session"
ROW_DIGITS = 18
"""More do not fit into the database's numbers."""


@dataclass(frozen=True)
class Desk:
    """One opened home. The store keeps a connection per thread, so a desk is shared by all of them."""

    home: Home
    store: Store
    ledger: Ledger
    accounts: Accounts
    sessions: Sessions

    @classmethod
    def open(cls, home: Home) -> Desk:
        """Open the home's store, made when needed; raises StoreError, AccessDenied."""
        store = open_store(home)
        ledger = Ledger(store, home)
        return cls(home, store, ledger, Accounts(store, ledger), Sessions(store))

    def reading(self) -> Desk:
        """The same home for those who only read: nothing that is given this desk can write to the database."""
        store = self.store.reading()
        ledger = Ledger(store, self.home, self.ledger.clock)
        return Desk(self.home, store, ledger, Accounts(store, ledger), Sessions(store))

    def point(self) -> Point:
        """The point as it stands in the file now; raises NotSetUp, PointInvalid."""
        path = self.home.point_file
        try:
            stamp = path.stat()
        except OSError:
            return load_point(path)  # says what is wrong with it
        return _point_as_of(path, stamp.st_mtime_ns, stamp.st_size)

    def title(self, language: str) -> tuple[str, str]:
        """Where this is, in two lines; raises NotSetUp, PointInvalid."""
        if is_region(self.home):
            region = load_region(self.home)
            return translate(N_("Region {region}"), language).format(region=region.region), region.name
        point = self.point()
        return translate(N_("Exam point {code}"), language).format(code=point.code), point.name

    def language(self) -> str:
        """The point's or region's language; Russian while there is neither to ask."""
        try:
            return load_region(self.home).language if is_region(self.home) else self.point().language
        except ExamKitError:
            return "ru"


@functools.lru_cache(maxsize=4)
def _point_as_of(path: Path, _changed_ns: int, _bytes: int) -> Point:
    """Screens ask several times a second; the file changes a few times a season."""
    return load_point(path)


def cookies(headers: Mapping[str, str]) -> dict[str, str]:
    """The cookies of a request; none when the header is malformed."""
    jar = SimpleCookie()
    try:
        jar.load(headers.get("cookie", ""))
    except CookieError:
        return {}
    return {name: morsel.value for name, morsel in jar.items()}


def session_of(scope: Mapping[str, Any]) -> Session | None:
    """The session the guard found for this request."""
    found = scope.get(SCOPE_KEY)
    return found if isinstance(found, Session) else None


def signed_in(request: Request, act: Act) -> Account:
    """Whoever asks, provided their role may `act`; raises AccessDenied."""
    session = session_of(request.scope)
    assert session is not None, "the guard lets nobody through to this route without a session"
    require(session.account.role, act)
    return session.account


def row_number(text: str) -> int | None:
    """The number of a row as an address gives it; None when no row can have it."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= ROW_DIGITS else None
