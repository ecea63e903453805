"""Files on their way to a store: one thread reads and hashes, several send, complete and prove.

What is hashed are the very bytes that are sent: a part is read once into memory, goes into the SHA-256 of the whole
file, gets a SHA-256 and an MD5 of its own, and leaves under a signature over it. An object that is sent in parts comes
into being only after the whole file's hash was that of its birth.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterable, Mapping

from exam_kit.archive.s3.arriving import Arriving
from exam_kit.archive.s3.course import Course, Piece, Tally
from exam_kit.archive.s3.reading import Reading
from exam_kit.archive.s3.wire import Cancelled
from exam_kit.archive.sink import CopyTask

__all__ = ["send_files"]

WAIT_S = 0.1


def send_files(
    course: Course,
    tasks: Iterable[tuple[CopyTask, str]],
    there: Mapping[str, tuple[int, str]],
    paused: Callable[[], bool],
    beat: Callable[[Tally], None],
    data_of: Callable[[CopyTask], bytes | None] = lambda _task: None,
) -> None:
    """Bring every file under its key, proved; what arrived earlier is not sent again. The tally is the course's.

    `tasks` is gone through in this thread, and may wait. `there` is what lies in the bucket now: key → (bytes, ETag).
    `beat` is called in this thread several times a second. `data_of` is as `Reading` takes it.

    Raises, once no thread of it is left:
        StoreFault: the store or the line failed; what arrived stays.
        ArchiveError: the state of the uploads cannot be kept.
        Whatever `tasks` or `beat` raised.
    """
    _Sending(course, Reading(course, there, data_of), beat).run(tasks, paused)


class _Sending:
    def __init__(self, course: Course, reading: Reading, beat: Callable[[Tally], None]) -> None:
        self.course = course
        self._reading, self._arriving = reading, Arriving(course)
        self._beat = beat
        self._pieces: queue.Queue[Piece | None] = queue.Queue(maxsize=1)

    def run(self, tasks: Iterable[tuple[CopyTask, str]], paused: Callable[[], bool]) -> None:
        course = self.course
        senders = [
            threading.Thread(target=self._work, name=f"s3-{n}", daemon=True) for n in range(course.wire.store.threads)
        ]
        for sender in senders:
            sender.start()
        try:
            for task, key in tasks:
                for piece in self._reading.pieces_of(task, key):
                    while paused() and not course.stopped():
                        threading.Event().wait(WAIT_S)
                        self._told()
                    if not self._put(piece):
                        break
                if course.stopped():
                    break
        except Cancelled:
            pass  # stopped while the reading side waited for the store; what stopped it is told below
        except Exception as problem:  # noqa: BLE001 - raised below, once no sender is left
            course.broken = course.broken or problem
        finally:
            for _sender in senders:
                self._put(None)
            for sender in senders:
                while sender.is_alive():
                    sender.join(WAIT_S)
                    self._told()
        if course.broken is not None:
            raise course.broken

    def _told(self) -> None:
        """Whoever follows may fail as well, as when the database refuses; that ends the run like a sender's fault."""
        try:
            self._beat(self.course.tally)
        except Exception as problem:  # noqa: BLE001 - raised when no sender is left
            self.course.broken = self.course.broken or problem

    def _put(self, piece: Piece | None) -> bool:
        """Hand over, unless the run has ended meanwhile; the end itself is always handed over."""
        while piece is None or not self.course.stopped():
            try:
                self._pieces.put(piece, timeout=WAIT_S)
            except queue.Full:
                self._told()
            else:
                return True
        return False

    def _work(self) -> None:
        while (piece := self._pieces.get()) is not None:
            if self.course.stopped():
                continue
            try:
                self._arriving.take(piece)
            except Cancelled:
                continue
            except Exception as problem:  # noqa: BLE001 - carried to the thread that waits, which raises it
                self.course.broken = self.course.broken or problem
