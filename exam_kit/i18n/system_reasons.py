"""What the operating system says when it refuses, so that it can be said in the reader's language."""

from __future__ import annotations

from exam_kit.i18n import N_

__all__ = ["SYSTEM_REASONS"]

SYSTEM_REASONS = frozenset(
    (
        N_("No such file or directory"),
        N_("Permission denied"),
        N_("Operation not permitted"),
        N_("No space left on device"),
        N_("Input/output error"),
        N_("Read-only file system"),
        N_("Not a directory"),
        N_("Is a directory"),
        N_("File exists"),
        N_("Directory not empty"),
        N_("Device or resource busy"),
        N_("No such device"),
        N_("No such device or address"),
        N_("File name too long"),
        N_("File too large"),
        N_("Disk quota exceeded"),
        N_("Too many open files"),
        N_("Cannot allocate memory"),
        N_("Stale file handle"),
        N_("Transport endpoint is not connected"),
        N_("Invalid argument"),
        N_("Structure needs cleaning"),
        N_("Connection refused"),
        N_("Connection reset by peer"),
        N_("Connection timed out"),
        N_("Network is unreachable"),
        N_("No route to host"),
        N_("Broken pipe"),
        N_("Address already in use"),
    )
)
"""As `os.strerror` words them on Linux; others are shown as they are."""
