"""`exam-kit review`: made at the point, proved and read elsewhere, and nothing of it left behind."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from exam_kit.home import Home, kit_root
from exam_kit.store import Ledger, open_store
from tests.conftest import POINT_TOML


def exam_kit(home: Path, *arguments: str, folder: Path) -> subprocess.Popen[str]:
    """The command as a person starts it; what it keeps for a while lies in `folder`."""
    folder.mkdir(exist_ok=True)
    return subprocess.Popen(
        [sys.executable, "-m", "exam_kit", "--language", "en", "review", *arguments],
        cwd=folder,
        env={**os.environ, "EXAM_KIT_HOME": str(home), "PYTHONPATH": str(kit_root()), "TMPDIR": str(folder)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.fixture
def made(tmp_path: Path) -> Path:
    home = Home.at(tmp_path / "home")
    home.create()
    home.point_file.write_text(POINT_TOML, encoding="utf-8")
    store = open_store(home)
    Ledger(store, home).append("agent.started", {}, "agent")
    store.close()
    path = tmp_path / "books.zip"
    making = exam_kit(home.root, "make", str(path), folder=tmp_path / "t")
    assert (making.communicate(timeout=60)[1], making.returncode) == ("", 0)
    again = exam_kit(home.root, "make", str(path), folder=tmp_path / "t")
    assert "is there already" in again.communicate(timeout=60)[1]
    assert again.returncode != 0
    return path


@pytest.fixture
def reading(made: Path, tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    process = exam_kit(tmp_path / "nowhere", str(made), folder=tmp_path / "reader")
    yield process
    process.kill()
    process.communicate(timeout=30)


def ask(port: int, path: str, cookie: str = "") -> tuple[int, dict[str, str], bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request("GET", path, headers={"Cookie": cookie} if cookie else {})
    reply = connection.getresponse()
    headers = {name.lower(): value for name, value in reply.getheaders()}
    content = reply.read()
    connection.close()
    return reply.status, headers, content


def test_it_is_proved_alone(made: Path, tmp_path: Path) -> None:
    checking = exam_kit(tmp_path / "nowhere", str(made), "--check", "--json", folder=tmp_path / "reader")
    told = json.loads(checking.communicate(timeout=60)[0])
    assert (checking.returncode, told["key_given"], told["entries"] >= 2) == (0, False, True)
    made.write_bytes(made.read_bytes()[:-30])
    refused = exam_kit(tmp_path / "nowhere", str(made), "--check", folder=tmp_path / "reader")
    assert "no review bundle" in refused.communicate(timeout=60)[1]
    assert refused.returncode == 30
    assert list((tmp_path / "reader").iterdir()) == []


@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="a closed terminal says so by a signal only elsewhere")
def test_it_opens_once_shows_the_review_only_and_leaves_nothing(reading: subprocess.Popen[str], tmp_path: Path) -> None:
    assert reading.stdout is not None
    address = ""
    while not address:
        line = reading.stdout.readline()
        assert line, "it ended before it named an address"
        address = next(iter(re.findall(r"http://\S+", line)), "")
    parts = urlsplit(address)
    port, door = parts.port or 0, f"{parts.path}?{parts.query}"
    assert ask(port, "/papers/review.csv")[0] == 303
    assert ask(port, "/open?once=guessed")[0] == 403
    status, headers, _content = ask(port, door)
    cookie = headers["set-cookie"].partition(";")[0]
    assert (status, ask(port, door)[0]) == (303, 403)
    assert ask(port, "/papers/review.csv", cookie)[0] == 200
    assert ask(port, "/papers/people.csv", cookie)[1]["content-type"].startswith("text/html")  # Streamlit's own page
    assert ask(port, "/archive", cookie)[0] == 303
    (kept,) = (tmp_path / "reader").iterdir()
    assert kept.stat().st_mode & 0o077 == 0
    reading.send_signal(signal.SIGHUP)
    assert reading.wait(30) == 0
    assert list((tmp_path / "reader").iterdir()) == []
