"""The archive straight into a store, killed (SIGKILL) at random moments and started again; counted."""

from __future__ import annotations

import hashlib
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from exam_kit.archive.s3 import bags_there, verify_in_store
from exam_kit.home import Home
from exam_kit.store import Ledger, open_store
from tests.s3.direct import ADDRESS, PREFIX, make_home, name_store, wire_of
from tests.s3.line import Line, part_of
from tests.s3.servers import Server

__all__ = ["direct_kills"]

ROOT = Path(__file__).parents[2]
THREADS = 4
RATE_BPS = 40_000_000
NEWS_S = 120.0


def direct_kills(
    server: Server, folder: Path, count: int, say: Callable[[str], None], *, pieces: int = 4, size: int = 23_000_000
) -> list[str]:
    """`count` kills over as many days as that takes; what was promised and not kept."""
    line, broken, again, number = Line(server.port, RATE_BPS), list[str](), list[int](), 0
    while len(again) < count and not broken:
        number += 1
        bucket = f"direct-{number}"
        server.make_bucket(bucket)
        place = folder / bucket
        place.mkdir()
        home = make_home(place, pieces=pieces, size=size)
        name_store(home, server, line.endpoint, bucket)
        begun: set[str] = set()
        killed, code = 0, -signal.SIGKILL
        while code == -signal.SIGKILL:
            before = len(line.puts)
            child = subprocess.Popen([sys.executable, "-m", "tests.s3.direct", str(home.root)], cwd=ROOT)
            if len(again) + killed - (killed > 0) < count:
                _strike(child, line, before + random.randint(1, 6))
            code = child.wait()
            fresh = [part_of(put) for put in line.puts[before:]]
            if killed:
                again.append(len(begun.intersection(fresh)))
            begun.update(fresh)
            killed += code == -signal.SIGKILL
        if code:
            broken.append(f"the last run ended with {code}")
        broken += _lies(server, bucket, home.root)
    line.close()
    most = max(again, default=0)
    say(f"straight into the store: kills: {len(again)}; parts sent again per kill: {again}, at most {most}")
    if most > THREADS:
        broken.append(f"more than {THREADS} parts were sent again for one kill")
    for one in broken:
        say(f"BROKEN: {one}")
    return broken


def _lies(server: Server, bucket: str, root: Path) -> list[str]:
    """One bag, whole, with the recordings as they were at birth, and no upload left open."""
    home = Home.at(root)
    name_store(home, server, server.endpoint, bucket)
    wire, store = wire_of(home), open_store(home)
    rows = {Path(row["path"]).name: row["sha256"] for row in store.query("SELECT path, sha256 FROM segment")}
    finished = [str(entry.body["bag"]) for entry in Ledger(store, home).entries(["archive.finished"])]
    key = Ledger(store, home).public_key
    store.close()
    there = bags_there(wire)
    if len(finished) != 1 or there != {finished[0]: True}:
        return [f"{ADDRESS}: holds {there}, the ledger finished {finished}"]
    broken = []
    report = verify_in_store(wire, finished[0], home, key=key, download=True)
    if not report.whole:
        broken.append(f"the bag does not verify: {report.text('en')}")
    client = server.client()
    for one in client.list_objects_v2(Bucket=bucket, Prefix=f"{PREFIX}/{finished[0]}/data/")["Contents"]:
        name = str(one["Key"]).rpartition("/")[2]
        if name in rows:
            body = client.get_object(Bucket=bucket, Key=one["Key"])["Body"]
            if hashlib.sha256(body.read()).hexdigest() != rows.pop(name):
                broken.append(f"{name}: differs from its birth")
    broken += [f"{name}: is not in the bag" for name in rows]
    if client.list_multipart_uploads(Bucket=bucket).get("Uploads"):
        broken.append("an upload is left open")
    return broken


def _strike(child: subprocess.Popen[bytes], line: Line, goal: int) -> None:
    deadline = time.monotonic() + NEWS_S
    while len(line.puts) < goal and child.poll() is None and time.monotonic() < deadline:
        time.sleep(0.002)
    time.sleep(random.uniform(0, 0.1))
    child.kill()
