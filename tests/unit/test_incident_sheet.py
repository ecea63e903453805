"""What an incident sheet keeps besides its steps: answers, who has it, files, links; and sheets of older ledgers."""

from __future__ import annotations

import io
import threading
import tomllib
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from PIL import Image
from pypdf import PdfReader

from exam_kit.agent.papers import hand_over_documents
from exam_kit.clock import FakeClock, iso
from exam_kit.errors import AccessDenied, PointInvalid, RefusedEntry
from exam_kit.home import Home
from exam_kit.journal.categories import SHIPPED, Categories, load_categories
from exam_kit.journal.incident import Incident, IncidentDraft
from exam_kit.journal.incident_cameras import Outage
from exam_kit.journal.incident_clock import MarkState, incident_clock
from exam_kit.journal.incident_files import MOST_PIXELS, states_of
from exam_kit.journal.incident_parts import Line
from exam_kit.journal.incidents import Incidents
from exam_kit.journal.numbering import RowRef
from exam_kit.journal.person import Person, person_of
from exam_kit.journal.room_call import RoomCallDraft, RoomCalls
from exam_kit.point import Point
from exam_kit.store import Account, Ledger, Role, Store
from exam_kit.store.evidence import KeptState, evidence_folder, keep_evidence, read_evidence
from tests.unit.test_forms_pdf import act_of

SPECIALIST = Account("spec", "Специалист Т. Т.", Role.SPECIALIST, "технический специалист", "ru")
HEAD = Account("head", "Руководитель Р. Р.", Role.HEAD_OF_POINT, "руководитель ППЭ", "ru")
MEMBER = Account("gek", "Член К. К.", Role.COMMISSION_MEMBER, "член ГЭК", "ru")
ENGINEER = Person("Инженер И. И.", "ООО «Сервис»")

LOST = datetime(2026, 5, 28, 4, 58, tzinfo=UTC)


@pytest.fixture
def sheets(ledger: Ledger, point: Point, clock: FakeClock) -> Incidents:
    return Incidents(ledger, point, clock)


def opened(sheets: Incidents, category: str = "cctv_lost", actor: Any = "agent") -> Incident:
    return sheets.open(IncidentDraft(category, "камера R1-1 не отвечает", LOST, room="0001", camera="R1-1"), actor)


# -- guided questions


def test_every_row_of_the_field_guide_is_a_category_with_questions() -> None:
    """Field guide, section 6: its limit, in minutes or days, and how many first actions at least."""
    guide = {
        "cctv_lost": (("minutes", 20), 3),
        "mains_failure": (("minutes", 20), 3),
        "stream_lost": (("days", 3), 2),
        "key_missing": (("exam_start", 0), 4),
        "unit_failure": (None, 3),
        "computer_station_hangs": (None, 2),
        "wrong_clock": (("exam_start", -60), 1),
        "wrong_view": (None, 3),
        "memory_card": (None, 3),
        "virus_or_update": (None, 2),
        "fire_evacuation": (None, 3),
    }
    known = load_categories().by_code
    for code, (limit, actions) in guide.items():
        found = known[code]
        assert (found.limit and (found.limit.kind, found.limit.value)) == limit, code
        assert len(found.first.en) >= actions, code
        assert len(found.questions) >= 3, code
    for code in ("cctv_lost", "mains_failure"):
        assert [mark.after_min for mark in known[code].marks] == [5, 10, 15]
        assert known[code].tell == ("head_of_point", "commission_member")


def test_answers_are_kept_in_the_words_they_were_asked_in(sheets: Incidents) -> None:
    opened(sheets)
    sheets.answer(1, {"power_there": False, "how_many_cameras": "room"}, SPECIALIST)
    sheet = sheets.answer(1, {"power_there": True, "candidates_affected": 14.0, "reserve_unit": "12-0045"}, HEAD)
    told = {answer.code: (answer.question("lv"), answer.text("lv"), answer.by.name) for answer in sheet.answers}
    assert told["power_there"] == ("Vai kamerai un komutatoram ir barošana", "jā", HEAD.name)
    assert told["how_many_cameras"] == ("Cik kameru neieraksta", "visas vienā telpā", SPECIALIST.name)
    assert (sheet.candidates, sheet.replaced_with) == (14, "12-0045"), "what an answer fills in stands in the field"
    assert [event.kind for event in sheet.timeline] == ["opened", "answered", "answered"]

    season = sheets.categories.model_dump(mode="python")
    for category in season["category"]:
        category["questions"] = ()
    later = Incidents(sheets._ledger, sheets._point, sheets._clock, Categories.model_validate(season))
    assert [answer.text("ru") for answer in later.get(1).answers][:2] == ["да", "все в одном помещении"]


@pytest.mark.parametrize(
    ("answers", "reason"),
    [
        ({}, "no question of this case"),
        ({"ups_minutes": 5}, "no question of this case"),
        ({"power_there": "yes"}, "is not an answer"),
        ({"power_there": 1}, "is not an answer"),
        ({"how_many_cameras": "two"}, "is not an answer"),
        ({"candidates_affected": -1}, "is not an answer"),
        ({"candidates_affected": 1.5}, "is not an answer"),
        ({"candidates_affected": True}, "is not an answer"),
        ({"candidates_affected": float("nan")}, "is not an answer"),
        ({"reserve_unit": " \n"}, "nothing is written"),
    ],
)
def test_what_is_no_answer(sheets: Incidents, answers: dict[str, Any], reason: str) -> None:
    opened(sheets)
    with pytest.raises(RefusedEntry, match=reason):
        sheets.answer(1, answers, SPECIALIST)
    assert sheets.get(1).answers == ()


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('kind = "yes_no"', 'kind = "maybe"'),
        ('kind = "choice"', 'kind = "text"'),
        ('fills = "replaced_with"', 'fills = "candidates"'),
        ('code = "other_camera_sees"', 'code = "power_there"'),
        ("most = 1440", "most = -1"),
    ],
)
def test_mistakes_in_the_questions_are_told_by_place(home: Home, old: str, new: str) -> None:
    home.profiles.mkdir()
    text = SHIPPED.read_text(encoding="utf-8")
    assert old in text
    (home.profiles / SHIPPED.name).write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(PointInvalid) as caught:
        load_categories(home)
    assert "category." in caught.value.details[0].text("en")


def test_a_copy_of_the_data_from_before_there_were_questions_is_taken(home: Home) -> None:
    home.profiles.mkdir()
    kept = tomllib.loads(SHIPPED.read_text(encoding="utf-8"))
    old = ['season = "2025"', "dated = 2025-11-21", 'source = "x"']
    for category in kept["category"][:2]:
        old += ["[[category]]", f'code = "{category["code"]}"', 'source = "x"']
        old += [f'label.{language} = "x"\nfirst.{language} = ["x"]' for language in ("ru", "en", "lv")]
    (home.profiles / SHIPPED.name).write_text("\n".join(old), encoding="utf-8")
    found = load_categories(home)
    assert [category.questions for category in found.category] == [(), ()]
    assert found.for_check("clock.offset") == "cctv_lost", "the first one, where neither fits"


@pytest.mark.parametrize(
    ("probe", "category"),
    [
        ("clock.offset", "wrong_clock"),
        ("camera.clock", "wrong_clock"),
        ("camera.view", "wrong_view"),
        ("antivirus.databases", "virus_or_update"),
        ("printer.ready", "unit_failure"),
        ("disk.free", "check_failed"),
    ],
)
def test_a_failed_check_is_of_the_category_that_names_its_probe(probe: str, category: str) -> None:
    assert load_categories().for_check(probe) == category


# -- in whose hands


def test_a_sheet_goes_up_the_lines_and_back_and_says_who_had_it_how_long(sheets: Incidents, clock: FakeClock) -> None:
    sheet = opened(sheets)
    assert (sheet.holder.line, sheet.holder.person, sheet.holder.since) == (Line.FIRST, None, LOST)
    sheets.hand(1, Line.FIRST, person_of(SPECIALIST), "", SPECIALIST)  # taken up: no reason is asked
    clock.advance(240)
    sheets.hand(1, "second", None, "перезагрузка не помогла", SPECIALIST)
    clock.advance(60)
    sheets.hand(1, "service", ENGINEER, "сгорел блок питания", SPECIALIST)
    clock.advance(600)
    sheet = sheets.hand(1, "first", person_of(SPECIALIST), "блок заменён, проверить запись", SPECIALIST)
    assert [(hand.line.value, hand.seconds(clock.now())) for hand in sheet.hands] == [
        ("first", 120),
        ("first", 240),
        ("second", 60),
        ("service", 600),
        ("first", 0),
    ]
    assert sheet.holder.person == person_of(SPECIALIST)
    assert [hand.line.rank for hand in sheet.hands] == [0, 0, 1, 2, 0]
    clock.advance(60)
    sheets.decide(1, "go_on", "", SPECIALIST)
    closed = sheets.close(1, clock.now(), "устранено", SPECIALIST, signed_off=HEAD)
    assert closed.holder.seconds(clock.now() + timedelta(days=1)) == 60, "a closed sheet is in nobody's hands longer"


def test_what_is_no_handing_over(sheets: Incidents, clock: FakeClock) -> None:
    opened(sheets, actor=SPECIALIST)
    with pytest.raises(RefusedEntry, match="no reason is written"):
        sheets.hand(1, "second", None, " ", SPECIALIST)
    with pytest.raises(RefusedEntry, match="they have it already"):
        sheets.hand(1, "first", Person("специалист  т. т."), "ещё раз", SPECIALIST)
    with pytest.raises(RefusedEntry, match="before it was received"):
        sheets.hand(1, "second", None, "не получается", SPECIALIST, LOST - timedelta(minutes=2))
    with pytest.raises(RefusedEntry, match="Name: nothing"):
        sheets.hand(1, "service", Person(" "), "не получается", SPECIALIST)
    with pytest.raises(RefusedEntry, match="still to come"):
        sheets.hand(1, "second", None, "не получается", SPECIALIST, clock.now() + timedelta(hours=1))
    assert len(sheets.get(1).hands) == 1


# -- clocks


def test_marks_are_done_by_what_the_sheet_says_not_by_the_time(
    sheets: Incidents, point: Point, clock: FakeClock
) -> None:
    opened(sheets)
    category = sheets.categories.by_code["cctv_lost"]

    def marks() -> list[str]:
        return [state.value for _mark, state in incident_clock(sheets.get(1), category, point, clock.now()).marks]

    assert marks() == [MarkState.AHEAD] * 3
    clock.advance(4 * 60)
    sheets.report(1, person_of(HEAD), SPECIALIST, role=HEAD.role)
    assert marks() == ["due", "ahead", "ahead"], "the commission member was not told"
    sheets.report(1, person_of(MEMBER), SPECIALIST, role=MEMBER.role)
    assert marks() == ["done", "ahead", "ahead"]
    clock.advance(10 * 60)
    assert marks() == ["done", "due", "due"]
    sheets.decide(1, "go_on", "пишет резервная камера", SPECIALIST)
    assert marks() == ["done", "done", "done"]


def test_when_it_happens_again_those_who_were_told_are_told_again(
    sheets: Incidents, point: Point, clock: FakeClock
) -> None:
    draft = IncidentDraft("mains_failure", "нет напряжения", LOST)
    sheets.open_for("mains", draft)
    for person in (HEAD, MEMBER):
        sheets.report(1, person_of(person), SPECIALIST, role=person.role)
    sheets.restored(1, "agent")
    clock.advance(3600)
    sheet = sheets.open_for("mains", IncidentDraft("mains_failure", "снова нет", clock.now()))
    assert sheet.told_roles == frozenset()
    told = incident_clock(sheet, sheets.categories.by_code["mains_failure"], point, clock.now() + timedelta(minutes=6))
    assert told.marks[0][1] is MarkState.DUE


# -- files


def picture(kind: str, size: tuple[int, int] = (40, 30)) -> bytes:
    target = io.BytesIO()
    Image.new("RGB", size, (10, 90, 160)).save(target, kind)
    return target.getvalue()


def test_files_are_kept_by_their_hash_and_looked_at_again(sheets: Incidents, home: Home) -> None:
    opened(sheets)
    files = [
        ("../шкаф\x00 1.jpg", picture("JPEG")),
        ("акт.pdf", b"%PDF-1.7\n...\n%%EOF\n"),
        ("лог.txt", b"port 3 down"),
    ]
    sheet = sheets.attach(1, files, SPECIALIST, text="шкаф связи")
    assert [one.name for one in sheet.files] == ["шкаф 1.jpg", "акт.pdf", "лог.txt"]
    assert [read_evidence(home, one.sha256) for one in sheet.files] == [content for _name, content in files]
    assert set(states_of(home, sheet.files).values()) == {KeptState.WHOLE}
    jpeg, pdf, text = (evidence_folder(home) / one.sha256 for one in sheet.files)
    jpeg.write_bytes(jpeg.read_bytes()[:-1] + b"?")
    pdf.unlink()
    assert list(states_of(home, sheet.files).values()) == [KeptState.ALTERED, KeptState.MISSING, KeptState.WHOLE]
    again = sheets.attach(1, [("ещё раз.txt", text.read_bytes())], SPECIALIST)
    assert len(again.files) == 4, "the same content under another name is another line"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "neither a whole picture"),
        (picture("JPEG")[:200], "neither a whole picture"),
        (picture("PNG")[:-30], "neither a whole picture"),
        (picture("TIFF"), "neither a whole picture"),
        (b"%PDF-1.7 and no end", "neither a whole picture"),
        (b"MZ\x90\x00\x03", "neither a whole picture"),
        (b"PK\x03\x04" + bytes(60), "neither a whole picture"),
        (b'<svg xmlns="x"><script>alert(1)</script></svg>', None),
        (b"\xff\xd8\xff" + bytes(5000), "neither a whole picture"),
        (b"a" * 25_000_001, "25000000"),
    ],
    ids=["empty", "cut jpeg", "cut png", "tiff", "cut pdf", "program", "zip", "markup as text", "no jpeg", "too big"],
)
def test_what_is_no_photo_and_no_paper_is_refused(sheets: Incidents, content: bytes, reason: str | None) -> None:
    opened(sheets)
    if reason is None:  # plain text, and given out as such: the kit's route shows only pictures and PDF
        assert len(sheets.attach(1, [("x", content)], SPECIALIST).files) == 1
        return
    with pytest.raises(RefusedEntry, match=reason):
        sheets.attach(1, [("x.jpg", content)], SPECIALIST)
    assert sheets.get(1).files == ()


def test_a_small_file_that_unpacks_to_a_huge_picture_is_refused_unread(sheets: Incidents) -> None:
    opened(sheets)
    side = int(MOST_PIXELS**0.5) + 100
    target = io.BytesIO()
    Image.new("1", (side, side)).save(target, "PNG")
    assert len(target.getvalue()) < 100_000
    with pytest.raises(RefusedEntry, match="too many"):
        sheets.attach(1, [("x.png", target.getvalue())], SPECIALIST)


def test_a_sheet_takes_ten_files_and_no_more(sheets: Incidents) -> None:
    opened(sheets)
    with pytest.raises(RefusedEntry, match="none is chosen"):
        sheets.attach(1, [], SPECIALIST)
    sheets.attach(1, [(f"{number}.txt", f"{number}".encode()) for number in range(9)], SPECIALIST)
    with pytest.raises(RefusedEntry, match="at most 10"):
        sheets.attach(1, [("10.txt", b"10"), ("11.txt", b"11")], SPECIALIST)
    assert len(sheets.get(1).files) == 9


# -- links


def test_links_add_up_and_stand_once(sheets: Incidents) -> None:
    opened(sheets)
    gap = Outage("R1-1", LOST, LOST + timedelta(seconds=40))
    sheets.note(1, SPECIALIST, log_rows=[RowRef(2026, 3)], checks=["run-1"], gaps=[gap], equipment=["12-0045"])
    sheet = sheets.note(1, HEAD, checks=["run-1", "run-2"], gaps=[gap], equipment=["12-0045", "12-0046"])
    assert (sheet.log_rows, sheet.checks, sheet.gaps) == ((RowRef(2026, 3),), ("run-1", "run-2"), (gap,))
    assert sheet.equipment == ("12-0045", "12-0046")


# -- older ledgers


def test_sheets_of_older_ledgers_are_read_and_closed(sheets: Incidents, ledger: Ledger, clock: FakeClock) -> None:
    """As the kit wrote them before there were answers, hands and sign-offs."""
    by = {"name": "Специалист Т. Т.", "post": "", "login": "spec"}
    for number in (1, 2):
        base = {"point": "77-0001", "year": 2026, "no": number, "by": by, "at": iso(LOST)}
        opening = {"category": "mains_failure", "text": "x", "detected_by": by, "room": "", "camera": "", "station": ""}
        ledger.append("incident.opened", {**base, **opening, "key": "", "gap_from": None, "log_rows": []}, "spec")
        told = {"text": "", "decision": "stop_exam", "agreed_by": {"name": "Председатель", "post": "", "login": ""}}
        ledger.append("incident.decided", {**base, **told}, "gek")
        ledger.append("incident.reported", {**base, "text": "", "to": by}, "spec")
    base = {"point": "77-0001", "year": 2026, "no": 1, "by": by, "at": iso(LOST)}
    ledger.append("incident.closed", {**base, "text": "устранено", "restored_at": None}, "spec")
    old, still_open = sheets.all()
    assert (old.is_open, old.signed_off, still_open.is_open) == (False, None, True)
    assert still_open.decision is not None and still_open.decision.agreed is not None
    assert (still_open.decision.agreed.at, still_open.told_roles) == (None, frozenset())
    assert (still_open.holder.line, still_open.holder.since) == (Line.FIRST, LOST)
    closed = sheets.close(2, clock.now(), "устранено", SPECIALIST, signed_off=HEAD)
    assert closed.signed_off == person_of(HEAD)


def test_a_hundred_sheets_are_carried_on_not_read_anew(sheets: Incidents, ledger: Ledger) -> None:
    for number in range(1, 121):
        opened(sheets, "unit_failure", SPECIALIST)
        sheets.decide(number, "go_on", "", SPECIALIST)
    sheets.all()
    read: list[int] = []
    entries = ledger.entries

    def counted(*arguments: Any, **named: Any) -> Any:
        for entry in entries(*arguments, **named):
            read.append(entry.seq)
            yield entry

    ledger.entries = counted  # type: ignore[method-assign]
    assert len(sheets.all()) == 120
    assert read == []
    sheets.step(7, "осмотрен", SPECIALIST)
    assert sheets.get(7).events("step")
    assert len(read) <= 3, "what was just written, and no more"


# -- in the bag


def test_the_bag_has_the_sheet_its_whole_files_and_the_room_calls(
    sheets: Incidents, home: Home, point: Point, store: Store, ledger: Ledger, clock: FakeClock
) -> None:
    opened(sheets)
    files = [("шкаф.jpg", picture("JPEG")), ("лог.txt", b"port 3 down"), ("акт.pdf", b"%PDF-1.7\n%%EOF\n")]
    jpeg, text, pdf = sheets.attach(1, files, SPECIALIST).files
    (evidence_folder(home) / pdf.sha256).write_bytes(b"another")
    RoomCalls(ledger, point, clock).call(RoomCallDraft("0001", "не печатает", clock.now()), SPECIALIST)
    act = replace(act_of(1, clock.now()), ledger_head=ledger.head())
    found = hand_over_documents(home, point, point.days[0], store, ledger, clock, act)
    content = {document.name: document.content for document in found}
    name = "incident-2026-001"
    assert {one for one in content if one.startswith(("incident", "room"))} == {
        f"{name}.pdf",
        f"{name}-{jpeg.sha256[:12]}.jpg",
        f"{name}-{text.sha256[:12]}.txt",
        "room-calls.pdf",
    }
    assert content[f"{name}-{text.sha256[:12]}.txt"] == b"port 3 down"
    sheet = " ".join(page.extract_text() for page in PdfReader(io.BytesIO(content[f"{name}.pdf"])).pages)
    assert "ИЗМЕНЁН" in sheet, "what stays out is said on the sheet"


def test_words_about_a_sheet_or_call_that_is_not_there_keep_nobody_from_writing(
    sheets: Incidents, ledger: Ledger, point: Point, clock: FakeClock
) -> None:
    words = {"point": "77-0001", "year": 2026, "no": 99, "at": iso(LOST), "text": "x", "by": person_of(HEAD).as_dict()}
    ledger.append("incident.step", words, "head")
    ledger.append("call.left", words, "head")
    assert opened(sheets).number == 1
    calls = RoomCalls(ledger, point, clock)
    assert calls.call(RoomCallDraft("0001", "не печатает бланк", clock.now()), SPECIALIST).number == 1
    assert len(sheets.all()) == len(calls.all()) == 1


def test_one_photo_added_by_several_at_a_time_is_kept_once(home: Home) -> None:
    failed: list[Exception] = []

    def keep(content: bytes) -> None:
        try:
            keep_evidence(home, [("photo.jpg", content)])
        except AccessDenied as problem:
            failed.append(problem)

    for number in range(40):
        people = [threading.Thread(target=keep, args=(bytes([number]) * 300_000,)) for _ in range(4)]
        for one in people:
            one.start()
        for one in people:
            one.join()
    assert not failed
    assert len(list(evidence_folder(home).iterdir())) == 40
