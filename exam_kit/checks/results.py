"""Runs in the store: rows stream in as results arrive; the end of a run is an entry of the ledger."""

from __future__ import annotations

import json
import secrets
import sqlite3
from collections.abc import Iterable, Sequence
from typing import Any

from exam_kit.checks.model import Attachment, Result, Run, Signature, State, Verdict, Waiver
from exam_kit.checks.profile import Profile
from exam_kit.checks.report import CANCELLED, run_dict
from exam_kit.checks.verdicts import overall, waive
from exam_kit.checks.waivers_given import waivers_given
from exam_kit.clock import Clock, iso
from exam_kit.errors import RefusedEntry, m
from exam_kit.home import Home
from exam_kit.store import Account, Act, Entry, Ledger, Store, may
from exam_kit.store.evidence import keep_evidence
from exam_kit.store.rights import ROLE_LABELS

__all__ = [
    "finish_run",
    "get_run",
    "latest_run",
    "previous_run",
    "run_dict",
    "runs",
    "save_result",
    "sign",
    "sign_rest",
    "start_run",
    "told",
    "under",
    "waive_in_run",
]


def start_run(store: Store, profile: Profile, *, day: str | None, actor: str, clock: Clock) -> Run:
    """Open a run. `day` is the exam day's date as ISO text; `actor` a login, or "agent"."""
    now = clock.now()
    run = Run(
        id=f"{now:%Y%m%dT%H%M%SZ}-{secrets.token_hex(3)}",
        day=day,
        profile=profile.name,
        profile_hash=profile.hash,
        actor=actor,
        started_at=iso(now),
        ended_at=None,
        verdict=None,
    )
    with store.transaction() as connection:
        connection.execute(
            "INSERT INTO check_run (id, day, profile, profile_hash, started_at, actor) VALUES (?, ?, ?, ?, ?, ?)",
            (run.id, run.day, run.profile, run.profile_hash, run.started_at, run.actor),
        )
    return run


def save_result(store: Store, run_id: str, result: Result) -> None:
    """Keep one result; an earlier row of the same check and target in this run is replaced."""
    with store.transaction() as connection:
        _write(connection, run_id, result)


def _write(connection: sqlite3.Connection, run_id: str, result: Result) -> None:
    connection.execute(
        "INSERT INTO check_result (run, position, check_id, target, state, severity, body) VALUES (?, ?, ?, ?, ?, ?, ?)"
        " ON CONFLICT (run, check_id, target) DO UPDATE SET position = excluded.position, state = excluded.state,"
        " severity = excluded.severity, body = excluded.body",
        (
            run_id,
            result.position,
            result.check,
            result.target,
            result.state.value,
            result.severity.value,
            json.dumps(result.as_dict(), ensure_ascii=False),
        ),
    )


def finish_run(
    ledger: Ledger, run_id: str, *, clock: Clock, waivers: Iterable[Waiver] = (), cancelled_by: str = ""
) -> Run:
    """Close the run with its verdict: the row and the ledger's `check.finished` stand or fall together.

    The results stand under `waivers` and no others: give those that are in force.
    """
    given = list(waivers)
    # One transaction from reading to writing: an answer given meanwhile is neither lost nor left out of the verdict.
    with ledger.store.transaction():
        kept = get_run(ledger.store, run_id)
        run = under(kept, given)
        verdict, ended_at = overall(run.results), iso(clock.now())

        def close(connection: sqlite3.Connection, entry: Entry) -> None:
            _write_changed(connection, run, kept)
            connection.execute(
                "UPDATE check_run SET ended_at = ?, verdict = ?, seq = ? WHERE id = ?",
                (ended_at, verdict.value, entry.seq, run_id),
            )

        body = {
            "run": run_id,
            "day": run.day,
            "profile": run.profile,
            "profile_hash": run.profile_hash,
            "verdict": verdict.value,
            "counts": run.counts,
            "carried": sum(result.carried_from is not None for result in run.results),
            "waivers": sorted({result.waived.waiver.number for result in run.results if result.waived}),
        }
        ended = {CANCELLED: cancelled_by} if cancelled_by else {}
        ledger.append("check.finished", body | ended, run.actor, also=close)
    return run._replace(ended_at=ended_at, verdict=verdict)


def _write_changed(connection: sqlite3.Connection, run: Run, was: Run) -> None:
    for result, old in zip(run.results, was.results, strict=True):
        if result != old:
            _write(connection, run.id, result)


def under(run: Run, waivers: Iterable[Waiver]) -> Run:
    """The run as it stands under these waivers and no others, with the verdict that follows; pure, nothing is kept.

    With the waivers in force now it tells what a kept run is worth now: a waiver that has expired covers no longer.
    """
    given = list(waivers)
    results = tuple(waive(result, given) for result in run.results)
    return run._replace(results=results, verdict=overall(results) if run.verdict else None)


def waive_in_run(connection: sqlite3.Connection, run: Run, waivers: Iterable[Waiver], seq: int) -> Run:
    """Judge a kept run again under `waivers`, in the transaction of the ledger's entry `seq`."""
    again = under(run, waivers)
    _write_changed(connection, again, run)
    if again.verdict is not None:
        connection.execute("UPDATE check_run SET verdict = ?, seq = ? WHERE id = ?", (again.verdict.value, seq, run.id))
    return again


def sign(
    ledger: Ledger,
    run_id: str,
    check_id: str,
    target: str,
    state: State,
    actor: Account,
    note: str = "",
    *,
    attachments: Sequence[tuple[str, bytes]] = (),
    clock: Clock,
) -> Result:
    """A person answers a manual item of a run: `ok`, `warn` or `fail`. The run's verdict follows.

    `attachments` are photos or papers as (name, content); they are kept in `evidence/` of the home under their SHA-256,
    which the ledger names.

    Raises:
        RefusedEntry: there is no such item, it is not manual, this role may not answer it, a fault has no note, or an
            attachment cannot be taken.
        AccessDenied: an attachment cannot be written.
    """
    with ledger.store.transaction():
        run = get_run(ledger.store, run_id)
        result = next((found for found in run.results if found.key == (check_id, target)), None)
        if result is None or not result.manual:
            raise RefusedEntry(
                m("{check}: is not an item that is confirmed by hand in this run. Choose one that is.", check=check_id)
            )
        _may_answer(result, state, actor, note)
        now = iso(clock.now())
        kept = tuple(Attachment(*one) for one in keep_evidence(_home_of(ledger.store), attachments))
        signature = Signature(actor.login, actor.name, actor.role.value, actor.post, now, note.strip(), kept)
        result = result._replace(state=state, signed=signature, carried_from=None, waived=None)
        result = waive(result, waivers_given(ledger, at=now))
        others = [found for found in run.results if found.key != result.key]
        verdict = overall([*others, result]) if run.ended_at else None

        def keep(connection: sqlite3.Connection, entry: Entry) -> None:
            _write(connection, run_id, result)
            if verdict is not None:
                connection.execute(
                    "UPDATE check_run SET verdict = ?, seq = ? WHERE id = ?", (verdict.value, entry.seq, run_id)
                )

        body = {
            "run": run_id,
            "check": check_id,
            "target": target,
            "state": state.value,
            "note": signature.note,
            "name": actor.name,
            "role": actor.role.value,
            "verdict": verdict.value if verdict else None,
        }
        ledger.append("check.signed", body | _named(kept), actor.login, also=keep)
    return result


def sign_rest(ledger: Ledger, run_id: str, actor: Account, *, clock: Clock) -> list[Result]:
    """ "The rest is fine": every item of the run that still waits and that this role may answer is signed as ok.

    All of them or none; each has its entry in the ledger. Items that only another role answers go on waiting.

    Raises:
        RefusedEntry: nothing waits that this role may answer.
    """
    with ledger.store.transaction():
        run = get_run(ledger.store, run_id)
        waiting = [one for one in run.results if one.state is State.PENDING and _answers(one, actor)]
        if not waiting:
            raise RefusedEntry(
                m(
                    "Nothing waits for the role '{role}' in this run. Ask a person whose role answers what is left.",
                    role=m(ROLE_LABELS[actor.role]),
                )
            )
        return [sign(ledger, run_id, one.check, one.target, State.OK, actor, clock=clock) for one in waiting]


def _home_of(store: Store) -> Home:
    """The home that a store lies in: `evidence/` stands beside `store/`."""
    return Home.at(store.path.parent.parent)


def _named(attachments: Sequence[Attachment]) -> dict[str, Any]:
    return {"attachments": [one._asdict() for one in attachments]} if attachments else {}


def _answers(result: Result, actor: Account) -> bool:
    roles = result.fact.evidence.get("roles") or []
    allowed = may(actor.role, Act.RUN_CHECKS) or may(actor.role, Act.CONFIRM_CHECKS)
    return allowed and (not roles or actor.role.value in roles)


def _may_answer(result: Result, state: State, actor: Account, note: str) -> None:
    if state not in (State.OK, State.WARN, State.FAIL):
        raise RefusedEntry(
            m("{check}: the answer is 'in order', 'remark' or 'fault'. Choose one of them.", check=result.check)
        )
    if not _answers(result, actor):
        raise RefusedEntry(
            m(
                "{check}: the role '{role}' does not answer this item. Ask a person whose role does.",
                check=result.check,
                role=actor.role.value,
            )
        )
    if state is not State.OK and not note.strip():
        raise RefusedEntry(m("{check}: a remark or a fault needs a note. Write what was found.", check=result.check))


def runs(store: Store, *, day: str | None = None, limit: int = 50, station: str | None = None) -> list[Run]:
    """Runs, newest first, without their results; of one exam day when `day` is given.

    `station` asks for the runs taken in from that exam station; without it they are the laptop's own.
    """
    rows = store.query(
        "SELECT * FROM check_run WHERE (:day IS NULL OR day = :day) AND station IS :station"
        " ORDER BY started_at DESC, rowid DESC LIMIT :limit",
        {"day": day, "limit": limit, "station": station},
    )
    return [_run(row) for row in rows]


def latest_run(
    store: Store, *, day: str | None = None, finished: bool = True, station: str | None = None
) -> Run | None:
    """The newest run with its results; None when there is none. `finished=False` takes one still going on, too.

    `station` asks for the runs taken in from that exam station; without it they are the laptop's own.
    """
    rows = store.query(
        "SELECT id FROM check_run WHERE (:day IS NULL OR day = :day) AND (ended_at IS NOT NULL OR NOT :finished)"
        " AND station IS :station ORDER BY started_at DESC, rowid DESC LIMIT 1",
        {"day": day, "finished": finished, "station": station},
    )
    return get_run(store, rows[0]["id"]) if rows else None


def previous_run(store: Store, run: Run) -> Run | None:
    """The finished run before this one on the same computer, of whatever day; None when there is none."""
    rows = store.query(
        "SELECT one.id FROM check_run AS one JOIN check_run AS this ON this.id = :id"
        " WHERE one.ended_at IS NOT NULL AND one.id <> this.id AND one.station IS this.station"
        " AND (one.started_at, one.rowid) < (this.started_at, this.rowid)"
        " ORDER BY one.started_at DESC, one.rowid DESC LIMIT 1",
        {"id": run.id},
    )
    return get_run(store, rows[0]["id"]) if rows else None


def told(store: Store, run: Run, *, waivers: Sequence[Waiver] | None = None) -> dict[str, Any]:
    """What screens, papers and outputs show of a run of this laptop: `run_dict` with two things more.

    The comparison is with the run before it. `stations` has, for each exam station whose result was taken in for the
    same exam day, its latest run as `run_dict` (judged under `waivers` where they are given); a station whose result
    the run before had, and this one has not, is missing in the comparison.
    """
    before = previous_run(store, run)
    mine = _station_runs(store, run)
    if waivers is not None:
        mine = [under(one, waivers) for one in mine]
    theirs = _station_runs(store, before, until=run.started_at) if before else []
    found = run_dict(_whole(run, mine), before=_whole(before, theirs) if before else None)
    plain = run_dict(run)
    return {
        **plain,
        "comparison": found["comparison"],
        "stations": {one.results[0].target: run_dict(one) for one in mine if one.results},
    }


def _whole(run: Run, stations: Sequence[Run]) -> Run:
    """The run with the results of stations behind its own."""
    return run._replace(results=(*run.results, *(result for one in stations for result in one.results)))


def _station_runs(store: Store, run: Run, *, until: str | None = None) -> list[Run]:
    """The latest run of each station for the exam day of `run`, as far as they ended before `until`."""
    rows = store.query(
        "SELECT id, station, max(ended_at) FROM check_run WHERE station IS NOT NULL AND day IS :day"
        " AND (:until IS NULL OR ended_at < :until) GROUP BY station ORDER BY station",
        {"day": run.day, "until": until},
    )
    return [get_run(store, row["id"]) for row in rows]


def get_run(store: Store, run_id: str) -> Run:
    """One run with its results in the profile's order; KeyError when there is none."""
    rows = store.query("SELECT * FROM check_run WHERE id = ?", (run_id,))
    if not rows:
        raise KeyError(run_id)
    bodies = store.query("SELECT body FROM check_result WHERE run = ? ORDER BY position, target", (run_id,))
    return _run(rows[0])._replace(results=tuple(Result.from_dict(json.loads(row["body"])) for row in bodies))


def _run(row: dict[str, Any]) -> Run:
    return Run(
        id=row["id"],
        day=row["day"],
        profile=row["profile"],
        profile_hash=row["profile_hash"],
        actor=row["actor"],
        started_at=row["started_at"],
        ended_at=row["ended_at"],
        verdict=Verdict(row["verdict"]) if row["verdict"] else None,
    )
