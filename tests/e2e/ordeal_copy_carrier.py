"""A carrier in a file: a loop device with a file system, if wanted behind the device mapper, which can be made to fail.

Everything it makes (mount, mapping, loop device) is undone when its block ends, also when it ends badly; all paths lie
in a temporary folder, which is asserted.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import shutil
import struct
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

from lab.logged_disk import OPTIONS
from lab.trial import MKFS

__all__ = ["Carrier", "why_not"]

EXT4_IOC_SHUTDOWN = 0x8004587D
"""include/uapi/linux/ext4.h: ``_IOR('X', 125, __u32)``; 2 is NOLOGFLUSH, what the kernel does when a device is gone."""
SECTOR = 512
CHUNK = 64


def why_not(file_system: str, *, mapped: bool) -> str:
    """Why there can be no such carrier on this computer; empty when there can."""
    if os.name == "nt" or os.geteuid() != 0:
        return "loop devices and mounts need root on Linux"
    if not Path("/dev/loop-control").exists():
        return "this kernel has no loop devices"
    if shutil.which(MKFS[file_system][0]) is None:
        return f"{MKFS[file_system][0]} is not installed"
    if not _knows(file_system):
        return f"this kernel has no {file_system}"
    if mapped and subprocess.run(["dmsetup", "version"], capture_output=True).returncode:
        return "this kernel has no device mapper"
    return ""


class Carrier:
    """`mount` is where it is mounted. Use as a context manager; it begins mounted and empty."""

    def __init__(self, folder: Path, file_system: str, size_mb: int = 48, *, mapped: bool = False) -> None:
        temporary = Path(tempfile.gettempdir()).resolve()
        assert folder.resolve() != temporary and folder.resolve().is_relative_to(temporary), folder
        self.file_system, self.mapped = file_system, mapped
        self.mount, self.image = folder / "carrier", folder / "carrier.img"
        self._filler = self.mount / "filler"
        self._size = size_mb << 20
        self._name = f"ordeal-{os.getpid()}-{id(self)}"
        self._loop = self._device = ""

    def __enter__(self) -> Carrier:
        self.mount.mkdir(parents=True, exist_ok=True)
        with self.image.open("wb") as image:
            image.truncate(self._size)
        reserve = ["-m", "0"] if self.file_system == "ext4" else []
        _do(*MKFS[self.file_system], *reserve, str(self.image))
        try:
            self._loop = self._device = _do("losetup", "--find", "--show", str(self.image)).strip()
            if self.mapped:
                _do("dmsetup", "create", self._name, "--table", self._linear())
                self._device = f"/dev/mapper/{self._name}"
            self.plug_in()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, _k: type[BaseException] | None, _p: BaseException | None, _t: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Undo everything, however far it came."""
        if self.mount.is_mount():
            subprocess.run(["umount", "-l", str(self.mount)], capture_output=True)
        if self._device != self._loop:
            for _try in range(50):  # an I/O that is under way holds it for a moment
                if not subprocess.run(["dmsetup", "remove", "--force", self._name], capture_output=True,
                                      env=_environment()).returncode:  # fmt: skip
                    break
                time.sleep(0.1)
        if self._loop:
            subprocess.run(["losetup", "-d", self._loop], capture_output=True)
        self._loop = self._device = ""
        self.image.unlink(missing_ok=True)

    # What people do to it.

    def plug_in(self) -> None:
        options = ",".join(["rw", *OPTIONS.get(self.file_system, ())])
        _do("mount", "-t", self.file_system, "-o", options, self._device, str(self.mount))

    def pull(self) -> None:
        """Away from its place at once, as the system does it when the device is gone; nothing is written any more
        that is opened anew."""
        _do("umount", "-l", str(self.mount))

    def put_back(self) -> None:
        """Unplugged for good, and plugged in again: whatever had been done to it is over."""
        if self.mount.is_mount():
            deadline = time.monotonic() + 20
            while subprocess.run(["umount", str(self.mount)], capture_output=True).returncode:
                assert time.monotonic() < deadline, f"{self.mount} is still in use"
                time.sleep(0.05)
        if self.mapped:
            self.table(self._linear())
        self.plug_in()

    def fill(self) -> None:
        """Not a byte is left."""
        with contextlib.suppress(OSError), self._filler.open("ab", buffering=0) as filler:
            for size in (1 << 20, 4096, 512, 1):
                try:
                    while True:
                        filler.write(bytes(size))
                except OSError as problem:
                    if problem.errno != errno.ENOSPC:
                        raise

    def free(self) -> None:
        self._filler.unlink(missing_ok=True)

    def read_only(self) -> None:
        _do("mount", "-o", "remount,ro", str(self.mount))

    def abort(self) -> None:
        """ext4 finds itself damaged and allows no more writing."""
        _do("mount", "-o", "remount,abort", str(self.mount))

    def shut_down(self) -> None:
        """ext4 learns that its device is gone: nothing can be read or written any more."""
        fd = os.open(self.mount, os.O_RDONLY)
        try:
            fcntl.ioctl(fd, EXT4_IOC_SHUTDOWN, struct.pack("I", 2))
        finally:
            os.close(fd)

    # What happens on the medium.

    def flip(self, source: Path, offset: int) -> bool:
        """One bit of the copy of `source`, at the byte `offset`, in the file behind the device. False: not found."""
        place = self._place(source, offset)
        if place < 0:
            return False
        with self.image.open("r+b", buffering=0) as image:
            image.seek(place)
            (byte,) = image.read(1)
            image.seek(place)
            image.write(bytes([byte ^ 1]))
        return True

    def bad_sectors(self, source: Path, offset: int) -> bool:
        """The medium cannot be read or written around the byte `offset` of the copy of `source`. False: not found."""
        place = self._place(source, offset)
        if place < 0:
            return False
        first, last = place // 4096 * 8, self._size // SECTOR
        self.table(
            f"0 {first} linear {self._loop} 0\n{first} 8 error\n"
            f"{first + 8} {last - first - 8} linear {self._loop} {first + 8}\n"
        )
        return True

    def fail_everything(self) -> None:
        self.table(f"0 {self._size // SECTOR} error\n")

    def fail_writes(self) -> None:
        self.table(f"0 {self._size // SECTOR} flakey {self._loop} 0 0 3600 1 error_writes\n")

    def drop_writes(self) -> None:
        """It says that it wrote, and did not: a stick with less memory than it claims."""
        self.table(f"0 {self._size // SECTOR} flakey {self._loop} 0 0 3600 1 drop_writes\n")

    def slow_down(self, delay_ms: int) -> None:
        self.table(f"0 {self._size // SECTOR} delay {self._loop} 0 {delay_ms}\n")

    def table(self, text: str) -> None:
        """Put another mapping in; I/O that waits is not let through first."""
        _do("dmsetup", "suspend", "--noflush", "--nolockfs", self._name)
        _do("dmsetup", "load", self._name, text=text)
        _do("dmsetup", "resume", self._name)

    def _linear(self) -> str:
        return f"0 {self._size // SECTOR} linear {self._loop} 0\n"

    def _place(self, source: Path, offset: int) -> int:
        """Where this byte of a copy lies in the image: its neighbours are random, so they are there once."""
        start = offset // CHUNK * CHUNK
        with source.open("rb") as file:
            file.seek(start)
            wanted = file.read(CHUNK)
            # What was read here must not be in memory when the copy reads it.
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        found = self.image.read_bytes().find(wanted)
        return found + offset - start if found >= 0 else -1


def _knows(file_system: str) -> bool:
    def listed() -> bool:
        return file_system in Path("/proc/filesystems").read_text().split()

    return listed() or (subprocess.run(["modprobe", file_system], capture_output=True).returncode == 0 and listed())


def _environment() -> dict[str, str]:
    """Where there is no udev, dmsetup makes the device's node itself."""
    return {**os.environ, **({} if Path("/run/udev/control").exists() else {"DM_DISABLE_UDEV": "1"})}


def _do(*command: str, text: str = "") -> str:
    done: Sequence[str] = command
    said = subprocess.run(done, input=text, capture_output=True, text=True, env=_environment())
    if said.returncode:
        raise RuntimeError(f"{' '.join(command)}: {said.stderr.strip()}")
    return said.stdout
