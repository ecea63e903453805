"""One synthetic camera: frames in, MPEG-TS pieces out, and the troubles that can be ordered."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from typing import Any, Literal, get_args
from zoneinfo import ZoneInfo

import av
from av.video.frame import PictureType

from exam_kit.cctv.synthetic_figures import Planes
from exam_kit.cctv.synthetic_scene import Scene
from exam_kit.i18n import N_, translate

__all__ = ["TROUBLES", "CameraPlan", "Piece", "SyntheticCamera", "Trouble"]

Trouble = Literal["drop", "stall", "cover", "black", "blur", "freeze"]
TROUBLES: tuple[str, ...] = get_args(Trouble)

PLACES = {
    "headquarters": N_("headquarters {room}"),
    "room": N_("exam room {room}"),
    "corridor": N_("corridor {room}"),
    "entrance": N_("entrance {room}"),
}


@dataclass(frozen=True)
class CameraPlan:
    """What one camera shows and how it sends it."""

    id: str
    zone: str
    caption: str
    timezone: str
    fps: int
    width: int
    height: int

    @classmethod
    def of(cls, camera: dict[str, Any], shared: dict[str, Any]) -> CameraPlan:
        """From one entry of ``cameras`` in the configuration and the values all cameras share.

        Raises:
            KeyError, ValueError: a value is missing or cannot be used.
        """
        language = str(shared.get("language", "ru"))
        zone, room = str(camera["zone"]), str(camera["room"])
        place = camera.get("label") or translate(PLACES.get(zone, "{room}"), language).format(room=room)
        region = translate(N_("Region {region}"), language).format(region=shared["region"])
        point = translate(N_("exam point {code}"), language).format(code=shared["point"])
        width, height, fps = (int(shared.get(key, usual)) for key, usual in SIZES)
        if width % 4 or height % 4 or not 64 <= width <= 3840 or not 64 <= height <= 2160 or not 1 <= fps <= 60:
            raise ValueError(f"{width}×{height} at {fps} frames a second cannot be made")
        caption = " · ".join((region, point, place, str(camera["id"])))
        return cls(str(camera["id"]), zone, caption, str(shared["timezone"]), fps, width, height)


SIZES = (("width", 1280), ("height", 720), ("fps", 10))


@dataclass(frozen=True)
class Piece:
    """One frame as MPEG-TS, tables first; a viewer may begin at a keyframe."""

    data: bytes
    keyframe: bool


class _Collected:
    """What the muxer wrote since it was last asked."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def write(self, data: bytes) -> int:
        self._parts.append(bytes(data))
        return len(data)

    def take(self) -> bytes:
        data = b"".join(self._parts)
        self._parts.clear()
        return data


class SyntheticCamera:
    """Draws and encodes one frame when told; nothing is done while nobody watches."""

    def __init__(self, plan: CameraPlan) -> None:
        self.plan = plan
        self.frames = 0
        self._zone = ZoneInfo(plan.timezone)
        self._scene = Scene(plan.zone, plan.id, plan.caption, plan.width, plan.height)
        self._troubles: dict[str, float] = {}
        self._out = _Collected()
        self._container = av.open(
            self._out, "w", format="mpegts", options={"mpegts_flags": "pat_pmt_at_frames", "flush_packets": "1"}
        )
        self._stream = self._container.add_stream("libx264", rate=plan.fps)
        stream = self._stream
        stream.width, stream.height, stream.pix_fmt = plan.width, plan.height, "yuv420p"
        stream.time_base = stream.codec_context.time_base = Fraction(1, plan.fps)
        stream.gop_size = plan.fps
        stream.thread_count = 1
        stream.options = {
            "preset": "ultrafast", "tune": "zerolatency", "crf": "26", "forced-idr": "1",
            "x264-params": f"keyint={plan.fps}:min-keyint=1:scenecut=0:threads=1",
        }  # fmt: skip

    def order(self, trouble: str, until_s: float) -> None:
        """From now to `until_s` on the monotonic clock; a time in the past ends it."""
        self._troubles[trouble] = until_s

    def suffers(self, trouble: str, now_s: float) -> bool:
        return self._troubles.get(trouble, 0.0) > now_s

    def troubles(self, now_s: float) -> list[str]:
        return [trouble for trouble, until_s in self._troubles.items() if until_s > now_s]

    def frame(self, number: int, now_s: float, wall: datetime, *, keyframe: bool) -> list[Piece]:
        """Encode frame `number` (counted in 1/fps, never repeated, may skip); `keyframe` begins a group of pictures."""
        picture = av.VideoFrame.from_ndarray(self._picture(now_s, wall).data, format="yuv420p")
        picture.pts = number
        picture.time_base = Fraction(1, self.plan.fps)
        picture.pict_type = PictureType.I if keyframe else PictureType.NONE
        pieces = []
        for packet in self._stream.encode(picture):
            self._container.mux_one(packet)
            pieces.append(Piece(self._out.take(), bool(packet.is_keyframe)))
        self.frames += 1
        return pieces

    def _picture(self, now_s: float, wall: datetime) -> Planes:
        if self.suffers("freeze", now_s) and self.frames:
            return self._scene.planes
        local = wall.astimezone(self._zone)
        offset = (local.utcoffset() or local - local).total_seconds() / 3600
        clock = f"{local:%d.%m.%Y %H:%M:%S} UTC{offset:+g}"
        seconds = local.hour * 3600 + local.minute * 60 + local.second + local.microsecond / 1e6
        if self.suffers("black", now_s):
            return self._scene.black(clock)
        if self.suffers("cover", now_s):
            return self._scene.covered(seconds, clock)
        if self.suffers("blur", now_s):
            return self._scene.blurred(seconds, clock)
        return self._scene.draw(seconds, clock)
