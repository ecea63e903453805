"""Signed-in sessions: a random token in a cookie, its hash here."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import timedelta

from exam_kit.clock import Clock, SystemClock, iso
from exam_kit.store.accounts import Account
from exam_kit.store.db import Store
from exam_kit.store.rights import Role

__all__ = ["Session", "Sessions"]

LIFETIME = timedelta(hours=16)
"""An exam day from first arrival to hand-over, and no longer."""


@dataclass(frozen=True)
class Session:
    """A signed-in person and the language they chose."""

    account: Account
    language: str


class Sessions:
    """The session table."""

    def __init__(self, store: Store, clock: Clock | None = None) -> None:
        self._store = store
        self._clock = clock or SystemClock()

    def open(self, account: Account) -> str:
        """A new session's token, for the cookie; only its hash is kept."""
        token = secrets.token_urlsafe(32)
        now = self._clock.now()
        with self._store.transaction() as connection:
            connection.execute("DELETE FROM session WHERE ends_at < ?", (iso(now),))
            connection.execute(
                "INSERT INTO session (token_hash, login, language, created_at, seen_at, ends_at) VALUES (?,?,?,?,?,?)",
                (_hash(token), account.login, account.language, iso(now), iso(now), iso(now + LIFETIME)),
            )
        return token

    def find(self, token: str | None) -> Session | None:
        """Whose token this is; None when it is unknown, ended, or the account is disabled."""
        if not token:
            return None
        rows = self._store.query(
            "SELECT account.*, session.language AS chosen FROM session JOIN account USING (login) "
            "WHERE token_hash = ? AND ends_at > ? AND NOT disabled",
            (_hash(token), iso(self._clock.now())),
        )
        if not rows:
            return None
        row = rows[0]
        account = Account(row["login"], row["name"], Role(row["role"]), row["post"], row["language"])
        return Session(account, row["chosen"])

    def set_language(self, token: str, language: str) -> None:
        """Remember the chosen language for this session and for the next ones of the same account."""
        with self._store.transaction() as connection:
            connection.execute("UPDATE session SET language = ? WHERE token_hash = ?", (language, _hash(token)))
            connection.execute(
                "UPDATE account SET language = ? WHERE login = (SELECT login FROM session WHERE token_hash = ?)",
                (language, _hash(token)),
            )

    def close(self, token: str) -> None:
        """Sign out."""
        with self._store.transaction() as connection:
            connection.execute("DELETE FROM session WHERE token_hash = ?", (_hash(token),))


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
