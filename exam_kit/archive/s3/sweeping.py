"""Uploads in parts that nobody remembers, ended."""

from __future__ import annotations

from collections.abc import Iterator

from exam_kit.archive.s3.course import Course
from exam_kit.archive.s3.faults import StoreFault

__all__ = ["sweep_uploads"]


def sweep_uploads(course: Course, prefix: str) -> None:
    """End uploads under the bag's prefix that nobody remembers: begun in the moment of a kill, or before a reinstall.

    The bag's prefix is ours alone, and the lock says that nobody else here is sending into it.
    """
    known = course.uploads.upload_ids()
    try:
        begun = list(_begun(course, prefix))  # all of them first: a list that is changed while it is read skips some
    except StoreFault as fault:
        if fault.kind != "unknown_to_store":
            raise
        return
    for key, upload_id in begun:
        if key.startswith(prefix) and upload_id not in known:
            try:
                course.call("abort_multipart_upload", Key=key, UploadId=upload_id)
            except StoreFault as fault:
                if fault.kind not in ("no_upload", "missing"):
                    raise


def _begun(course: Course, prefix: str) -> Iterator[tuple[str, str]]:
    """Key and id of every open upload; a store tells at most a thousand at once."""
    more: dict[str, str] = {}
    while True:
        answer = course.call("list_multipart_uploads", Prefix=prefix, **more)
        for one in answer.get("Uploads", ()):
            yield str(one["Key"]), str(one["UploadId"])
        following = {
            "KeyMarker": str(answer.get("NextKeyMarker") or ""),
            "UploadIdMarker": str(answer.get("NextUploadIdMarker") or ""),
        }
        if not answer.get("IsTruncated") or not following["KeyMarker"] or following == more:
            return
        more = following
