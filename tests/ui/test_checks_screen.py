"""The screen of the checks beyond running them: the rest at once, photos, waivers, what changed, exam stations."""

from __future__ import annotations

import hashlib
import re
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from exam_kit.agent import orders
from exam_kit.checks.model import Expectation, Fact, Reading, Result, Rule, Severity, State
from exam_kit.checks.profile import load_profile
from exam_kit.checks.results import finish_run, latest_run, save_result, start_run
from exam_kit.checks.station_kit import make_kit
from exam_kit.checks.station_run import check_station, open_kit
from exam_kit.checks.waivers import Waivers
from exam_kit.clock import SystemClock, iso
from exam_kit.home import Home
from exam_kit.point import load_point
from exam_kit.store import Ledger, Store, open_store
from tests.ui.conftest import failures, sign_in
from tests.ui.prepared import add_people, write_point
from tests.ui.site import Site, start

pytestmark = pytest.mark.browser

WAIVED = "cpu"
"""A check of the demo profile that may be waived."""


def _png(width: int, height: int) -> bytes:
    """A grey picture."""

    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    rows = zlib.compress(b"".join(b"\0" + b"\x80" * width for _row in range(height)))
    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def _run(store: Store, ledger: Ledger, home: Home, states: dict[str, State]) -> None:
    """A finished run of one check of the machine, one of the disk and three items that wait for a person."""
    clock, day = SystemClock(), load_point(home.point_file).days[0].date
    run = start_run(store, load_profile("demo", home), day=str(day), actor="anna", clock=clock)
    below = Expectation(fail=(Rule("free", "below", 2e11),))
    readings = {"free": Reading("bytes", "")}
    for position, (name, state) in enumerate(states.items()):
        pending = state is State.PENDING
        fact = Fact.pending(roles=["specialist"]) if pending else Fact({"free": 3e11 if state is State.OK else 1e11})
        title = {language: f"{name} {language}" for language in ("ru", "en", "lv")}
        result = Result(
            name, "", position, "manual.confirm" if pending else "disk.free", title, title, Severity.MINOR, below,
            readings, fact, state, (), iso(clock.now()), 0.2,
        )  # fmt: skip
        save_result(store, run.id, result)
    finish_run(ledger, run.id, clock=clock)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    home = Home.at(tmp_path_factory.mktemp("checks") / "home")
    home.create()
    write_point(home)
    store = open_store(home)
    ledger = Ledger(store, home)
    add_people(store, ledger)
    waiting = {"seals": State.PENDING, "notices": State.PENDING, "spares": State.PENDING}
    _run(store, ledger, home, {WAIVED: State.OK, "disk": State.FAIL})
    _run(store, ledger, home, {WAIVED: State.FAIL, "disk": State.OK, **waiting})
    store.close()
    served = start(home)
    yield served
    served.process.terminate()
    served.process.wait(20)


def test_what_changed_stands_over_the_results_and_on_them(page: Page, site: Site) -> None:
    sign_in(page, site, "anna", path="checks")
    expect(page.locator("[data-changes]")).to_contain_text("новое 1")
    expect(page.locator("[data-changes]")).to_contain_text("исправлено 1")
    expect(page.locator(".ek-check").filter(has_text=f"{WAIVED} ru")).to_contain_text("новое")


def test_f2_checks_again_only_what_failed(page: Page, site: Site) -> None:
    store, _ledger = site.store()
    sign_in(page, site, "anna", path="checks")
    expect(page.get_by_role("button", name="Повторить непройденные")).to_be_enabled()  # the key is its own
    page.keyboard.press("F2")
    expect(page.get_by_text("Идут проверки")).to_be_visible()
    (order,) = orders.recent(store, "check")
    assert order.body == {"only": [WAIVED]}
    with store.transaction() as connection:
        connection.execute("UPDATE orders SET state = 'cancelled' WHERE id = ?", (order.id,))
    store.close()


def test_a_remark_carries_a_photo_and_the_rest_is_fine_at_once(page: Page, site: Site) -> None:
    photo = _png(40, 30)
    store, ledger = site.store()
    sign_in(page, site, "anna", path="checks")
    page.get_by_role("radio", name="замечание", exact=True).first.click()
    page.get_by_label("Примечание").fill("пломба сорвана")
    chooser = page.locator("[data-testid=stFileUploaderDropzone]")
    assert re.findall("[A-Za-z]+", chooser.inner_text()) == []
    files = [{"name": "пломба.png", "mimeType": "image/png", "buffer": photo}]
    page.locator("[data-testid=stFileUploaderDropzoneInput]").set_input_files(files)  # type: ignore[arg-type]
    expect(page.get_by_text("пломба.png")).to_be_visible()
    page.get_by_role("button", name="Подписать").first.click()
    answered = page.locator(".ek-check").filter(has_text="пломба сорвана")
    link = answered.locator("a[data-attached]")
    expect(link).to_contain_text("пломба.png")
    shown = link.locator("img")
    expect(shown).to_be_visible()
    page.wait_for_function("image => image.complete", arg=shown.element_handle())
    assert shown.evaluate("image => [image.naturalWidth, image.naturalHeight]") == [40, 30]
    assert link.get_attribute("href") == f"/papers/evidence/{hashlib.sha256(photo).hexdigest()}"
    assert (site.home.root / "evidence" / hashlib.sha256(photo).hexdigest()).read_bytes() == photo
    page.get_by_role("button", name="Остальное в порядке (2)").click()
    expect(page.locator(".st-key-confirm-rest li")).to_have_text(["notices ru", "spares ru"])
    page.get_by_role("button", name="Да, всё в порядке").click()
    expect(page.get_by_text("Подписано пунктов: 2")).to_be_visible()
    run = latest_run(store)
    assert run is not None
    assert {result.check: result.state for result in run.results if result.manual} == {
        "seals": State.WARN,
        "notices": State.OK,
        "spares": State.OK,
    }
    assert len(list(ledger.entries(["check.signed"]))) == 3
    store.close()


def test_a_commission_member_lets_a_fault_pass_and_takes_it_back(page: Page, site: Site) -> None:
    store, ledger = site.store()
    card = page.locator(".ek-check").filter(has_text=f"{WAIVED} ru")
    sign_in(page, site, "anna", path="checks")
    expect(card).to_be_visible()
    expect(page.get_by_role("button", name="Допустить на время…")).to_have_count(0)
    sign_in(page, site, "vera", path="checks")
    page.get_by_role("button", name="Допустить на время…").first.click()
    page.get_by_role("button", name="Дать допуск").click()
    expect(page.locator("[data-testid=stAlertContentError]")).to_contain_text("причина")
    page.get_by_label("Почему это допустимо").fill("есть резервный компьютер")
    page.get_by_role("button", name="Дать допуск").click()
    expect(card).to_contain_text("Вега Третья Образцова")
    expect(card).to_contain_text("есть резервный компьютер")
    expect(card.locator(".ek-chip")).to_contain_text("допущено решением")
    expect(page.get_by_role("button", name="Отозвать допуск…")).to_be_visible()
    page.get_by_role("radio", name="Допуски").click()
    page.get_by_label("Почему отзывается").fill("резерв забрали")
    page.get_by_role("button", name="Отозвать допуск", exact=True).click()
    expect(page.locator("[data-waivers] tbody tr")).to_contain_text("отозван")
    page.get_by_role("radio", name="Этот компьютер").click()
    expect(card.locator(".ek-chip")).to_have_text("неисправность")
    assert Waivers(ledger, site.home).active(SystemClock().now()) == []
    store.close()


def test_a_stations_file_is_taken_in_and_a_changed_one_is_not(page: Page, site: Site, tmp_path: Path) -> None:
    store, ledger = site.store()
    point = load_point(site.home.point_file)
    stick = make_kit(
        tmp_path / "stick", point=point, profile=load_profile("demo", site.home), ledger=ledger, actor="anna",
        receiver="00" * 32, wheels=tmp_path / "none",
    ).folder  # fmt: skip
    path, _found = check_station(open_kit(stick), "PRINT-1", clock=SystemClock())
    changed = path.with_name("changed.exam-station.txt")
    changed.write_bytes(path.read_bytes().replace(b"PRINT-1", b"PRINT-2", 1))
    sign_in(page, site, "anna", path="checks")
    page.get_by_role("radio", name="Станции ППЭ").click()
    expect(page.locator("[data-station='PRINT-1']")).to_contain_text("нет результата")
    page.get_by_text("Принять результаты станций ППЭ").click()
    page.get_by_label("Папка на флеш-накопителе").fill(str(stick))
    page.keyboard.press("Tab")
    page.get_by_role("button", name="Принять (2)").click()
    expect(page.locator("[data-testid=stAlertContentError]")).to_contain_text("changed.exam-station.txt: файл изменён")
    expect(page.locator("[data-station='PRINT-1']")).to_contain_text("назад")
    expect(page.locator("[data-matrix] tbody .ek-mark").first).to_be_visible()
    page.get_by_role("radio", name="PRINT-1").click()
    expect(page.locator("[data-verdict]")).to_be_visible()
    assert [text for text in failures(page) if "changed" not in text] == []
    assert latest_run(store, station="PRINT-1") is not None
    store.close()
