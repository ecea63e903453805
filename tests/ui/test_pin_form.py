"""What is typed into a field for a PIN does not stay in the program's memory."""

from __future__ import annotations

from streamlit.testing.v1 import AppTest


def _page() -> None:
    import streamlit as st

    from exam_kit.ui.pin_form import pin_field

    with st.form("sign", border=False):
        typed = pin_field(st.container(), "PIN", "the-pin")
        sent = st.form_submit_button("Sign")
    st.text(f"sent={sent} read={len(typed)} kept={'the-pin' in st.session_state}")


def test_a_pin_is_read_once_and_not_kept() -> None:
    page = AppTest.from_function(_page).run()
    page.text_input(key="the-pin").input("135790")
    page.button[0].click().run()
    assert not page.exception
    assert page.text[0].value == "sent=True read=6 kept=False"
