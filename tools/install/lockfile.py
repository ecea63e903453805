"""Reading a lock file, for this machine or for another one.

`pip download --platform` evaluates the environment markers of the machine it runs on, so a Windows-only package would
be left out of wheels gathered on Linux. Markers are therefore evaluated here, for the target, by pip's own copy of
`packaging`: run this module with a Python that has pip, ``python -m tools.install.lockfile LOCK [PLATFORM PYTHON]``.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

__all__ = ["PLATFORMS", "Pin", "Platform", "needed", "read_lock", "target_environment"]


@dataclass(frozen=True)
class Pin:
    """One locked package: where it applies (a marker, or "" for everywhere) and the hashes its files may have."""

    name: str
    version: str
    marker: str
    hashes: tuple[str, ...]

    def line(self) -> str:
        """The requirement without its marker."""
        return " ".join([f"{self.name}=={self.version}", *(f"--hash={value}" for value in self.hashes)])


@dataclass(frozen=True)
class Platform:
    """A kind of machine: what markers see of it, and the wheel tags it takes, the most widely usable first."""

    os_name: str
    sys_platform: str
    system: str
    machine: str
    tags: tuple[str, ...]


def _manylinux(machine: str) -> tuple[str, ...]:
    # glibc 2.35 is Ubuntu 22.04's, older than Debian 12's; an older tag is taken first where a package offers it.
    return (f"manylinux2014_{machine}", *(f"manylinux_2_{minor}_{machine}" for minor in range(17, 36)))


PLATFORMS = {
    "win_amd64": Platform("nt", "win32", "Windows", "AMD64", ("win_amd64",)),
    "linux_x86_64": Platform("posix", "linux", "Linux", "x86_64", _manylinux("x86_64")),
    "linux_aarch64": Platform("posix", "linux", "Linux", "aarch64", _manylinux("aarch64")),
}

_PIN = re.compile(r"^(?P<name>[A-Za-z0-9._-]+)==(?P<version>[^\s;\\]+)\s*(?:;\s*(?P<marker>[^\\]+?))?\s*\\?$")


def read_lock(path: Path) -> list[Pin]:
    """The pins of a lock file as `uv pip compile --generate-hashes` writes it.

    Raises:
        ValueError: a line is neither a pin, a hash nor a comment.
    """
    pins: list[Pin] = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        words = line.strip()
        if not words or words.startswith("#"):
            continue
        if words.startswith("--hash=") and pins:
            last = pins.pop()
            value = words.removesuffix("\\").strip().removeprefix("--hash=")
            pins.append(Pin(last.name, last.version, last.marker, (*last.hashes, value)))
            continue
        found = _PIN.match(words)
        if found is None:
            raise ValueError(f"{path}: line {number} is not a pin: {words}")
        pins.append(Pin(found["name"], found["version"], found["marker"] or "", ()))
    return pins


def target_environment(platform: str, python: str) -> dict[str, str]:
    """The markers' environment of CPython `python` ("3.12") on `platform`, a key of `PLATFORMS`."""
    machine = PLATFORMS[platform]
    return {
        "os_name": machine.os_name,
        "sys_platform": machine.sys_platform,
        "platform_system": machine.system,
        "platform_machine": machine.machine,
        "implementation_name": "cpython",
        "platform_python_implementation": "CPython",
        "python_version": python,
        "python_full_version": f"{python}.0",
        "implementation_version": f"{python}.0",
        "platform_release": "",
        "platform_version": "",
        "extra": "",
    }


def needed(pins: Iterable[Pin], environment: dict[str, str] | None = None) -> list[Pin]:
    """The pins whose marker holds in `environment`, or on this machine. Needs pip."""
    from pip._vendor.packaging.markers import Marker  # type: ignore[import-untyped, unused-ignore]

    return [pin for pin in pins if not pin.marker or Marker(pin.marker).evaluate(environment)]


if __name__ == "__main__":
    lock, *target = sys.argv[1:]
    for chosen in needed(read_lock(Path(lock)), target_environment(*target) if target else None):
        print(chosen.line())
