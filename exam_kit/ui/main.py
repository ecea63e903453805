"""The router: what stands on every screen, and which screens there are."""

from __future__ import annotations

import streamlit as st

from exam_kit.home import Home, kit_root
from exam_kit.i18n import N_, translate
from exam_kit.region.settings import is_region
from exam_kit.review.bundle_home import is_bundle
from exam_kit.store import Act
from exam_kit.ui.chrome import header, sidebar, style
from exam_kit.ui.region_seat import require_region
from exam_kit.ui.seat import require_page, say_flash

# The icons stand in the menu only: as a page's own icon Streamlit fetches them from an outside host for the tab.
PAGES = (
    ("today", N_("Today"), ":material/today:"),
    ("checks", N_("Checks"), ":material/fact_check:"),
    ("cameras", N_("Cameras"), ":material/videocam:"),
    ("picture", N_("Picture"), ":material/compare:"),
    ("archive", N_("Archive"), ":material/inventory_2:"),
    ("access_log", N_("Access log"), ":material/menu_book:"),
    ("incidents", N_("Incidents"), ":material/report:"),
    ("solutions", N_("Solutions"), ":material/lightbulb:"),
    ("people", N_("People"), ":material/badge:"),
    ("equipment", N_("Equipment"), ":material/devices:"),
    ("review", N_("Review"), ":material/plagiarism:"),
)
REGION_PAGE = N_("Deliveries")


def route() -> None:
    st.set_page_config(page_title="Exam Kit", layout="wide", initial_sidebar_state="expanded")
    if is_region(Home.find()):
        route_region()
        return
    if is_bundle(Home.find()):
        route_bundle()
        return
    seat = require_page(Act.VIEW)
    style()
    pages = [
        st.Page(
            kit_root() / "pages" / f"{name}.py",
            title=translate(title, seat.language),
            url_path=name,
            default=name == "today",
        )
        for name, title, _icon in PAGES
    ]
    page = st.navigation(pages, position="hidden")
    sidebar(seat, [(page, icon) for page, (_name, _title, icon) in zip(pages, PAGES, strict=True)])
    header(seat)
    say_flash()
    page.run()


def route_region() -> None:
    """A region's home has one screen, and none of a point's."""
    seat = require_region()
    style()
    title = translate(REGION_PAGE, seat.language)
    page = st.Page(kit_root() / "pages" / "region.py", title=title, url_path="region", default=True)
    st.navigation([page], position="hidden")
    sidebar(seat, [(page, ":material/inventory_2:")])
    say_flash()
    page.run()


def route_bundle() -> None:
    """A review bundle's home has the review, and nothing to write with."""
    seat = require_page(Act.VIEW)
    style()
    page = st.Page(
        kit_root() / "pages" / "review.py",
        title=translate(N_("Review"), seat.language),
        url_path="review",
        default=True,
    )
    st.navigation([page], position="hidden")
    sidebar(seat, [(page, ":material/plagiarism:")])
    page.run()


route()
