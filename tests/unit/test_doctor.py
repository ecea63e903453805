"""`exam-kit doctor`: a sound installation, and each thing that can be wrong with one."""

from __future__ import annotations

import json
import os
import socket
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from exam_kit import doctor
from exam_kit.agent.status import beat
from exam_kit.clock import FakeClock
from exam_kit.doctor import memory, packages
from exam_kit.doctor.report import TITLES, DoctorReport, Finding, State
from exam_kit.errors import m
from exam_kit.home import Home, kit_root
from exam_kit.i18n import current_language, set_language
from exam_kit.point import Secrets
from exam_kit.store import Ledger
from exam_kit.store.keys import SigningKey
from exam_kit.store.seal import SealKey

POINT = (kit_root() / "docs" / "point.example.toml").read_text(encoding="utf-8")
CAMERAS = ("HQ-1", "R0001-1", "R0001-2", "R0002-1", "R0003-1", "COR1-1", "COR2-1", "ENTR-1")


@pytest.fixture
def port() -> int:
    """A port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def sound(home: Home, ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> Home:
    """A home with a point, passwords, a ledger and its key."""
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.fail.Keyring")
    home.point_file.write_text(POINT, encoding="utf-8")
    secrets = Secrets(home, file_only=True)
    for camera in CAMERAS:
        secrets.set(f"camera:{camera}", "not-a-real-password")
    ledger.append("agent.started", {}, "agent")
    ledger.checkpoint()
    return home


@contextmanager
def english() -> Iterator[None]:
    before = current_language()
    set_language("en")
    try:
        yield
    finally:
        set_language(before)


def findings(home: Home, clock: FakeClock, port: int, *checks: str) -> list[Finding]:
    """The findings of these checks."""
    found = doctor.diagnose(home, clock, port)
    return [finding for finding in found if finding.check in checks]


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """The libraries are loaded in one test only; elsewhere that check would take seconds each time."""
    monkeypatch.setattr("exam_kit.doctor.software.broken_imports", lambda: (0, {}))


def test_this_installation_loads_every_library_the_kit_uses() -> None:
    count, broken = packages.broken_imports()
    assert broken == {}
    assert count >= len(packages.locked(kit_root() / "requirements.lock")) // 5


def test_a_library_that_does_not_load_is_named_and_the_others_are_still_tried(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(packages, "_modules", lambda _names: ["json", "no_such_module_at_all", "csv"])
    count, broken = packages.broken_imports()
    assert count == 3
    assert list(broken) == ["no_such_module_at_all"]
    assert "ModuleNotFoundError" in broken["no_such_module_at_all"]


def test_the_lock_is_compared_with_what_is_installed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "requirements.lock").write_text(
        "babel==0.0.1 \\\n    --hash=sha256:aa\nno-such-thing==1.0 \\\n    --hash=sha256:bb\n"
        "only-elsewhere==1.0 ; sys_platform == 'amiga' \\\n    --hash=sha256:cc\n"
    )
    monkeypatch.setattr(packages, "kit_root", lambda: tmp_path)
    count, wrong = packages.wrong_versions()
    assert count == 2
    assert [(name, version) for name, version, _found in wrong] == [("babel", "0.0.1"), ("no-such-thing", "1.0")]
    assert wrong[0][2] != ""
    assert wrong[1][2] == ""


@pytest.mark.usefixtures("quick")
def test_a_sound_home_has_nothing_to_mend(sound: Home, clock: FakeClock, port: int) -> None:
    looked_at = findings(sound, clock, port, *(set(TITLES) - {"packages"}))
    assert {finding.check for finding in looked_at} == set(TITLES) - {"packages"}
    assert {finding.state for finding in looked_at} <= {State.OK, State.NOTE}, looked_at
    assert DoctorReport(tuple(looked_at)).exit_code == 0


@pytest.mark.usefixtures("quick")
def test_an_empty_home_is_not_a_fault(tmp_path: Path, clock: FakeClock, port: int) -> None:
    home = Home.at(tmp_path / "nothing" / "here")
    looked_at = findings(home, clock, port, *(set(TITLES) - {"packages"}))
    assert {finding.state for finding in looked_at} <= {State.OK, State.NOTE}, looked_at
    assert not home.root.exists(), "the doctor only looks"


def open_secrets(home: Home) -> None:
    home.secrets.chmod(0o644)


def forget_a_password(home: Home) -> None:
    kept = json.loads(home.secrets.read_text())
    del kept["camera:ENTR-1"]
    home.secrets.write_text(json.dumps(kept))


def break_the_secrets(home: Home) -> None:
    home.secrets.write_text("{half")


def open_key(home: Home) -> None:
    (home.keys / "ledger.key").chmod(0o644)


def lose_the_key(home: Home) -> None:
    (home.keys / "ledger.key").unlink()


def swap_the_public_key(home: Home) -> None:
    other = SigningKey.load_or_create(home.root / "another")
    (home.keys / "ledger.pub").write_bytes(other.public.pem())


def spoil_the_key(home: Home) -> None:
    (home.keys / "ledger.key").write_text("no key")


def mistake_in_the_point(home: Home) -> None:
    home.point_file.write_text(POINT.replace("Europe/Moscow", "Mars/Olympus").replace('region = "77"', 'region = "x"'))


def drop_a_trigger(home: Home) -> None:
    connection = sqlite3.connect(home.store)
    (name,) = connection.execute(
        "SELECT name FROM sqlite_schema WHERE type = 'trigger' AND tbl_name = 'ledger'"
    ).fetchone()
    connection.execute(f"DROP TRIGGER {name}")
    connection.commit()
    connection.close()


def no_database_at_all(home: Home) -> None:
    for path in home.store.parent.iterdir():
        path.unlink()
    home.store.write_bytes(b"this is no database" * 1000)


@pytest.mark.usefixtures("quick")
@pytest.mark.skipif(os.name == "nt", reason="modes of files")
@pytest.mark.parametrize(
    ("harm", "check", "state", "part"),
    [
        (open_secrets, "secrets", State.FAULT, "0644"),
        (forget_a_password, "secrets", State.FAULT, "ENTR-1"),
        (break_the_secrets, "secrets", State.UNKNOWN, "cannot be read"),
        (open_key, "keys", State.FAULT, "others may read the key"),
        (lose_the_key, "keys", State.FAULT, "gone"),
        (swap_the_public_key, "keys", State.FAULT, "does not belong"),
        (spoil_the_key, "keys", State.UNKNOWN, "cannot be read"),
        (mistake_in_the_point, "point", State.FAULT, "mistakes found: 2"),
        (drop_a_trigger, "ledger", State.FAULT, "protection"),
        (no_database_at_all, "store", State.FAULT, "not a database"),
        (no_database_at_all, "ledger", State.FAULT, "not a database"),
    ],
)
def test_what_is_wrong_is_found_and_has_a_way_out(
    sound: Home, clock: FakeClock, port: int, harm: Callable[[Home], None], check: str, state: State, part: str
) -> None:
    harm(sound)
    looked_at = findings(sound, clock, port, check)
    with english():
        (wrong,) = [
            finding
            for finding in looked_at
            if finding.state not in (State.OK, State.NOTE) and part in finding.seen_text()
        ]
        report = DoctorReport(tuple(looked_at))
        assert wrong.state is state
        assert wrong.way_out or "Restore" in wrong.seen.text()
        assert all(line.strip() in report.text() for line in wrong.seen_text().splitlines())
        assert report.exit_code == 40
        assert "not-a-real-password" not in report.text()
        assert json.loads(json.dumps(report.as_dict()))["healthy"] is False


@pytest.mark.usefixtures("quick")
def test_a_taken_port_is_a_fault_unless_the_kit_itself_runs(sound: Home, clock: FakeClock) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        taken = int(other.getsockname()[1])
        (alone,) = findings(sound, clock, taken, "port")
        beat(sound, clock)
        (running,) = findings(sound, clock, taken, "port")
        (agent,) = findings(sound, clock, taken, "agent")
    assert alone.state is State.FAULT
    assert running.state is State.OK
    assert agent.state is State.OK


@pytest.mark.parametrize("language", ["ru", "en", "lv"])
def test_the_report_reads_in_every_language(language: str) -> None:
    before = current_language()
    set_language(language)
    report = DoctorReport(
        (
            Finding("python", State.OK, m("{version}", version="3.12.1")),
            Finding("agent", State.NOTE, m("does not run"), m("To start it: python3 start.py")),
            Finding("space", State.FAULT, m("{free} GB free", free="0.2"), m("Run: {command}", command="df")),
        )
    )
    try:
        lines = report.text().splitlines()
    finally:
        set_language(before)
    assert len(lines) == 6
    assert lines[0].startswith("✓") and lines[3].startswith("✗")
    assert not any("{" in line for line in lines)


def test_the_first_key_of_the_seal_is_pointed_out_until_it_was_handed_over(sound: Home, ledger: Ledger) -> None:
    (note,) = [one for one in memory.ledger(sound) if one.state is State.NOTE]
    assert "first key of the seal, from entry 1 on, lies here still" in note.seen.text("en")
    (first,) = SealKey(sound.keys).waiting
    SealKey(sound.keys).hand_over(first)
    assert [one.state for one in memory.ledger(sound)] == [State.OK]
