"""The register of people as the head of the point and a commission member keep it, and the gate it makes."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import pytest

from exam_kit.agent import orders
from exam_kit.cli import main
from exam_kit.clock import FakeClock, SystemClock
from exam_kit.errors import AccessDenied, PointInvalid, RefusedEntry
from exam_kit.home import Home
from exam_kit.journal.access_log import AccessDraft, AccessLog
from exam_kit.journal.incidents import IncidentDraft, Incidents
from exam_kit.journal.people import Amends, People, PersonDraft
from exam_kit.journal.people_card import RecordKind
from exam_kit.journal.people_gate import account_state
from exam_kit.journal.people_profile import SHIPPED, load_people_profile
from exam_kit.journal.people_state import PersonState, Standing, state_on
from exam_kit.point import Point
from exam_kit.store import Account, Accounts, Ledger, Role, Store, open_store
from tests.conftest import POINT_TOML

SPECIALIST = Account("spec", "Специалист Т. Т.", Role.SPECIALIST, "технический специалист", "ru")
HEAD = Account("head", "Руководитель Р. Р.", Role.HEAD_OF_POINT, "руководитель ППЭ", "ru")
MEMBER = Account("gek", "Член К. К.", Role.COMMISSION_MEMBER, "член ГЭК", "ru")
CHAIR = Account("chair", "Председатель П. П.", Role.COMMISSION_HEAD, "председатель ГЭК", "ru")
REGION = Account("rcoi", "Администратор А. А.", Role.REGIONAL_ADMIN, "РЦОИ", "ru")
EVERYBODY = (SPECIALIST, HEAD, MEMBER, CHAIR, REGION)
TODAY = date(2026, 5, 28)
PIN = "135790"
BRIEFINGS = ("exam_rules", "fire_safety", "labour_protection")


@pytest.fixture
def people(home: Home, store: Store, ledger: Ledger, point: Point, clock: FakeClock) -> People:
    home.point_file.write_text(POINT_TOML, encoding="utf-8")
    with store.transaction() as connection:  # the PINs of these accounts are never asked for
        for one in EVERYBODY:
            connection.execute(
                "INSERT INTO account (login, name, role, post, pin_hash, language) VALUES (?, ?, ?, ?, 'x', 'ru')",
                (one.login, one.name, one.role.value, one.post),
            )
    return People(ledger, point, load_people_profile(home), clock)


@pytest.fixture
def number(people: People) -> int:
    """The specialist, entered and nothing more."""
    return people.add(PersonDraft(SPECIALIST.name, Role.SPECIALIST, SPECIALIST.post, "spec"), HEAD).number


def appoint(people: People, number: int, day: date = TODAY) -> None:
    people.appoint(number, "12-к", day, CHAIR.name, HEAD)


def brief(people: People, number: int, *codes: str, day: date = TODAY) -> None:
    for code in codes or BRIEFINGS:
        people.brief(number, code, day, HEAD.name, HEAD)


def state(people: People, number: int, day: date = TODAY) -> PersonState:
    return state_on(people.get(number), day, people.profile)


def record(ledger: Ledger, actor: str = "spec", kind: str = "record") -> int:
    return orders.give(ledger, kind, {"cameras": ["R1-1"]}, actor=actor, ordered_by="head", why="test")


def test_a_person_is_appointed_briefed_and_dismissed(people: People, number: int) -> None:
    assert state(people, number).standing is Standing.NOT_APPOINTED
    appoint(people, number)
    lacking = state(people, number)
    assert (lacking.standing, lacking.missing) == (Standing.UNBRIEFED, BRIEFINGS)
    assert "пожарная безопасность" in lacking.reason.text("ru")
    assert "labour protection" in lacking.reason.text("en")
    brief(people, number)
    assert state(people, number).fit
    assert state(people, number, TODAY - timedelta(days=1)).standing is Standing.NOT_APPOINTED
    people.dismiss(number, "13-к", TODAY, HEAD)
    gone = state(people, number)
    assert (gone.standing, gone.fit) == (Standing.DISMISSED, False)
    assert "13-к" in gone.reason.text("ru")


def test_a_briefing_runs_out_by_the_profile_and_not_later(people: People, number: int, clock: FakeClock) -> None:
    appoint(people, number)
    brief(people, number)
    assert state(people, number, date(2026, 11, 28)).fit
    late = state(people, number, date(2026, 11, 29))
    assert (late.standing, late.missing, late.run_out) == (Standing.UNBRIEFED, (), ("labour_protection",))
    clock.advance(185 * 86400)
    people.brief(number, "labour_protection", people.today, HEAD.name, HEAD, until=people.today)
    assert state(people, number, people.today).fit
    with pytest.raises(RefusedEntry, match="cannot hold until"):
        people.brief(number, "labour_protection", TODAY, HEAD.name, HEAD, until=date(2026, 11, 29))
    with pytest.raises(RefusedEntry, match="not a kind"):
        people.brief(number, "dancing", TODAY, HEAD.name, HEAD)


def test_corrections_and_withdrawals_are_entries_and_both_are_shown(people: People, number: int) -> None:
    appoint(people, number)
    (wrong,) = people.get(number).records
    people.appoint(number, "12-л", TODAY, "", HEAD, amends=Amends(wrong.seq, "не тот номер"))
    old, new = people.get(number).records
    assert (old.corrected_by, new.corrects, new.order, new.why) == (new.seq, old.seq, "12-л", "не тот номер")
    assert people.get(number).last(RecordKind.APPOINTED) == new
    with pytest.raises(RefusedEntry, match="no entry"):
        people.withdraw(number, old.seq, "ещё раз", HEAD)
    people.withdraw(number, new.seq, "не тот человек", MEMBER)
    assert state(people, number).standing is Standing.NOT_APPOINTED
    assert people.get(number).records[-1].withdrawn_why == "не тот человек"
    assert people.register().in_force, "an appointment that was withdrawn does not open the gate again"
    people.remove(number, "лишняя запись", HEAD)
    assert people.register().people == []
    again = people.add(PersonDraft("Другой Д. Д.", Role.SPECIALIST, "", "spec"), HEAD)
    assert again.number == number + 1, "a number is never given twice"


def test_a_receipt_is_confirmed_by_the_person_alone(people: People, number: int) -> None:
    for other in (HEAD, MEMBER, CHAIR, REGION):
        with pytest.raises(AccessDenied):
            people.receive(number, other)
    people.receive(number, SPECIALIST)
    received = people.get(number).last(RecordKind.RECEIVED)
    assert received is not None
    assert (received.date, received.by.login) == (TODAY, "spec")
    with pytest.raises(RefusedEntry, match="already"):
        people.receive(number, SPECIALIST)


def test_the_register_is_kept_by_head_and_commission_member_only(people: People, number: int) -> None:
    appoint(people, number)
    seq = people.get(number).records[0].seq
    draft = PersonDraft("Новый Н. Н.", Role.SPECIALIST)
    for actor in (SPECIALIST, CHAIR, REGION):
        for act in (
            lambda who: people.add(draft, who),
            lambda who: people.change(number, draft, "x", who),
            lambda who: people.appoint(number, "1", TODAY, "", who),
            lambda who: people.dismiss(number, "1", TODAY, who),
            lambda who: people.brief(number, "exam_rules", TODAY, "x", who),
            lambda who: people.admit(number, "x", who),
            lambda who: people.withdraw(number, seq, "x", who),
            lambda who: people.roster(TODAY, [number], who),
            lambda who: people.remove(number, "x", who),
        ):
            with pytest.raises(AccessDenied):
                act(actor)
    assert len(people.get(number).records) == 1


def test_what_the_rules_do_not_allow_is_refused_with_a_way_out(people: People, number: int) -> None:
    tomorrow = TODAY + timedelta(days=1)
    for act in (
        lambda: people.add(PersonDraft(" ", Role.SPECIALIST), HEAD),
        lambda: people.add(PersonDraft("СПЕЦИАЛИСТ  т. т.", Role.SPECIALIST), HEAD),
        lambda: people.add(PersonDraft("Иной", Role.SPECIALIST, "", "spec"), HEAD),
        lambda: people.add(PersonDraft("Иной", Role.SPECIALIST, "", "nobody"), HEAD),
        lambda: people.add(PersonDraft("Иной", Role.COMMISSION_HEAD), HEAD),
        lambda: people.add(PersonDraft("Иной", "king"), HEAD),
        lambda: people.appoint(number, " ", TODAY, "", HEAD),
        lambda: people.appoint(number, "1", tomorrow, "", HEAD),
        lambda: people.brief(number, "exam_rules", TODAY, "", HEAD),
        lambda: people.admit(number, "", HEAD),
        lambda: people.appoint(99, "1", TODAY, "", HEAD),
        lambda: people.roster(tomorrow, [number], HEAD),
        lambda: people.roster(TODAY, [99], HEAD),
    ):
        with pytest.raises(RefusedEntry):
            act()
    appoint(people, number)
    with pytest.raises(RefusedEntry, match="account 'spec' stays"):
        people.change(number, PersonDraft(SPECIALIST.name, Role.SPECIALIST), "x", HEAD)
    with pytest.raises(RefusedEntry, match="Withdraw each"):
        people.remove(number, "x", HEAD)


def test_before_the_first_appointment_nobody_is_asked(people: People, number: int, ledger: Ledger) -> None:
    assert account_state(people, SPECIALIST) is None
    assert record(ledger) == 1


def test_an_unbriefed_specialist_cannot_start_a_recording(people: People, number: int, ledger: Ledger) -> None:
    appoint(people, number)
    for kind in sorted(orders.EQUIPMENT - {"delete_footage"}):
        with pytest.raises(AccessDenied, match="briefing not given"):
            record(ledger, kind=kind)
    assert ledger.store.query("SELECT * FROM orders") == []
    assert not list(ledger.entries(["order.given"]))
    record(ledger, kind="stop")
    record(ledger, kind="cancel")
    brief(people, number)
    record(ledger)


def test_somebody_who_is_not_in_the_register_does_not_act_once_it_is_kept(people: People, ledger: Ledger) -> None:
    other = people.add(PersonDraft("Другой Д. Д.", Role.SPECIALIST), HEAD)
    appoint(people, other.number)
    with pytest.raises(AccessDenied, match="not in the register"):
        record(ledger)
    assert record(ledger, "head"), "the head orders; appointments are asked of the roles of the profile"


def test_stopping_and_writing_are_not_locked_out(
    people: People, number: int, ledger: Ledger, point: Point, clock: FakeClock
) -> None:
    appoint(people, number)
    assert not state(people, number).fit
    record(ledger, kind="stop")
    AccessLog(ledger, point, clock).add(AccessDraft("0001", "operability_check", clock.now(), clock.now()), SPECIALIST)
    sheet = Incidents(ledger, point, clock).open(IncidentDraft("other", "дым", clock.now()), SPECIALIST)
    assert sheet.is_open


def test_an_admission_ends_with_the_local_day_and_is_never_ones_own(
    people: People, number: int, ledger: Ledger, clock: FakeClock
) -> None:
    appoint(people, number)
    with pytest.raises(AccessDenied):
        people.admit(number, "некому", SPECIALIST)
    people.admit(number, "основной специалист болен", MEMBER)
    assert state(people, number).fit
    admission = state(people, number).admission
    assert admission is not None
    assert (admission.by.name, admission.why) == (MEMBER.name, "основной специалист болен")
    record(ledger)
    with pytest.raises(RefusedEntry, match="already"):
        people.admit(number, "ещё", MEMBER)
    clock.advance(16 * 3600)  # it was eight in the morning at the point: now it is midnight
    with pytest.raises(AccessDenied):
        record(ledger)
    own = people.add(PersonDraft(HEAD.name, Role.HEAD_OF_POINT, "", "head"), MEMBER)
    with pytest.raises(RefusedEntry, match="themselves"):
        people.admit(own.number, "сам", HEAD)


def test_nobody_dismissed_acts_in_any_role_or_by_any_order(people: People, number: int, ledger: Ledger) -> None:
    appoint(people, number)
    brief(people, number)
    people.admit(number, "на всякий случай", HEAD)
    people.dismiss(number, "13-к", TODAY, HEAD)
    for kind in orders.KINDS:
        with pytest.raises(AccessDenied, match=r"dismissed|right"):
            record(ledger, kind=kind)
    with pytest.raises(RefusedEntry, match="dismissed"):
        people.admit(number, "вернулся", HEAD)
    own = people.add(PersonDraft(HEAD.name, Role.HEAD_OF_POINT, "", "head"), MEMBER)
    people.appoint(own.number, "1", TODAY, "", MEMBER)
    people.dismiss(own.number, "2", TODAY, MEMBER)
    with pytest.raises(AccessDenied, match="dismissed"):
        record(ledger, "head")
    dismissal = people.get(own.number).last(RecordKind.DISMISSED)
    assert dismissal is not None
    with pytest.raises(AccessDenied, match="no longer keeps"):
        people.withdraw(own.number, dismissal.seq, "передумал", HEAD)
    people.withdraw(own.number, dismissal.seq, "внесено по ошибке", MEMBER)
    assert record(ledger, "head")


def test_a_right_that_the_role_lacks_is_refused_whoever_calls(people: People, ledger: Ledger, store: Store) -> None:
    for kind in orders.KINDS:
        for login in ("chair", "nobody", "agent", ""):
            with pytest.raises(AccessDenied):
                record(ledger, login, kind)
    with store.transaction() as connection:
        connection.execute("UPDATE account SET disabled = 1 WHERE login = 'spec'")
    with pytest.raises(AccessDenied, match="disabled"):
        record(ledger)


def test_at_the_terminal_it_must_be_known_who_acts_once_a_register_is_kept(
    people: People, number: int, ledger: Ledger
) -> None:
    assert record(ledger, "terminal:root")
    appoint(people, number)
    with pytest.raises(AccessDenied, match="--as"):
        record(ledger, "terminal:root")
    assert record(ledger, "terminal:root", "stop")


@pytest.fixture
def told(
    home: Home, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str]]:
    """`told(words, typed)`: the command's exit code and what it said."""
    monkeypatch.setenv("EXAM_KIT_HOME", str(home.root))

    def run(*words: str, typed: str = "") -> tuple[int, str]:
        monkeypatch.setattr(sys, "stdin", io.StringIO(typed))
        code = main(["--language", "en", *words])
        return code, capsys.readouterr().err

    return run


def test_an_unbriefed_specialist_cannot_start_a_recording_on_the_command_line(
    home: Home, store: Store, point: Point, told: Callable[..., tuple[int, str]]
) -> None:
    home.point_file.write_text(POINT_TOML, encoding="utf-8")
    ledger = Ledger(store, home, SystemClock())
    Accounts(store, ledger).create(SPECIALIST, PIN, actor="agent")
    people = People(ledger, point, load_people_profile())
    with store.transaction():
        number = people.add(PersonDraft(SPECIALIST.name, Role.SPECIALIST, "", "spec"), HEAD).number
        people.appoint(number, "1", people.today, "", HEAD)
    words = ("record", "--camera", "R1-1", "--seconds", "1", "--by", "head")
    for more, typed, said in (
        ((), "", "--as LOGIN"),
        (("--as", "spec"), "000000\n", "do not fit"),
        (("--as", "spec"), f"{PIN}\n", "briefing not given"),
    ):
        code, text = told(*words, *more, typed=typed)
        assert (code, said in text) == (14, True), text
    assert store.query("SELECT * FROM orders") == []


def test_the_profile_is_validated_and_the_points_own_one_wins(home: Home, tmp_path: Path) -> None:
    shipped = SHIPPED.read_text(encoding="utf-8")
    home.profiles.mkdir(parents=True)
    own = home.profiles / "people.toml"
    own.write_text(shipped.replace("valid_months = 6", "valid_months = 3"), encoding="utf-8")
    assert load_people_profile(home).by_code["labour_protection"].valid_months == 3
    assert load_people_profile().by_code["labour_protection"].valid_months == 6
    own.write_text(
        shipped.replace('"fire_safety"', '"exam_rules"')
        .replace("valid_months = 6", "valid_months = 0")
        .replace('checked_roles = ["specialist"]', 'checked_roles = ["commission_head", "king"]'),
        encoding="utf-8",
    )
    with pytest.raises(PointInvalid) as refusal:
        load_people_profile(home)
    assert len(refusal.value.details) >= 2
    own.write_text("season = ", encoding="utf-8")
    with pytest.raises(PointInvalid, match="not valid TOML"):
        load_people_profile(home)


def test_a_month_later_is_the_same_day_or_the_last_of_the_month() -> None:
    kind = load_people_profile().by_code["labour_protection"]
    assert kind.valid_until(date(2026, 8, 31)) == date(2027, 2, 28)
    assert kind.valid_until(date(2027, 8, 31)) == date(2028, 2, 29)
    assert kind.valid_until(date(2026, 1, 15)) == date(2026, 7, 15)


def test_everything_is_read_back_the_same_from_a_ledger_opened_anew(people: People, number: int, home: Home) -> None:
    appoint(people, number)
    brief(people, number)
    people.receive(number, SPECIALIST)
    people.roster(TODAY, [number], HEAD)
    again = open_store(home)
    fresh = People(Ledger(again, home), people._point, people.profile)
    assert fresh.register() == people.register()
    again.close()


@pytest.mark.parametrize("broken", ["point.toml", "profiles/people.toml"])
def test_a_file_with_a_mistake_does_not_keep_a_recording_from_being_stopped(
    people: People, number: int, home: Home, ledger: Ledger, broken: str
) -> None:
    appoint(people, number)
    (home.root / broken).parent.mkdir(exist_ok=True)
    (home.root / broken).write_text("name = ", encoding="utf-8")
    assert record(ledger, "spec", "stop") == 1
    with pytest.raises(PointInvalid):
        record(ledger, "spec", "record")


def test_a_ledger_with_words_about_nobody_still_lets_a_recording_be_stopped(
    people: People, number: int, ledger: Ledger
) -> None:
    appoint(people, number)
    words = {"point": "77-0001", "no": 99, "about": 3, "why": "x", "by": HEAD.__dict__ | {"role": "head_of_point"}}
    for kind in ("person.changed", "person.removed", "person.withdrawn", "person.received"):
        ledger.append(kind, {**words, "date": "2026-05-28"}, "head")
    assert [card.number for card in people.register().people] == [number]
    assert record(ledger, "spec", "stop") == 1


def test_another_account_of_the_same_name_is_the_same_person(people: People, ledger: Ledger, store: Store) -> None:
    gone = people.add(PersonDraft(MEMBER.name, Role.COMMISSION_MEMBER, "", "gek"), HEAD).number
    appoint(people, gone)
    people.dismiss(gone, "14-к", TODAY, HEAD)
    with store.transaction() as connection:
        connection.execute(
            "INSERT INTO account (login, name, role, post, pin_hash, language) "
            "VALUES ('gek2', ?, 'head_of_point', '', 'x', 'ru')",
            (MEMBER.name,),
        )
    with pytest.raises(AccessDenied, match="dismissed"):
        record(ledger, "gek2")
    second = Account("gek2", MEMBER.name, Role.HEAD_OF_POINT, "", "ru")
    with pytest.raises(AccessDenied, match="dismissed"):
        people.admit(gone, "вернулся", second)


def test_an_order_says_what_a_journal_can_keep(people: People, ledger: Ledger) -> None:
    for why in ("x" * 4001, "\udcff"):
        with pytest.raises(RefusedEntry):
            orders.give(ledger, "stop", {"cameras": ["R1-1"]}, actor="head", ordered_by="head", why=why)
    number = orders.give(ledger, "stop", {"cameras": ["R1-1"]}, actor="head", ordered_by=" head\n", why="a\nb")
    given = orders.get(ledger.store, number)
    assert given is not None
    assert (given.ordered_by, given.why) == ("head", "a b")
