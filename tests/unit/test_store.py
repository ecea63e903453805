"""Accounts, sessions and rights."""

from __future__ import annotations

import sqlite3
import threading
from datetime import UTC, datetime

import pytest

from exam_kit.clock import FakeClock, from_iso, iso
from exam_kit.errors import AccessDenied, StoreError, UsageError
from exam_kit.home import Home
from exam_kit.store import Account, Accounts, Act, Ledger, Role, Sessions, Store, may, open_store, require
from exam_kit.store.migrations import migrations
from exam_kit.store.schema import SCHEMA_VERSION


@pytest.fixture
def accounts(store: Store, ledger: Ledger, clock: FakeClock) -> Accounts:
    made = Accounts(store, ledger, clock)
    made.create(Account("spec", "Специалист", Role.SPECIALIST, "технический специалист", "ru"), "246810", actor="agent")
    return made


def test_sign_in_by_login_and_pin(accounts: Accounts) -> None:
    assert accounts.check("spec", "246810").role is Role.SPECIALIST


def test_a_new_pin_ends_the_sessions_that_were_opened_with_the_old_one(
    accounts: Accounts, store: Store, clock: FakeClock
) -> None:
    sessions = Sessions(store, clock)
    token = sessions.open(accounts.check("spec", "246810"))
    accounts.set_pin("spec", "135790", actor="terminal:tester")
    assert sessions.find(token) is None


def test_the_right_pin_among_many_tried_at_once_does_not_open_a_locked_account(accounts: Accounts) -> None:
    real = accounts._fits

    def meanwhile(digest: str, pin: str) -> bool:
        """Others try wrong PINs while this one is being checked."""
        accounts._fits = real  # type: ignore[method-assign]
        for _ in range(5):
            with pytest.raises(AccessDenied):
                accounts.check("spec", "111111")
        return real(digest, pin)

    accounts._fits = meanwhile  # type: ignore[method-assign]
    with pytest.raises(AccessDenied, match="locked"):
        accounts.check("spec", "246810")


@pytest.mark.parametrize(("login", "pin"), [("spec", "000000"), ("nobody", "246810"), ("spec", ""), ("", "")])
def test_a_wrong_name_and_a_wrong_pin_are_told_alike(accounts: Accounts, login: str, pin: str) -> None:
    with pytest.raises(AccessDenied, match="the name and PIN do not fit"):
        accounts.check(login, pin)


def test_five_wrong_pins_lock_the_account_and_time_opens_it(
    accounts: Accounts, clock: FakeClock, ledger: Ledger
) -> None:
    for _ in range(5):
        with pytest.raises(AccessDenied, match="do not fit"):
            accounts.check("spec", "111111")
    with pytest.raises(AccessDenied, match="locked"):
        accounts.check("spec", "246810")
    assert [entry.body["login"] for entry in ledger.entries(["account.locked"])] == ["spec"]
    clock.advance(301)
    assert accounts.check("spec", "246810").login == "spec"


@pytest.mark.parametrize("pin", ["12345", "abcdef", "１２３４５６", ""])
def test_a_weak_pin_is_refused(accounts: Accounts, pin: str) -> None:
    with pytest.raises(UsageError, match="at least 6 digits"):
        accounts.create(Account("x", "X", Role.SPECIALIST, "", "ru"), pin, actor="agent")


def test_no_pin_is_in_the_store_or_the_ledger(accounts: Accounts, home: Home, store: Store) -> None:
    store.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    assert b"246810" not in home.store.read_bytes()


def test_a_session_lives_for_a_day_and_ends_on_sign_out(store: Store, accounts: Accounts, clock: FakeClock) -> None:
    sessions = Sessions(store, clock)
    token = sessions.open(accounts.check("spec", "246810"))
    sessions.set_language(token, "lv")
    found = sessions.find(token)
    assert found is not None
    assert (found.account.login, found.language) == ("spec", "lv")
    assert sessions.find(token + "x") is None
    assert sessions.find(None) is None
    other = sessions.open(accounts.check("spec", "246810"))
    sessions.close(other)
    assert sessions.find(other) is None
    clock.advance(16 * 3600 + 1)
    assert sessions.find(token) is None


def test_rights_are_denied_unless_given() -> None:
    assert may(Role.SPECIALIST, Act.RECORD)
    for role, given in (
        (Role.COMMISSION_HEAD, {Act.VIEW, Act.AGREE_STOP}),
        (Role.REGIONAL_ADMIN, {Act.VIEW, Act.RECEIVE, Act.HOLD_FOOTAGE, Act.DELETE_FOOTAGE}),
    ):
        assert {act for act in Act if may(role, act)} == given
    for act in (Act.RECEIVE, Act.DELETE_FOOTAGE):
        assert [role for role in Role if may(role, act)] == [Role.REGIONAL_ADMIN]
    with pytest.raises(AccessDenied, match="record"):
        require(Role.COMMISSION_HEAD, Act.RECORD)


def test_a_second_opening_finds_everything_and_migrates_nothing(home: Home, accounts: Accounts) -> None:
    again = open_store(home)
    assert again.query("SELECT login FROM account") == [{"login": "spec"}]
    again.close()


def test_reading_only_cannot_write(home: Home, accounts: Accounts) -> None:
    reader = Store(home.store, read_only=True)
    with pytest.raises(StoreError), reader.transaction() as connection:
        connection.execute("DELETE FROM account")
    reader.close()


def test_a_busy_database_is_waited_for(store: Store, home: Home) -> None:
    other = sqlite3.connect(home.store, isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    release = threading.Timer(0.3, lambda: other.execute("COMMIT"))
    release.start()
    with store.transaction() as connection:
        connection.execute("INSERT INTO camera_state VALUES ('C', 'off', '', '', '', '{}')")
    release.join()
    other.close()
    assert store.query("SELECT camera FROM camera_state") == [{"camera": "C"}]


def test_moments_are_kept_so_that_text_order_is_time_order() -> None:
    moment = datetime(2026, 5, 28, 7, 0, tzinfo=UTC)
    assert from_iso(iso(moment)) == moment
    assert from_iso("2026-05-28T10:00:00+03:00") == moment
    with pytest.raises(ValueError, match="zone"):
        iso(datetime(2026, 5, 28))  # noqa: DTZ001 - the point of the test


def test_the_version_in_the_file_counts_the_steps(home: Home, store: Store) -> None:
    steps = [step.name for step in migrations.applied(store.db)]
    assert len(steps) == SCHEMA_VERSION
    assert store.connection.execute("PRAGMA user_version").fetchone() == (SCHEMA_VERSION,)
    assert migrations.pending(store.db) == []


def test_an_older_database_is_brought_up_to_date(home: Home, store: Store, accounts: Accounts) -> None:
    store.connection.execute("DROP INDEX segment_unfinished")
    store.connection.execute("DELETE FROM _sqlite_migrations WHERE name = 'm004_unfinished_segments'")
    store.connection.execute("PRAGMA user_version = 3")
    again = open_store(home)
    assert migrations.pending(again.db) == []
    assert again.query("SELECT login FROM account") == [{"login": "spec"}]
    again.close()


def test_a_newer_database_is_refused_in_words(home: Home, store: Store) -> None:
    store.connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
    with pytest.raises(StoreError, match="a newer Exam Kit"):
        open_store(home)
