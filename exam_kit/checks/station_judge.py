"""A station's facts, judged here."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date
from typing import Any

from exam_kit.checks.model import Check, Fact, Outcome, Reading, Reason, Result, Run
from exam_kit.checks.profile import Profile
from exam_kit.checks.registry import get_probe
from exam_kit.checks.results import get_run
from exam_kit.checks.station_record import Record, Tested
from exam_kit.checks.verdicts import judge
from exam_kit.store import Store

__all__ = ["carried", "judged", "latest_of", "station_checks"]


def station_checks(profile: Profile, role: str) -> tuple[Check, ...]:
    """The checks a station of this role runs: those the profile wants there, cameras left to the laptop."""
    found = []
    for check in profile.checks:
        probe = get_probe(check.probe)
        if check.wanted_for(role) and probe is not None and probe.per == "machine":
            found.append(check)
    return tuple(found)


def judged(record: Record, profile: Profile) -> list[Result]:
    """The facts of the file, judged by `profile` as it is now; what the station was not asked stands as not run."""
    told = {tested.check: tested for tested in record.checks}
    return [
        _result(check, position, told.get(check.id), record)
        for position, check in enumerate(station_checks(profile, record.role))
    ]


def _result(check: Check, position: int, tested: Tested | None, record: Record) -> Result:
    probe = get_probe(check.probe)
    readings: Mapping[str, Reading] = probe.readings if probe else {}
    fact = Fact.unknown(Reason.NOT_RUN)
    if tested is not None and tested.probe == check.probe and _same(tested.args, check.args):
        fact = tested.as_fact()
    if (check.probe == "manual.confirm") is not (fact.outcome is Outcome.PENDING) and fact.outcome in (
        Outcome.PENDING,
        Outcome.MEASURED,
    ):
        # Nobody answers a person's item by a file, and nothing measured becomes an item to be signed.
        fact = Fact.unknown(Reason.ERROR, said="the fact is not of this check's kind")
    judgement = judge(fact, check.expect)
    return Result(
        check=check.id,
        target=record.station,
        position=position,
        probe=check.probe,
        title=check.title,
        fix=check.fix,
        severity=check.severity,
        expect=check.expect,
        readings=readings,
        fact=fact,
        state=judgement.state,
        broke=judgement.rules,
        at=tested.at if tested else record.ended_at,
        elapsed_s=tested.elapsed_s if tested else 0.0,
    )


def _same(told: Mapping[str, Any], asked: Mapping[str, Any]) -> bool:
    """Args are compared as JSON: 2 and 2.0 are one number there."""
    return bool(json.loads(json.dumps(told, default=str)) == json.loads(json.dumps(dict(asked), default=str)))


def carried(results: list[Result], before: Run | None, day: date | None) -> list[Result]:
    """Items a person has answered for this station on the same exam day keep their answer."""
    if before is None or day is None or before.day != day.isoformat():
        return results
    answered = {result.key: result for result in before.results if result.signed is not None}
    kept = []
    for result in results:
        old = answered.get(result.key) if result.manual else None
        if old is None:
            kept.append(result)
        else:
            kept.append(old._replace(position=result.position, carried_from=old.carried_from or before.id))
    return kept


def latest_of(store: Store, station: str) -> Run | None:
    """The station's run that ended last, whatever order the files came in."""
    rows = store.query(
        "SELECT run FROM station_result WHERE station = ? ORDER BY made_at DESC, seq DESC LIMIT 1", (station,)
    )
    return get_run(store, rows[0]["run"]) if rows else None
