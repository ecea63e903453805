"""The access log and the cabinet log as their users write them, in Chromium, over a home of their own."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta

import pytest
from playwright.sync_api import Locator, Page, expect

from exam_kit.clock import SystemClock
from exam_kit.i18n import translate
from exam_kit.journal.access_log import AccessAction, AccessDraft, AccessLog
from exam_kit.journal.cabinet import CabinetAct
from exam_kit.journal.cabinet_log import CabinetLog
from exam_kit.point import load_point
from exam_kit.store import Ledger
from tests.e2e.keyboard_log import LINES, Typist
from tests.ui.conftest import settled, sign_in
from tests.ui.prepared import PEOPLE, PINS, prepare
from tests.ui.site import Site, start

pytestmark = pytest.mark.browser
ANNA = PEOPLE[0]
OWN_PIN = translate("Their own PIN", "ru")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    served = start(prepare(tmp_path_factory.mktemp("log") / "home"))
    yield served
    served.process.terminate()
    served.process.wait(20)


@pytest.fixture
def ledger(site: Site) -> Iterator[Ledger]:
    store, found = site.store()
    yield found
    store.close()


@pytest.fixture
def log(site: Site, ledger: Ledger) -> AccessLog:
    return AccessLog(ledger, load_point(site.home.point_file))


def write(field: Locator, text: str) -> None:
    """Type, and see that it stays: a field that appeared this very moment may still be set to its first value."""
    for _try in range(3):
        field.fill(text)
        field.page.evaluate("() => new Promise(drawn => requestAnimationFrame(() => setTimeout(drawn, 50)))")
        if field.input_value() == text:
            return
    expect(field).to_have_value(text)


def newest(log: AccessLog) -> int:
    return log.rows()[-1].number


def test_a_line_is_written_refused_and_corrected(page: Page, site: Site, log: AccessLog) -> None:
    sign_in(page, site, "anna", path="access_log")
    write(page.get_by_label("Аудитории, например").first, "0999")
    write(page.get_by_label("Подробности").first, "осмотр перед экзаменом")
    page.get_by_role("button", name="Записать строку").click()
    expect(page.locator("[data-testid=stAlertContentError]")).to_contain_text("0999")
    expect(page.get_by_label("Подробности").first).to_have_value("осмотр перед экзаменом")
    number = newest(log) + 1
    write(page.get_by_label("Аудитории, например").first, "0001-0002")
    write(page.get_by_label("Окончание, чч:мм").first, page.get_by_label("Начало, чч:мм").first.input_value())
    page.get_by_role("button", name="Записать строку").click()
    expect(page.get_by_text(re.compile(f"Строка № {number} записана"))).to_be_visible()
    expect(page.get_by_label("Подробности").first).to_have_value("")
    assert log.get(number).text == "осмотр перед экзаменом"
    page.get_by_text("Исправить или аннулировать строку").click()
    write(page.get_by_label("Почему исправляется"), "не та аудитория")
    write(page.get_by_label("Аудитории, например").last, "0001")
    page.get_by_role("button", name="Записать исправление новой строкой").click()
    expect(page.locator(f"[data-line='{number + 1}']")).to_contain_text(f"взамен строки № {number}")
    expect(page.locator(f"[data-line='{number}']")).to_have_class("void")


def test_two_taps_write_a_usual_line_and_two_keys_do(page: Page, site: Site, log: AccessLog) -> None:
    sign_in(page, site, "anna", path="access_log")
    page.locator(".st-key-log-presets button").first.click()
    expect(page.get_by_label("Аудитории, например").first).to_be_focused()
    page.get_by_role("button", name="Записать строку").click()
    before = newest(log)
    expect(page.locator(f"[data-line='{before}']")).to_be_visible()
    settled(page)
    page.evaluate("document.activeElement.blur()")
    typist = Typist(page, 0)
    typist.line(LINES[1])
    typist.line(LINES[2])
    rows = log.rows()[-3:]
    assert [row.action for row in rows] == [
        AccessAction.OPERABILITY_CHECK,
        AccessAction.RECORDING_STARTED,
        AccessAction.RECORDING_STARTED,
    ]
    assert [row.rooms for row in rows][1:] == [("7777",), ("COR1", "COR2", "ENTR")]
    assert typist.keys == 4
    expect(page.locator(".st-key-log-presets button").nth(1)).to_contain_text("✓")


def test_who_is_inside_is_ended_with_one_tap(page: Page, site: Site, log: AccessLog) -> None:
    now = SystemClock().now()
    row = log.add(AccessDraft("COR2", AccessAction.VIEW_CORRECTED, now - timedelta(minutes=4)), ANNA)
    sign_in(page, site, "anna", path="access_log")
    band = page.locator(f".st-key-open-{row.year}-{row.number}")
    expect(band).to_contain_text("4 мин")
    band.get_by_role("button", name="Завершить сейчас").click()
    expect(band).to_have_count(0)
    assert log.get(row.number).end is not None


def test_a_gap_without_a_line_gets_one_with_one_tap(page: Page, site: Site, log: AccessLog) -> None:
    sign_in(page, site, "anna", path="access_log")
    band = page.locator("[class*='st-key-bare-COR1-1']")
    expect(band).to_contain_text("COR1-1")
    band.get_by_role("button", name="Внести в журнал").click()
    expect(band).to_have_count(0)
    row = log.rows()[-1]
    assert (row.rooms, row.action) == (("COR1",), AccessAction.OTHER)
    assert "COR1-1" in row.text


def test_the_head_countersigns_at_the_specialists_screen(
    page: Page, site: Site, log: AccessLog, ledger: Ledger
) -> None:
    now = SystemClock().now()
    row = log.add(AccessDraft("0001", AccessAction.OPERABILITY_CHECK, now, now), ANNA)
    sign_in(page, site, "anna", path="access_log")
    page.get_by_text("Заверить здесь").click()
    box = page.locator("[class*='st-key-countersign-access'][class*='-box']")
    write(box.get_by_label(OWN_PIN), "000000")
    box.get_by_role("button", name="Заверить", exact=True).click()
    expect(box.locator("[data-testid=stAlertContentError]")).to_be_visible()
    expect(box.get_by_label(OWN_PIN)).to_have_count(1)
    expect(box.get_by_label(OWN_PIN)).to_have_value("")
    assert log.get(row.number).countersigned is None
    write(box.get_by_label(OWN_PIN), PINS["boris"])
    box.get_by_role("button", name="Заверить", exact=True).click()
    expect(page.locator(f"[data-line='{row.number}']")).to_contain_text("Бета Второй")
    signed = log.get(row.number).countersigned
    assert signed is not None
    assert signed.person.login == "boris"
    expect(page.locator("[data-testid=stSidebar]")).to_contain_text(ANNA.name)
    kept = "".join(path.read_text(errors="replace") for path in site.home.logs.glob("*.log"))
    written = "".join(str(entry) for entry in ledger.entries())
    assert not re.search(rf"\b({PINS['boris']}|000000)\b", kept + written)


def test_lines_are_found_and_printed(page: Page, site: Site, log: AccessLog) -> None:
    now = SystemClock().now()
    row = log.add(AccessDraft("ENTR", AccessAction.OTHER, now, now, text="Счётчик посетителей ①"), ANNA)
    sign_in(page, site, "galina", path="access_log")
    expect(page.get_by_role("button", name="Записать строку")).to_have_count(0)
    expect(page.get_by_text("Заверить здесь")).to_have_count(0)
    page.get_by_role("radio", name="поиск").click()
    write(page.get_by_label("Слова, которые есть"), "счетчик 1")
    page.get_by_label("Слова, которые есть").press("Enter")
    expect(page.locator("[data-line]")).to_have_count(1)
    expect(page.locator(f"[data-line='{row.number}']")).to_be_visible()
    address = page.get_by_role("link", name="CSV").get_attribute("href")
    assert address is not None
    table = site.ask(address, Cookie=site.cookie("galina"))
    assert (table.status, table.text.count("Счётчик посетителей")) == (200, 1)
    write(page.get_by_label("С, дд.мм.гггг"), "вчера")
    page.get_by_label("С, дд.мм.гггг").press("Enter")
    expect(page.locator("[data-testid=stAlertContentError]")).to_contain_text("28.05.2026")


def test_a_cabinet_is_opened_and_closed(page: Page, site: Site, ledger: Ledger) -> None:
    book = CabinetLog(ledger, load_point(site.home.point_file))
    sign_in(page, site, "anna", path="access_log")
    page.get_by_role("radio", name=translate("Cabinet log (PAK)", "ru")).click()
    write(page.get_by_label("Шкаф, например ПАК-1"), "ПАК-1")
    write(page.get_by_label("Пломба снята, №"), "0045211")
    write(page.get_by_label("Причина"), "замена диска")
    write(page.get_by_label("Оператор 2"), ANNA.name)
    page.get_by_role("button", name="Записать вскрытие").click()
    expect(page.locator("[data-testid=stAlertContentError]")).to_contain_text("двух разных людей")
    write(page.get_by_label("Оператор 2"), "Оператор О. О.")
    page.get_by_role("button", name="Записать вскрытие").click()
    expect(page.locator("[data-cabinet-line='1']")).to_contain_text("0045211")
    expect(page.locator("[class*='st-key-cabinet-2']").first).to_contain_text("ПАК-1")
    expect(page.get_by_label("Оператор 2").first).to_have_value("Оператор О. О.")
    write(page.get_by_label("Новая пломба, №").first, "0045212")
    write(page.get_by_label("Причина").first, "диск заменён")
    page.get_by_role("button", name="Записать закрытие").click()
    expect(page.locator("[data-cabinet-line='2']")).to_contain_text("0045212")
    assert [line.act for line in book.lines()] == [CabinetAct.OPENED, CabinetAct.CLOSED]
    for kind in ("pdf", "xlsx", "csv"):
        paper = site.ask(f"/papers/cabinet-log.{kind}", Cookie=site.cookie("boris"))
        assert (paper.status, len(paper.body) > 100) == (200, True)
