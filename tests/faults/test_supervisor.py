"""`exam-kit up` on the demo: what dies comes back, what is told to end ends, and two never share one home."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import psutil
import pytest

Until = Callable[..., None]


def start(home: Path, port: int, *words: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "exam_kit", *(words or ("demo",)), "--port", str(port)],
        env={**os.environ, "EXAM_KIT_HOME": str(home), "LANG": "en_US.UTF-8", "LC_ALL": ""},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def answers(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/signin", timeout=2) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def agent_pid(home: Path) -> int:
    try:
        return int(json.loads((home / "run" / "agent.json").read_text(encoding="utf-8"))["pid"])
    except (OSError, ValueError):
        return 0


@pytest.fixture
def running(tmp_path: Path, until: Until) -> Iterator[tuple[subprocess.Popen[str], Path, int]]:
    home, port = tmp_path / "home", free_port()
    process = start(home, port)
    try:
        until(lambda: answers(port) and agent_pid(home), 60)
        yield process, home, port
    finally:
        children = psutil.Process(process.pid).children(recursive=True) if process.poll() is None else []
        process.terminate()
        try:
            process.wait(30)
        finally:
            for child in children:
                if child.is_running():
                    child.kill()
            process.communicate()


def test_what_dies_comes_back_and_sigterm_ends_everything(
    running: tuple[subprocess.Popen[str], Path, int], until: Until
) -> None:
    process, home, port = running
    first = agent_pid(home)
    os.kill(first, signal.SIGKILL)
    until(lambda: agent_pid(home) not in (0, first), 30)
    web = next(
        child for child in psutil.Process(process.pid).children() if "exam_kit.web.serve" in " ".join(child.cmdline())
    )
    web.kill()
    until(lambda: not answers(port), 10)
    until(lambda: answers(port), 30)
    everyone = psutil.Process(process.pid).children(recursive=True)
    process.terminate()
    assert process.wait(30) == 0
    until(lambda: not any(child.is_running() for child in everyone), 10)


def test_a_killed_supervisor_leaves_nothing_behind(
    running: tuple[subprocess.Popen[str], Path, int], until: Until
) -> None:
    process, _home, _port = running
    everyone = psutil.Process(process.pid).children(recursive=True)
    assert len(everyone) >= 3
    process.kill()
    process.wait()
    until(lambda: not any(child.is_running() and child.status() != "zombie" for child in everyone), 30)


def test_a_second_start_on_the_same_home_is_one_clear_message(
    running: tuple[subprocess.Popen[str], Path, int],
) -> None:
    process, home, _port = running
    point = (home / "point.toml").read_bytes()
    second = start(home, free_port())
    out, err = second.communicate(timeout=60)
    assert second.returncode == 12, out + err
    assert "already runs on this data" in err
    assert process.poll() is None
    assert (home / "point.toml").read_bytes() == point  # its cameras are those of the demo that runs


def test_a_taken_port_is_one_clear_message(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        process = start(tmp_path / "home", port)
        out, err = process.communicate(timeout=60)
    assert process.returncode == 13, out + err
    assert f"Port {port}" in err


def test_what_answers_on_a_taken_port_does_not_pass_for_ours(tmp_path: Path) -> None:
    class Other(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_said: object) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Other) as other:
        threading.Thread(target=other.serve_forever, daemon=True).start()
        process = start(tmp_path / "home", other.server_address[1])
        out, err = process.communicate(timeout=60)
        other.shutdown()
    assert process.returncode == 13, out + err
    assert "is open" not in out and "PIN" not in out


def test_up_without_a_point_says_how_to_get_one(tmp_path: Path) -> None:
    process = start(tmp_path / "home", free_port(), "up")
    out, err = process.communicate(timeout=60)
    assert process.returncode == 11, out + err
    assert "exam-kit demo" in err
