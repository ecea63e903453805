"""Runs in the store: they stream in, end in the ledger, are repeated in part, and are answered by hand."""

from __future__ import annotations

import json

import pytest

from exam_kit.checks import CheckContext, Profile, Result, State, Verdict, run_and_keep
from exam_kit.checks.model import Fact, Reason, Run
from exam_kit.checks.profile import read_profile
from exam_kit.checks.registry import get_probe
from exam_kit.checks.results import finish_run, get_run, latest_run, run_dict, runs, save_result, sign, start_run
from exam_kit.checks.verdicts import rejudge
from exam_kit.clock import FakeClock
from exam_kit.errors import RefusedEntry
from exam_kit.home import Home
from exam_kit.i18n import LANGUAGES
from exam_kit.point import Point, Secrets
from exam_kit.store import Account, Ledger, Role, Store

TEXTS = '{ ru = "т", en = "t", lv = "ť" }'
HEAD = f'season = "t"\nvalid_from = 2026-01-01\nsource = "t"\nbudget_s = 60\ntitle = {TEXTS}\n'
LINES = {
    "ledger": 'probe = "ledger.whole"\nseverity = "blocker"\nexpect.fail = [{ of = "whole", is = false }]',
    "clock": 'probe = "clock.forward"\nseverity = "minor"\nexpect.fail = [{ of = "behind", above = 60 }]',
    "seal": 'probe = "manual.confirm"\nseverity = "blocker"',
    "views": 'probe = "manual.confirm"\nseverity = "major"\nargs = { roles = ["commission_member"] }',
}

SPECIALIST = Account("ivanov", "Специалист И. И.", Role.SPECIALIST, "технический специалист", "ru")
MEMBER = Account("petrova", "Член П. П.", Role.COMMISSION_MEMBER, "член ГЭК", "ru")
HEAD_OF_POINT = Account("sidorov", "Руководитель С. С.", Role.HEAD_OF_POINT, "руководитель ППЭ", "ru")


@pytest.fixture
def profile() -> Profile:
    checks = "".join(
        f'[[checks]]\nid = "{check}"\n{lines}\ntimeout_s = 5\ntitle = {TEXTS}\nfix = {TEXTS}\n'
        for check, lines in LINES.items()
    )
    return read_profile(HEAD + checks, "test")


@pytest.fixture
def context(point: Point, home: Home, store: Store, clock: FakeClock, ledger: Ledger) -> CheckContext:
    ledger.append("agent.started", {}, "agent")
    return CheckContext(point, home, store, Secrets(home, file_only=True), point.days[0], clock)


def states(run: Run) -> dict[str, str]:
    return {result.check: result.state.value for result in run.results}


def test_a_run_is_kept_and_told(profile: Profile, context: CheckContext, ledger: Ledger, store: Store) -> None:
    told: list[tuple[str, int, int]] = []

    def on_result(result: Result, done: int, total: int) -> None:
        # What is told is in the store already: a screen that hears of it can read it.
        open_run = latest_run(store, finished=False)
        assert open_run is not None
        assert open_run.verdict is None
        assert result.check in states(open_run)
        told.append((result.check, done, total))

    run = run_and_keep(profile, context, ledger, actor="ivanov", on_result=on_result)
    assert sorted(told)[0][2] == 4
    assert states(run) == {"ledger": "ok", "clock": "ok", "seal": "pending", "views": "pending"}
    assert run.verdict is Verdict.INCOMPLETE
    assert latest_run(store) == run
    (entry,) = ledger.entries(["check.finished"])
    assert entry.actor == "ivanov"
    assert entry.body["run"] == run.id
    assert entry.body["verdict"] == "incomplete"
    assert entry.body["counts"]["pending"] == 2
    assert entry.body["profile_hash"] == profile.hash


def test_stored_results_judge_to_the_same_bytes(profile: Profile, context: CheckContext, ledger: Ledger) -> None:
    run = run_and_keep(profile, context, ledger, actor="agent")
    for row in ledger.store.query("SELECT body FROM check_result WHERE run = ?", (run.id,)):
        again = rejudge(Result.from_dict(json.loads(row["body"])))
        assert json.dumps(again.as_dict(), ensure_ascii=False) == row["body"]


def test_only_some_are_repeated(profile: Profile, context: CheckContext, ledger: Ledger, clock: FakeClock) -> None:
    first = run_and_keep(profile, context, ledger, actor="agent")
    sign(ledger, first.id, "seal", "", State.OK, SPECIALIST, clock=clock)
    clock.advance(60)
    second = run_and_keep(profile, context, ledger, actor="agent", only=["clock"])
    carried = {result.check: result.carried_from for result in second.results}
    assert carried == {"ledger": first.id, "clock": None, "seal": first.id, "views": first.id}
    assert states(second)["seal"] == "ok"
    clock.advance(60)
    third = run_and_keep(profile, context, ledger, actor="agent", only=["ledger"])
    origin = {result.check: result.carried_from for result in third.results}
    assert origin == {"ledger": None, "clock": second.id, "seal": first.id, "views": first.id}
    assert [run.id for run in runs(ledger.store)] == [third.id, second.id, first.id]


def test_a_probe_that_was_not_run_is_unknown_whatever_it_said_before(
    profile: Profile, context: CheckContext, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert states(run_and_keep(profile, context, ledger, actor="agent"))["clock"] == "ok"
    probe = get_probe("clock.forward")
    assert probe is not None
    monkeypatch.setattr(probe, "function", lambda _at: Fact.unknown(Reason.NOT_RUN))
    run = run_and_keep(profile, context, ledger, actor="agent")
    (result,) = [result for result in run.results if result.check == "clock"]
    assert (result.state, result.carried_from) == (State.UNKNOWN, None)


def test_only_some_without_a_run_before(profile: Profile, context: CheckContext, ledger: Ledger) -> None:
    run = run_and_keep(profile, context, ledger, actor="agent", only=["clock"])
    assert states(run) == {"ledger": "unknown", "clock": "ok", "seal": "unknown", "views": "unknown"}
    assert run.verdict is Verdict.INCOMPLETE


def test_another_days_run_is_not_carried_over(
    profile: Profile, context: CheckContext, ledger: Ledger, clock: FakeClock
) -> None:
    first = run_and_keep(profile, context, ledger, actor="agent")
    sign(ledger, first.id, "seal", "", State.OK, SPECIALIST, clock=clock)
    assert context.day is not None
    other_day = context.day.model_copy(update={"date": context.day.date.replace(month=6)})
    clock.advance(60)
    run = run_and_keep(profile, context._replace(day=other_day), ledger, actor="agent", only=["clock"])
    assert {result.carried_from for result in run.results} == {None}
    full = run_and_keep(profile, context._replace(day=other_day), ledger, actor="agent")
    assert states(full)["seal"] == "pending"


def test_answers_by_hand_stay_through_a_full_run(
    profile: Profile, context: CheckContext, ledger: Ledger, clock: FakeClock
) -> None:
    first = run_and_keep(profile, context, ledger, actor="agent")
    sign(ledger, first.id, "seal", "", State.OK, SPECIALIST, clock=clock)
    clock.advance(60)
    second = run_and_keep(profile, context, ledger, actor="agent")
    assert states(second)["seal"] == "ok"
    assert {result.check for result in second.results if result.carried_from} == {"seal"}
    assert second.verdict is Verdict.READY_WITH_REMARKS


def test_signing(profile: Profile, context: CheckContext, ledger: Ledger, clock: FakeClock) -> None:
    run = run_and_keep(profile, context, ledger, actor="agent")
    clock.advance(90)
    signed = sign(ledger, run.id, "seal", "", State.OK, SPECIALIST, clock=clock)
    assert signed.signed is not None
    assert (signed.signed.name, signed.signed.at) == ("Специалист И. И.", "2026-05-28T05:01:30.000000Z")
    after = get_run(ledger.store, run.id)
    assert after.verdict is Verdict.READY_WITH_REMARKS
    sign(ledger, run.id, "views", "", State.OK, MEMBER, clock=clock)
    assert get_run(ledger.store, run.id).verdict is Verdict.READY
    sign(ledger, run.id, "seal", "", State.FAIL, SPECIALIST, "пломба повреждена", clock=clock)
    assert get_run(ledger.store, run.id).verdict is Verdict.NOT_READY
    entries = list(ledger.entries(["check.signed"]))
    assert [(e.actor, e.body["check"], e.body["state"], e.body["verdict"]) for e in entries] == [
        ("ivanov", "seal", "ok", "ready_with_remarks"),
        ("petrova", "views", "ok", "ready"),
        ("ivanov", "seal", "fail", "not_ready"),
    ]


@pytest.mark.parametrize(
    ("check", "state", "actor", "note"),
    [
        ("clock", State.OK, SPECIALIST, ""),  # measured, not answered
        ("nothing", State.OK, SPECIALIST, ""),
        ("seal", State.OK, HEAD_OF_POINT, ""),  # views, does not confirm
        ("views", State.OK, SPECIALIST, ""),  # asks for a commission member
        ("seal", State.FAIL, SPECIALIST, "  "),
        ("seal", State.UNKNOWN, SPECIALIST, "?"),
        ("seal", State.WAIVED, SPECIALIST, "?"),
    ],
)
def test_signing_that_is_refused(
    profile: Profile,
    context: CheckContext,
    ledger: Ledger,
    clock: FakeClock,
    check: str,
    state: State,
    actor: Account,
    note: str,
) -> None:
    run = run_and_keep(profile, context, ledger, actor="agent")
    with pytest.raises(RefusedEntry):
        sign(ledger, run.id, check, "", state, actor, note, clock=clock)
    assert get_run(ledger.store, run.id) == run
    assert not list(ledger.entries(["check.signed"]))


def test_a_run_by_its_parts(profile: Profile, context: CheckContext, ledger: Ledger, clock: FakeClock) -> None:
    measured = run_and_keep(profile, context, ledger, actor="agent").results
    run = start_run(ledger.store, profile, day=None, actor="ivanov", clock=clock)
    assert latest_run(ledger.store) != run
    assert run.id in {found.id for found in runs(ledger.store)}
    for result in measured:
        save_result(ledger.store, run.id, result)
        save_result(ledger.store, run.id, result)  # a result told twice stands once
    finished = finish_run(ledger, run.id, clock=clock)
    assert finished.results == measured
    assert latest_run(ledger.store) == finished


def test_the_dictionary(profile: Profile, context: CheckContext, ledger: Ledger) -> None:
    run = run_and_keep(profile, context, ledger, actor="agent")
    told = run_dict(run)
    json.dumps(told)
    assert told["exit_code"] == 4
    assert told["verdict_label"]["ru"] == "ПРОВЕРКА НЕ ЗАВЕРШЕНА"
    assert [check["check"] for check in told["checks"]] == list(LINES)
    for check in told["checks"]:
        for key in ("title", "fix", "state_label", "severity_label", "family_label", "expected", "found"):
            assert list(check[key]) == list(LANGUAGES), key
    clock_check = told["checks"][1]
    assert clock_check["expected"]["ru"] == "отставание от последней записи журнала ≤ 60 с"
    assert clock_check["found"]["lv"] == "atpaliek no žurnāla pēdējā ieraksta: 0 s"
