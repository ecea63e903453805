"""One piece of recording, written so that it plays whatever happens to the process.

The file is fragmented mp4: every quarter of a second reaches the operating system as one self-contained fragment, so a
killed process loses less than that. A clean close adds an ordinary index and turns the file into an ordinary mp4
by one write of eight bytes at its head; until that write it stays a valid fragmented one. What is written is written
by the disk's thread (`exam_kit.cctv.disk`).
"""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import av
import av.error
from av.stream import Stream

from exam_kit.cctv.disk import Disk, SegmentFile
from exam_kit.clock import iso

__all__ = ["CARRIED_SOUND", "NOTE_TITLE", "DiskRefused", "SegmentFile", "SegmentWriter", "usable_sound"]

FRAGMENT_US = 250_000
BUFFER_BYTES = 1 << 17
NOTE_TITLE = "exam-kit segment"
CARRIED_SOUND = frozenset({"aac", "mp3", "ac3", "eac3", "opus"})
"""Sound that mp4 can carry. G.711 and its kin stop the muxer, and with it the picture: they are left out."""

OPTIONS = {
    "movflags": "frag_keyframe+empty_moov+default_base_moof+hybrid_fragmented",
    "frag_duration": str(FRAGMENT_US),
    "flush_packets": "1",
    # A sound track that falls silent must not hold back the picture (FFmpeg waits ten seconds for it).
    "max_interleave_delta": "500000",
}


class DiskRefused(Exception):
    """The disk took no more; what was written before stays whole. `full` when it is for want of space."""

    def __init__(self, problem: OSError) -> None:
        super().__init__(os.strerror(problem.errno) if problem.errno else str(problem))
        self.full = problem.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def usable_sound(stream: Stream) -> bool:
    """Can this audio stream be put into mp4 as it is?"""
    context = stream.codec_context
    if context is None or context.name not in CARRIED_SOUND:
        return False
    # AAC in MPEG-TS names its parameters in each frame; the head of an mp4, written first, needs them beforehand.
    return context.name != "aac" or bool(context.extradata)


class SegmentWriter:
    """Writes one segment. Timestamps are given in the streams' own time bases, the first one being 0."""

    def __init__(
        self,
        disk: Disk,
        name: Callable[[int], Path],
        start: datetime,
        camera: str,
        video: Stream,
        sound: Stream | None,
        opened: Callable[[Path], None],
    ) -> None:
        """`name` gives the file's path, numbered from 1 for names that are taken; `opened` is told it, on the disk's
        thread, when the file is there.

        Raises:
            av.error.FFmpegError: the stream cannot be put into mp4.
        """
        self.file = SegmentFile(disk, camera, name, opened)
        self.start = start
        self.frames = 0
        self.whole_frames = 0
        """frames that were given to the disk"""
        self.whole_s = 0.0
        """up to where, seconds from the start"""
        self._container = av.open(self.file, "w", format="mp4", options=OPTIONS, buffer_size=BUFFER_BYTES)
        # Who and when, inside the file: it can be taken in again when every index is lost.
        self._container.metadata["comment"] = json.dumps({"title": NOTE_TITLE, "camera": camera, "from": iso(start)})
        self._sound: Any = None
        self._video = self._container.add_stream_from_template(video)
        if sound is not None:
            self._sound = self._container.add_stream_from_template(sound)
        if video.codec_context.name == "hevc":
            # Players of one large maker open H.265 under this tag only; all others take it as well.
            self._video.codec_context.codec_tag = "hvc1"

    def put(self, packet: Any, *, sound: bool = False) -> None:
        """Add a packet of the picture, or of the sound.

        Raises:
            DiskRefused: the disk takes no more.
            av.error.FFmpegError: the muxer refuses this packet.
        """
        packet.stream = self._sound if sound else self._video
        self._container.mux_one(packet)
        if self.file.pending and self.file.hand_over() and not sound:
            # The fragments that are out hold everything before this frame.
            self.whole_frames, self.whole_s = self.frames, float(packet.pts * packet.time_base)
        self.frames += not sound
        if self.file.fault is not None:
            raise DiskRefused(self.file.fault)

    def close(self) -> None:
        """Write the index. The file stays open for what is still to be written; close it with ``file.end()``.

        Raises:
            DiskRefused: the index did not fit; the file plays as it is.
        """
        self._container.close()
        self.file.hand_over()
        self._check()

    def _check(self) -> None:
        if self.file.fault is not None:
            raise DiskRefused(self.file.fault)
