"""What happens on the way from a store to the region; for `tests.e2e.ordeal_region_s3`, counted.

The line is cut at random places, the server is killed in the middle, the intake is killed (SIGKILL), bits are turned
over on their way here, keys are wrong.
"""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from exam_kit.archive.s3 import Patience
from exam_kit.archive.verify import verify_bag
from exam_kit.store.keys import VerifyKey
from tests.region_site import DAYS
from tests.s3.centre import PREFIX, Answer, Centre, make_points, order
from tests.s3.line import Line
from tests.s3.servers import Server

__all__ = ["SOON", "Proof", "Trouble"]

SOON = Patience((0.05, 0.1))
WITHIN_S = 120.0
PATIENCE_S = 45.0
"""A server that is back within so much is waited for: the waits between tries are a minute, give or take a fifth."""


class Proof:
    """Every part adds to `broken` what was promised and not kept. `piece_bytes` is the size of a recorded minute."""

    def __init__(self, server: Server, root: Path, say: Callable[[str], None], piece_bytes: int, seed: int = 1) -> None:
        self.server, self.root, self.say, self.piece_bytes = server, root, say, piece_bytes
        self.chance = random.Random(seed)
        self.broken: list[str] = []
        self.client = server.client()
        self._centres = 0

    def expect(self, promise: str, kept: bool) -> None:
        if not kept:
            self.broken.append(promise)
            self.say(f"BROKEN: {promise}")

    def centre(self) -> Centre:
        self._centres += 1
        return Centre(self.root / f"region{self._centres}")


class Trouble(Proof):
    """Two days of one point in a bucket of their own."""

    def __init__(self, server: Server, root: Path, say: Callable[[str], None], piece_bytes: int, seed: int = 1) -> None:
        super().__init__(server, root, say, piece_bytes, seed)
        self.server.make_bucket("trouble")
        (self.post,) = make_points(self.root / "trouble", 1, self.piece_bytes)
        for day in DAYS:
            self.post.record(day)
            order(self.post, day, (self.server, "trouble", "0001"))
        self.key = VerifyKey.load(self.post.key_file)
        self.line = Line(self.server.port)
        self.bytes = sum(
            int(one["Size"]) for one in self.client.list_objects_v2(Bucket="trouble", Prefix=PREFIX)["Contents"]
        )

    def fresh(self) -> Centre:
        centre = self.centre()
        centre.register(self.post)
        centre.store(self.server, self.line.endpoint, "trouble")
        return centre

    def half_taken(self, centre: Centre) -> int:
        """What has a bag's name and is not whole."""
        wrong = 0
        for folder in centre.bags:
            if not folder.name.endswith(".elsewhere"):
                wrong += not verify_bag(folder, key=self.key).whole
        return wrong

    def cuts(self, count: int, *words: str) -> None:
        """The line is cut at a random place of the intake, and mended; the next intake goes on."""
        failed, half, aside, again = 0, 0, 0, 0
        for _number in range(count):
            centre = self.fresh()
            self.line.cut_after(self.chance.randrange(self.bytes))
            before = len(self.line.gets)
            answer = centre.intake(*words, patience=SOON)
            had = self._recordings(before)
            failed += "failed" in _outcomes(answer) or answer.code == 18
            half += self.half_taken(centre)
            aside += len(centre.quarantined)
            texts = _reasons(answer)
            self.expect(f"one message: {texts}", len(texts) == 1 and "does not answer" in next(iter(texts)))
            self.line.mend()
            before = len(self.line.gets)
            answer = centre.intake(*words, patience=SOON)
            outcomes = sorted(_outcomes(answer))
            self.expect(f"taken once the line is mended: {outcomes}", outcomes in (["taken"] * 2, ["again", "taken"]))
            again = max(again, len(had & self._recordings(before)))
        self.say(
            f"line cut{_how(words)}: {count}; told as failed: {failed}; half taken: {half}; in quarantine: {aside}"
            + (f"; recordings fetched again per cut: at most {again}" if words else "")
        )
        self.expect("a cut line puts nothing into quarantine and leaves nothing half taken", not half and not aside)
        self.expect("every cut was told", failed == count)
        self.expect("at most two recordings are fetched again", not words or again <= 2)

    def server_killed(self, *words: str) -> None:
        """The server's process is killed in the middle and started again: the same intake goes on, or the next when the
        server was away for longer than it is waited for."""
        centre = self.fresh()
        self.line.rate_bps, self.line.slow_answers = self.bytes // 4, True
        killed, back, away = threading.Event(), threading.Event(), list[float]()

        def kill() -> None:
            goal, until = self.line.read_bytes + self.bytes // 3, time.monotonic() + WITHIN_S
            while self.line.read_bytes < goal and time.monotonic() < until:
                time.sleep(0.005)
            self.server.stop_front()
            killed.set()
            began = time.monotonic()
            self.server.start_front()
            away.append(time.monotonic() - began)
            self.line.port_behind = self.server.port
            self.client = self.server.client()
            back.set()
            threading.Event().wait()  # a server that is to die with whoever started it dies with the thread

        threading.Thread(target=kill, daemon=True).start()
        answer = centre.intake(*words)
        in_the_middle = killed.is_set()
        back.wait(WITHIN_S)
        self.line.rate_bps = 0
        outcomes = _outcomes(answer)
        said = f"server killed in the middle{_how(words)} and back after {away[0]:.1f} s: {outcomes} {_reasons(answer)}"
        if away[0] > PATIENCE_S:
            outcomes = _outcomes(centre.intake(*words))
            said += f"; it was away for too long, the next intake: {outcomes}"
        self.say(said)
        self.expect("the intake goes on after the server", in_the_middle and set(outcomes) <= {"taken", "again"})
        self.expect(
            "nothing is half taken, nothing in quarantine", not self.half_taken(centre) and not centre.quarantined
        )
        self.expect("both bags are the region's", len(centre.bags) == 2)

    def kills(self, count: int, *words: str) -> None:
        """The intake is killed (SIGKILL) at random moments and started again."""
        killed, half, again, rounds = 0, 0, list[int](), 0
        while killed < count:
            centre, had, code = self.fresh(), set[str](), -9
            rounds += 1
            while code == -9:
                before = len(self.line.gets)
                child = centre.start_intake(*words)
                if killed < count:
                    self._strike(child, before)
                code = child.wait()
                now = self._recordings(before)
                if had:
                    again.append(len(had & now))
                had |= now
                killed += code == -9
                half += self.half_taken(centre)
            states = [row["state"] for row in centre("status", "--json").said["days"]]
            self.expect(f"everything is taken in the end ({code}, {states})",
                        code == 0 and states == ["delivered"] * 2 and not centre.quarantined)  # fmt: skip
        self.say(
            f"intake killed{_how(words)}: {killed} (rounds {rounds}); half taken: {half}"
            + (f"; recordings fetched again per kill: {again}" if words else "")
        )
        self.expect("nothing half taken has a bag's name", not half)
        self.expect("at most one recording is fetched again for a kill", not words or max(again, default=0) <= 1)

    def _strike(self, child: Any, before: int) -> None:
        goal, until = self.chance.randint(1, 12), time.monotonic() + WITHIN_S
        while len(self._recordings(before)) < goal and child.poll() is None and time.monotonic() < until:
            time.sleep(0.002)
        time.sleep(self.chance.uniform(0, 0.1))
        child.kill()

    def _recordings(self, since: int) -> set[str]:
        return {target.partition("?")[0] for target in self.line.gets[since:] if ".mp4" in target}

    def flips(self, count: int) -> None:
        """Bits turned over on their way here: not accepted, fetched once more."""
        taken, outcomes = 0, Counter[str]()
        while self.line.answers_flipped < count:
            centre = self.fresh()
            self.line.flip_answer(self.chance.randrange(self.bytes >> 16))
            answer = centre.intake("--fetch")
            self.line.leave_answers()
            taken += self.half_taken(centre)
            outcomes.update(_outcomes(answer))
        self.say(f"bits turned over on their way here: {count}; taken: {taken}; bags: {dict(outcomes)}")
        self.expect(
            "no flipped bit is taken, and none makes a bag an altered one", not taken and set(outcomes) == {"taken"}
        )

    def refusals(self) -> None:
        """Wrong keys, no bucket, nobody there: one message, with the region's own way out, and nothing is noted."""
        secret = "not-the-secret-4712"
        for name, access, given, bucket, words in (
            ("another secret key", "", secret, "trouble", "exam-kit region store-key points"),
            ("an unknown access key", "nobody", secret, "trouble", "exam-kit region store-key points"),
            ("no such bucket", "", "", "nowhere", "region.toml"),
        ):
            centre = self.fresh()
            centre.store(self.server, self.server.endpoint, bucket, access, given)
            answer = centre.intake(patience=SOON)
            lines = answer.errors.strip().splitlines()
            self.say(f"{name}: exit code {answer.code}: {lines}")
            self.expect(f"{name}: one clear message", answer.code == 18 and len(lines) == 1 and words in lines[0])
            self.expect(f"{name}: no key is shown", given == "" or given not in answer.errors)
            self.expect(f"{name}: nothing is noted", not centre.bags and not centre.quarantined)


def _outcomes(answer: Answer) -> list[str]:
    return [one["outcome"] for one in answer.said or ()]


def _reasons(answer: Answer) -> set[str]:
    """What was said of each bag that failed, or of all."""
    return {one["reason"] for one in answer.said or () if one["reason"]} or {answer.errors.strip()} - {""}


def _how(words: tuple[str, ...]) -> str:
    return f" ({' '.join(words).strip('-')})" if words else " (in place)"
