"""Equipment on the screen, as its keepers use it, in Chromium."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, TimeoutError, expect

from exam_kit.journal.consumable import Consumables
from exam_kit.journal.equipment import Equipment
from exam_kit.journal.equipment_item import ItemDraft, ItemState
from exam_kit.point import load_point
from tests.ui.conftest import failures, settled, sign_in
from tests.ui.prepared import PEOPLE, PINS
from tests.ui.site import Site

pytestmark = pytest.mark.browser

ANNA, BORIS = PEOPLE[0], PEOPLE[1]
ERROR = "[data-testid=stAlertContentError]"


@pytest.fixture
def book(site: Site) -> Iterator[Equipment]:
    store, ledger = site.store()
    yield Equipment(ledger, load_point(site.home.point_file))
    store.close()


def part(page: Page, name: str) -> None:
    page.get_by_role("radio", name=name, exact=True).click()
    settled(page)


def choose(page: Page, label: str, option: str) -> None:
    """A list closes again when the page scrolls while it opens: it is opened until it stays."""
    found = page.get_by_role("option", name=option)
    for _try in range(4):
        page.get_by_role("combobox", name=label).press("ArrowDown")
        try:
            found.click(timeout=4000)
            break
        except TimeoutError:
            continue
    settled(page)
    expect(page.get_by_role("combobox", name=label)).to_have_value(re.compile(option))


def test_an_item_is_entered_found_and_written_faulty(page: Page, site: Site, book: Equipment) -> None:
    sign_in(page, site, "anna", path="equipment")
    page.get_by_text("Новый предмет").click()
    page.get_by_label("Инвентарный №").last.fill("ИНВ-77")
    page.get_by_role("button", name="Поставить на учёт").click()
    expect(page.get_by_text("ИНВ-77: записано.")).to_be_visible()
    page.get_by_label("Найти: номер, модель, примечание").fill("инв77")
    page.keyboard.press("Enter")
    card = page.locator("[data-item='ИНВ-77']")
    expect(page.locator("[data-count='0']")).to_be_visible()
    page.get_by_label("Найти: номер, модель, примечание").fill("инв-77")
    page.keyboard.press("Enter")
    expect(card).to_contain_text("поставлено на учёт")
    choose(page, "Новое состояние", "неисправно")
    page.get_by_role("button", name="Записать состояние").click()
    expect(page.locator(ERROR)).to_contain_text("причина не указана")
    page.get_by_label("Что не так").fill("не включается")
    page.get_by_label("Что сделать").fill("в ремонт")
    page.get_by_label("Лист НС №").fill("999")
    page.get_by_role("button", name="Записать состояние").click()
    expect(page.locator(ERROR)).to_contain_text("999")
    page.get_by_label("Лист НС №").fill("1")
    page.get_by_role("button", name="Записать состояние").click()
    expect(card).to_contain_text("не включается")
    item = book.get("ИНВ-77")
    assert (item.state, item.fault, item.todo) == (ItemState.FAULTY, "не включается", "в ремонт")
    assert item.incident is not None
    assert item.incident.number == 1
    part(page, "Неисправности")
    expect(page.locator("[data-table=defects]")).to_contain_text("ИНВ-77")


def test_an_item_is_given_with_the_receivers_pin_and_comes_back(page: Page, site: Site, book: Equipment) -> None:
    book.add(ItemDraft("П-1", "token", room="7777"), ANNA)
    sign_in(page, site, "anna", path="equipment")
    part(page, "Передача")
    page.get_by_label("Инвентарные номера").fill("П-1")
    choose(page, "Принял", "Бета")
    pin = page.locator("input[type=password]")
    pin.fill("000001")
    page.get_by_role("button", name="Записать выдачу").click()
    expect(page.get_by_text("не подходят")).to_be_visible()
    expect(page.get_by_label("Инвентарные номера")).to_have_value("П-1")
    pin.fill(PINS["boris"])
    page.get_by_role("button", name="Записать выдачу").click()
    expect(page.locator("[data-table=held]")).to_contain_text("П-1")
    item = book.get("П-1")
    assert item.holder is not None
    assert item.holder.login == "boris"
    assert item.issued_by is not None
    expect(page.get_by_role("link", name=f"Печать листа № {item.issued_by.number}")).to_be_visible()

    page.get_by_label("Инвентарные номера").fill("П-1")
    part(page, "без учётной записи, подпись на бумаге")
    page.get_by_label("Принял: ФИО полностью").fill("Другой Д. Д.")
    expect(page.get_by_label("Инвентарные номера")).to_have_value("П-1")
    page.get_by_role("button", name="Записать выдачу").click()
    expect(page.locator(ERROR)).to_contain_text("держатель — Бета")
    part(page, "Принять обратно")
    expect(page.get_by_role("button", name="Записать возврат")).to_be_visible()
    page.get_by_label("Инвентарные номера").fill("П-1")
    page.get_by_role("button", name="Записать возврат").click()
    expect(page.get_by_text(re.compile("Лист передачи № .* записан"))).to_be_visible()
    assert book.get("П-1").holder is None


def test_a_stock_take_goes_by_the_keyboard_alone(page: Page, site: Site, book: Equipment) -> None:
    sign_in(page, site, "anna", path="equipment")
    part(page, "Инвентаризация")
    page.get_by_role("button", name="Начать инвентаризацию").click()
    field = page.get_by_label("Инвентарный №: введите или считайте сканером")
    field.focus()
    for count, number in enumerate(("101-001", "101-002", "чужой"), 1):
        page.keyboard.type(number)
        page.keyboard.press("Enter")
        expect(page.locator(f"[data-ticks='{count}']")).to_contain_text(number)
        settled(page)
        expect(field).to_be_focused()
        expect(field).to_have_value("")
    expect(page.locator("[data-ticks]")).to_contain_text("неизвестный номер")
    field.fill("чужой")
    page.get_by_role("button", name="Снять отметку").click()
    expect(page.locator("[data-ticks='2']")).to_be_visible()
    page.reload()
    settled(page)
    part(page, "Инвентаризация")
    expect(page.locator("[data-ticks='2']")).to_be_visible()
    page.get_by_role("button", name="Завершить инвентаризацию").click()
    expect(page.locator("[data-table=takes]")).to_be_visible()
    take = list(book.register().takes.values())[-1]
    assert take.result is not None
    assert len(take.ticks) == 2
    assert book.get("101-004").id in take.result.missing
    assert book.get("101-003").id in take.result.away


def test_stock_is_written_and_what_is_not_there_is_not_used(page: Page, site: Site, book: Equipment) -> None:
    stock = Consumables(book.ledger, book.point)
    before = stock.stock().quantities.get("toner", 0)
    sign_in(page, site, "boris", path="equipment")
    part(page, "Расходные материалы")
    expect(page.locator("[data-table=consumables]")).to_contain_text("меньше потребности")
    choose(page, "Расходный материал", "картридж")
    page.get_by_label("Количество").fill("3")
    page.get_by_role("button", name="Записать", exact=True).click()
    expect(page.locator("[data-table=moves]")).to_contain_text("+3")
    assert stock.stock().quantities["toner"] == before + 3
    part(page, "Израсходовано")
    expect(page.get_by_label("На что")).to_be_visible()
    choose(page, "Расходный материал", "картридж")
    page.get_by_label("Количество").fill("99")
    page.get_by_role("button", name="Записать", exact=True).click()
    expect(page.locator(ERROR)).to_contain_text("нельзя израсходовать 99")
    assert stock.stock().quantities["toner"] == before + 3


def test_a_list_names_its_bad_rows_and_is_then_taken_in(page: Page, site: Site, book: Equipment) -> None:
    sign_in(page, site, "anna", path="equipment")
    part(page, "Списки")
    field = page.locator("[data-testid=stFileUploaderDropzoneInput]")
    bad = "Инвентарный №;Вид;Место\nЛ-1;принтер;0001\nЛ-2;звездолёт;0001\n"
    field.set_input_files({"name": "список.csv", "mimeType": "text/csv", "buffer": bad.encode()})
    expect(page.locator(ERROR)).to_contain_text("Строка 3: Вид «звездолёт»: такого вида нет")
    expect(page.get_by_role("button", name="Принять список")).to_have_count(0)
    assert book.find("Л-1") is None
    page.reload()
    settled(page)
    part(page, "Списки")
    good = bad.replace("звездолёт", "ИБП")
    field.set_input_files({"name": "список.csv", "mimeType": "text/csv", "buffer": good.encode()})
    page.get_by_role("button", name="Принять список").click()
    expect(page.get_by_text("Принято: новых 2, изменённых 0.")).to_be_visible()
    assert book.get("Л-2").kind == "ups"


@pytest.mark.parametrize("login", ["vera", "galina", "denis"])
def test_who_does_not_keep_the_equipment_only_reads(page: Page, site: Site, login: str) -> None:
    sign_in(page, site, login, path="equipment")
    for name in ("Учёт", "Передача", "Резерв", "Расходные материалы", "Неисправности", "Инвентаризация", "Списки"):
        part(page, name)
        assert failures(page) == []
        expect(page.locator("[data-testid=stMain] [data-testid=stFormSubmitButton]")).to_have_count(0)
        expect(page.locator("[data-testid=stMain] [data-testid=stFileUploader]")).to_have_count(0)


def test_the_day_says_what_is_lacking(page: Page, site: Site) -> None:
    sign_in(page, site, "anna")
    remark = page.locator("[data-equipment]")
    expect(remark).to_contain_text("Нет исправного резерва")
    expect(remark).to_contain_text("пломба")
    remark.get_by_role("link").click()
    expect(page.locator("[data-testid=stHeading] h1")).to_have_text("Оборудование")


def test_papers_and_lists_are_served(site: Site, book: Equipment) -> None:
    sheet = next(iter(book.register().sheets))
    cookie = site.cookie("galina")
    for path, begins in (
        (f"equipment-handover.pdf?number={sheet.number}&year={sheet.year}", b"%PDF"),
        ("equipment-defects.pdf", b"%PDF"),
        ("equipment-consumables.pdf", b"%PDF"),
        ("equipment.csv", b"\xef\xbb\xbf"),
        ("equipment.xlsx", b"PK"),
        ("equipment-template.csv", b"\xef\xbb\xbf"),
        ("equipment-template.xlsx", b"PK"),
    ):
        answer = site.ask(f"/papers/{path}", Cookie=cookie)
        assert (answer.status, answer.body[: len(begins)]) == (200, begins), path
    assert site.ask("/papers/equipment-handover.pdf?number=999&year=2000", Cookie=cookie).status != 200
    assert site.ask("/papers/equipment-stocktake.pdf?number=x", Cookie=cookie).status != 200
    assert site.ask("/papers/equipment.csv").status != 200
