"""People who sign in, by login and PIN."""

from __future__ import annotations

import re
import secrets
import sqlite3
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError

from exam_kit.clock import Clock, SystemClock, from_iso, iso
from exam_kit.errors import AccessDenied, UsageError, m
from exam_kit.store.db import Store
from exam_kit.store.ledger import Entry, Ledger
from exam_kit.store.rights import Role

__all__ = ["Account", "Accounts", "all_accounts", "find_account"]

PIN_MIN_DIGITS = 6
RESERVED = ("agent", "plan")
"""Names the ledger uses for the kit itself."""
TRIES_BEFORE_LOCK = 5
LOCK = timedelta(minutes=5)


@dataclass(frozen=True)
class Account:
    """Who somebody is. `post` is their position as it is printed on forms."""

    login: str
    name: str
    role: Role
    post: str
    language: str
    disabled: bool = False


class Accounts:
    """Accounts of one point."""

    def __init__(self, store: Store, ledger: Ledger, clock: Clock | None = None) -> None:
        self._store = store
        self._ledger = ledger
        self._clock = clock or SystemClock()
        self._hasher = PasswordHasher()
        self._nobody = self._hasher.hash(secrets.token_hex(8))

    def create(self, account: Account, pin: str, *, actor: str) -> None:
        """Add an account; journaled without the PIN.

        Raises:
            UsageError: the PIN is too short, or the login is taken.
        """
        _fit(pin)
        if not re.fullmatch(r"[a-z0-9][a-z0-9._-]{0,31}", account.login) or account.login in RESERVED:
            raise UsageError(
                m(
                    "{login}: not usable as a login. Use up to 32 small letters, digits, dots or dashes; "
                    "'agent' and 'plan' are the kit's own.",
                    login=account.login,
                )
            )
        if self.get(account.login) is not None:
            raise UsageError(m("{login}: this login is taken. Choose another.", login=account.login))
        digest = self._hasher.hash(pin)
        self._ledger.append(
            "account.created",
            {"login": account.login, "name": account.name, "role": account.role.value, "post": account.post},
            actor,
            also=lambda connection, _entry: connection.execute(
                "INSERT INTO account (login, name, role, post, pin_hash, language) VALUES (?, ?, ?, ?, ?, ?)",
                (account.login, account.name, account.role.value, account.post, digest, account.language),
            ),
        )

    def set_pin(self, login: str, pin: str, *, actor: str) -> None:
        """Replace the PIN, lift a lock and end every session: whoever knew the old one is out. Journaled without it."""
        _fit(pin)
        digest = self._hasher.hash(pin)

        def replace(connection: sqlite3.Connection, _entry: Entry) -> None:
            connection.execute(
                "UPDATE account SET pin_hash = ?, failed = 0, locked_until = NULL WHERE login = ?", (digest, login)
            )
            connection.execute("DELETE FROM session WHERE login = ?", (login,))

        self._ledger.append("account.pin_changed", {"login": login}, actor, also=replace)

    def get(self, login: str) -> Account | None:
        return find_account(self._store, login)

    def all(self) -> list[Account]:
        return all_accounts(self._store)

    def check(self, login: str, pin: str) -> Account:
        """The account whose login and PIN these are.

        Raises:
            AccessDenied: they do not fit, the account is disabled, or it is locked after too many tries.
        """
        row = self._row_unless_locked(login)
        if row is None:
            self._fits(self._nobody, pin)  # the same work as for a known login, so that time tells nothing
            raise AccessDenied(m("Sign-in: the name and PIN do not fit. Check both and try again."))
        if row["disabled"] or not self._fits(row["pin_hash"], pin):
            self._count_failure(login)
            raise AccessDenied(m("Sign-in: the name and PIN do not fit. Check both and try again."))
        # Once more: of many PINs tried at the same moment, those after the fifth wrong one tell nothing.
        self._row_unless_locked(login)
        if row["failed"]:
            with self._store.transaction() as connection:
                connection.execute("UPDATE account SET failed = 0, locked_until = NULL WHERE login = ?", (login,))
        return _account(row)

    def _row_unless_locked(self, login: str) -> dict[str, Any] | None:
        rows = self._store.query("SELECT * FROM account WHERE login = ?", (login,))
        until, now = rows[0]["locked_until"] if rows else None, self._clock.now()
        if until and from_iso(until) > now:
            minutes = int((from_iso(until) - now).total_seconds() // 60) + 1
            raise AccessDenied(
                m("Sign-in: locked after too many wrong PINs. Try again in {minutes} min.", minutes=minutes)
            )
        return rows[0] if rows else None

    def _fits(self, digest: str, pin: str) -> bool:
        try:
            return self._hasher.verify(digest, pin)
        except (VerifyMismatchError, InvalidHashError):
            return False

    def _count_failure(self, login: str) -> None:
        with self._store.transaction() as connection:
            connection.execute("UPDATE account SET failed = failed + 1 WHERE login = ?", (login,))
            (failed,) = connection.execute("SELECT failed FROM account WHERE login = ?", (login,)).fetchone()
            if failed < TRIES_BEFORE_LOCK:
                return
            until = iso(self._clock.now() + LOCK)
            connection.execute("UPDATE account SET failed = 0, locked_until = ? WHERE login = ?", (until, login))
            self._ledger.append("account.locked", {"login": login, "until": until, "tries": failed}, "agent")


def find_account(store: Store, login: str) -> Account | None:
    """The account with this login, for those who only ask who somebody is."""
    rows = store.query("SELECT * FROM account WHERE login = ?", (login,))
    return _account(rows[0]) if rows else None


def all_accounts(store: Store) -> list[Account]:
    """Every account, by login."""
    return [_account(row) for row in store.query("SELECT * FROM account ORDER BY login")]


def _fit(pin: str) -> None:
    if not (pin.isascii() and pin.isdigit() and len(pin) >= PIN_MIN_DIGITS):
        raise UsageError(
            m("PIN: it needs at least {digits} digits and nothing else. Choose another.", digits=PIN_MIN_DIGITS)
        )


def _account(row: dict[str, object]) -> Account:
    return Account(
        str(row["login"]),
        str(row["name"]),
        Role(str(row["role"])),
        str(row["post"]),
        str(row["language"]),
        bool(row["disabled"]),
    )
