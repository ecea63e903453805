"""The waivers that stand in the ledger."""

from __future__ import annotations

from exam_kit.checks.model import SEVERITIES, Severity, Waiver
from exam_kit.checks.profile import Profile
from exam_kit.clock import iso
from exam_kit.store import Entry, Ledger

__all__ = ["GIVEN", "WITHDRAWN", "permitted", "waivers_given"]

GIVEN = "waiver.given"
WITHDRAWN = "waiver.withdrawn"


def waivers_given(ledger: Ledger, *, at: str | None = None) -> list[Waiver]:
    """Every waiver ever given, oldest first; with `at` (UTC ISO 8601) only those in force at that moment."""
    found: dict[int, Waiver] = {}
    for entry in ledger.entries([GIVEN, WITHDRAWN]):
        if entry.kind == GIVEN:
            found[entry.seq] = waiver_of(entry)
        elif entry.body["waiver"] in found:
            waiver = found[entry.body["waiver"]]
            found[waiver.number] = waiver._replace(withdrawn_at=waiver.withdrawn_at or iso(entry.at))
    return [waiver for waiver in found.values() if at is None or waiver.in_force(at)]


def permitted(waivers: list[Waiver], profile: Profile) -> list[Waiver]:
    """The waivers as far as this profile allows them: none where it has no `[waivers]`, none above its severity."""
    if profile.waivers is None:
        return []
    limit = SEVERITIES.index(profile.waivers.most_severity)
    return [one._replace(most=SEVERITIES[min(limit, SEVERITIES.index(one.most))]) for one in waivers]


def waiver_of(entry: Entry) -> Waiver:
    """The waiver that a `waiver.given` entry gives."""
    body = entry.body
    return Waiver(
        number=entry.seq,
        check=body["check"],
        target=body["target"],
        why=body["why"],
        until=body["until"],
        most=Severity(body["most"]),
        given_at=iso(entry.at),
        login=entry.actor,
        name=body["name"],
        role=body["role"],
        post=body["post"],
    )
