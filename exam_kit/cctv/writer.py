"""One piece of recording, written so that it plays whatever happens to the process.

The file is fragmented mp4: every second of video reaches the operating system as one self-contained fragment, so a
killed process loses less than a second. A clean close adds an ordinary index and turns the file into an ordinary mp4
by one write of eight bytes at its head; until that write it stays a valid fragmented one.
"""

from __future__ import annotations

import errno
import json
import os
from datetime import datetime
from pathlib import Path
from typing import Any

import av
import av.error
from av.stream import Stream

from exam_kit.clock import iso

__all__ = ["CARRIED_SOUND", "NOTE_TITLE", "DiskRefused", "SegmentFile", "SegmentWriter", "usable_sound"]

FRAGMENT_US = 1_000_000
NOTE_TITLE = "exam-kit segment"
CARRIED_SOUND = frozenset({"aac", "mp3", "ac3", "eac3", "opus"})
"""Sound that mp4 can carry. G.711 and its kin stop the muxer, and with it the picture: they are left out."""

OPTIONS = {
    "movflags": "frag_keyframe+empty_moov+default_base_moof+hybrid_fragmented",
    "frag_duration": str(FRAGMENT_US),
    "flush_packets": "1",
    # A sound track that falls silent must not hold back the picture (FFmpeg waits ten seconds for it).
    "max_interleave_delta": str(FRAGMENT_US // 2),
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


class SegmentFile:
    """The file under the muxer. After the first failed write it takes nothing more and says so in `fault`.

    The muxer is told that all is well: it would otherwise try to repair the head of a file whose new index did not
    fit, and so destroy what is there.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.fault: OSError | None = None
        self._file = path.open("xb", buffering=0)
        self._position = 0

    @property
    def size(self) -> int:
        """Bytes in the file."""
        return os.fstat(self._file.fileno()).st_size

    def write(self, data: bytes) -> int:
        left = memoryview(data)
        try:
            while left and self.fault is None:
                left = left[self._file.write(left) :]
        except OSError as problem:
            self.fault = problem
        self._position += len(data)
        return len(data)

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        if self.fault is None:
            self._position = self._file.seek(offset, whence)
        return self._position

    def tell(self) -> int:
        return self._position

    def sync(self) -> None:
        """Bring what is written to the medium. Called from another thread than the writing one."""
        if not self._file.closed:
            getattr(os, "fdatasync", os.fsync)(self._file.fileno())

    def close(self) -> None:
        self._file.close()


class SegmentWriter:
    """Writes one segment. Timestamps are given in the streams' own time bases, the first one being 0."""

    def __init__(self, path: Path, start: datetime, camera: str, video: Stream, sound: Stream | None) -> None:
        """Create the file and its head.

        Raises:
            DiskRefused: no space, or the medium refuses.
            av.error.FFmpegError: the stream cannot be put into mp4.
        """
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self.file = SegmentFile(path)
        except OSError as problem:
            raise DiskRefused(problem) from None
        self.start = start
        self.frames = 0
        self.bytes = 0
        self._container = av.open(self.file, "w", format="mp4", options=OPTIONS)
        # Who and when, inside the file: it can be taken in again when every index is lost.
        self._container.metadata["comment"] = json.dumps({"title": NOTE_TITLE, "camera": camera, "from": iso(start)})
        self._sound: Any = None
        try:
            self._video = self._container.add_stream_from_template(video)
            if sound is not None:
                self._sound = self._container.add_stream_from_template(sound)
        except (av.error.FFmpegError, ValueError):
            self.file.close()
            path.unlink()  # nothing was written yet
            raise
        if video.codec_context.name == "hevc":
            # Players of one large maker open H.265 under this tag only; all others take it as well.
            self._video.codec_context.codec_tag = "hvc1"

    def put(self, packet: Any, *, sound: bool = False) -> None:
        """Add a packet of the picture, or of the sound.

        Raises:
            DiskRefused: the disk takes no more.
            av.error.FFmpegError: the muxer refuses this packet.
        """
        size = packet.size
        packet.stream = self._sound if sound else self._video
        self._container.mux(packet)
        self.bytes += size
        self.frames += not sound
        self._check()

    def close(self) -> None:
        """Write the index. The descriptor stays open for the last sync; close it with ``file.close()``.

        Raises:
            DiskRefused: the index did not fit; the file plays as it is.
        """
        self._container.close()
        self._check()

    def _check(self) -> None:
        if self.file.fault is not None:
            raise DiskRefused(self.file.fault)
