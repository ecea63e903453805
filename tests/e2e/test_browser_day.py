"""A specialist's day in Chromium on the running demo: the real agent answers every click, nothing is prepared."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect, sync_playwright

from exam_kit.agent import orders
from exam_kit.archive.verify import verify_bag
from exam_kit.home import Home
from exam_kit.store import Ledger, open_store
from tests.ui.site import chromium

pytestmark = pytest.mark.browser

LONG_MS = 90_000
MOST_CLICKS = 4
"""From "exam over" to "archive verified, act ready to sign"."""
MOST_KEYS = 12
"""The same without a mouse: Tab to the menu's link and Enter, three times Enter, the number of cameras and Tab."""


@dataclass
class Demo:
    """The running program and the pages a browser opened on it."""

    home: Path
    url: str

    def pin(self, login: str) -> str:
        accounts = json.loads((self.home / "demo.json").read_text(encoding="utf-8"))["accounts"]
        return next(str(one["pin"]) for one in accounts if one["login"] == login)

    def answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/signin", timeout=2) as answer:
                return bool(answer.status == 200) and (self.home / "run" / "agent.json").exists()
        except (urllib.error.URLError, OSError):
            return False


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    home = tmp_path_factory.mktemp("browser") / "home"
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, "-m", "exam_kit", "demo", "--port", str(port)],
        env={**os.environ, "EXAM_KIT_HOME": str(home)},
        stdout=subprocess.DEVNULL,
    )
    yield Demo(home, f"http://127.0.0.1:{port}")
    process.terminate()
    assert process.wait(30) == 0


@pytest.fixture
def page(demo: Demo, until: Callable[..., None]) -> Iterator[Page]:
    program = chromium()
    if program is None:
        pytest.skip("no Chromium on PATH: install the package 'chromium' to run the tests of the screens")
    until(demo.answers, 60)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=str(program),
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"],
        )
        context = browser.new_context(viewport={"width": 1366, "height": 768})
        context.set_default_timeout(30_000)
        outside: list[str] = []
        context.on(
            "request",
            lambda request: (
                None if request.url.startswith((demo.url, "data:", "blob:")) else outside.append(request.url)
            ),
        )
        yield context.new_page()
        browser.close()
    assert outside == []


def sign_in(page: Page, demo: Demo, login: str, path: str = "") -> None:
    page.goto(f"{demo.url}/signin?next=/{path}")
    page.fill("#login", login)
    page.fill("#pin", demo.pin(login))
    page.press("#pin", "Enter")
    page.wait_for_selector("[data-testid=stHeading] h1")


COUNT = """() => {
  window.hand = {clicks: 0, keys: 0}
  addEventListener("pointerdown", event => { hand.clicks += event.isTrusted }, true)
  addEventListener("keydown", event => { hand.keys += event.isTrusted }, true)
}"""


def count_the_hand(page: Page) -> Callable[[], dict[str, int]]:
    """The browser itself counts what a hand does from now on, whatever this test calls to do it."""
    page.evaluate(COUNT)
    return lambda: dict(page.evaluate("() => window.hand"))


def go(page: Page, title: str) -> None:
    page.locator("[data-testid=stSidebar]").get_by_role("link", name=title).click()
    expect(page.locator("[data-testid=stHeading] h1")).to_have_text(title)


def view(page: Page, name: str) -> None:
    """One of the views of the cameras' screen."""
    page.get_by_role("radio", name=name).click()


def test_a_day_from_the_checks_to_the_verified_archive(page: Page, demo: Demo) -> None:
    page.goto(f"{demo.url}/cameras")
    expect(page).to_have_url(f"{demo.url}/signin?next=/cameras")
    sign_in(page, demo, "specialist")
    expect(page.locator("[data-countdown]")).to_have_text(re.compile(r"^\d:\d\d:\d\d$"))

    go(page, "Проверки")
    page.get_by_role("button", name="Провести все проверки").click()
    expect(page.locator("[data-verdict]")).to_be_visible(timeout=LONG_MS)

    go(page, "Камеры")
    view(page, "Включение и остановка")
    page.get_by_label("Причина").fill("по плану экзамена")
    page.get_by_role("button", name="Включить запись").click()
    expect(page.get_by_text("отдано")).to_be_visible()
    view(page, "Сейчас")
    expect(page.locator(".ek-shot[data-state=recording][data-picture=live]")).to_have_count(6, timeout=LONG_MS)

    hand = count_the_hand(page)
    page.locator("[data-testid=stSidebar]").get_by_role("link", name="Архив").click()
    expect(page.locator("[data-matrix]")).to_be_visible(timeout=LONG_MS)  # drawn last; before it the page is in motion
    page.get_by_role("button", name="Остановить запись…").click()
    expect(page.locator("[data-stops]")).to_be_visible(timeout=LONG_MS)
    yes = page.get_by_role("button", name="Да, остановить")
    expect(yes).to_be_visible(timeout=LONG_MS)  # it is drawn last
    early = page.get_by_label("введите число камер")
    typed = bool(early.count())  # the demo's plan goes on: this is typed, not clicked
    if typed:
        early.press("6")
        early.press("Enter")
    yes.click()
    expect(page.get_by_role("button", name="Остановить запись…")).to_have_count(0, timeout=LONG_MS)
    expect(page.locator("[data-wanted]:not([data-wanted='0'])")).to_be_visible(timeout=LONG_MS)
    page.get_by_role("button", name="Архивировать коридоры и вход").click()
    act = page.get_by_role("link", name="Акт приёма-передачи на подпись")
    expect(act).to_be_visible(timeout=LONG_MS)
    expect(page.locator("[data-archive=done]")).to_contain_text("в архиве, проверена")
    made = hand()
    print(f"from the end of the exam to the verified archive with its act ready to sign: {made}")
    assert made["clicks"] == MOST_CLICKS
    assert made["keys"] == (2 if typed else 0)
    paper = page.request.get(f"{demo.url}{act.get_attribute('href')}")
    assert paper.body().startswith(b"%PDF")
    page.get_by_role("button", name="Проверить пакет").click()
    expect(page.locator("[data-verified=whole]")).to_contain_text("подпись", timeout=LONG_MS)
    bag = Path(page.locator("[data-bag]").first.inner_text())  # on a drive, where one is plugged in
    assert verify_bag(bag).exit_code == 0
    if not bag.is_relative_to(demo.home):
        shutil.rmtree(bag)

    go(page, "Журнал доступа")
    expect(page.locator("[data-line='1']")).to_contain_text("включение записи")


def test_the_same_without_a_mouse(page: Page, demo: Demo) -> None:
    """The cameras are asked to record once more; what they bring is stopped and archived by keys alone."""
    home = Home.at(demo.home)
    store = open_store(home)
    cameras = {"cameras": ["HQ-1", "R1-1", "R2-1", "COR1-1", "COR2-1", "ENTR-1"]}
    orders.give(Ledger(store, home), "record", cameras, actor="specialist", ordered_by="head", why="once more")
    store.close()
    sign_in(page, demo, "specialist", "cameras")
    expect(page.locator(".ek-shot[data-state=recording][data-picture=live]")).to_have_count(6, timeout=LONG_MS)
    bags = page.locator("[data-archive=done]")
    page.goto(f"{demo.url}/")
    page.wait_for_selector("[data-countdown]")

    hand = count_the_hand(page)
    press = page.keyboard.press
    focused = page.locator(":focus")
    press("Tab")
    while focused.get_attribute("href") != "archive":
        press("Tab")
    press("Enter")
    expect(focused).to_have_text("Остановить запись…", timeout=LONG_MS)
    before = bags.count()
    press("Enter")
    expect(page.locator("[data-stops]")).to_be_visible(timeout=LONG_MS)
    early = page.get_by_label("введите число камер")
    if early.count():
        expect(early).to_be_focused()
        press("6")
        press("Tab")
    expect(focused).to_have_text("Да, остановить", timeout=LONG_MS)
    press("Enter")
    expect(focused).to_have_text("Архивировать выбранное", timeout=LONG_MS)  # a supplement to the copy made before
    press("Enter")
    expect(focused).to_have_text("Акт приёма-передачи на подпись (PDF)", timeout=LONG_MS)
    expect(bags).to_have_count(before + 1)
    made = hand()
    print(f"the same without a mouse: {made}")
    assert made["clicks"] == 0
    assert made["keys"] <= MOST_KEYS
    bag = Path(page.locator("[data-bag]").first.inner_text())
    assert verify_bag(bag).exit_code == 0
    if not bag.is_relative_to(demo.home):
        shutil.rmtree(bag)


def test_the_paper_and_the_recording_are_served_to_who_is_signed_in(page: Page, demo: Demo) -> None:
    sign_in(page, demo, "member", "cameras")
    view(page, "Записано")
    page.get_by_role("button", name="10 минут").click()
    piece = page.locator("[data-lane] .recorded").first.bounding_box()
    assert piece is not None
    page.mouse.click(piece["x"] + piece["width"] / 2, piece["y"] + piece["height"] / 2)
    expect(page.locator("video")).to_have_attribute("src", re.compile(r"^/recordings/\d+\.mp4$"))
    source = page.locator("video").get_attribute("src")
    assert source is not None
    partial = page.request.get(f"{demo.url}{source}", headers={"Range": "bytes=0-99"})
    assert (partial.status, len(partial.body())) == (206, 100)
    page.goto(f"{demo.url}/signout")
    page.context.clear_cookies()
    assert page.request.get(f"{demo.url}{source}").status in (401, 403)
