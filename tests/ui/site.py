"""The served kit as tests reach it: the process, plain HTTP, and a browser."""

from __future__ import annotations

import http.client
import json
import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlencode

from exam_kit.home import Home, kit_root
from exam_kit.store import Ledger, Store, open_store
from tests.ui.prepared import PINS

__all__ = ["Answer", "Site", "start"]


@dataclass(frozen=True)
class Answer:
    """What the server said."""

    status: int
    headers: dict[str, str]
    cookies: list[str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode("utf-8", errors="replace")


@dataclass
class Site:
    """A running server over a prepared home."""

    home: Home
    process: subprocess.Popen[str]
    port: int
    first: dict[str, Answer] = field(default_factory=dict)
    _cookies: dict[str, str] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def ask(self, path: str, method: str = "GET", form: dict[str, str] | None = None, **headers: str) -> Answer:
        """One request; a header's name is given with underscores."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        body = None
        if form is not None:
            method, body = "POST", urlencode(form)
            sent.setdefault("Content-Type", "application/x-www-form-urlencoded")
        connection.request(method, path, body=body, headers=sent)
        reply = connection.getresponse()
        headers_in = {name.lower(): value for name, value in reply.getheaders()}
        cookies = [value for name, value in reply.getheaders() if name.lower() == "set-cookie"]
        answer = Answer(reply.status, headers_in, cookies, reply.read())
        connection.close()
        return answer

    def cookie(self, login: str, *, fresh: bool = False) -> str:
        """A session's Cookie header; kept, since checking a PIN is slow on purpose."""
        if login not in self._cookies or fresh:
            made = self._sign_in(login)
            if fresh:
                return made
            self._cookies[login] = made
        return self._cookies[login]

    def _sign_in(self, login: str) -> str:
        answer = self.ask("/signin", form={"login": login, "pin": PINS[login]})
        assert answer.status == 303, answer.text
        return next(one for one in answer.cookies if one.startswith("exam_kit_session")).partition(";")[0]

    def store(self) -> tuple[Store, Ledger]:
        store = open_store(self.home)
        return store, Ledger(store, self.home)


def start(home: Home, *arguments: str) -> Site:
    """Start the server and wait until it says where it is."""
    process = subprocess.Popen(
        [sys.executable, "-m", "exam_kit.web.serve", "--port", "0", *arguments],
        cwd=home.root,  # the configuration must be found whatever the working folder is
        env={**os.environ, "EXAM_KIT_HOME": str(home.root), "PYTHONPATH": str(kit_root())},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line, "the server ended before it answered"
    return Site(home, process, int(json.loads(line)["url"].rstrip("/").rpartition(":")[2]))


def chromium() -> Path | None:
    """The system's Chromium."""
    for folder in os.environ.get("PATH", "").split(os.pathsep):
        for name in ("chromium", "chromium-browser", "google-chrome", "chrome.exe"):
            path = Path(folder) / name
            if path.is_file():
                return path
    return None
