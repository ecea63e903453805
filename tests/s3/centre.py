"""A region's home and points that send to one bucket of a store, each command run as a person runs it."""

from __future__ import annotations

import contextlib
import functools
import io
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any
from unittest import mock

import keyring
import keyring.backends.fail

from exam_kit.archive.s3 import Patience, Wire
from exam_kit.cli import main as exam_kit
from exam_kit.clock import SystemClock
from exam_kit.home import Home, kit_root
from exam_kit.store import Ledger
from tests.region_site import Post, make_point
from tests.s3.servers import Server

__all__ = ["STORE", "Answer", "Centre", "kit", "make_points", "order", "send", "store_toml"]

STORE = "points"
PREFIX = "77"


@dataclass(frozen=True)
class Answer:
    """Exit code, the JSON that was answered, and what was said beside it."""

    code: int
    said: Any
    errors: str


def kit(home: Path, *words: str, typed: str = "") -> Answer:
    """One command in this process; a command that can, answers as JSON."""
    keyring.set_keyring(keyring.backends.fail.Keyring())  # type: ignore[no-untyped-call]
    with (
        mock.patch.dict(os.environ, {"EXAM_KIT_HOME": str(home)}),
        mock.patch.object(sys, "stdin", io.StringIO(typed)),
        contextlib.redirect_stdout(io.StringIO()) as out,
        contextlib.redirect_stderr(io.StringIO()) as errors,
    ):
        code = exam_kit(["--language", "en", *words])
    text = out.getvalue()
    return Answer(code, json.loads(text) if "--json" in words and text.strip() else text, errors.getvalue())


def store_toml(server: Server, endpoint: str, bucket: str, prefix: str) -> str:
    return (
        f'\n[[store]]\nname = "{STORE}"\nendpoint = "{endpoint}"\nbucket = "{bucket}"\nprefix = "{prefix}"\n'
        'part_mb = 5\nretention = "none"\n'
    )


def make_points(root: Path, count: int, piece_bytes: int, region_key: Path | None = None) -> list[Post]:
    """Points that record by the clock of this computer, as their commands do."""
    posts = []
    for number in range(1, count + 1):
        post = make_point(root / f"point{number}", number)
        post.piece_bytes = piece_bytes
        post.ledger = Ledger(post.store, post.home, SystemClock())
        text = post.home.point_file.read_text(encoding="utf-8").replace('"ege-2026"', '"ege"')
        key = f'\n[region_centre]\nkey = "{region_key.as_posix()}"\n' if region_key is not None else ""
        post.home.point_file.write_text(text + key, encoding="utf-8")
        posts.append(post)
    return posts


@contextlib.contextmanager
def _sending_to(post: Post, server: Server, bucket: str, folder: str) -> Iterator[None]:
    """The point has the store in its point.toml, with its own prefix, and its keys."""
    before = post.home.point_file.read_text(encoding="utf-8")
    text = before + store_toml(server, server.endpoint, bucket, f"{PREFIX}/{folder}")
    post.home.point_file.write_text(text, encoding="utf-8")
    try:
        given = kit(post.home.root, "store", "key", STORE, typed=f"{server.access}\n{server.secret}\n")
        assert given.code == 0, given.errors
        yield
    finally:
        post.home.point_file.write_text(before, encoding="utf-8")


def send(post: Post, bag: Path, server: Server, bucket: str, folder: str) -> str:
    """A bag of a drive sent; its address at the region."""
    with _sending_to(post, server, bucket, folder):
        sent = kit(post.home.root, "send", str(bag), STORE, "--json")
    assert sent.code == 0 and sent.said["state"] == "finished", sent.errors
    return f"s3://{STORE}/{folder}/{bag.name}"


def order(post: Post, day: date, place: Path | tuple[Server, str, str], *words: str) -> str:
    """An archive order: to a folder, or straight into the bucket and folder of a store. The bag's folder or address."""
    command = ("archive", "--day", str(day), "--by", "head", "--json", *words)
    if isinstance(place, Path):
        place.mkdir(parents=True, exist_ok=True)
        made = kit(post.home.root, *command, "--to", str(place))
        assert made.code == 0, made.errors
        return str(made.said["copies"][0]["bag"])
    server, bucket, folder = place
    with _sending_to(post, server, bucket, folder):
        made = kit(post.home.root, *command, "--to", f"s3://{STORE}")
    assert made.code == 0, made.errors
    return f"s3://{STORE}/{folder}/{made.said['copies'][0]['bag'].rpartition('/')[2]}"


class Centre:
    """A region's home that takes bags in from the store."""

    def __init__(self, root: Path) -> None:
        self.home = Home.at(root)
        self("init", "--region", "77", "--name", "Москва", "--timezone", "Europe/Moscow")
        self._settings = self.home.region_file.read_text(encoding="utf-8")

    def __call__(self, *words: str, typed: str = "") -> Answer:
        return kit(self.home.root, "region", *words, typed=typed)

    def register(self, *posts: Post) -> None:
        answer = self("register", *(str(post.home.root) for post in posts))
        assert answer.code == 0, answer.errors

    def store(self, server: Server, endpoint: str, bucket: str, access: str = "", secret: str = "") -> None:
        """Name the store in region.toml and keep its keys."""
        text = self._settings + store_toml(server, endpoint, bucket, PREFIX)
        self.home.region_file.write_text(text, encoding="utf-8")
        typed = f"{access or server.access}\n{secret or server.secret}\n"
        given = self("store-key", STORE, typed=typed)
        assert given.code == 0, given.errors

    def intake(self, *words: str, patience: Patience | None = None) -> Answer:
        """All bags of the store. With `patience` a broken line is given up after it, not after a minute."""
        with mock.patch("exam_kit.region.sources.Wire", functools.partial(Wire, patience=patience)):
            return self("intake", f"s3://{STORE}", *words, "--json")

    def start_intake(self, *words: str) -> subprocess.Popen[bytes]:
        """The same in a process of its own that can be killed."""
        environment = {**os.environ, "EXAM_KIT_HOME": str(self.home.root), "PYTHONPATH": str(kit_root())}
        environment["PYTHON_KEYRING_BACKEND"] = "keyring.backends.fail.Keyring"
        return subprocess.Popen(
            [sys.executable, "-m", "exam_kit", "region", "intake", f"s3://{STORE}", *words],
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    @property
    def bags(self) -> list[Path]:
        """What has a bag's name here, whole or only its papers."""
        return [folder for folder in self.home.bags.glob("*/*/*") if not folder.name.endswith(".part")]

    @property
    def quarantined(self) -> list[str]:
        """The reason of everything that was set aside."""
        notes = sorted((self.home.root / "quarantine").glob("*/note.json"))
        return [str(json.loads(note.read_text(encoding="utf-8"))["reason"]) for note in notes]
