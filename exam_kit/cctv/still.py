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


def picture(jpeg: bytes) -> NDArray[np.uint8] | None:
    """The whole picture, H×W×3 BGR; None when these bytes are no picture."""
    if not jpeg:
        return None
    found = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    return None if found is None else np.asarray(found, dtype=np.uint8)


def edges_beside(before: bytes, now: bytes) -> bytes | None:
    """Both pictures' edges over each other as PNG: kept ones grey, lost ones red and dashed, new ones blue and solid.

    None when one of the two is no picture. The later one is brought to the earlier one's size.
    """
    old, new = grey(before), grey(now)
    if old is None or new is None:
        return None
    new = np.asarray(cv2.resize(new, (old.shape[1], old.shape[0])), dtype=np.uint8)
    old_edges, new_edges = (cv2.Canny(cv2.GaussianBlur(one, (0, 0), 1.4), 40, 100) > 0 for one in (old, new))
    near_old, near_new = (
        cv2.dilate(one.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0 for one in (old_edges, new_edges)
    )
    shown = np.full((*old.shape, 3), 255, dtype=np.uint8)
    shown[old_edges & near_new] = (170, 170, 170)
    # A dash tells lost edges from new ones where colours do not.
    rows, columns = np.indices(old.shape)
    shown[old_edges & ~near_new & ((rows + columns) // 4 % 2 == 0)] = (40, 40, 210)
    shown[new_edges & ~near_old] = (190, 90, 0)
    done, png = cv2.imencode(".png", shown)
    return png.tobytes() if done else None
