"""One server and one browser for all tests of the screens."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from exam_kit.agent.status import beat
from exam_kit.clock import SystemClock
from exam_kit.home import Home
from tests.ui.prepared import PINS, prepare
from tests.ui.site import Site, chromium, start

expect.set_options(timeout=20_000)  # a machine that builds beside the tests is slow, not wrong

CLIP = bytes(range(256)) * 400


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    home = prepare(tmp_path_factory.mktemp("screens") / "home", clip=CLIP)
    served = start(home)
    # What the very first requests after a start get, before anything has been shown.
    for path in ("/checks", "/pages/checks", "/checks.py", "/_stcore/stream", "/_stcore/health"):
        served.first[path] = served.ask(path)
    with _heart(home):
        yield served
    served.process.terminate()
    served.process.wait(20)


class _heart:
    """A heartbeat without an agent, so that the screens show the cameras' states."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def _run(self) -> None:
        clock = SystemClock()
        while not self._ended.wait(2):
            beat(self._home, clock)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_of: object) -> None:
        self._ended.set()
        self._thread.join()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    program = chromium()
    if program is None:
        pytest.skip("no Chromium on PATH: install the package 'chromium' to run the tests of the screens")
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(
            executable_path=str(program),
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"],
        )
        yield opened
        opened.close()


@pytest.fixture
def page(browser: Browser, site: Site) -> Iterator[Page]:
    """A page of a fresh browser profile; at the end nothing may have been asked of another host."""
    context = browser.new_context(viewport={"width": 1366, "height": 768}, accept_downloads=True)
    context.set_default_timeout(20_000)
    opened = context.new_page()
    outside: list[str] = []
    context.on(
        "request",
        lambda request: None if request.url.startswith((site.url, "data:", "blob:")) else outside.append(request.url),
    )
    yield opened
    context.close()
    assert outside == []


def sign_in(page: Page, site: Site, login: str, language: str = "ru", path: str = "") -> None:
    """By the form, as a person does."""
    page.goto(f"{site.url}/signin?lang={language}" + (f"&next=/{path}" if path else ""))
    page.fill("#login", login)
    page.fill("#pin", PINS[login])
    page.press("#pin", "Enter")
    page.wait_for_selector("[data-testid=stHeading] h1")
    settled(page)


def settled(page: Page) -> None:
    """Wait until the page is drawn to its end; what is typed before may belong to a field about to be replaced."""
    page.wait_for_selector(".stApp[data-test-connection-state=CONNECTED][data-test-script-state=notRunning]")


def failures(page: Page) -> list[str]:
    """What a reader would see as an error of the program."""
    found = page.locator("[data-testid=stException], [data-testid=stAlertContentError]")
    return found.all_inner_texts()


def footage_of(home: Home) -> list[Path]:
    return sorted(home.footage.rglob("*.mp4"))
