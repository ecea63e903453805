"""When a camera's picture is looked at: for its health, and for the screens while somebody looks at them.

A screen that shows a camera says so by touching a file beside the picture; nothing is decoded for nobody.
"""

from __future__ import annotations

import functools
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from exam_kit.cctv.wire import Timings

if TYPE_CHECKING:
    from exam_kit.cctv.studio import Sitter, Studio

__all__ = ["LivePicture", "looked_at"]

LOOK_S = 5.0
"""A screen that asked so long ago has been closed."""
IDLE_S = 5.0
"""Between pictures for the screens while nobody looks, so that the first look shows one."""


def looked_at(picture: Path) -> None:
    """Tell the recorder that somebody looks at this live picture; a folder that cannot be written tells nothing."""
    try:
        picture.with_suffix(".look").touch()
    except OSError:
        return


@functools.cache
def _studio() -> Studio:
    from exam_kit.cctv.studio import Studio  # OpenCV: not before a picture is wanted

    return Studio()


class LivePicture:
    """Picks keyframes of one connection to be looked at. Belongs to the camera's thread."""

    def __init__(
        self,
        path: Path,
        stream: Any,
        thresholds: Mapping[str, float],
        reference: Path | None,
        timings: Timings,
    ) -> None:
        context = stream.codec_context
        self._path = path
        self._about = (path, context.name, context.extradata, thresholds, reference)
        self._sitter: Sitter | None = None
        self._timings = timings
        self._judge_s = self._show_s = 0.0
        self._size = context.width, context.height

    @property
    def state(self) -> str:
        """What the picture is like (`exam_kit.cctv.picture.PictureState`)."""
        return self._sitter.state.value if self._sitter is not None else "unknown"

    @property
    def size(self) -> tuple[int, int]:
        """Width and height as last seen."""
        return (self._sitter.size if self._sitter is not None else None) or self._size

    def see(self, keyframe: bytes) -> None:
        """Have this keyframe looked at if it is time to. Returns at once."""
        now, every = time.monotonic(), self._timings
        judge = every.picture_s > 0 and now >= self._judge_s
        wanted = every.live_s > 0 and now >= self._show_s and self._watched()
        show = wanted or (judge and every.live_s > 0 and now >= self._show_s + IDLE_S)
        if not (judge or show):
            return
        # A little early counts as in time: keyframes that come every second must not be taken every other second.
        if judge:
            self._judge_s = now + 0.9 * every.picture_s
        if show:
            self._show_s = now + 0.9 * every.live_s
        from exam_kit.cctv.studio import Look, Sitter

        if self._sitter is None:
            self._sitter = Sitter(*self._about)
        _studio().take(self._sitter, Look(keyframe, judge, show))

    def moved(self) -> bool:
        """Did something the size of a person move since this was last asked?"""
        if self._sitter is None:
            return False
        moved, self._sitter.moved = self._sitter.moved, False
        return moved

    def _watched(self) -> bool:
        try:
            return abs(time.time() - self._path.with_suffix(".look").stat().st_mtime) <= LOOK_S
        except OSError:
            return False
