"""The wall and the day's footage in a browser: one picture enlarged, old pictures marked, any second played."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.ui.cameras_site import CamerasSite, moving_picture, serving, still_picture
from tests.ui.conftest import sign_in

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CamerasSite]:
    folder = tmp_path_factory.mktemp("footage")
    with serving(folder / "home", clip=moving_picture(folder / "clip.mp4", seconds=300)) as made:
        yield made


@pytest.fixture
def tab(browser: Browser, place: CamerasSite) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1366, "height": 768})
    context.set_default_timeout(20_000)
    yield context.new_page()
    context.close()


def test_the_wall_shows_live_pictures_and_never_an_old_one_as_live(tab: Page, place: CamerasSite) -> None:
    content = still_picture()
    place.picture("HQ-1", content)
    place.picture("COR1-1", content, age_s=40)
    sign_in(tab, place.site, "vera", path="cameras")
    expect(tab.locator("[data-camera='HQ-1']")).to_have_attribute("data-picture", re.compile("live|old"))
    place.picture("HQ-1", content)
    expect(tab.locator("[data-camera='HQ-1'][data-picture=live] .age")).to_have_text(re.compile(r"^\d с$"))
    expect(tab.locator("[data-camera='COR1-1'][data-picture=old] .age")).to_have_text(re.compile("старый кадр: 4\\d с"))
    expect(tab.locator("[data-camera='ENTR-1'][data-picture=none] .none")).to_have_text("нет изображения")
    expect(tab.locator("[data-camera='HQ-1'] .state")).to_contain_text("идёт запись")
    # One that is renewed no more grows old on the page, whoever tells it so.
    expect(tab.locator("[data-camera='HQ-1']")).to_have_attribute("data-picture", "old")
    assert tab.locator("[data-testid=stMain]").evaluate("main => main.scrollHeight <= main.clientHeight")


def test_one_picture_is_enlarged_and_left_again_by_keyboard_alone(tab: Page, place: CamerasSite) -> None:
    sign_in(tab, place.site, "vera", path="cameras")
    first = tab.locator(".ek-shot").first
    small = first.bounding_box()
    first.focus()
    tab.keyboard.press("ArrowRight")
    expect(tab.locator("[data-camera='R1-1']")).to_be_focused()
    tab.keyboard.press("Enter")
    large = tab.locator(".ek-shot.big")
    expect(large).to_have_attribute("data-camera", "R1-1")
    expect(tab.locator(".ek-shot:visible")).to_have_count(1)
    box = large.bounding_box()
    assert small is not None
    assert box is not None
    assert box["width"] > 1.4 * small["width"]
    tab.keyboard.press("ArrowRight")
    expect(large).to_have_attribute("data-camera", "R2-1")
    tab.keyboard.press("Escape")
    expect(tab.locator(".ek-shot:visible")).to_have_count(6)
    expect(tab.locator("[data-camera='R2-1']")).to_be_focused()


def open_footage(tab: Page, place: CamerasSite) -> None:
    sign_in(tab, place.site, "vera", path="cameras")
    tab.get_by_role("radio", name="Записано").click()
    expect(tab.locator("[data-lane] .recorded").first).to_be_visible()


def test_a_click_plays_that_second_and_the_next_file_follows(tab: Page, place: CamerasSite) -> None:
    open_footage(tab, place)
    bar = tab.locator("[data-lane][data-camera='COR1-1']")
    piece = bar.locator(".recorded").first.bounding_box()
    assert piece is not None
    expect(bar.locator(".gap").first).to_be_visible()
    expect(bar.locator(".edge")).to_have_count(2)
    tab.mouse.click(piece["x"] + piece["width"] / 2, piece["y"] + piece["height"] / 2)
    video = tab.locator("video")
    expect(video).to_have_attribute("src", re.compile(r"/recordings/\d+\.mp4"))
    told = tab.locator(".ek-tl-side b")
    expect(told).to_have_text(re.compile(r"^COR1-1 · \d\d:\d\d:\d\d$"))
    number = int(video.get_attribute("data-recording") or 0)
    (row,) = place.store.query("SELECT * FROM segment WHERE id = ?", (number,))
    assert row["camera"] == "COR1-1"
    # The bar's cursor, the clock beside the picture and the position in the file tell the same second.
    begun = tab.evaluate("from => Date.parse(from)", row["from_at"])
    asked = float(bar.get_attribute("aria-valuenow") or 0)
    position = float(video.evaluate("video => video.currentTime"))
    assert position > 1
    assert abs(begun / 1000 + position - asked) < 2.5
    video.evaluate("video => { video.currentTime = video.duration - 0.3; return video.play() }")
    expect(video).to_have_attribute("data-recording", str(number + 1))
    tab.keyboard.press("Escape")
    expect(video).to_have_count(0)


def test_the_footage_is_reached_by_keyboard_alone(tab: Page, place: CamerasSite) -> None:
    open_footage(tab, place)
    tab.get_by_role("button", name="1 час").focus()
    for _ in range(6):
        tab.keyboard.press("Tab")
        if tab.evaluate("document.activeElement.dataset.lane") is not None:
            break
    tab.keyboard.press("ArrowDown")
    tab.keyboard.press("ArrowDown")
    tab.keyboard.press("ArrowDown")
    bar = tab.locator("[data-lane][data-camera='COR1-1']")
    expect(bar).to_be_focused()
    tab.keyboard.press("Home")
    for _ in range(4):
        tab.keyboard.press("PageDown")
        if "камера не отвечает" in (bar.get_attribute("aria-valuetext") or ""):
            break
    expect(bar).to_have_attribute("aria-valuetext", re.compile("пропуск: камера не отвечает"))
    before = float(bar.get_attribute("aria-valuenow") or 0)
    tab.keyboard.press("+")
    tab.keyboard.press("ArrowRight")
    after = float(bar.get_attribute("aria-valuenow") or 0)
    assert 0 < after - before < 120
    tab.keyboard.press("Enter")
    expect(tab.locator(".ek-tl-side p")).to_contain_text("записи нет; дальше с")
    expect(tab.locator("video")).to_be_visible()
    tab.keyboard.press("Escape")
    expect(bar).to_be_focused()


def test_what_was_seen_of_the_picture_and_what_was_brought_in_stand_in_the_bar(tab: Page, place: CamerasSite) -> None:
    from exam_kit.clock import iso

    at = place.now() - timedelta(minutes=40)
    with place.store.transaction() as connection:
        connection.execute(
            "INSERT INTO picture_state (camera, state, from_at, to_at) VALUES ('ENTR-1', 'covered', ?, ?)",
            (iso(at), iso(at + timedelta(minutes=5))),
        )
    open_footage(tab, place)
    bad = tab.locator("[data-camera='ENTR-1'] .bad")
    expect(bad).to_have_attribute("title", re.compile("плохое изображение"))
    tab.locator(".ek-gaps summary").click()
    expect(tab.locator(".ek-gaps table")).to_contain_text("камера не отвечает")


def test_a_recording_that_grows_is_given_from_the_byte_asked_for(place: CamerasSite) -> None:
    path = place.home.footage / "growing.mp4"
    path.write_bytes(bytes(range(200)))
    with place.store.transaction() as connection:
        number = connection.execute(
            "INSERT INTO segment (camera, day, path, from_at) VALUES ('HQ-1', '2026-01-01', 'growing.mp4', '2026') "
            "RETURNING id"
        ).fetchone()[0]
    cookie = place.site.cookie("anna")
    whole = place.site.ask(f"/recordings/{number}.mp4", Cookie=cookie)
    part = place.site.ask(f"/recordings/{number}.mp4", Cookie=cookie, Range="bytes=150-")
    wrong = place.site.ask(f"/recordings/{number}.mp4", Cookie=cookie, Range="bytes=900-950")
    with place.store.transaction() as connection:
        connection.execute("DELETE FROM segment WHERE id = ?", (number,))
    assert (whole.status, whole.body) == (200, bytes(range(200)))
    assert (part.status, part.body) == (206, bytes(range(150, 200)))
    assert part.headers["content-range"] == "bytes 150-199/200"
    assert (wrong.status, len(wrong.body)) == (200, 200)


def test_files_and_bars_are_for_those_who_are_signed_in(place: CamerasSite) -> None:
    day = place.point.days[0].date
    for path in ("/live/wall", f"/live/coverage?day={day}", f"/live/footage?day={day}&camera=HQ-1", "/live/wall.js"):
        assert place.site.ask(path).status == 401
        assert place.site.ask(path, Cookie=place.site.cookie("denis")).status == 200
    unknown = place.site.ask("/live/coverage?day=2000-01-01", Cookie=place.site.cookie("anna"))
    assert unknown.status == 404
