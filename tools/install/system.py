"""What the operating system must bring: venv for Python, and the libraries OpenCV is linked against."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tools.install.messages import SetupError, say
from tools.install.programs import ask, last_line

__all__ = ["Packages", "mend_libraries", "missing_libraries", "need_venv", "packages_for"]


@dataclass(frozen=True)
class Packages:
    """The packages that bring one library, by package manager."""

    apt: str
    dnf: str


# By the beginning of the library's file name.
LIBRARIES = {
    "libGL.so": Packages("libgl1", "mesa-libGL"),
    "libGLX": Packages("libglx0", "libglvnd-glx"),
    "libOpenGL": Packages("libopengl0", "libglvnd-opengl"),
    "libEGL": Packages("libegl1", "libglvnd-egl"),
    "libglib-2.0": Packages("libglib2.0-0", "glib2"),
    "libgthread-2.0": Packages("libglib2.0-0", "glib2"),
    "libgobject-2.0": Packages("libglib2.0-0", "glib2"),
    "libSM": Packages("libsm6", "libSM"),
    "libICE": Packages("libice6", "libICE"),
    "libXext": Packages("libxext6", "libXext"),
    "libXrender": Packages("libxrender1", "libXrender"),
    "libX11-xcb": Packages("libx11-xcb1", "libX11-xcb"),
    "libX11": Packages("libx11-6", "libX11"),
    "libxcb-shm": Packages("libxcb-shm0", "libxcb"),
    "libxcb-render": Packages("libxcb-render0", "libxcb"),
    "libxcb": Packages("libxcb1", "libxcb"),
    "libxkbcommon": Packages("libxkbcommon0", "libxkbcommon"),
    "libfontconfig": Packages("libfontconfig1", "fontconfig"),
    "libfreetype": Packages("libfreetype6", "freetype"),
    "libdbus-1": Packages("libdbus-1-3", "dbus-libs"),
    "libstdc++": Packages("libstdc++6", "libstdc++"),
    "libgomp": Packages("libgomp1", "libgomp"),
    "libz.so": Packages("zlib1g", "zlib"),
}
_NOT_OPENED = re.compile(r"(lib[\w.+-]+\.so[\w.]*): cannot open shared object file")
_NOT_FOUND = re.compile(r"^\s*(lib\S+) => not found", re.MULTILINE)
_LOAD = "import cv2, av"


def need_venv() -> None:
    """See that this Python can make virtual environments; as root on Debian, install what it lacks.

    Raises:
        SetupError: it cannot.
    """
    if _has_venv():
        return
    package = f"python3.{sys.version_info.minor}-venv"
    if _may_apt() and _apt_install([package]):
        importlib.invalidate_caches()
        if _has_venv():
            return
    command = f"sudo dnf install python3.{sys.version_info.minor}" if shutil.which("dnf") else _apt_line([package])
    raise SetupError("no_venv", python=_python(), command=command)


def _has_venv() -> bool:
    return all(importlib.util.find_spec(name) is not None for name in ("venv", "ensurepip"))


def mend_libraries(python: Path) -> None:
    """See that OpenCV and PyAV load; as root on Debian, install the libraries they lack.

    Raises:
        SetupError: they do not load; names every missing library and the command that brings them.
    """
    tried: set[str] = set()
    while (said := _load(python)) is not None:
        missing = missing_libraries(said, _linked(python))
        known = [name for name in missing if packages_for([name])]
        if not known:
            raise SetupError("library_unknown", reason=last_line(said), command=_command(["libgl1", "libglib2.0-0"]))
        fresh = [name for name in known if name not in tried]
        if not (fresh and _may_apt() and _apt_install(packages_for(fresh))):
            raise SetupError("library", library=", ".join(missing), command=_command(packages_for(known), known))
        tried.update(fresh)


def missing_libraries(said: str, linked: str = "") -> list[str]:
    """The file names of missing libraries, from an import's error and from `ldd`."""
    return sorted({*_NOT_OPENED.findall(said), *_NOT_FOUND.findall(linked)})


def packages_for(libraries: Sequence[str], manager: str = "apt") -> list[str]:
    """The packages that bring these libraries; a library nobody knows brings none."""
    found = []
    for library in libraries:
        prefixes = [prefix for prefix in LIBRARIES if library.startswith(prefix)]
        if prefixes:
            found.append(getattr(LIBRARIES[max(prefixes, key=len)], manager))
    return sorted(set(found))


def _load(python: Path) -> str | None:
    """None when the video libraries load, else what the import said."""
    done = ask([str(python), "-I", "-c", _LOAD])
    return None if done.returncode == 0 else done.stderr or f"exit code {done.returncode}"


def _linked(python: Path) -> str:
    """What `ldd` says of OpenCV's library, so that all that is missing is named at once and not one by one."""
    tool = shutil.which("ldd")
    libraries = sorted(python.parent.parent.glob("lib/python*/site-packages/cv2/*.so"))
    if tool is None or not libraries:
        return ""
    return ask([tool, *map(str, libraries)]).stdout


def _may_apt() -> bool:
    return os.name == "posix" and os.geteuid() == 0 and shutil.which("apt-get") is not None


def _apt_install(packages: Sequence[str]) -> bool:
    """Install `packages`, saying so; False when apt did not manage."""
    install = ["apt-get", "install", "-y", "-q", "--no-install-recommends", *packages]
    say("apt", command=" ".join(install))
    for command in (["apt-get", "update", "-q"], install):
        done = ask(command, extra={"DEBIAN_FRONTEND": "noninteractive"})
    if done.returncode != 0:
        print(last_line(done.stderr), file=sys.stderr, flush=True)
    return done.returncode == 0


def _apt_line(packages: Sequence[str]) -> str:
    return "sudo apt-get install -y " + " ".join(packages)


def _command(packages: Sequence[str], libraries: Sequence[str] = ()) -> str:
    if shutil.which("apt-get") is None and shutil.which("dnf") is not None:
        return "sudo dnf install -y " + " ".join(packages_for(libraries, "dnf") or ["mesa-libGL", "glib2"])
    return _apt_line(packages)


def _python() -> str:
    return ".".join(str(part) for part in sys.version_info[:3])
