"""What a check is made of: the fact that was measured, what was expected, and the result that joins them.

Everything here is frozen data that goes to JSON and back without loss, so that a stored fact can be judged again.
Named tuples, because they are made in a tenth of the time a frozen dataclass takes: a whole check lasts a few dozen
milliseconds, on every station.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from types import MappingProxyType
from typing import Any, NamedTuple

__all__ = [
    "CONDITIONS",
    "EXIT_CODES",
    "SEVERITIES",
    "Attachment",
    "Check",
    "Expectation",
    "Fact",
    "Outcome",
    "Reading",
    "Reason",
    "Result",
    "Rule",
    "Run",
    "Scalar",
    "Severity",
    "Signature",
    "State",
    "Verdict",
    "Waived",
    "Waiver",
]

Scalar = str | int | float | bool | None
NOTHING: Mapping[str, Any] = MappingProxyType({})

Texts = dict[str, str]
"""The same text in every language: {"ru": …, "en": …, "lv": …}."""


class State(StrEnum):
    """How one check ended."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"
    UNKNOWN = "unknown"
    SKIP = "skip"
    PENDING = "pending"
    WAIVED = "waived"


class Severity(StrEnum):
    """How much it matters; apart from the state."""

    BLOCKER = "blocker"
    MAJOR = "major"
    MINOR = "minor"
    INFO = "info"


SEVERITIES = (Severity.INFO, Severity.MINOR, Severity.MAJOR, Severity.BLOCKER)
"""From the lightest to the gravest."""


class Verdict(StrEnum):
    """What the whole run says."""

    NOT_READY = "not_ready"
    INCOMPLETE = "incomplete"
    READY_WITH_REMARKS = "ready_with_remarks"
    READY = "ready"


EXIT_CODES = {Verdict.READY: 0, Verdict.NOT_READY: 3, Verdict.INCOMPLETE: 4, Verdict.READY_WITH_REMARKS: 5}
"""What `exam-kit check` ends with."""


class Outcome(StrEnum):
    """Whether a probe has a value to judge."""

    MEASURED = "measured"
    UNKNOWN = "unknown"
    SKIPPED = "skipped"
    PENDING = "pending"


class Reason(StrEnum):
    """Why there is no value. The first five belong to `unknown`, the others to `skip`."""

    TIMEOUT = "timeout"
    ERROR = "error"
    DENIED = "denied"
    TOOL_ABSENT = "tool_absent"
    NOT_RUN = "not_run"
    NO_CAMERAS = "no_cameras"
    NO_PLAN = "no_plan"
    NOT_REQUIRED = "not_required"
    OTHER_SYSTEM = "other_system"


class Reading(NamedTuple):
    """One named number or word that a probe gives: its unit (see `wording.UNITS`) and English label."""

    unit: str = ""
    label: str = ""


class Fact(NamedTuple):
    """What a probe found: named values, and the evidence a person can look at.

    `values` are judged, `evidence` never is. Where nothing could be measured, `outcome` and `reason` say why and
    `values` is empty.
    """

    values: Mapping[str, Scalar] = NOTHING
    evidence: Mapping[str, Any] = NOTHING
    outcome: Outcome = Outcome.MEASURED
    reason: Reason | None = None

    @classmethod
    def unknown(cls, reason: Reason, **evidence: Any) -> Fact:
        """It could not be measured."""
        return cls({}, evidence, Outcome.UNKNOWN, reason)

    @classmethod
    def skip(cls, reason: Reason, **evidence: Any) -> Fact:
        """It does not apply here."""
        return cls({}, evidence, Outcome.SKIPPED, reason)

    @classmethod
    def pending(cls, **evidence: Any) -> Fact:
        """A person has to look and sign."""
        return cls({}, evidence, Outcome.PENDING)

    def as_dict(self) -> dict[str, Any]:
        return {
            "values": dict(self.values),
            "evidence": dict(self.evidence),
            "outcome": self.outcome.value,
            "reason": self.reason.value if self.reason else None,
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Fact:
        reason = Reason(data["reason"]) if data["reason"] else None
        return cls(data["values"], data["evidence"], Outcome(data["outcome"]), reason)


CONDITIONS = ("below", "above", "is", "is_not", "one_of", "none_of", "version_below")


class Rule(NamedTuple):
    """The fault is there when the value named `of` meets `condition` with `bound`: free `below` 1.0."""

    of: str
    condition: str
    bound: Scalar | tuple[Scalar, ...]

    def as_dict(self) -> dict[str, Any]:
        bound = list(self.bound) if isinstance(self.bound, tuple) else self.bound
        return {"of": self.of, self.condition: bound}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Rule:
        ((condition, bound),) = ((key, value) for key, value in data.items() if key != "of")
        return cls(data["of"], condition, tuple(bound) if isinstance(bound, list) else bound)


class Expectation(NamedTuple):
    """Which values are a failure and which a warning. Any one rule that is met decides; failure first."""

    fail: tuple[Rule, ...] = ()
    warn: tuple[Rule, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        return {"fail": [rule.as_dict() for rule in self.fail], "warn": [rule.as_dict() for rule in self.warn]}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Expectation:
        return cls(*(tuple(Rule.from_dict(rule) for rule in data[level]) for level in ("fail", "warn")))


class Check(NamedTuple):
    """One line of a profile."""

    id: str
    probe: str
    args: Mapping[str, Any]
    expect: Expectation
    severity: Severity
    timeout_s: float
    title: Texts
    fix: Texts
    roles: tuple[str, ...] = ()
    """what computers it is for: `Profile.for_role`; empty: the specialist's laptop"""

    def wanted_for(self, role: str | None) -> bool:
        """Whether a computer of this role is asked; None is the specialist's laptop."""
        if role is None:
            return not self.roles or "laptop" in self.roles
        return role in self.roles or "station" in self.roles

    @property
    def family(self) -> str:
        """What it is about: the first word of the probe's name (`disk`, `camera`, `manual`, …)."""
        return self.probe.partition(".")[0]


class Attachment(NamedTuple):
    """A photo or paper kept with an answer: under its SHA-256 in `evidence/`, here by the name it came with."""

    name: str
    sha256: str
    bytes: int


class Signature(NamedTuple):
    """Who answered a manual item, as printed on the protocol; `at` is UTC ISO 8601."""

    login: str
    name: str
    role: str
    post: str
    at: str
    note: str = ""
    attachments: tuple[Attachment, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        told = {key: value for key, value in self._asdict().items() if key != "attachments"}
        # Left out where there is none: what was stored before there were attachments keeps its bytes.
        return told | ({"attachments": [one._asdict() for one in self.attachments]} if self.attachments else {})

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Signature:
        return cls(**{**data, "attachments": tuple(Attachment(**one) for one in data.get("attachments", ()))})


class Waiver(NamedTuple):
    """A named decision to let one check on one target pass for a while. `number` is its entry in the ledger.

    It covers results of severity `most` at the gravest, from `given_at` up to, and not including, `until` (UTC ISO
    8601); `withdrawn_at` ends it earlier.
    """

    number: int
    check: str
    target: str
    why: str
    until: str
    most: Severity
    given_at: str
    login: str
    name: str
    role: str
    post: str
    withdrawn_at: str | None = None

    @property
    def key(self) -> tuple[str, str]:
        return self.check, self.target

    def in_force(self, at: str) -> bool:
        """Whether it holds at this moment (UTC ISO 8601); also asked backwards, for a run of the past."""
        ends = min(self.until, self.withdrawn_at or self.until)
        return self.given_at <= at < ends

    def as_dict(self) -> dict[str, Any]:
        return {**self._asdict(), "most": self.most.value}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Waiver:
        return cls(**{**data, "most": Severity(data["most"])})


class Waived(NamedTuple):
    """What stands in a waived result: by which decision, and the state it covers."""

    waiver: Waiver
    covers: State


class Result(NamedTuple):
    """One check on one target, judged. `target` is a camera's id, or empty when the check is about the machine."""

    check: str
    target: str
    position: int
    probe: str
    title: Texts
    fix: Texts
    severity: Severity
    expect: Expectation
    readings: Mapping[str, Reading]
    fact: Fact
    state: State
    broke: tuple[Rule, ...]
    at: str
    elapsed_s: float
    carried_from: str | None = None
    signed: Signature | None = None
    waived: Waived | None = None

    @property
    def key(self) -> tuple[str, str]:
        return self.check, self.target

    @property
    def family(self) -> str:
        return self.probe.partition(".")[0]

    @property
    def manual(self) -> bool:
        """True for an item that a person answers."""
        return self.fact.outcome is Outcome.PENDING

    def as_dict(self) -> dict[str, Any]:
        told = {
            "check": self.check,
            "target": self.target,
            "position": self.position,
            "probe": self.probe,
            "title": dict(self.title),
            "fix": dict(self.fix),
            "severity": self.severity.value,
            "expect": self.expect.as_dict(),
            "readings": {name: [reading.unit, reading.label] for name, reading in self.readings.items()},
            "fact": self.fact.as_dict(),
            "state": self.state.value,
            "broke": [rule.as_dict() for rule in self.broke],
            "at": self.at,
            "elapsed_s": self.elapsed_s,
            "carried_from": self.carried_from,
            "signed": self.signed.as_dict() if self.signed else None,
        }
        if (
            self.waived is not None
        ):  # left out otherwise, so that rows stored before there were waivers keep their bytes
            told["waived"] = {"waiver": self.waived.waiver.as_dict(), "covers": self.waived.covers.value}
        return told

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Result:
        waived = data.get("waived")
        return cls(
            check=data["check"],
            target=data["target"],
            position=data["position"],
            probe=data["probe"],
            title=data["title"],
            fix=data["fix"],
            severity=Severity(data["severity"]),
            expect=Expectation.from_dict(data["expect"]),
            readings={name: Reading(*pair) for name, pair in data["readings"].items()},
            fact=Fact.from_dict(data["fact"]),
            state=State(data["state"]),
            broke=tuple(Rule.from_dict(rule) for rule in data["broke"]),
            at=data["at"],
            elapsed_s=data["elapsed_s"],
            carried_from=data["carried_from"],
            signed=Signature.from_dict(data["signed"]) if data["signed"] else None,
            waived=Waived(Waiver.from_dict(waived["waiver"]), State(waived["covers"])) if waived else None,
        )


class Run(NamedTuple):
    """One pass over a profile. `verdict` and `ended_at` are None while it goes on; moments are UTC ISO 8601."""

    id: str
    day: str | None
    profile: str
    profile_hash: str
    actor: str
    started_at: str
    ended_at: str | None
    verdict: Verdict | None
    results: Sequence[Result] = ()

    @property
    def counts(self) -> dict[str, int]:
        """How many results are in each state; every state is there."""
        found = [result.state for result in self.results]
        return {state.value: found.count(state) for state in State}
