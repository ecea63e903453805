"""The review without a screen: what is said of the chain and when, prints, questions, gaps beside lines."""

from __future__ import annotations

import time
from datetime import date, timedelta

import pytest

from exam_kit.clock import FakeClock, iso
from exam_kit.errors import RefusedEntry, UsageError
from exam_kit.home import Home
from exam_kit.journal.access_log import AccessAction, AccessDraft, AccessLog
from exam_kit.journal.cabinet import CabinetAct, CabinetDraft
from exam_kit.journal.cabinet_log import CabinetLog
from exam_kit.journal.categories import load_categories
from exam_kit.journal.person import Person
from exam_kit.point import Point, Zone
from exam_kit.review.export import review_csv, review_pdf, review_xlsx
from exam_kit.review.integrity import (
    FRESH,
    Chain,
    Integrity,
    Judged,
    Prover,
    anchor_said,
    chain_said,
    judge_anchor,
    read_anchor,
)
from exam_kit.review.lines import look
from exam_kit.review.question import Book, Question
from exam_kit.review.unlogged import without_a_line
from exam_kit.store import Account, Checkpoint, Ledger, Role, Store
from exam_kit.store.keys import SigningKey

WRITER = Account("anna", "Альфа Образцова", Role.SPECIALIST, "технический специалист", "ru")


def proved(prover: Prover, ledger: Ledger) -> Integrity:
    """Wait until the check under way has ended."""
    until = time.monotonic() + 60
    while time.monotonic() < until:
        known = prover.look(ledger)
        if known.since is None:
            return known
        time.sleep(0.05)
    raise AssertionError("the check did not end")


def test_the_chain_is_never_called_whole_before_it_was_proved_nor_long_after(
    home: Home, ledger: Ledger, clock: FakeClock, point: Point
) -> None:
    ledger.append("agent.started", {}, "agent")
    prover = Prover(home, clock, page_first_s=0)
    first = prover.look(ledger)
    assert first.chain is Chain.CHECKING
    assert "not known" in chain_said(first, point, clock.now()).text("en")
    known = proved(prover, ledger)
    assert known.chain is Chain.WHOLE
    assert known.covers(ledger.head().seq)
    assert "whole: entries 2" in chain_said(known, point, clock.now()).text("en")
    ledger.append("agent.stopped", {}, "agent")
    later = prover.look(ledger)
    assert (later.chain, later.later, later.covers(ledger.head().seq)) == (Chain.WHOLE, 1, False)
    assert "not checked yet: 1" in chain_said(later, point, clock.now()).text("en")
    clock.advance(FRESH.total_seconds())
    assert prover.look(ledger).chain is Chain.CHECKING
    assert proved(prover, ledger).covers(ledger.head().seq)
    clock.advance(-7200)  # a clock set back makes no proof of what is still to come
    assert prover.look(ledger).chain is not Chain.WHOLE


def test_a_changed_entry_is_told_and_stays_told(
    home: Home, store: Store, ledger: Ledger, clock: FakeClock, point: Point
) -> None:
    for number in range(5):
        ledger.append("agent.started", {"number": number}, "agent")
    store.connection.execute("DROP TRIGGER ledger_no_update")
    store.connection.execute("UPDATE ledger SET record = replace(record, '\"number\":2', '\"number\":7') WHERE seq = 4")
    known = proved(prover := Prover(home, clock, page_first_s=0), ledger)
    assert known.chain is Chain.BROKEN
    assert "NOT whole" in chain_said(known, point, clock.now()).text("en")
    assert known.proof is not None
    assert "entry changed" in {one.kind for one in known.proof.findings}
    clock.advance(FRESH.total_seconds() + 1)
    assert prover.look(ledger).chain is Chain.BROKEN


def test_a_print_agrees_only_where_the_chain_up_to_it_is_proved(home: Home, ledger: Ledger, clock: FakeClock) -> None:
    ledger.append("agent.started", {}, "agent")
    made = ledger.checkpoint()
    assert made is not None
    unknown = Integrity(Chain.UNKNOWN, made.seq)
    assert judge_anchor(ledger, made, unknown) is Judged.NOT_PROVED
    known = proved(Prover(home, clock, page_first_s=0), ledger)
    assert judge_anchor(ledger, made, known) is Judged.AGREES
    signed = SigningKey.load_or_create(home.keys)

    def other(**changes: object) -> Checkpoint:
        values = {**vars(made), **changes}
        unsigned = Checkpoint(**values)
        return Checkpoint(**{**values, "signature": signed.sign(unsigned.message)})

    assert judge_anchor(ledger, other(hash="0" * 64), known) is Judged.DIFFERS
    assert judge_anchor(ledger, other(seq=made.seq + 5), known) is Judged.MISSING
    assert judge_anchor(ledger, other(ledger="another"), known) is Judged.FOREIGN
    assert judge_anchor(ledger, Checkpoint(**{**vars(made), "hash": "0" * 64}), known) is Judged.FORGED
    ledger.append("agent.stopped", {}, "agent")
    newer = ledger.checkpoint()
    assert newer is not None
    assert judge_anchor(ledger, newer, known) is Judged.NOT_PROVED


@pytest.mark.parametrize("cut", [" ", "\n", "  \n "])
def test_a_print_is_read_however_its_line_was_broken(ledger: Ledger, point: Point, cut: str) -> None:
    ledger.append("agent.started", {}, "agent")
    made = ledger.checkpoint()
    assert made is not None
    assert read_anchor(cut.join(made.line().split(" "))) == made
    assert read_anchor(made.text()) == made
    assert str(made.seq) in anchor_said(Judged.AGREES, made, point).text("lv")


@pytest.mark.parametrize("text", ["", "EK-HEAD-1", "EK-HEAD-1 a b c d e f", "what", "\ud800", "EK-HEAD-1 " + "x " * 9])
def test_what_is_no_print_is_refused(text: str) -> None:
    with pytest.raises(RefusedEntry):
        read_anchor(text)


def test_a_question_survives_its_address() -> None:
    from urllib.parse import parse_qsl

    asked = Question(Book.ACCESS, date(2026, 5, 28), None, "0001", "Пет & ров", "other", "a=b&c ё")
    assert Question.of(dict(parse_qsl(asked.query()))) == asked
    assert Question.of({}) == Question()
    for wrong in ({"book": "all"}, {"since": "28.05.2026"}, {"action": "cut"}):
        with pytest.raises(UsageError):
            Question.of(wrong)


def test_gaps_stand_beside_the_lines_of_their_time_and_place(
    home: Home, store: Store, ledger: Ledger, clock: FakeClock, point: Point
) -> None:
    log, at, minute = AccessLog(ledger, point, clock), clock.now(), timedelta(minutes=1)
    camera = point.cameras[0]
    elsewhere = next(room.code for room in point.rooms if room.code != camera.room)
    clock.advance(7200)
    spans = [(at, at + 5 * minute), (at + 60 * minute, at + 61 * minute), (at + 100 * minute, at + 110 * minute)]
    for room in (camera.room, elsewhere):
        for start, end in spans:
            log.add(AccessDraft(room, AccessAction.OPERABILITY_CHECK, start, end), WRITER)
    with store.transaction() as connection:
        connection.executemany(
            "INSERT INTO gap (camera, from_at, to_at, cause, detail) VALUES (?, ?, ?, 'disk_full', '')",
            [
                (camera.id, iso(at + 4 * minute), iso(at + 9 * minute)),
                (camera.id, iso(at + 20 * minute), iso(at + 21 * minute)),
                (camera.id, iso(at + 105 * minute), None),
            ],
        )
    found = look(ledger, point, load_categories(home), Question(), "en")
    assert (found.total, [line.number for line in found.lines]) == (6, [6, 5, 4, 3, 2, 1])
    assert [len(line.beside) for line in found.lines] == [0, 0, 0, 1, 0, 1]
    assert b"disk" in review_csv(point, found.lines, "en")
    assert review_xlsx(point, Question(), found.lines, "ru").startswith(b"PK")
    known = Integrity(Chain.UNKNOWN, 3)
    chain = chain_said(known, point, clock.now())
    for language in ("ru", "en", "lv"):
        assert review_pdf(point, Question(), found.lines, chain, language, ledger.head()).startswith(b"%PDF")
    with pytest.raises(UsageError):
        review_pdf(point, Question(), found.lines * 1000, chain, "ru", ledger.head())
    day = at.astimezone(point.tz).date()
    assert len(without_a_line(ledger, point, day, day)) == 0
    assert len(without_a_line(ledger, point, day - timedelta(days=3), day - timedelta(days=2))) == 0


def test_an_opened_cabinet_wants_a_line_about_the_room_it_stands_in(
    ledger: Ledger, clock: FakeClock, point: Point
) -> None:
    log, cabinets, at = AccessLog(ledger, point, clock), CabinetLog(ledger, point, clock), clock.now()
    draft = CabinetDraft(
        "ПАК", CabinetAct.OPENED, at, "осмотр", True, "1", Person("И. И."), (Person("О. О."), Person("П. П."))
    )
    line = cabinets.add(draft, WRITER)
    headquarters = next(room.code for room in point.rooms if room.zone is Zone.HEADQUARTERS)
    elsewhere = next(room.code for room in point.rooms if room.code != headquarters)
    day = at.astimezone(point.tz).date()
    log.add(AccessDraft(elsewhere, AccessAction.OTHER, at, at, text="осмотр"), WRITER)
    (bare,) = without_a_line(ledger, point, day, day)
    assert (bare.rooms, bare.start, bare.end) == ((headquarters,), line.at, line.at)
    assert "ПАК" in bare.what.text("en")
    log.add(AccessDraft(headquarters, AccessAction.OTHER, at, at, text="осмотр"), WRITER)
    assert without_a_line(ledger, point, day, day) == []
