"""What does this store enforce? Asked by doing the wrong thing on purpose, in a folder of its own in the bucket.

A store's documents do not tell: of two in wide use one refuses a wrong SHA-256 and silently ignores object lock, the
other holds the lock and ignores the SHA-256.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import io
import os
from base64 import b64encode
from collections.abc import Callable
from typing import Any

from exam_kit.archive.s3.faults import StoreFault, fault_of, problems
from exam_kit.archive.s3.probe_record import Answer, ProbeReport, place_of
from exam_kit.archive.s3.proof import composite, in_base64
from exam_kit.archive.s3.wire import Keys, Wire
from exam_kit.clock import Clock, iso
from exam_kit.home import Home
from exam_kit.point import ObjectStore

__all__ = ["LOCK_S", "probe_store"]

PART_BYTES = 5 << 20
"""The least that S3 allows for any part but the last."""
LOCK_S = 120
"""Retention given to the object that tries the lock; the next probe after it removes that object."""
FOLDER = ".exam-kit-probe"


def probe_store(store: ObjectStore, keys: Keys, home: Home, clock: Clock) -> ProbeReport:
    """Ask the store every question; takes seconds and about 20 MB of traffic.

    Raises:
        StoreFault: the store cannot be reached, or the keys, the bucket or the clock do not fit.
    """
    at = clock.now()
    return ProbeReport(store.name, place_of(store), iso(at), store.retention, _Probe(store, keys, home, at).ask())


class _Probe:
    def __init__(self, store: ObjectStore, keys: Keys, home: Home, at: dt.datetime) -> None:
        self.store, self.at = store, at
        self.wire = Wire(store, keys, home)
        self.flipping = Wire(store, keys, home)
        self.stranger = Wire(store, Keys(keys.access, keys.secret[::-1] + "x"), home)
        for operation in ("PutObject", "UploadPart"):
            self.flipping.before_sending(operation, _flip)
        self.folder = store.key_of(f"{FOLDER}/{at:%Y%m%d-%H%M%S}-{os.urandom(4).hex()}")
        self.answers: dict[str, Answer] = {}

    def ask(self) -> dict[str, Answer]:
        self._sweep(self.store.key_of(FOLDER) + "/")
        self._round_trip()
        self._refused("refuses_wrong_keys", lambda: self.stranger.once("list_objects_v2", MaxKeys=1))
        self._objects()
        self._names()
        self._parts()
        self._lock()
        self._sweep(self.folder + "/")
        return self.answers

    def _say(self, question: str, yes: bool, detail: str = "") -> bool:
        self.answers[question] = Answer("yes" if yes else "no", detail)
        return yes

    def _refused(self, question: str, attempt: Callable[[], object], key: str = "") -> None:
        """Yes, when the attempt is refused and what lies under `key` is what was there before."""
        was = self._content(key) if key else None
        try:
            attempt()
        except StoreFault as fault:
            if fault.kind in ("network", "tls", "busy"):
                self.answers[question] = Answer("unknown", fault.code)
                return
            self._say(question, not key or self._content(key) == was, fault.code)
        else:
            self._say(question, False, "200")

    def _content(self, key: str, **version: str) -> bytes | None:
        try:
            return bytes(self.wire.once("get_object", Key=key, **version)["Body"].read())
        except StoreFault as fault:
            if fault.kind == "missing":
                return None
            raise
        except problems() as problem:  # the line broke while the body was read
            store = self.store
            raise fault_of(problem, store=store.name, endpoint=store.endpoint, bucket=store.bucket) from None

    def _put(self, key: str, body: bytes, **more: Any) -> dict[str, Any]:
        return self.wire.once("put_object", Key=key, Body=body, **more)

    def _round_trip(self) -> None:
        key, body = f"{self.folder}/round-trip", os.urandom(70_000)
        self.wire.call("put_object", Key=key, Body=body, ContentMD5=_md5(body), ChecksumSHA256=_sha256(body))
        self._say("round_trip", self._content(key) == body)
        head = self.wire.call("head_object", Key=key, ChecksumMode="ENABLED")
        self._say("keeps_sha256", head.get("ChecksumSHA256") == _sha256(body))

    def _objects(self) -> None:
        key, body, other = f"{self.folder}/object", os.urandom(5_000), os.urandom(5_000)
        self._put(key, body)
        self._refused("refuses_flipped_body", lambda: self.flipping.once("put_object", Key=key, Body=other), key)
        self._refused("refuses_wrong_md5", lambda: self._put(key, other, ContentMD5=_md5(body)), key)
        self._refused("refuses_wrong_sha256", lambda: self._put(key, other, ChecksumSHA256=_sha256(body)), key)
        self._refused("conditional_put", lambda: self._put(key, other, IfNoneMatch="*"), key)

    def _names(self) -> None:
        key, body = f"{self.folder}/проверка/Журнал № 1 + ёж%25.txt", os.urandom(100)
        try:
            self._put(key, body)
            listed = self.wire.call("list_objects_v2", Prefix=f"{self.folder}/проверка/").get("Contents", ())
        except StoreFault as fault:
            self._say("cyrillic_keys", False, fault.code)
            return
        self._say("cyrillic_keys", [one["Key"] for one in listed] == [key] and self._content(key) == body)

    def _parts(self) -> None:
        key, bodies = f"{self.folder}/parts", [os.urandom(PART_BYTES), os.urandom(1_000)]
        try:
            upload = self.wire.once("create_multipart_upload", Key=key, ChecksumAlgorithm="SHA256")["UploadId"]
            for number, body in enumerate(bodies, 1):
                self._part(self.wire, key, upload, number, body, ContentMD5=_md5(body), ChecksumSHA256=_sha256(body))
            self._wrong_parts(key)
            parts = self._list_parts(key, upload)
            open_ones = self.wire.once("list_multipart_uploads", Prefix=key).get("Uploads", ())
            listed = [(part["PartNumber"], part["Size"]) for part in parts] == [
                (number, len(body)) for number, body in enumerate(bodies, 1)
            ] and upload in [one["UploadId"] for one in open_ones]
            self._complete(key, upload, parts, bodies)
            self._say("multipart", listed and self._content(key) == b"".join(bodies))
            head = self.wire.call("head_object", Key=key, ChecksumMode="ENABLED")
            expected = composite([hashlib.sha256(body).hexdigest() for body in bodies])
            self._say("keeps_parts_sha256", head.get("ChecksumSHA256") == expected)
            upload, other = self.wire.once("create_multipart_upload", Key=key)["UploadId"], os.urandom(1_000)
            self._part(self.wire, key, upload, 1, other)
            parts = self._list_parts(key, upload)
            self._refused(
                "conditional_complete",
                lambda: self._complete(key, upload, parts, [other], IfNoneMatch="*"),
                key,
            )
        except StoreFault as fault:
            for question in ("multipart", "refuses_flipped_part"):
                self.answers.setdefault(question, Answer("no", fault.code))

    def _wrong_parts(self, key: str) -> None:
        """In an upload of their own: one that was taken would have to be named when the object is made."""
        upload = self.wire.once("create_multipart_upload", Key=key, ChecksumAlgorithm="SHA256")["UploadId"]
        body = os.urandom(1_000)
        self._refused("refuses_flipped_part", lambda: self._part(self.flipping, key, upload, 1, body))
        wrong = _sha256(b"other bytes")
        self._refused(
            "refuses_wrong_part_sha256", lambda: self._part(self.wire, key, upload, 1, body, ChecksumSHA256=wrong)
        )
        self.wire.once("abort_multipart_upload", Key=key, UploadId=upload)

    def _part(self, wire: Wire, key: str, upload: str, number: int, body: bytes, **more: str) -> object:
        return wire.once("upload_part", Key=key, UploadId=upload, PartNumber=number, Body=body, **more)

    def _list_parts(self, key: str, upload: str) -> list[dict[str, Any]]:
        return list(self.wire.once("list_parts", Key=key, UploadId=upload).get("Parts", ()))

    def _complete(
        self, key: str, upload: str, parts: list[dict[str, Any]], bodies: list[bytes], **condition: str
    ) -> object:
        named = [
            {"PartNumber": part["PartNumber"], "ETag": part["ETag"], **_known_sha256(part, body)}
            for part, body in zip(parts, bodies, strict=False)
        ]
        return self.wire.once(
            "complete_multipart_upload", Key=key, UploadId=upload, MultipartUpload={"Parts": named}, **condition
        )

    def _lock(self) -> None:
        """Give an object COMPLIANCE for two minutes, then try everything that must fail."""
        key, body = f"{self.folder}/locked", os.urandom(1_000)
        until = self.at.replace(microsecond=0) + dt.timedelta(seconds=LOCK_S)
        lock = {"ObjectLockMode": "COMPLIANCE", "ObjectLockRetainUntilDate": until}
        try:
            version = self._put(key, body, ContentMD5=_md5(body), **lock).get("VersionId")
        except StoreFault as fault:
            for question in ("lock_kept", "lock_holds"):
                self._say(question, False, fault.code)
            return
        head = self.wire.call("head_object", Key=key)
        self._say(
            "lock_kept", head.get("ObjectLockMode") == "COMPLIANCE" and head.get("ObjectLockRetainUntilDate") == until
        )
        this = {"VersionId": version} if version and version != "null" else {}
        sooner = {"Mode": "COMPLIANCE", "RetainUntilDate": until - dt.timedelta(seconds=LOCK_S - 30)}
        attempts: dict[str, dict[str, Any]] = {
            "delete_object": {**this, "BypassGovernanceRetention": True},
            "put_object_retention": {**this, "Retention": sooner, "BypassGovernanceRetention": True},
            "put_object": {"Body": b"overwritten"},
        }
        done = []
        for operation, arguments in attempts.items():
            try:
                self.wire.once(operation, Key=key, **arguments)
            except StoreFault:
                continue
            if operation != "put_object":  # another version on top of a kept one is no loss
                done.append(operation)
        kept = self._content(key, **this) == body
        self._say("lock_holds", kept and not done, ", ".join(done) if kept else ", ".join([*done, "content lost"]))

    def _sweep(self, prefix: str) -> None:
        """Remove what probes left; what is still under retention stays until the next time."""
        for one in self.wire.call("list_multipart_uploads", Prefix=prefix).get("Uploads", ()):
            self._try("abort_multipart_upload", Key=one["Key"], UploadId=one["UploadId"])
        try:
            answer = self.wire.once("list_object_versions", Prefix=prefix)
        except StoreFault:
            answer = {}
        for one in (*answer.get("Versions", ()), *answer.get("DeleteMarkers", ())):
            self._try("delete_object", Key=one["Key"], VersionId=one["VersionId"])
        for one in self.wire.call("list_objects_v2", Prefix=prefix).get("Contents", ()):
            if not answer.get("Versions"):
                self._try("delete_object", Key=one["Key"])

    def _try(self, operation: str, **arguments: Any) -> None:
        try:
            self.wire.once(operation, **arguments)
        except StoreFault:
            return  # under retention, or gone meanwhile


def _flip(request: Any, **_rest: Any) -> None:
    """One bit of the body, after it was signed."""
    body = bytearray(request.body.read())
    body[len(body) // 2] ^= 1
    request.body = io.BytesIO(body)


def _md5(body: bytes) -> str:
    return b64encode(hashlib.md5(body, usedforsecurity=False).digest()).decode()


def _sha256(body: bytes) -> str:
    return in_base64(hashlib.sha256(body).hexdigest())


def _known_sha256(part: dict[str, Any], body: bytes) -> dict[str, str]:
    """A store that keeps the parts' checksums wants them named again."""
    return {"ChecksumSHA256": _sha256(body)} if part.get("ChecksumSHA256") else {}
