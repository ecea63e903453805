"""One look at a camera: does it answer, with what, and is the picture usable?

The look happens in a process of its own (``python -m exam_kit.cctv.probe``), because a library that waits inside the
system cannot be interrupted otherwise; at the deadline it is killed with everything it started. The password goes in
through stdin, so that it stands in no process list and no environment.
"""

from __future__ import annotations

import base64
import json
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, get_args

from exam_kit.cctv.picture import PictureState, Thresholds
from exam_kit.cctv.source import Scrubber, Source, SourceCause, SourceFault, Way
from exam_kit.home import kit_root

__all__ = ["CameraFacts", "look", "look_both"]

KILLED_S = 2.0
"""How long a killed process may take to be gone before it is left to the system."""


@dataclass(frozen=True)
class CameraFacts:
    """What a camera really sends; measured on the stream, not what it says of itself. None: could not be measured."""

    width: int
    height: int
    codec: str
    fps: float | None
    bitrate_bps: int | None
    keyframe_interval_s: float | None
    sound: bool
    picture: PictureState
    elapsed_s: float
    frames: int
    damaged: int
    """packets that could not be decoded"""
    measures: dict[str, Any] = field(default_factory=dict)
    """of the picture: the evidence behind `picture`"""
    jpeg: bytes | None = field(default=None, repr=False)
    """the last frame, at most 640 pixels wide"""


def look(
    source: Source,
    password: str | None,
    *,
    seconds: float = 2.0,
    timeout_s: float = 8.0,
    thresholds: Thresholds,
    reference: Path | None = None,
) -> CameraFacts:
    """Watch a camera for `seconds` and tell what it sends; done or killed after `timeout_s`.

    `reference` is the approved picture, when there is one. A stream whose keyframes are further apart than `seconds` is
    watched a little longer, as far as the time allows, to measure that.

    Raises:
        SourceFault: it gives no usable video; `cause` says why, no text holds the password.
    """
    began = time.monotonic()
    order = {
        "source": asdict(source),
        "password": password,
        "seconds": seconds,
        "timeout_s": timeout_s,
        "thresholds": asdict(thresholds),
        "reference": None if reference is None else str(reference),
    }
    child = subprocess.Popen(
        [sys.executable, "-m", "exam_kit.cctv.probe"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=kit_root(),
        start_new_session=True,
        creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
    )
    try:
        said, complaint = child.communicate(json.dumps(order).encode(), timeout=timeout_s)
    except subprocess.TimeoutExpired:
        raise SourceFault("timeout", source.camera, f"no picture within {timeout_s:.1f} s") from None
    finally:
        _kill(child)
    return _facts(said, complaint, source, password, time.monotonic() - began)


def look_both(
    main: Source, sub: Source, password: str | None, *, timeout_s: float = 8.0, thresholds: Thresholds
) -> tuple[CameraFacts | SourceFault, CameraFacts | SourceFault]:
    """A look at a camera's main stream and at its smaller one, at the same time: what each sends, or why nothing comes.

    Many cameras serve a few streams at once only; looking at one after the other would not show that.
    """

    def one(source: Source) -> CameraFacts | SourceFault:
        try:
            return look(source, password, timeout_s=timeout_s, thresholds=thresholds)
        except SourceFault as fault:
            return fault

    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(one, (main, sub))
    return first, second


def _facts(said: bytes, complaint: bytes, source: Source, password: str | None, elapsed_s: float) -> CameraFacts:
    try:
        answer: dict[str, Any] = json.loads(said)
    except ValueError:
        scrubber = Scrubber()
        scrubber.learn(password, source.user)
        last = complaint.decode("utf-8", "replace").strip().rsplit("\n", 1)[-1]
        fault = SourceFault(
            "unreadable", source.camera, scrubber.clean(last)[:200] or "the look ended without an answer"
        )
    else:
        if "cause" not in answer:
            jpeg = answer.pop("jpeg")
            return CameraFacts(
                **{
                    **answer,
                    "picture": PictureState(answer["picture"]),
                    "jpeg": None if jpeg is None else base64.b64decode(jpeg),
                    "elapsed_s": round(elapsed_s, 3),
                }
            )
        cause: SourceCause = answer["cause"] if answer["cause"] in get_args(SourceCause) else "unreadable"
        way: Way = answer["way"] if answer.get("way") in get_args(Way) else ""
        fault = SourceFault(cause, source.camera, answer["detail"], way)
    # The bytes that failed to parse may hold anything: nothing of them is chained.
    raise fault from None


def _kill(child: subprocess.Popen[bytes]) -> None:
    """End the process and everything it started; return when it is gone."""
    if os.name == "posix":
        try:
            # The group outlives its first process while any other member lives.
            os.killpg(child.pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            # Nobody is left in the group (macOS says "not permitted" for a group of the dead).
            child.poll()
    elif child.poll() is None:
        child.kill()
    try:
        child.wait(KILLED_S)
    except subprocess.TimeoutExpired:
        # Stuck inside the kernel: it cannot be waited for, and holds nothing of ours.
        return
    finally:
        for pipe in (child.stdin, child.stdout, child.stderr):
            if pipe is not None and not pipe.closed:
                pipe.close()


if __name__ == "__main__":
    from exam_kit.cctv.probe_child import main

    sys.exit(main())
