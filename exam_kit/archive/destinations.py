"""The carriers a copy can go to: what kind, which file system, how much is free, which serial number."""

from __future__ import annotations

import os
from collections.abc import Hashable, Sequence
from pathlib import Path

import psutil

from exam_kit.archive.act import Carrier
from exam_kit.archive.stores import store_of
from exam_kit.errors import ArchiveError, UsageError, m
from exam_kit.home import Home
from exam_kit.point import Point

__all__ = ["carrier_at", "carriers", "ready_destination", "refuse_same"]

_NETWORK = {"nfs", "nfs4", "cifs", "smb3", "smbfs", "fuse.sshfs", "davfs", "9p"}
_SYSTEM = {"squashfs", "iso9660", "udf", "tmpfs", "ramfs", "devtmpfs"}
"""What is mounted where drives are, and is none that can be carried away: images, memory."""
_MEDIA = ("/media/", "/run/media/", "/mnt/", "/Volumes/")


def carrier_at(path: Path, seal: str = "") -> Carrier:
    """The carrier that holds `path`; what the system does not tell stays empty."""
    part = _partition(path)
    usage = psutil.disk_usage(str(path))
    facts = _udev(path)
    filesystem = part.fstype.lower() if part else ""
    return Carrier(
        kind=_kind(path, filesystem, part.opts if part else ""),
        path=str(path),
        filesystem=filesystem,
        device=part.device if part else "",
        serial=facts.get("ID_SERIAL_SHORT", "") or _sys_serial(_block(path)),
        label=facts.get("ID_FS_LABEL", ""),
        seal=seal,
        free_bytes=usage.free,
        total_bytes=usage.total,
    )


def carriers(home: Home) -> list[Carrier]:
    """Where a copy could go now: plugged-in and network drives first, then the kit's own `bags` folder."""
    found = []
    for part in psutil.disk_partitions(all=True):
        path = Path(part.mountpoint)
        if part.fstype.lower() in _SYSTEM or "ro" in part.opts.split(","):
            continue
        try:
            carrier = carrier_at(path)
        except OSError:
            continue  # a reader without a card, a network drive that does not answer: not a place for a copy now
        if carrier.kind != "folder" and os.access(path, os.W_OK):
            found.append(carrier)
    if home.bags.is_dir():
        found.append(carrier_at(home.bags))
    return found


def ready_destination(path: Path, home: Home) -> Path:
    """`path` made absolute, fit to be written to.

    The folder must be there already, except the kit's own: making it would hide that a drive is not plugged in.

    Raises:
        ArchiveError: it is missing, is no folder, or lies inside the footage.
    """
    if path.resolve() == home.bags.resolve():
        home.bags.mkdir(parents=True, exist_ok=True)
    if not path.is_dir():
        raise ArchiveError(
            m(
                "{destination}: there is no such folder. Plug the carrier in or make the folder, then start the "
                "archive again.",
                destination=path,
            )
        )
    place = path.resolve()
    if place.is_relative_to(home.footage.resolve()):
        raise ArchiveError(
            m(
                "{destination}: lies inside the recorder's own footage. Choose a folder elsewhere, best on another "
                "carrier.",
                destination=path,
            )
        )
    return place


def refuse_same(places: Sequence[Path | str], point: Point) -> None:
    """Two copies in one place fall with it: each destination of an order must be another folder or store.

    Raises:
        UsageError: two of them are one, by whatever names.
    """
    seen: dict[Hashable, Path | str] = {}
    for place in places:
        what = _what_is(str(place), point)
        if what in seen:
            raise UsageError(
                m(
                    "{place}: is the same place as {first}; two copies must not lie in one. Choose another place for "
                    "the second copy, or leave it out.",
                    place=place,
                    first=seen[what],
                )
            )
        seen[what] = place


def _what_is(place: str, point: Point) -> Hashable:
    """The same for all names of one place: of a folder also through links, and where its drive is mounted twice."""
    name = store_of(place)
    if name:
        known = next((one for one in point.store if one.name == name), None)
        return (known.endpoint.casefold(), known.bucket, known.prefix) if known else (name,)
    try:
        found = Path(place).stat()
    except OSError:
        return os.path.realpath(place)  # refused by itself when its turn comes
    return (found.st_dev, found.st_ino) if found.st_ino else os.path.realpath(place)


def _partition(path: Path) -> psutil._ntuples.sdiskpart | None:
    best = None
    for part in psutil.disk_partitions(all=True):
        if path.is_relative_to(part.mountpoint) and (best is None or len(part.mountpoint) >= len(best.mountpoint)):
            best = part
    return best


def _kind(path: Path, filesystem: str, options: str) -> str:
    if filesystem in _NETWORK:
        return "network"
    if "removable" in options.split(",") or any(f"{path.as_posix()}/".startswith(folder) for folder in _MEDIA):
        return "removable"
    return "removable" if _sys_removable(path) else "folder"


def _block(path: Path) -> Path | None:
    """The block device below `path` in /sys (Linux); None where there is none."""
    number = path.stat().st_dev
    if not hasattr(os, "major"):
        return None
    block = Path(f"/sys/dev/block/{os.major(number)}:{os.minor(number)}")
    return block.resolve() if block.exists() else None


def _sys_removable(path: Path) -> bool:
    block = _block(path)
    for folder in (block, block.parent) if block else ():
        flag = folder / "removable"
        if flag.is_file():
            return flag.read_text().strip() == "1"
    return False


def _sys_serial(block: Path | None) -> str:
    """The drive's own serial number, or that of the USB device it hangs on; "" when the kernel knows none."""
    for folder in (block, *block.parents) if block else ():
        for found in (folder / "serial", folder / "device" / "serial"):
            if found.is_file():
                return found.read_text(errors="replace").strip()
        if (folder / "idVendor").is_file() or folder.name == "devices":
            break  # above the USB device are hubs, with serial numbers of their own
    return ""


def _udev(path: Path) -> dict[str, str]:
    """What the system noted about the device when it was plugged in (Linux); empty elsewhere."""
    if not hasattr(os, "major"):
        return {}
    number = path.stat().st_dev
    try:
        text = Path(f"/run/udev/data/b{os.major(number)}:{os.minor(number)}").read_text(errors="replace")
    except OSError:
        return {}
    pairs = ((line[2:].split("=", 1)) for line in text.splitlines() if line.startswith("E:") and "=" in line)
    return dict(pairs)
