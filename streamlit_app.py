"""The launcher: ``exam-kit up`` serves this application (see exam_kit/web/serve.py)."""

from __future__ import annotations

from exam_kit.home import Home
from exam_kit.web.app import build_app

app = build_app(Home.find())
