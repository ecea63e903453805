"""What people type into fields: days and numbers, and whatever else a hand or a scanner can put there."""

from __future__ import annotations

from datetime import date

import pytest

from exam_kit.errors import RefusedEntry
from exam_kit.ui.fields import read_date, whole_number


@pytest.mark.parametrize("text", ["28.05.2026", "28/05/2026", "2026-05-28", " 28.5.2026 "])
def test_a_day_is_read_as_each_language_writes_it(text: str) -> None:
    assert read_date(text) == date(2026, 5, 28)


def test_nothing_written_is_no_day() -> None:
    assert read_date("") is read_date("  ") is read_date(None) is None


@pytest.mark.parametrize(
    "text", ["28.05.0026", "28.05.9999", "28.05." + "9" * 5000, "32.05.2026", "28.05", "x", "٢٨.٠٥.٢٠٢٦"]
)
def test_what_is_no_day_of_ours_is_refused(text: str) -> None:
    with pytest.raises(RefusedEntry):
        read_date(text)


def test_a_whole_number() -> None:
    assert (whole_number(" 007 "), whole_number("1 250")) == (7, 1250)


@pytest.mark.parametrize("text", ["", "x", "1.5", "-1", "9" * 10, "9" * 5000, "²", "٣"])
def test_what_is_no_whole_number_is_refused_however_long_it_is(text: str) -> None:
    with pytest.raises(RefusedEntry) as refusal:
        whole_number(text)
    assert len(refusal.value.text("en")) < 200
