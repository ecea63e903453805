"""The region's screen: the table by word and shape, the intake from the screen, and nobody else let in."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, FilePayload, Page, expect

from exam_kit.home import Home
from exam_kit.region.identity import own_recipient, recipient_file
from exam_kit.store import Accounts
from tests.region_site import DAYS, flip_a_byte, make_point, make_region
from tests.ui.conftest import failures, sign_in
from tests.ui.prepared import PEOPLE, PINS
from tests.ui.site import Site, start


@pytest.fixture(scope="module")
def region(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Site, Path]]:
    """A region with one point; its stick has a good bag and an altered one."""
    root = tmp_path_factory.mktemp("region-screen")
    post = make_point(root / "p1", 1)
    for day in DAYS:
        post.record(day)
    post.bag(DAYS[0], root / "stick")
    flip_a_byte(post.bag(DAYS[1], root / "stick"))
    desk = make_region(root / "region", post)
    post.bag(DAYS[0], root / "encrypted", age=own_recipient(desk, "test"))
    accounts = Accounts(desk.store, desk.ledger)
    for person in PEOPLE:
        if person.login in ("denis", "anna"):
            accounts.create(person, PINS[person.login], actor="test")
    desk.close()
    site = start(desk.home)
    yield site, root
    site.process.terminate()
    site.process.wait(20)


@pytest.fixture
def tab(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1366, "height": 768})
    context.set_default_timeout(20_000)
    yield context.new_page()
    context.close()


def test_bags_are_taken_in_from_the_screen(region: tuple[Site, Path], tab: Page) -> None:
    site, root = region
    sign_in(tab, site, "denis", "en")
    assert failures(tab) == []
    expect(tab.locator("[data-state]")).to_have_count(2)
    tab.get_by_label("Folder or drive with bags, or s3://STORE").fill(str(root / "stick"))
    tab.get_by_role("button", name="Take the bags in").click()
    expect(tab.locator("[data-outcome=taken]")).to_have_count(1)
    expect(tab.locator("[data-outcome=quarantined]")).to_have_count(1)
    cells = tab.locator("[data-state]")
    expect(cells.nth(0)).to_contain_text("delivered")
    expect(cells.nth(1)).to_contain_text("in quarantine")
    expect(tab.locator("[data-state=quarantine] .ek-mark")).to_have_class("ek-mark unknown")
    expect(tab.locator("[data-table=lacking]")).to_contain_text("09:58–10:04")
    expect(tab.locator("[data-table=quarantine]")).to_contain_text("its content was changed")
    assert failures(tab) == []


def test_an_encrypted_bag_is_taken_in_and_the_page_shows_what_points_encrypt_to(
    region: tuple[Site, Path], tab: Page
) -> None:
    site, root = region
    sign_in(tab, site, "denis", "en")
    tab.get_by_label("Folder or drive with bags, or s3://STORE").fill(str(root / "encrypted"))
    tab.get_by_role("button", name="Take the bags in").click()
    card = tab.locator("[data-outcome]").filter(has_text="encrypted on the carrier: sealed-")
    expect(card).to_contain_text("77_0001_20260528_COR-ENTR_copy2")
    tab.get_by_text("Key for encrypted bags").click()
    recipient = recipient_file(Home.at(root / "region")).read_text().strip()
    expect(tab.locator("[data-testid=stCode]")).to_have_text(f'age = "{recipient}"')
    assert failures(tab) == []


@pytest.mark.parametrize(("language", "title"), [("ru", "Сдача записей"), ("lv", "Ierakstu nodošana")])
def test_it_reads_in_every_language(region: tuple[Site, Path], tab: Page, language: str, title: str) -> None:
    sign_in(tab, region[0], "denis", language)
    expect(tab.locator("h1")).to_have_text(title)
    assert failures(tab) == []


def test_nobody_but_the_regional_admin_sees_it(region: tuple[Site, Path], tab: Page) -> None:
    site, _root = region
    sign_in_only(tab, site, "anna")
    expect(tab.locator("[data-testid=stAlertContentError]")).to_contain_text("technical specialist")
    assert tab.locator("[data-state]").count() == 0
    assert site.ask("/papers/region.pdf", cookie=site.cookie("anna")).status == 403


def sign_in_only(tab: Page, site: Site, login: str) -> None:
    tab.goto(f"{site.url}/signin?lang=en")
    tab.fill("#login", login)
    tab.fill("#pin", PINS[login])
    tab.press("#pin", "Enter")


def test_the_report_is_served_and_a_points_screens_are_not(region: tuple[Site, Path]) -> None:
    site, _root = region
    cookie = site.cookie("denis")
    assert site.ask("/papers/region.pdf", cookie=cookie).body.startswith(b"%PDF")
    assert site.ask("/papers/region.xlsx", cookie=cookie).body.startswith(b"PK")
    assert site.ask("/papers/region.pdf?day=nonsense", cookie=cookie).status == 404
    for path in ("/today", "/cameras", "/region"):
        assert site.ask(path, cookie=cookie).headers["location"] == "/"
    assert "json" not in site.ask("/live/alarms", cookie=cookie).headers["content-type"], "a region raises no alarms"


def test_the_register_is_given_on_the_page_and_bad_rows_are_named(region: tuple[Site, Path], tab: Page) -> None:
    site, _root = region
    sign_in(tab, site, "denis", "en")
    tab.get_by_text("What is expected: the register").click()
    head = "region;point;name;timezone;day;subject;zone;place;camera;from;to;key"
    good = "77;0042;School 42;Europe/Moscow;2026-05-28;Physics;corridor;COR1;COR1-1;08:00;15:00;"
    field = tab.locator("[data-testid=stFileUploader] input[type=file]")

    def give(text: str) -> None:
        field.set_input_files(files=[FilePayload(name="expected.csv", mimeType="text/csv", buffer=text.encode())])
        expect(tab.get_by_role("button", name="Take into the register")).to_be_enabled()
        tab.get_by_role("button", name="Take into the register").click()

    give(f"{head}\n{good}\n{good.replace('corridor', 'garden')}\n")
    expect(tab.get_by_text("line 3: zone 'garden' must be one of")).to_be_visible()
    tab.reload()
    tab.get_by_text("What is expected: the register").click()
    give(f"{head}\n{good}\n")
    expect(tab.get_by_text("77-0042: days 1, cameras 1, key MISSING")).to_be_visible()
    assert failures(tab) == []
