"""A camera that should record and does not is on every screen within ten seconds, with a sound and a running clock."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta

import pytest
from playwright.sync_api import Browser, Page, expect

from exam_kit.agent.alarms import SEEN
from exam_kit.journal.incident_cameras import Outage
from exam_kit.journal.incidents import IncidentDraft, Incidents
from exam_kit.journal.person import AGENT
from tests.ui.cameras_site import CamerasSite, serving
from tests.ui.conftest import sign_in

pytestmark = pytest.mark.browser

PAGES = ("today", "checks", "cameras", "archive", "access_log", "incidents")
WITHIN_S = 10.0
ALERT = "#ek-alarms [role=alert]"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CamerasSite]:
    with serving(tmp_path_factory.mktemp("alarm") / "home", clip=b"-") as made:
        yield made


@pytest.fixture
def tab(browser: Browser, place: CamerasSite) -> Iterator[Page]:
    place.alive.set()
    place.all_recording()
    context = browser.new_context(viewport={"width": 1366, "height": 768})
    context.set_default_timeout(20_000)
    page = context.new_page()
    outside: list[str] = []
    context.on(
        "request",
        lambda asked: None if asked.url.startswith((place.site.url, "data:", "blob:")) else outside.append(asked.url),
    )
    yield page
    context.close()
    place.all_recording()
    assert outside == []


def test_a_lost_camera_is_on_every_page_within_ten_seconds_with_sound_and_clock(tab: Page, place: CamerasSite) -> None:
    sign_in(tab, place.site, "anna")
    expect(tab.locator("#ek-alarms")).to_be_empty()
    expect(tab.locator("html")).to_have_attribute("data-alarm", "quiet")
    others = [tab.context.new_page() for _name in PAGES[1:]]
    for page, name in zip(others, PAGES[1:], strict=True):
        page.goto(f"{place.site.url}/{name}")
        page.wait_for_selector("[data-testid=stHeading] h1")
    lost_at = place.now()
    place.show("HQ-1", "lost", lost_at=lost_at, fault="camera_unreachable")
    for page in (tab, *others):
        left_s = WITHIN_S - (place.now() - lost_at).total_seconds()
        expect(page.locator(ALERT)).to_contain_text("HQ-1", timeout=max(1.0, left_s * 1000))
        expect(page.locator(ALERT)).to_contain_text("камера не отвечает")
        expect(page.locator(".ek-alarm-clock")).to_contain_text("из 20 мин")
        top = page.locator("#ek-alarms").bounding_box()
        assert top is not None
        assert (top["y"], top["width"]) == (0, 1366)
    assert (place.now() - lost_at).total_seconds() < WITHIN_S
    # The first key or click lifts the browser's silence; from then on it is heard until somebody has seen it.
    tab.bring_to_front()
    tab.keyboard.press("Shift")
    expect(tab.locator("html")).to_have_attribute("data-alarm", "sounding")
    expect(tab.locator("[data-sound]")).to_have_attribute("data-sound", "on")
    clock = tab.locator(".ek-alarm-clock strong")
    expect(clock).to_have_text(re.compile(r"^0:\d\d $"))
    before = clock.inner_text()
    expect(clock).not_to_have_text(before)


def test_who_has_seen_it_stands_in_the_ledger_and_silences_only_the_sound(tab: Page, place: CamerasSite) -> None:
    sign_in(tab, place.site, "boris", path="archive")
    place.show("R1-1", "lost", lost_at=place.now() - timedelta(minutes=6), fault="stream_stalled")
    expect(tab.locator(".ek-alarm-clock")).to_contain_text("решение готовится")  # the mark after the one at 5 minutes
    tab.get_by_role("button", name="Вижу").focus()
    tab.keyboard.press("Enter")
    expect(tab.locator("#ek-alarms")).to_contain_text("увидел(а) Бета Второй Образцов")
    expect(tab.locator("html")).to_have_attribute("data-alarm", "quiet")
    expect(tab.locator(ALERT)).to_contain_text("R1-1")
    *_earlier, entry = place.ledger.entries((SEEN,))
    assert entry.actor == "boris"
    assert [key.split("@")[0] for alarm in entry.body["alarms"] for key in alarm["keys"]] == ["camera:R1-1"]
    # Another camera is another alarm: it is to be heard again.
    place.show("R2-1", "lost", lost_at=place.now() - timedelta(seconds=20), fault="stream_stalled")
    expect(tab.locator("html")).to_have_attribute("data-alarm", re.compile("sounding|unheard"))
    expect(tab.locator(ALERT)).to_contain_text("R1-1, R2-1")
    place.all_recording()
    expect(tab.locator("#ek-alarms")).to_be_empty()


def test_the_limit_that_has_passed_is_said_and_the_sheet_is_one_click_away(tab: Page, place: CamerasSite) -> None:
    lost_at = place.now() - timedelta(minutes=21)
    draft = IncidentDraft("cctv_lost", "Камера коридора не пишет", lost_at, camera="COR1-1", gap_from=lost_at)
    sheet = Incidents(place.ledger, place.point).open_for("camera:COR1-1", draft)
    place.show("COR1-1", "lost", lost_at=lost_at, fault="camera_unreachable")
    sign_in(tab, place.site, "vera", path="")
    expect(tab.locator(".ek-alarm-clock.over")).to_contain_text("предел 20 мин превышен")
    tab.get_by_role("link", name=f"Лист № {sheet.number}").click()
    expect(tab).to_have_url(re.compile("/incidents"))
    expect(tab.locator(f"[data-incident='{sheet.number}']")).to_contain_text("Камера коридора")


def test_cameras_lost_together_stand_on_one_sheet_whose_clock_began_with_the_first(
    tab: Page, place: CamerasSite
) -> None:
    first, again = place.now() - timedelta(minutes=16), place.now() - timedelta(minutes=3)
    book = Incidents(place.ledger, place.point)
    draft = IncidentDraft("cctv_lost", "Камера штаба не пишет", first, camera="HQ-1", gap_from=first)
    number = book.open_for("camera:HQ-1", draft).number
    book.camera_lost(number, Outage("R2-1", again), "Камера R2-1 не пишет", AGENT)
    book.camera_back(number, "HQ-1", again, "Камера штаба снова пишет", AGENT)
    place.show("R2-1", "lost", lost_at=again, fault="camera_unreachable")
    sign_in(tab, place.site, "anna", path="")
    expect(tab.locator(".ek-alarm-clock strong")).to_have_text(re.compile("^16:"))
    expect(tab.locator(".ek-alarm-which")).to_have_text(f"Лист № {number}: не пишут: R2-1; перерыв окончен: HQ-1")
    tab.get_by_role("link", name=f"Лист № {number} · 2 камеры").click()
    affected = tab.locator(f"[data-incident='{number}'] .ek-affected")
    expect(affected).to_contain_text("2 затронутые камеры")
    expect(affected).to_contain_text("сейчас не пишут: 1")
    expect(affected.locator("li")).to_contain_text(["R2-1", "HQ-1"])


def test_who_may_not_deal_with_it_sees_the_alarm_and_no_button(tab: Page, place: CamerasSite) -> None:
    place.show("HQ-1", "lost", lost_at=place.now() - timedelta(minutes=1), fault="disk_full")
    sign_in(tab, place.site, "denis", path="cameras")
    expect(tab.locator(ALERT)).to_contain_text("на диске нет места")
    expect(tab.locator("#ek-alarms button")).to_have_count(0)
    refused = place.site.ask("/live/alarms", method="POST", Cookie=place.site.cookie("denis"), Origin=place.site.url)
    assert refused.status == 403


def test_an_agent_that_died_is_an_alarm_of_its_own(tab: Page, place: CamerasSite) -> None:
    sign_in(tab, place.site, "anna", path="cameras")
    place.alive.clear()
    expect(tab.locator(ALERT)).to_contain_text(re.compile("не ведут: 6"))
    place.alive.set()
    expect(tab.locator("#ek-alarms")).to_be_empty()


def test_the_alarm_sounds_also_when_nobody_answers_the_page(tab: Page, place: CamerasSite) -> None:
    sign_in(tab, place.site, "anna", path="cameras")
    tab.context.route("**/live/**", lambda route: route.abort())
    expect(tab.locator(ALERT)).to_contain_text("Exam Kit не отвечает")
    expect(tab.locator("html")).to_have_attribute("data-alarm", re.compile("sounding|unheard"))
    tab.context.unroute_all()
    expect(tab.locator("#ek-alarms")).to_be_empty()


def test_the_sound_is_ours_and_can_be_heard(place: CamerasSite) -> None:
    import io
    import wave

    answer = place.site.ask("/live/alarm.wav", Cookie=place.site.cookie("anna"))
    with wave.open(io.BytesIO(answer.body)) as sound:
        length_s = sound.getnframes() / sound.getframerate()
        samples = memoryview(sound.readframes(sound.getnframes())).cast("h")
    assert answer.headers["content-type"] == "audio/wav"
    assert 1 < length_s < 3
    assert max(samples) > 20_000
    assert place.site.ask("/live/alarm.wav").status == 401
