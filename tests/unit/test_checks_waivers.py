"""Waivers and answers by hand: who may, for how long, what they change, and that they end by themselves."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from exam_kit.checks import CheckContext, Profile, Result, State, Verdict, run_and_keep
from exam_kit.checks.model import Run, Severity
from exam_kit.checks.profile import read_profile
from exam_kit.checks.results import get_run, run_dict, sign, sign_rest, told, under
from exam_kit.checks.verdicts import rejudge, waive
from exam_kit.checks.waivers import Waivers
from exam_kit.clock import FakeClock, iso
from exam_kit.errors import AccessDenied, RefusedEntry, StoreError
from exam_kit.home import Home
from exam_kit.point import Point, Secrets
from exam_kit.store import Account, Ledger, Role, Store
from exam_kit.store.evidence import MOST_BYTES, evidence_folder, read_evidence

TEXTS = '{ ru = "т", en = "t", lv = "ť" }'
HEAD = f'season = "t"\nvalid_from = 2026-01-01\nsource = "t"\nbudget_s = 60\ntitle = {TEXTS}\n'
LIMITS = '[waivers]\nmost_severity = "{most}"\nlongest_h = 24\n'
FAULT = 'expect.fail = [{ of = "whole", is = true }]'
LINES = {
    "seal": 'probe = "manual.confirm"\nseverity = "major"',
    "views": 'probe = "manual.confirm"\nseverity = "minor"\nargs = { roles = ["commission_member"] }',
    "keys": 'probe = "manual.confirm"\nseverity = "minor"\nargs = { roles = ["head_of_point"] }',
    "minor": f'probe = "ledger.whole"\nseverity = "minor"\n{FAULT}',
    "major": f'probe = "ledger.whole"\nseverity = "major"\n{FAULT}',
    "grave": f'probe = "ledger.whole"\nseverity = "blocker"\n{FAULT}',
}
MEMBER = Account("petrova", "Член П. П.", Role.COMMISSION_MEMBER, "член ГЭК", "ru")
SPECIALIST = Account("ivanov", "Специалист И. И.", Role.SPECIALIST, "технический специалист", "ru")


def profile_of(most: str = "blocker", lines: dict[str, str] | None = None) -> Profile:
    checks = "".join(
        f'[[checks]]\nid = "{check}"\n{found}\ntimeout_s = 5\ntitle = {TEXTS}\nfix = {TEXTS}\n'
        for check, found in (lines or LINES).items()
    )
    return read_profile(HEAD + (LIMITS.format(most=most) if most else "") + checks, "test")


@pytest.fixture
def context(point: Point, home: Home, store: Store, clock: FakeClock, ledger: Ledger) -> CheckContext:
    ledger.append("agent.started", {}, "agent")
    return CheckContext(point, home, store, Secrets(home, file_only=True), point.days[0], clock)


@pytest.fixture
def run(context: CheckContext, ledger: Ledger) -> Run:
    return run_and_keep(profile_of(), context, ledger, actor="agent")


@pytest.fixture
def waivers(ledger: Ledger, home: Home) -> Waivers:
    return Waivers(ledger, home, profile_of())


def states(run: Run) -> dict[str, str]:
    return {result.check: result.state.value for result in run.results}


def test_a_waiver_changes_the_latest_run_at_once(
    run: Run, waivers: Waivers, ledger: Ledger, clock: FakeClock, store: Store
) -> None:
    assert run.verdict is Verdict.NOT_READY
    given = waivers.give("grave", "", " сеть проверена ", clock.now() + timedelta(hours=2), MEMBER)
    assert (given.why, given.most, given.name) == ("сеть проверена", Severity.BLOCKER, MEMBER.name)
    after = get_run(store, run.id)
    assert states(after)["grave"] == "waived"
    assert states(after)["major"] == "fail"
    assert after.verdict is Verdict.READY_WITH_REMARKS
    (entry,) = ledger.entries(["waiver.given"])
    assert (entry.seq, entry.actor, entry.body["until"]) == (given.number, "petrova", given.until)
    shown = run_dict(after)
    assert [(one["check"], one["covers"], one["name"]) for one in shown["waivers"]] == [("grave", "fail", MEMBER.name)]
    json.dumps(shown)


def test_it_ends_by_itself(
    run: Run, waivers: Waivers, context: CheckContext, ledger: Ledger, clock: FakeClock, store: Store
) -> None:
    given = waivers.give("grave", "", "why", clock.now() + timedelta(hours=2), MEMBER)
    clock.advance(3600)
    again = run_and_keep(profile_of(), context, ledger, actor="agent")
    assert states(again)["grave"] == "waived"
    assert [one.number for one in waivers.active(clock.now())] == [given.number]
    clock.advance(3600)  # the end itself is no longer covered
    assert not waivers.active(clock.now())
    assert states(under(again, waivers.active(clock.now())))["grave"] == "fail"
    assert under(again, waivers.active(clock.now())).verdict is Verdict.NOT_READY
    assert run_and_keep(profile_of(), context, ledger, actor="agent").verdict is Verdict.NOT_READY
    assert get_run(store, again.id).verdict is Verdict.READY_WITH_REMARKS  # what was, stays as it was


def test_withdrawing(run: Run, waivers: Waivers, clock: FakeClock, store: Store) -> None:
    given = waivers.give("grave", "", "why", clock.now() + timedelta(hours=2), MEMBER)
    clock.advance(60)
    with pytest.raises(AccessDenied):
        waivers.withdraw(given.number, "mended", SPECIALIST)
    with pytest.raises(RefusedEntry):
        waivers.withdraw(given.number, " ", MEMBER)
    gone = waivers.withdraw(given.number, "mended", MEMBER)
    assert gone.withdrawn_at == iso(clock.now())
    assert get_run(store, run.id).verdict is Verdict.NOT_READY
    with pytest.raises(RefusedEntry):
        waivers.withdraw(given.number, "again", MEMBER)
    assert [one.number for one in waivers.all()] == [given.number]


@pytest.mark.parametrize(
    ("most", "check", "why", "hours", "actor", "error"),
    [
        ("major", "grave", "why", 1, MEMBER, RefusedEntry),  # graver than the profile allows
        ("", "minor", "why", 1, MEMBER, RefusedEntry),  # the profile allows none
        ("blocker", "nothing", "why", 1, MEMBER, RefusedEntry),
        ("blocker", "major", "  ", 1, MEMBER, RefusedEntry),
        ("blocker", "major", "why", 25, MEMBER, RefusedEntry),
        ("blocker", "major", "why", 0, MEMBER, RefusedEntry),
        ("blocker", "major", "why", -1, MEMBER, RefusedEntry),
        ("blocker", "major", "why", 1, SPECIALIST, AccessDenied),
    ],
)
def test_what_is_refused(
    run: Run,
    ledger: Ledger,
    home: Home,
    clock: FakeClock,
    most: str,
    check: str,
    why: str,
    hours: int,
    actor: Account,
    error: type[Exception],
) -> None:
    with pytest.raises(error):
        Waivers(ledger, home, profile_of(most)).give(check, "", why, clock.now() + timedelta(hours=hours), actor)
    assert not list(ledger.entries(["waiver.given"]))
    assert get_run(ledger.store, run.id) == run


def test_a_stricter_profile_ends_what_it_does_not_allow(
    run: Run, waivers: Waivers, context: CheckContext, ledger: Ledger, clock: FakeClock
) -> None:
    for check in ("grave", "major"):
        waivers.give(check, "", "why", clock.now() + timedelta(hours=2), MEMBER)
    clock.advance(60)
    found = states(run_and_keep(profile_of("major"), context, ledger, actor="agent"))
    assert (found["grave"], found["major"]) == ("fail", "waived")
    found = states(run_and_keep(profile_of(""), context, ledger, actor="agent"))
    assert (found["grave"], found["major"]) == ("fail", "fail")


def test_a_waiver_does_not_follow_a_check_that_became_graver(run: Run, waivers: Waivers, clock: FakeClock) -> None:
    given = waivers.give("minor", "", "why", clock.now() + timedelta(hours=2), MEMBER)
    (result,) = [one for one in run.results if one.check == "minor"]
    assert waive(result, [given]).state is State.WAIVED
    grave = Result.from_dict(result.as_dict() | {"severity": "blocker"})
    assert waive(grave, [given]).state is State.FAIL


def test_stored_results_judge_to_the_same_bytes_under_the_same_waivers(
    run: Run, waivers: Waivers, context: CheckContext, ledger: Ledger, clock: FakeClock
) -> None:
    waivers.give("grave", "", "why", clock.now() + timedelta(hours=2), MEMBER)
    waivers.give("minor", "", "why", clock.now() + timedelta(hours=3), MEMBER)
    sign(ledger, run.id, "seal", "", State.FAIL, SPECIALIST, "broken", clock=clock)
    waivers.give("seal", "", "a new seal is on its way", clock.now() + timedelta(hours=1), MEMBER)
    clock.advance(60)
    again = run_and_keep(profile_of(), context, ledger, actor="agent")
    in_force = waivers.active(clock.now())
    assert list(states(again).values()).count("waived") == 3
    for kept in (run, again):
        for row in ledger.store.query("SELECT body FROM check_result WHERE run = ?", (kept.id,)):
            result = Result.from_dict(json.loads(row["body"]))
            assert json.dumps(rejudge(result, waivers=in_force).as_dict(), ensure_ascii=False) == row["body"]
            bare = rejudge(result)
            assert bare.state is not State.WAIVED
            assert json.dumps(rejudge(bare, waivers=in_force).as_dict(), ensure_ascii=False) == row["body"]


def test_a_photo_is_kept_with_the_answer(run: Run, ledger: Ledger, home: Home, clock: FakeClock) -> None:
    photo = b"\xff\xd8 a photo"
    signed = sign(
        ledger,
        run.id,
        "seal",
        "",
        State.WARN,
        SPECIALIST,
        "worn",
        attachments=[("C:\\a/../пломба.jpg", photo)],
        clock=clock,
    ).signed
    assert signed is not None
    (kept,) = signed.attachments
    assert (kept.name, kept.bytes) == ("пломба.jpg", len(photo))
    assert read_evidence(home, kept.sha256) == photo
    (entry,) = ledger.entries(["check.signed"])
    assert entry.body["attachments"] == [{"name": "пломба.jpg", "sha256": kept.sha256, "bytes": len(photo)}]
    assert get_run(ledger.store, run.id).results[0].signed == signed
    (evidence_folder(home) / kept.sha256).write_bytes(b"another")
    with pytest.raises(StoreError):
        read_evidence(home, kept.sha256)
    for name in ("f" * 64, "../store/exam-kit.db", ""):
        with pytest.raises(StoreError):
            read_evidence(home, name)


@pytest.mark.parametrize("attachments", [[("a", b"")], [("a", b"x" * (MOST_BYTES + 1))], [("a", b"x")] * 11])
def test_an_attachment_that_is_refused(
    run: Run, ledger: Ledger, home: Home, clock: FakeClock, attachments: list[tuple[str, bytes]]
) -> None:
    with pytest.raises(RefusedEntry):
        sign(ledger, run.id, "seal", "", State.OK, SPECIALIST, attachments=attachments, clock=clock)
    assert not evidence_folder(home).exists()
    assert get_run(ledger.store, run.id) == run


def test_the_rest_is_fine(run: Run, ledger: Ledger, clock: FakeClock) -> None:
    sign(ledger, run.id, "seal", "", State.FAIL, SPECIALIST, "broken", clock=clock)
    assert [one.check for one in sign_rest(ledger, run.id, MEMBER, clock=clock)] == ["views"]
    found = states(get_run(ledger.store, run.id))
    assert (found["seal"], found["views"], found["keys"]) == ("fail", "ok", "pending")
    with pytest.raises(RefusedEntry):
        sign_rest(ledger, run.id, MEMBER, clock=clock)


def test_what_is_told_has_the_run_before(
    run: Run, context: CheckContext, ledger: Ledger, clock: FakeClock, store: Store
) -> None:
    assert told(store, run)["comparison"] is None
    clock.advance(60)
    again = run_and_keep(profile_of(), context, ledger, actor="agent")
    assert told(store, again)["comparison"]["before"] == run.id
