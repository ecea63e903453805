"""Picture health of a running camera, keyframe by keyframe: an alarm that one person at the lens cannot raise."""

from __future__ import annotations

import hashlib
from collections import Counter, deque
from dataclasses import replace

import cv2
import numpy as np

from exam_kit.cctv.picture import Approved, Frame, Measures, PictureState, Thresholds, judge, measure
from exam_kit.cctv.picture_caption import Caption
from exam_kit.cctv.picture_motion import moving_share

__all__ = ["PictureWatch", "Votes"]

KEPT_SIZE = (320, 180)
BURST = 5


class Votes:
    """The last few judgements; the verdict changes when enough of them agree on good, or on not good."""

    def __init__(self, enough: int, of: int) -> None:
        self._enough = enough
        self._last: deque[PictureState] = deque(maxlen=of)
        self.verdict = PictureState.UNKNOWN

    def add(self, state: PictureState) -> None:
        self._last.append(state)
        faults = [state for state in self._last if state is not PictureState.OK]
        if len(faults) >= self._enough:
            # The latest of the most frequent: a hand that first blurs and then covers ends as covered.
            count = Counter(faults)
            self.verdict = max(reversed(faults), key=lambda fault: count[fault])
        elif len(self._last) - len(faults) >= self._enough:
            self.verdict = PictureState.OK


class PictureWatch:
    """Give it every keyframe; it answers with the state of the picture.

    The median of the last `BURST` keyframes is judged at every keyframe by itself, and once a burst against the
    approved picture (that costs several times more). Each kind of judgement needs `alarm_bursts` of the last
    `of_bursts` to agree before it counts; the state is unknown until then. One watch belongs to one camera and one
    thread.
    """

    def __init__(self, thresholds: Thresholds, reference: Frame | None = None) -> None:
        self._thresholds = thresholds
        self._frames: deque[Frame] = deque(maxlen=BURST)
        self._alone = self._votes()
        self._seen = 0
        self._digest = b""
        self._unchanged_since = 0.0
        self._still_since: float | None = None
        self._moved_before = False
        self.compare_with(reference)
        self.measures: Measures | None = None
        """Of the last burst; with the comparison when there was one."""
        self.almost_still = False
        """Hardly anything has changed for `still_s`: a remark for the screen, since an empty room is still too."""
        self.moving = False
        """Something of the size of a person moved in the last two keyframes."""

    def compare_with(self, reference: Frame | None) -> None:
        """From now on this is the approved picture; None: there is none."""
        self._reference = None if reference is None else Approved(reference)
        self._caption = None if reference is None else Caption(reference)
        self._captions: deque[float] = deque(maxlen=BURST)
        self._compared = self._votes()

    def _votes(self) -> Votes:
        return Votes(round(self._thresholds.alarm_bursts), round(self._thresholds.of_bursts))

    @property
    def state(self) -> PictureState:
        """The state of the picture after the last keyframe."""
        alone, compared = self._alone.verdict, self._compared.verdict
        return compared if alone is PictureState.OK and compared is not PictureState.UNKNOWN else alone

    def see(self, frame: Frame, at_s: float) -> PictureState:
        """The state after this keyframe (H×W×3, BGR, uint8); `at_s` is monotonic time in seconds."""
        digest = hashlib.blake2b(frame.tobytes(), digest_size=16).digest()
        if digest != self._digest:
            self._digest, self._unchanged_since = digest, at_s
        small = np.asarray(cv2.resize(frame, KEPT_SIZE, interpolation=cv2.INTER_AREA), dtype=np.uint8)
        self._notice_motion(small, at_s)
        self._frames.append(small)
        self._seen += 1
        unchanged_s = at_s - self._unchanged_since
        burst = replace(measure(list(self._frames)), unchanged_s=unchanged_s)
        self._alone.add(judge(burst, self._thresholds))
        if self._reference is not None:
            self._read_caption(frame)
            if self._seen % BURST == 0:
                burst = replace(
                    measure(list(self._frames), self._reference),
                    unchanged_s=unchanged_s,
                    caption=float(np.median(self._captions)) if self._captions else None,
                )
                self._compared.add(judge(burst, self._thresholds))
        self.measures = burst
        return self.state

    def _read_caption(self, frame: Frame) -> None:
        # Letters are too fine for the small picture, so each keyframe is read as it comes.
        kept = self._caption.kept(frame) if self._caption is not None else None
        if kept is not None:
            self._captions.append(kept)

    def _notice_motion(self, small: Frame, at_s: float) -> None:
        limit = self._thresholds
        before = self._frames[-1] if self._frames else None
        step = None if before is None else float(np.mean(cv2.absdiff(before, small)))
        if step is None or step >= limit.still_difference or self._still_since is None:
            self._still_since = at_s
        self.almost_still = at_s - self._still_since >= limit.still_s
        moved = before is not None and moving_share(before, small, limit.walk_step) >= limit.walk_share
        # Once may be a lamp that reaches only a part of the room.
        self.moving, self._moved_before = moved and self._moved_before, moved
