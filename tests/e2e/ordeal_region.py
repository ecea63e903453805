"""Three points deliver two days each, not all of it well: ``python -m tests.e2e.ordeal_region``.

One camera is missing, one bag was altered on its way, one is delivered twice, one is supplemented later. The region's
table must say exactly that, the clean bags get receipts, and the points take them in and show "delivered". Everything
at the region goes through the command line. With ``--kills``, the intake of one bag is killed (kill -9) that many times
at random moments first, and nothing half taken may ever have a bag's name.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from exam_kit.archive.delivered import deliveries, take_receipt
from exam_kit.archive.verify import verify_bag
from exam_kit.cli import main as exam_kit
from exam_kit.home import kit_root
from exam_kit.point import load_point
from exam_kit.store.keys import VerifyKey
from tests.region_site import DAYS, Post, as_stick, as_supplement, flip_a_byte, make_point

__all__ = ["KILL_FAULTS", "Story", "kill_intake", "play"]


@dataclass
class Story:
    """What the region said at each station of the story, and what the points show in the end."""

    first: dict[str, str] = field(default_factory=dict)
    outcomes: list[tuple[str, str]] = field(default_factory=list)
    before: dict[tuple[str, str], tuple[str, float, float]] = field(default_factory=dict)
    missing: list[tuple[str, str, str, list[list[str]]]] = field(default_factory=list)
    after: dict[tuple[str, str], tuple[str, float, float]] = field(default_factory=dict)
    receipts: int = 0
    delivered: dict[str, list[tuple[str, str]]] = field(default_factory=dict)
    codes: dict[str, int] = field(default_factory=dict)


def play(root: Path, piece_bytes: int = 30_000) -> Story:
    """The whole story in the empty folder `root`."""
    story = Story()
    posts = [make_point(root / f"point{number}", number) for number in (1, 2, 3)]
    for post in posts:
        post.piece_bytes = piece_bytes
    with _region(root / "region") as region:
        region("init", "--region", "77", "--name", "Москва", "--timezone", "Europe/Moscow")
        for post in posts:
            text = post.home.point_file.read_text(encoding="utf-8")
            post.home.point_file.write_text(
                f'{text}\n[region_centre]\nkey = "{(root / "region" / "region.pub").as_posix()}"\n', encoding="utf-8"
            )
        region("register", *(str(post.home.root) for post in posts))
        first = _deliver(root, posts)
        story.codes["intake"], said = region("intake", str(root / "sticks"), "--json", str(root / "intake.json"))
        story.outcomes = [(Path(one["source"]).parent.name, one["outcome"]) for one in said]
        story.codes["status"], said = region("status", "--json", str(root / "before.json"))
        story.before, story.missing = _table(said), _missing(said)
        _supplement(root, posts[1], first)
        _code, said = region("intake", str(root / "later"), "--json", str(root / "later.json"))
        story.outcomes += [("later", one["outcome"]) for one in said]
        _code, said = region("status", "--json", str(root / "after.json"))
        story.after = _table(said)
        (root / "back").mkdir()
        _code, files = region("receipts", "--to", str(root / "back"), "--json", str(root / "receipts.json"))
        story.receipts = len(files)
        region("report", "--pdf", str(root / "report.pdf"), "--xlsx", str(root / "report.xlsx"))
    for post in posts:
        story.delivered[post.id] = _shown(post, root / "back" / post.id)
    return story


def _deliver(root: Path, posts: list[Post]) -> Path:
    """Two days of each point; the bag that is supplemented later."""
    sticks = root / "sticks"
    one, two, three = posts
    for day in DAYS:
        one.record(day)
    clean = one.bag(DAYS[0], sticks / "1-clean")
    as_stick(clean, sticks / "1-once-more")
    one.bag(DAYS[1], sticks / "1-clean-2")
    two.record(DAYS[0], minutes=(0, 3))  # the rest was found on the camera's card and comes later
    two.record(DAYS[1], cameras=("COR1-1",))
    first = two.bag(DAYS[0], sticks / "2-in-part")
    two.bag(DAYS[1], sticks / "2-camera-missing")
    for day in DAYS:
        three.record(day)
    flip_a_byte(three.bag(DAYS[0], sticks / "3-altered"))
    three.bag(DAYS[1], sticks / "3-clean")
    return first


def _supplement(root: Path, post: Post, first: Path) -> None:
    post.record(DAYS[0], minutes=(3, 6))
    as_supplement(post, post.bag(DAYS[0], root / "later"), first)


def _table(said: Any) -> dict[tuple[str, str], tuple[str, float, float]]:
    return {
        (row["point"], row["day"]): (row["state"], row["delivered_min"], row["expected_min"]) for row in said["days"]
    }


def _missing(said: Any) -> list[tuple[str, str, str, list[list[str]]]]:
    return [
        (row["point"], row["day"], row["camera"], [[moment[11:16] for moment in span] for span in row["missing"]])
        for row in said["missing"]
    ]


def _shown(post: Post, folder: Path) -> list[tuple[str, str]]:
    """The point takes its receipts in; day and outcome of what it then shows as delivered."""
    point = load_point(post.home.point_file)
    for file in sorted(folder.glob("*.receipt.json")):
        take_receipt(post.ledger, post.home, point, file.read_bytes(), "tech")
    return sorted((str(one.day), one.outcome) for one in deliveries(post.ledger))


@contextlib.contextmanager
def _region(home: Path) -> Iterator[Any]:
    """`exam-kit region …` in this process; exit code and, where a JSON file was named, what stands in it."""
    old = os.environ.get("EXAM_KIT_HOME")
    os.environ["EXAM_KIT_HOME"] = str(home)

    def run(*words: str) -> tuple[int, Any]:
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()) as said:
            code = exam_kit(["region", *words])
        if code not in (0, 24, 25):
            raise RuntimeError(said.getvalue())
        named = words[words.index("--json") + 1] if "--json" in words else None
        return code, json.loads(Path(named).read_text(encoding="utf-8")) if named else None

    try:
        yield run
    finally:
        if old is None:
            del os.environ["EXAM_KIT_HOME"]
        else:
            os.environ["EXAM_KIT_HOME"] = old


def kill_intake(root: Path, kills: int, piece_bytes: int, seed: int = 1, *, encrypted: bool = False) -> dict[str, int]:
    """Kill the intake of one bag at random moments, then let it end; what was counted, faults last."""
    chance = random.Random(seed)
    post = make_point(root / "point", 1)
    post.piece_bytes = piece_bytes
    post.record(DAYS[0])
    home = root / "region"
    with _region(home) as region:
        region("init", "--region", "77", "--name", "Москва", "--timezone", "Europe/Moscow")
        region("register", str(post.home.root))
    recipient = (home / "region-age.pub").read_text(encoding="ascii").strip()
    bag = post.bag(DAYS[0], root / "stick", age=recipient if encrypted else None)
    shutil.copytree(home, root / "before")
    words = [sys.executable, "-m", "exam_kit", "region", "intake", str(root / "stick")]
    environment = {**os.environ, "EXAM_KIT_HOME": str(home), "PYTHONPATH": str(kit_root())}
    key = VerifyKey.load(post.key_file)
    counted = {
        "kills": 0, "ended before the kill": 0, "named files kept": 0,
        "named files written again": 0, "footage elsewhere": 0, "half taken": 0, "not taken in the end": 0,
    }  # fmt: skip
    named: dict[str, int] = {}

    def begun(files: int) -> bool:
        bags = home.joinpath("bags")
        return any(bags.rglob("*.part")) and sum(1 for _file in bags.rglob("*.mp4")) >= files

    def compare() -> None:
        """What has its name was proved: the next intake must not have written it again."""
        now = {path.name: path.stat().st_mtime_ns for path in home.joinpath("bags").rglob("*.mp4")}
        for name, written in named.items():
            counted["named files kept" if now.get(name) == written else "named files written again"] += 1
        named.clear()
        named.update(now)
        lying = {path for path in home.rglob("*") if ".mp4" in path.name}
        counted["footage elsewhere"] += len(lying - set(home.joinpath("bags").rglob("*")))

    for _number in range(kills):
        running = subprocess.Popen(words, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        until, files = time.monotonic() + 30, chance.randint(len(named), len(named) + 1)
        while running.poll() is None and not begun(files) and time.monotonic() < until:
            time.sleep(0.002)
        time.sleep(chance.uniform(0, 0.1))
        running.kill()
        ended = running.wait() == 0
        counted["ended before the kill" if ended else "kills"] += 1
        for folder in home.joinpath("bags").glob("*/*/*"):
            whole = verify_bag(folder, key=key).whole if not folder.name.endswith(".part") else True
            counted["half taken"] += not whole
        compare()
        if ended:
            shutil.rmtree(home)
            shutil.copytree(root / "before", home)
            named.clear()
    with _region(home) as region:
        code, _said = region("intake", str(root / "stick"))
        _code, table = region("status", "--json", str(root / "status.json"))
    compare()
    taken = [folder for folder in home.joinpath("bags").glob("*/*/*") if verify_bag(folder, key=key).whole]
    right = code == 0 and len(taken) == 1 and table["days"][0]["state"] == "delivered" and verify_bag(bag).whole
    counted["not taken in the end"] = int(not right)
    return counted


KILL_FAULTS = ("named files written again", "footage elsewhere", "half taken", "not taken in the end")

EXPECTED = {
    ("77-0001", str(DAYS[0])): "delivered",
    ("77-0001", str(DAYS[1])): "delivered",
    ("77-0002", str(DAYS[0])): "late",
    ("77-0002", str(DAYS[1])): "late",
    ("77-0003", str(DAYS[0])): "quarantine",
    ("77-0003", str(DAYS[1])): "delivered",
}
"""The table before the supplement: the days are long over when this runs, so what is incomplete is overdue."""


def faults_of(story: Story) -> list[str]:
    """Where the story is not exactly what was done."""
    faults = []
    if {place: row[0] for place, row in story.before.items()} != EXPECTED:
        faults.append(f"the table before the supplement: {story.before}")
    after = EXPECTED | {("77-0002", str(DAYS[0])): "delivered"}
    if {place: row[0] for place, row in story.after.items()} != after:
        faults.append(f"the table after the supplement: {story.after}")
    missing = [
        ("77-0002", str(DAYS[0]), "COR1-1", [["07:01", "07:04"]]),
        ("77-0002", str(DAYS[0]), "ENTR-1", [["07:01", "07:04"]]),
        ("77-0003", str(DAYS[0]), "COR1-1", [["06:58", "07:04"]]),
        ("77-0003", str(DAYS[0]), "ENTR-1", [["06:58", "07:04"]]),
        ("77-0002", str(DAYS[1]), "ENTR-1", [["06:58", "07:04"]]),
    ]
    if sorted(story.missing) != sorted(missing):
        faults.append(f"what is missing: {story.missing}")
    outcomes = {
        "1-clean": "taken",
        "1-once-more": "again",
        "1-clean-2": "taken",
        "2-in-part": "taken",
        "2-camera-missing": "taken",
        "3-altered": "quarantined",
        "3-clean": "taken",
        "later": "supplement",
    }
    if dict(story.outcomes) != outcomes:
        faults.append(f"outcomes: {story.outcomes}")
    shown = {
        "77-0001": [(str(DAYS[0]), "taken"), (str(DAYS[1]), "taken")],
        "77-0002": [(str(DAYS[0]), "supplement"), (str(DAYS[0]), "taken"), (str(DAYS[1]), "taken")],
        "77-0003": [(str(DAYS[1]), "taken")],
    }
    if story.delivered != shown or story.receipts != 6:
        faults.append(f"receipts: {story.receipts}, the points show {story.delivered}")
    return faults


def main() -> int:
    options = argparse.ArgumentParser(prog="python -m tests.e2e.ordeal_region", description=__doc__)
    options.add_argument("--piece-kb", type=int, default=2000, help="size of a recorded minute")
    options.add_argument("--kills", type=int, default=20)
    options.add_argument("--encrypted", action="store_true", help="the bag of the kills is encrypted to the region")
    given = options.parse_args()
    with tempfile.TemporaryDirectory(prefix="ordeal-region-") as folder:
        story = play(Path(folder) / "story", given.piece_kb * 1000)
        for name, table in (("before the supplement", story.before), ("after it", story.after)):
            print(f"{name}:")
            for (point, day), (state, had, wanted) in sorted(table.items()):
                print(f"  {point} {day} {state:<10} {had:5.1f} of {wanted:5.1f} min")
        print("missing before the supplement (UTC):")
        for row in story.missing:
            print("  ", *row)
        print("outcomes:", ", ".join(f"{place}: {outcome}" for place, outcome in story.outcomes))
        print("the points show as delivered:", story.delivered)
        faults = faults_of(story)
        counted = kill_intake(Path(folder) / "kills", given.kills, given.piece_kb * 1000, encrypted=given.encrypted)
        print("kill -9 during the intake:", ", ".join(f"{name}: {count}" for name, count in counted.items()))
        faults += [name for name in KILL_FAULTS if counted[name]]
    print("FAULTS:", *faults, sep="\n  ") if faults else print("exactly as it was done")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
