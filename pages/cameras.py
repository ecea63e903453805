from __future__ import annotations

import streamlit as st

from exam_kit.store import Act
from exam_kit.ui.seat import require_page

seat = require_page(Act.VIEW)
st.title("…")
