"""Whatever is entered in whatever order, somebody dismissed does not act."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exam_kit.agent import orders
from exam_kit.clock import FakeClock
from exam_kit.errors import AccessDenied, RefusedEntry
from exam_kit.home import Home
from exam_kit.journal.people import Amends, People, PersonDraft
from exam_kit.journal.people_card import Card, RecordKind
from exam_kit.journal.people_profile import load_people_profile
from exam_kit.point import Point, read_point
from exam_kit.store import Account, Ledger, Role, Store, open_store
from tests.conftest import POINT_TOML

MORNING = datetime(2026, 5, 28, 5, 0, tzinfo=UTC)
TODAY = date(2026, 5, 28)
LOGINS = {"spec": Role.SPECIALIST, "other": Role.SPECIALIST, "head": Role.HEAD_OF_POINT, "gek": Role.COMMISSION_MEMBER}
KEEPERS = [Account(login, login, LOGINS[login], "", "ru") for login in ("head", "gek")]
BRIEFINGS = ("exam_rules", "fire_safety", "labour_protection")

Act = tuple[str, int, int, int]
acts: st.SearchStrategy[list[Act]] = st.lists(
    st.tuples(
        st.sampled_from(
            ("add", "appoint", "appoint", "dismiss", "dismiss", "brief", "brief", "admit", "withdraw", "amend",
             "change", "remove", "receive", "next day")
        ),
        st.integers(0, 3),  # about whom
        st.integers(0, 3),  # how many days ago, which briefing, which of the last entries
        st.integers(0, 1),  # by whom
    ),
    min_size=4,
    max_size=25,
)  # fmt: skip


@pytest.fixture(scope="module")
def point() -> Point:
    return read_point(POINT_TOML)


@pytest.fixture(scope="module")
def root() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


def opened(home: Home) -> tuple[Store, FakeClock]:
    home.create()
    home.point_file.write_text(POINT_TOML, encoding="utf-8")
    store = open_store(home)
    store.connection.execute("PRAGMA synchronous=OFF")  # many ledgers; none of them has to outlive a power cut
    with store.transaction() as connection:
        for login, role in LOGINS.items():
            connection.execute(
                "INSERT INTO account (login, name, role, post, pin_hash, language) VALUES (?, ?, ?, '', 'x', 'ru')",
                (login, login, role.value),
            )
    return store, FakeClock(MORNING)


def perform(people: People, act: Act) -> None:
    what, whom, which, keeper = act
    actor, login = KEEPERS[keeper], list(LOGINS)[whom]
    card = people.register().by_login(login)
    day = people.today - timedelta(days=which)
    if what == "add":
        people.add(PersonDraft(f"{login} {which}", LOGINS[login], "", login), actor)
    if card is None:
        return
    entries = [one.seq for one in card.records if one.standing][::-1]
    steps: dict[str, Any] = {
        "appoint": lambda: people.appoint(card.number, "1", day, "", actor),
        "dismiss": lambda: people.dismiss(card.number, "2", day, actor),
        "brief": lambda: people.brief(card.number, BRIEFINGS[which % 3], people.today, "x", actor),
        "admit": lambda: people.admit(card.number, "x", actor),
        "withdraw": lambda: people.withdraw(card.number, entries[which % len(entries)], "x", actor),
        "amend": lambda: people.dismiss(card.number, "3", day, actor, amends=Amends(entries[0], "x")),
        "change": lambda: people.change(card.number, PersonDraft(f"{login} {which}", LOGINS[login]), "x", actor),
        "remove": lambda: people.remove(card.number, "x", actor),
        "receive": lambda: people.receive(card.number, Account(login, login, LOGINS[login], "", "ru")),
    }
    if what in steps and (entries or what not in ("withdraw", "amend")):
        steps[what]()


def is_dismissed(card: Card, today: date) -> bool:
    """Said anew, by another way than the register's own: a dismissal stands that no later appointment follows."""
    out = [one.date for one in card.records if one.kind is RecordKind.DISMISSED and one.standing and one.date <= today]
    back = [one.date for one in card.records if one.kind is RecordKind.APPOINTED and one.standing and one.date <= today]
    return bool(out) and not any(day > max(out) for day in back)


def is_fit(card: Card, today: date) -> bool:
    standing = [one for one in card.records if one.standing and one.date <= today]
    if is_dismissed(card, today):
        return False
    if any(one.kind is RecordKind.ADMITTED and one.date == today for one in standing):
        return True
    held = {one.briefing for one in standing if one.kind is RecordKind.BRIEFED and one.until and one.until >= today}
    return any(one.kind is RecordKind.APPOINTED for one in standing) and set(BRIEFINGS) <= held


@settings(max_examples=40, deadline=None)
@given(acts)
def test_no_order_of_entries_lets_somebody_act_who_should_not(root: Path, point: Point, drawn: list[Act]) -> None:
    home = Home.at(Path(tempfile.mkdtemp(dir=root)))
    store, clock = opened(home)
    ledger = Ledger(store, home, clock)
    people = People(ledger, point, load_people_profile())
    for act in drawn:
        if act[0] == "next day":
            clock.advance(86400)
        try:
            perform(people, act)
        except (RefusedEntry, AccessDenied):
            continue
    register = people.register()
    for login, role in LOGINS.items():
        card = register.by_login(login)
        for kind in ("record", "stop", "archive", "camera_clock"):
            if role is Role.COMMISSION_MEMBER or (role is Role.HEAD_OF_POINT and kind == "archive"):
                continue
            if not register.in_force:
                expected = True
            elif card is not None and is_dismissed(card, people.today):
                expected = False
            elif kind == "stop" or role is not Role.SPECIALIST:
                expected = True
            else:
                expected = card is not None and is_fit(card, people.today)
            try:
                orders.give(ledger, kind, {"cameras": ["R1-1"]}, actor=login, ordered_by="head", why="x")
                acted = True
            except AccessDenied:
                acted = False
            assert acted == expected, (login, kind)
    store.close()
