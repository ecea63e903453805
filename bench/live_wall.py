"""What the live wall costs the server: ``python -m bench.live_wall --cameras 32``.

A home with so many cameras whose pictures are renewed once a second (by this process, as the recorder would), the
real server of the screens, and a real browser that shows the wall. Counted is the processor time of the server alone,
in percent of one core. Prints one line of JSON.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import threading
import time
from pathlib import Path

import psutil
from playwright.sync_api import Page, sync_playwright

from exam_kit.agent.status import beat
from exam_kit.clock import SystemClock
from exam_kit.home import Home
from exam_kit.point import load_point
from exam_kit.store import Ledger, open_store
from tests.ui import prepared
from tests.ui.site import Site, chromium, start

WARM_UP_S = 8.0
PICTURE_BYTES = 35_000
"""What a picture of the recorder weighs: 640 × 360, quality 75."""


def many(count: int) -> tuple[tuple[tuple[str, str, str], ...], tuple[tuple[str, str], ...]]:
    """Rooms and cameras of a point with `count` cameras: the prepared ones, then two for each further room."""
    rooms, cameras = list(prepared.ROOMS), list(prepared.CAMERAS[:count])
    for number in range(3, 3 + max(0, count - len(cameras))):
        rooms.append((f"{number:04}", "room", f"Аудитория {number:04}"))
        cameras += [(f"R{number}-{one}", f"{number:04}") for one in (1, 2)]
    return tuple(rooms), tuple(cameras[:count])


def make_home(root: Path) -> Home:
    """An exam day at eleven in the morning, without anything that the wall does not show."""
    home = Home.at(root)
    home.create()
    point = prepared.write_point(home, hour=11)
    store = open_store(home)
    prepared.add_people(store, Ledger(store, home))
    prepared.add_footage(home, store, point, clip=b"-")
    store.close()
    return home


def picture() -> bytes:
    """A picture that looks like one of a camera to the encoder."""
    import cv2
    import numpy as np

    rough = np.random.default_rng(7).integers(0, 255, (90, 160, 3), dtype=np.uint8)
    smooth = cv2.resize(rough, (640, 360), interpolation=cv2.INTER_CUBIC)
    for quality in range(30, 96, 5):
        made = bytes(cv2.imencode(".jpg", smooth, [cv2.IMWRITE_JPEG_QUALITY, quality])[1])
        if len(made) >= PICTURE_BYTES:
            break
    return made


def renew(home: Home, ended: threading.Event) -> None:
    """Once a second a new picture of every camera, spread over the second, and the agent's sign of life."""
    point, content, clock = load_point(home.point_file), picture(), SystemClock()
    while not ended.is_set():
        beat(home, clock)
        for camera in point.cameras:
            beside = home.live / f"{camera.id}.part"
            beside.write_bytes(content)
            beside.replace(home.live / f"{camera.id}.jpg")
            ended.wait(1 / len(point.cameras))


def measure(site: Site, page: Page, seconds: float) -> dict[str, object]:
    """The server's processor time while the page shows the wall."""
    page.goto(f"{site.url}/signin?lang=ru&next=/cameras")
    page.fill("#login", "anna")
    page.fill("#pin", prepared.PINS["anna"])
    page.press("#pin", "Enter")
    page.wait_for_selector(".ek-shot[data-picture=live]")
    process = psutil.Process(site.process.pid)
    page.wait_for_timeout(WARM_UP_S * 1000)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if request.url.startswith(site.url) else None)
    before, began = process.cpu_times(), time.monotonic()
    page.wait_for_timeout(seconds * 1000)
    after, took = process.cpu_times(), time.monotonic() - began
    used_s = after.user + after.system - before.user - before.system
    shown = page.locator(".ek-shot[data-picture=live]").count()
    scrolls = page.locator("[data-testid=stMain]").evaluate("main => main.scrollHeight > main.clientHeight")
    return {
        "pictures_live": shown,
        "scrolls": scrolls,
        "seconds": round(took, 1),
        "requests_per_s": round(len(asked) / took, 1),
        "server_cpu_percent_of_one_core": round(100 * used_s / took, 1),
        "server_memory_mb": round(process.memory_info().rss / 1e6),
    }


def main() -> None:
    options = argparse.ArgumentParser(prog="python -m bench.live_wall", description=__doc__)
    options.add_argument("--cameras", type=int, default=32)
    options.add_argument("--seconds", type=float, default=30.0)
    given = options.parse_args()
    program = chromium()
    if program is None:
        raise SystemExit("no Chromium on PATH: install the package 'chromium'")
    rooms, cameras = many(given.cameras)
    setattr(prepared, "ROOMS", rooms)  # noqa: B010 - another length than the constant has
    setattr(prepared, "CAMERAS", cameras)  # noqa: B010
    with tempfile.TemporaryDirectory(prefix="live-wall-") as folder, sync_playwright() as playwright:
        home = make_home(Path(folder) / "home")
        ended = threading.Event()
        renewing = threading.Thread(target=renew, args=(home, ended), daemon=True)
        renewing.start()
        site = start(home)
        browser = playwright.chromium.launch(executable_path=str(program), args=["--no-sandbox", "--disable-gpu"])
        try:
            page = browser.new_page(viewport={"width": 1366, "height": 768})
            print(json.dumps({"cameras": given.cameras, **measure(site, page, given.seconds)}))
        finally:
            ended.set()
            renewing.join()
            browser.close()
            site.process.terminate()
            site.process.wait(20)


if __name__ == "__main__":
    main()
