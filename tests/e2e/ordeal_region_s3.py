"""Three points deliver two days each to prefixes of a real object store, and the region takes them from there; counted.

``python -m tests.e2e.ordeal_region_s3 [--server radosgw|swift] [--kills 20] [--cuts 20] [--flips 20]``

One camera is missing, one bag lacks half and is supplemented later, one object was altered in the store, one bag came
under two prefixes, one has no tag manifest, of one only the first recordings arrived, one is a stranger's. The line is
cut at random places, the server is killed in the middle, the intake is killed (SIGKILL), bits are turned over on their
way here. Ends with 1 when a promise is broken, with 77 when the store cannot be started here.
"""

from __future__ import annotations

import argparse
import hashlib
import shutil
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

from exam_kit.archive.bag import INFO, MANIFEST, TAGMANIFEST
from exam_kit.archive.delivered import deliveries, take_receipt
from exam_kit.archive.verify import verify_bag
from exam_kit.clock import SystemClock
from exam_kit.point import load_point
from exam_kit.store import Ledger
from exam_kit.store.keys import VerifyKey
from tests.e2e.ordeal_region_s3_trouble import SOON, Proof, Trouble
from tests.region_site import DAYS, Post
from tests.s3.centre import PREFIX, STORE, Answer, Centre, make_points, order, send
from tests.s3.line import Line
from tests.s3.servers import SERVERS

__all__ = ["Ordeal"]

SKIPPED = 77
TAKEN = {"taken", "supplement"}


class Ordeal(Proof):
    """What was delivered, and what the region must say of it."""

    def story(self) -> None:
        """Everything at once, taken in where it lies, then supplemented and finished; then fetched by another home."""
        self.server.make_bucket("story")
        centre = self.centre()
        posts = make_points(self.root, 4, self.piece_bytes, centre.home.root / "region.pub")
        centre.register(*posts[:3])
        centre.store(self.server, self.server.endpoint, "story")
        places = self._deliver(posts)
        wanted = {
            "clean, sent": "taken",
            "clean, ordered": "taken",
            "once more": "again",
            "in part, ordered": "taken",
            "camera missing, sent": "taken",
            "altered": "quarantined",
            "clean 3, ordered": "taken",
            "without tag manifest": "unfinished",
            "first recordings only": "unfinished",
            "stranger's": "quarantined",
        }
        answer = centre.intake()
        self.expect("the intake ends with 24: not all were taken", answer.code == 24)
        self._judged(answer, places, wanted)
        self.expect(f"two reasons stand in quarantine: {centre.quarantined}",
                    sorted(centre.quarantined) == ["altered", "foreign"])  # fmt: skip
        late = {("77-0002", DAYS[0]), ("77-0002", DAYS[1])}
        self._table(centre, dict.fromkeys(late, "late") | {("77-0003", DAYS[0]): "quarantine"})
        places |= self._complete(posts)
        wanted |= dict.fromkeys((name for name, outcome in wanted.items() if outcome == "taken"), "again")
        wanted |= {"altered": "known_quarantine", "stranger's": "known_quarantine"}
        wanted |= {"without tag manifest": "taken", "supplement, ordered": "supplement"}
        self._judged(centre.intake(), places, wanted)
        self._table(centre, {("77-0002", DAYS[1]): "late"})
        self._receipts(centre, posts[:3])
        self._fetched(posts, places, wanted)

    def _deliver(self, posts: list[Post]) -> dict[str, str]:
        """What was done → its address at the region."""
        one, two, three, four = posts
        drive, server, bucket = self.root / "drive", self.server, "story"
        for post in (one, three, four):
            for day in DAYS:
                post.record(day)
        two.record(DAYS[0], minutes=(0, 3))
        two.record(DAYS[1], cameras=("COR1-1",))
        clean = Path(order(one, DAYS[0], drive / "1"))
        good = Path(order(three, DAYS[0], drive / "3"))
        places = {
            "clean, sent": send(one, clean, server, bucket, "0001"),
            "clean, ordered": order(one, DAYS[1], (server, bucket, "0001")),
            "once more": send(one, clean, server, bucket, "0001-again"),
            "in part, ordered": order(two, DAYS[0], (server, bucket, "0002")),
            "camera missing, sent": send(two, Path(order(two, DAYS[1], drive / "2")), server, bucket, "0002"),
            "altered": send(three, good, server, bucket, "0003"),
            "clean 3, ordered": order(three, DAYS[1], (server, bucket, "0003")),
            "without tag manifest": send(three, good, server, bucket, "0003-late"),
            "first recordings only": f"s3://{STORE}/0003-begun/{good.name}",
            "stranger's": send(four, Path(order(four, DAYS[0], drive / "4")), server, bucket, "0004"),
        }
        self._good = good
        self._alter(bucket, places["altered"])
        self.client.delete_object(Bucket=bucket, Key=f"{PREFIX}/0003-late/{good.name}/{TAGMANIFEST}")
        begun = sorted(good.rglob("*.mp4"))[0]
        key = f"{PREFIX}/0003-begun/{good.name}/{begun.relative_to(good).as_posix()}"
        self.client.put_object(Bucket=bucket, Key=key, Body=begun.read_bytes())
        return places

    def _alter(self, bucket: str, address: str) -> None:
        """One bit of one recording, where it lies."""
        below = address.removeprefix(f"s3://{STORE}/")
        victim = next(key for key in self._keys(bucket, f"{below}/data/") if key.endswith(".mp4"))
        content = bytearray(self.client.get_object(Bucket=bucket, Key=victim)["Body"].read())
        content[len(content) // 2] ^= 1
        self.client.put_object(Bucket=bucket, Key=victim, Body=bytes(content))

    def _complete(self, posts: list[Post]) -> dict[str, str]:
        """What lacked comes later: the supplement straight into the store, the unfinished one is finished."""
        posts[1].record(DAYS[0], minutes=(3, 6))
        send(posts[2], self._good, self.server, "story", "0003-late")
        return {"supplement, ordered": order(posts[1], DAYS[0], (self.server, "story", "0002"), "--supplement")}

    def _judged(self, answer: Answer, places: dict[str, str], wanted: dict[str, str]) -> None:
        found = {one["source"]: one["outcome"] for one in answer.said}
        self.expect("every bag is judged once", len(found) == len(answer.said) == len(wanted))
        for name, outcome in wanted.items():
            got = found.get(places[name])
            self.expect(f"{name}: {outcome}, and not {got}", got == outcome)
        self.say("judged: " + ", ".join(f"{name}: {found.get(places[name])}" for name in wanted))

    def _table(self, centre: Centre, lacking: dict[tuple[str, Any], str]) -> None:
        status = centre("status", "--json").said
        found = {(row["point"], row["day"]): row["state"] for row in status["days"]}
        wanted = {(f"77-000{number}", str(day)): "delivered" for number in (1, 2, 3) for day in DAYS}
        wanted[("77-0004", str(DAYS[0]))] = "quarantine"  # nothing is expected of it, and something was set aside
        wanted |= {(point, str(day)): state for (point, day), state in lacking.items()}
        self.expect(f"the table: {wanted}, and not {found}", found == wanted)
        missing = [(row["point"], row["day"], row["camera"]) for row in status["missing"]]
        self.expect("what is missing is told", {(point, day) for point, day, _camera in missing} ==
                    {(point, str(day)) for point, day in lacking})  # fmt: skip
        self.say(f"the table: {dict(Counter(found.values()))}; missing: {missing}")

    def _receipts(self, centre: Centre, posts: list[Post]) -> None:
        back = self.root / "back"
        back.mkdir()
        files = centre("receipts", "--to", str(back), "--json").said
        shown = 0
        for post in posts:
            point, ledger = load_point(post.home.point_file), Ledger(post.store, post.home, SystemClock())
            for file in sorted((back / post.id).glob("*.receipt.json")):
                take_receipt(ledger, post.home, point, file.read_bytes(), "tech")
            shown += len(deliveries(ledger))
        self.expect("seven clean bags have receipts, and the points show them as delivered", len(files) == shown == 7)
        self.say(f"receipts: {len(files)}; shown as delivered at the points: {shown}")

    def _fetched(self, posts: list[Post], places: dict[str, str], wanted: dict[str, str]) -> None:
        """Another home fetches all of it: judged the same, and byte by byte what lies in the store."""
        centre = self.centre()
        centre.register(*posts[:3])
        centre.store(self.server, self.server.endpoint, "story")
        first = {"again": "taken", "known_quarantine": "quarantined"}
        wanted = {name: first.get(outcome, outcome) for name, outcome in wanted.items()} | {"once more": "again"}
        began = time.monotonic()
        answer = centre.intake("--fetch")
        took = time.monotonic() - began
        self._judged(answer, places, wanted)
        keys, files, size = {post.id: VerifyKey.load(post.key_file) for post in posts}, 0, 0
        for one in answer.said:
            if one["outcome"] in TAKEN:
                folder = Path(one["folder"])
                report = verify_bag(folder, key=keys[one["point"]])
                differing, count, many = self._differing("story", one["source"], folder)
                self.expect(f"{folder.name}: whole ({differing})", report.whole and not differing)
                files, size = files + count, size + many
        self.expect("nothing else is there", len(centre.bags) == 7 and not list(centre.home.bags.rglob("*.part")))
        self.say(f"fetched: {len(centre.bags)} bags, {files} files, {size} bytes in {took:.1f} s, all as in the store")

    def _differing(self, bucket: str, address: str, folder: Path) -> tuple[list[str], int, int]:
        """Files that are not the same there and here, asked past our own code; files and bytes compared."""
        prefix = f"{PREFIX}/{address.removeprefix(f's3://{STORE}/')}/"
        there = {key.removeprefix(prefix) for key in self._keys(bucket, address.removeprefix(f"s3://{STORE}/") + "/")}
        here = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
        wrong, size = sorted(there ^ here), 0
        for path in there & here:
            body = self.client.get_object(Bucket=bucket, Key=prefix + path)["Body"].read()
            size += len(body)
            if hashlib.sha256(body).digest() != hashlib.sha256((folder / path).read_bytes()).digest():
                wrong.append(path)
        return wrong, len(there), size

    def _keys(self, bucket: str, below: str) -> list[str]:
        pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=f"{PREFIX}/{below}")
        return [str(one["Key"]) for page in pages for one in page.get("Contents", ())]

    def short(self) -> None:
        """The same in small: one point, a stranger and an altered object; fetched at once."""
        self.server.make_bucket("short")
        (one, stranger), drive = make_points(self.root, 2, self.piece_bytes), self.root / "drive"
        for post in (one, stranger):
            post.record(DAYS[0], minutes=(0, 1))
        one.record(DAYS[1], minutes=(0, 1))
        bag = one.bag(DAYS[0], drive)
        places = {
            "sent": send(one, bag, self.server, "short", "0001"),
            "once more": send(one, bag, self.server, "short", "0001-again"),
            "ordered, altered": order(one, DAYS[1], (self.server, "short", "0001")),
            "without tag manifest": f"s3://{STORE}/0001-late/{bag.name}",
            "stranger's": send(stranger, stranger.bag(DAYS[0], drive), self.server, "short", "0002"),
        }
        self._alter("short", places["ordered, altered"])
        for path in (MANIFEST, INFO):
            key = f"{PREFIX}/0001-late/{bag.name}/{path}"
            self.client.put_object(Bucket="short", Key=key, Body=(bag / path).read_bytes())
        centre = self.centre()
        centre.register(one)
        line = Line(self.server.port)
        centre.store(self.server, self.server.endpoint, "short", secret="not-the-secret-4712")
        answer = centre.intake()
        self.expect("wrong keys: one clear message", answer.code == 18 and "exam-kit region store-key" in answer.errors)
        centre.store(self.server, line.endpoint, "short")
        line.cut_after(60_000)
        answer = centre.intake("--fetch", patience=SOON)
        outcomes = [one["outcome"] for one in answer.said]
        self.expect(f"a cut line is no bag's fault: {outcomes}", outcomes == ["failed"] and not centre.quarantined)
        line.mend()
        answer = centre.intake("--fetch", patience=SOON)
        line.close()
        wanted = {"sent": "taken", "once more": "again", "ordered, altered": "quarantined"}
        self._judged(answer, places, wanted | {"without tag manifest": "unfinished", "stranger's": "quarantined"})
        (folder,) = centre.bags
        self.expect("fetched as it lies there", self._differing("short", places["sent"], folder)[0] == [])
        self.expect("with its receipt", len(list((centre.home.root / "receipts").rglob("*.receipt.json"))) == 1)


def ordeal(name: str, kills: int, cuts: int, flips: int, piece_bytes: int) -> list[str]:
    """Run all of it on one server; what was promised and not kept."""
    folder = Path(tempfile.mkdtemp(prefix=f"region-{name}-"))
    try:
        (folder / "server").mkdir()
        with SERVERS[name](folder / "server") as server:
            print(f"{name}:", flush=True)

            def say(text: str) -> None:
                print(f"  {text}", flush=True)

            run = Ordeal(server, folder, say, piece_bytes)
            run.story()
            trouble = Trouble(server, folder / "trouble", say, piece_bytes)
            trouble.refusals()
            trouble.cuts(cuts)
            trouble.cuts(cuts, "--fetch")
            trouble.server_killed()
            trouble.server_killed("--fetch")
            trouble.kills(kills)
            trouble.kills(kills, "--fetch")
            trouble.flips(flips)
            trouble.line.close()
    finally:
        assert folder.is_relative_to(tempfile.gettempdir())
        shutil.rmtree(folder, ignore_errors=True)
    broken = run.broken + trouble.broken
    print(f"{name}: broken promises: {len(broken)}", flush=True)
    return broken


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else "")
    parser.add_argument("--server", choices=list(SERVERS), action="append")
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--cuts", type=int, default=20)
    parser.add_argument("--flips", type=int, default=20)
    parser.add_argument("--piece-kb", type=int, default=1000, help="size of a recorded minute")
    options = parser.parse_args()
    broken: list[str] = []
    for name in options.server or ["swift", "radosgw"]:
        reason = SERVERS[name].missing()
        if reason:
            print(f"{name}: not run: {reason}")
            return SKIPPED
        broken += ordeal(name, options.kills, options.cuts, options.flips, options.piece_kb * 1000)
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
