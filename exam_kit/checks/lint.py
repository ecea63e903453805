"""Every mistake of profiles and own checks at once."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from exam_kit.checks.own import OwnFile, own_files, own_folder
from exam_kit.checks.own_join import own_mistakes
from exam_kit.checks.profile import SHIPPED, budget_mistakes, read_profile
from exam_kit.checks.registry import package_faults
from exam_kit.errors import Message, PointInvalid, UsageError, m
from exam_kit.home import Home
from exam_kit.i18n import LANGUAGES
from exam_kit.point import load_point

__all__ = ["LintReport", "lint"]

_CYRILLIC = re.compile(r"[а-яёА-ЯЁ]")


@dataclass(frozen=True)
class LintReport:
    """One file and all its mistakes."""

    path: str
    mistakes: tuple[Message, ...]

    def as_dict(self, language: str) -> dict[str, Any]:
        return {"path": self.path, "mistakes": [mistake.text(language).strip() for mistake in self.mistakes]}


def lint(what: Sequence[str], home: Home) -> list[LintReport]:
    """Examine these profiles (by name) and files (by path); a folder stands for the .toml and .py files in it.

    With nothing named: the profiles in `profiles/` of the home, the one the point uses, the own checks, and installed
    packages. Where there is none of these, the profiles that are shipped.

    Raises:
        UsageError: something named is neither a profile nor a file.
    """
    own = {file.path: file for file in own_files(home)}
    paths = [path for one in what for path in _named(one, home)] if what else _all(home, own)
    reports = [_lint_file(path, own) for path in dict.fromkeys(paths)]
    if not what:
        for name, said in package_faults().items():
            reports.append(LintReport(name, (m("{reason}; correct the file", reason=said),)))
    return reports


def _all(home: Home, own: Mapping[Path, OwnFile]) -> list[Path]:
    found = sorted(home.profiles.glob("*.toml")) + list(own)
    if home.point_file.is_file():
        name = load_point(home.point_file).profile
        found += [path for path in (SHIPPED / f"{name}.toml",) if path.is_file() and path.stem not in _stems(found)]
    return found or sorted(SHIPPED.glob("*.toml"))


def _stems(paths: Sequence[Path]) -> set[str]:
    return {path.stem for path in paths if path.suffix == ".toml"}


def _named(one: str, home: Home) -> list[Path]:
    path = Path(one)
    if path.is_dir():
        return sorted(found for found in path.iterdir() if found.suffix in (".toml", ".py"))
    if path.is_file():
        return [path]
    for folder, suffix in ((home.profiles, ".toml"), (SHIPPED, ".toml"), (own_folder(home), ".py")):
        found = folder / f"{one.removesuffix(suffix)}{suffix}"
        if found.is_file():
            return [found]
    raise UsageError(m("{name}: is neither a profile nor a file. Name one that is there.", name=one))


def _lint_file(path: Path, own: Mapping[Path, OwnFile]) -> LintReport:
    if path.suffix == ".py":
        return LintReport(str(path), tuple(_lint_own(path, own)))
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as problem:
        return LintReport(
            str(path),
            (
                m(
                    "{path}: cannot be read ({reason}). Save it as UTF-8 text where this user may read it.",
                    path=path,
                    reason=problem,
                ),
            ),
        )
    found: list[Message] = []
    try:
        read_profile(text, path.stem, str(path))
    except PointInvalid as problem:
        found += problem.details or (problem.message,)
    data = _tables(text)
    for check in data:
        found += _text_mistakes(check)
    if not found:
        found += _own_beside(text, data, own)
    return LintReport(str(path), tuple(found))


def _own_beside(text: str, data: list[dict[str, Any]], own: Mapping[Path, OwnFile]) -> Iterator[Message]:
    """What goes wrong only together: ids of own checks that the profile has as well, and the time of both."""
    ids = {str(check.get("id")) for check in data}
    tables = [table for file in own.values() if not file.fault for table in file.checks]
    for table in tables:
        if str(table["id"]) in ids:
            yield m("checks ({check}): this id stands elsewhere, too; every id must differ", check=table["id"])
    if tables:
        yield from budget_mistakes(tomllib.loads(text).get("budget_s"), [*data, *tables])


def _lint_own(path: Path, own: Mapping[Path, OwnFile]) -> Iterator[Message]:
    file = own.get(path) or next((one for known, one in own.items() if known.resolve() == path.resolve()), None)
    if file is None:
        yield m("{path}: own checks are loaded from {folder} only; put it there", path=path, folder="checks/")
        return
    elsewhere = [table["id"] for other in own.values() if other.path != file.path for table in other.checks]
    yield from own_mistakes(file, elsewhere)
    for table in file.checks:
        yield from _text_mistakes(table)


def _tables(text: str) -> list[dict[str, Any]]:
    try:
        listed = tomllib.loads(text).get("checks")
    except tomllib.TOMLDecodeError:
        return []  # told already
    return [check for check in listed if isinstance(check, dict)] if isinstance(listed, list) else []


def _text_mistakes(check: Mapping[str, Any]) -> Iterator[Message]:
    """Texts that are there by form alone: blank, or in letters that the language does not have."""
    for part in ("title", "fix"):
        texts = check.get(part)
        if not isinstance(texts, Mapping):
            continue
        for language in LANGUAGES:
            text = texts.get(language)
            if not isinstance(text, str) or not text:
                continue  # told already
            where = f"checks ({check.get('id', '?')}).{part}.{language}"
            if not text.strip():
                yield m("{where}: is blank; write the text", where=where)
            elif language != "ru" and _CYRILLIC.search(text):
                yield m("{where}: has Cyrillic letters; write it in the language it is for", where=where)
