"""A recorded day that is archived in a process of its own, and what of it is true afterwards.

`Day.attempt` is one run of `run_archive` in a forked process with the real store, ledger and home; it can be stopped,
killed or have something done to it at a chosen moment of the copy. `Day.judge` compares what was acknowledged
(rows, the copy's journal, the ledger) and what bears its final name with the recordings as they were at birth.
"""

from __future__ import annotations

import hashlib
import json
import mmap
import os
import shutil
import signal
import sys
import threading
import time
import traceback
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from exam_kit.archive import verify_bag
from exam_kit.archive.job import run_archive
from exam_kit.archive.selection import Asked
from exam_kit.clock import SystemClock
from exam_kit.errors import ExamKitError
from exam_kit.home import Home
from exam_kit.point import load_point
from exam_kit.store import Ledger, Store, open_store
from lab.copy import journaled
from tests.archive_day import BORDERS, DAY, KEEP, papers, record
from tests.conftest import POINT_TOML

__all__ = ["Attempt", "Day", "Moment", "Outcome", "Truth"]

LIMIT_S = 120.0
"""A run that takes longer hangs."""
SAID_BYTES = 1 << 16


@dataclass(frozen=True)
class Moment:
    """In the copying process, as it opens a file for the `number`-th time for that reason, `act` is called.

    `kind`: ``begin`` (a copy is begun), ``prove`` (a copy is opened to be read back), ``source`` (a recording is
    opened). `late_s`: so much later, while the copy goes on.
    """

    kind: str
    number: int
    act: Callable[[Path], None]
    late_s: float = 0.0


@dataclass(frozen=True)
class Outcome:
    """How one run ended: ``finished``, ``cancelled``, ``said`` (an error with a message), ``unclear`` (any other
    exception), ``killed`` or ``hung``."""

    kind: str
    text: str = ""
    files: int = 0
    failed: tuple[str, ...] = ()
    copies: tuple[str, ...] = ()
    """For each destination its state, or why it failed."""
    began: tuple[Path, ...] = ()
    """The copies that were begun, by their final paths."""
    proved: tuple[Path, ...] = ()
    """The copies that were opened to be read back."""
    acted: bool = False
    took_s: float = 0.0


@dataclass
class Truth:
    """What was found: `acknowledged` files looked for, those of them lost or wrong, and accepted files that differ."""

    acknowledged: int = 0
    lost: list[str] = field(default_factory=list)
    differ: list[str] = field(default_factory=list)
    verified: set[str] = field(default_factory=set)

    @property
    def wrong(self) -> list[str]:
        return [f"acknowledged and lost: {name}" for name in self.lost] + [
            f"accepted and differs: {name}" for name in self.differ
        ]


class Day:
    """A home with closed recordings of one day under `folder`."""

    def __init__(self, folder: Path, *, encrypted: bool = False) -> None:
        self.folder, self.encrypted = folder, encrypted
        self.home = Home.at(folder / "home")
        self.truth: dict[str, tuple[int, str]] = {}

    @classmethod
    def made(cls, folder: Path, *, cameras: Sequence[str] = ("ENTR-1",), count: int, size: int, seed: int = 1) -> Day:
        """Recordings of `size` bytes and a few more each."""
        day = cls(folder)
        store = open_store(day.home)
        day.home.point_file.write_text(POINT_TOML, encoding="utf-8")
        if count:
            record(store, Ledger(store, day.home), day.home, cameras=cameras, count=count, size=size, seed=seed)
        store.close()
        day.learn()
        return day

    def learn(self) -> None:
        """Take what the rows say of the recordings for the truth."""
        store = Store(self.home.store, read_only=True)
        rows = store.query("SELECT path, bytes, sha256 FROM segment")
        store.close()
        self.truth = {Path(row["path"]).name: (row["bytes"], row["sha256"]) for row in rows}

    def again(self, folder: Path) -> Day:
        """The same day in another home; its recordings are the same files."""
        shutil.copytree(self.home.root, folder / "home", copy_function=_linked)
        day = Day(folder)
        day.truth = self.truth
        return day

    def source(self, name: str) -> Path:
        return next(self.home.footage.rglob(name))

    def unfinished(self, destinations: Sequence[Path]) -> list[Path]:
        """Those without a finished bag."""
        store = Store(self.home.store, read_only=True)
        done = {row["destination"] for row in store.query("SELECT destination FROM archive_job WHERE state='finished'")}
        store.close()
        return [place for place in destinations if str(place.resolve()) not in done]

    def attempt(self, *destinations: Path, moment: Moment | None = None, limit_s: float = LIMIT_S) -> Outcome:
        """One run to its end."""
        return Attempt(self, destinations, moment).end(limit_s)

    def warm_up(self, destination: Path) -> None:
        """One run in this process, so that whatever is imported on the way is there in every process forked later."""
        facts = _archive(self, [destination], held=False)
        assert facts["kind"] == "finished", facts

    def judge(self, *destinations: Path) -> Truth:
        """Everything acknowledged is looked for on its destination, everything with a final name is compared."""
        truth = Truth()
        store = Store(self.home.store, read_only=True)
        rows = store.query(
            "SELECT f.path, j.bag FROM archive_file f JOIN archive_job j ON j.id = f.job WHERE f.state = 'verified'"
        )
        bags = {Path(row["bag"]) for row in store.query("SELECT bag FROM archive_job")}
        finished = [e.body["bag"] for e in Ledger(store, self.home).entries(prefix="archive.finished")]
        store.close()
        promised = {(_standing(Path(row["bag"])), row["path"]) for row in rows}
        for bag in bags:
            promised |= {(_standing(bag), path) for path in journaled(_standing(bag))}
        for root, path in sorted(promised):
            name = Path(path).name
            truth.acknowledged += 1
            truth.verified.add(name)
            if _sha256(root / path, part=True) != self.truth[name][1]:
                truth.lost.append(f"{root.name}/{path}")
        for folder in destinations:
            for path in sorted(folder.rglob("*.mp4")):
                if path.name in self.truth and _sha256(path) != self.truth[path.name][1]:
                    truth.differ.append(str(path.relative_to(folder)))
        for bag in bags:
            if bag.name in finished and not verify_bag(bag).whole:
                truth.lost.append(f"the finished bag {bag.name} does not verify")
        return truth


class Attempt:
    """A run of `run_archive` in a process of its own, from the moment it is made. `pid` is its process."""

    def __init__(
        self, day: Day, destinations: Sequence[Path], moment: Moment | None = None, *, held: bool = False
    ) -> None:
        """`held`: it stops itself (SIGSTOP) right before the archive is run."""
        self._said = mmap.mmap(-1, SAID_BYTES)
        self._notes = day.folder / "notes.txt"
        self._notes.write_bytes(b"")
        self._began = time.monotonic()
        self._status: int | None = None
        sys.stdout.flush()
        self.pid = os.fork()
        if not self.pid:
            _child(self._said, day, destinations, moment, self._notes, held)

    def running(self) -> bool:
        if self._status is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self._status = status
        return self._status is None

    def kill(self) -> None:
        if self.running():
            os.kill(self.pid, signal.SIGKILL)

    def end(self, limit_s: float = LIMIT_S) -> Outcome:
        """Wait for it; one that hangs is killed."""
        hung = False
        try:
            while self.running():
                if not hung and time.monotonic() - self._began > limit_s:
                    hung = True
                    os.kill(self.pid, signal.SIGKILL)
                time.sleep(0.002)
        finally:
            self.kill()  # who ends the ordeal leaves nobody behind
        notes = [line.split(" ", 1) for line in self._notes.read_text().splitlines()]
        began = tuple(Path(path) for kind, path in notes if kind == "begin")
        proved = tuple(Path(path) for kind, path in notes if kind == "prove")
        text = self._said[:].rstrip(b"\0").decode(errors="replace")
        took_s = time.monotonic() - self._began
        facts: dict[str, Any] = json.loads(text) if text else {"kind": "killed"}
        self._said.close()
        if hung:
            facts = {"kind": "hung", "text": f"not done after {limit_s:.0f} s"}
        facts |= {name: tuple(facts.get(name, ())) for name in ("failed", "copies")}
        return Outcome(**facts, began=began, proved=proved, acted=any(n[0] == "acted" for n in notes), took_s=took_s)


def _child(
    said: mmap.mmap, day: Day, destinations: Sequence[Path], moment: Moment | None, notes: Path, held: bool
) -> None:
    """Never returns."""
    try:
        for name in (signal.SIGTERM, signal.SIGINT):
            signal.signal(name, signal.SIG_DFL)
        _listen(notes, day, moment)
        facts = _archive(day, destinations, held)
        # Memory, not a pipe: nothing that is done to system calls may touch what the run says of itself.
        os.getpgid(0)  # marks the end of the run for who traces it
        text = json.dumps(facts).encode()[: SAID_BYTES - 1]
        said[: len(text)] = text
    except BaseException:  # noqa: BLE001 - this process has nobody above it
        traceback.print_exc()
    finally:
        os._exit(0)


def _archive(day: Day, destinations: Sequence[Path], held: bool) -> dict[str, Any]:
    home, clock = day.home, SystemClock()
    try:
        store = open_store(home)
        ledger, point = Ledger(store, home, clock), load_point(home.point_file)
        if held:
            os.kill(os.getpid(), signal.SIGSTOP)
        result = run_archive(
            store=store,
            ledger=ledger,
            home=home,
            point=point,
            day=DAY,
            asked=Asked(tuple(BORDERS), encrypted=day.encrypted),
            destinations=destinations,
            actor="tech",
            ordered_by="head",
            documents=papers,
            progress=lambda _progress: None,
            cancelled=lambda: False,
            clock=clock,
            keep=KEEP,
        )
    except ExamKitError as problem:
        return {"kind": "said", "text": problem.text("en"), "failed": [str(detail) for detail in problem.details]}
    except Exception as problem:  # noqa: BLE001 - counted: whoever archives would see a crash
        last = traceback.extract_tb(problem.__traceback__)[-1]
        return {"kind": "unclear", "text": f"{problem!r} at {Path(last.filename).name}:{last.lineno}"}
    return {
        "kind": result.state,
        "files": result.files,
        "failed": [str(failed.message) for failed in result.failed],
        "copies": [str(copy.error.message) if copy.error else copy.state for copy in result.copies],
    }


def _listen(notes: Path, day: Day, moment: Moment | None) -> None:
    """Note what the copy opens, and act at the moment; `open` is audited before it is done."""
    fd = os.open(notes, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    seen: Counter[str] = Counter()
    lock, busy = threading.Lock(), threading.local()

    def act(path: Path) -> None:
        assert moment is not None
        busy.now = True
        if moment.late_s:
            time.sleep(moment.late_s)
        moment.act(path)
        os.write(fd, b"acted now\n")

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        if event != "open" or getattr(busy, "now", False):
            return
        if not isinstance(arguments[0], str | bytes | os.PathLike):
            return
        path = Path(os.fsdecode(arguments[0]))
        if not path.name:
            return
        final = path.with_name(path.name.removesuffix(".part"))
        if final.name not in day.truth:
            return
        flags = int(arguments[2] or 0)
        if path.is_relative_to(day.home.footage):
            kind = "source"
        elif flags & os.O_CREAT:
            kind = "begin"
        elif flags & os.O_DIRECT:
            kind = "prove"
        else:
            return  # opened to be synced
        with lock:
            seen[kind] += 1
            due = moment is not None and moment.kind == kind and moment.number == seen[kind]
            os.write(fd, f"{kind} {final}\n".encode())
        if due and moment is not None:
            if moment.late_s:
                threading.Thread(target=act, args=(path,), daemon=True).start()
            else:
                act(path)
                busy.now = False

    sys.addaudithook(hook)


def _standing(bag: Path) -> Path:
    return bag if bag.exists() else bag.with_name(bag.name + ".part")


def _sha256(path: Path, *, part: bool = False) -> str:
    """The file's hash; a word when it cannot be read. `part`: a file may still bear the name of an unproved copy."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except FileNotFoundError:
        unproved = path.with_name(path.name + ".part")
        return _sha256(unproved) if part and unproved.exists() else "missing"
    except OSError as problem:
        return f"unreadable: {problem.strerror}"


def _linked(source: str, target: str) -> None:
    """Recordings are linked, all else is copied."""
    if source.endswith(".mp4"):
        os.link(source, target)
    else:
        shutil.copy2(source, target)
