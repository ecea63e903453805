"""The archive's screen: what is kept and held, who has which form, and what is said of a file that is no receipt."""

from __future__ import annotations

from playwright.sync_api import FilePayload, Page, expect

from exam_kit.agent import orders
from exam_kit.archive.keep import holds
from tests.ui.conftest import failures, settled, sign_in
from tests.ui.site import Site


def test_a_hold_is_set_and_lifted_by_who_may(page: Page, site: Site) -> None:
    sign_in(page, site, "denis", path="archive")
    page.get_by_role("radio", name="Хранение и удаление").click()
    expect(page.locator("[data-keep]")).to_contain_text("хранится")
    page.get_by_text("Запретить удаление видеозаписей").click()
    page.get_by_label("Причина").fill("запрос суда")
    page.get_by_label("Распоряжение №").fill("7-п")
    settled(page)
    page.get_by_role("button", name="Запретить удаление", exact=True).click()
    expect(page.locator("[data-holds]")).to_contain_text("действует")
    store, ledger = site.store()
    [hold] = holds(ledger)
    assert (hold.set_by, hold.why, hold.order, hold.stands) == ("denis", "запрос суда", "7-п", True)
    store.close()
    page.get_by_text("Удалить видеозаписи, срок которых истёк…").click()
    expect(page.locator("[data-nothing]")).to_be_visible()
    assert failures(page) == []


def test_a_specialist_sees_what_is_kept_and_has_no_form_to_delete_it(page: Page, site: Site) -> None:
    sign_in(page, site, "anna", path="archive")
    expect(page.locator("[data-matrix] tbody tr")).to_have_count(6)
    page.get_by_role("radio", name="Хранение и удаление").click()
    expect(page.locator("[data-keep]")).to_be_visible()
    expect(page.get_by_text("каждый со своим ПИН-кодом")).to_be_visible()
    expect(page.get_by_text("Удалить видеозаписи")).to_have_count(0)
    expect(page.get_by_text("Запретить удаление видеозаписей")).to_have_count(0)


def test_a_file_that_is_no_receipt_is_refused_in_words(page: Page, site: Site) -> None:
    sign_in(page, site, "anna", path="archive")
    page.locator("[data-testid=stFileUploader] input[type=file]").set_input_files(
        files=[FilePayload(name="x.receipt.json", mimeType="application/json", buffer=b"{}")]
    )
    expect(page.get_by_text("открытый ключ региона здесь не указан")).to_be_visible()


def test_one_place_twice_and_a_folder_not_in_full_are_refused_in_words(page: Page, site: Site) -> None:
    store, _ledger = site.store()
    before = len(orders.recent(store, "archive"))
    sign_in(page, site, "anna", path="archive")
    same, other = "это то же самое место", "папка пишется полностью"
    for typed, said in ((f"{site.home.bags}", same), (f"{site.home.bags}/", same), ("copies", other)):
        page.get_by_role("button", name="Папка, пломбы").click()
        page.get_by_label("или другая папка").fill(typed)
        page.get_by_label("или другая папка").press("Enter")
        page.keyboard.press("Escape")
        settled(page)
        page.get_by_role("button", name="Архивировать коридоры и вход").click()
        expect(page.locator("[data-testid=stAlertContentError]")).to_contain_text(said)
    assert len(orders.recent(store, "archive")) == before
    store.close()
