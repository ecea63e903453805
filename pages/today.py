"""«Сегодня»: how long until the exam, what is next, and whether all is in order."""

from __future__ import annotations

import streamlit as st

from exam_kit.i18n import _
from exam_kit.store import Act
from exam_kit.ui.day_facts import take_picture
from exam_kit.ui.day_plan import draw_plan
from exam_kit.ui.equipment_remark import equipment_remark
from exam_kit.ui.first_key import first_key_line
from exam_kit.ui.next_step import next_step
from exam_kit.ui.people_roster import duty_today
from exam_kit.ui.plain import plain
from exam_kit.ui.seat import Seat, live, require_page, script
from exam_kit.ui.tiles import PAGE_ACTIONS, count, tiles, what_next

seat = require_page(Act.VIEW)
st.title(_("Today"))


@live(1.0)
def clock(seat: Seat) -> None:
    if seat.day is not None:
        st.html(count(seat, seat.day))


@live(3.0)
def next_thing(seat: Seat) -> None:
    if seat.day is None:
        return
    step = next_step(take_picture(seat, seat.day).facts)
    text, action = st.columns([3, 1], vertical_alignment="center")
    text.html(what_next(seat, seat.day, step))
    if step.page:
        action.page_link(script(step.page), label=_(PAGE_ACTIONS[step.page]), width="stretch")


@live(3.0)
def overview(seat: Seat) -> None:
    if seat.day is not None:
        st.html(tiles(seat, take_picture(seat, seat.day)))
        st.html(duty_today(seat, seat.day))
        st.html(draw_plan(seat, seat.day))


if seat.day is None:
    st.info(_("No exam days are set up. Add them to point.toml under [[days]]."))
    st.stop()
with st.container(key="hero"):
    left, right = st.columns([1, 4], vertical_alignment="center")
    with left:
        clock()
    with right:
        next_thing()
overview()
if remark := equipment_remark(seat):
    st.html(remark)
if line := first_key_line(seat):
    st.caption(plain(line))
