"""Five usual lines of an exam morning, written with the keyboard alone: ``python -m tests.e2e.keyboard_log``.

A real Chromium over a prepared point; every key is pressed as a person does, ``--key-ms`` apart, and nothing is touched
with a mouse. Prints the keys and the seconds of each line and of all five, from the open access log to the fifth line
in the table. Ends with 1 when it took a minute or longer, or when the log does not hold exactly what was meant.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from playwright.sync_api import Page, expect, sync_playwright

from exam_kit.journal.access_log import AccessAction, AccessLog
from exam_kit.journal.access_row import AccessRow
from exam_kit.point import load_point
from tests.ui.prepared import PINS, prepare
from tests.ui.site import Site, chromium, start

LIMIT_S = 60.0
READY = ".stApp[data-test-connection-state=CONNECTED][data-test-script-state=notRunning]"
ROOMS = ".st-key-log-form input[type=text]"


@dataclass(frozen=True)
class Morning:
    """One line: the preset's key, and what is typed into the form before Enter (Tab goes to the next field)."""

    preset: str
    typed: tuple[str, ...] = ()


LINES = (
    Morning("1"),
    Morning("2"),
    Morning("3"),
    Morning("4"),
    # The rooms, past start and end, the details.
    Morning("5", ("0002", "Tab", "Tab", "Tab", "объектив закрыт шторой, поправлен")),
)
EXPECTED = (
    (AccessAction.OPERABILITY_CHECK, ("7777", "0001", "0002", "COR1", "COR2", "ENTR"), ""),
    (AccessAction.RECORDING_STARTED, ("7777",), ""),
    (AccessAction.RECORDING_STARTED, ("COR1", "COR2", "ENTR"), ""),
    (AccessAction.RECORDING_STARTED, ("0001", "0002"), ""),
    (AccessAction.VIEW_CORRECTED, ("0002",), "объектив закрыт шторой, поправлен"),
)


@dataclass
class Typist:
    """Presses keys and counts them."""

    page: Page
    key_ms: float
    keys: int = 0
    told: list[str] = field(default_factory=list)

    def press(self, key: str) -> None:
        self.page.wait_for_timeout(self.key_ms)
        self.page.keyboard.press(key)
        self.keys += 1

    def type(self, text: str) -> None:
        """A key for each character; what is selected is replaced."""
        for char in text:
            self.page.wait_for_timeout(self.key_ms)
            self.page.keyboard.insert_text(char) if ord(char) > 127 else self.page.keyboard.press(char)
            self.keys += 1

    def line(self, morning: Morning) -> None:
        """The preset fills the form and takes the cursor there; then what differs is typed, and Enter writes it."""
        began, before, rows = time.monotonic(), self.keys, self.page.locator("[data-line]").count()
        self.press(morning.preset)
        expect(self.page.locator(ROOMS).first).to_be_focused()
        for one in morning.typed:
            self.press(one) if one == "Tab" else self.type(one)
        self.press("Enter")
        expect(self.page.locator("[data-line]")).to_have_count(rows + 1)
        self.page.wait_for_selector(READY)
        self.told.append(f"line {len(self.told) + 1}: {self.keys - before} keys, {time.monotonic() - began:.1f} s")


def sign_in(typist: Typist, site: Site, login: str) -> None:
    """From the closed door to the open access log, by keyboard too."""
    typist.page.goto(f"{site.url}/signin?lang=ru&next=/access_log")
    expect(typist.page.locator("#login")).to_be_focused()
    typist.type(login)
    typist.press("Tab")
    typist.type(PINS[login])
    typist.press("Enter")
    typist.page.wait_for_selector("[data-log]")
    typist.page.wait_for_selector(READY)


def five_lines(page: Page, site: Site, key_ms: float) -> tuple[Typist, float]:
    """Sign in, write the five lines; the typist, and the seconds from the open log to the fifth line."""
    typist = Typist(page, key_ms)
    sign_in(typist, site, "anna")
    typist.keys = 0
    began = time.monotonic()
    for morning in LINES:
        typist.line(morning)
    return typist, time.monotonic() - began


def wrong_lines(rows: list[AccessRow]) -> list[str]:
    """What the last lines of the log say otherwise than was meant."""
    found = [(row.action, row.rooms, row.text) for row in rows[-len(EXPECTED) :]]
    return [f"{one} instead of {meant}" for one, meant in zip(found, EXPECTED, strict=True) if one != meant]


@contextmanager
def a_page() -> Iterator[Page]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(chromium()), args=["--no-sandbox", "--disable-gpu"])
        yield browser.new_page(viewport={"width": 1366, "height": 768})
        browser.close()


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.e2e.keyboard_log", description=__doc__)
    parser.add_argument("--key-ms", type=float, default=120.0, help="time between two keys")
    options = parser.parse_args(arguments)
    expect.set_options(timeout=20_000)
    with tempfile.TemporaryDirectory() as folder:
        site = start(prepare(Path(folder) / "home"))
        try:
            with a_page() as page:
                typist, seconds = five_lines(page, site, options.key_ms)
            store, ledger = site.store()
            wrong = wrong_lines(AccessLog(ledger, load_point(site.home.point_file)).rows())
            store.close()
        finally:
            site.process.terminate()
            site.process.wait(20)
    print(*typist.told, sep="\n")
    print(f"five lines: {typist.keys} keys, {seconds:.1f} s at {options.key_ms:.0f} ms a key, no mouse")
    print(*wrong, sep="\n", end="\n" if wrong else "")
    return 1 if wrong or seconds >= LIMIT_S else 0


if __name__ == "__main__":
    sys.exit(main())
