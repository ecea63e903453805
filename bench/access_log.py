"""The access log at 100,000 lines: what a cold start, the next entry, a page and a search need.

``python -m bench.access_log`` fills a ledger in a temporary folder (or in the home named with ``--home``, which must be
new) and prints medians. Two of three lines are countersigned, some are corrected, withdrawn or still open.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from exam_kit.agent.demo_point import LEISURELY, write_point
from exam_kit.clock import FakeClock, SystemClock, iso
from exam_kit.errors import UsageError, m
from exam_kit.home import Home
from exam_kit.journal.access_log import AccessLog
from exam_kit.journal.access_row import LINES, AccessAction
from exam_kit.journal.numbering import next_number, point_key
from exam_kit.journal.search import Asked, search
from exam_kit.point import Point, load_point
from exam_kit.store import Ledger, open_store

SETTLED = ".stApp[data-test-connection-state=CONNECTED][data-test-script-state=notRunning]"
PEOPLE = [
    {"name": f"Фамилия{number:02} Имя Отчество", "post": "технический специалист", "login": f"spec{number}"}
    for number in range(12)
]
HEAD = {"name": "Руководитель Р. Р.", "post": "руководитель ППЭ", "login": "head"}
TEXTS = ("", "", "проверка перед экзаменом", "замена карты памяти № {n}", "объектив протёрт, вид поправлен", "план дня")
ACTIONS = [action.value for action in AccessAction if action is not AccessAction.OTHER]


def fill(
    ledger: Ledger, home: Home, point: Point, count: int, *, until: datetime | None = None, every_s: float = 240.0
) -> None:
    """Append `count` lines of the last months, all numbered in the year of `until` after those that are there, in one
    transaction."""
    ends = (until or ledger.clock.now()).astimezone(UTC)
    year, key = ends.astimezone(point.tz).year, point_key(point)
    rooms = [room.code for room in point.rooms]
    clock = FakeClock(ends - timedelta(seconds=every_s * count))
    writing = Ledger(ledger.store, home, clock)
    with ledger.store.transaction() as connection:
        first = next_number(connection, LINES, key, year)
        for number in range(first, first + count):
            clock.advance(every_s)
            who = PEOPLE[number % len(PEOPLE)]
            start = clock.now() - timedelta(minutes=3)
            body: dict[str, Any] = {
                "point": key,
                "year": year,
                "no": number,
                "writer": who,
                "person": who,
                "date": start.astimezone(point.tz).date().isoformat(),
                "rooms": rooms if number % 5 == 0 else [rooms[number % len(rooms)]],
                "start": iso(start),
                "end": None if number % 50 == 7 else iso(start + timedelta(minutes=2)),
                "action": ACTIONS[number % len(ACTIONS)],
                "text": TEXTS[number % len(TEXTS)].format(n=number),
                "responsible": None,
                "order": number if number % 11 == 0 else None,
            }
            kind = "access.row"
            if number % 100 == 99:
                kind, body = "access.corrected", {**body, "corrects": [year, number - 1], "why": "не то помещение"}
            elif number % 250 == 10:
                kind, body = "access.withdrawn", {**body, "withdraws": [year, number - 1], "why": "лишняя строка"}
            writing.append(kind, body, who["login"])
            if body["end"] is None and number < first + count - 60:
                ended = {"point": key, "year": year, "no": number, "writer": who, "end": iso(clock.now())}
                writing.append("access.ended", ended, who["login"])
            if number % 3 and body["end"] is not None and number % 100 not in (98, 99):
                signed = {"point": key, "year": year, "no": number, "writer": HEAD}
                writing.append("access.countersigned", signed, "head")


def median_ms(act: Callable[[], object], times: int = 9) -> float:
    taken = []
    for _each in range(times):
        began = time.perf_counter()
        act()
        taken.append((time.perf_counter() - began) * 1000)
    return statistics.median(taken)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.access_log", description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--home", type=Path, help="fill this new home and leave it there")
    parser.add_argument("--browser", action="store_true", help="measure the page in Chromium too")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        root = options.home or Path(folder) / "home"
        if root.exists():
            raise UsageError(m("{path}: exists already. Name a new folder.", path=root))
        home = Home.at(root)
        home.create()
        measure(home, options.rows)
        if options.browser:
            in_browser(Path(folder) / "served", options.rows)
    return 0


def measure(home: Home, count: int) -> None:
    """Fill and print."""
    point = write_point(home, SystemClock(), 9, LEISURELY)
    ledger = Ledger(open_store(home), home)
    began = time.perf_counter()
    fill(ledger, home, point, count)
    print(f"{count} lines written in {time.perf_counter() - began:.1f} s")
    began = time.perf_counter()
    log = AccessLog(ledger, point)
    rows = log.rows()
    print(f"cold: all {len(rows)} lines folded in {(time.perf_counter() - began) * 1000:.0f} ms")
    number = rows[-1].number
    print(f"one line got                    {median_ms(lambda: log.get(number)):8.2f} ms")
    print(f"today's lines                   {median_ms(lambda: log.rows(rows[-1].date)):8.2f} ms")
    print(f"open lines                      {median_ms(log.open_rows):8.2f} ms")
    for what, asked in {
        "the first 50 of all": Asked(),
        "one room": Asked(room=point.rooms[0].code),
        "two words": Asked(text="карты памяти"),
        "one number in a text": Asked(text=str(count // 2)),
        "a word that nothing has": Asked(text="nowhere"),
        "span, room, person, action, word": Asked(
            since=rows[len(rows) // 4].date,
            until=rows[-1].date,
            room=point.rooms[0].code,
            person="spec3",
            text="фамилия03",
        ),
    }.items():
        found = search(log.book(), asked)
        taken_ms = median_ms(partial(search, log.book(), asked))
        print(f"search: {what:<34}{taken_ms:8.2f} ms  {found.total} found")


def in_browser(root: Path, count: int) -> None:
    """What a person waits for: the page's first lines, all days, the next page, a search; the server just started and
    then warm."""
    from playwright.sync_api import Page, sync_playwright

    from tests.ui.prepared import PINS, prepare
    from tests.ui.site import chromium, start

    home = prepare(root)
    store = open_store(home)
    fill(Ledger(store, home), home, load_point(home.point_file), count)
    store.close()

    def ms(page: Page, what: str, act: Callable[[], object], sign: str) -> None:
        began = time.perf_counter()
        act()
        page.locator(sign).first.wait_for()
        print(f"in Chromium: {what:<40}{(time.perf_counter() - began) * 1000:8.0f} ms")

    began = time.perf_counter()
    site = start(home)
    print(f"server answers after {time.perf_counter() - began:.1f} s")
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=str(chromium()), args=["--no-sandbox"])
            page = browser.new_page(viewport={"width": 1366, "height": 768})
            page.set_default_timeout(60_000)
            page.goto(f"{site.url}/signin?lang=en&next=/access_log")
            page.fill("#login", "anna")
            page.fill("#pin", PINS["anna"])
            ms(page, "first lines, server just started", lambda: page.press("#pin", "Enter"), "[data-line]")
            for _again in range(3):
                ms(page, "first lines, warm", lambda: page.goto(f"{site.url}/access_log"), "[data-line]")
            page.wait_for_selector(SETTLED)
            everything = page.get_by_role("radio", name="all days")
            ms(page, "all days", everything.click, f"text=of {count + 2:d}")
            page.wait_for_selector(SETTLED)
            older = f"[data-line='{count + 2 - 50}']"
            ms(page, "the next fifty", page.get_by_role("button", name="Older").click, older)
            page.get_by_role("radio", name="find").click()
            field = page.get_by_label("Words that occur")
            for words, number in (("карты памяти 50001", 50_001), ("фамилия03 50007", 50_007)):
                field.fill(words)
                page.wait_for_selector(SETTLED)
                ms(page, f"search: {words}", lambda: field.press("Enter"), f"[data-line='{number}']")
            browser.close()
    finally:
        site.process.terminate()
        site.process.wait(20)


if __name__ == "__main__":
    sys.exit(main())
