"""A station's result is taken in once, judged here; everything else is refused with its own reason."""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import rfc8785

from exam_kit.checks.model import Result, State, Verdict
from exam_kit.checks.profile import read_profile
from exam_kit.checks.results import latest_run, runs, sign
from exam_kit.checks.station import Refusal, ResultRefused, matrix, sticks, taken_before
from exam_kit.checks.station_ed25519 import sign as ed25519
from exam_kit.checks.station_file import TITLE, seal, split
from exam_kit.checks.station_kit import withdraw
from exam_kit.checks.station_run import KEY_FILE, KIT_FILE, check_station, open_kit
from exam_kit.checks.verdicts import rejudge
from exam_kit.checks.waivers import Waivers
from exam_kit.checks.waivers_given import permitted, waivers_given
from exam_kit.clock import FakeClock, iso
from exam_kit.errors import NotSetUp, PointInvalid, UsageError
from exam_kit.i18n import LANGUAGES
from exam_kit.store import Account, Role
from tests.stations import Site, later, profile_text


@pytest.fixture
def site(tmp_path: Path, clock: FakeClock) -> Site:
    return Site.at(tmp_path / "laptop", clock)


@pytest.fixture
def stick(site: Site, tmp_path: Path) -> Path:
    return site.stick(tmp_path / "stick").folder


def refusal(site: Site, data: bytes, **more: Any) -> Refusal:
    """Why it is refused; the reason stands in three different languages, and nothing was kept."""
    before = site.store.query("SELECT count(*) AS n FROM check_run")
    with pytest.raises(ResultRefused) as refused:
        site.take(data, **more)
    texts = {refused.value.text(language) for language in LANGUAGES}
    assert len(texts) == 3
    assert all(text.startswith("file.txt: ") for text in texts)
    assert site.store.query("SELECT count(*) AS n FROM check_run") == before
    return refused.value.reason


def forged(stick: Path, data: bytes, change: Callable[[dict[str, Any]], object]) -> bytes:
    """The file as somebody with the stick's key could write it."""
    sealed = split(data)
    assert sealed is not None
    record = sealed.record()
    change(record)
    seed = bytes.fromhex((stick / KEY_FILE).read_text().strip())
    return seal("forged", record, lambda message: ed25519(seed, message))


def test_a_result_becomes_a_run_of_that_station(site: Site, stick: Path) -> None:
    data = site.result(stick)
    taken = site.take(data)
    assert (taken.station, taken.role, taken.remarks) == ("PRINT-1", "print", ())
    states = {result.check: result.state for result in taken.run.results}
    assert states == {"memory": State.OK, "cpu": State.OK, "zone": State.OK, "test-print": State.PENDING}
    assert {result.target for result in taken.run.results} == {"PRINT-1"}
    assert taken.run.verdict is Verdict.READY_WITH_REMARKS
    assert taken.run.day == "2026-05-28"
    (entry,) = site.ledger.entries(["station.taken"])
    assert entry.body["run"] == taken.run.id
    assert entry.body["sha256"] == hashlib.sha256(data).hexdigest()
    assert (site.home.root / entry.body["file"]).read_bytes() == data
    assert runs(site.store, station="PRINT-1")[0].id == taken.run.id
    # The laptop's own runs are others.
    assert latest_run(site.store) is None
    assert runs(site.store) == []


def test_no_changed_byte_is_taken(site: Site, stick: Path) -> None:
    data = site.result(stick)
    chance = random.Random(1)
    for place in range(len(data)):
        changed = bytearray(data)
        changed[place] ^= 1 << chance.randrange(8)
        with pytest.raises(ResultRefused) as refused:
            site.take(bytes(changed), note_refusal=False)
        assert refused.value.reason is Refusal.CHANGED, place
    for changed_length in (data[:-1], data + b"\n", data[1:], data.replace(b"\n", b"\r\n"), data + data):
        assert refusal(site, changed_length) in (Refusal.CHANGED, Refusal.UNREADABLE)
    assert site.take(data).station == "PRINT-1"


def test_a_mended_digest_does_not_help(site: Site, stick: Path) -> None:
    sealed = split(site.result(stick))
    assert sealed is not None
    for place in range(len(TITLE), len(sealed.message) - 1, 41):
        message = bytearray(sealed.message)
        message[place] ^= 1
        digest = hashlib.sha256(message).hexdigest()
        data = bytes(message) + f"sha256 {digest}\ned25519 {sealed.signature.hex()}\n".encode()
        with pytest.raises(ResultRefused) as refused:
            site.take(data, note_refusal=False)
        # Where the change is in the key's own name, or the line is no longer JSON, nobody can tell whose it was.
        assert refused.value.reason in (Refusal.CHANGED, Refusal.FOREIGN)


def test_another_points_stick_is_foreign(site: Site, stick: Path, tmp_path: Path, clock: FakeClock) -> None:
    other = Site.at(tmp_path / "other", clock, code="0002")
    theirs = other.stick(tmp_path / "their-stick").folder
    assert refusal(site, other.result(theirs)) is Refusal.FOREIGN
    # A point of the same code is another point still: its journal is another.
    twin = Site.at(tmp_path / "twin", clock)
    assert refusal(site, twin.result(twin.stick(tmp_path / "twin-stick").folder)) is Refusal.FOREIGN
    # Their key under our stick's name.
    ours = next(iter(sticks(site.ledger)))
    disguised = forged(theirs, site.result(stick), lambda record: record.update(stick=ours))
    assert refusal(site, disguised) is Refusal.CHANGED
    assert [entry.body["reason"] for entry in site.ledger.entries(["station.refused"])] == [
        "foreign",
        "foreign",
        "changed",
    ]


def test_a_result_names_the_point_it_is_for(site: Site, stick: Path) -> None:
    data = forged(stick, site.result(stick), lambda record: record["point"].update(code="0009"))
    assert refusal(site, data) is Refusal.FOREIGN


def test_old_results_are_stale(site: Site, stick: Path, clock: FakeClock) -> None:
    data = site.result(stick)
    assert refusal(site, data, clock=later(clock, days=2)) is Refusal.STALE
    assert refusal(site, data, clock=later(clock, hours=24, seconds=1)) is Refusal.STALE
    assert site.take(data, clock=later(clock, hours=24)).station == "PRINT-1"


def test_the_age_is_the_profiles(site: Site, stick: Path, clock: FakeClock) -> None:
    text = profile_text().replace("result_max_age_h = 24", "result_max_age_h = 72")
    profile = read_profile(text, "stations")
    assert site.take(site.result(stick), clock=later(clock, days=2), profile=profile).station == "PRINT-1"
    start = text.index("[stations]")
    silent = read_profile(text[:start] + text[text.index("[[checks]]") :], "stations")
    with pytest.raises(PointInvalid, match="result_max_age_h"):
        site.take(site.result(stick), profile=silent)


def test_a_station_whose_clock_is_wrong(site: Site, stick: Path, clock: FakeClock) -> None:
    assert refusal(site, site.result(stick, clock=later(clock, minutes=11))) is Refusal.CLOCK
    assert refusal(site, site.result(stick, clock=later(clock, hours=-3))) is Refusal.CLOCK
    assert site.take(site.result(stick, clock=later(clock, minutes=9))).station == "PRINT-1"


def test_nothing_is_taken_twice(site: Site, stick: Path) -> None:
    data = site.result(stick)
    assert not taken_before(site.store, data)
    site.take(data)
    assert taken_before(site.store, data)
    assert refusal(site, data) is Refusal.REPEATED
    again = forged(stick, data, lambda record: record.update(started_at=record["ended_at"]))
    assert refusal(site, again) is Refusal.REPEATED  # the same run in another file


def test_a_withdrawn_stick(site: Site, stick: Path) -> None:
    data = site.result(stick)
    (key,) = sticks(site.ledger)
    withdraw(site.ledger, key, why="lost", actor="ivanov")
    assert refusal(site, data) is Refusal.WITHDRAWN
    with pytest.raises(UsageError, match=key):
        withdraw(site.ledger, key, why="again", actor="ivanov")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"station": "PRINT-9"}, Refusal.STATION),
        ({"role": "scan"}, Refusal.STATION),
        ({"profile": {"name": "stations", "hash": "ab" * 32}}, Refusal.PROFILE),
        ({"format": "exam-kit station result v2"}, Refusal.UNREADABLE),
        ({"ended_at": "yesterday"}, Refusal.UNREADABLE),
        ({"more": 1}, Refusal.UNREADABLE),
        ({"checks": "none"}, Refusal.UNREADABLE),
        ({"stick": "ab" * 8}, Refusal.FOREIGN),
    ],
)
def test_what_a_stick_signed_is_still_examined(
    site: Site, stick: Path, change: dict[str, object], reason: Refusal
) -> None:
    data = site.result(stick)
    assert refusal(site, forged(stick, data, lambda record: record.update(change))) is reason


@pytest.mark.parametrize("data", [b"", b"hello", b"\x89PNG" * 100, b"x" * 3_000_000])
def test_what_is_no_result_at_all(site: Site, data: bytes) -> None:
    assert refusal(site, data) is Refusal.UNREADABLE


def test_the_states_of_the_file_are_not_believed(site: Site, stick: Path) -> None:
    """The laptop's rules decide, whatever the station thought of its facts."""
    strict = read_profile(
        profile_text({"memory": "expect.fail = [{ of = 'total', below = 9_000_000_000_000_000 }]"}), "stations"
    )
    taken = site.take(site.result(stick), profile=strict)
    states = {result.check: result.state for result in taken.run.results}
    assert states["memory"] is State.FAIL
    assert taken.run.verdict is Verdict.NOT_READY
    assert [str(remark)[:30] for remark in taken.remarks] == ["The stick carries an older sta"]
    (row,) = [row for row in matrix(site.store, site.point, site.profile, now=site.clock.now()).rows if row.run]
    assert row.other_profile


def _left_out(record: dict[str, Any]) -> None:
    record["checks"] = [told for told in record["checks"] if told["check"] != "memory"]


def _other_probe(record: dict[str, Any]) -> None:
    next(told for told in record["checks"] if told["check"] == "memory")["probe"] = "cpu.cores"


def _other_args(record: dict[str, Any]) -> None:
    next(told for told in record["checks"] if told["check"] == "memory")["args"] = {"more": 1}


def _signed_by_file(record: dict[str, Any]) -> None:
    fact = next(told for told in record["checks"] if told["check"] == "test-print")["fact"]
    fact.update(outcome="measured", values={"done": True})


def _not_a_number(record: dict[str, Any]) -> None:
    fact = next(told for told in record["checks"] if told["check"] == "memory")["fact"]
    fact["values"]["total"] = "plenty"


@pytest.mark.parametrize(
    ("change", "check"),
    [
        (_left_out, "memory"),
        (_other_probe, "memory"),
        (_other_args, "memory"),
        (_not_a_number, "memory"),
        (_signed_by_file, "test-print"),
    ],
)
def test_what_was_not_measured_as_asked_is_unknown(
    site: Site, stick: Path, change: Callable[[dict[str, Any]], None], check: str
) -> None:
    taken = site.take(forged(stick, site.result(stick), change))
    assert {result.check: result.state for result in taken.run.results}[check] is State.UNKNOWN
    assert taken.run.verdict in (Verdict.INCOMPLETE, Verdict.READY_WITH_REMARKS)


def test_an_answer_given_by_hand_stays_through_the_next_file(site: Site, stick: Path, clock: FakeClock) -> None:
    first = site.take(site.result(stick))
    person = Account("petrova", "Член А. А.", Role.SPECIALIST, "", "ru")
    sign(site.ledger, first.run.id, "test-print", "PRINT-1", State.OK, person, clock=clock)
    clock.advance(60)
    second = site.take(site.result(stick))
    result = next(result for result in second.run.results if result.check == "test-print")
    assert (result.state, result.carried_from) == (State.OK, first.run.id)
    assert second.run.verdict is Verdict.READY


def test_waivers_in_force_cover_what_a_file_brings(site: Site, tmp_path: Path, clock: FakeClock) -> None:
    limits = '[waivers]\nmost_severity = "major"\nlongest_h = 2\n'
    few = {"cpu": "expect.fail = [{ of = 'cores', below = 100000 }]"}
    site.profile = read_profile(profile_text(few).replace("[[checks]]", limits + "[[checks]]", 1), "stations")
    stick = site.stick(tmp_path / "stick").folder
    member = Account("petrova", "Член А. А.", Role.COMMISSION_MEMBER, "", "ru")
    given = Waivers(site.ledger, site.home, site.profile).give(
        "cpu", "PRINT-1", "no other computer", clock.now() + timedelta(hours=2), member
    )
    clock.advance(60)
    run = site.take(site.result(stick)).run
    result = next(result for result in run.results if result.check == "cpu")
    assert result.waived is not None
    assert (result.state, result.waived.waiver.number) == (State.WAIVED, given.number)
    assert run.verdict is Verdict.READY_WITH_REMARKS
    in_force = permitted(waivers_given(site.ledger, at=iso(clock.now())), site.profile)
    for row in site.store.query("SELECT body FROM check_result WHERE run = ?", (run.id,)):
        kept = Result.from_dict(json.loads(row["body"]))
        assert json.dumps(rejudge(rejudge(kept), waivers=in_force).as_dict(), ensure_ascii=False) == row["body"]
    other = site.take(site.result(stick, "ORG-1")).run
    assert next(result.state for result in other.results if result.check == "cpu") is State.FAIL
    clock.advance(3 * 3600)
    late = site.take(site.result(stick)).run
    assert next(result.state for result in late.results if result.check == "cpu") is State.FAIL


def test_one_computer_under_two_names_is_remarked(site: Site, stick: Path, clock: FakeClock) -> None:
    site.take(site.result(stick, "PRINT-1"))
    clock.advance(60)
    taken = site.take(site.result(stick, "ORG-1"))
    assert "PRINT-1" in str(taken.remarks[0])


def test_the_matrix_has_every_station_and_says_what_is_missing(site: Site, stick: Path, clock: FakeClock) -> None:
    older = site.result(stick, "PRINT-1")
    clock.advance(60)
    newer = site.result(stick, "PRINT-1")
    site.take(newer)
    site.take(older)  # brought later, but made earlier
    clock.advance(3600)
    found = matrix(site.store, site.point, site.profile, now=clock.now())
    assert [check.id for check in found.checks] == ["memory", "cpu", "zone", "channel", "test-print"]
    printing, scanning, organiser = found.rows
    assert (printing.station.id, printing.missing, printing.stale, printing.age_s) == ("PRINT-1", False, False, 3600)
    assert [cell.state for cell in printing.cells] == [State.OK, State.OK, State.OK, None, State.PENDING]
    assert printing.host
    assert (scanning.missing, scanning.age_s, scanning.verdict) == (True, None, None)
    assert [cell.state for cell in scanning.cells] == [State.UNKNOWN] * 4 + [None]
    assert [cell.state for cell in organiser.cells] == [State.UNKNOWN, State.UNKNOWN, None, None, None]
    assert matrix(site.store, site.point, site.profile, now=clock.now() + timedelta(days=2)).rows[0].stale


def test_a_stick_made_again_has_another_key_and_keeps_its_results(site: Site, stick: Path) -> None:
    data = site.result(stick)
    (stick / "app" / "exam_kit" / "left_over.py").write_text("old = True\n")
    made = site.stick(stick)
    assert len(sticks(site.ledger)) == 2
    assert made.key == json.loads((stick / KIT_FILE).read_text())["stick"]
    assert list((stick / "results").iterdir())
    assert not (stick / "app" / "exam_kit" / "left_over.py").exists()
    assert site.take(data).station == "PRINT-1"


def test_a_folder_that_is_not_ours_is_left_alone(site: Site, tmp_path: Path) -> None:
    (tmp_path / "usb" / "app").mkdir(parents=True)
    with pytest.raises(UsageError, match="empty folder"):
        site.stick(tmp_path / "usb")


def test_a_damaged_stick_checks_nothing(site: Site, stick: Path) -> None:
    (stick / "app" / "exam_kit" / "clock.py").write_text("changed = True\n")
    with pytest.raises(NotSetUp, match=r"clock\.py"):
        open_kit(stick)
    with pytest.raises(NotSetUp, match="station kit"):
        open_kit(stick / "results")


def test_only_the_points_own_stations_are_checked(stick: Path, clock: FakeClock) -> None:
    with pytest.raises(UsageError, match="PRINT-1, SCAN-1, ORG-1"):
        check_station(open_kit(stick), "PRINT-2", clock=clock)


def test_the_private_key_is_nowhere_but_on_the_stick(site: Site, stick: Path) -> None:
    seed = (stick / KEY_FILE).read_text().strip()
    site.take(site.result(stick))
    site.ledger.checkpoint()
    site.store.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    places = [*site.home.root.rglob("*"), *(stick / "results").iterdir(), stick / KIT_FILE]
    for path in places:
        if path.is_file():
            content = path.read_bytes()
            assert seed.encode() not in content
            assert bytes.fromhex(seed) not in content


def test_the_record_is_canonical_on_one_line(site: Site, stick: Path) -> None:
    sealed = split(site.result(stick))
    assert sealed is not None
    line = sealed.message.splitlines()[-1]
    assert rfc8785.dumps(json.loads(line)) == line
    head = sealed.message.decode()
    assert "PRINT-1" in head
    assert "[" in head
