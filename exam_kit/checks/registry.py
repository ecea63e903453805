"""Probes by name: the kit's own, and those a point adds: files in `checks/` of its home, or installed packages.

Packages are found by the entry-point group `exam_kit.checks`. One that cannot be loaded costs its own probes only.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextvars import ContextVar
from functools import cache, cached_property
from typing import Any, Literal, TypeVar

from exam_kit.checks.model import Fact, Reading, Reason

__all__ = [
    "Collected",
    "Lane",
    "Probe",
    "adopt",
    "all_probes",
    "broken_probes",
    "check",
    "collect",
    "get_probe",
    "is_registered",
    "load_probes",
    "package_faults",
    "probe",
]

Lane = Literal["local", "waiting"]
"""`local`: reads this machine, two at a time. `waiting`: mostly waits for something else, 32 at a time."""

LOCAL_LANES = 2
WAITING_LANES = 32

Per = Literal["machine", "camera"]
ProbeFunction = TypeVar("ProbeFunction", bound=Callable[..., Fact])

ENTRY_POINTS = "exam_kit.checks"


class ArgType:
    """What an arg may be. Pydantic is loaded when one is first checked: running a profile does not need it."""

    def __init__(self, hint: Any) -> None:
        self._hint = hint

    def validate_python(self, value: object, *, strict: bool = True) -> object:
        """`value` as the probe gets it; pydantic's ValidationError when it is of another kind."""
        from pydantic import TypeAdapter

        return TypeAdapter(self._hint).validate_python(value, strict=strict)


class Probe:
    """A registered probe.

    `function(at, **args)` gets an `at.At` and the profile's args by keyword, and returns a Fact. `readings` names
    every value it can give. `per` "camera" means one call, and one result, for each camera of the point.
    """

    name: str

    def __init__(
        self,
        name: str,
        function: Callable[..., Fact],
        readings: Mapping[str, Reading],
        lane: Lane,
        per: Per,
        *,
        broken: str = "",
    ) -> None:
        self.name = name
        self.function = function
        self.readings = readings
        self.lane: Lane = lane
        self.per: Per = per
        self.broken = broken
        """why the file that should define it cannot be used; its checks are unknown then"""

    @cached_property
    def args(self) -> Mapping[str, ArgType]:
        """What a profile may give: the function's keyword-only parameters.

        Raises:
            NameError: an annotation names what is not there.
        """
        # Looked at when a profile is examined; running one that was examined needs none of it.
        import typing

        hints = typing.get_type_hints(self.function)
        return {name: ArgType(hints.get(name, Any)) for name in self._keywords}

    @property
    def required(self) -> frozenset[str]:
        """Those of `args` without a default."""
        return frozenset(self._keywords) - (getattr(self.function, "__kwdefaults__", None) or {}).keys()

    @property
    def _keywords(self) -> tuple[str, ...]:
        import inspect

        parameters = inspect.signature(self.function).parameters.values()
        return tuple(one.name for one in parameters if one.kind is one.KEYWORD_ONLY)


class Collected:
    """What one file or package of the point registers: probes, and whole checks as the tables of a profile."""

    def __init__(self) -> None:
        self.probes: dict[str, Probe] = {}
        self.checks: list[dict[str, Any]] = []


_probes: dict[str, Probe] = {}
_adopted: dict[str, set[str]] = {}
_package_faults: dict[str, str] = {}
_collecting: ContextVar[Collected | None] = ContextVar("exam_kit_collecting", default=None)


def probe(
    name: str,
    *,
    readings: Mapping[str, tuple[str, str]] | None = None,
    lane: Lane = "local",
    per: Per = "machine",
) -> Callable[[ProbeFunction], ProbeFunction]:
    """Register a function as the probe `name`.

    Its keyword-only parameters are the args a profile may give, checked against their annotations. `readings` maps
    the name of each value to (unit, English label); units are listed in `wording`.

    Raises:
        ValueError: another function has this name already.
    """

    def register(function: ProbeFunction) -> ProbeFunction:
        collected = _collecting.get()
        into = _probes if collected is None else collected.probes
        there = into.get(name)
        if there is not None and _origin(there.function) != _origin(function):
            raise ValueError(f"{name}: two probes have this name; give yours another")
        made = Probe(name, function, {key: Reading(*pair) for key, pair in (readings or {}).items()}, lane, per)
        if collected is not None:
            _ = made.args  # of the point's own: what is wrong with them is said when their file is loaded
        into[name] = made
        return function

    return register


def _origin(function: Callable[..., Fact]) -> tuple[str, str]:
    return function.__module__, function.__qualname__


def check(
    id: str,
    *,
    severity: str,
    title: Mapping[str, str],
    fix: Mapping[str, str],
    fail: Sequence[Mapping[str, Any]] = (),
    warn: Sequence[Mapping[str, Any]] = (),
    readings: Mapping[str, tuple[str, str]] | None = None,
    timeout_s: float = 10,
    roles: Sequence[str] = (),
    lane: Lane = "local",
    per: Per = "machine",
) -> Callable[[ProbeFunction], ProbeFunction]:
    """Register a function as a probe *and* as a check that every profile of the point has: one file adds one check.

    That is for files in `checks/` of the home; in an installed package it registers the probe alone.

    The probe is called `own.<id>`. The other values are those of a `[[checks]]` table, and are checked as such.

    Raises:
        ValueError: another function has this name already.
    """

    def register(function: ProbeFunction) -> ProbeFunction:
        probe(f"own.{id}", readings=readings, lane=lane, per=per)(function)
        table = {
            "id": id,
            "probe": f"own.{id}",
            "severity": severity,
            "timeout_s": timeout_s,
            "expect": {"fail": [dict(rule) for rule in fail], "warn": [dict(rule) for rule in warn]},
            "title": dict(title),
            "fix": dict(fix),
            "roles": list(roles),
        }
        collected = _collecting.get()
        if collected is not None:  # a package gives the probe only; the profile says what it asks of it
            collected.checks.append(table)
        return function

    return register


def collect(load: Callable[[], object]) -> Collected:
    """What `load` registers, kept apart until it is adopted; whatever `load` raises comes through."""
    collected = Collected()
    token = _collecting.set(collected)
    try:
        load()
    finally:
        _collecting.reset(token)
    return collected


def adopt(source: str, found: Iterable[Probe]) -> None:
    """Make these the probes of `source` (a file or package), instead of those it had.

    Raises:
        ValueError: a probe of the kit or of another source has one of the names; nothing is changed then.
    """
    ours = {one.name: one for one in found}
    had = _adopted.get(source, set())
    for name in ours:
        if name in _probes and name not in had:
            raise ValueError(f"{name}: two probes have this name; give yours another")
    for name in had:
        _probes.pop(name, None)
    _probes.update(ours)
    _adopted[source] = set(ours)


_NAMED = re.compile(r"@(?:\w+\.)?(probe|check)\(\s*[\"']([^\"']+)[\"']")


def broken_probes(source: str, file: str, fault: str) -> list[Probe]:
    """Probes in place of those that a broken file names, so that a profile that uses them can still be run."""

    def unknown(_at: object, **_args: object) -> Fact:
        return Fact.unknown(Reason.ERROR, file=file, said=fault)

    names = {f"own.{name}" if kind == "check" else name for kind, name in _NAMED.findall(source)}
    return [Probe(name, unknown, {}, "local", "machine", broken=f"{file}: {fault}") for name in sorted(names)]


def package_faults() -> dict[str, str]:
    """Installed packages whose probes could not be loaded, and why."""
    load_probes()
    return dict(_package_faults)


@cache
def load_probes() -> None:
    """Import the kit's probes and those of the installed entry points, once."""
    # Looking for installed packages takes longer than many a run: only who asks for everything pays for it.
    import importlib
    import pkgutil
    from importlib.metadata import entry_points

    from exam_kit.checks import probes

    for module in pkgutil.iter_modules(probes.__path__):
        importlib.import_module(f"{probes.__name__}.{module.name}")
    for entry in entry_points(group=ENTRY_POINTS):
        try:
            collected = collect(entry.load)
            adopt(f"entry point {entry.name}", collected.probes.values())
        except (Exception, SystemExit) as problem:  # noqa: BLE001 - others wrote it; the run must go on without it
            name, said = f"{entry.name} = {entry.value}", f"{type(problem).__name__}: {problem}"
            _package_faults[name] = said
            for one in broken_probes(_source_of(entry.module), name, said):
                _probes.setdefault(one.name, one)


def _source_of(module: str) -> str:
    """The text of a module that could not be imported; empty where there is none to be found."""
    import importlib.util

    try:
        found = importlib.util.find_spec(module)
        if found is None or not found.origin:
            return ""
        with open(found.origin, encoding="utf-8", errors="replace") as source:
            return source.read()
    except (ImportError, ValueError, OSError):
        return ""


def is_registered(name: str) -> bool:
    """Whether a probe of this name is there already; nothing is loaded to find out."""
    return name in _probes


def get_probe(name: str) -> Probe | None:
    """The probe of this name, or None.

    The kit's own mostly lie in the file called like their family: that one is loaded first, and everything only when
    the name is still unknown.
    """
    if name not in _probes:  # an exam station has registered all it needs, and has no other probes
        _load_family(name.partition(".")[0])
    if name not in _probes:
        load_probes()
    return _probes.get(name)


@cache
def _load_family(family: str) -> None:
    import importlib

    try:
        importlib.import_module(f"exam_kit.checks.probes.{family}")
    except ModuleNotFoundError as problem:
        if problem.name != f"exam_kit.checks.probes.{family}":
            raise


def all_probes() -> dict[str, Probe]:
    """Every probe by name, in order."""
    load_probes()
    return dict(sorted(_probes.items()))
