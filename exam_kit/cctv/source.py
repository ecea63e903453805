"""Where a camera's video comes from, and why none comes.

Whatever PyAV raises carries the full address, password included, in its text and in its repr; so nothing of it goes
any further: every failure becomes a `SourceFault` with a cause and a scrubbed text, and the original is not chained.
"""

from __future__ import annotations

import base64
import errno
import re
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import parse_qs, quote, quote_plus, unquote, urlsplit

import av.error

from exam_kit.errors import CameraError, Message, m

if TYPE_CHECKING:
    from exam_kit.point import Camera

__all__ = [
    "OPEN_TIMEOUT_S",
    "READ_TIMEOUT_S",
    "Encode",
    "Scrubber",
    "Source",
    "SourceCause",
    "SourceFault",
    "Way",
    "fault_of",
]

OPEN_TIMEOUT_S = 6.0
READ_TIMEOUT_S = 3.0
SourceCause = Literal["refused", "unauthorised", "timeout", "no_video", "ended", "unreadable"]

Way = Literal["", "device", "transport", "codec"]
"""What the way out of a fault depends on, besides its cause."""

_IN_ADDRESS = re.compile(r"(?<=://)[^/\s@]*@")


class Scrubber:
    """Takes literal secrets, and every form a program may have turned them into, out of texts."""

    def __init__(self) -> None:
        self._learning = threading.Lock()
        """every camera's thread of a worker teaches the same one"""
        self._forms: list[str] = []

    def learn(self, secret: str | None, user: str | None = None) -> None:
        """From now on `secret` is never let through; neither is ``user:secret`` in base64 (HTTP Basic)."""
        if not secret:
            return
        forms = {secret, quote(secret), quote(secret, safe=""), quote_plus(secret), repr(secret)[1:-1]}
        forms.add(base64.b64encode(f"{user or ''}:{secret}".encode()).decode())
        with self._learning:
            self._forms = sorted({*self._forms, *forms}, key=len, reverse=True)

    def clean(self, text: str) -> str:
        """`text` with secrets and address credentials replaced by ``***``, and what no database takes (half a
        character, as in the name of a file that is not UTF-8) by ``?``."""
        for form in self._forms:
            text = text.replace(form, "***")
        return _IN_ADDRESS.sub("***@", text).encode("utf-8", "replace").decode()


@dataclass(frozen=True)
class Encode:
    """Limits for pictures that are compressed here."""

    max_width: int
    max_height: int
    fps: float
    preset: str
    bitrate_bps: int

    @classmethod
    def of(cls, camera: Camera) -> Encode:
        """What point.toml says of this camera, or what is good for most USB cameras."""
        from exam_kit.point import Encoding  # a recording worker is told its sources, and does without the point

        limits = camera.encode or Encoding()
        return cls(
            limits.max_width, limits.max_height, limits.fps, limits.preset, round(camera.bitrate_mbps * 1_000_000)
        )


@dataclass(frozen=True)
class Source:
    """Where one camera's video comes from. Never holds the password."""

    camera: str
    url: str
    user: str | None = None
    transport: str = "tcp"
    sound: bool = False
    encode: Encode | None = None
    """Compress here what is neither H.264 nor H.265; None: keep it as it comes. A USB camera always has it."""

    def __post_init__(self) -> None:
        said: Any = self.encode
        if isinstance(said, dict):  # as it travels in JSON
            object.__setattr__(self, "encode", Encode(**said))

    @classmethod
    def of(cls, camera: Camera, stream: Literal["main", "sub"] = "main") -> Source:
        """The source of a camera of the point.

        Footage is always the main stream. The sub-stream is a smaller one for live pictures, without sound; a camera
        that names none gives the main one for both.
        """
        url = camera.sub_url if stream == "sub" and camera.sub_url else camera.url
        encode = Encode.of(camera) if camera.encode is not None or urlsplit(url).scheme == "usb" else None
        return cls(camera.id, url, camera.user, camera.transport.value, camera.sound and stream == "main", encode)

    @property
    def kind(self) -> Literal["rtsp", "http", "usb", "file"]:
        match urlsplit(self.url).scheme:
            case "rtsp" | "rtsps":
                return "rtsp"
            case "usb":
                return "usb"
            case "file":
                return "file"
            case _:
                return "http"

    @property
    def may_lose(self) -> bool:
        """Can packets get lost on the way without anybody noticing?"""
        return self.kind == "rtsp" and self.transport != "tcp"

    @property
    def is_file(self) -> bool:
        """A file, or a folder of them."""
        return self.kind == "file"

    @property
    def path(self) -> Path:
        """Of a file or folder."""
        path = unquote(urlsplit(self.url).path)
        return Path(path[1:] if re.match(r"^/[A-Za-z]:", path) else path)

    @property
    def is_folder(self) -> bool:
        return self.is_file and self.path.is_dir()

    @property
    def loops(self) -> bool:
        """True for a file or folder that begins again at its end (``?loop=1``)."""
        return self.is_file and parse_qs(urlsplit(self.url).query).get("loop") == ["1"]


class SourceFault(CameraError):
    """Why a source gives no video.

    `cause`: refused (nobody listens, or no such stream), unauthorised (name or password), timeout, no_video (it answers
    without a picture that can be kept), ended (it stopped sending), unreadable (what it sends is not understood).
    `detail` is the technical reason, scrubbed. `way` chooses the way out where it depends on the kind of source.
    """

    def __init__(self, cause: SourceCause, camera: str, detail: str, way: Way = "") -> None:
        super().__init__(_otherwise(way, camera, detail) if way else _message(cause, camera, detail))
        self.cause: SourceCause = cause
        self.camera = camera
        self.detail = detail
        self.way: Way = way


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


def _otherwise(way: Way, camera: str, reason: str) -> Message:
    """Where the way out depends on the kind of source."""
    match way:
        case "device":
            return m("Camera {camera}: the device cannot be opened ({reason}). Check that it is plugged in and that no "
                     "other program uses it.", camera=camera, reason=reason)  # fmt: skip
        case "transport":
            return m("Camera {camera}: it refuses this way of sending ({reason}). Write transport = \"auto\" for it in "
                     "point.toml.", camera=camera, reason=reason)  # fmt: skip
        case _:
            return m("Camera {camera}: its video cannot be kept as it is ({reason}). Set it to H.264 or H.265, or "
                     "write encode for it in point.toml.", camera=camera, reason=reason)  # fmt: skip


_CAUSES: tuple[tuple[tuple[type[BaseException], ...], SourceCause], ...] = (
    ((av.error.HTTPUnauthorizedError, av.error.HTTPForbiddenError), "unauthorised"),
    ((av.error.ConnectionRefusedError, av.error.HTTPNotFoundError, av.error.HTTPError), "refused"),
    ((av.error.ExitError, TimeoutError), "timeout"),
    ((ConnectionError, EOFError, BrokenPipeError), "ended"),
    ((FileNotFoundError, PermissionError), "refused"),
)
_BUSY = {"EBUSY", "ENODEV", "ENXIO"}
_UNREACHABLE = {"EHOSTUNREACH", "ENETUNREACH", "EHOSTDOWN", "ENETDOWN"}


def fault_of(problem: Exception, camera: str, scrubber: Scrubber) -> SourceFault:
    """The fault that `problem`, raised by PyAV, stands for. Raise it ``from None``."""
    number = getattr(problem, "errno", None)
    name = errno.errorcode.get(number) if number is not None else None
    cause: SourceCause = "unreadable"
    if name in _UNREACHABLE:
        cause = "timeout"
    elif name == "EPROTONOSUPPORT":
        return SourceFault("refused", camera, "unsupported transport", "transport")
    elif name in _BUSY:
        cause = "refused"
    else:
        cause = next((name for kinds, name in _CAUSES if isinstance(problem, kinds)), cause)
    said = str(getattr(problem, "strerror", None) or problem)
    if isinstance(problem, av.error.ExitError):
        said = "timed out"
    return SourceFault(cause, camera, scrubber.clean(said))
