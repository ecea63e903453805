"""The register of people on the screen: who keeps it, what it bars, and the way out."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, TimeoutError, expect

from exam_kit.agent import orders
from exam_kit.journal.people import People
from exam_kit.journal.people_card import RecordKind
from exam_kit.journal.people_profile import load_people_profile
from exam_kit.point import load_point
from tests.ui.conftest import failures, settled, sign_in
from tests.ui.prepared import PEOPLE, PINS, prepare
from tests.ui.site import Site, start

pytestmark = pytest.mark.browser

ANNA, BORIS, VERA = PEOPLE[:3]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A home of its own: what is entered here must not bar the orders of other tests."""
    served = start(prepare(tmp_path_factory.mktemp("people") / "home"))
    yield served
    served.process.terminate()
    served.process.wait(20)


@pytest.fixture
def people(site: Site) -> Iterator[People]:
    store, ledger = site.store()
    yield People(ledger, load_point(site.home.point_file), load_people_profile())
    store.close()


def go(page: Page, path: str) -> None:
    page.goto(re.sub(r"(https?://[^/]+).*", rf"\1/{path}", page.url))
    page.wait_for_selector("[data-testid=stHeading] h1")
    settled(page)


def other(page: Page, site: Site, login: str, path: str) -> None:
    page.context.clear_cookies()
    sign_in(page, site, login, path=path)


def choose(page: Page, name: str) -> None:
    """The person whose entries are shown and made."""
    settled(page)
    option = page.get_by_role("option", name=name)
    for _try in range(3):
        page.get_by_role("combobox", name="Лицо").click()
        try:
            option.click(timeout=5000)
        except TimeoutError:
            continue  # the alarm's bar came just then, moved the page, and the list was closed
        break
    settled(page)


def start_recording(page: Page) -> None:
    page.get_by_role("radio", name="Включение и остановка").click()
    page.get_by_role("button", name="Включить запись").click()
    settled(page)


def test_an_unbriefed_specialist_cannot_start_a_recording_until_admitted(
    page: Page, site: Site, people: People
) -> None:
    briefing = people.get(1).last(RecordKind.BRIEFED)
    assert briefing is not None
    people.withdraw(1, briefing.seq, "инструктаж не состоялся", BORIS)
    sign_in(page, site, "anna", path="cameras")
    start_recording(page)
    expect(page.locator("[data-testid=stAlertContentError]")).to_contain_text("инструктаж не проведён: охрана труда")
    assert orders.recent(people.ledger.store, "record") == []
    go(page, "today")
    expect(page.locator("[data-unfit]")).to_contain_text("охрана труда")

    other(page, site, "vera", "people")
    row = page.locator("[data-person='1']")
    expect(row).to_have_attribute("data-standing", "unbriefed")
    page.get_by_role("radio", name="Допустить на сегодня").click()
    page.get_by_label("Почему этот человек допущен на сегодня").fill("инструктаж назначен на вечер")
    page.get_by_role("button", name="Допустить на сегодня", exact=True).click()
    expect(row).to_contain_text("допущен(а) на сегодня")
    expect(row).to_contain_text(f"{VERA.name}: инструктаж назначен на вечер")

    other(page, site, "anna", "today")
    expect(page.locator("[data-duty]")).to_contain_text(f"допуск на сегодня дал(а) {VERA.name}")
    go(page, "cameras")
    start_recording(page)
    expect(page.get_by_text("отдано")).to_be_visible()
    (given,) = orders.recent(people.ledger.store, "record")
    assert (given.actor, given.ordered_by) == ("anna", "boris")


def test_somebody_is_entered_appointed_and_briefed_on_the_screen(page: Page, site: Site, people: People) -> None:
    before = {card.number for card in people.register().people}
    sign_in(page, site, "boris", path="people")
    page.get_by_text("Новый человек").click()
    page.get_by_label("ФИО").last.fill("Образцова Зета Шестая")
    page.get_by_role("button", name="Внести человека").click()
    expect(page.get_by_text("Внесено: Образцова Зета Шестая.")).to_be_visible()
    (number,) = {card.number for card in people.register().people} - before
    settled(page)
    page.get_by_label("Приказ №").fill("44-к")
    page.get_by_role("button", name="Внести назначение").click()
    expect(page.locator(f"[data-person='{number}']")).to_contain_text("44-к")
    page.get_by_role("button", name="Внести инструктажи").click()
    row = page.locator(f"[data-person='{number}']")
    expect(row).to_have_attribute("data-standing", "briefed")
    assert {one.briefing for one in people.get(number).standing(RecordKind.BRIEFED)} == {
        "exam_rules", "fire_safety", "labour_protection",
    }  # fmt: skip


def test_the_roster_of_a_day_is_entered(page: Page, site: Site, people: People) -> None:
    (day,) = people.register().duties
    sign_in(page, site, "boris", path="people")
    page.get_by_text("график дежурства").click()
    settled(page)
    expect(page.locator("[data-roster]")).to_contain_text("член ГЭК — 1 из 2")
    page.get_by_role("button", name=VERA.name).click()
    settled(page)
    page.get_by_role("button", name="Внести график этого дня").click()
    expect(page.locator("[data-roster]")).to_contain_text("член ГЭК — 0 из 2")
    assert people.register().duties[day].people == (1, 2)


def test_a_copy_is_received_by_ones_own_sign_in_or_pin(page: Page, site: Site, people: People) -> None:
    sign_in(page, site, "anna", path="people")
    page.get_by_role("button", name="Копию получил(а)").click()
    expect(page.get_by_text("получение подтверждено")).to_be_visible()
    received = people.get(1).last(RecordKind.RECEIVED)
    assert received is not None
    assert received.by.login == "anna"
    other(page, site, "boris", "people")
    choose(page, VERA.name)
    page.get_by_role("radio", name="Получение копии").click()
    for pin, there in (("000000", 0), (PINS["vera"], 1)):
        page.get_by_label(re.compile("ПИН-код учётной записи «vera»")).fill(pin)
        page.get_by_role("button", name="Подтвердить получение").click()
        settled(page)
        expect(page.get_by_text("Вега Третья Образцова: получение подтверждено.")).to_have_count(there)
    received = people.get(3).last(RecordKind.RECEIVED)
    assert received is not None
    assert received.by.login == "vera"


def test_a_table_with_a_bad_row_is_refused_and_the_good_one_taken(page: Page, site: Site, people: People) -> None:
    before = len(people.register().people)
    sign_in(page, site, "boris", path="people")
    tables = (("name;role\nКто-то;король\n", "строка 2"), ("name;role\nОбразцов Н. Н.;specialist\n", "Принят 1"))
    for text, said in tables:
        go(page, "people")  # the files chosen before are gone
        page.get_by_text("Принять из таблицы").click()
        chooser = page.locator("[data-testid=stFileUploader] input[type=file]")
        chooser.set_input_files({"name": "people.csv", "mimeType": "text/csv", "buffer": text.encode()})
        expect(page.get_by_text("people.csv").first).to_be_visible()
        settled(page)
        page.get_by_role("button", name="Принять", exact=True).click()
        expect(page.get_by_text(said)).to_be_visible()
    assert len(people.register().people) == before + 1


@pytest.mark.parametrize("login", ["anna", "galina", "denis"])
def test_who_does_not_keep_the_register_reads_it(page: Page, site: Site, login: str) -> None:
    sign_in(page, site, login, path="people")
    expect(page.locator("[data-people]")).to_contain_text(ANNA.name)
    assert failures(page) == []
    for button in ("Внести человека", "Внести назначение", "Внести инструктажи", "Принять"):
        expect(page.get_by_role("button", name=button)).to_have_count(0)


@pytest.mark.parametrize("login", list(PINS))
def test_the_papers_open_for_every_role(site: Site, login: str) -> None:
    cookie = site.cookie(login)
    for name in ("familiarisation.pdf", "briefings.pdf", "duty-roster.pdf", "people.csv", "people.xlsx"):
        answer = site.ask(f"/papers/{name}", cookie=cookie)
        assert answer.status == 200, name
        starts = {"pdf": b"%PDF", "csv": b"\xef\xbb\xbf", "xlsx": b"PK"}[name.rpartition(".")[2]]
        assert answer.body.startswith(starts), name
    assert site.ask("/papers/people.csv").status in (303, 401)
