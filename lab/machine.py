"""A small virtual machine: Debian's kernel in QEMU, this computer's files read-only as its root, two disks of its own.

Anything may be done to its file systems, and it needs no rights here. QEMU emulates the processor, so that it runs on
every computer in the same way; Python is some ten times as slow inside.
"""

from __future__ import annotations

import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from lab import kernel

__all__ = ["MachineFault", "missing", "run"]

REPOSITORY = Path(__file__).resolve().parents[1]
QEMU = "qemu-system-x86_64"
MEMORY_MB = 1536


class MachineFault(Exception):
    """The machine did not do its work; the text says what its console said last."""


def missing() -> str:
    """Why there can be no machine here; empty when there can."""
    if shutil.which(QEMU) is None:
        return "no qemu-system-x86_64 (Debian: apt-get install qemu-system-x86)"
    if kernel.find() is None:
        return "no kernel for the lab (python -m lab.power fetch)"
    return ""


def run(
    module: str,
    arguments: Sequence[str],
    work: Path,
    disks: Sequence[Path],
    *,
    timeout_s: float,
    environment: Mapping[str, str] | None = None,
) -> None:
    """Run ``python -m module arguments`` inside; `work` is its ``/run/lab``, `disks` are its ``/dev/vda``, ``vdb``, ….

    Raises:
        MachineFault: it did not end well, or not within `timeout_s`.
    """
    found = kernel.find()
    if found is None:
        raise MachineFault(missing())
    boot = work / "initramfs"
    boot.write_bytes(kernel.initramfs(found))
    exit_code = work / "exit-code"
    exit_code.unlink(missing_ok=True)
    command = shlex.join([sys.executable, "-m", module, *arguments])
    exports = "".join(f"export {name}={shlex.quote(value)}\n" for name, value in (environment or {}).items())
    (work / "start.sh").write_text(
        "export PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/run/tmp TMPDIR=/run/tmp LC_ALL=C.UTF-8\n"
        "export PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1\n"
        f"{exports}cd {shlex.quote(str(REPOSITORY))}\n{command} 2>&1\necho $? > /run/lab/exit-code\n"
    )
    line = [QEMU, "-nodefaults", "-no-reboot", "-display", "none", "-m", str(MEMORY_MB), "-smp", "2"]
    line += ["-accel", "tcg,thread=multi", "-cpu", "max"]
    line += ["-kernel", str(found.image), "-initrd", str(boot), "-append", "console=ttyS0 quiet panic=-1 loglevel=3"]
    line += ["-serial", f"file:{work / 'console.txt'}"]
    for tag, path, options in (("host", Path("/"), ",readonly=on"), ("work", work, "")):
        line += ["-fsdev", f"local,id={tag},path={path},security_model=none,multidevs=remap{options}"]
        line += ["-device", f"virtio-9p-pci,fsdev={tag},mount_tag={tag}"]
    for disk in disks:
        # Nothing here depends on what this computer does with the bytes: the log says what was flushed when.
        line += ["-drive", f"file={disk},format=raw,if=virtio,cache=unsafe"]
    try:
        done = subprocess.run(line, capture_output=True, text=True, timeout=timeout_s, check=False)
    except subprocess.TimeoutExpired:
        raise MachineFault(f"not done after {timeout_s:.0f} s\n{_console(work)}") from None
    if done.returncode or not exit_code.exists() or exit_code.read_text().strip() != "0":
        raise MachineFault(f"{done.stderr}{_console(work)}")


def _console(work: Path) -> str:
    console = work / "console.txt"
    return console.read_text(errors="replace")[-3000:] if console.exists() else ""
