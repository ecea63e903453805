"""The commission head reads and cannot write: every page, control, route and message is tried as that role.

Pages, controls, routes and methods are found, not listed, so that a new one is tried without anybody thinking of it.
What is compared is the content of the database and of the home's files; the table of sessions and the language a
person chose are the sign-in's own and stand aside.
"""

from __future__ import annotations

import hashlib
import os
import re
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from starlette.routing import Route
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState
from streamlit.web.server.starlette import starlette_routes

from exam_kit.errors import StoreError
from exam_kit.home import Home, kit_root
from exam_kit.store import READ_ONLY, Act, Role, may
from exam_kit.web.app import _point_routes
from exam_kit.web.desk import Desk
from exam_kit.web.screens import page_names
from tests.ui.conftest import CLIP
from tests.ui.prepared import PEOPLE, PINS, exam_date, prepare
from tests.ui.site import Site, start
from tests.ui.wire import Drawn, Wire

READER = "galina"
OTHERS = tuple(one.login for one in PEOPLE if one.role not in READ_ONLY)
PAGES = tuple(sorted(page_names(kit_root() / "pages")))
OF_THE_SIGN_IN = {"/signin", "/signout"}
"""What these write is the session itself, and of a wrong PIN the count; they are the same for everybody."""
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
CHOICES = ("button_group", "selectbox", "radio", "checkbox", "toggle")
TRIED = int(os.environ.get("EXAM_KIT_CHOICES_TRIED", "1"))
"""Choices of each control that are gone into, the last ones: the first is what the page opens with."""
GONE_INTO = OTHERS[:1] if TRIED == 1 else OTHERS
"""Whose controls are looked for behind choices as well: the specialist has most of them."""
States = dict[str, WidgetState]


def fingerprint(home: Home) -> dict[str, str]:
    """What stands in the home: a hash for each table and for each file that is not the database itself."""
    found: dict[str, str] = {}
    connection = sqlite3.connect(f"{home.store.as_uri()}?mode=ro", uri=True)
    try:
        tables = connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table' AND name <> 'session'")
        for (table,) in tables.fetchall():
            columns = [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]
            kept = ", ".join(name for name in columns if (table, name) != ("account", "language"))
            rows = repr(connection.execute(f"SELECT {kept} FROM {table}").fetchall())
            found[table] = hashlib.sha256(rows.encode()).hexdigest()
        schema = connection.execute("SELECT name, sql FROM sqlite_schema ORDER BY name").fetchall()
        found["schema"] = hashlib.sha256(repr(schema).encode()).hexdigest()
    finally:
        connection.close()
    aside = (home.run, home.logs, home.store.parent)
    for path in sorted(home.root.rglob("*")):
        if path.is_file() and not any(path.is_relative_to(folder) for folder in aside):
            found[str(path.relative_to(home.root))] = hashlib.sha256(path.read_bytes()).hexdigest()
    return found


@dataclass
class Trial:
    """One home under attack: what it was like, and how much was tried."""

    site: Site
    before: dict[str, str]
    tried: dict[str, int] = field(default_factory=dict)

    def same(self, kind: str, what: str) -> None:
        self.tried[kind] = self.tried.get(kind, 0) + 1
        now = fingerprint(self.site.home)
        changed = [name for name in now.keys() | self.before.keys() if now.get(name) != self.before.get(name)]
        assert changed == [], f"{what} wrote: {changed}"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    site = start(prepare(tmp_path_factory.mktemp("reads-only") / "home", clip=CLIP))
    # A first look settles what a start writes; from then on nothing may change.
    with Wire(site, site.cookie(READER)) as wire:
        for page in PAGES:
            wire.run(page)
    yield site
    site.process.terminate()
    site.process.wait(20)


@pytest.fixture
def trial(served: Site) -> Trial:
    return Trial(served, fingerprint(served.home))


def pressed(widget: str) -> WidgetState:
    return WidgetState(id=widget, trigger_value=True)


def options(widget: str, kind: str, sent: object) -> list[WidgetState]:
    """Every choice this control offers."""
    if kind == "checkbox":
        return [WidgetState(id=widget, bool_value=True)]
    made = []
    for option in getattr(sent, "options", []):
        state = WidgetState(id=widget)
        if kind == "button_group":
            state.string_array_value.data.append(option.content)
        else:
            state.string_value = option
        made.append(state)
    return made


def filled(drawn: Drawn) -> States:
    """Something written into every field, so that no form is refused for being empty."""
    states: States = {}
    for widget, (kind, sent) in drawn.widgets.items():
        if kind in ("text_input", "text_area"):
            states[widget] = WidgetState(id=widget, string_value=getattr(sent, "default", "") or "08:00")
        elif kind == "number_input":
            states[widget] = WidgetState(id=widget, double_value=1)
        elif kind == "checkbox":
            states[widget] = WidgetState(id=widget, bool_value=True)
    return states


def survey(wire: Wire, page: str) -> Iterator[tuple[States, Drawn]]:
    """The page as it opens, and with each single choice of each of its controls."""
    first = wire.run(page)
    yield {}, first
    for widget, (kind, sent) in first.widgets.items():
        if kind not in CHOICES or widget.endswith("-language"):
            continue
        for state in options(widget, kind, sent)[-TRIED:]:
            yield {widget: state}, wire.run(page, {widget: state})


def test_the_role_is_the_one_that_only_reads() -> None:
    assert {Role.COMMISSION_HEAD} == READ_ONLY
    told = {act for act in Act if may(Role.COMMISSION_HEAD, act)}
    assert told == {Act.VIEW, Act.AGREE_STOP}  # agreement is told to who decides, and written by them


@pytest.mark.parametrize("page", PAGES)
def test_no_control_of_a_page_writes(trial: Trial, page: str) -> None:
    with Wire(trial.site, trial.site.cookie(READER)) as wire:
        seen: set[str] = set()
        for states, drawn in survey(wire, page):
            trial.same("choices", f"{page}: {list(states)}")
            for trigger in set(drawn.triggers) - seen:
                seen.add(trigger)
                wire.run(page, {**states, **filled(drawn), trigger: pressed(trigger)})
                trial.same("presses", f"{page}: pressing {trigger}")
    assert trial.tried["choices"] >= 1


@pytest.mark.parametrize("page", PAGES)
def test_the_controls_of_other_roles_do_nothing_when_forged(trial: Trial, page: str) -> None:
    everything = Drawn(page)
    for login in OTHERS:
        with Wire(trial.site, trial.site.cookie(login)) as wire:
            for _states, drawn in survey(wire, page) if login in GONE_INTO else [({}, wire.run(page))]:
                everything.widgets.update(drawn.widgets)
                everything.fragments.update(drawn.fragments)
    trial.before = fingerprint(trial.site.home)  # to look at a page is theirs to do
    states = filled(everything)
    for widget, (kind, sent) in everything.widgets.items():
        if kind in CHOICES and not widget.endswith("-language"):
            states.update({state.id: state for state in options(widget, kind, sent)[-1:]})
    with Wire(trial.site, trial.site.cookie(READER)) as wire:
        wire.run(page)
        for trigger in everything.triggers:
            wire.run(page, {**states, trigger: pressed(trigger)})
            trial.same("forged", f"{page}: forged {trigger}")
        all_at_once = {trigger: pressed(trigger) for trigger in everything.triggers}
        wire.run(page, {**states, **all_at_once})
        trial.same("forged", f"{page}: all forged at once")
        for part in sorted(everything.fragments):
            wire.forge(page, {**states, **all_at_once}, part)
            trial.same("forged", f"{page}: part {part} forged")
    assert trial.tried["forged"] >= 1


def samples(site: Site) -> dict[str, list[str]]:
    """Something to stand for each parameter of a route."""
    store, _ledger = site.store()
    run = store.query("SELECT id FROM check_run")[0]["id"]
    store.close()
    return {
        "number": ["1"],
        "camera": ["HQ-1"],
        "sha256": ["0" * 64],
        "name": list(PAGES),
        "session_id": ["any"],
        "file_id": ["any"],
        "path": ["any"],
        "": [f"day={exam_date(site.home)}&order=1&copy=1&number=1&year=2026&run={run}&camera=HQ-1&have=1&book=access"],
    }


def addresses(path: str, known: dict[str, list[str]]) -> list[str]:
    """The route with something in place of its parameters."""
    found = [path if path.startswith("/") else f"/{path}"]
    for name in re.findall(r"{(\w+)[^}]*}", path):
        assert name in known, f"{path}: write into `samples` what {{{name}}} may be"
        found = [re.sub(rf"{{{name}[^}}]*}}", value, one) for one in found for value in known[name]]
    return found


def routes(site: Site) -> list[str]:
    desk = Desk.open(site.home)
    ours = [route.path for route in _point_routes(desk) if isinstance(route, Route)]
    desk.store.close()
    theirs = [value for name, value in vars(starlette_routes).items() if re.match("_?ROUTE_", name)]
    return sorted({*ours, *theirs} - OF_THE_SIGN_IN)


def test_no_route_writes_whatever_the_method(trial: Trial) -> None:
    known, cookie, refused = samples(trial.site), trial.site.cookie(READER), 0
    for path in routes(trial.site):
        for address in addresses(path, known):
            for method in METHODS:
                asked = [address, f"{address}?{known[''][0]}"] if method in ("GET", "POST") else [address]
                for one in asked:
                    form = {"day": str(exam_date(trial.site.home)), "order": "1"} if method == "POST" else None
                    answer = trial.site.ask(one, method, form, Cookie=cookie, Origin=trial.site.url)
                    assert answer.status != 500, (method, one, answer.text[:300])
                    refused += answer.status in (403, 404, 405)
            trial.same("addresses", address)
    assert trial.tried["addresses"] > 40
    assert refused > 100


def test_a_sign_in_of_hers_changes_nothing_but_the_session(trial: Trial) -> None:
    cookie = trial.site.cookie(READER, fresh=True)
    trial.same("sign-in", "signing in")
    with Wire(trial.site, cookie) as wire:
        drawn = wire.run("review")
        (language,) = [one for one in drawn.widgets if one.endswith("-language")]
        for option in ("LV", "RU"):
            state = WidgetState(id=language)
            state.string_array_value.data.append(option)
            wire.run("review", {language: state})
            trial.same("sign-in", "the language")
    trial.site.ask("/signout", form={}, Cookie=cookie)
    trial.same("sign-in", "signing out")


def test_no_other_message_of_the_connection_writes_or_ends_the_server(trial: Trial) -> None:
    cookie = trial.site.cookie(READER)
    for part in BackMsg.DESCRIPTOR.oneofs_by_name["type"].fields:
        message = BackMsg()
        if part.message_type is None:
            setattr(message, part.name, True)
        else:
            getattr(message, part.name).SetInParent()
        with Wire(trial.site, cookie) as wire:
            wire.run("review")
            wire.send(message)
        trial.same("messages", part.name)
    with Wire(trial.site, cookie) as wire:
        for page in ("region", "../exam_kit/ui/main", "exam_kit/cli/house.py", "\0"):
            wire.run(page)
            trial.same("messages", f"the page {page!r}")
    assert trial.site.ask("/healthz").status == 200
    assert trial.tried["messages"] > 8


def test_what_was_looked_at_would_show_a_write(trial: Trial) -> None:
    """The same attack by a role that may write does change something: the comparison is not blind."""
    wrote = 0
    with Wire(trial.site, trial.site.cookie("anna")) as wire:
        for page in ("access_log", "incidents", "checks"):
            _states, drawn = next(iter(survey(wire, page)))
            for trigger in drawn.triggers:
                wire.run(page, {**filled(drawn), trigger: pressed(trigger)})
                now = fingerprint(trial.site.home)
                wrote += now != trial.before
                trial.before = now
    assert wrote >= 2


def test_the_database_handle_itself_refuses(served: Site) -> None:
    desk = Desk.open(served.home)
    reading = desk.reading()
    with pytest.raises(StoreError), reading.store.transaction() as connection:
        connection.execute("UPDATE account SET role = 'specialist'")
    with pytest.raises(StoreError):
        reading.ledger.append("access.row", {}, READER)
    with pytest.raises(StoreError):
        reading.accounts.set_pin("anna", PINS["anna"], actor=READER)
    assert Path(reading.store.path) == desk.store.path
    reading.store.close()
    desk.store.close()
