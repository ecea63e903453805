"""The register: one CSV per point in ``register/``, each change of it in the ledger, each change of a key noticed."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from exam_kit.errors import Message, PointInvalid, m
from exam_kit.home import Home
from exam_kit.point import load_point
from exam_kit.region.expected import Listed, csv_text, of_point, read_csv
from exam_kit.region.settings import EXAM_YEARS, Region
from exam_kit.store import Ledger
from exam_kit.store.durable import sync_folder
from exam_kit.store.keys import VerifyKey

__all__ = ["REGISTERED", "Change", "Register", "read_file"]

REGISTERED = "region.registered"
KEY_FILES = ("ledger.pub", "keys/ledger.pub", "point.pub")
MOST_BYTES = 1 << 27


@dataclass(frozen=True)
class Change:
    """What registering did to one point; fingerprints, empty where there is no key."""

    point: str
    days: int
    cameras: int
    key: str
    old_key: str

    @property
    def key_changed(self) -> bool:
        return bool(self.old_key) and self.key != self.old_key


def read_file(path: Path) -> list[Listed]:
    """The points that a CSV, a `point.toml`, or a folder with a `point.toml` and its `ledger.pub` names.

    Raises:
        NotSetUp, PointInvalid, StoreError: it is not there or has mistakes.
    """
    if path.is_dir() or path.suffix.lower() == ".toml":
        folder = path if path.is_dir() else path.parent
        keys = [folder / name for name in KEY_FILES if (folder / name).is_file()]
        point = load_point(path / "point.toml" if path.is_dir() else path)
        return [of_point(point, VerifyKey.load(keys[0]) if keys else None)]
    try:
        with path.open("rb") as source:
            raw = source.read(MOST_BYTES)
        return read_csv(raw.decode("utf-8-sig"), str(path))
    except (OSError, UnicodeDecodeError) as problem:
        raise PointInvalid(
            m(
                "{path}: cannot be read ({reason}). Save it as UTF-8 text where this user may read it.",
                path=path,
                reason=problem,
            )
        ) from problem


class Register:
    """The expected points of one region."""

    def __init__(self, home: Home, region: Region, ledger: Ledger) -> None:
        self.folder = home.root / "register"
        self._region, self._ledger = region, ledger

    def stamps(self) -> dict[str, str]:
        """Each point and a mark that changes with its file."""
        found = {}
        if self.folder.is_dir():
            for entry in os.scandir(self.folder):
                if entry.name.endswith(".csv"):
                    facts = entry.stat()
                    found[entry.name[:-4]] = f"{facts.st_mtime_ns}:{facts.st_size}"
        return found

    def point(self, point: str) -> Listed:
        """One registered point; KeyError when it is not registered, PointInvalid when its file was spoilt by hand."""
        path = self.folder / f"{point}.csv"
        if not re.fullmatch(r"\d{2}-\d{4}", point, re.ASCII) or not path.is_file():
            raise KeyError(point)  # what a stranger's bag calls its point never becomes a path
        found = {one.id: one for one in read_file(path)}
        if set(found) != {point}:
            raise PointInvalid(
                m(
                    "{path}: must hold the point {point} and no other. Register its file again.",
                    path=path,
                    point=point,
                )
            )
        return found[point]

    def add(
        self,
        points: Sequence[Listed],
        *,
        actor: str,
        source: str,
        keys: Mapping[str, VerifyKey] | None = None,
        replace_keys: bool = False,
    ) -> list[Change]:
        """Register `points`: the days they name replace those days, other days stay. Journaled.

        `keys` are given apart, by point. A point that has a key keeps it, unless `replace_keys` says that the new one
        is known to be genuine.

        Raises:
            PointInvalid: a point of another region, or a key that is not the registered one; nothing was registered.
        """
        known = {one.id: one for one in points}
        mistakes: list[Message] = []
        for point in known.values():
            if point.region != self._region.region:
                mistakes.append(
                    m("  {point}: is of another region than {region}", point=point.id, region=self._region.region)
                )
            strange = sorted(day for day in point.days if day.year not in EXAM_YEARS)
            if strange:  # written down, they could never be read again
                mistakes.append(m("  {point}: {day} is no day of an exam", point=point.id, day=strange[0]))
            if not point.expected:
                mistakes.append(m("  {point}: no exam day with cameras stands in the file", point=point.id))
        for name in sorted(set(keys or {}) - set(known)):
            mistakes.append(m("  {point}: a key is given, and no file names this point", point=name))
        joined = {point.id: self._joined(point, (keys or {}).get(point.id)) for point in known.values()}
        changes = []
        for merged, old in joined.values():
            change = Change(
                merged.id,
                len(merged.days),
                len({row.camera for row in merged.expected}),
                merged.key.fingerprint if merged.key else "",
                old.fingerprint if old else "",
            )
            changes.append(change)
            if change.key_changed and not replace_keys:
                mistakes.append(
                    m(
                        "  {point}: the key {new} is given, registered is {old}. Ask the point by telephone which is "
                        "its own; if the new one is, register with --replace-key",
                        point=merged.id,
                        new=change.key,
                        old=change.old_key,
                    )
                )
        if mistakes:
            raise PointInvalid(
                m(
                    "{name}: mistakes found: {count}. Nothing was registered; correct each and register again:",
                    name=source,
                    count=len(mistakes),
                ),
                mistakes,
            )
        self.folder.mkdir(parents=True, exist_ok=True)
        for merged, _old in joined.values():
            _replace(self.folder / f"{merged.id}.csv", csv_text([merged]))
        sync_folder(self.folder)
        body = {
            "source": source,
            "points": {change.point: change.key for change in changes},
            "key_changed": {change.point: change.old_key for change in changes if change.key_changed},
            "sha256": hashlib.sha256(csv_text(merged for merged, _old in joined.values()).encode()).hexdigest(),
        }
        self._ledger.append(REGISTERED, body, actor)
        return changes

    def _joined(self, point: Listed, key: VerifyKey | None) -> tuple[Listed, VerifyKey | None]:
        """The point as it is to stand in the register, and the key it has there now."""
        try:
            old = self.point(point.id)
        except KeyError:
            old = Listed(point.region, point.code, point.name, point.timezone)
        kept = [row for row in old.expected if row.day not in point.days]
        merged = Listed(
            point.region,
            point.code,
            point.name,
            point.timezone,
            key or point.key or old.key,
            [*kept, *point.expected],
        )
        return merged, old.key


def _replace(path: Path, text: str) -> None:
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    with temporary.open("w", encoding="utf-8", newline="\n") as target:
        target.write(text)
        target.flush()
        os.fsync(target.fileno())
    temporary.replace(path)
