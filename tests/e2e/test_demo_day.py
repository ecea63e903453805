"""The whole way through, as a script would see it: one compressed exam day, and proofs of what it left behind."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from exam_kit.agent.demo import COVERED, DROP_S, DROPPED


@dataclass
class Played:
    """A played day: its home, its report, and what was said on the way."""

    home: Path
    report: dict[str, Any]
    said: str

    @property
    def bag(self) -> Path:
        return Path(self.report["archive"]["bag"])

    def command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return command(self.home, *arguments)


def command(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "exam_kit", *arguments],
        env={**os.environ, "EXAM_KIT_HOME": str(home), "LANG": "en_US.UTF-8", "LC_ALL": ""},
        capture_output=True,
        text=True,
        timeout=240,
    )


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> Played:
    root = tmp_path_factory.mktemp("demo")
    done = command(root / "home", "demo", "--headless", "--json", str(root / "out.json"))
    assert done.returncode == 0, done.stdout + done.stderr
    return Played(root / "home", json.loads((root / "out.json").read_text(encoding="utf-8")), done.stderr)


def test_the_report_has_what_scripts_rely_on(day: Played) -> None:
    assert {"verdict", "checks", "cameras", "archive", "ledger"} <= set(day.report)
    assert day.report["verdict"] in ("ready", "ready_with_remarks", "incomplete", "not_ready")
    for check in day.report["checks"]:
        assert check["state"] in ("ok", "warn", "fail", "unknown", "skip", "pending", "waived")
        assert check["elapsed_s"] >= 0
    assert len(day.report["checks"]) >= 12


def test_the_planned_drop_is_the_only_gap_and_has_its_cause(day: Played) -> None:
    cameras = day.report["cameras"]
    assert len(cameras) == 6
    for camera, seen in cameras.items():
        assert seen["recorded_s"] > 0
        if camera == DROPPED:
            (gap,) = seen["gaps"]
            assert gap["cause"] in ("camera_unreachable", "camera_refused", "stream_ended")
            assert DROP_S - 1 <= gap["seconds"] <= DROP_S + 7
        else:
            assert seen["gaps"] == []
            assert seen["recorded_s"] == pytest.approx(seen["planned_s"], abs=3)
    assert "covered" in cameras[COVERED]["pictures"]


def test_the_bag_is_valid_for_tools_we_did_not_write(day: Played) -> None:
    bagit = [sys.executable, "-m", "bagit", "--validate", str(day.bag)]
    assert subprocess.run(bagit, capture_output=True).returncode == 0
    if shutil.which("sha256sum"):
        summed = subprocess.run(
            ["sha256sum", "-c", "--quiet", "manifest-sha256.txt", "tagmanifest-sha256.txt"],
            cwd=day.bag,
            capture_output=True,
            text=True,
        )
        assert summed.returncode == 0, summed.stdout
    videos = list(day.bag.glob("data/**/*.mp4"))
    assert len(videos) >= 3
    assert {"act.pdf", "access-log.pdf", "check-protocol.pdf", "familiarisation.pdf"} <= {
        path.name for path in day.bag.glob("data/**/*.pdf")
    }


def test_the_bag_and_the_ledger_verify_and_a_change_is_named(day: Played, tmp_path: Path) -> None:
    assert day.command("verify", str(day.bag)).returncode == 0
    copy = tmp_path / "bag"
    shutil.copytree(day.bag, copy)
    victim = next(copy.glob("data/**/*.mp4"))
    content = bytearray(victim.read_bytes())
    content[len(content) // 2] ^= 1
    victim.write_bytes(content)
    changed = day.command("verify", str(copy), "--json")
    assert changed.returncode == 20
    assert victim.name in changed.stdout
    victim.unlink()
    missing = day.command("verify", str(copy))
    assert missing.returncode == 21
    assert victim.name in missing.stdout

    proved = day.command("log", "verify", "--json")
    assert proved.returncode == 0, proved.stdout
    assert json.loads(proved.stdout)["whole"]
    database = tmp_path / "ledger.db"
    day.command("log", "checkpoint")
    shutil.copy(day.home / "store" / "exam-kit.db", database)
    with sqlite3.connect(database) as connection:
        connection.execute("DROP TRIGGER ledger_no_delete")
        connection.execute("DELETE FROM ledger WHERE seq = 5")
    connection.close()
    assert day.command("log", "verify", str(database)).returncode == 30


def test_the_journals_tell_the_day(day: Played) -> None:
    connection = sqlite3.connect(day.home / "store" / "exam-kit.db")
    kinds = [row[0] for row in connection.execute("SELECT kind FROM ledger ORDER BY seq")]
    connection.close()
    for kind in (
        "agent.started",
        "check.finished",
        "recording.started",
        "segment.closed",
        "gap.closed",
        "order.given",
        "access.row",
        "archive.finished",
        "agent.stopped",
    ):
        assert kind in kinds, kind
    assert kinds.index("order.given") < kinds.index("recording.stopped")


def test_no_secret_and_no_second_agent_is_left(day: Played) -> None:
    pins = [one["pin"] for one in json.loads((day.home / "demo.json").read_text(encoding="utf-8"))["accounts"]]
    for path in (day.home / "logs").glob("*.log"):
        text = path.read_text(encoding="utf-8")
        assert not any(pin in text for pin in pins)
    assert not (day.home / "run" / "agent.json").exists()


def test_the_doctor_finds_the_demo_healthy(day: Played) -> None:
    done = day.command("doctor", "--json")
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_command_has_help_and_wrong_words_are_one_message(tmp_path: Path) -> None:
    for words in (
        ["up"],
        ["demo"],
        ["check"],
        ["record"],
        ["archive"],
        ["verify"],
        ["log", "verify"],
        ["log", "export"],
        ["doctor"],
        ["user", "add"],
        ["camera", "password"],
    ):
        helped = command(tmp_path, *words, "--help")
        assert helped.returncode == 0
        assert "usage: exam-kit" in helped.stdout
    nothing = command(tmp_path / "none", "check", "--json")
    assert nothing.returncode == 11
    assert "exam-kit demo" in json.loads(nothing.stdout)["error"]
    assert command(tmp_path, "explode").returncode == 2
    assert command(tmp_path, "verify", str(tmp_path)).returncode == 23
