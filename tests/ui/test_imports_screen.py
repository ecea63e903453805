"""Footage of another recorder on the screen: looked at, its clock compared with the picture, an order given."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from exam_kit.agent import orders
from exam_kit.clock import from_iso
from exam_kit.point import load_point
from exam_kit.store import open_store
from tests.ui.cameras_site import CamerasSite, moving_picture, serving
from tests.ui.conftest import sign_in

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CamerasSite]:
    folder = tmp_path_factory.mktemp("imports")
    with serving(folder / "home", clip=moving_picture(folder / "clip.mp4", seconds=60)) as made:
        yield made


@pytest.fixture
def tab(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1366, "height": 768})
    context.set_default_timeout(20_000)
    yield context.new_page()
    context.close()


def card(folder: Path, day: datetime) -> Path:
    """A memory card with one film of five seconds, whose name says 09:59:00, and one file that is none."""
    folder.mkdir(exist_ok=True)
    path = folder / f"ch01_{day:%Y%m%d}095900.avi"
    picture = ["-f", "lavfi", "-i", "testsrc=size=640x360:rate=5:duration=5"]
    subprocess.run(["ffmpeg", "-v", "error", "-y", *picture, "-c:v", "mpeg4", str(path)], check=True, timeout=60)
    (folder / f"ch01_{day:%Y%m%d}100000.mp4").write_bytes(b"half of a film")
    return folder


def test_the_clock_in_the_picture_is_compared_before_the_files_are_ordered_in(
    tab: Page, place: CamerasSite, tmp_path: Path
) -> None:
    point = load_point(place.site.home.point_file)
    day = datetime.now(point.tz)
    folder = card(tmp_path / "card", day)
    sign_in(tab, place.site, "anna", path="cameras")
    tab.get_by_role("radio", name="Записано").click()
    tab.get_by_text("Загрузить видеозаписи с другого видеорегистратора").click()
    tab.get_by_label("или папка", exact=True).fill(str(folder))
    tab.get_by_role("button", name="Просмотреть").click()
    table = tab.locator("[data-import]")
    expect(table).to_contain_text("09:59:00")
    expect(table).to_contain_text("открывается в проигрывателе")
    expect(table).to_contain_text("не читается как видео")
    expect(tab.get_by_text("Предполагаемое время этого изображения")).to_be_visible()
    take = tab.get_by_role("button", name="Часы сверены")
    read = tab.get_by_label("Часы на изображении")
    read.fill("без часов")
    read.press("Enter")
    take.click()
    expect(tab.get_by_text("не время")).to_be_visible()
    read.fill("10:00:12")
    read.press("Enter")
    expect(tab.get_by_text("не время")).to_have_count(0)
    take.click()
    expect(tab.get_by_text("прибавляется +72 с")).to_be_visible()
    store = open_store(place.site.home)
    (order,) = orders.recent(store, "import_footage")
    store.close()
    assert (order.actor, order.ordered_by, order.body["offset_s"]) == ("anna", "anna", 72.0)
    assert "10:00:12" in order.why
    (file,) = order.body["files"]
    start = from_iso(file["start"]).astimezone(point.tz)
    assert (file["path"], f"{start:%H:%M:%S}") == (f"ch01_{day:%Y%m%d}095900.avi", "09:59:00")
    assert from_iso(file["end"]) - from_iso(file["start"]) == timedelta(seconds=5)


def test_who_may_not_copy_footage_is_told_who_does(tab: Page, place: CamerasSite) -> None:
    sign_in(tab, place.site, "vera", path="cameras")
    tab.get_by_role("radio", name="Записано").click()
    tab.get_by_text("Загрузить видеозаписи с другого видеорегистратора").click()
    expect(tab.get_by_text("Видеозаписи загружает технический специалист.")).to_be_visible()
    expect(tab.get_by_label("или папка", exact=True)).to_have_count(0)
