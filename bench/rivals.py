"""Getting what the kit is compared with: into a cache folder, by the machine's own package tools, nothing installed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

__all__ = ["ascmhl", "bagit", "goss", "testinfra"]

SUITE = "sid"


def goss(cache: Path) -> Path:
    """The program of Debian's package, unpacked into the cache."""
    program = cache / "goss" / "usr" / "bin" / "goss"
    if program.exists():
        return program
    apt = cache / "apt"
    for folder in ("lists/partial", "archives/partial"):
        (apt / folder).mkdir(parents=True, exist_ok=True)
    (apt / "sid.list").write_text(f"deb [{_signed()}] {_mirror()} {SUITE} main\n")
    options = {
        "Dir::Etc::sourcelist": apt / "sid.list",
        "Dir::Etc::sourceparts": "-",
        "Dir::State::lists": apt / "lists",
        "Dir::Cache::archives": apt / "archives",
        "Dir::Cache::pkgcache": "",
        "Dir::Cache::srcpkgcache": "",
        "APT::Get::List-Cleanup": "0",
    }
    given = [part for name, value in options.items() for part in ("-o", f"{name}={value}")]
    subprocess.run(["apt-get", *given, "-q", "update"], check=True, stdout=subprocess.DEVNULL)
    subprocess.run(["apt-get", *given, "-q", "download", "goss"], check=True, stdout=subprocess.DEVNULL, cwd=apt)
    package = next(apt.glob("goss_*.deb"))
    subprocess.run(["dpkg", "-x", str(package), str(cache / "goss")], check=True)
    return program


def _mirror() -> str:
    """The archive this machine's own apt takes Debian from; its security archive has no other suites."""
    told = subprocess.run(
        ["apt-get", "indextargets", "--format", "$(REPO_URI) $(CODENAME)", "Origin: Debian"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    for line in told.splitlines():
        address, _space, suite = line.rpartition(" ")
        if address and "security" not in f"{address}{suite}":
            return address
    raise SystemExit("apt knows no archive of Debian here; run 'apt-get update' first")


def _signed() -> str:
    keys = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
    return f"signed-by={keys}" if keys.exists() else ""


def testinfra(cache: Path) -> Path:
    """The pytest of an environment that has pytest-testinfra and nothing else."""
    return _own(cache, "testinfra", "pytest-testinfra", "pytest")


def bagit(cache: Path) -> Path:
    """The Library of Congress's `bagit.py`."""
    return _own(cache, "bagit", "bagit==1.9.0", "bagit.py")


def ascmhl(cache: Path) -> Path:
    """The media industry's hash lists, by their reference tool."""
    return _own(cache, "ascmhl", "ascmhl==1.2", "ascmhl")


def _own(cache: Path, name: str, package: str, program: str) -> Path:
    """The program of a package that has an environment to itself."""
    found = cache / name / "bin" / program
    if not found.exists():
        subprocess.run([sys.executable, "-m", "venv", str(cache / name)], check=True)
        pip = [str(cache / name / "bin" / "python"), "-m", "pip", "-q", "install"]
        subprocess.run([*pip, package], check=True)
    return found
