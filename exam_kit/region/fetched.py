"""A bag's files fetched from where they are no files of a disk, as an object store: one after another, each proved.

What comes is hashed while it is written, and is the manifest's or is not kept. While the next file comes, the last one
is read back from the disk and gets its name. What an earlier attempt left is read back and not fetched again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager

from exam_kit.archive.bag_tree import BagTree
from exam_kit.archive.copy_journal import CopyJournal
from exam_kit.archive.faults import destination_error
from exam_kit.archive.rate import Rate
from exam_kit.archive.result import Progress
from exam_kit.archive.sink import CopyTask, FolderSink
from exam_kit.archive.target import Tally
from exam_kit.clock import Clock
from exam_kit.errors import Message, m

__all__ = ["fetch_files"]

BLOCK = 1 << 20
TRIES = 2
TELL_BYTES = 16 << 20


def fetch_files(
    tree: BagTree,
    tasks: Sequence[tuple[CopyTask, str]],
    sink: FolderSink,
    journal: CopyJournal,
    *,
    clock: Clock,
    failed: Callable[[Message], None],
    progress: Callable[[Progress], None],
    cancelled: Callable[[], bool],
) -> Tally:
    """Bring `tasks`, each with its path as the tree spells it, to the sink. A file that comes otherwise than its hash
    says, or is read back otherwise, is fetched once more; then it has `failed`, and the others go on.

    Raises:
        OSError: the tree does not give a file.
        ArchiveError: the region's own disk failed; everything proved stays.
    """
    fetching = _Fetching(tree, sink, journal, clock, sum(task.bytes for task, _path in tasks), progress, cancelled)
    with ThreadPoolExecutor(1, "region-proving") as prover:
        return fetching.run(tasks, prover, failed)


class _Fetching:
    def __init__(
        self,
        tree: BagTree,
        sink: FolderSink,
        journal: CopyJournal,
        clock: Clock,
        whole_bytes: int,
        progress: Callable[[Progress], None],
        cancelled: Callable[[], bool],
    ) -> None:
        self.tree, self.sink, self.journal = tree, sink, journal
        self._whole_bytes, self._progress, self._cancelled = whole_bytes, progress, cancelled
        self._rate = Rate(clock)
        self._files = self._done_bytes = 0
        self.tally = Tally()

    def run(
        self, tasks: Sequence[tuple[CopyTask, str]], prover: ThreadPoolExecutor, failed: Callable[[Message], None]
    ) -> Tally:
        self._files = len(tasks)
        wanted = [one for one in tasks if not self._lies(one[0])]
        for number in range(TRIES):
            wanted = self._once(wanted, prover)
            if not wanted or self.tally.cancelled:
                break
            if number == TRIES - 1:
                for task, _path in wanted:
                    self.tally.failed += 1
                    failed(
                        m(
                            "{path}: twice it did not arrive as its hash says. Start the intake again; if it stays so, "
                            "have the line and this disk looked at.",
                            path=task.path,
                        )
                    )
        return self.tally

    def _once(self, tasks: Sequence[tuple[CopyTask, str]], prover: ThreadPoolExecutor) -> list[tuple[CopyTask, str]]:
        """Those that did not come as they are; all that were not begun when it was cancelled."""
        wrong: list[tuple[CopyTask, str]] = []
        proving: Future[bool] | None = None
        before: tuple[CopyTask, str] | None = None
        for one in tasks:
            if self.tally.cancelled:
                break
            came = self._came(*one)
            if proving is not None and before is not None and not proving.result():
                wrong.append(before)
            proving, before = None, None
            if came:
                proving, before = prover.submit(self._kept, one[0]), one
            elif not self.tally.cancelled:
                wrong.append(one)
        if proving is not None and before is not None and not proving.result():
            wrong.append(before)
        return wrong

    def _lies(self, task: CopyTask) -> bool:
        """An earlier attempt brought it; one cut off while it was written has another size."""
        if self.tally.cancelled or self._stopped():
            return False
        with self._of_our_disk():
            return self.sink.size(task.path) == task.bytes and self._kept(task)

    def _kept(self, task: CopyTask) -> bool:
        """Read back, then named and noted; or removed."""
        with self._of_our_disk():
            self.sink.settle(task.path)
            proof = self.sink.prove(task)
            self.tally.count(proof)
            if not proof.same:
                self.sink.discard(task.path)
                return False
            self.sink.accept(task.path)
            self.journal.verified(task.path, task.bytes, task.sha256, proof.device_bytes)
        self.tally.verified += 1
        self._done_bytes += task.bytes
        return True

    def _came(self, task: CopyTask, path: str) -> bool:
        digest, size, told = hashlib.sha256(), 0, 0
        with self.tree.open(path) as source:
            with self._of_our_disk():
                self.sink.begin(task.path, direct=False)
            try:
                while block := source.read(BLOCK):
                    digest.update(block)
                    size += len(block)
                    if self._stopped() or size > task.bytes:
                        break
                    with self._of_our_disk():
                        self.sink.write(memoryview(block))
                    self.tally.copied_bytes += len(block)
                    if size - told >= TELL_BYTES:
                        told = size
                        self._tell(task, size)
                if (size, digest.hexdigest()) != (task.bytes, task.sha256):
                    return False
                with self._of_our_disk():
                    self.sink.finish()
            finally:
                self.sink.abandon()
        self._tell(task, 0)
        return True

    def _stopped(self) -> bool:
        self.tally.cancelled = self.tally.cancelled or self._cancelled()
        return self.tally.cancelled

    def _tell(self, task: CopyTask, size: int) -> None:
        rate, done = self._rate.of(self.tally.copied_bytes), self._done_bytes + size
        left = max(self._whole_bytes - done, 0) / rate if rate > 0 else None
        self._progress(
            Progress("copying", self._files, self.tally.verified, self._whole_bytes, done, task.path, rate, left)
        )

    @contextmanager
    def _of_our_disk(self) -> Iterator[None]:
        """The tree's faults are told apart from those of the region's own disk."""
        try:
            yield
        except OSError as problem:
            raise destination_error(problem, self.sink.root, self.tally.verified) from problem
