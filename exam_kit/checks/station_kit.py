"""Making the folder that checks exam stations: code, profile, the point's name, and a key of its own.

It runs with the standard library and what lies in it, so that nothing is installed on a station. The key signs results;
its public half is an entry of the ledger, and its private half stays on the stick: whoever holds the stick can sign.
"""

from __future__ import annotations

import hashlib
import importlib.util
import io
import json
import os
import platform
import secrets
import shutil
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

import rfc8785
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

from exam_kit.checks.model import Check
from exam_kit.checks.profile import Profile
from exam_kit.checks.registry import get_probe
from exam_kit.checks.station_ed25519 import public_key
from exam_kit.checks.station_judge import station_checks
from exam_kit.checks.station_launch import LAUNCHERS
from exam_kit.checks.station_run import KEY_FILE, KIT_FILE
from exam_kit.checks.station_site import ZONE_FILE, args_told
from exam_kit.checks.station_sticks import sticks
from exam_kit.clock import iso
from exam_kit.errors import AccessDenied, UsageError, m
from exam_kit.home import kit_root
from exam_kit.i18n import COMPILED, LANGUAGES
from exam_kit.point import Point
from exam_kit.store import Ledger

__all__ = ["Made", "make_kit", "withdraw"]

OURS = ("app", "packages")
"""Folders that are made anew each time; `results` and `python` are left as they are."""

_MODULES = ("__init__.py", "clock.py", "errors.py", "home.py", "i18n/__init__.py", "i18n/system_reasons.py",
            "point/__init__.py", "point/plan.py")  # fmt: skip


@dataclass(frozen=True)
class Made:
    """A folder that was made. `platforms`: where psutil lies ready, such as "linux-x86_64"."""

    folder: Path
    key: str
    files: int
    platforms: tuple[str, ...]
    python: bool


def make_kit(
    folder: Path,
    *,
    point: Point,
    profile: Profile,
    ledger: Ledger,
    actor: str,
    receiver: str,
    wheels: Path | None = None,
    python: Path | None = None,
) -> Made:
    """Make or renew the folder, with a new key; the ledger's `station.kit_made` stands when this returns.

    `receiver` is the SHA-256 of the laptop's certificate for `station listen`. `wheels`: a folder with psutil wheels of
    other platforms. `python`: a folder with a Python for stations that have none (Windows' embeddable package, or a
    portable build), copied to `python/`. Results that lie in the folder stay.

    Raises:
        UsageError: the point has no stations, or the folder holds something that is not ours.
        AccessDenied: it cannot be written.
    """
    if not point.stations:
        raise UsageError(m("The point has no stations. Add them to point.toml as [[stations]]."))
    if not (folder / KIT_FILE).exists() and any((folder / name).exists() for name in OURS):
        raise UsageError(
            m(
                "{folder}: holds folders of the same names that are not ours. Name an empty folder on the stick.",
                folder=folder,
            )
        )
    seed = secrets.token_bytes(32)
    public = public_key(seed)
    key = hashlib.sha256(public).hexdigest()[:16]  # as `exam_kit.store.keys.fingerprint`
    try:
        for name in OURS:
            if (folder / name).exists():
                shutil.rmtree(folder / name)
        contents = dict(_contents(point, profile))
        contents.update(_psutil(wheels))
        # Not synced one by one, which takes minutes on a slow stick: what a stick pulled out too early has lost is
        # found by the list of files before anything is run.
        for name, content in contents.items():
            _write(folder / name, content)
        if python is not None:
            shutil.copytree(python, folder / "python", dirs_exist_ok=True)
        (folder / "results").mkdir(exist_ok=True)
        _write(folder / KEY_FILE, f"{seed.hex()}\n".encode(), private=True, durable=True)
        digests = {name: hashlib.sha256(content).hexdigest() for name, content in sorted(contents.items())}
        body = {
            "key": key,
            "public": public.hex(),
            "profile": profile.name,
            "profile_hash": profile.hash,
            "stations": [station.id for station in point.stations],
            "files": len(digests),
            "files_sha256": hashlib.sha256(rfc8785.dumps(digests)).hexdigest(),
            "receiver": receiver,
        }
        ledger.append("station.kit_made", body, actor)
        told = {**_told(point, profile, ledger, key, receiver), "files": digests}
        # Last: a folder without it is not taken for a whole one.
        _write(folder / KIT_FILE, json.dumps(told, ensure_ascii=False, indent=1).encode(), durable=True)
    except OSError as problem:
        raise AccessDenied(
            m(
                "{folder}: cannot be written ({reason}). See that the stick has space and no write protection.",
                folder=folder,
                reason=problem.strerror or str(problem),
            )
        ) from problem
    platforms = sorted({name.split("/")[1] for name in contents if name.startswith("packages/")} - {"any"})
    return Made(folder, key, len(contents), tuple(platforms), (folder / "python").exists())


def withdraw(ledger: Ledger, key: str, *, why: str, actor: str) -> None:
    """Take no more results of this stick: it was lost, or its computer had a virus.

    Raises:
        UsageError: no stick in use has this key.
    """
    stick = sticks(ledger).get(key)
    if stick is None or stick.withdrawn_at is not None:
        raise UsageError(m("{key}: no stick in use has this key. See 'exam-kit station sticks'.", key=key))
    ledger.append("station.kit_withdrawn", {"key": key, "why": why}, actor)


def _write(path: Path, content: bytes, *, private: bool = False, durable: bool = False) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    handle = os.open(path, flags, 0o600 if private else 0o644)
    with os.fdopen(handle, "wb") as target:
        target.write(content)
        if durable:
            target.flush()
            os.fsync(target.fileno())
    if path.suffix == ".sh":
        path.chmod(0o755)


def _contents(point: Point, profile: Profile) -> Iterator[tuple[str, bytes]]:
    """Every file of the folder, by its name, but the psutil of each platform."""
    package = Path(__file__).parent.parent
    yield from LAUNCHERS.items()
    for name in _MODULES:
        yield f"app/exam_kit/{name}", (package / name).read_bytes()
    for path in sorted((package / "checks").rglob("*.py")):
        yield f"app/exam_kit/{path.relative_to(package).as_posix()}", path.read_bytes()
    for language in LANGUAGES:
        yield f"app/exam_kit/i18n/{language}/{COMPILED}", _compiled(package / "i18n" / language, language)
    for path in sorted(Path(rfc8785.__file__).parent.glob("*.py")):
        yield f"app/rfc8785/{path.name}", path.read_bytes()
    for module in sorted({_module(check) for check in _all_checks(point, profile)}):
        if not module.startswith("exam_kit."):
            yield from _package(module)
    yield ZONE_FILE, _zone(point.timezone)


def _compiled(folder: Path, language: str) -> bytes:
    merged = Catalog(locale=language)
    for path in sorted(folder.glob("*.po")):
        with path.open("rb") as source:
            catalogue = read_po(source, locale=language)
        for entry in catalogue:
            if entry.id:
                merged[entry.id] = entry
    compiled = io.BytesIO()
    write_mo(compiled, merged)
    return compiled.getvalue()


def _zone(name: str) -> bytes:
    """The time zone's own table, because Windows has none."""
    data: bytes = files("tzdata").joinpath("zoneinfo", *name.split("/")).read_bytes()
    return data


def _package(module: str) -> Iterator[tuple[str, bytes]]:
    """The point's own checks, as Python source; compiled packages cannot travel so."""
    top = module.partition(".")[0]
    found = importlib.util.find_spec(top)
    if found is None or found.origin is None:
        return
    origin = Path(found.origin)
    if not found.submodule_search_locations:
        yield f"packages/any/{origin.name}", origin.read_bytes()
        return
    for path in sorted(origin.parent.rglob("*.py")):
        yield f"packages/any/{top}/{path.relative_to(origin.parent).as_posix()}", path.read_bytes()


def _psutil(wheels: Path | None) -> Iterator[tuple[str, bytes]]:
    """psutil of this computer's platform, and of every wheel in `wheels` (or in `wheels/` beside the kit)."""
    found = importlib.util.find_spec("psutil")
    if found is not None and found.origin is not None:
        folder = Path(found.origin).parent
        here = f"{sys.platform}-{platform.machine().lower()}"
        for path in sorted(folder.iterdir()):
            # Only the stable binary interface fits whatever Python the station has.
            if path.suffix == ".py" or path.name.endswith((".abi3.so", ".pyd")):
                yield f"packages/{here}/psutil/{path.name}", path.read_bytes()
    place = wheels or kit_root() / "wheels"
    for wheel in sorted(place.glob("psutil-*abi3-*.whl")) if place.is_dir() else []:
        platform_name = _platform(wheel.stem.rsplit("-", 1)[-1])
        if platform_name is None:
            continue
        with zipfile.ZipFile(wheel) as archive:
            for name in sorted(archive.namelist()):
                parts = name.split("/")
                if parts[0] == "psutil" and len(parts) == 2 and parts[1].endswith((".py", ".so", ".pyd")):
                    yield f"packages/{platform_name}/psutil/{parts[1]}", archive.read(name)


def _platform(tag: str) -> str | None:
    """`sys.platform`-`platform.machine()` for a wheel's platform tag; None for one that no station has."""
    if tag.startswith("win_"):
        return f"win32-{tag.removeprefix('win_')}"
    if "linux" in tag and "musl" not in tag:
        return next((f"linux-{kind}" for kind in ("x86_64", "aarch64") if tag.endswith(kind)), None)
    return None


def _all_checks(point: Point, profile: Profile) -> list[Check]:
    roles = {station.role.value for station in point.stations}
    wanted = {check.id for role in roles for check in station_checks(profile, role)}
    return [check for check in profile.checks if check.id in wanted]


def _module(check: Check) -> str:
    found = get_probe(check.probe)
    return found.function.__module__ if found else ""


def _told(point: Point, profile: Profile, ledger: Ledger, key: str, receiver: str) -> dict[str, Any]:
    """`kit.json`, its list of files not yet in it."""
    checks = _all_checks(point, profile)
    probes = {check.probe: found for check in checks if (found := get_probe(check.probe)) is not None}
    return {
        "stick": key,
        "made_at": iso(ledger.clock.now()),
        "receiver": receiver,
        "point": {
            "region": point.region,
            "code": point.code,
            "name": point.name,
            "timezone": point.timezone,
            "language": point.language,
            "ledger": ledger.id,
        },
        "stations": [
            {
                "id": station.id,
                "role": station.role.value,
                "room": station.room,
                "label": point.room(station.room).label,
                "main": station.main,
                "address": station.address,
            }
            for station in point.stations
        ],
        "days": [
            {
                "date": day.date.isoformat(),
                "start": day.start.isoformat(),
                "subject": day.subject,
                "duration_min": day.duration_min,
                "kind": day.kind,
            }
            for day in point.days
        ],
        "profile": {
            "name": profile.name,
            "hash": profile.hash,
            "title": profile.title,
            "budget_s": profile.budget_s,
            "checks": [
                {
                    "id": check.id,
                    "probe": check.probe,
                    "args": args_told(check.args),
                    "expect": check.expect.as_dict(),
                    "severity": check.severity.value,
                    "timeout_s": check.timeout_s,
                    "title": check.title,
                    "fix": check.fix,
                    "roles": list(check.roles),
                }
                for check in checks
            ],
        },
        "modules": {name: found.function.__module__ for name, found in probes.items()},
        "readings": {
            name: {value: [reading.unit, reading.label] for value, reading in found.readings.items()}
            for name, found in probes.items()
        },
        "lanes": {name: found.lane for name, found in probes.items()},
    }
