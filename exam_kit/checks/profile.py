"""Profiles: what must be true, in dated TOML files, every mistake found in one pass."""

from __future__ import annotations

import copy
import datetime as dt
import hashlib
import math
import tomllib
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from exam_kit.checks.model import CONDITIONS, Check, Expectation, Severity
from exam_kit.checks.own import own_files
from exam_kit.checks.registry import LOCAL_LANES, WAITING_LANES, get_probe
from exam_kit.errors import Message, PointInvalid, UsageError, m
from exam_kit.home import Home
from exam_kit.point import StationRole
from exam_kit.point.reasons import reason

__all__ = [
    "LOCAL_LANES",
    "SHIPPED",
    "WAITING_LANES",
    "CheckPart",
    "Profile",
    "WaiversPart",
    "as_check",
    "budget_mistakes",
    "load_profile",
    "profile_names",
    "read_profile",
    "table_mistakes",
]

SHIPPED = Path(__file__).parent / "profiles"


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class TextsPart(_Part):
    """A text in every language."""

    ru: str = Field(min_length=1)
    en: str = Field(min_length=1)
    lv: str = Field(min_length=1)


class ExpectPart(_Part):
    """The rules, as written; turned into `Rule` after their form was checked."""

    fail: tuple[dict[str, Any], ...] = ()
    warn: tuple[dict[str, Any], ...] = ()


class CheckPart(_Part):
    """One `[[checks]]`."""

    id: Annotated[str, Field(pattern=r"^[a-z0-9-]{1,48}$")]
    probe: str
    args: dict[str, Any] = Field(default_factory=dict)
    expect: ExpectPart = ExpectPart()
    severity: Severity
    timeout_s: float = Field(gt=0, le=120)
    title: TextsPart
    fix: TextsPart
    roles: tuple[StationRole | Literal["laptop", "station"], ...] = ()


class KeepPart(_Part):
    """Until when footage is kept: this day and month, so many years after the year of the exam."""

    month: int = Field(ge=1, le=12)
    day: int = Field(ge=1, le=28)
    years: int = Field(ge=0, le=10)
    source: str = Field(min_length=1)


class WaiversPart(_Part):
    """The most that a waiver may cover, and for how long at most; without this table there are no waivers."""

    most_severity: Severity
    longest_h: float = Field(gt=0, le=24 * 30)


class StationsPart(_Part):
    """What is taken in from exam stations; without this table nothing is.

    A result is refused when it ended more than `result_max_age_h` hours ago, or lies further ahead of this computer's
    clock than `clock_ahead_max_min` minutes.
    """

    result_max_age_h: float = Field(gt=0, le=24 * 30)
    clock_ahead_max_min: float = Field(ge=0, le=24 * 60)


class ProfileFile(_Part):
    """The whole file."""

    title: TextsPart
    season: str = Field(min_length=1)
    valid_from: dt.date
    source: str = Field(min_length=1)
    budget_s: float = Field(gt=0, le=600)
    picture: dict[str, float] = Field(default_factory=dict)
    picture_cameras: dict[str, dict[str, float]] = Field(default_factory=dict)
    keep: KeepPart | None = None
    waivers: WaiversPart | None = None
    stations: StationsPart | None = None
    checks: tuple[CheckPart, ...] = Field(min_length=1)


class Profile:
    """A profile that has no mistakes. `hash` is the SHA-256 of the file: it says by what a run was judged."""

    def __init__(self, name: str, digest: str, file: ProfileFile) -> None:
        self.name = name
        self.hash = digest
        self.title = file.title.model_dump()
        self.season = file.season
        self.valid_from = file.valid_from
        self.source = file.source
        self.budget_s = file.budget_s
        self.picture: Mapping[str, float] = file.picture
        self.picture_cameras: Mapping[str, Mapping[str, float]] = file.picture_cameras
        """thresholds that are a single camera's own, by its id: its sensitivity"""
        self.keep = file.keep
        self.stations = file.stations
        self.waivers = file.waivers
        self.checks = tuple(as_check(part) for part in file.checks)
        self.role: str | None = None
        """the computer under check: a station's role, or None for the specialist's laptop"""

    def for_role(self, role: str | None) -> Profile:
        """The same profile for a station of this role (None: the laptop): checks of other roles do not apply there."""
        changed = copy.copy(self)
        changed.role = StationRole(role).value if role is not None else None
        return changed

    def picture_of(self, camera: str) -> dict[str, float]:
        """The thresholds of one camera's picture: the profile's, and its own over them."""
        return {**self.picture, **self.picture_cameras.get(camera, {})}

    def check(self, check_id: str) -> Check:
        """The check with this id; KeyError when there is none."""
        for check in self.checks:
            if check.id == check_id:
                return check
        raise KeyError(check_id)


def profile_names(home: Home) -> list[str]:
    """The profiles that can be loaded: shipped ones and the point's own."""
    return sorted({path.stem for folder in (SHIPPED, home.profiles) for path in folder.glob("*.toml")})


def load_profile(name: str, home: Home) -> Profile:
    """The profile `name`: the point's own `profiles/NAME.toml` when there is one, else the shipped one.

    The point's own checks (`checks/*.py` of its home) stand behind the profile's.

    Raises:
        PointInvalid: there is no such profile, or it has mistakes; `details` lists every one.
    """
    path = next((p for f in (home.profiles, SHIPPED) if (p := f / f"{name}.toml").is_file()), None)
    if path is None:
        raise PointInvalid(
            m(
                "{name}: there is no such check profile. Choose one of {known}, or put {name}.toml into {folder}.",
                name=name,
                known=", ".join(profile_names(home)),
                folder=home.profiles,
            )
        )
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as problem:
        raise PointInvalid(
            m(
                "{path}: cannot be read ({reason}). Save it as UTF-8 text where this user may read it.",
                path=path,
                reason=problem,
            )
        ) from problem
    from exam_kit.checks.own_join import joined  # it needs what stands here

    own = own_files(home)  # before the profile is read: it may use their probes
    return joined(read_profile(text, name, str(path)), own)


def read_profile(text: str, name: str, path: str | None = None) -> Profile:
    """The profile described by `text`; raises as `load_profile` does."""
    path = path or f"{name}.toml"
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as problem:
        raise PointInvalid(
            m("{name}: is not valid TOML: {reason}. Correct that line.", name=path, reason=problem)
        ) from problem
    mistakes: list[Message] = []
    file: ProfileFile | None = None
    try:
        file = ProfileFile.model_validate(data)
    except ValidationError as problem:
        for error in problem.errors():
            mistakes.append(m("  {where}: {reason}", where=_where(error["loc"], data), reason=reason(error)))
    # The file's form and its meaning are told in one listing, so what can be read is examined even where it is ill.
    mistakes += _meaning(data)
    if mistakes or file is None:
        raise PointInvalid(
            m("{name}: mistakes found: {count}. Correct each and start again:", name=path, count=len(mistakes)),
            mistakes,
        )
    return Profile(name, hashlib.sha256(text.encode()).hexdigest(), file)


def _where(location: tuple[int | str, ...], data: dict[str, Any]) -> str:
    if location[0] == "checks" and len(location) > 1 and isinstance(location[1], int):
        entry = data["checks"][location[1]]
        mark = entry.get("id", location[1] + 1) if isinstance(entry, dict) else location[1] + 1
        # Parts such as "literal['a','b']" are pydantic's names for the ways a value may be meant.
        return ".".join([f"checks ({mark})", *(str(part) for part in location[2:] if "[" not in str(part))])
    return ".".join(str(part) for part in location)


def _meaning(data: dict[str, Any]) -> Iterator[Message]:
    listed = data.get("checks")
    checks = [entry for entry in listed if isinstance(entry, dict)] if isinstance(listed, list) else []
    for check_id, times in Counter(str(entry.get("id")) for entry in checks if "id" in entry).items():
        if times > 1:
            yield m(
                "  checks ({check}): this id stands {times} times; every id must differ", check=check_id, times=times
            )
    for entry in checks:
        yield from table_mistakes(entry)
    yield from budget_mistakes(data.get("budget_s"), checks)
    if any(str(entry.get("probe")).startswith("camera.") for entry in checks):
        yield from _picture_mistakes(data.get("picture"))
        yield from _own_picture_mistakes(data.get("picture"), data.get("picture_cameras"))


def _own_picture_mistakes(table: object, own: object) -> Iterator[Message]:
    """What is wrong with the thresholds of single cameras."""
    if not isinstance(table, dict) or not isinstance(own, dict):
        return
    for values in own.values():
        if isinstance(values, dict):
            whole = list(_picture_mistakes(table))
            yield from (mistake for mistake in _picture_mistakes({**table, **values}) if mistake not in whole)


def _picture_mistakes(table: object) -> Iterator[Message]:
    from exam_kit.cctv.picture import Thresholds  # loads OpenCV, which no other reader of profiles needs

    try:
        Thresholds.from_mapping(table if isinstance(table, dict) else {})
    except UsageError as problem:
        for detail in problem.details:
            yield m("  picture: {reason}", reason=str(detail))


def table_mistakes(entry: dict[str, Any]) -> Iterator[Message]:
    """What is wrong with the meaning of one `[[checks]]`: its probe, args and rules."""
    check_id, name = entry.get("id", "?"), entry.get("probe")
    if not isinstance(name, str):
        return
    found = get_probe(name)
    if found is None:
        yield m("  checks ({check}): there is no probe '{probe}'; correct the name", check=check_id, probe=name)
        return
    if found.broken:  # its file cannot be used, so what it takes and gives is not known; the check will be unknown
        return
    given = entry.get("args", {})
    given = given if isinstance(given, dict) else {}
    for arg in given:
        if arg not in found.args:
            yield m(
                "  checks ({check}): the probe '{probe}' has no arg '{arg}'; it takes: {known}",
                check=check_id,
                probe=name,
                arg=arg,
                known=", ".join(sorted(found.args)) or "—",
            )
            continue
        try:
            found.args[arg].validate_python(given[arg], strict=True)
        except ValidationError as problem:
            yield m(
                "  checks ({check}): arg '{arg}': {reason}", check=check_id, arg=arg, reason=reason(problem.errors()[0])
            )
    for arg in sorted(found.required - given.keys()):
        yield m("  checks ({check}): the arg '{arg}' is missing; add it", check=check_id, arg=arg)
    yield from _rule_mistakes(check_id, entry.get("expect", {}), set(found.readings))


def _rule_mistakes(check_id: object, expect: object, readings: set[str]) -> Iterator[Message]:
    rules = [
        rule
        for level in ("fail", "warn")
        for rule in (expect.get(level, []) if isinstance(expect, dict) else [])
        if isinstance(rule, dict)
    ]
    if readings and not rules:
        yield m("  checks ({check}): expects nothing; add expect.fail or expect.warn", check=check_id)
    for rule in rules:
        conditions = [key for key in rule if key != "of"]
        if rule.get("of") not in readings:
            yield m(
                "  checks ({check}): its probe gives no value '{value}'; it gives: {known}",
                check=check_id,
                value=rule.get("of"),
                known=", ".join(sorted(readings)) or "—",
            )
        if len(conditions) != 1 or conditions[0] not in CONDITIONS:
            yield m(
                "  checks ({check}): a rule has 'of' and exactly one of: {known}",
                check=check_id,
                known=", ".join(CONDITIONS),
            )
        elif not _bound_fits(conditions[0], rule[conditions[0]]):
            yield m(
                "  checks ({check}): '{condition}' cannot be compared with {bound}; give a value of its kind",
                check=check_id,
                condition=conditions[0],
                bound=repr(rule[conditions[0]]),
            )


def _bound_fits(condition: str, bound: object) -> bool:
    if condition in ("below", "above"):
        return isinstance(bound, int | float) and not isinstance(bound, bool) and math.isfinite(bound)
    if condition in ("one_of", "none_of"):
        return isinstance(bound, list) and bool(bound)
    if condition == "version_below":
        return isinstance(bound, str)
    return isinstance(bound, str | bool | int)


def budget_mistakes(budget: object, checks: list[dict[str, Any]]) -> Iterator[Message]:
    """Were every check to use its whole time, the lanes must still be through within the budget."""
    if not isinstance(budget, int | float):
        return
    times: dict[str, list[float]] = {"local": [], "waiting": []}
    for entry in checks:
        found, timeout = get_probe(str(entry.get("probe"))), entry.get("timeout_s")
        if found is None or not isinstance(timeout, int | float):
            continue
        times[found.lane].append(timeout)
    for lane, width in (("local", LOCAL_LANES), ("waiting", WAITING_LANES)):
        longest = max(times[lane], default=0.0)
        worst = max(longest, sum(times[lane]) / width)
        if worst > budget:
            yield m(
                "  budget_s: {budget} s are not enough for the {lane} checks, which may take {worst} s; "
                "raise it or shorten timeout_s",
                budget=budget,
                lane=lane,
                worst=round(worst, 1),
            )


def as_check(part: CheckPart) -> Check:
    """The check that a table describes."""
    return Check(
        id=part.id,
        probe=part.probe,
        args=part.args,
        expect=Expectation.from_dict({"fail": list(part.expect.fail), "warn": list(part.expect.warn)}),
        severity=part.severity,
        timeout_s=part.timeout_s,
        title=part.title.model_dump(),
        fix=part.fix.model_dump(),
        roles=tuple(str(role) for role in part.roles),
    )
