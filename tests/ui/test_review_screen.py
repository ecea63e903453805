"""The review as its readers see it: the chain, a print held against it, lines found and taken along."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from datetime import timedelta

import openpyxl
import pytest
from playwright.sync_api import Page, expect

from exam_kit.clock import SystemClock
from exam_kit.journal.access_log import AccessAction, AccessDraft, AccessLog
from exam_kit.journal.person import person_of
from exam_kit.point import load_point
from exam_kit.store import Checkpoint, Ledger, Store
from tests.ui.conftest import settled, sign_in
from tests.ui.prepared import PEOPLE, PINS, prepare
from tests.ui.site import Site, start

pytestmark = pytest.mark.browser
ANNA, BORIS = PEOPLE[0], PEOPLE[1]
CHAIN = "[data-chain=whole]"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    served = start(prepare(tmp_path_factory.mktemp("review") / "home"))
    yield served
    served.process.terminate()
    served.process.wait(20)


@pytest.fixture
def opened(site: Site) -> Iterator[tuple[Store, Ledger, AccessLog]]:
    store, ledger = site.store()
    yield store, ledger, AccessLog(ledger, load_point(site.home.point_file))
    store.close()


def compare(page: Page, line: str) -> None:
    if not page.get_by_label("Строка под кодом формы").is_visible():
        page.get_by_text("Сверить с распечаткой").click()
    page.get_by_label("Строка под кодом формы").fill(line)
    page.get_by_label("Строка под кодом формы").press("Enter")


def test_the_chain_is_proved_and_a_print_is_held_against_it(
    page: Page, site: Site, opened: tuple[Store, Ledger, AccessLog]
) -> None:
    _store, ledger, _log = opened
    made = ledger.checkpoint()
    assert made is not None
    sign_in(page, site, "galina", path="review")
    expect(page.locator(CHAIN)).to_contain_text(re.compile(r"Цепочка цела: записей \d+, проверено \d\d:\d\d"))
    compare(page, made.line())
    expect(page.locator("[data-anchor=agrees]")).to_contain_text(f"запись № {made.seq}")
    forged = Checkpoint(made.ledger, made.seq, "0" * 64, made.at, made.key, made.signature)
    compare(page, forged.line())
    expect(page.locator("[data-anchor=forged]")).to_contain_text("подписана не ключом этого ППЭ")
    compare(page, "EK-HEAD-1 garbage")
    expect(page.locator("[data-testid=stAlertContentError]")).to_contain_text("Это не отметка реестра")
    expect(page.get_by_text("Забрать журналы одним файлом")).to_have_count(0)


def test_lines_are_found_paged_and_taken_along(page: Page, site: Site, opened: tuple[Store, Ledger, AccessLog]) -> None:
    _store, _ledger, log = opened
    now = SystemClock().now()
    for number in range(55):
        log.add(AccessDraft("0001", AccessAction.OTHER, now, now, text=f"=замок-{number:02}"), ANNA)
    # About a corridor whose camera was silent from 22 to 16 minutes ago.
    gap = now - timedelta(minutes=20), now - timedelta(minutes=18)
    beside = log.add(AccessDraft("COR1", AccessAction.VIEW_CORRECTED, *gap), ANNA)
    sign_in(page, site, "galina", path="review")
    expect(page.locator("[data-review] tbody tr")).to_have_count(50)
    page.get_by_role("button", name="старее").click()
    expect(page.locator("[data-total]")).to_contain_text("Строки 51–")
    page.get_by_label("Слова").fill("ЗАМОК-07")
    page.get_by_label("Слова").press("Enter")
    expect(page.locator("[data-review] tbody tr")).to_have_count(1)
    expect(page.locator("[data-review]")).to_contain_text("=замок-07")
    settled(page)
    cookie = site.cookie("galina")
    for name in ("CSV", "XLSX", "Печать (PDF)"):
        address = page.get_by_role("link", name=name).get_attribute("href")
        assert address is not None
        answer = site.ask(address, Cookie=cookie)
        assert answer.status == 200, answer.text
        if name == "CSV":
            rows = list(csv.reader(io.StringIO(answer.body.decode("utf-8-sig")), delimiter=";"))
            assert [row[5] for row in rows[1:]] == ["'=замок-07"]
        elif name == "XLSX":
            cells = [cell for row in openpyxl.load_workbook(io.BytesIO(answer.body)).active.iter_rows() for cell in row]
            assert [cell.data_type for cell in cells if cell.value == "=замок-07"] == ["s"]
        else:
            assert answer.body.startswith(b"%PDF")
    page.get_by_label("Слова").fill("")
    page.get_by_label("Слова").press("Enter")
    page.get_by_role("button", name="старее").click()
    line = page.locator(f"[data-line='{beside.number}'], [data-gap=COR1-1]")
    expect(page.locator("[data-total]")).to_be_visible()
    page.get_by_label("Слова").fill("ракурса COR1")
    page.get_by_label("Слова").press("Enter")
    expect(line.first).to_be_visible()
    expect(page.locator("[data-gap=COR1-1]")).to_contain_text("COR1-1 не писала")
    assert site.ask("/papers/review.csv?since=yesterday", Cookie=cookie).status == 404
    assert site.ask("/papers/review.csv").status == 303


def test_the_actor_cannot_countersign_even_with_the_right_pin(
    page: Page, site: Site, opened: tuple[Store, Ledger, AccessLog]
) -> None:
    """The head of the point acted and the specialist wrote it down: the head's own PIN does not countersign it."""
    _store, ledger, log = opened
    now = SystemClock().now()
    for row in log.rows():
        if row.waits:
            log.countersign(row.number, PEOPLE[2])
    own = log.add(AccessDraft("0002", AccessAction.VIEW_CORRECTED, now, now, person=person_of(BORIS)), ANNA)
    for login in ("anna", "boris"):
        page.context.clear_cookies()
        sign_in(page, site, login, path="access_log")
        box = page.locator("[class*='st-key-countersign-access'][class*='-box']")
        if login == "anna":
            page.get_by_text("Заверить здесь").click()
            expect(box.get_by_label("ПИН")).to_be_visible()
        before = ledger.head()
        box.get_by_label("ПИН").fill(PINS["boris"])
        box.get_by_role("button", name="Заверить", exact=True).click()
        expect(box.locator("[data-testid=stAlertContentError]")).to_be_visible()
        assert log.get(own.number).countersigned is None
        assert ledger.head() == before
