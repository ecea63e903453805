"""The clock in the picture against the time the kit assumes: what a person types, and the seconds between the two."""

from __future__ import annotations

import re
from datetime import date, datetime, time, timedelta
from pathlib import Path

import streamlit as st

from exam_kit.cctv.imports import FAULTS, Found, LookFault, picture_at
from exam_kit.errors import RefusedEntry, m
from exam_kit.i18n import _
from exam_kit.ui.marks import mark
from exam_kit.ui.plain import plain
from exam_kit.ui.seat import Seat
from exam_kit.ui.when import seconds_time, short_day

__all__ = ["draw_clock", "offset_read_s"]

CLOCK = re.compile(r"\s*(\d{1,2})[:.\s-](\d{2})[:.\s-](\d{2})\s*")


def offset_read_s(seat: Seat, assumed: datetime, day: date, text: str) -> float:
    """Seconds to add to the assumed moment so that it is what the picture's clock shows on `day`.

    Raises:
        RefusedEntry: it is not a time with seconds.
    """
    found = CLOCK.fullmatch(text)
    try:
        read = time(int(found[1]), int(found[2]), int(found[3])) if found else None
    except ValueError:
        read = None
    if read is None:
        raise RefusedEntry(
            m("Clock in the picture: '{text}' is not a time. Write hours, minutes and seconds: 10:00:05.", text=text)
        )
    moment = datetime.combine(day, read, tzinfo=seat.point.tz)
    # A picture's clock shows whole seconds.
    return (moment - assumed.replace(microsecond=0)) / timedelta(seconds=1)


def draw_clock(seat: Seat, folder: Path, files: list[Found]) -> tuple[datetime, date, str]:
    """One frame beside the time the kit assumes for it; that moment, and the day and clock the person read."""
    picture_at_left, fields = st.columns([3, 2])
    with fields:
        names = {one.path: one for one in files}
        chosen = names[st.selectbox(_("File to compare"), list(names), filter_mode=None, key="import-file")]
        second = st.number_input(
            _("Second of the file"), 0.0, max(0.0, chosen.duration_s - 0.1), 0.0, 1.0, key=f"import-at-{chosen.path}"
        )
        jpeg, at_s, why = _picture(str(folder / chosen.path), chosen.bytes, float(second))
        assumed = chosen.start + timedelta(seconds=at_s)
        moment = f"{short_day(seat, assumed.astimezone(seat.point.tz).date())} {seconds_time(seat, assumed)}"
        st.html(
            f'<div class="ek-verdict ask">{mark("ask")}<div><span>{_("The kit assumes for this picture")}</span>'
            f"<b>{moment}</b></div></div>"
        )
        read = st.text_input(_("Clock in the picture, hh:mm:ss"), key="import-read", placeholder="10:00:05")
        day = st.date_input(
            _("Date in the picture"), assumed.astimezone(seat.point.tz).date(), format="DD.MM.YYYY",
            key=f"import-day-{chosen.path}",
        )  # fmt: skip
    with picture_at_left:
        if jpeg:
            st.image(jpeg, width="stretch")
        else:
            st.warning(plain(_(FAULTS.get(why, why))))
    return assumed, day, read or ""


@st.cache_data(max_entries=8, show_spinner=False)
def _picture(path: str, _bytes: int, second: float) -> tuple[bytes, float, str]:
    try:
        return *picture_at(Path(path), second), ""
    except LookFault as problem:
        return b"", second, problem.why
