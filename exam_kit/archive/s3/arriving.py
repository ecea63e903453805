"""The far side: pieces put into the store, objects made of them once only, and proved."""

from __future__ import annotations

import hashlib
from base64 import b64encode
from typing import Any

from exam_kit.archive.s3.course import Course, File, Piece
from exam_kit.archive.s3.faults import PASSING, StoreFault, occupied
from exam_kit.archive.s3.proof import Lying, composite, in_base64, look, prove
from exam_kit.archive.s3.uploads import Arrived, Part
from exam_kit.archive.sink import CopyTask
from exam_kit.errors import Message, m

__all__ = ["Arriving"]


class Arriving:
    """Used by all sending threads."""

    def __init__(self, course: Course) -> None:
        self.course = course
        self._conditional: dict[str, str] = {"IfNoneMatch": "*"}

    def take(self, piece: Piece) -> None:
        file = piece.file
        if piece.number > 0:
            self._part(file, piece)
        if piece.number != 0:
            with self.course.lock:
                file.open -= 1
                last = file.open == 0
            if last:
                self._complete(file)
        elif piece.data is None:
            self._judge(file, self._known_composite(file), mine=False)
            with self.course.lock:
                self.course.tally.done_bytes += file.task.bytes
        else:
            self._object(file, piece)

    def _part(self, file: File, piece: Piece) -> None:
        answer = self.course.call(
            "upload_part", Key=file.key, UploadId=file.upload_id, PartNumber=piece.number, **_body(piece)
        )
        assert piece.data is not None
        part = Part(piece.number, piece.sha256, str(answer["ETag"]), len(piece.data))
        self.course.uploads.part(file.key, part)
        with self.course.lock:
            file.parts[part.number] = part
            self.course.tally.sent_bytes += part.bytes
            self.course.tally.done_bytes += part.bytes

    def _object(self, file: File, piece: Piece) -> None:
        mine = self._once_only("put_object", Key=file.key, **_body(piece), **self.course.retention())
        with self.course.lock:
            self.course.tally.sent_bytes += file.task.bytes
            self.course.tally.done_bytes += file.task.bytes
        self._judge(file, "", mine=mine)

    def _complete(self, file: File) -> None:
        if file.given_up:
            self._give_up(file)
            return
        parts = [file.parts[number] for number in sorted(file.parts)]
        expected = composite([part.sha256 for part in parts])
        mine = False
        if look(self.course.wire, file.key, self.course.stopped) is None:
            listed = [
                {"PartNumber": part.number, "ETag": part.etag, "ChecksumSHA256": in_base64(part.sha256)}
                for part in parts
            ]
            try:
                mine = self._once_only(
                    "complete_multipart_upload",
                    Key=file.key, UploadId=file.upload_id, MultipartUpload={"Parts": listed},
                )  # fmt: skip
            except StoreFault as fault:
                if fault.kind == "parts":  # the store lost or changed one: all of them again, next time
                    self._give_up(file)
                if fault.kind != "no_upload":
                    raise
        self._judge(file, expected, mine=mine)

    def _once_only(self, operation: str, **arguments: Any) -> bool:
        """Make the object where there is none; False when one lies there (perhaps ours: an answer can be lost)."""
        try:
            self.course.call(operation, **arguments, **self._conditional)
        except StoreFault as fault:
            if fault.kind == "exists":
                return False
            if fault.kind != "unknown_to_store" or not self._conditional:
                raise
            self._conditional = {}  # the store knows no conditions; that nothing lay there was looked up before
            self.course.call(operation, **arguments)
        return True

    def _judge(self, file: File, parts_sha256: str, *, mine: bool) -> None:
        """Prove what lies there now. Other bytes than the file's are removed when we just put them there."""
        task, lying = file.task, look(self.course.wire, file.key, self.course.stopped)
        if lying is None:
            self.course.uploads.forget(file.key)
            self.course.fail(file, self._lost(task))
            return
        course = self.course
        shown = prove(course.wire, lying, task.bytes, task.sha256, parts_sha256, course.trust, course.stopped)
        if not shown.same:
            if mine:
                self.course.call("delete_object", Key=file.key)
            self._give_up(file)
            self.course.fail(file, self._lost(task) if mine else occupied(self.course.wire.store.name, task.path))
            return
        if not self._retained(lying) and not self._retain(file.key):
            self._give_up(file)
            course.fail(
                file,
                m(
                    "{file}: is in {store}, but not under the retention asked for. Run exam-kit store probe {store}.",
                    file=task.path,
                    store=course.wire.store.name,
                ),
            )
            return
        until = self.course.until_text
        arrived = Arrived(task.bytes, task.sha256, lying.etag, parts_sha256, shown.how, until)
        if not mine:
            self._give_up(file)
        self.course.uploads.arrive(file.key, arrived)
        with self.course.lock:
            self.course.tally.proved[task.path] = shown

    def _known_composite(self, file: File) -> str:
        """Of an object that was made by a run which was killed before it could note so."""
        if self.course.uploads.begun(file.key, file.task.bytes, file.task.sha256) is None:
            return ""  # parts of another file under this name
        parts = self.course.uploads.parts(file.key)
        if sum(part.bytes for part in parts.values()) != file.task.bytes:
            return ""
        return composite([parts[number].sha256 for number in sorted(parts)])

    def _retained(self, lying: Lying) -> bool:
        if self.course.until is None:
            return True
        held = lying.retained_until
        return lying.lock_mode == self.course.wire.store.retention and held is not None and held >= self.course.until

    def _retain(self, key: str) -> bool:
        """Ask once more: radosgw 16.2 takes a retention with an object, and forgets the one given with an upload in
        parts. The object was proved before, so nothing bad is locked in."""
        course = self.course
        retention = {"Mode": course.wire.store.retention.upper(), "RetainUntilDate": course.until}
        try:
            course.call("put_object_retention", Key=key, Retention=retention)
        except StoreFault as fault:
            if fault.kind in PASSING:
                raise
            return False
        lying = look(course.wire, key, course.stopped)
        return lying is not None and self._retained(lying)

    def _give_up(self, file: File) -> None:
        """Leave no parts behind; an upload that is gone already is as good."""
        begun = file.upload_id or (self.course.uploads.begun(file.key, file.task.bytes, file.task.sha256) or ("", 0))[0]
        if begun:
            try:
                self.course.call("abort_multipart_upload", Key=file.key, UploadId=begun)
            except StoreFault as fault:
                if fault.kind not in ("no_upload", "missing"):
                    raise
        self.course.uploads.forget(file.key)

    def _lost(self, task: CopyTask) -> Message:
        return m(
            "{file}: {store} answered that it has the file and holds other bytes, or none. Start again to send it "
            "anew; if this happens once more, do not trust the store.",
            file=task.path,
            store=self.course.wire.store.name,
        )


def _body(piece: Piece) -> dict[str, Any]:
    assert piece.data is not None
    md5 = hashlib.md5(piece.data, usedforsecurity=False).digest()
    return {
        "Body": piece.data,
        "ContentLength": len(piece.data),
        "ContentMD5": b64encode(md5).decode(),
        "ChecksumSHA256": in_base64(piece.sha256),
    }
