"""`python -m bench.checks`: the check engine beside goss and pytest-testinfra, on the same thirty checks, interleaved.

goss is the Debian package of sid, unpacked aside; testinfra gets an environment of its own. Both are kept in a cache
folder outside the project (`--cache`). Warm: a process that is there already is asked again (goss: `goss serve`, its
cache off). Cold: a whole process. Figures are medians; nothing is asserted.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from bench import generic_probes  # noqa: F401 - registers them
from bench.rivals import goss, testinfra
from bench.thirty import as_goss, as_profile, as_testinfra, thirty
from exam_kit.checks.profile import Profile, read_profile

__all__ = ["main"]

PROCESSES = (["sleep", "3600"], ["tail", "-f", "/dev/null"])


def _environment(cache: Path) -> dict[str, str]:
    """As on a user's machine: compiled modules are kept (outside the project)."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return {**kept, "PYTHONPYCACHEPREFIX": str(cache / "compiled")}


def _written(profile: Profile) -> str:
    checks = [
        {
            "id": check.id,
            "probe": check.probe,
            "args": dict(check.args),
            "expect": check.expect.as_dict(),
            "severity": check.severity.value,
            "timeout_s": check.timeout_s,
            "title": check.title,
            "fix": check.fix,
            "roles": list(check.roles),
        }
        for check in profile.checks
    ]
    return json.dumps({"name": profile.name, "hash": profile.hash, "budget_s": profile.budget_s, "checks": checks})


@contextmanager
def _ports(count: int) -> Iterator[list[int]]:
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _number in range(count)]
        yield [one.getsockname()[1] for one in sockets]


@contextmanager
def _process(argv: list[str], **more: object) -> Iterator[subprocess.Popen[str]]:
    child = subprocess.Popen(argv, text=True, **more)  # type: ignore[call-overload]
    try:
        yield child
    finally:
        child.kill()
        child.wait()


class _Ways:
    """The ways to ask, each a function that must succeed."""

    def __init__(self, folder: Path, cache: Path, stack: ExitStack, *, alone: bool) -> None:
        self._folder, self._environment = folder, _environment(cache)
        # As the stick's launcher starts a check; isolated Python hears of the folder for bytecode by an option only.
        kept = f"pycache_prefix={cache / 'compiled'}"
        self._ours = [sys.executable, "-I", "-S", "-X", kept, str(Path(__file__).with_name("ours.py"))]
        ports = stack.enter_context(_ports(2))
        for argv in PROCESSES:
            stack.enter_context(_process(argv))
        asked = thirty(ports, [argv[0] for argv in PROCESSES])
        assert len(asked) == 30
        (folder / "profile.json").write_text(_written(read_profile(as_profile(asked), "bench")), encoding="utf-8")
        (folder / "goss.json").write_text(as_goss(asked), encoding="utf-8")
        (folder / "test_thirty.py").write_text(as_testinfra(asked), encoding="utf-8")
        self._engine = stack.enter_context(
            _process(
                [*self._ours, str(folder / "profile.json"), "--serve"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                env=self._environment,
            )
        )
        if alone:
            return
        self._goss = str(goss(cache))
        self._testinfra = str(testinfra(cache))
        with socket.create_server(("127.0.0.1", 0)) as free:
            self._address = f"127.0.0.1:{free.getsockname()[1]}"
        stack.enter_context(
            _process(
                [self._goss, "-g", str(folder / "goss.json"), "serve", "--cache", "1ns", "-l", self._address],
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
        )
        self._until_goss_answers()

    def _until_goss_answers(self) -> None:
        for _try in range(100):
            try:
                self.goss_warm()
            except urllib.error.URLError:
                time.sleep(0.05)
            else:
                return
        raise SystemExit("goss serve does not answer")

    def ours_warm(self) -> None:
        assert self._engine.stdin is not None and self._engine.stdout is not None
        self._engine.stdin.write("\n")
        self._engine.stdin.flush()
        for line in self._engine.stdout:
            if line.startswith("verdict"):
                break
            if not line.startswith("ok"):
                raise SystemExit(f"ours: {line}")

    def goss_warm(self) -> None:
        with urllib.request.urlopen(f"http://{self._address}/healthz", timeout=30) as answer:
            answer.read()

    def ours_cold(self) -> None:
        self._run([*self._ours, str(self._folder / "profile.json")], self._environment)

    def goss_cold(self) -> None:
        self._run([self._goss, "-g", str(self._folder / "goss.json"), "validate"])

    def testinfra_cold(self) -> None:
        test = str(self._folder / "test_thirty.py")
        self._run(
            [self._testinfra, "-q", "-p", "no:cacheprovider", "--rootdir", str(self._folder), test], self._environment
        )

    def _run(self, argv: list[str], environment: dict[str, str] | None = None) -> None:
        done = subprocess.run(argv, capture_output=True, text=True, env=environment, check=False)
        if done.returncode:
            raise SystemExit(f"{argv[:3]}: ended with {done.returncode}\n{done.stdout[-2000:]}{done.stderr[-2000:]}")


def _interleaved(ways: dict[str, Callable[[], None]], rounds: int) -> dict[str, list[float]]:
    """Milliseconds of each way, one after another in every round; the first round is not counted."""
    took: dict[str, list[float]] = {name: [] for name in ways}
    for number in range(rounds + 1):
        # The order turns, so that nobody always comes after the same neighbour.
        names = list(ways)[number % len(ways) :] + list(ways)[: number % len(ways)]
        for name in names:
            began = time.perf_counter()
            ways[name]()
            if number:
                took[name].append((time.perf_counter() - began) * 1e3)
    return took


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.checks", description=__doc__)
    parser.add_argument("--rounds", type=int, default=25, help="interleaved rounds (default 25)")
    parser.add_argument(
        "--cache",
        type=Path,
        default=Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "exam-kit-bench",
        help="folder for goss and testinfra, outside the project",
    )
    parser.add_argument("--alone", action="store_true", help="the kit only, without those it is compared with")
    options = parser.parse_args()
    options.cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="bench-checks-") as folder, ExitStack() as stack:
        ways = _Ways(Path(folder), options.cache, stack, alone=options.alone)
        warm_ways = {"ours": ways.ours_warm, "goss serve": ways.goss_warm}
        cold_ways = {"ours": ways.ours_cold, "goss": ways.goss_cold, "testinfra": ways.testinfra_cold}
        if options.alone:
            warm_ways, cold_ways = {"ours": ways.ours_warm}, {"ours": ways.ours_cold}
        warm, cold = _interleaved(warm_ways, options.rounds * 4), _interleaved(cold_ways, options.rounds)
    print(f"30 checks, {platform.python_version()} on {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    for title, took in (("warm", warm), ("cold", cold)):
        for name, times in took.items():
            low, high = statistics.quantiles(times, n=10)[0], statistics.quantiles(times, n=10)[-1]
            print(f"  {title} {name:<11} median {statistics.median(times):7.1f} ms  (p10 {low:.1f}, p90 {high:.1f}, "
                  f"n {len(times)})")  # fmt: skip
    if options.alone:
        return
    for title, ours, other, goal in (
        ("warm: goss serve / ours", warm["ours"], warm["goss serve"], "at least 4"),
        ("cold: ours / goss", cold["goss"], cold["ours"], "at most 1.0"),
        ("cold: testinfra / ours", cold["ours"], cold["testinfra"], "at least 8"),
    ):
        pairs = [two / one for one, two in zip(ours, other, strict=True)]
        ratio = statistics.median(other) / statistics.median(ours)
        print(f"{title:<26} {ratio:6.2f}  (median of pairs {statistics.median(pairs):.2f}; goal: {goal})")


if __name__ == "__main__":
    main()
