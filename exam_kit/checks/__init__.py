"""Checks: probes give facts, a dated profile judges them, the runner gets them in time, the store keeps the runs."""

from exam_kit.checks.at import At
from exam_kit.checks.model import Fact, Reason, Result, Run, Severity, State, Verdict
from exam_kit.checks.perform import run_and_keep
from exam_kit.checks.profile import Profile, load_profile
from exam_kit.checks.registry import probe
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
    "load_profile",
    "probe",
    "run_and_keep",
    "run_checks",
]
