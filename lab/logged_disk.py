"""Inside the machine: a disk whose writes are logged, and marks in that log."""

from __future__ import annotations

import fcntl
import os
import struct
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path

__all__ = ["OPTIONS", "LoggedDisk", "marker"]

NAME = "logged"
OPTIONS = {"vfat": ("iocharset=utf8",), "exfat": ("iocharset=utf8",)}
"""Beyond the usual, by file system: how a desktop mounts a stick, with names in any script."""
_HEAD = struct.Struct("<3I I I I i I I I Q 128s 129s 7s")  # struct dm_ioctl, include/uapi/linux/dm-ioctl.h
_TARGET_MSG = (3 << 30) | (_HEAD.size << 16) | (0xFD << 8) | 14


def marker() -> Callable[[str], None]:
    """A function that notes in the log what has happened by now: at most 400 bytes, no blank. From any process."""
    control, lock = os.open("/dev/mapper/control", os.O_RDWR), threading.Lock()

    def mark(text: str) -> None:
        message = struct.pack("<Q", 0) + f"mark {text}".encode() + b"\0"
        size = _HEAD.size + len(message)
        head = _HEAD.pack(4, 0, 0, size, _HEAD.size, 0, 0, 0, 0, 0, 0, NAME.encode(), b"", b"")
        with lock:
            fcntl.ioctl(control, _TARGET_MSG, head + message + bytes(64))

    return mark


class LoggedDisk:
    """The file system of `disk`, mounted; every write goes to the log on `log` as well. Use as a context manager."""

    def __init__(self, disk: Path, log: Path, kind: str, mount: Path) -> None:
        self._mount = mount
        sectors = int(Path(f"/sys/class/block/{disk.name}/size").read_text())
        _do("dmsetup", "create", NAME, "--table", f"0 {sectors} log-writes {disk} {log}")
        mount.mkdir(parents=True, exist_ok=True)
        _do("mount", "-t", kind, "-o", ",".join(["rw", *OPTIONS.get(kind, ())]), f"/dev/mapper/{NAME}", str(mount))

    def close(self) -> None:
        """Unmount; what the log held back is written."""
        _do("umount", str(self._mount))
        _do("dmsetup", "remove", NAME)

    def __enter__(self) -> LoggedDisk:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_more: object) -> None:
        if kind is None:  # else the work's own files may still be open; the machine ends anyway
            self.close()


def _do(*command: str) -> None:
    # There is no udev in the machine: dmsetup makes the device's node itself.
    subprocess.run(command, check=True, env={**os.environ, "DM_DISABLE_UDEV": "1"})
