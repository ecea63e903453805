"""A copy that is encrypted on its way: a sink around a folder's, and the copy's journal in words that tell nothing.

What is proved by reading back is the ciphertext: its hash is known from writing, or from the journal after a restart.
A sealed name stands for the path and the content at birth, so an acknowledged name says that this very recording lies
there; without the point's secret key nobody can tell which name is which, nor try whether a guessed path is there.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pyrage import x25519

from exam_kit.archive.age_stream import AgeStream
from exam_kit.archive.copy_journal import CopyJournal, Proved
from exam_kit.archive.encrypted import INDEX
from exam_kit.archive.sink import CopyTask, FolderSink, Proof
from exam_kit.store.keys import SigningKey

__all__ = ["EncryptingSink", "SealedJournal", "secret_of"]


def secret_of(key: SigningKey, job: str) -> bytes:
    """What the sealed names of one job are made with: the same after a restart, unknown without the point's key."""
    return hashlib.sha256(key.sign(f"exam-kit sealed names\n{job}\n".encode())).digest()


@dataclass(frozen=True)
class _Sealed:
    bytes: int
    sha256: str
    xxh3: str = ""


class EncryptingSink:
    """Takes plain files by their paths and lays age files with sealed names into `folder`.

    `expect` tells the tasks to come, as a name stands for the content too.
    """

    def __init__(self, folder: FolderSink, recipient: x25519.Recipient, secret: bytes) -> None:
        self.folder, self.root = folder, folder.root
        self._recipient, self._secret = recipient, secret
        self._expected: dict[str, CopyTask] = {}
        self._sealed: dict[str, _Sealed] = {}
        self._stream: AgeStream | None = None
        self._name = ""
        self.accepted: dict[str, str] = {}
        """Path → sealed name of every file that has its name on the carrier in this run."""

    def expect(self, tasks: Iterable[CopyTask]) -> None:
        self._expected.update((task.path, task) for task in tasks)

    def prepare(self, tasks: Iterable[CopyTask]) -> None:
        self.folder.expect_names(self.name(task.path) for task in tasks)

    def name(self, path: str) -> str:
        """The sealed name, relative to the bag."""
        if path == INDEX:
            return INDEX
        task = self._expected.get(path)
        said = f"{path}\n{task.sha256 if task else ''}".encode()
        return f"data/{hmac.new(self._secret, said, hashlib.sha256).hexdigest()[:32]}.age"

    def adopt(self, proved: dict[str, Proved]) -> None:
        """What an earlier run journaled: sealed name → size and hash of the ciphertext."""
        for name, was in proved.items():
            self._sealed.setdefault(name, _Sealed(was.bytes, was.sha256))

    def lies(self, path: str) -> Proved:
        """Size and hash of the ciphertext of a file that was written or adopted."""
        sealed = self._sealed[self.name(path)]
        return Proved(sealed.bytes, sealed.sha256)

    def begin(self, path: str, *, direct: bool = True) -> None:
        self._name = self.name(path)
        self._sealed.pop(self._name, None)
        self.folder.begin(self._name, direct=direct)
        self._stream = AgeStream(self._recipient, self.folder.write)

    def write(self, data: memoryview) -> None:
        self._open().push(data)

    def finish(self) -> None:
        stream = self._open()
        stream.finish()
        self._sealed[self._name] = _Sealed(stream.bytes, stream.sha256, stream.xxh3)
        self._stream = None
        self.folder.finish()

    def abandon(self) -> None:
        if self._stream is not None:
            self._stream.abandon()
            self._stream = None
        self.folder.abandon()

    def settle(self, path: str) -> None:
        self.folder.settle(self.name(path))

    def prove(self, task: CopyTask, stopped: Callable[[], bool] = lambda: False, xxh3: str = "") -> Proof:
        """Read the ciphertext back; `xxh3` is the plain file's and says only that its hash at birth was found right."""
        name = self.name(task.path)
        sealed = self._sealed[name]
        lying = CopyTask(name, task.source, sealed.bytes, sealed.sha256)
        return self.folder.prove(lying, stopped, sealed.xxh3 if xxh3 else "")

    def accept(self, path: str) -> None:
        self.folder.accept(self.name(path))
        self.claim(path)

    def claim(self, path: str) -> None:
        """The file is of the bag, wherever its ciphertext lies."""
        self.accepted[path] = self.name(path)

    def discard(self, path: str) -> None:
        self.accepted.pop(path, None)
        self.folder.discard(self.name(path))

    def part(self, path: str) -> Path:
        return self.folder.part(self.name(path))

    def size(self, path: str) -> int | None:
        """The plain size, when ciphertext of a known hash lies there whole; None otherwise: it is written anew."""
        name, task = self.name(path), self._expected.get(path)
        sealed = self._sealed.get(name)
        if task is None or sealed is None or self.folder.size(name) != sealed.bytes:
            return None
        return task.bytes

    def pulse(self) -> int | None:
        return self.folder.pulse()

    def _open(self) -> AgeStream:
        if self._stream is None:
            raise ValueError("no file is being written")
        return self._stream


class SealedJournal(CopyJournal):
    """The journal of an encrypted copy: it lies open on the carrier, so it has sealed names and ciphertext's hashes."""

    def __init__(self, folder: Path, sink: EncryptingSink) -> None:
        self._sink = sink
        super().__init__(folder)
        sink.adopt(self.proved)

    def acknowledges(self, task: CopyTask) -> bool:
        return self._sink.name(task.path) in self.proved

    def verified(self, path: str, _size: int, _sha256: str, device_bytes: int | None) -> None:
        lies = self._sink.lies(path)
        super().verified(self._sink.name(path), lies.bytes, lies.sha256, device_bytes)

    def discarded(self, path: str, why: str) -> None:
        super().discarded(self._sink.name(path), why)

    def note(self, do: str, **facts: Any) -> None:
        """Numbers only: a job's name tells the point and the day."""
        super().note(do, **{name: fact for name, fact in facts.items() if isinstance(fact, int | None)})
