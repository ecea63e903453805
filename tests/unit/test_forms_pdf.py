"""Forms on paper: what stands in them, in three languages, and that texts stay texts."""

from __future__ import annotations

import datetime as dt
import io
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from pypdf import PdfReader

from exam_kit.archive.act import ActFile, ActGap, Carrier, HandoverAct
from exam_kit.checks.wording import value_text
from exam_kit.clock import FakeClock
from exam_kit.errors import m
from exam_kit.forms import access_log_pdf, check_protocol_pdf, handover_act_pdf, incident_pdf
from exam_kit.forms.access_log import COLUMNS, TITLE
from exam_kit.forms.incident_words import FIELDS
from exam_kit.forms.sheet import DUTY_SIGNATURES
from exam_kit.i18n import LANGUAGES, translate
from exam_kit.journal.access_log import AccessDraft, AccessLog
from exam_kit.journal.incident_parts import Agreement, Way
from exam_kit.journal.incidents import IncidentDraft, Incidents
from exam_kit.journal.numbering import RowRef
from exam_kit.journal.person import Person
from exam_kit.point import Point
from exam_kit.store import Account, Head, Ledger, Role

SPECIALIST = Account("spec", "Специалист Т. Т.", Role.SPECIALIST, "технический специалист", "ru")
HEAD = Account("head", "Руководитель Р. Р.", Role.HEAD_OF_POINT, "руководитель ППЭ", "ru")
MEMBER = Account("gek", "Член К. К.", Role.COMMISSION_MEMBER, "член ГЭК", "ru")
AT = Head(124, "0123456789abcdef" * 4)
DAY = dt.date(2026, 5, 28)
Make = Callable[[str], bytes]


def text_of(pdf: bytes) -> str:
    """All pages' text, on one line, without the soft breaks."""
    pages = PdfReader(io.BytesIO(pdf)).pages
    text = " ".join(page.extract_text() for page in pages)
    return " ".join(text.replace("\u200b", "").replace("\u00ad", "").replace("\u00a0", " ").split())


def squeezed(text: str) -> str:
    """Without spaces and hyphens: where a narrow column broke a line does not matter."""
    return "".join(text.replace("-", "").replace("\u00ad", "").replace("\u200b", "").split())


@pytest.fixture
def log(ledger: Ledger, point: Point, clock: FakeClock) -> AccessLog:
    found = AccessLog(ledger, point, clock)
    now = clock.now()
    found.add(AccessDraft("0001–0002, 7777", "operability_check", now, now), SPECIALIST)
    found.countersign(1, HEAD)
    found.add(AccessDraft("7777", "recording_started", now), SPECIALIST)
    found.correct(2, AccessDraft("0001", "recording_started", now, now), "не та аудитория", SPECIALIST)
    return found


@pytest.fixture
def make_log(log: AccessLog, point: Point, clock: FakeClock) -> Make:
    return lambda language: access_log_pdf(point, DAY, log.rows(DAY), language, AT, made_at=clock.now())


@pytest.fixture
def make_sheet(ledger: Ledger, point: Point, clock: FakeClock) -> Make:
    sheets = Incidents(ledger, point, clock)
    sheets.open(IncidentDraft("cctv_lost", "нет связи с R1-1", clock.now(), room="0001", camera="R1-1"), "agent")
    sheets.report(1, Person(HEAD.name, HEAD.post), SPECIALIST)
    sheets.note(1, SPECIALIST, candidates=14, gap_from=clock.now(), gap_to=clock.now(), log_rows=[RowRef(2026, 3)])
    sheets.answer(1, {"power_there": False, "how_many_cameras": "room", "candidates_affected": 14}, SPECIALIST)
    sheets.hand(1, "service", Person("Инженер И. И.", "ООО «Сервис»"), "нет питания в шкафу", SPECIALIST)
    sheets.attach(1, [("шкаф.txt", "снимок журнала коммутатора".encode())], SPECIALIST)
    agreed = Agreement(Person("Председатель П. П."), clock.now(), Way.PHONE)
    sheets.decide(1, "stop_exam", "", MEMBER, agreed=agreed)
    sheet = sheets.close(1, clock.now(), "передано в ГЭК", SPECIALIST, signed_off=HEAD)
    return lambda language: incident_pdf(point, sheet, language, AT, made_at=clock.now())


def act_of(count: int, now: datetime) -> HandoverAct:
    return HandoverAct(
        number="7",
        made_at=now,
        region="77",
        region_name="Регион-образец",
        point_code="0001",
        point_name="Школа-образец",
        address="ул. Примерная, 1",
        timezone="Europe/Moscow",
        exam_date=DAY,
        subject="Математика",
        copy=2,
        bag="77_0001_20260528",
        carrier=Carrier("removable", "/media/x", serial="4C53-0001"),
        zones=("entrance",),
        files=tuple(
            ActFile(
                f"data/entrance/77_0001_20260528_ENTR_ENTR-1_{number:06}.mp4",
                "entrance",
                "ENTR",
                "ENTR-1",
                now + timedelta(minutes=number),
                now + timedelta(minutes=number + 1),
                15_000_000,
                f"{number:064x}",
            )
            for number in range(count)
        ),
        gaps=(ActGap("ENTR-1", "ENTR", "entrance", now, now + timedelta(seconds=6), "camera_unreachable"),),
        deficiencies=(m("Lines: {lines}, of them in force: {standing}.", lines=1, standing=0),),
        handed_by="spec",
        witness="head",
        keep_until=dt.date(2027, 3, 1),
        ledger_head=AT,
    )


@pytest.fixture
def make_act(point: Point, clock: FakeClock) -> Make:
    people = {"spec": Person(SPECIALIST.name, SPECIALIST.post)}
    return lambda language: handover_act_pdf(point, DAY, act_of(3, clock.now()), language, AT, people=people)


def check(state: str, target: str = "") -> dict[str, Any]:
    """One result as `exam_kit.checks.run_dict` gives it."""
    word = dict.fromkeys(LANGUAGES, state.upper())
    return {
        "check": "camera.answers",
        "target": target,
        "family_label": dict.fromkeys(LANGUAGES, "Камеры"),
        "title": dict.fromkeys(LANGUAGES, "Камера отвечает"),
        "state": state,
        "state_label": word,
        "severity_label": dict.fromkeys(LANGUAGES, "важно"),
        "expected": dict.fromkeys(LANGUAGES, "да"),
        "found": dict.fromkeys(LANGUAGES, "нет"),
        "fix": dict.fromkeys(LANGUAGES, "проверьте кабель"),
        "signed": None,
    }


def run_of(*checks: dict[str, Any]) -> dict[str, Any]:
    states = [found["state"] for found in checks]
    return {
        "id": "r1",
        "profile": "demo",
        "profile_hash": "f" * 64,
        "actor": "spec",
        "started_at": "2026-05-28T05:00:00.000000Z",
        "ended_at": "2026-05-28T05:00:02.000000Z",
        "verdict": "not_ready",
        "verdict_label": dict.fromkeys(LANGUAGES, "НЕ ГОТОВ"),
        "counts": {state: states.count(state) for state in states},
        "checks": list(checks),
    }


@pytest.fixture
def make_protocol(point: Point, clock: FakeClock) -> Make:
    run = run_of(check("ok"), check("fail", "R1-1"), check("fail", "HQ-1"), check("unknown", "COR1-1"))
    return lambda language: check_protocol_pdf(point, DAY, run, language, AT, made_at=clock.now())


FORMS = ["make_log", "make_sheet", "make_act", "make_protocol"]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("form", FORMS)
def test_every_form_names_the_point_the_ledger_and_its_pages(
    form: str, language: str, request: pytest.FixtureRequest
) -> None:
    pdf = request.getfixturevalue(form)(language)
    text = text_of(pdf)
    pages = len(PdfReader(io.BytesIO(pdf)).pages)
    assert "Школа-образец, ул. Примерная, 1" in text
    assert AT.hash in squeezed(text)
    for said, values in (
        ("page {page} of {pages}", {"page": pages, "pages": pages}),
        ("Ledger: entry № {seq}, hash", {"seq": 124}),
        ("signature", {}),
    ):
        assert translate(said, language).format(**values) in text
    assert "(Europe/Moscow, UTC+03:00)" in text


@pytest.mark.parametrize("form", FORMS)
def test_the_same_input_gives_the_same_bytes(form: str, request: pytest.FixtureRequest) -> None:
    make = request.getfixturevalue(form)
    assert make("ru") == make("ru")
    assert make("ru") != make("lv")


@pytest.mark.parametrize("form", FORMS)
def test_a_form_is_an_archival_pdf_with_its_fonts_inside(form: str, request: pytest.FixtureRequest) -> None:
    pdf = request.getfixturevalue(form)("ru")
    assert b"pdfaid:part" in pdf
    pages: list[Any] = list(PdfReader(io.BytesIO(pdf)).pages)
    fonts = [font.get_object() for page in pages for font in page["/Resources"]["/Font"].values()]
    assert fonts
    assert {str(font["/BaseFont"]).split("+")[1].partition("-")[0] for font in fonts} <= {
        "LibertinusSerif",
        "DejaVuSansMono",
    }


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_log_has_the_published_columns(make_log: Make, language: str) -> None:
    text = squeezed(text_of(make_log(language)))
    for column in COLUMNS.values():
        assert squeezed(translate(column, language)) in text


def test_a_corrected_line_and_its_correction_name_each_other(make_log: Make) -> None:
    text = squeezed(text_of(make_log("ru")))
    assert squeezed("исправлена строкой № 3") in text
    assert squeezed("взамен строки № 2: не та аудитория") in text
    assert squeezed("0001, 0002, 7777") in text


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_sheet_has_every_field(make_sheet: Make, language: str) -> None:
    text = squeezed(text_of(make_sheet(language)))
    for field in FIELDS.values():
        assert squeezed(translate(field, language)) in text
    assert squeezed("Председатель П. П.") in text


def test_the_act_lists_every_file_and_gap(point: Point, clock: FakeClock) -> None:
    text = text_of(handover_act_pdf(point, DAY, act_of(120, clock.now()), "ru", AT))
    assert all(f"{number:064x}" in text for number in range(120))
    assert "камера не отвечает" in text
    assert "01.03.2027" in text
    assert "4C53-0001" in text


def test_an_empty_act_and_an_empty_log_say_so(point: Point, clock: FakeClock) -> None:
    assert "Файлов нет" in text_of(handover_act_pdf(point, DAY, act_of(0, clock.now()), "ru", AT))
    assert "Записей нет" in text_of(access_log_pdf(point, DAY, [], "ru", AT, made_at=clock.now()))


@pytest.mark.parametrize("language", LANGUAGES)
def test_signature_lines_never_stand_alone(point: Point, clock: FakeClock, language: str) -> None:
    run = run_of(check("ok"), check("fail", "R1-1"))
    seen = set()
    # A row and a remark more each time: the lines come to the foot of a page, and over it.
    for number in range(20):
        run["checks"] += [{**check("unknown"), "check": f"more-{number}"}]
        pages = PdfReader(io.BytesIO(check_protocol_pdf(point, DAY, run, language, AT, made_at=clock.now()))).pages
        seen.add(len(pages))
        last = squeezed(pages[-1].extract_text())
        assert "НЕГОТОВ" in last
        assert [role for role in DUTY_SIGNATURES if squeezed(translate(role, language)) not in last] == []
    assert len(seen) > 1


def test_what_is_not_good_on_a_station_stands_in_the_remarks(point: Point, clock: FakeClock) -> None:
    run = run_of(check("ok"))
    run["stations"] = {name: run_of(check("fail", name), check("ok", name)) for name in ("PRINT-1", "SCAN-1")}
    text = text_of(check_protocol_pdf(point, DAY, run, "en", AT, made_at=clock.now()))
    assert "PRINT-1, SCAN-1: Камера отвечает (FAIL, важно). проверьте кабель" in text


def test_checks_are_numbered_as_they_stand_and_what_is_not_asked_here_is_left_out(
    point: Point, clock: FakeClock
) -> None:
    disk = {"family_label": dict.fromkeys(LANGUAGES, "Диск"), "title": dict.fromkeys(LANGUAGES, "Место")}
    absent = {**check("skip"), "reason": "not_required", "title": dict.fromkeys(LANGUAGES, "Сканер найден")}
    run = run_of(check("ok"), {**check("fail"), **disk, "check": "disk"}, absent, check("unknown", "R1-1"))
    text = text_of(check_protocol_pdf(point, DAY, run, "ru", AT, made_at=clock.now()))
    assert "Сканер найден" not in text
    assert "№ 2 Камера отвечает · R1-1 (UNKNOWN" in text
    assert "№ 3 Место (FAIL" in text


def test_what_is_unknown_is_never_ticked(make_protocol: Make) -> None:
    text = text_of(make_protocol("ru"))
    assert "☑ OK" in text
    assert "☒ FAIL" in text
    assert "☐ UNKNOWN" in text
    assert "№ 2, 3 Камера отвечает · R1-1, HQ-1 (FAIL, важно). проверьте кабель" in text


INERT = [
    '#read("/etc/passwd")',
    "*x* _y_ `z`",
    "$ x^2 $ #panic() \\ ",
    "= heading // comment /* */",
    "<label> @ref [content] {code}",
    'quote " and \\" end',
    "{page} {pages} {number}",
]


@pytest.mark.parametrize("text", INERT)
def test_what_a_person_writes_prints_as_written(text: str, ledger: Ledger, point: Point, clock: FakeClock) -> None:
    log = AccessLog(ledger, point, clock)
    log.add(AccessDraft("7777", "other", clock.now(), clock.now(), text=text, person=Person(text)), SPECIALIST)
    found = squeezed(text_of(access_log_pdf(point, DAY, log.rows(), "ru", AT, made_at=clock.now())))
    assert found.count(squeezed(text)) == 2


def test_a_character_without_a_glyph_prints_as_its_code(ledger: Ledger, point: Point, clock: FakeClock) -> None:
    log = AccessLog(ledger, point, clock)
    log.add(AccessDraft("7777", "other", clock.now(), clock.now(), text="имя 你 и 😀 \u202e \U000f0000"), SPECIALIST)
    found = squeezed(text_of(access_log_pdf(point, DAY, log.rows(), "ru", AT, made_at=clock.now())))
    assert "имя[U+4F60]и[U+1F600]" in found


def test_long_texts_and_many_lines_keep_the_heads_on_every_page(ledger: Ledger, point: Point, clock: FakeClock) -> None:
    log = AccessLog(ledger, point, clock)
    now = clock.now()
    log.add(AccessDraft("7777", "other", now, now, text="слово " * 660), SPECIALIST)
    log.add(AccessDraft("7777", "other", now, now, text="Ы" * 300 + "W" * 300), SPECIALIST)
    for _ in range(60):
        log.add(AccessDraft("0001–0002, 7777", "view_corrected", now, now, text="камера «HQ-1»"), SPECIALIST)
    pdf = access_log_pdf(point, DAY, log.rows(), "ru", AT, made_at=now)
    pages = PdfReader(io.BytesIO(pdf)).pages
    assert len(pages) > 3
    heads = [page for page in pages if squeezed("Лицо, выполнявшее действие") in squeezed(page.extract_text())]
    assert len(heads) >= len(pages) - 1, "the last page may hold the signatures alone"
    text = text_of(pdf)
    assert text.count("слово") == 660
    assert json.dumps(len(pages)) in pages[-1].extract_text()


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_page_that_is_signed_says_what_is_signed(
    ledger: Ledger, point: Point, clock: FakeClock, language: str
) -> None:
    log, now = AccessLog(ledger, point, clock), clock.now()
    alone = 0
    for count in range(1, 27):
        log.add(AccessDraft("7777", "view_corrected", now, now), SPECIALIST)
        if count < 14:
            continue
        pages = PdfReader(io.BytesIO(access_log_pdf(point, DAY, log.rows(), language, AT, made_at=now))).pages
        last = squeezed(pages[-1].extract_text())
        total = translate("Lines: {lines}, of them in force: {standing}.", language)
        assert squeezed(total.format(lines=count, standing=count)) in last, "how many lines they sign for"
        if squeezed(translate(COLUMNS["number"], language) + translate(COLUMNS["date"], language)) not in last:
            alone += 1
            assert squeezed(translate(TITLE, language)) in last
    assert alone, "no table ended just before the signatures"


def test_cameras_stand_in_the_act_as_people_count_them(point: Point, clock: FakeClock) -> None:
    act = act_of(3, clock.now())
    files = tuple(
        replace(file, camera=camera) for file, camera in zip(act.files, ("R10-1", "R2-1", "HQ-1"), strict=True)
    )
    text = text_of(handover_act_pdf(point, DAY, replace(act, files=files), "en", AT))
    first = [text.index(camera) for camera in ("HQ-1", "R2-1", "R10-1")]
    assert first == sorted(first)


def test_a_gap_that_is_still_open_lasted_no_seconds(point: Point, clock: FakeClock) -> None:
    act = act_of(3, clock.now())
    text = text_of(handover_act_pdf(point, DAY, replace(act, gaps=(replace(act.gaps[0], end=None),)), "en", AT))
    assert "1 + …" in text
    assert "(0.0 s)" not in text


@pytest.mark.parametrize(
    ("said", "text"), [("2028-06-30", "30.06.2028"), ("soon", "soon"), ("2028-06-30x", "2028-06-30x")]
)
def test_a_date_that_was_found_is_printed_as_dates_are(said: str, text: str) -> None:
    assert value_text(said, "date", "ru") == text
