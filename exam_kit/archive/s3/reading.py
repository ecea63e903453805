"""The reading side: files cut into pieces and hashed, each byte read once; what arrived earlier is left out."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Iterator, Mapping
from typing import BinaryIO

from exam_kit.archive.faults import changed_source, differs_from_birth, unreadable_source
from exam_kit.archive.s3.course import Course, File, Piece
from exam_kit.archive.s3.faults import StoreFault
from exam_kit.archive.s3.uploads import Arrived
from exam_kit.archive.sink import CopyTask

__all__ = ["MOST_PARTS", "Reading"]

MOST_PARTS = 10_000
"""Of one object, by S3's own limits; larger files get larger parts."""


class Reading:
    """`there` is what lies in the bucket at the beginning: key → (bytes, ETag). `data_of` gives what another reader has
    put aside of a file, if it has; it is hashed here as if it came from the disk."""

    def __init__(
        self,
        course: Course,
        there: Mapping[str, tuple[int, str]],
        data_of: Callable[[CopyTask], bytes | None] = lambda _task: None,
    ) -> None:
        self.course = course
        self._there, self._data_of = there, data_of

    def pieces_of(self, task: CopyTask, key: str) -> Iterator[Piece]:
        file = File(task, key)
        lying, known = self._there.get(key), self.course.uploads.arrived(key)
        if lying is not None:
            if known is not None and self._as_proved(task, lying, known):
                with self.course.lock:
                    self.course.tally.carried[task.path] = known
                    self.course.tally.done_bytes += task.bytes
            else:
                yield Piece(file, 0, None)
            return
        part_bytes = max(self.course.wire.store.part_mb << 20, -(-task.bytes // MOST_PARTS))
        data = self._data_of(task)
        if data is not None:
            yield from self._whole(file, io.BytesIO(data))
            return
        try:
            with task.source.open("rb") as source:
                if task.bytes <= part_bytes:
                    yield from self._whole(file, source)
                else:
                    yield from self._in_parts(file, source, part_bytes)
        except OSError as problem:
            self.course.fail(file, unreadable_source(task, problem))

    def _as_proved(self, task: CopyTask, lying: tuple[int, str], known: Arrived) -> bool:
        """The object is the one that was proved, as far as asked for now."""
        same = (known.bytes, known.sha256) == (task.bytes, task.sha256) and known.lies(*lying)
        return same and known.retained_until == self.course.until_text

    def _whole(self, file: File, source: BinaryIO) -> Iterator[Piece]:
        data = source.read(file.task.bytes + 1)
        sha256 = hashlib.sha256(data).hexdigest()
        if len(data) != file.task.bytes:
            self.course.fail(file, changed_source(file.task))
        elif sha256 != file.task.sha256:
            self.course.fail(file, differs_from_birth(file.task))
        else:
            yield Piece(file, 0, data, sha256)

    def _in_parts(self, file: File, source: BinaryIO, part_bytes: int) -> Iterator[Piece]:
        task = file.task
        part_bytes = self._begin(file, part_bytes)
        had, whole = dict(file.parts), hashlib.sha256()
        size = 0
        for number in range(1, -(-task.bytes // part_bytes) + 1):
            data = source.read(part_bytes)
            size += len(data)
            whole.update(data)
            sha256 = hashlib.sha256(data).hexdigest()
            part = had.get(number)
            if part is not None and (part.sha256, part.bytes) != (sha256, len(data)):
                break  # not the bytes that were sent before: the file changed, the hash of the whole will say so
            if part is None:
                with self.course.lock:
                    file.open += 1
                yield Piece(file, number, data, sha256)
            else:
                with self.course.lock:
                    self.course.tally.done_bytes += len(data)
        if size != task.bytes or source.read(1):
            self.course.fail(file, changed_source(task))
        elif whole.hexdigest() != task.sha256:
            self.course.fail(file, differs_from_birth(task))
        yield Piece(file, -1, None)

    def _begin(self, file: File, part_bytes: int) -> int:
        """Take an earlier upload up, or begin one; the size of its parts."""
        task, begun = file.task, self.course.uploads.begun(file.key, file.task.bytes, file.task.sha256)
        try:
            if begun is not None:
                file.upload_id = begun[0]
                lying = self._lying_parts(file)
                known = self.course.uploads.parts(file.key)
                file.parts = {n: part for n, part in known.items() if lying.get(n) == (part.etag, part.bytes)}
                return begun[1]
        except StoreFault as fault:
            if fault.kind != "no_upload":
                raise
        answer = self.course.call(
            "create_multipart_upload", Key=file.key, ChecksumAlgorithm="SHA256", **self.course.retention()
        )
        file.upload_id = answer["UploadId"]
        self.course.uploads.begin(file.key, task.bytes, task.sha256, file.upload_id, part_bytes)
        return part_bytes

    def _lying_parts(self, file: File) -> dict[int, tuple[str, int]]:
        found: dict[int, tuple[str, int]] = {}
        marker = 0
        while True:
            answer = self.course.call("list_parts", Key=file.key, UploadId=file.upload_id, PartNumberMarker=marker)
            for part in answer.get("Parts", ()):
                found[int(part["PartNumber"])] = (str(part["ETag"]), int(part["Size"]))
            following = int(answer.get("NextPartNumberMarker") or 0)
            if not answer.get("IsTruncated") or following <= marker:
                return found
            marker = following
