"""One bucket over S3: every request signed over its body, tried again while the fault may pass.

boto3 takes a third of a second to load, so it is loaded with the first request. Its own retries are off: it would send
a body again that our count knows nothing of. Checksums of its own choice are off too (`when_required`), and a body is
sent only with its SHA-256 in the signature: an unsigned body with no checksum was stored with a flipped byte and
answered with 200.
"""

from __future__ import annotations

import hashlib
import random
import re
import threading
import time
from base64 import b64encode
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from exam_kit.archive.s3.faults import PASSING, StoreFault, fault_of, no_keys, problems
from exam_kit.errors import ArchiveError, m
from exam_kit.home import Home
from exam_kit.point import ObjectStore, Point, Secrets

__all__ = ["Cancelled", "Keys", "Patience", "Wire", "keys_of", "wires_of"]

_DIGEST = re.compile(r"^[0-9a-f]{64}$")
_MAKING = threading.Lock()  # clients are used by several threads and made by one at a time
BLOCK = 1 << 20
RANGE = 64 << 20
"""Bytes asked for at once when an object is read back."""


class Cancelled(Exception):
    """Whoever asked does not want it any more; nothing is wrong."""


@dataclass(frozen=True)
class Keys:
    """Never printed: not by `repr`, not in a traceback's words."""

    access: str = field(repr=False)
    secret: str = field(repr=False)


@dataclass(frozen=True)
class Patience:
    """How long one request is tried: waits between tries in seconds (±20 %), and the timeouts of one try."""

    waits_s: tuple[float, ...] = (0.5, 1, 2, 4, 8, 15, 30)
    connect_s: float = 10
    read_s: float = 60


def keys_of(store: ObjectStore, secrets: Secrets, *, region: bool = False) -> Keys:
    """The store's keys; `region` when it is one of region.toml's.

    Raises:
        StoreFault: none were given yet.
        AccessDenied: the file that keeps them cannot be read.
    """
    access, secret = (secrets.get(name) for name in store.secret_names)
    if not access or not secret:
        raise no_keys(store.name, region=region)
    return Keys(access, secret)


def wires_of(point: Point, home: Home, secrets: Secrets) -> Callable[[str], Wire]:
    """The line to each store of point.toml, by name.

    What is returned raises ArchiveError: there is no such store, or it has no keys yet.
    """

    def wire(name: str) -> Wire:
        try:
            store = point.object_store(name)
        except KeyError:
            raise ArchiveError(
                m("{store}: there is no such store. Name it in point.toml under [[store]].", store=name)
            ) from None
        return Wire(store, keys_of(store, secrets), home)

    return wire


class Wire:
    """The store's bucket. May be used by several threads at once."""

    def __init__(
        self, store: ObjectStore, keys: Keys, home: Home | None = None, patience: Patience | None = None
    ) -> None:
        self.store = store
        self.patience = patience or Patience()
        self._keys = keys
        self._ca = None if store.ca is None else str((home.root if home else Path()) / store.ca)
        self._region = home is not None and home.region_file.exists()
        self._made: Any = None
        self._answered = False

    def call(self, operation: str, *, stopped: Callable[[], bool] = lambda: False, **arguments: Any) -> dict[str, Any]:
        """One request to the bucket, tried again while its fault may pass.

        Raises:
            StoreFault: it did not pass, or the store refuses.
            Cancelled: `stopped` said so while waiting for the next try.
        """
        for wait_s in (*self.patience.waits_s, None):
            try:
                return self.once(operation, **arguments)
            except StoreFault as fault:
                if wait_s is None or not self._may_pass(fault):
                    raise
            self.wait(wait_s, stopped)
        raise AssertionError("the last try returns or raises")

    def once(self, operation: str, **arguments: Any) -> dict[str, Any]:
        """One request, one try. Raises StoreFault."""
        try:
            answer: dict[str, Any] = getattr(self._client(), operation)(Bucket=self.store.bucket, **arguments)
        except problems() as problem:
            raise self._fault(problem) from None
        self._answered = True
        return answer

    def read(
        self, key: str, size: int, etag: str, stopped: Callable[[], bool] = lambda: False, start: int = 0
    ) -> Iterator[bytes]:
        """The object from byte `start` on, by ranges; a broken line goes on where it broke.

        Raises:
            StoreFault: as `call`; kind ``exists`` when the object is not the one with `etag` any more.
            Cancelled: as `call`.
        """
        at, waits = start, iter(self.patience.waits_s)
        while at < size:
            until = min(at + RANGE, size)
            before = at
            try:
                body = self.once("get_object", Key=key, Range=f"bytes={at}-{until - 1}", IfMatch=etag)["Body"]
                for block in _blocks(body):
                    if stopped():
                        raise Cancelled
                    at += len(block)
                    yield block
                if at < until:
                    raise ConnectionError("the answer ended early")
            except (StoreFault, *problems()) as problem:  # type: ignore[misc]  # a tuple joined of exception classes
                fault = problem if isinstance(problem, StoreFault) else self._fault(problem)
                waits = iter(self.patience.waits_s) if at > before else waits
                wait_s = next(waits, None)
                if wait_s is None or not self._may_pass(fault):
                    raise fault from None
                self.wait(wait_s, stopped)

    def listing(self, prefix: str, stopped: Callable[[], bool] = lambda: False) -> Iterator[tuple[str, int, str]]:
        """Key, size in bytes and ETag of every object under `prefix`. Raises as `call`."""
        more: dict[str, str] = {}
        while True:
            answer = self.call("list_objects_v2", stopped=stopped, Prefix=prefix, **more)
            for one in answer.get("Contents", ()):
                yield str(one["Key"]), int(one["Size"]), str(one.get("ETag", ""))
            following = answer.get("NextContinuationToken")
            if not answer.get("IsTruncated") or not following:
                return
            more = {"ContinuationToken": str(following)}

    def wait(self, wait_s: float, stopped: Callable[[], bool]) -> None:
        """Wait ±20 %, so that many points do not come back at once; Cancelled when stopped meanwhile."""
        until = time.monotonic() + wait_s * random.uniform(0.8, 1.2)  # noqa: S311 - spreads load, keeps no secret
        while (left := until - time.monotonic()) > 0:
            if stopped():
                raise Cancelled
            time.sleep(min(left, 0.1))

    def before_sending(self, operation: str, change: Callable[..., None]) -> None:
        """Let `change` see each prepared request of this kind (S3's own word, as PutObject) just before it leaves."""
        self._client().meta.events.register(f"before-send.s3.{operation}", change)

    def _may_pass(self, fault: StoreFault) -> bool:
        """A signature that fits no more, where others fitted, is a request changed on its way."""
        return fault.kind in PASSING or (fault.kind == "signature" and self._answered)

    def _fault(self, problem: Exception) -> StoreFault:
        store = self.store
        return fault_of(problem, store=store.name, endpoint=store.endpoint, bucket=store.bucket, region=self._region)

    def _client(self) -> Any:
        with _MAKING:
            if self._made is None:
                self._made = self._make()
            return self._made

    def _make(self) -> Any:
        from botocore.config import Config

        store, patience = self.store, self.patience
        client = _session().client(
            "s3",
            region_name=store.region,
            aws_access_key_id=self._keys.access,
            aws_secret_access_key=self._keys.secret,
            endpoint_url=store.endpoint,
            verify=self._ca if self._ca is not None else True,
            config=Config(
                signature_version="s3v4",
                s3={"addressing_style": store.addressing, "payload_signing_enabled": True},
                request_checksum_calculation="when_required",
                response_checksum_validation="when_required",
                retries={"total_max_attempts": 1},
                connect_timeout=patience.connect_s,
                read_timeout=patience.read_s,
                max_pool_connections=store.threads + 4,
                tcp_keepalive=True,
            ),
        )
        for operation in ("PutObject", "UploadPart"):
            client.meta.events.register(f"before-send.s3.{operation}", _signed_body_only)
        client.meta.events.register("before-sign.s3.PutObjectRetention", _with_md5)
        return client


@cache
def _session() -> Any:
    """One for all stores: it holds S3's description, which takes long to read, and no keys."""
    from boto3.session import Session

    return Session()


def _with_md5(request: Any, **_rest: Any) -> None:
    """Older stores want it with this request, and boto3 gives a checksum that they do not know."""
    body = request.body if isinstance(request.body, bytes) else request.body.encode()
    request.headers["Content-MD5"] = b64encode(hashlib.md5(body, usedforsecurity=False).digest()).decode()


def _signed_body_only(request: Any, **_rest: Any) -> None:
    """The last look before a body leaves: its own SHA-256 is part of the signature."""
    said = request.headers.get("X-Amz-Content-SHA256", b"")
    if not _DIGEST.match(said.decode() if isinstance(said, bytes) else said):
        raise ValueError("a body was about to be sent that the signature does not cover")


def _blocks(body: Any) -> Iterator[bytes]:
    with body:
        while block := body.read(BLOCK):
            yield block
