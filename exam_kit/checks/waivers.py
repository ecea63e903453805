"""Waivers: a commission member lets a fault pass, by name, with a reason and an end.

A waiver is an entry of the ledger and nothing else. It is applied when results are judged and ends by itself; the most
it may cover, and for how long, stand in the profile's `[waivers]`.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from exam_kit.checks.model import SEVERITIES, Severity, Waiver
from exam_kit.checks.profile import Profile, WaiversPart, load_profile
from exam_kit.checks.results import latest_run, waive_in_run
from exam_kit.checks.waivers_given import GIVEN, WITHDRAWN, permitted, waiver_of, waivers_given
from exam_kit.clock import iso
from exam_kit.errors import RefusedEntry, m
from exam_kit.home import Home
from exam_kit.point import load_point
from exam_kit.store import Account, Act, Entry, Ledger, require

__all__ = ["Waivers"]


class Waivers:
    """The waivers of one point. `profile` is the point's own when none is given."""

    def __init__(self, ledger: Ledger, home: Home, profile: Profile | None = None) -> None:
        self._ledger = ledger
        self._home = home
        self._profile = profile

    @property
    def profile(self) -> Profile:
        """Raises NotSetUp or PointInvalid where the point's profile cannot be read."""
        if self._profile is None:
            self._profile = load_profile(load_point(self._home.point_file).profile, self._home)
        return self._profile

    @property
    def limits(self) -> WaiversPart | None:
        """The most that the profile allows; None: no waivers at all."""
        return self.profile.waivers

    def give(
        self,
        check: str,
        target: str,
        why: str,
        until: datetime,
        actor: Account,
        *,
        most: Severity | None = None,
    ) -> Waiver:
        """Let `check` on `target` (a camera's or station's id, or "") pass until the moment `until`.

        `most` is the gravest severity it covers; by default the check's own in the profile. The latest run is judged
        again at once, and its verdict with it.

        Raises:
            AccessDenied: this role does not confirm readiness.
            RefusedEntry: there is no such check, no reason, the end is not ahead or too far, or the profile does not
                allow so grave a check to be waived.
        """
        require(actor.role, Act.CONFIRM_CHECKS)
        now = self._ledger.clock.now()
        most = self._refused_or_most(check, why.strip(), until, now, most)
        body = {
            "check": check,
            "target": target,
            "why": why.strip(),
            "until": iso(until),
            "most": most.value,
            "name": actor.name,
            "role": actor.role.value,
            "post": actor.post,
            "profile": self.profile.name,
            "profile_hash": self.profile.hash,
        }
        entry = self._append(GIVEN, body, actor)
        return waiver_of(entry)

    def withdraw(self, number: int, why: str, actor: Account) -> Waiver:
        """End a waiver before its time; the latest run is judged again at once.

        Raises:
            AccessDenied: this role does not confirm readiness.
            RefusedEntry: no waiver of this number is in force, or there is no reason.
        """
        require(actor.role, Act.CONFIRM_CHECKS)
        found = next((one for one in self.active(self._ledger.clock.now()) if one.number == number), None)
        if found is None:
            raise RefusedEntry(m("Waiver {number}: is not in force. Choose one that is.", number=number))
        if not why.strip():
            raise RefusedEntry(m("Waiver {number}: withdrawing needs a reason. Write it.", number=number))
        body = {
            "waiver": number,
            "check": found.check,
            "target": found.target,
            "why": why.strip(),
            "name": actor.name,
            "role": actor.role.value,
            "post": actor.post,
        }
        self._append(WITHDRAWN, body, actor)
        return next(one for one in self.all() if one.number == number)

    def active(self, at: datetime) -> list[Waiver]:
        """Those in force at a moment, oldest first."""
        return waivers_given(self._ledger, at=iso(at))

    def all(self) -> list[Waiver]:
        """Every waiver ever given, expired and withdrawn ones too, oldest first."""
        return waivers_given(self._ledger)

    def may_cover(self, severity: Severity) -> bool:
        """Whether the profile lets a check of this severity be waived at all."""
        return self.limits is not None and SEVERITIES.index(severity) <= SEVERITIES.index(self.limits.most_severity)

    def longest(self, now: datetime) -> datetime | None:
        """The latest end a waiver given now may have; None where the profile allows none."""
        return now + timedelta(hours=self.limits.longest_h) if self.limits else None

    def _refused_or_most(self, check: str, why: str, until: datetime, now: datetime, most: Severity | None) -> Severity:
        try:
            severity = self.profile.check(check).severity
        except KeyError:
            raise RefusedEntry(
                m(
                    "{check}: the profile '{profile}' has no such check. Choose one of its checks.",
                    check=check,
                    profile=self.profile.name,
                )
            ) from None
        most = most or severity
        latest = self.longest(now)
        if latest is None or not self.may_cover(severity) or not self.may_cover(most):
            raise RefusedEntry(
                m(
                    "{check}: the profile '{profile}' does not allow this check to be waived. Mend the fault, or use "
                    "the reserve.",
                    check=check,
                    profile=self.profile.name,
                )
            )
        if SEVERITIES.index(most) < SEVERITIES.index(severity):
            raise RefusedEntry(
                m("{check}: is graver than this waiver would cover. Choose a higher severity.", check=check)
            )
        if not why:
            raise RefusedEntry(m("{check}: a waiver needs a reason. Write why it may pass.", check=check))
        if not now < until <= latest:
            raise RefusedEntry(
                m(
                    "{check}: a waiver ends within {hours} h from now. Choose an end in that time.",
                    check=check,
                    hours=f"{self.limits.longest_h:g}" if self.limits else "0",
                )
            )
        return most

    def _append(self, kind: str, body: Mapping[str, object], actor: Account) -> Entry:
        """The entry, and the latest run of that computer judged again by what is in force with it; both or neither."""

        def judge_again(connection: sqlite3.Connection, entry: Entry) -> None:
            in_force = permitted(waivers_given(self._ledger, at=iso(entry.at)), self.profile)
            for station in (None, str(body["target"]) or None):
                run = latest_run(self._ledger.store, station=station)
                if run is not None and any(one.key == (body["check"], body["target"]) for one in run.results):
                    waive_in_run(connection, run, in_force, entry.seq)

        also: Callable[[sqlite3.Connection, Entry], object] = judge_again
        return self._ledger.append(kind, body, actor.login, also=also)
