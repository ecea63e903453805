"""The incidents' page as those on duty use it, in Chromium, on a home of its own."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from exam_kit.journal.incidents import Incidents
from exam_kit.journal.numbering import RowRef
from exam_kit.journal.room_call import RoomCalls
from exam_kit.point import load_point
from exam_kit.store import Ledger
from exam_kit.store.evidence import evidence_folder
from tests.ui.conftest import failures, settled, sign_in
from tests.ui.prepared import PINS, prepare
from tests.ui.site import Site, start
from tests.ui.test_screens import write

pytestmark = pytest.mark.browser

CARD = "[data-incident='1']"


@dataclass
class Place:
    """The served home, and the books as the ledger has them."""

    site: Site
    page: Page
    book: Incidents
    calls: RoomCalls
    ledger: Ledger


@pytest.fixture(scope="module")
def own_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    served = start(prepare(tmp_path_factory.mktemp("incidents") / "home"))
    yield served
    served.process.terminate()
    served.process.wait(20)


@pytest.fixture
def place(own_site: Site, browser: Browser) -> Iterator[Place]:
    context = browser.new_context(viewport={"width": 1366, "height": 768})
    context.set_default_timeout(20_000)
    store, ledger = own_site.store()
    point = load_point(own_site.home.point_file)
    yield Place(own_site, context.new_page(), Incidents(ledger, point), RoomCalls(ledger, point), ledger)
    context.close()
    store.close()


def form(page: Page, name: str) -> None:
    page.get_by_role("radio", name=name, exact=True).click()
    settled(page)


def test_a_sheet_from_the_first_minute_to_another_persons_signature(place: Place) -> None:
    page, book = place.page, place.book
    sign_in(page, place.site, "anna", path="incidents")
    expect(page.locator("[data-stage=due]")).to_contain_text("до предела")
    expect(page.locator("[data-mark=due]").first).to_contain_text("5 мин")

    form(page, "Оповещены")
    page.get_by_role("button", name="Бета Второй Образцов").click()
    expect(page.locator(CARD)).to_contain_text("Бета Второй Образцов")
    settled(page)
    page.get_by_role("button", name="Вега Третья Образцова").click()
    expect(page.locator("[data-mark=done]")).to_contain_text("5 мин")
    assert book.get(1).told_roles == {"head_of_point", "commission_member"}

    form(page, "Вопросы")
    page.get_by_role("radio", name="нет", exact=True).first.click()
    page.get_by_role("radio", name="резервная камера").click()
    write(page.get_by_label("Сколько участников затронуто"), "четырнадцать")
    page.get_by_role("button", name="Записать ответы").click()
    expect(page.locator("[data-testid=stAlertContentError]")).to_contain_text("не число")
    write(page.get_by_label("Сколько участников затронуто"), "14")
    page.get_by_role("button", name="Записать ответы").click()
    expect(page.locator(CARD)).to_contain_text("резервная камера")
    assert (book.get(1).candidates, len(book.get(1).answers)) == (14, 3)

    form(page, "Передать")
    write(page.get_by_label("Или другое лицо: ФИО"), "Илья Орлов")
    write(page.get_by_label("Должность или организация"), "ООО «Сервис»")
    write(page.get_by_label("Почему передаётся"), "нет питания в шкафу")
    page.get_by_role("button", name="Передать", exact=True).click()
    expect(page.locator("[data-row='1']")).to_contain_text("Илья Орлов")
    assert [hand.line.value for hand in book.get(1).hands] == ["first", "second"]

    form(page, "Снимки и файлы")
    picture = io.BytesIO()
    Image.new("RGB", (64, 48)).save(picture, "JPEG")
    page.locator("input[type=file]").set_input_files(
        {"name": "шкаф.jpg", "mimeType": "image/jpeg", "buffer": picture.getvalue()}
    )
    expect(page.get_by_text("шкаф.jpg").first).to_be_visible()
    page.get_by_role("button", name="Добавить файлы").click()
    expect(page.locator(f"{CARD} .ek-files")).to_contain_text("без изменений")
    (kept,) = book.get(1).files
    link = f"/papers/evidence/{kept.sha256}"
    assert page.request.get(place.site.url + link).body() == picture.getvalue()
    assert place.site.ask(link).status in (303, 401), "nothing is opened without a sign-in"
    (evidence_folder(place.site.home) / kept.sha256).write_bytes(b"another")
    page.reload()
    expect(page.locator(f"{CARD} .ek-files")).to_contain_text("ИЗМЕНЁН")
    expect(page.locator(f"{CARD} .ek-files a")).to_have_count(0)

    form(page, "Закрыть")
    signers = page.get_by_label("Утвердил")
    expect(signers).to_be_visible()
    write(page.get_by_label("Заключение"), "Работает резервная камера")
    write(page.get_by_label("Собственный ПИН-код"), "999999")
    page.get_by_role("button", name="Закрыть лист").click()
    expect(page.locator("[data-testid=stAlertContentError]")).to_contain_text("ПИН-код")
    expect(page.get_by_label("Собственный ПИН-код")).to_have_value("")
    expect(page.get_by_label("Заключение")).to_have_value("Работает резервная камера")
    write(page.get_by_label("Собственный ПИН-код"), PINS["boris"])
    page.get_by_role("button", name="Закрыть лист").click()
    expect(page.locator(CARD)).to_contain_text("Утвердил")
    sheet = book.get(1)
    assert sheet.closed_by is not None and sheet.signed_off is not None
    assert (sheet.closed_by.login, sheet.signed_off.login) == ("anna", "boris")
    assert failures(page) == []


def test_a_member_writes_down_that_the_chair_agreed_and_the_chair_writes_nothing(place: Place) -> None:
    page = place.page
    sign_in(page, place.site, "vera", path="incidents")
    page.get_by_text("Открыть лист нештатной ситуации").click()
    write(page.get_by_label("Опишите одной фразой"), "Камеры не пишут")
    page.get_by_role("button", name="Открыть лист", exact=True).click()
    expect(page.locator("[data-incident='2']")).to_be_visible()
    form(page, "Решение")
    page.get_by_text("экзамен остановлен").click()
    expect(page.get_by_label("Председатель ГЭК, давший согласие")).to_be_visible()
    page.get_by_role("button", name="Записать решение").click()
    expect(page.locator("[data-incident='2']")).to_contain_text("по телефону")
    taken = place.book.get(2).decision
    assert taken is not None and taken.agreed is not None
    assert (taken.by.login, taken.agreed.person.login) == ("vera", "galina")

    head = place.ledger.head()
    sign_in(page, place.site, "galina", path="incidents")
    page.goto(f"{place.site.url}/incidents?sheet={taken.at.year}-2")
    expect(page.locator("[data-incident='2']")).to_contain_text("Гамма Четвёртая Образцова")
    expect(page.get_by_role("radio", name="Закрыть")).to_have_count(0)
    expect(page.get_by_text("Открыть лист нештатной ситуации")).to_have_count(0)
    page.get_by_text("Вызовы в аудитории").click()
    settled(page)
    expect(page.get_by_role("button", name="Записать вызов")).to_have_count(0)
    assert [entry.actor for entry in place.ledger.entries(after=head.seq) if entry.actor == "galina"] == []


def test_a_room_call_is_one_line_and_two_taps(place: Place) -> None:
    page, calls = place.page, place.calls
    sign_in(page, place.site, "anna", path="incidents")
    page.get_by_text("Вызовы в аудитории").click()
    write(page.get_by_label("О чём просят"), "не печатает бланк")
    page.keyboard.press("Enter")
    expect(page.locator("[data-call='1']")).to_contain_text("ждут")
    page.get_by_role("button", name="Прибыл сейчас").click()
    expect(page.locator("[data-call='1']")).to_contain_text("на месте")
    page.get_by_role("button", name="Сделано, ухожу").click()
    expect(page.locator("[data-testid=stAlertContentError]")).to_be_visible()
    write(page.get_by_label("Что сделано", exact=True), "заменена бумага")
    page.get_by_role("button", name="Сделано, ухожу").click()
    expect(page.locator("[data-call-row='1']")).to_contain_text("заменена бумага")
    call = calls.all()[0]
    assert (call.is_open, call.done) == (False, "заменена бумага")

    for ending, kind in (("pdf", b"%PDF-"), ("csv", b"\xef\xbb\xbf")):
        answer = page.request.get(f"{place.site.url}/papers/room-calls.{ending}")
        assert answer.ok and answer.body().startswith(kind)

    page.get_by_text("Открыть по вызову нештатную ситуацию").click()
    page.get_by_role("button", name="Открыть лист нештатной ситуации").click()
    expect(page.locator("[data-incident]")).to_contain_text(re.compile("вызов № 1"))
    became = calls.get(RowRef(call.year, 1)).incident
    assert became is not None and place.book.get(became.number).calls == (call.ref,)
