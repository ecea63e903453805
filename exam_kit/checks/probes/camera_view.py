"""Is the view approved, was it walked through, is the caption there, is the camera's own clock right?"""

from __future__ import annotations

import http.client
import time
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

import numpy as np
from numpy.typing import NDArray

from exam_kit.checks.at import At
from exam_kit.checks.model import Fact, Reason
from exam_kit.checks.probes.camera import one, seen, standing
from exam_kit.checks.registry import probe
from exam_kit.checks.site import NoFact
from exam_kit.i18n import N_

ONVIF_REASONS = {"timeout": Reason.TIMEOUT, "unauthorised": Reason.DENIED}
EDGE = 40
"""A step of brightness between neighbouring points that letters have and walls have not, of 255."""


@probe(
    "camera.view",
    per="camera",
    readings={
        "approved": ("", N_("has an approved view")),
        "age": ("d", N_("age")),
        "standing": ("", N_("approved picture")),
    },
)
def view(at: At) -> Fact:
    """Whether a person approved this camera's view, and whether that picture still stands.

    `standing` is a `ReferenceState`: good, missing, old (by the profile's `reference_days`) or altered (the file is not
    the one whose SHA-256 is in the ledger).
    """
    state, reference = standing(at)
    if reference is None:
        return Fact({"approved": False, "age": None, "standing": str(state)}, {"ledger": "no entry"})
    age = (at.context.clock.now() - reference.at).total_seconds() / 86400
    return Fact(
        {"approved": True, "age": max(round(age, 1), 0.0), "standing": str(state)},
        {"sha256": reference.sha256, "by": reference.actor, "size": [reference.width, reference.height]},
    )


@probe(
    "camera.walked",
    per="camera",
    readings={"walked": ("", N_("somebody seen in the walk test")), "age": ("d", N_("age"))},
)
def walked(at: At) -> Fact:
    """Whether this camera saw somebody in its last walk test; without one it is not known that the picture lives."""
    from exam_kit.cctv.walk import walked_cameras

    last = at.once("walk tests", lambda: walked_cameras(at.context.store)).get(one(at).id)
    if last is None:
        raise NoFact(Reason.ERROR, said="no walk test of this camera was finished")
    ended, moved = last
    age = (at.context.clock.now() - ended).total_seconds() / 86400
    return Fact({"walked": moved, "age": max(round(age, 1), 0.0)}, {"ended": ended.isoformat()})


@probe("camera.caption", lane="waiting", per="camera", readings={"detail": ("%", N_("sharp edges where it stands"))})
def caption(at: At, *, regions: list[list[float]]) -> Fact:
    """Whether something as sharp as letters stands where the caption belongs: the share of sharp edges, per cent.

    `regions` are parts of the picture, (left, top, right, bottom) from 0 to 1; the best of them counts. That the
    caption says what it should is for a person to see.
    """
    from exam_kit.cctv.still import grey  # loads OpenCV

    facts = seen(at)
    picture = grey(facts.jpeg or b"")
    if picture is None:
        raise NoFact(Reason.ERROR, said="no picture came")
    if not regions or any(len(region) != 4 for region in regions):
        raise NoFact(Reason.ERROR, said="a region is [left, top, right, bottom]")
    found = [round(_detail(_part(picture, region)), 2) for region in regions]
    return Fact({"detail": max(found)}, {"regions": regions, "detail": found})


def _part(picture: NDArray[np.uint8], region: list[float]) -> NDArray[np.uint8]:
    height, width = picture.shape
    left, top, right, bottom = region
    return picture[int(top * height) : int(bottom * height), int(left * width) : int(right * width)]


def _detail(part: NDArray[np.uint8]) -> float:
    """Per cent of the points with a sharp step to the left or right."""
    if part.shape[0] < 2 or part.shape[1] < 2:
        return 0.0
    return 100 * float((np.abs(np.diff(part.astype(np.int16), axis=1)) > EDGE).mean())


@probe("camera.clock", lane="waiting", per="camera", readings={"offset": ("s", N_("clock is off by"))})
def clock(at: At, *, port: int = 80) -> Fact:
    """How far the camera's own clock is from ours.

    By ONVIF where point.toml gives its address: the worse of its UTC and the local time it writes into the picture.
    Else by the Date its web server tells, to within a second.

    Without ONVIF a camera that is watched by HTTP is asked where it sends from, any other one at `port`.
    """
    if one(at).onvif is not None:
        return _by_onvif(at)
    parts = urlsplit(one(at).url)
    if parts.scheme == "file" or not parts.hostname:
        return Fact.skip(Reason.NOT_REQUIRED)
    where = parts.port or 80 if parts.scheme == "http" else port
    connection = http.client.HTTPConnection(parts.hostname, where, timeout=max(at.remaining_s(keep_s=0.3), 0.01))
    try:
        began = time.perf_counter()
        connection.request("HEAD", "/", headers={"User-Agent": "exam-kit"})
        answer = connection.getresponse()
        now, travelled = time.time(), time.perf_counter() - began
        said = answer.getheader("Date") or ""
    finally:
        connection.close()
    try:
        told = parsedate_to_datetime(said).timestamp()
    except ValueError:
        raise NoFact(Reason.ERROR, status=answer.status, said=said[:100] or "it does not tell the time") from None
    # The second it names has begun, and may be nearly over.
    off = told + 0.5 - (now - travelled / 2)
    return Fact(
        {"offset": round(max(abs(off) - 0.5, 0.0), 1)},
        {"offset_s": round(off, 1), "said": said, "host": parts.hostname, "port": where},
    )


def _by_onvif(at: At) -> Fact:
    from exam_kit.cctv.onvif.client import TIMEOUT_S, OnvifCamera  # loads HTTP and XML, which no other check here needs
    from exam_kit.cctv.onvif.wire import OnvifError

    camera, tz = one(at), at.context.point.tz
    left_s = at.remaining_s(keep_s=0.3)
    # Two samples take a second more than one, and a second try where the camera wants a sign-in for its time as well.
    samples, limit_s = (2, min(left_s / 5, TIMEOUT_S)) if left_s > 4 else (1, max(left_s / 2, 0.1))
    password = at.context.secrets.get(f"camera:{camera.id}")
    try:
        asked = OnvifCamera(camera.onvif or "", camera.user, password, timeout_s=limit_s)
        told = asked.clock(samples=samples)
    except OnvifError as problem:
        reason = ONVIF_REASONS.get(problem.cause, Reason.ERROR)
        raise NoFact(reason, cause=problem.cause, said=problem.text("en")) from None
    worst = told.worst_offset_s(tz)
    local = told.local_offset_s(tz)
    return Fact(
        {"offset": round(max(abs(worst) - told.error_s, 0.0), 1)},
        {
            "offset_s": round(told.offset_s, 1),
            "local_offset_s": None if local is None else round(local, 1),
            "error_s": told.error_s,
            "zone": told.zone,
            "by_ntp": told.by_ntp,
            "asked": str(asked.address),
        },
    )
