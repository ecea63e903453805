"""«Сегодня»: how long until the exam, what is next, and whether all is in order."""

from __future__ import annotations

import streamlit as st

from exam_kit.i18n import _
from exam_kit.store import Act
from exam_kit.ui.day_facts import take_picture
from exam_kit.ui.day_plan import draw_plan
from exam_kit.ui.next_step import next_step
from exam_kit.ui.seat import Seat, live, require_page, script
from exam_kit.ui.tiles import PAGE_ACTIONS, hero, tiles

seat = require_page(Act.VIEW)

st.title(_("Today"))


@live(1.0)
def day_now(seat: Seat) -> None:
    if seat.day is None:
        st.info(_("No exam days are set up. Add them to point.toml under [[days]]."))
        return
    picture = take_picture(seat, seat.day)
    step = next_step(picture.facts)
    with st.container(key="hero"):
        head, action = st.columns([4, 1], vertical_alignment="center")
        head.html(hero(seat, seat.day, picture, step))
        if step.page:
            action.page_link(script(step.page), label=_(PAGE_ACTIONS[step.page]), width="stretch")
    st.html(tiles(seat, picture))
    st.html(draw_plan(seat, seat.day))


day_now()
