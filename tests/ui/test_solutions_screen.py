"""The base of solutions on the screen: found while one types, said to have helped, written of a closed sheet."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from exam_kit.clock import SystemClock
from exam_kit.journal.incident import Incident, IncidentDraft
from exam_kit.journal.incidents import Decision, Incidents
from exam_kit.journal.solution import Tally
from exam_kit.journal.solution_content import Content, Wording
from exam_kit.journal.solution_file import read_file, written_file
from exam_kit.journal.solutions import Solutions
from exam_kit.point import load_point
from tests.ui.conftest import failures, settled, sign_in
from tests.ui.prepared import PEOPLE, prepare
from tests.ui.site import Site, start

pytestmark = pytest.mark.browser

ANNA, BORIS, VERA = PEOPLE[:3]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A home of its own: the numbers of its sheets are nobody else's."""
    served = start(prepare(tmp_path_factory.mktemp("solutions") / "home"))
    yield served
    served.process.terminate()
    served.process.wait(20)


@pytest.fixture
def book(site: Site) -> Iterator[Solutions]:
    store, ledger = site.store()
    yield Solutions(ledger, load_point(site.home.point_file))
    store.close()


def closed_sheet(site: Site) -> Incident:
    store, ledger = site.store()
    sheets = Incidents(ledger, load_point(site.home.point_file))
    now = SystemClock().now()
    made = sheets.open(
        IncidentDraft("unit_failure", "Сканер в штабе мнёт бланки", now - timedelta(minutes=20), room="7777"), ANNA
    )
    sheets.step(made.number, "Протёрли ролики", ANNA)
    sheets.decide(made.number, Decision.GO_ON, "", BORIS)
    closed = sheets.close(made.number, now, "Сканирует", BORIS, signed_off=VERA)
    store.close()
    return closed


def test_what_helped_before_is_shown_while_an_incident_is_described(page: Page, site: Site) -> None:
    sign_in(page, site, "anna", path="incidents")
    page.get_by_text("Открыть лист нештатной ситуации").click()
    hints = page.locator(".ek-hints")
    expect(hints).to_contain_text("Камера не пишет")  # by the category, before a word is typed
    field = page.get_by_label("Опишите одной фразой")
    field.press_sequentially("принтеры зажёвывают бум", delay=20)
    expect(hints.locator("summary").first).to_contain_text("Принтер не печатает")
    expect(field).to_be_focused()
    expect(field).to_have_value("принтеры зажёвывают бум")
    field.press_sequentially('агу" OR (')
    hints.locator("summary").first.click()
    expect(hints.locator("li").first).to_be_visible()
    page.get_by_role("button", name="Открыть лист").click()
    expect(page.get_by_text(re.compile("№ .* открыт")).first).to_be_visible()
    expect(page.locator("[data-incident]").first).to_contain_text('принтеры зажёвывают бумагу" OR (')
    assert failures(page) == []


def test_a_closed_sheet_becomes_a_solution_and_says_what_helped(page: Page, site: Site, book: Solutions) -> None:
    sheet = closed_sheet(site)
    sign_in(page, site, "anna", path="solutions")
    page.goto(f"{site.url}/incidents?sheet={sheet.year}-{sheet.number}")
    page.get_by_text("Решения, которые могут помочь").click()
    page.get_by_role("button", name="Это помогло").first.click()
    expect(page.locator(".ek-chip").filter(has_text="здесь помогло")).to_be_visible()
    assert book.get("base/scanner_fails").own_tally("unit_failure") == Tally(1, 0)

    page.get_by_role("button", name="Сделать из листа решение").click()
    expect(page.locator("[data-testid=stHeading] h1")).to_have_text("Решения")
    expect(page.get_by_label("Как проявляется").first).to_have_value("Сканер в штабе мнёт бланки")
    expect(page.get_by_label("Шаги, каждый с новой строки").first).to_have_value("Протёрли ролики")
    page.get_by_label("Причина, если известна").first.fill("Ролики в пыли")
    page.get_by_role("button", name="Сохранить решение").click()
    made = f"{book.key}/{sheet.year}/1"
    expect(page.get_by_text(f"Решение {made} записано")).to_be_visible()
    assert book.get(made).content.texts == {
        "ru": Wording("Сканер в штабе мнёт бланки", "Ролики в пыли", ("Протёрли ролики",))
    }
    assert book.made_of(sheet) == made

    field = page.locator(".st-key-solution-text input")
    field.press_sequentially("сканеры мнут бланк, ролики пыльные", delay=20)
    expect(page.locator(".ek-solutions [data-solution]").first).to_have_attribute("data-solution", made)


def test_a_file_of_another_point_is_looked_at_before_it_is_taken(
    page: Page, site: Site, book: Solutions, tmp_path: Path
) -> None:
    sign_in(page, site, "boris", path="solutions")
    page.get_by_text("Выгрузка и приём").click()
    chooser = page.locator("input[type=file]")
    garbage = tmp_path / "garbage.json"
    garbage.write_bytes(b"<html>")
    chooser.set_input_files(garbage)
    expect(page.locator("[data-testid=stAlertContentError]")).to_contain_text("garbage.json: это не файл решений")
    shelf, now = book.shelf, SystemClock().now()
    told = Content("other", {"ru": Wording("<b>Пищит</b> шкаф", "", ("Закрыть дверцу",))})
    other = next(iter(shelf.solutions.values()))
    coming = type(other)("77-0002/2026/1", "77-0002", told, 1, now.date())
    good = tmp_path / "good.json"
    good.write_bytes(written_file(type(shelf)({coming.id: coming}, "x"), "77-0002", now))
    page.reload()
    settled(page)
    page.get_by_text("Выгрузка и приём").click()
    chooser.set_input_files(good)
    expect(page.locator("[data-import]")).to_contain_text("<b>Пищит</b> шкаф")
    assert coming.id not in book.shelf.solutions
    page.get_by_role("button", name="Принять: good.json").click()
    expect(page.get_by_text("Принято из ППЭ 77-0002: 1")).to_be_visible()
    assert book.get(coming.id).content == told
    with page.expect_download() as saved:
        page.get_by_role("link", name="Выгрузить решения").click()
    assert saved.value.suggested_filename == f"solutions-{book.key}.json"
    assert read_file(saved.value.path().read_bytes(), "saved").solutions[-1].id == coming.id
    assert site.ask("/papers/solutions.json", Cookie=site.cookie("vera")).status == 403
    assert site.ask("/papers/solutions.json").status == 303


@pytest.mark.parametrize("login", ["vera", "galina", "denis"])
def test_who_does_not_keep_the_base_reads_it_only(page: Page, site: Site, login: str) -> None:
    sign_in(page, site, login, path="solutions")
    expect(page.locator("[data-solution]").first).to_be_visible()
    for text in ("Написать решение", "Изменить или отозвать", "Выгрузка и приём"):
        expect(page.get_by_text(re.compile(text))).to_have_count(0)
    assert failures(page) == []
