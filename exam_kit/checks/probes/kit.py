"""The kit itself: its version, its people, its cameras' passwords, its backups."""

from __future__ import annotations

import stat
from pathlib import Path

from exam_kit import __version__
from exam_kit.checks.at import At
from exam_kit.checks.model import Fact, Reason
from exam_kit.checks.registry import probe
from exam_kit.i18n import N_
from exam_kit.store import Act, Role, may


@probe("kit.version", readings={"version": ("", N_("version"))})
def version(at: At) -> Fact:
    """The kit's version."""
    return Fact({"version": __version__}, {"profile": at.profile.name, "season": at.profile.season})


@probe(
    "kit.people",
    readings={"specialists": ("", N_("technical specialists")), "confirming": ("", N_("people who confirm"))},
)
def people(at: At) -> Fact:
    """How many people may run the checks, and how many may confirm what the first have done; disabled ones left out."""
    rows = at.context.store.query("SELECT login, role, disabled FROM account")
    roles = [Role(row["role"]) for row in rows if not row["disabled"]]
    return Fact(
        {
            "specialists": sum(may(role, Act.RUN_CHECKS) for role in roles),
            "confirming": sum(may(role, Act.COUNTERSIGN) for role in roles),
        },
        {"accounts": len(rows), "disabled": sum(bool(row["disabled"]) for row in rows)},
    )


@probe("kit.passwords", readings={"missing": ("", N_("passwords missing"))})
def passwords(at: At) -> Fact:
    """For how many of the cameras that ask for a name no password is kept; does not apply where none asks."""
    asked = [camera.id for camera in at.context.point.cameras if camera.user]
    if not asked:
        return Fact.skip(Reason.NOT_REQUIRED)
    missing = [camera for camera in asked if not at.context.secrets.get(f"camera:{camera}")]
    return Fact(
        {"missing": len(missing)}, {"cameras": len(asked), "without": missing, "kept_in": at.context.secrets.place}
    )


@probe(
    "backup.age",
    readings={"backups": ("", N_("backups")), "age": ("h", N_("age of the newest")), "size": ("bytes", N_("size"))},
)
def backup(at: At, *, folder: str, pattern: str = "*") -> Fact:
    """How many backups lie in `folder`, and how old the newest is. An empty file is no backup."""
    place = Path(folder)
    if not place.is_absolute():
        place = at.context.home.root / place
    try:
        entries = [(path, path.stat()) for path in place.iterdir() if path.match(pattern)]
    except FileNotFoundError:
        return Fact({"backups": 0, "age": None, "size": None}, {"folder": str(place), "missing": True})
    files = [(path, status) for path, status in entries if stat.S_ISREG(status.st_mode) and status.st_size]
    if not files:
        return Fact({"backups": 0, "age": None, "size": None}, {"folder": str(place)})
    path, status = max(files, key=lambda pair: pair[1].st_mtime)
    age = (at.context.clock.now().timestamp() - status.st_mtime) / 3600
    return Fact(
        {"backups": len(files), "age": max(round(age, 1), 0.0), "size": status.st_size},
        {"folder": str(place), "newest": path.name},
    )
