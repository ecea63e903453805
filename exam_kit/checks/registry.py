"""Probes by name: the kit's own, and those a point adds through the entry-point group `exam_kit.checks`."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.metadata import entry_points
from typing import Any, Literal, TypeVar

from exam_kit.checks.model import Fact, Reading

__all__ = ["Lane", "Probe", "all_probes", "get_probe", "is_registered", "load_probes", "probe"]

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


@dataclass(frozen=True)
class Probe:
    """A registered probe.

    `function(at, **args)` gets an `at.At` and the profile's args by keyword, and returns a Fact. `readings` names
    every value it can give. `per` "camera" means one call, and one result, for each camera of the point.
    """

    name: str
    function: Callable[..., Fact]
    readings: Mapping[str, Reading]
    lane: Lane
    per: Per
    args: Mapping[str, ArgType]
    required: frozenset[str]


_probes: dict[str, Probe] = {}


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
        there = _probes.get(name)
        if there is not None and there.function.__qualname__ != function.__qualname__:
            raise ValueError(f"{name}: two probes have this name; give yours another")
        hints = typing.get_type_hints(function)
        named = [p for p in inspect.signature(function).parameters.values() if p.kind is p.KEYWORD_ONLY]
        _probes[name] = Probe(
            name=name,
            function=function,
            readings={key: Reading(*pair) for key, pair in (readings or {}).items()},
            lane=lane,
            per=per,
            args={p.name: ArgType(hints.get(p.name, Any)) for p in named},
            required=frozenset(p.name for p in named if p.default is p.empty),
        )
        return function

    return register


@cache
def load_probes() -> None:
    """Import the kit's probes and those of the installed entry points, once."""
    from exam_kit.checks import probes

    for module in pkgutil.iter_modules(probes.__path__):
        importlib.import_module(f"{probes.__name__}.{module.name}")
    for entry in entry_points(group=ENTRY_POINTS):
        entry.load()


def is_registered(name: str) -> bool:
    """Whether a probe of this name is there already; nothing is loaded to find out."""
    return name in _probes


def get_probe(name: str) -> Probe | None:
    """The probe of this name, or None."""
    if name not in _probes:  # an exam station has registered all it needs, and has no other probes
        load_probes()
    return _probes.get(name)


def all_probes() -> dict[str, Probe]:
    """Every probe by name, in order."""
    load_probes()
    return dict(sorted(_probes.items()))
