"""Picture health of a running camera, keyframe by keyframe: an alarm that one person at the lens cannot raise."""

from __future__ import annotations

import hashlib
from collections import Counter, deque
from dataclasses import replace

import cv2
import numpy as np

from exam_kit.cctv.picture import Frame, Measures, PictureState, Thresholds, judge, measure

__all__ = ["PictureWatch", "Votes"]

KEPT_SIZE = (320, 180)


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

    The median of the last `burst_frames` keyframes is judged at every keyframe by itself, and once a burst against the
    approved picture (that costs several times more). Each kind of judgement needs `alarm_bursts` of the last
    `of_bursts` to agree before it counts; the state is unknown until then. One watch belongs to one camera and one
    thread.
    """

    def __init__(
        self,
        thresholds: Thresholds,
        reference: Frame | None = None,
        *,
        burst_frames: int = 5,
        alarm_bursts: int = 2,
        of_bursts: int = 3,
    ) -> None:
        self._thresholds = thresholds
        self._reference = reference
        self._burst = burst_frames
        self._frames: deque[Frame] = deque(maxlen=burst_frames)
        self._alone, self._compared = Votes(alarm_bursts, of_bursts), Votes(alarm_bursts, of_bursts)
        self._seen = 0
        self._digest = b""
        self._unchanged_since = 0.0
        self._still_since: float | None = None
        self.measures: Measures | None = None
        """Of the last burst; with the comparison when there was one."""
        self.almost_still = False
        """Hardly anything has changed for `still_s`: a remark for the screen, since an empty room is still too."""

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
        self._notice_stillness(small, at_s)
        self._frames.append(small)
        self._seen += 1
        unchanged_s = at_s - self._unchanged_since
        burst = replace(measure(list(self._frames)), unchanged_s=unchanged_s)
        self._alone.add(judge(burst, self._thresholds))
        if self._reference is not None and self._seen % self._burst == 0:
            burst = replace(measure(list(self._frames), self._reference), unchanged_s=unchanged_s)
            self._compared.add(judge(burst, self._thresholds))
        self.measures = burst
        return self.state

    def _notice_stillness(self, small: Frame, at_s: float) -> None:
        step = float(np.mean(cv2.absdiff(self._frames[-1], small))) if self._frames else None
        if step is None or step >= self._thresholds.still_difference or self._still_since is None:
            self._still_since = at_s
        self.almost_still = at_s - self._still_since >= self._thresholds.still_s
