"""What stands in for the point, its days and the journal on an exam station, where only the stick is."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from exam_kit.checks.model import Check, Expectation, Reading, Reason, Severity, Texts
from exam_kit.checks.site import NoFact

__all__ = [
    "ZONE_FILE",
    "Kit",
    "NoSecrets",
    "NoStore",
    "StationDay",
    "StationPlace",
    "StationPoint",
    "StationProfile",
    "args_from",
    "args_told",
]

ZONE_FILE = "zone.tzif"


@dataclass(frozen=True)
class StationPlace:
    """One station as the stick knows it."""

    id: str
    role: str
    room: str
    label: str
    main: bool
    address: str | None


@dataclass(frozen=True)
class StationDay:
    """An exam day; the same names as `exam_kit.point.ExamDay`, for the reckoning in `exam_kit.point.plan`."""

    date: dt.date
    start: dt.time
    subject: str
    duration_min: float
    kind: str
    recording: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class StationPoint:
    """The point as far as a station needs it: no cameras, nothing recorded."""

    region: str
    code: str
    name: str
    timezone: str
    language: str
    ledger: str
    tz: ZoneInfo
    stations: tuple[StationPlace, ...]
    days: tuple[StationDay, ...]
    cameras: tuple[()] = ()
    rooms: tuple[()] = ()
    recording: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class StationProfile:
    """The profile as far as running it needs; the same names as `exam_kit.checks.Profile`."""

    name: str
    hash: str
    title: Texts
    budget_s: float
    checks: tuple[Check, ...]
    role: str | None = None
    picture: Mapping[str, float] = field(default_factory=dict)


class NoStore:
    """The journal is the laptop's."""

    def query(self, _sql: str, _parameters: object = ()) -> list[dict[str, Any]]:
        raise NoFact(Reason.TOOL_ABSENT, missing="the laptop's journal")

    def close(self) -> None:
        """There is nothing to close."""


class NoSecrets:
    """Passwords do not travel."""

    def get(self, _name: str) -> None:
        return None


@dataclass(frozen=True)
class Kit:
    """`kit.json`, read."""

    folder: Path
    stick: str
    made_at: str
    point: StationPoint
    profile: StationProfile
    modules: Mapping[str, str]
    readings: Mapping[str, Mapping[str, Reading]]
    lanes: Mapping[str, str]
    files: Mapping[str, str]
    receiver: str

    @classmethod
    def read(cls, folder: Path, data: Mapping[str, Any]) -> Kit:
        """KeyError, TypeError or ValueError when it is not of this form."""
        told, profile = data["point"], data["profile"]
        point = StationPoint(
            region=told["region"],
            code=told["code"],
            name=told["name"],
            timezone=told["timezone"],
            language=told["language"],
            ledger=told["ledger"],
            tz=_zone(folder / ZONE_FILE, told["timezone"]),
            stations=tuple(StationPlace(**one) for one in data["stations"]),
            days=tuple(_day(one) for one in data["days"]),
        )
        checks = tuple(_check(one) for one in profile["checks"])
        return cls(
            folder=folder,
            stick=data["stick"],
            made_at=data["made_at"],
            point=point,
            profile=StationProfile(profile["name"], profile["hash"], profile["title"], profile["budget_s"], checks),
            modules=data["modules"],
            readings={
                probe: {name: Reading(*pair) for name, pair in named.items()}
                for probe, named in data["readings"].items()
            },
            lanes=data["lanes"],
            files=data["files"],
            receiver=data["receiver"],
        )


def _zone(path: Path, name: str) -> ZoneInfo:
    # The system's own table would do on Linux; Windows has none.
    with path.open("rb") as source:
        return ZoneInfo.from_file(source, key=name)


def _day(told: Mapping[str, Any]) -> StationDay:
    return StationDay(
        dt.date.fromisoformat(told["date"]),
        dt.time.fromisoformat(told["start"]),
        told["subject"],
        told["duration_min"],
        told["kind"],
    )


def _check(told: Mapping[str, Any]) -> Check:
    return Check(
        id=told["id"],
        probe=told["probe"],
        args=args_from(told["args"]),
        expect=Expectation.from_dict(told["expect"]),
        severity=Severity(told["severity"]),
        timeout_s=told["timeout_s"],
        title=told["title"],
        fix=told["fix"],
        roles=tuple(told["roles"]),
    )


_KINDS: dict[str, Any] = {"date": dt.date, "time": dt.time, "datetime": dt.datetime}


def args_told(args: Mapping[str, Any]) -> dict[str, Any]:
    """A check's args as JSON; a date or time of the profile keeps its kind."""
    return {name: _told(value) for name, value in args.items()}


def args_from(told: Mapping[str, Any]) -> dict[str, Any]:
    """The inverse of `args_told`."""
    return {name: _from(value) for name, value in told.items()}


def _told(value: Any) -> Any:
    for kind, made in _KINDS.items():
        if type(value) is made:
            return {"kind": kind, "is": value.isoformat()}
    if isinstance(value, list | tuple):
        return [_told(one) for one in value]
    return {"kind": "table", "is": args_told(value)} if isinstance(value, Mapping) else value


def _from(told: Any) -> Any:
    if isinstance(told, list):
        return [_from(one) for one in told]
    if isinstance(told, Mapping):
        return args_from(told["is"]) if told["kind"] == "table" else _KINDS[told["kind"]].fromisoformat(told["is"])
    return told
