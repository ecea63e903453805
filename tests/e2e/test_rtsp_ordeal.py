"""The short form of `ordeal_rtsp`: real RTSP cameras, the real program, two kills."""

from __future__ import annotations

from pathlib import Path

import pytest

from exam_kit.home import Home
from tests.cctv_fixtures import FOOTAGE, make_clip, needs_rtsp
from tests.e2e import ordeal_rtsp


@needs_rtsp
@pytest.mark.rtsp
def test_recording_survives_its_own_processes_and_keeps_the_password(tmp_path: Path) -> None:
    footage = FOOTAGE if FOOTAGE.exists() else make_clip(tmp_path / "clip.mp4", seconds=20)
    report = ordeal_rtsp.run(Home.at(tmp_path / "home"), footage, 24)
    assert ordeal_rtsp.faults(report) == []
    assert report["password"]["command_lines_and_environments"] >= 8
    assert report["password"]["files"] >= 10
