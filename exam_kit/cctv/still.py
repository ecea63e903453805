"""One picture out of a JPEG, for those who look at a part of it."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["grey"]


def grey(jpeg: bytes) -> NDArray[np.uint8] | None:
    """The picture's brightness, H×W, 0 to 255; None when these bytes are no picture."""
    if not jpeg:
        return None
    picture = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_GRAYSCALE)
    return None if picture is None else np.asarray(picture, dtype=np.uint8)
