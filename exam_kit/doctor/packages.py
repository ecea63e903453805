"""What is installed, compared with what the lock and the project say. Used by the doctor alone."""

from __future__ import annotations

import importlib.metadata
import json
import platform
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from exam_kit.home import kit_root

__all__ = ["broken_imports", "locked", "python_fits", "wrong_versions"]

LOADING_S = 120.0
"""A library that has not loaded by then hangs; a cold disk on an old laptop needs some 20 s for all of them."""

# Each import is reported on its own, so that one that ends the process (a missing CPU instruction) is named.
_LOADER = """
import importlib, json, sys, warnings
warnings.simplefilter("ignore")
for name in json.loads(sys.argv[1]):
    print(json.dumps([name, "crash"]), flush=True)
    try:
        importlib.import_module(name)
        said = ""
    except BaseException as problem:
        said = f"{type(problem).__name__}: {problem}".splitlines()[0]
    print(json.dumps([name, said]), flush=True)
"""


def _project() -> dict[str, Any]:
    data: dict[str, Any] = tomllib.loads((kit_root() / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return data


def python_fits() -> tuple[str, str, bool]:
    """This Python's version, the versions the project takes, and whether they fit."""
    wanted = str(_project()["requires-python"])
    found = platform.python_version()
    return found, wanted, SpecifierSet(wanted).contains(found, prereleases=True)


def locked(lock: Path) -> list[tuple[str, str]]:
    """Name and version of every package the lock wants on this machine."""
    lines = (line.removesuffix("\\").strip() for line in lock.read_text(encoding="utf-8").splitlines())
    wanted = [Requirement(line) for line in lines if line and not line.startswith(("#", "--hash"))]
    return [
        (requirement.name, str(requirement.specifier).removeprefix("=="))
        for requirement in wanted
        if requirement.marker is None or requirement.marker.evaluate()
    ]


def wrong_versions() -> tuple[int, list[tuple[str, str, str]]]:
    """How many packages are locked for this machine; name, locked and found version ("" for none) of the wrong ones."""
    pins = locked(kit_root() / "requirements.lock")
    wrong = []
    for name, version in pins:
        try:
            found = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            found = ""
        if found != version:
            wrong.append((name, version, found))
    return len(pins), wrong


def broken_imports() -> tuple[int, dict[str, str]]:
    """How many libraries the kit uses directly, and the reason for each that does not load.

    They are loaded in a child process, which a broken library may crash or hang.
    """
    modules = _modules([Requirement(text).name for text in _project()["dependencies"]])
    command = [sys.executable, "-I", "-c", _LOADER, json.dumps(modules)]
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, encoding="utf-8", timeout=LOADING_S, check=False
        )
        said = done.stdout
    except subprocess.TimeoutExpired as problem:
        said = problem.stdout.decode() if isinstance(problem.stdout, bytes) else problem.stdout or ""
    results: dict[str, str] = dict.fromkeys(modules, "not reached")
    for line in said.splitlines():
        if line.startswith("["):
            name, reason = json.loads(line)
            results[name] = reason
    return len(modules), {name: reason for name, reason in results.items() if reason}


def _modules(distributions: list[str]) -> list[str]:
    """The importable top-level modules of these distributions."""
    wanted = {_plain(name) for name in distributions}
    found = {
        module
        for module, owners in importlib.metadata.packages_distributions().items()
        if wanted & {_plain(owner) for owner in owners} and not module.startswith("_") and module.isidentifier()
    }
    return sorted(found)


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
