"""Drives to copy between: a plain folder, or a throttled disk of its own.

A throttled disk is a file behind a loop device (direct I/O, so nothing is cached below it) with ext4, limited by the
kernel's block throttle: the root group of cgroup v1's `blkio` controller, which limits whoever reads or writes the
device, writeback and sync included. A group of cgroup v2 limits only its own members, and its root knows no limit.

Everything is undone by the stack it was made on. The mounts live in a mount namespace of this program (see
`in_own_namespace`) and the backing file has no name any more, so that a program killed outright leaves neither behind,
only a limit on a loop device that nobody uses.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Drive", "in_own_namespace", "throttled_drive", "undone", "why_not_throttled"]

MIB = 1 << 20
SECTOR = 512
MARK = "EXAM_KIT_BENCH_NAMESPACE"
PROGRAMS = ("losetup", "mkfs.ext4", "mount", "umount", "unshare", "dd")


@dataclass(frozen=True)
class Drive:
    """Where files lie. `block` is the device's name below /sys/block when nothing else lies on it."""

    folder: Path
    block: str = ""

    def read_bytes(self) -> int | None:
        """Bytes read from the device so far; None when others use it too."""
        if not self.block:
            return None
        return int(Path(f"/sys/block/{self.block}/stat").read_text().split()[2]) * SECTOR


def _throttle() -> Path | None:
    """The root group of the blkio controller, where this kernel has it mounted."""
    for line in Path("/proc/mounts").read_text().splitlines():
        _device, place, kind, options = line.split()[:4]
        if kind == "cgroup" and "blkio" in options.split(","):
            folder = Path(place)
            if (folder / "blkio.throttle.read_bps_device").exists():
                return folder
    return None


def why_not_throttled() -> str:
    """The reason no throttled drive can be made here; empty when it can."""
    if not sys.platform.startswith("linux") or os.geteuid() != 0:
        return "needs root on Linux, for loop devices and the kernel's block throttle"
    lacking = [program for program in PROGRAMS if shutil.which(program) is None]
    if lacking:
        return f"{', '.join(lacking)} not found"
    return "" if _throttle() else "no cgroup v1 blkio controller is mounted here"


def in_own_namespace() -> None:
    """Start this program again with mounts of its own; returns when that is so already."""
    if os.environ.get(MARK):
        return
    again = [*sys.orig_argv[1:]]
    os.execvpe(
        "unshare",
        ["unshare", "--mount", "--propagation", "private", sys.executable, *again],
        {**os.environ, MARK: "1"},
    )


@contextmanager
def undone() -> Iterator[ExitStack]:
    """A stack that is undone at the end whatever happens; no signal interrupts the undoing."""
    stack = ExitStack()
    try:
        yield stack
    finally:
        signals = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
        kept = [signal.signal(number, signal.SIG_IGN) for number in signals]
        try:
            stack.close()
        finally:
            for number, handler in zip(signals, kept, strict=True):
                signal.signal(number, handler)


def throttled_drive(stack: ExitStack, folder: Path, name: str, size: int, read_bps: int, write_bps: int) -> Drive:
    """A mounted ext4 of `size` bytes under `folder`; 0 bytes per second is no limit. Undone by `stack`."""
    if not os.environ.get(MARK):
        raise RuntimeError("mounts are made in the program's own namespace only")
    image, mounted = folder / f"{name}.img", folder / name
    # Written in full: a hole would be filled while the copy is timed.
    _run("dd", "if=/dev/zero", f"of={image}", f"bs={MIB}", f"count={size // MIB}", "oflag=direct")
    mounted.mkdir()
    with ExitStack() as undo:
        device = _run("losetup", "--direct-io=on", "--find", "--show", str(image)).strip()
        undo.callback(_run, "losetup", "--detach", device)
        _run("mkfs.ext4", "-q", "-m", "0", "-E", "nodiscard,lazy_itable_init=0,lazy_journal_init=0", device)
        _run("mount", "-t", "ext4", device, str(mounted))
        stack.callback(_run, "umount", str(mounted))
    # Detached while in use: the kernel lets go of it with the last mount. The same for the file.
    image.unlink()
    block = Path(device).name
    number = Path(f"/sys/block/{block}/dev").read_text().strip()
    for way, rate in (("read", read_bps), ("write", write_bps)):
        _limit(stack, number, way, rate)
    return Drive(mounted, block)


def _limit(stack: ExitStack, number: str, way: str, rate: int) -> None:
    group = _throttle()
    if group is None:
        raise RuntimeError("no cgroup v1 blkio controller is mounted here")
    if rate:
        rule = group / f"blkio.throttle.{way}_bps_device"
        stack.callback(rule.write_text, f"{number} 0\n")
        rule.write_text(f"{number} {rate}\n")


def _run(*argv: str) -> str:
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(argv)}: {done.stderr.strip()}")
    return done.stdout
