"""What the doctor says: findings, and all of them as a table or as data."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from exam_kit.errors import Message
from exam_kit.i18n import N_, _, ngettext

__all__ = ["UNHEALTHY", "DoctorReport", "Finding", "State"]

UNHEALTHY = 40


class State(StrEnum):
    """How a finding is meant."""

    OK = "ok"
    NOTE = "note"
    FAULT = "fault"
    UNKNOWN = "unknown"


MARKS = {State.OK: "✓", State.NOTE: "·", State.FAULT: "✗", State.UNKNOWN: "?"}

TITLES = {
    "python": N_("Python"),
    "packages": N_("Packages"),
    "imports": N_("Libraries"),
    "home": N_("Data folder"),
    "space": N_("Disk space"),
    "timezones": N_("Time zones"),
    "point": N_("Exam point"),
    "secrets": N_("Camera passwords"),
    "keys": N_("Signing key"),
    "store": N_("Database"),
    "ledger": N_("Ledger"),
    "agent": N_("Agent"),
    "port": N_("Port"),
}


@dataclass(frozen=True)
class Finding:
    """What one check saw, in detail where there is more to say. `way_out` is there when `seen` does not name it."""

    check: str
    state: State
    seen: Message
    way_out: Message | None = None
    details: tuple[Message, ...] = ()

    def seen_text(self) -> str:
        return "\n".join(part.text() for part in (self.seen, *self.details))

    def as_dict(self) -> dict[str, Any]:
        way_out = self.way_out.text() if self.way_out else None
        return {"check": self.check, "state": self.state.value, "seen": self.seen_text(), "way_out": way_out}


@dataclass(frozen=True)
class DoctorReport:
    """Every finding, in the order of the checks."""

    findings: tuple[Finding, ...]

    @property
    def healthy(self) -> bool:
        return all(finding.state in (State.OK, State.NOTE) for finding in self.findings)

    @property
    def exit_code(self) -> int:
        """0 when the installation is sound, 40 when there is something to mend."""
        return 0 if self.healthy else UNHEALTHY

    def as_dict(self) -> dict[str, Any]:
        return {"healthy": self.healthy, "findings": [finding.as_dict() for finding in self.findings]}

    def text(self) -> str:
        """A plain table in the current language, faults with the way out below them."""
        width = max(len(_(title)) for title in TITLES.values())
        lines = []
        for finding in self.findings:
            title = _(TITLES[finding.check]).ljust(width)
            first, *more = finding.seen_text().splitlines() or [""]
            lines.append(f"{MARKS[finding.state]} {title}  {first}")
            below = [*more, *(finding.way_out.text().splitlines() if finding.way_out else [])]
            lines += [f"{' ' * (width + 4)}{line}" for line in below]
        wrong = sum(finding.state in (State.FAULT, State.UNKNOWN) for finding in self.findings)
        if wrong:
            lines.append(ngettext("{count} thing to mend.", "{count} things to mend.", wrong).format(count=wrong))
        else:
            lines.append(_("The installation is sound."))
        return "\n".join(lines)
