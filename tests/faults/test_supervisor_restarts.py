"""Which ends are final: those at the start that no restart mends, and none in the middle of an exam day."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from exam_kit.agent import supervisor
from exam_kit.agent.supervisor import Child, Supervisor
from exam_kit.home import Home

SCRIPT = """
import pathlib, sys, time
notes = pathlib.Path(sys.argv[1])
with notes.open("a") as file:
    file.write("x")
number = len(notes.read_text())
if number == 1:
    time.sleep(float(sys.argv[2]))
if number < 4:
    sys.exit(10)
sys.stdin.read()
"""


@pytest.mark.parametrize(("lived_s", "code", "starts"), [(0.0, 10, 1), (1.5, 0, 4)])
def test_a_file_damaged_in_the_middle_of_the_day_closes_nothing(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lived_s: float, code: int, starts: int
) -> None:
    monkeypatch.setattr(supervisor, "SETTLED_S", 1.0)
    notes = tmp_path / "starts"
    house = Supervisor(home, [Child("agent", ["-c", SCRIPT, str(notes), str(lived_s)], frozenset({10}))])

    def stop_when_mended() -> None:
        for _ in range(600):
            if notes.exists() and len(notes.read_text()) >= 4:
                break
            threading.Event().wait(0.05)
        house.stop()

    threading.Thread(target=stop_when_mended, daemon=True).start()
    assert house.run() == code
    assert len(notes.read_text()) == starts
