"""Checks: probes give facts, a dated profile judges them, the runner gets them in time, the store keeps the runs.

Names are loaded when they are asked for: an exam station runs the checks with the standard library alone, and reading
profiles or the store needs more than that.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from exam_kit.checks.at import At
    from exam_kit.checks.model import Fact, Reason, Result, Run, Severity, State, Verdict
    from exam_kit.checks.perform import run_and_keep
    from exam_kit.checks.profile import Profile, load_profile
    from exam_kit.checks.registry import check, probe
    from exam_kit.checks.runner import run_checks
    from exam_kit.checks.site import CheckContext, Machine, NoFact

__all__ = [
    "At",
    "CheckContext",
    "Fact",
    "Machine",
    "NoFact",
    "Profile",
    "Reason",
    "Result",
    "Run",
    "Severity",
    "State",
    "Verdict",
    "check",
    "load_profile",
    "probe",
    "run_and_keep",
    "run_checks",
]

_HOMES = {
    "At": "at",
    "CheckContext": "site",
    "Machine": "site",
    "NoFact": "site",
    "Profile": "profile",
    "check": "registry",
    "load_profile": "profile",
    "probe": "registry",
    "run_and_keep": "perform",
    "run_checks": "runner",
}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES.get(name, 'model')}"), name)
