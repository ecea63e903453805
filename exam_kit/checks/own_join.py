"""A profile together with the point's own checks.

An own check that has mistakes does not spoil the profile: in its place stands one that is unknown and says why, so that
the run goes on and nobody takes the missing check for a good one.
"""

from __future__ import annotations

import copy
import hashlib
import re
from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import ValidationError

from exam_kit.checks.model import Check, Expectation, Severity
from exam_kit.checks.own import OWN_FILE_PROBE, OwnFile
from exam_kit.checks.profile import CheckPart, Profile, as_check, table_mistakes
from exam_kit.checks.wording import in_all
from exam_kit.errors import Message, m
from exam_kit.i18n import N_, translate
from exam_kit.point.reasons import reason

__all__ = ["joined", "own_mistakes"]

TITLE = N_("Own check: {file}")
FIX = N_("Correct the file {file}; 'exam-kit lint' lists its mistakes.")


def joined(profile: Profile, files: Iterable[OwnFile]) -> Profile:
    """The profile with the checks of these files behind its own.

    Its hash covers the files as well; without any it is the profile as it was.
    """
    files = list(files)
    if not files:
        return profile
    taken = {check.id for check in profile.checks}
    added: list[Check] = []
    for file in files:
        found = own_mistakes(file, taken)
        if found:
            added.append(_broken(file.path.name, "; ".join(str(one).strip() for one in found)))
        else:
            added += [as_check(CheckPart.model_validate(table)) for table in file.checks]
            taken |= {table["id"] for table in file.checks}
    whole = copy.copy(profile)
    whole.checks = (*profile.checks, *added)
    seal = "".join(f"\0{file.path.name}\0{file.digest}" for file in files)
    whole.hash = hashlib.sha256((profile.hash + seal).encode()).hexdigest()
    return whole


def own_mistakes(file: OwnFile, taken: Iterable[str] = ()) -> list[Message]:
    """Everything wrong with one own file; `taken` are ids that stand elsewhere."""
    if file.fault:
        return [m("{reason}; correct the file", reason=file.fault)]
    known, found = set(taken), []
    for table in file.checks:
        found += _table_mistakes(table, known)
        known.add(str(table["id"]))
    return found


def _table_mistakes(table: Mapping[str, Any], taken: Iterable[str]) -> list[Message]:
    found = []
    if table["id"] in set(taken):
        found.append(m("checks ({check}): this id stands elsewhere, too; every id must differ", check=table["id"]))
    try:
        CheckPart.model_validate(table)
    except ValidationError as problem:
        for error in problem.errors():
            where = ".".join([f"checks ({table['id']})", *(str(part) for part in error["loc"])])
            found.append(m("  {where}: {reason}", where=where, reason=reason(error)))
    return [*found, *table_mistakes(dict(table))]


def _broken(file: str, said: str) -> Check:
    slug = re.sub(r"[^a-z0-9]+", "-", file.lower().removesuffix(".py")).strip("-")[:40] or "file"
    return Check(
        id=f"own-{slug}",
        probe=OWN_FILE_PROBE,
        args={"file": file, "said": said},
        expect=Expectation(),
        severity=Severity.MAJOR,
        timeout_s=5,
        title=in_all(lambda language: translate(TITLE, language).format(file=file)),
        fix=in_all(lambda language: translate(FIX, language).format(file=file)),
    )
