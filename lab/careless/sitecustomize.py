"""On the path of a careless run: this Python and its children do not wait for the disk, so the lab must find losses."""

from __future__ import annotations

import os


def _forgotten(fd: object) -> None:
    """Nothing reaches the disk by this."""


for name in ("fsync", "fdatasync"):
    setattr(os, name, _forgotten)
