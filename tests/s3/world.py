"""A point with a sealed bag and a store to send it to, and `exam-kit` run as a person runs it."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from exam_kit.archive.s3 import Patience, Wire, keys_of
from exam_kit.clock import SystemClock
from exam_kit.home import Home
from exam_kit.point import Secrets, load_point
from exam_kit.store import Ledger, open_store
from tests.archive_day import archive, record
from tests.conftest import POINT_TOML
from tests.s3.servers import Server

ROOT = Path(__file__).parents[2]
STORE = "region"


@dataclass
class World:
    home: Home
    bag: Path

    def store(
        self, server: Server, endpoint: str, bucket: str, *, part_mb: int = 5, retention: str = "none", secret: str = ""
    ) -> None:
        """Name this store in point.toml, and keep its keys."""
        text = (
            f'\n[[store]]\nname = "{STORE}"\nendpoint = "{endpoint}"\nbucket = "{bucket}"\nprefix = "ппэ/77-0001"\n'
            f'part_mb = {part_mb}\nretention = "{retention}"\n'
        )
        self.home.point_file.write_text(POINT_TOML + text, encoding="utf-8")
        secrets = Secrets(self.home, file_only=True)
        secrets.set(f"store:{STORE}:access-key", server.access)
        secrets.set(f"store:{STORE}:secret-key", secret or server.secret)

    def start(self, *words: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "exam_kit", "--language", "en", *words],
            cwd=ROOT,
            env={
                **os.environ,
                "EXAM_KIT_HOME": str(self.home.root),
                "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring",
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *words: str) -> tuple[int, Any, str]:
        """Exit code, the JSON that was answered, and what was said beside it."""
        child = self.start(*words, "--json")
        out, err = child.communicate(timeout=600)
        return child.returncode, json.loads(out) if out.strip() else None, err

    def wire(self) -> Wire:
        """The store of point.toml, for use in this process; a test does not wait long for what will not come."""
        store = load_point(self.home.point_file).object_store(STORE)
        return Wire(store, keys_of(store, Secrets(self.home, file_only=True)), self.home, Patience((0.05, 0.1, 0.2)))

    def key(self, path: str) -> str:
        return f"ппэ/77-0001/{self.bag.name}/{path}"

    def files(self) -> dict[str, tuple[int, str]]:
        """Path in the bag → bytes and SHA-256, as they lie on the disk."""
        found = {}
        for path in sorted(self.bag.rglob("*")):
            if path.is_file():
                content = path.read_bytes()
                found[path.relative_to(self.bag).as_posix()] = (len(content), hashlib.sha256(content).hexdigest())
        return found

    def differing(self, server: Server, bucket: str) -> list[str]:
        """Files of the bag that are not the same in the store, and objects that are none of its; asked past our own
        code, with a client of its own."""
        client = server.client()
        prefix = self.key("")
        listed = client.list_objects_v2(Bucket=bucket, Prefix=prefix).get("Contents", ())
        there = {str(one["Key"]).removeprefix(prefix) for one in listed}
        wanted = self.files()
        wrong = sorted(there ^ wanted.keys())
        for path in there & wanted.keys():
            digest = hashlib.sha256()
            for block in client.get_object(Bucket=bucket, Key=prefix + path)["Body"].iter_chunks(1 << 20):
                digest.update(block)
            if digest.hexdigest() != wanted[path][1]:
                wrong.append(path)
        return wrong


def make_world(folder: Path, *, pieces: int = 2, size: int = 20_000) -> World:
    """A recorded day, archived and sealed: `pieces` recordings of about `size` bytes for each of two cameras."""
    home = Home.at(folder / "home")
    home.create()
    home.point_file.write_text(POINT_TOML, encoding="utf-8")
    store = open_store(home)
    clock = SystemClock()
    ledger = Ledger(store, home, clock)
    record(store, ledger, home, count=pieces, size=size)
    result = archive(store, ledger, home, load_point(home.point_file), folder / "carrier", clock)
    store.close()
    assert result.bag is not None
    return World(home, result.bag)
