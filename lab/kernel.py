"""A kernel for the lab's machine, from the packages of the operating system, and the small root it starts from."""

from __future__ import annotations

import os
import re
import stat
import subprocess
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Kernel", "cache_folder", "fetch", "find", "initramfs"]

BOOT_MODULES = (
    "virtio_pci", "virtio_blk", "9pnet_virtio", "9p", "dm-log-writes", "dm-flakey", "dm-delay", "loop",
    "ext4", "vfat", "exfat", "crc32c_generic", "nls_utf8", "nls_ascii", "nls_cp437",
)  # fmt: skip
FLAVOUR = "linux-image-amd64"

INIT = """#!/bin/sh
export PATH=/bin
busybox mount -t proc none /proc
for one in $(busybox cat /modules.list); do busybox insmod /modules/$one.ko || echo "lab: no module $one"; done
share=trans=virtio,version=9p2000.L,msize=512000
busybox mount -t 9p -o $share,ro,cache=loose host /host || echo "lab: no host"
busybox mount -t proc none /host/proc
busybox mount -t sysfs none /host/sys
busybox mount -t devtmpfs none /host/dev
busybox mount -t tmpfs none /host/run
busybox mkdir -p /host/run/lab /host/run/tmp /host/dev/shm
busybox mount -t tmpfs none /host/dev/shm
busybox mount -t 9p -o $share,cache=none work /host/run/lab || echo "lab: no work folder"
busybox ip link set lo up
busybox chroot /host /bin/sh /run/lab/start.sh
busybox sync
busybox poweroff -f
"""


@dataclass(frozen=True)
class Kernel:
    """Files of one kernel: its image, its modules' folder and a static busybox."""

    image: Path
    modules: Path
    busybox: Path


def cache_folder() -> Path:
    """Where the unpacked kernel is kept between runs."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "exam-kit-lab"


def find(folder: Path | None = None) -> Kernel | None:
    """The kernel that was fetched; None when there is none."""
    root = folder or cache_folder()
    images = sorted(root.glob("boot/vmlinuz-*"))
    busybox = root / "bin/busybox"
    if not images or not busybox.exists():
        return None
    version = images[-1].name.removeprefix("vmlinuz-")
    return Kernel(images[-1], root / "lib/modules" / version, busybox)


def fetch(folder: Path | None = None) -> Kernel:
    """Download the distribution's current kernel and busybox and unpack them; nothing is installed.

    Raises:
        subprocess.CalledProcessError: apt-get cannot do it.
    """
    root = folder or cache_folder()
    root.mkdir(parents=True, exist_ok=True)
    said = subprocess.run(["apt-cache", "depends", FLAVOUR], check=True, capture_output=True, text=True).stdout
    (image,) = re.findall(r"Depends: (linux-image-\S+)", said)[:1]
    for package in (image, "busybox-static"):
        for old in root.glob(f"{package}_*.deb"):
            old.unlink()
        subprocess.run(["apt-get", "download", "-q", package], check=True, cwd=root, stdout=subprocess.DEVNULL)
        (deb,) = root.glob(f"{package}_*.deb")
        subprocess.run(["dpkg-deb", "-x", deb, root], check=True)
        deb.unlink()
    found = find(root)
    if found is None:
        raise FileNotFoundError(f"{root}: the packages hold no kernel or no busybox")
    return found


def initramfs(kernel: Kernel) -> bytes:
    """A cpio archive (newc, see the kernel's early-userspace/buffer-format) that brings the machine to its work."""
    ordered = _in_order(kernel.modules, BOOT_MODULES)
    entries: list[tuple[str, int, bytes]] = [
        (name, stat.S_IFDIR | 0o755, b"") for name in ("bin", "dev", "host", "modules", "proc")
    ]
    entries.append(("init", stat.S_IFREG | 0o755, INIT.encode()))
    entries.append(("bin/busybox", stat.S_IFREG | 0o755, kernel.busybox.read_bytes()))
    entries.append(("bin/sh", stat.S_IFLNK | 0o777, b"busybox"))
    entries.append(("modules.list", stat.S_IFREG | 0o644, "\n".join(path.stem for path in ordered).encode()))
    entries += [(f"modules/{path.name}", stat.S_IFREG | 0o644, path.read_bytes()) for path in ordered]
    return b"".join(_cpio(*entry) for entry in [*entries, ("TRAILER!!!", 0, b"")])


def _in_order(folder: Path, wanted: tuple[str, ...]) -> list[Path]:
    """Module files, each after those it depends on; what is built into the kernel has no file and is left out."""
    files = {path.stem.replace("-", "_"): path for path in folder.rglob("*.ko")}
    order: list[Path] = []

    def add(name: str) -> None:
        path = files.get(name.replace("-", "_"))
        if path is None or path in order:
            return
        said = re.search(rb"\0depends=([^\0]*)\0", b"\0" + path.read_bytes())
        for needed in said[1].decode().split(",") if said else []:
            add(needed)
        order.append(path)

    for name in wanted:
        add(name)
    return order


def _cpio(name: str, mode: int, data: bytes) -> bytes:
    text = name.encode() + b"\0"
    fields = (0, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(text), 0)
    head = b"070701" + b"".join(b"%08X" % field for field in fields) + text
    return head + b"\0" * (-len(head) % 4) + data + b"\0" * (-len(data) % 4)
