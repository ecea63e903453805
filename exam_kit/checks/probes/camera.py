"""Does every camera answer, and with a picture that is worth recording? One look serves all checks of a camera."""

from __future__ import annotations

from typing import TYPE_CHECKING

from exam_kit.checks.at import At
from exam_kit.checks.model import Fact, Reason
from exam_kit.checks.registry import probe
from exam_kit.checks.site import NoFact
from exam_kit.errors import CameraError
from exam_kit.i18n import N_
from exam_kit.point import Camera

if TYPE_CHECKING:
    from exam_kit.cctv.probe import CameraFacts
    from exam_kit.cctv.references import Reference, ReferenceState

LOOK_S = 2.0
REASONS = {"timeout": Reason.TIMEOUT, "unauthorised": Reason.DENIED}
SILENT = ("refused", "unauthorised", "timeout", "no_video", "ended")
"""Causes that say something about the camera; others (a picture that cannot be read) leave it open."""


def one(at: At) -> Camera:
    if at.camera is None:
        raise NoFact(Reason.NO_CAMERAS)
    return at.camera


def _look(at: At) -> CameraFacts:
    """What the camera shows. CameraError as `look` raises it."""
    # Loads OpenCV and PyAV, which a reader of profiles or an old run does not need.
    from exam_kit.cctv.picture import Thresholds
    from exam_kit.cctv.probe import look
    from exam_kit.cctv.references import ReferenceState
    from exam_kit.cctv.source import Source

    camera = one(at)
    password = at.context.secrets.get(f"camera:{camera.id}")
    thresholds = Thresholds.from_mapping(at.profile.picture_of(camera.id))
    # One that is old still tells more than none; one the ledger does not know tells nothing.
    trusted = standing(at)[0] in (ReferenceState.GOOD, ReferenceState.OLD)
    approved = at.context.home.references / f"{camera.id}.jpg"

    def watch() -> CameraFacts:
        return look(
            Source.of(camera),
            password,
            seconds=LOOK_S,
            timeout_s=at.remaining_s(keep_s=0.4),
            thresholds=thresholds,
            reference=approved if trusted else None,
        )

    return at.once(f"look {camera.id}", watch)


def standing(at: At, size: tuple[int, int] | None = None) -> tuple[ReferenceState, Reference | None]:
    """Whether the camera's approved picture can be relied on, and what the ledger has of it. `size`: of the stream."""
    from exam_kit.cctv.references import approved, reference_state

    camera, context = one(at), at.context
    reference = at.once("approved pictures", lambda: approved(context.store)).get(camera.id)
    days = at.profile.picture_of(camera.id)["reference_days"]
    return reference_state(context.home, reference, context.clock.now(), days, size), reference


def seen(at: At) -> CameraFacts:
    """What the camera shows; without a value where it does not answer."""
    try:
        return _look(at)
    except CameraError as problem:
        cause = str(getattr(problem, "cause", ""))
        raise NoFact(REASONS.get(cause, Reason.ERROR), cause=cause, said=str(problem)) from None


@probe(
    "camera.answers",
    lane="waiting",
    per="camera",
    readings={"answers": ("", N_("answers")), "cause": ("", N_("cause")), "took": ("s", N_("took"))},
)
def answers(at: At) -> Fact:
    """Video comes. A camera that refuses, is silent or sends none is a measured "no"."""
    try:
        seen = _look(at)
    except CameraError as problem:
        cause = str(getattr(problem, "cause", ""))
        if cause not in SILENT:
            raise NoFact(Reason.ERROR, cause=cause, said=str(problem)) from None
        return Fact({"answers": False, "cause": cause, "took": None}, {"said": str(problem)})
    return Fact({"answers": True, "cause": None, "took": round(seen.elapsed_s, 2)}, {"codec": seen.codec})


@probe(
    "camera.picture",
    lane="waiting",
    per="camera",
    readings={"picture": ("", N_("picture")), "compared": ("", N_("compared with the approved one"))},
)
def picture(at: At) -> Fact:
    """The state of the picture (`cctv.picture.PictureState`); one that could not be judged is unknown.

    `compared` is false where the approved picture is missing, too old, altered or of another resolution: "ok" then says
    nothing of the view.
    """
    from exam_kit.cctv.references import ReferenceState

    facts = seen(at)
    state = str(facts.picture)
    if state == "unknown":
        raise NoFact(Reason.ERROR, picture=state, measures=facts.measures)
    found, _reference = standing(at, (facts.width, facts.height))
    evidence = {"measures": facts.measures, "damaged": facts.damaged, "reference": str(found)}
    return Fact({"picture": state, "compared": found is ReferenceState.GOOD}, evidence)


@probe(
    "camera.resolution",
    lane="waiting",
    per="camera",
    readings={"width": ("px", N_("width")), "height": ("px", N_("height"))},
)
def resolution(at: At) -> Fact:
    """Width and height, pixels."""
    facts = seen(at)
    return Fact({"width": facts.width, "height": facts.height}, {"codec": facts.codec})


@probe("camera.frame_rate", lane="waiting", per="camera", readings={"fps": ("fps", N_("frame rate"))})
def frame_rate(at: At) -> Fact:
    """Frames a second, as they came."""
    facts = seen(at)
    return Fact({"fps": facts.fps}, {"keyframe_interval_s": facts.keyframe_interval_s})


@probe(
    "camera.bitrate",
    lane="waiting",
    per="camera",
    readings={"share": ("times", N_("bit rate to plan")), "bitrate": ("bps", N_("bit rate"))},
)
def bitrate(at: At) -> Fact:
    """The bit rate as it came, against the one the point's disk plan counts on."""
    facts, planned = seen(at), one(at).bitrate_mbps * 1e6
    if facts.bitrate_bps is None:
        raise NoFact(Reason.ERROR, planned_bps=planned)
    return Fact(
        {"share": round(facts.bitrate_bps / planned, 3), "bitrate": facts.bitrate_bps}, {"planned_bps": planned}
    )


@probe("camera.sound", lane="waiting", per="camera", readings={"sound": ("", N_("sound"))})
def sound(at: At) -> Fact:
    """Sound comes with the video, where the point's file asks for it."""
    if not one(at).sound:
        return Fact.skip(Reason.NOT_REQUIRED)
    return Fact({"sound": bool(seen(at).sound)}, {})


@probe("camera.codec", lane="waiting", per="camera", readings={"codec": ("", N_("codec"))})
def codec(at: At) -> Fact:
    """How the video is compressed: "h264", "hevc", "mjpeg", …"""
    facts = seen(at)
    return Fact({"codec": facts.codec}, {"width": facts.width, "height": facts.height})


@probe("camera.keyframes", lane="waiting", per="camera", readings={"interval": ("s", N_("between keyframes"))})
def keyframes(at: At) -> Fact:
    """Seconds between two keyframes: so long is the beginning that a broken file may lose."""
    facts = seen(at)
    if facts.keyframe_interval_s is None:
        raise NoFact(Reason.ERROR, said="no two keyframes came while it was watched", fps=facts.fps)
    return Fact({"interval": round(facts.keyframe_interval_s, 2)}, {"fps": facts.fps})


@probe("camera.damage", lane="waiting", per="camera", readings={"share": ("%", N_("damaged packets"))})
def damage(at: At) -> Fact:
    """Packets that could not be decoded, in per cent of the frames: a bad cable, a weak network."""
    facts = seen(at)
    whole = facts.frames + facts.damaged
    if not whole:
        raise NoFact(Reason.ERROR, said="no frame came while it was watched")
    return Fact({"share": round(100 * facts.damaged / whole, 1)}, {"frames": facts.frames, "damaged": facts.damaged})
