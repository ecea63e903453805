"""The review page at 100,000 lines, in Chromium: its first rows, all days, a search; and a plain table beside it.

``python -m bench.review`` fills a home, starts the real server and measures from the address to the rows that can be
read: once as the very first request after the start, then with the server warm. The peer is what one would write in
ten lines: `st.dataframe` over the same rows of the same ledger, kept in memory, a text field above it that filters
with pandas. Both are asked in turns in one run. Nothing is asserted.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlencode
from urllib.request import HTTPRedirectHandler, Request, build_opener

from playwright.sync_api import BrowserContext, Page, sync_playwright

from bench.access_log import fill
from exam_kit.agent.demo_point import LEISURELY, write_point
from exam_kit.clock import SystemClock
from exam_kit.home import Home, kit_root
from exam_kit.store import Account, Accounts, Ledger, Role, open_store

__all__ = ["main"]

LOGIN, PIN = "chair", "271828"
WORDS = ("памяти", "фамилия03", "объектив", "план дня", "0001")
"""One after the other, so that no search is answered by the one before it."""

OUR_ROWS, PLAIN_ROWS = "[data-review] tbody tr", "[data-testid=stDataFrame] canvas"

PEER = """
import json, sqlite3, sys
import pandas, streamlit as st

@st.cache_data(show_spinner=False)
def rows(path):
    found = sqlite3.connect(path).execute(
        "SELECT json_extract(record, '$.body') FROM ledger WHERE kind IN ('access.row', 'access.corrected',"
        " 'access.withdrawn') ORDER BY seq DESC")
    bodies = [json.loads(body) for (body,) in found]
    return pandas.DataFrame({
        "no": [one["no"] for one in bodies], "date": [one["date"] for one in bodies],
        "rooms": [", ".join(one["rooms"]) for one in bodies], "start": [one["start"] for one in bodies],
        "end": [one["end"] for one in bodies], "action": [one["action"] for one in bodies],
        "text": [one["text"] for one in bodies], "person": [one["person"]["name"] for one in bodies]})

table = rows(sys.argv[1])
word = st.text_input("search")
if word:
    fits = table["text"].str.contains(word, case=False, regex=False)
    for name in ("person", "rooms", "action"):
        fits |= table[name].str.contains(word, case=False, regex=False)
    table = table[fits]
st.html(f'<p data-total="{len(table)}" data-asked="{word}">{len(table)}</p>')
st.dataframe(table)
"""

TYPED = """([selector, word]) => new Promise((done, fail) => {
    const field = document.querySelector(selector)
    const before = document.querySelector("[data-total]").outerHTML
    const begun = performance.now()
    const seen = new MutationObserver(() => {
        const now = document.querySelector("[data-total]")
        if (now && now.outerHTML !== before) {
            seen.disconnect()
            requestAnimationFrame(() => setTimeout(() => done(performance.now() - begun)))
        }
    })
    seen.observe(document.body, {subtree: true, childList: true, attributes: true, characterData: true})
    setTimeout(() => fail(new Error("nothing changed")), 60000)
    Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, "value").set.call(field, word)
    field.dispatchEvent(new Event("input", {bubbles: true}))
    field.dispatchEvent(new KeyboardEvent("keydown", {key: "Enter", code: "Enter", keyCode: 13, bubbles: true}))
    field.dispatchEvent(new KeyboardEvent("keypress", {key: "Enter", code: "Enter", keyCode: 13, bubbles: true}))
})"""
"""Milliseconds from Enter to the frame after the new count is in the document, by the browser's own clock."""


class Served:
    """A server process that is ended with the block, and where it listens."""

    def __init__(self, arguments: list[str], environment: dict[str, str]) -> None:
        self.process = subprocess.Popen(
            [sys.executable, *arguments], env={**os.environ, **environment}, stdout=subprocess.PIPE, text=True
        )

    def __enter__(self) -> Served:
        return self

    def __exit__(self, *_problem: object) -> None:
        self.process.terminate()
        self.process.wait(30)


def filled(root: Path, rows: int) -> Home:
    home = Home.at(root)
    home.create()
    point = write_point(home, SystemClock(), 9, LEISURELY)
    store = open_store(home)
    ledger = Ledger(store, home)
    account = Account(LOGIN, "Председатель П. П.", Role.COMMISSION_HEAD, "председатель ГЭК", "ru")
    Accounts(store, ledger).create(account, PIN, actor="agent")
    fill(ledger, home, point, rows)
    ledger.checkpoint()
    store.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    store.close()
    return home


def signed_in(url: str) -> str:
    """A session's token, made by the form."""

    class Stay(HTTPRedirectHandler):
        def redirect_request(self, *_of: object) -> None:
            return None

    request = Request(f"{url}signin", data=urlencode({"login": LOGIN, "pin": PIN}).encode(), method="POST")
    try:
        build_opener(Stay).open(request)
    except OSError as redirected:
        cookie = redirected.headers["Set-Cookie"]  # type: ignore[attr-defined]
        return str(cookie).partition("=")[2].partition(";")[0]
    raise SystemExit("the sign-in did not answer as it should")


def first_rows(context: BrowserContext, address: str, rows: str) -> tuple[float, Page]:
    """Seconds from the address to the rows, in a tab of its own."""
    page = context.new_page()
    begun = time.perf_counter()
    page.goto(address, wait_until="commit")
    page.wait_for_selector(rows, timeout=120_000)
    return time.perf_counter() - begun, page


def told(name: str, ours: list[float], peer: list[float], unit: str = "s") -> None:
    middle = statistics.median(ours)
    line = f"{name:<44} median {middle:8.3f} {unit}   worst {max(ours):8.3f}   n {len(ours)}"
    if peer:
        beside = statistics.median(peer)
        line += f"   plain table {beside:8.3f} {unit}   ratio {middle / beside:5.2f}"
    print(line, flush=True)


def settled(page: Page) -> None:
    page.wait_for_selector(".stApp[data-test-script-state=notRunning]", timeout=60_000)


def searches(page: Page, field: str, rounds: int) -> list[float]:
    taken = []
    for number in range(rounds):
        settled(page)
        taken.append(float(page.evaluate(TYPED, [field, WORDS[number % len(WORDS)]])) / 1000)
    return taken


def measure(home: Home, folder: Path, rounds: int) -> None:
    script = folder / "plain.py"
    script.write_text(PEER, encoding="utf-8")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    plain = ["-m", "streamlit", "run", str(script), "--server.port", str(port), "--server.address", "127.0.0.1",
             "--server.headless", "true", "--browser.gatherUsageStats", "false", "--", str(home.store)]  # fmt: skip
    environment = {"EXAM_KIT_HOME": str(home.root), "PYTHONPATH": str(kit_root())}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=os.environ.get("CHROMIUM", "/usr/bin/chromium"), args=["--no-sandbox", "--disable-gpu"]
        )

        def context() -> BrowserContext:
            return browser.new_context(viewport={"width": 1366, "height": 768})

        ours_first, peer_first = [], []
        for turn in range(2):
            with Served(["-m", "exam_kit.web.serve", "--port", "0"], environment) as web:
                assert web.process.stdout is not None
                url = json.loads(web.process.stdout.readline())["url"]
                ours = context()
                ours.add_cookies([{"name": "exam_kit_session", "value": signed_in(url), "url": url}])
                taken, _page = first_rows(ours, f"{url}review", OUR_ROWS)
                ours_first.append(taken)
                if turn:
                    with Served(plain, {}):
                        _wait_for(port)
                        theirs = context()
                        taken, _page = first_rows(theirs, f"http://127.0.0.1:{port}/", PLAIN_ROWS)
                        peer_first.append(taken)
                        told("first request after the start, first rows", ours_first, peer_first)
                        _warm(ours, theirs, url, port, rounds)
        browser.close()


def _warm(ours: BrowserContext, theirs: BrowserContext, url: str, port: int, rounds: int) -> None:
    mine, peer = [], []
    for _turn in range(rounds):
        taken, page = first_rows(ours, f"{url}review", OUR_ROWS)
        mine.append(taken)
        page.close()
        taken, page = first_rows(theirs, f"http://127.0.0.1:{port}/", PLAIN_ROWS)
        peer.append(taken)
        page.close()
    told("warm server, first rows", mine, peer)
    _taken, page = first_rows(ours, f"{url}review", OUR_ROWS)
    settled(page)
    begun = time.perf_counter()
    page.get_by_role("radio", name="все дни").click()
    page.wait_for_function("() => +document.querySelector('[data-total]').dataset.total > 1000", timeout=60_000)
    told("from today to all days", [time.perf_counter() - begun], [])
    _taken, other = first_rows(theirs, f"http://127.0.0.1:{port}/", PLAIN_ROWS)
    told(
        "a search in all days",
        searches(page, ".st-key-review-text input", max(rounds, len(WORDS))),
        searches(other, "[data-testid=stTextInput] input", max(rounds, len(WORDS))),
    )


def _wait_for(port: int) -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise SystemExit("the plain table's server did not start")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.review", description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--home", type=Path, help="use the home that an earlier run left here, or fill and leave it")
    options = parser.parse_args()
    print(
        f"{platform.python_version()} on {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, "
        f"{options.rows:,} lines, {datetime.now(UTC):%Y-%m-%d}"
    )
    with tempfile.TemporaryDirectory(prefix="bench-review-") as folder:
        root = options.home or Path(folder) / "home"
        begun = time.perf_counter()
        home = Home.at(root) if root.exists() else filled(root, options.rows)
        print(f"filled in {time.perf_counter() - begun:.1f} s, {home.store.stat().st_size / 1e6:.0f} MB", flush=True)
        measure(home, Path(folder), options.rounds)
    return 0


if __name__ == "__main__":
    sys.exit(main())
