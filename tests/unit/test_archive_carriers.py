"""What carriers cannot hold, and what the system tells of them."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from exam_kit.archive import verify_bag
from exam_kit.archive.act import Carrier
from exam_kit.archive.carrier_limits import cannot_hold
from exam_kit.archive.destinations import _sys_serial
from exam_kit.archive.faults import destination_error
from exam_kit.archive.sink import CopyTask
from exam_kit.clock import FakeClock
from exam_kit.home import Home
from exam_kit.point import Point
from exam_kit.store import Ledger, Store
from tests.archive_day import archive, cancelled_after, record

GIB4 = 2**32


@pytest.mark.parametrize(
    ("filesystem", "name", "size", "said"),
    [
        ("vfat", "a.mp4", GIB4 - 1, None),
        ("vfat", "a.mp4", GIB4, "larger than 4 GiB"),
        ("exfat", "a.mp4", GIB4, None),
        ("ext4", "a.mp4", GIB4, None),
        ("vfat", "запись 1.mp4", 1, None),
        ("vfat", "a.mp4.", 1, "cannot hold this name"),
        ("exfat", "a ", 1, "cannot hold this name"),
        ("vfat", "12:30.mp4", 1, "cannot hold this name"),
        ("ntfs3", "what?.mp4", 1, "cannot hold this name"),
        ("exfat", "tab\there", 1, "cannot hold this name"),
        ("ext4", "12:30.mp4.", 1, None),
        ("ext4", "я" * 125, 1, None),
        ("ext4", "я" * 126, 1, "cannot hold this name"),
        ("vfat", "я" * 126, 1, None),
        ("vfat", "я" * 251, 1, "cannot hold this name"),
    ],
)
def test_what_a_file_system_cannot_hold(filesystem: str, name: str, size: int, said: str | None) -> None:
    task = CopyTask(f"data/room/{name}", Path("/source") / name, size, "0" * 64)
    found = cannot_hold(task, Carrier("removable", "/media/stick", filesystem))
    assert (said is None and found is None) or (said is not None and said in str(found))


@pytest.mark.parametrize("number", [errno.EIO, errno.EROFS])
def test_a_drive_that_was_pulled_is_not_called_write_protected(
    number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    problem = OSError(number, os.strerror(number))
    devices = tmp_path / "block"
    devices.mkdir()
    device = tmp_path.stat().st_dev
    if os.major(device) == 0:
        pytest.skip("the temporary folder lies on no block device")
    monkeypatch.setattr("exam_kit.archive.faults.BLOCK_DEVICES", devices)
    assert "carrier is gone" in str(destination_error(problem, tmp_path, 3))
    (devices / f"{os.major(device)}:{os.minor(device)}").mkdir()
    said = str(destination_error(problem, tmp_path, 3))
    assert "carrier is gone" not in said and os.strerror(number) in said


def test_the_serial_number_is_the_drives_or_that_of_its_usb_device(tmp_path: Path) -> None:
    usb = tmp_path / "devices" / "usb1" / "1-1"
    partition = usb / "1-1:1.0" / "host0" / "block" / "sda" / "sda1"
    partition.mkdir(parents=True)
    (usb / "idVendor").write_text("abcd\n")
    (usb.parent / "serial").write_text("0000:00:14.0\n")  # the hub's
    assert _sys_serial(partition) == ""
    (usb / "serial").write_text("0123AB\n")
    assert _sys_serial(partition) == "0123AB"
    (partition.parent / "device").mkdir()
    (partition.parent / "device" / "serial").write_text("S4EVNX0\n")
    assert _sys_serial(partition) == "S4EVNX0"
    assert _sys_serial(None) == ""


def test_a_drive_put_back_goes_on_although_it_is_mounted_elsewhere(
    home: Home, store: Store, ledger: Ledger, point: Point, clock: FakeClock, tmp_path: Path
) -> None:
    record(store, ledger, home)
    first, second = tmp_path / "usb", tmp_path / "usb1"
    with cancelled_after(2) as cancelled:
        result = archive(store, ledger, home, point, first, clock, cancelled=cancelled)
    assert result.state == "cancelled"
    first.rename(second)
    again = archive(store, ledger, home, point, second, clock)
    assert (again.job, again.copy, again.files) == (result.job, 1, 6)
    assert again.bag is not None and again.bag.parent == second and verify_bag(again.bag).outcome == "whole"
    assert archive(store, ledger, home, point, first, clock).copy == 2
