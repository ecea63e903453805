"""Opening a camera's stream. The only place where an address and its password meet.

Whatever PyAV raises carries the full address, password included, in its text and in its repr; so nothing of it leaves
this module: every failure becomes a `SourceFault` with a cause and a scrubbed text, and the original is not chained.
"""

from __future__ import annotations

import base64
import errno
import re
import time
from dataclasses import dataclass
from typing import Literal
from urllib.parse import parse_qs, quote, quote_plus, unquote, urlsplit, urlunsplit

import av
import av.error
from av.container import InputContainer

from exam_kit.errors import CameraError, Message, m
from exam_kit.point import Camera

__all__ = [
    "OPEN_TIMEOUT_S",
    "READ_TIMEOUT_S",
    "Scrubber",
    "Source",
    "SourceCause",
    "SourceFault",
    "fault_of",
    "open_input",
]

OPEN_TIMEOUT_S = 6.0
READ_TIMEOUT_S = 3.0
PROBE_US = 500_000
"""Stream parameters come from the sign-on; looking longer than this for a frame rate only delays the first second."""

SourceCause = Literal["refused", "unauthorised", "timeout", "no_video", "ended", "unreadable"]

_IN_ADDRESS = re.compile(r"(?<=://)[^/\s@]*@")


class Scrubber:
    """Takes literal secrets, and every form a program may have turned them into, out of texts."""

    def __init__(self) -> None:
        self._forms: list[str] = []

    def learn(self, secret: str | None, user: str | None = None) -> None:
        """From now on `secret` is never let through; neither is ``user:secret`` in base64 (HTTP Basic)."""
        if not secret:
            return
        forms = {secret, quote(secret), quote(secret, safe=""), quote_plus(secret), repr(secret)[1:-1]}
        forms.add(base64.b64encode(f"{user or ''}:{secret}".encode()).decode())
        self._forms = sorted({*self._forms, *forms}, key=len, reverse=True)

    def clean(self, text: str) -> str:
        """`text` with secrets and address credentials replaced by ``***``."""
        for form in self._forms:
            text = text.replace(form, "***")
        return _IN_ADDRESS.sub("***@", text)


@dataclass(frozen=True)
class Source:
    """Where one camera's video comes from. Never holds the password."""

    camera: str
    url: str
    user: str | None = None
    transport: str = "tcp"
    sound: bool = False

    @classmethod
    def of(cls, camera: Camera) -> Source:
        """The source of a camera of the point."""
        return cls(camera.id, camera.url, camera.user, camera.transport.value, camera.sound)

    @property
    def is_file(self) -> bool:
        return urlsplit(self.url).scheme == "file"

    @property
    def loops(self) -> bool:
        """True for a file that begins again at its end (``?loop=1``)."""
        return self.is_file and parse_qs(urlsplit(self.url).query).get("loop") == ["1"]


class SourceFault(CameraError):
    """Why a source gives no video.

    `cause`: refused (nobody listens, or no such stream), unauthorised (name or password), timeout, no_video (it answers
    without a picture that can be kept), ended (it stopped sending), unreadable (what it sends is not understood).
    `detail` is the technical reason, scrubbed.
    """

    def __init__(self, cause: SourceCause, camera: str, detail: str) -> None:
        super().__init__(_message(cause, camera, detail))
        self.cause: SourceCause = cause
        self.camera = camera
        self.detail = detail


def _message(cause: SourceCause, camera: str, reason: str) -> Message:
    match cause:
        case "refused":
            return m("Camera {camera}: the connection was refused ({reason}). Check its address and that it is on.",
                     camera=camera, reason=reason)  # fmt: skip
        case "unauthorised":
            return m("Camera {camera}: sign-in was refused ({reason}). Check the user's name and the password.",
                     camera=camera, reason=reason)  # fmt: skip
        case "timeout":
            return m("Camera {camera}: no answer in time ({reason}). Check its power, cable and network.",
                     camera=camera, reason=reason)  # fmt: skip
        case "no_video":
            return m("Camera {camera}: it sends no video that can be recorded ({reason}). Set it to H.264 or H.265.",
                     camera=camera, reason=reason)  # fmt: skip
        case "ended":
            return m("Camera {camera}: it stopped sending ({reason}). Check its power, cable and network.",
                     camera=camera, reason=reason)  # fmt: skip
        case _:
            return m("Camera {camera}: the stream cannot be read ({reason}). Check its address and settings.",
                     camera=camera, reason=reason)  # fmt: skip


_CAUSES: tuple[tuple[tuple[type[BaseException], ...], SourceCause], ...] = (
    ((av.error.HTTPUnauthorizedError, av.error.HTTPForbiddenError), "unauthorised"),
    ((av.error.ConnectionRefusedError, av.error.HTTPNotFoundError, av.error.HTTPError), "refused"),
    ((av.error.ExitError, TimeoutError), "timeout"),
    ((ConnectionError, EOFError, BrokenPipeError), "ended"),
    ((FileNotFoundError,), "refused"),
)
_UNREACHABLE = {"EHOSTUNREACH", "ENETUNREACH", "EHOSTDOWN", "ENETDOWN"}


def fault_of(problem: Exception, camera: str, scrubber: Scrubber) -> SourceFault:
    """The fault that `problem`, raised by PyAV, stands for. Raise it ``from None``."""
    number = getattr(problem, "errno", None)
    cause: SourceCause = "unreadable"
    if number is not None and errno.errorcode.get(number) in _UNREACHABLE:
        cause = "timeout"
    else:
        cause = next((name for kinds, name in _CAUSES if isinstance(problem, kinds)), cause)
    said = str(getattr(problem, "strerror", None) or problem)
    if isinstance(problem, av.error.ExitError):
        said = "timed out"
    return SourceFault(cause, camera, scrubber.clean(said))


def open_input(
    source: Source,
    password: str | None,
    *,
    open_timeout_s: float = OPEN_TIMEOUT_S,
    read_timeout_s: float = READ_TIMEOUT_S,
    scrubber: Scrubber | None = None,
) -> InputContainer:
    """The source, opened; its first video stream exists. A file is neither paced nor looped here.

    Raises:
        SourceFault: it could not be opened; neither text nor repr holds the password.
    """
    scrubber = scrubber or Scrubber()
    scrubber.learn(password, source.user)
    began = time.monotonic()
    try:
        container = av.open(
            _address(source, password), options=_options(source), timeout=(open_timeout_s, read_timeout_s), mode="r"
        )
    except (av.error.FFmpegError, OSError, ValueError) as problem:
        fault = fault_of(problem, source.camera, scrubber)
        if time.monotonic() - began >= open_timeout_s:
            # An interrupted connection is reported as anything, even as invalid data.
            fault = SourceFault("timeout", source.camera, "timed out")
    else:
        if container.streams.video:
            return container
        container.close()
        fault = SourceFault("no_video", source.camera, "no video stream")
    raise fault from None


def _address(source: Source, password: str | None) -> str:
    parts = urlsplit(source.url)
    if parts.scheme == "file":
        path = unquote(parts.path)
        return path[1:] if re.match(r"^/[A-Za-z]:", path) else path
    if source.user is None:
        return source.url
    who = quote(source.user, safe="") + (f":{quote(password, safe='')}" if password else "")
    return urlunsplit(parts._replace(netloc=f"{who}@{parts.netloc}"))


def _options(source: Source) -> dict[str, str]:
    options = {"analyzeduration": str(PROBE_US), "fpsprobesize": "0"}
    if urlsplit(source.url).scheme in ("rtsp", "rtsps"):
        options["rtsp_transport"] = source.transport
    if source.is_file:
        return {}
    return options
