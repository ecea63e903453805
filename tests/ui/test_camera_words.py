"""Cameras' own words on the screen, and the order to set a clock: given by a person, carried out by the agent."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from exam_kit.agent import orders
from exam_kit.agent.camera_clock import SetClocks
from exam_kit.agent.camera_words import Words, asked, keep_clock, keep_words
from exam_kit.cctv.onvif.device import information
from exam_kit.clock import SystemClock
from exam_kit.errors import m
from exam_kit.point import Point, Secrets, load_point
from tests.onvif_simulator import PASSWORD, USER, Simulator
from tests.ui.conftest import failures, settled, sign_in
from tests.ui.prepared import prepare
from tests.ui.site import Site, start

ASKED = ("R1-1", "R2-1", "HQ-1")


@pytest.fixture(scope="module")
def camera() -> Iterator[Simulator]:
    with Simulator(97, ntp=True, zone="UTC0") as running:
        yield running


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory, camera: Simulator) -> Iterator[Site]:
    """A point at eight in the morning; one camera answered, one did not, one was never asked."""
    home = prepare(tmp_path_factory.mktemp("words") / "home")
    text = home.point_file.read_text(encoding="utf-8")
    for name in ASKED:
        url = f'url = "http://127.0.0.1:9/{name}.ts"\n'
        text = text.replace(url, f'{url}user = "{USER}"\nonvif = "{camera.url}"\n')
    home.point_file.write_text(text, encoding="utf-8")
    point, secrets, clock = load_point(home.point_file), Secrets(home, file_only=True), SystemClock()
    for name in ASKED:
        secrets.set(f"camera:{name}", PASSWORD)
    client = asked(point.camera("R1-1"), secrets, clock)
    keep_words(home, "R1-1", Words(clock.now(), **vars(information(client))))
    camera.zone = f"UTC{-round(_east(point) / 3600):+d}"
    keep_clock(home, point, "R1-1", client.clock(samples=1))
    silent = m("{place}: the camera reports no events.", place="127.0.0.1")
    keep_words(home, "R2-1", Words(clock.now(), "Simulated", "<b>X</b>", problem=silent))
    served = start(home)
    yield served
    served.process.terminate()
    served.process.wait(20)


def _east(point: Point) -> float:
    offset = SystemClock().now().astimezone(point.tz).utcoffset()
    return offset.total_seconds() if offset else 0.0


@pytest.fixture
def screen(browser: Browser, told: Site) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1366, "height": 768})
    context.set_default_timeout(20_000)
    yield context.new_page()
    context.close()


def words_of(page: Page, site: Site, login: str, language: str, label: str) -> None:
    sign_in(page, site, login, language, "cameras")
    page.get_by_role("radio", name=label).click()
    page.wait_for_selector("[data-words] tbody tr")
    settled(page)


def test_what_the_cameras_say_and_what_is_not_known(screen: Page, told: Site) -> None:
    words_of(screen, told, "vera", "en", "Camera details")
    rows = screen.locator("[data-words] tbody tr")
    expect(rows).to_have_count(len(ASKED))
    heard, silent, never = (rows.filter(has_text=name) for name in ("R1-1", "R2-1", "HQ-1"))
    expect(heard).to_contain_text("Simulated & Co SIM-2")
    expect(heard).to_contain_text("97 s ahead · NTP")
    expect(silent).to_contain_text("<b>X</b>")  # as text
    expect(silent).to_contain_text("no answer")
    expect(silent).to_contain_text("127.0.0.1: the camera reports no events.")
    expect(never).to_contain_text("not asked yet")
    # A commission member reads; the order is not theirs to give.
    expect(screen.get_by_text("Set the clock", exact=True)).to_have_count(0)
    assert failures(screen) == []


def test_the_specialist_orders_and_the_clock_is_set(screen: Page, told: Site, camera: Simulator) -> None:
    """Nothing chosen and a camera in its recording time are refused before there is an order."""
    words_of(screen, told, "anna", "en", "Camera details")
    screen.get_by_text("Set the clock", exact=True).click()
    screen.get_by_role("button", name="Set the clock…").click()
    expect(screen.get_by_text("No camera is chosen")).to_be_visible()
    screen.get_by_role("button", name="HQ-1", exact=True).click()
    settled(screen)
    screen.get_by_label("Why").fill("97 s ahead")
    screen.get_by_label("Why").press("Enter")
    settled(screen)
    screen.get_by_role("button", name="Set the clock…").click()
    expect(screen.get_by_text("planned recording time")).to_be_visible()
    expect(screen.get_by_role("button", name="Yes, set it")).to_have_count(0)
    for name in ("HQ-1", "R1-1"):  # off, on
        screen.get_by_role("button", name=name, exact=True).click()
        settled(screen)
    screen.get_by_role("button", name="Set the clock…").click()
    expect(screen.get_by_text("R1-1 (97 s ahead)")).to_be_visible()
    assert camera.skew_s == 97
    screen.get_by_role("button", name="Yes, set it").click()
    row = screen.locator("[data-clock-orders] tbody tr").first
    expect(row).to_contain_text("waiting")
    expect(row).to_contain_text("Бета Второй Образцов")

    store, ledger = told.store()
    point = load_point(told.home.point_file)
    order = orders.take(store, "camera_clock")
    assert order is not None
    clocks = SetClocks(point, told.home, ledger, Secrets(told.home, file_only=True), SystemClock(), set)
    orders.end(ledger, order, "done", clocks.obey(order))
    store.close()
    assert abs(camera.skew_s) < 1
    expect(row).to_contain_text("97 s ahead → less than 1 s off")
    expect(screen.locator("[data-words] tbody tr").filter(has_text="R1-1")).to_contain_text("less than 1 s off")
