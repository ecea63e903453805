"""A bag sent to a real object store, through everything that can happen on the way; counted.

``python -m tests.e2e.ordeal_s3 [--server radosgw|swift] [--kills 20] [--flips 20]``

The upload, of a sealed bag and of an archive straight into the store, is killed (SIGKILL) at random moments and started
again; single bits are turned over on the line; objects
under retention are attacked with every right the keys give; the bag is verified where it lies. Ends with 1 when a
promise is broken, with 77 when the store cannot be started here.
"""

from __future__ import annotations

import argparse
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from tests.e2e.ordeal_s3_direct import direct_kills
from tests.s3.line import Line, part_of
from tests.s3.servers import SERVERS, Server
from tests.s3.world import STORE, World, make_world

SKIPPED = 77
THREADS = 4
RATE_BPS = 40_000_000
NEWS_S = 120.0


class Ordeal:
    """Every part adds to `broken` what was promised and not kept."""

    def __init__(self, server: Server, world: World, say: Callable[[str], None]) -> None:
        self.server, self.world, self.say = server, world, say
        self.broken: list[str] = []
        self.facts: dict[str, Any] = {"server": server.name}

    def expect(self, promise: str, kept: bool) -> None:
        if not kept:
            self.broken.append(promise)
            self.say(f"BROKEN: {promise}")

    def probe(self) -> Any:
        """What the store enforces, in a bucket with object lock where it has that."""
        self.server.make_bucket("probed", lock=True)
        self.world.store(self.server, self.server.endpoint, "probed")
        code, report, said = self.world.run("store", "probe", STORE)
        self.expect(f"the probe finds the store fit ({said})", code == 0)
        self.say("probe: " + ", ".join(f"{name}={one['answer']}" for name, one in report["answers"].items()))
        self.facts["probe"] = report["answers"]
        return report

    def kills(self, count: int) -> None:
        """Killed at random moments; how many parts a run had to send that an earlier one had begun."""
        line = Line(self.server.port, RATE_BPS)
        again: list[int] = []
        rounds = 0
        while len(again) < count:
            rounds += 1
            bucket = f"killed-{rounds}"
            self.server.make_bucket(bucket)
            self.world.store(self.server, line.endpoint, bucket)
            again += self._killed(line, count - len(again), bucket)
        line.close()
        self.facts |= {"kills": len(again), "sent_again_max": max(again, default=0), "sent_again": sum(again)}
        self.say(f"kills: {len(again)}; parts sent again per kill: {again}, at most {max(again, default=0)}")
        self.expect(f"at most {THREADS} parts are sent again per kill", max(again, default=0) <= THREADS)

    def _killed(self, line: Line, most: int, bucket: str) -> list[int]:
        """For each kill, how many of the parts begun before it the next run began once more."""
        begun: set[str] = set()
        again: list[int] = []
        killed, done = 0, False
        while not done:
            before = len(line.puts)
            child = self.world.start("send", str(self.world.bag), STORE)
            if killed < most:
                self._strike(child, line, before + random.randint(1, 6))
            _out, said = child.communicate()
            done = child.returncode != -signal.SIGKILL
            fresh = [part_of(put) for put in line.puts[before:]]
            if killed:
                again.append(len(begun.intersection(fresh)))
            if len(fresh) > len(set(fresh)):  # not for a kill's sake: a try that failed, and the next
                tries = [(part, put.status) for part, put in zip(fresh, line.puts[before:], strict=True)]
                self.say(f"tried again within one run: {[one for one in tries if fresh.count(one[0]) > 1]}")
            begun.update(fresh)
            killed += not done
        self.expect(f"the upload ends well after the kills ({said})", child.returncode == 0)
        self._whole(bucket)
        sent = [put for put in line.puts if f"/{bucket}/" in put.target]
        self.expect("the tag manifest is the last that is sent", sent[-1].target.endswith("tagmanifest-sha256.txt"))
        return again

    def _strike(self, child: subprocess.Popen[str], line: Line, goal: int) -> None:
        deadline = time.monotonic() + NEWS_S
        while len(line.puts) < goal and child.poll() is None and time.monotonic() < deadline:
            time.sleep(0.002)
        time.sleep(random.uniform(0, 0.1))
        child.kill()

    def _whole(self, bucket: str) -> None:
        wrong = self.world.differing(self.server, bucket)
        self.expect(f"every object is the file it was ({wrong[:3]})", not wrong)
        left = self.server.client().list_multipart_uploads(Bucket=bucket).get("Uploads", [])
        self.expect("no upload is left open", not left)

    def flips(self, count: int) -> None:
        """Single bits turned over in bodies on their way."""
        self.server.make_bucket("flipped")
        line = Line(self.server.port)
        self.world.store(self.server, line.endpoint, "flipped")
        at = 0
        for _number in range(count):
            line.flip_next(at)
            at += random.randint(1, 3)
        code, result, said = self.world.run("send", str(self.world.bag), STORE)
        line.close()
        flipped = [put for put in line.puts if put.flipped]
        taken = [put for put in flipped if 200 <= put.status < 300]
        self.expect(f"the upload ends well though bits flip ({said})", code == 0 and result["state"] == "finished")
        self.expect("a flipped body is never taken", not taken)
        self.expect(f"{count} bits were flipped", len(flipped) == count)
        self._whole("flipped")
        self.facts |= {"flips": len(flipped), "flips_taken": len(taken)}
        answers = sorted({put.status for put in flipped})
        self.say(f"flips: {len(flipped)}; taken: {len(taken)}; the store's answers: {answers}")

    def verify(self, report: Any) -> None:
        """Where it lies; without reading what the store vouches for, where the probe says it can be believed."""
        self.server.make_bucket("verified", lock=report["trust"]["lock"])
        retention = "compliance" if report["trust"]["lock"] else "none"
        self.world.store(self.server, self.server.endpoint, "verified", retention=retention)
        code, report, _said = self.world.run("store", "probe", STORE)
        self.expect("the probe stands for this bucket", code == 0)
        code, sent, said = self.world.run("send", str(self.world.bag), STORE)
        self.expect(f"sent ({said})", code == 0)
        code, found, said = self.world.run("verify", f"s3://{STORE}/{self.world.bag.name}")
        self.expect(f"verified where it lies ({said})", code == 0 and found["outcome"] == "whole")
        proofs = found["proofs"]
        if report["trust"]["sha256"]:
            self.expect("nothing is read that the store vouches for", proofs["downloaded"] == 0)
        self.facts |= {"sent_proofs": sent["proofs"], "verified_proofs": proofs, "verified_files": found["files"]}
        self.say(
            f"verified: {found['files']} files, {found['bytes']} bytes; {proofs}; read {found['read_bytes']} bytes"
        )
        if retention != "none":
            self._attack(sent["retained_until"])
        else:
            self.say("object lock: does not hold here, as the probe says; 'retention' is refused:")
            self.world.store(self.server, self.server.endpoint, "verified", retention="compliance")
            code, _answer, said = self.world.run("send", str(self.world.bag), STORE)
            self.say(f"  exit code {code}: {said.strip().splitlines()[-1]}")
            self.expect("a retention nobody holds is refused", code == 18)
            self.world.store(self.server, self.server.endpoint, "verified")
        self._damage()

    def _attack(self, until: str) -> None:
        """Delete every version of every object, with the keys that made them."""
        client, gone = self.server.client(), 0
        versions = client.list_object_versions(Bucket="verified", Prefix=self.world.key("")).get("Versions", ())
        for one in versions:
            try:
                client.delete_object(
                    Bucket="verified", Key=one["Key"], VersionId=one["VersionId"], BypassGovernanceRetention=True
                )
                gone += 1
            except ClientError:
                continue
        self.facts |= {"locked_objects": len(versions), "locked_lost": gone}
        self.say(f"object lock: {len(versions)} objects until {until}; deleted in spite of it: {gone}")
        self.expect("what is under retention stays", bool(versions) and not gone)

    def _damage(self) -> None:
        """Another object in a recording's place, of the same size: the verification must name it."""
        path = next(path for path in self.world.files() if path.endswith(".mp4"))
        size = self.world.files()[path][0]
        self.server.client().put_object(Bucket="verified", Key=self.world.key(path), Body=random.randbytes(size))
        code, found, _said = self.world.run("verify", f"s3://{STORE}/{self.world.bag.name}")
        named = [one["path"] for one in found["findings"]]
        self.say(f"a recording replaced in the store: exit code {code}, named: {named}")
        self.expect("a replaced recording is named", code == 20 and path in named)
        code, _found, said = self.world.run("send", str(self.world.bag), STORE)
        self.expect("another object under the name is not overwritten", code == 18 and path in said)


def ordeal(name: str, kills: int, flips: int, *, pieces: int = 4, size: int = 23_000_000) -> list[str]:
    """Run all of it; what was promised and not kept."""
    folder = Path(tempfile.mkdtemp(prefix=f"s3-{name}-"))
    try:
        (folder / "server").mkdir()
        began = time.monotonic()
        with SERVERS[name](folder / "server") as server:
            print(f"{name}: started in {time.monotonic() - began:.1f} s")
            run = Ordeal(
                server, make_world(folder, pieces=pieces, size=size), lambda text: print(f"  {text}", flush=True)
            )
            report = run.probe()
            run.kills(kills)
            run.flips(flips)
            run.verify(report)
            run.broken += direct_kills(server, folder, kills, run.say, pieces=pieces, size=size)
    finally:
        assert folder.is_relative_to(tempfile.gettempdir())
        shutil.rmtree(folder, ignore_errors=True)
    print(f"{name}: broken promises: {len(run.broken)}", flush=True)
    return run.broken


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else "")
    parser.add_argument("--server", choices=list(SERVERS), action="append")
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--flips", type=int, default=20)
    options = parser.parse_args()
    broken: list[str] = []
    for name in options.server or list(SERVERS):
        reason = SERVERS[name].missing()
        if reason:
            print(f"{name}: not run: {reason}")
            return SKIPPED
        broken += ordeal(name, options.kills, options.flips)
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
