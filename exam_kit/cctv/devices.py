"""USB cameras as FFmpeg's device formats see them: what to open, with which options, and which ones there are.

Not run on a real device here: this was built on a machine without one. What happens after the opening was run with
FFmpeg's generated pictures in the device's place.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

import av.device
import av.error

from exam_kit.cctv.source import Encode

__all__ = ["Device", "FoundDevice", "device_of", "devices", "dshow_devices", "v4l2_devices"]

BUFFER_BYTES = 64 << 20
"""For pictures that wait to be compressed; dshow's own 3 MB hold half a second of raw ones."""


@dataclass(frozen=True)
class Device:
    """`name` as the device `format` of FFmpeg takes it."""

    format: str
    name: str

    def options(self, limits: Encode | None) -> Sequence[dict[str, str]]:
        """Sets of options to try, the most wanted first; the last one leaves everything to the device."""
        if limits is None or self.format not in ("v4l2", "dshow"):
            return [{}]
        size = {"video_size": f"{limits.max_width}x{limits.max_height}", "framerate": f"{limits.fps:g}"}
        if self.format == "dshow":
            room = {"rtbufsize": str(BUFFER_BYTES)}
            return [{**size, "vcodec": "mjpeg", **room}, {**size, **room}, room]
        # MJPEG first: raw pictures of this size do not fit through USB 2 at a usable rate.
        return [{**size, "input_format": "mjpeg"}, size, {"input_format": "mjpeg"}, {}]


def device_of(url: str) -> Device:
    """``usb:///dev/v4l/by-id/NAME`` is a device file, ``usb:///NAME`` a name as Windows (DirectShow) lists it."""
    path = unquote(urlsplit(url).path)
    if path.startswith("/dev/"):
        return Device("v4l2", path)
    return Device("dshow", f"video={path.lstrip('/')}")


@dataclass(frozen=True)
class FoundDevice:
    """A camera that is plugged in. `url` is what to write into point.toml; it survives another socket and a restart
    where the system has a stable name for the device."""

    name: str
    url: str


def devices() -> list[FoundDevice]:
    """Cameras plugged into this computer; none where the system cannot list them."""
    if sys.platform == "linux":
        return v4l2_devices(Path("/sys/class/video4linux"), Path("/dev/v4l/by-id"))
    if sys.platform != "win32":
        return []
    try:
        return dshow_devices(av.device.enumerate_input_devices("dshow"))
    except (av.error.FFmpegError, ValueError, OSError):
        return []  # a build without DirectShow


def v4l2_devices(classes: Path, by_id: Path) -> list[FoundDevice]:
    """Cameras of Linux: `classes` is /sys/class/video4linux, `by_id` /dev/v4l/by-id. One line for each camera: besides
    the picture (index 0) many have a second node for metadata."""
    stable: dict[str, str] = {}
    if by_id.is_dir():
        for link in sorted(by_id.iterdir()):
            stable.setdefault(Path(os.path.realpath(link)).name, link.as_posix())
    found = []
    for node in sorted(classes.iterdir(), key=_number) if classes.is_dir() else []:
        try:
            name = (node / "name").read_text(encoding="utf-8", errors="replace").strip()
            index = (node / "index").read_text(encoding="ascii").strip()
        except OSError:
            continue  # unplugged while we looked
        if index == "0":
            found.append(FoundDevice(name, f"usb://{quote(stable.get(node.name, f'/dev/{node.name}'))}"))
    return found


def dshow_devices(listed: Iterable[av.device.DeviceInfo]) -> list[FoundDevice]:
    """Cameras of Windows, from what DirectShow lists: `description` is the name people see, `name` the one of the
    socket and the device, needed where two cameras are of the same make."""
    cameras = [info for info in listed if "video" in info.media_types]
    shown = [info.description or info.name for info in cameras]
    return [
        FoundDevice(name, f"usb:///{quote(name if shown.count(name) == 1 else info.name, safe='')}")
        for name, info in zip(shown, cameras, strict=True)
    ]


def _number(node: Path) -> tuple[int, str]:
    digits = re.sub(r"\D", "", node.name)
    return int(digits) if digits else 0, node.name
