"""Deleting footage after its time: ordered by two people, carried out from one list, journaled before and after.

The list of pieces is written to a file first and its hash into the ledger (`footage.deletion_ordered`); nothing but
what stands in that list is deleted. The rows of the index stay: *deleting* while it goes on, *deleted* together with
the entry `footage.deleted`. Whatever ends it in between, the next run of the same order finds the list and finishes.
"""

from __future__ import annotations

import datetime as dt
import errno
import hashlib
import json
import os
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from exam_kit.archive.act import KeepRule
from exam_kit.archive.delivered import recordings_delivered
from exam_kit.archive.keep import STANDING_LABELS, holds, standing, standings
from exam_kit.cctv.segments import DELETED, DELETING, Segment, segments
from exam_kit.clock import iso
from exam_kit.errors import AccessDenied, ArchiveError, Message, m
from exam_kit.home import Home
from exam_kit.journal.person import person_of
from exam_kit.store import Account, Accounts, Act, Entry, Ledger, require
from exam_kit.store.durable import sync_folder

__all__ = ["Deleted", "SignedPin", "carry_out", "order_deletion"]

ORDERED, DONE = "footage.deletion_ordered", "footage.deleted"


@dataclass(frozen=True)
class SignedPin:
    """A person and the PIN they typed; the PIN is never shown."""

    login: str
    pin: str

    def __repr__(self) -> str:
        return f"SignedPin({self.login})"


@dataclass(frozen=True)
class Deleted:
    """How it ended: what went, what stayed and why it stayed."""

    files: int
    bytes: int
    left: int
    why_left: Message | None = None


def _checked(accounts: Accounts, signed: SignedPin) -> Account:
    """The account that signs; of two people it is told whose PIN does not fit."""
    login = signed.login.strip()
    try:
        return accounts.check(login, signed.pin)
    except AccessDenied as refusal:
        known = accounts.get(login)
        name = known.name if known else login or "—"
        raise AccessDenied(m("{person}: not confirmed. {said}", person=name, said=refusal.message)) from refusal


def order_deletion(
    ledger: Ledger,
    home: Home,
    accounts: Accounts,
    rule: KeepRule | None,
    day: dt.date,
    today: dt.date,
    people: tuple[SignedPin, SignedPin],
    why: str,
    order: str,
) -> Entry:
    """Journal that two people order every piece of `day` deleted that may be; the entry is what `carry_out` obeys.

    Raises:
        AccessDenied: a PIN is wrong, a role may not, or both are one person.
        ArchiveError: there is no piece that may be deleted, or no reason was given.
    """
    two = _two_people(accounts, people)
    if not why.strip() or not order.strip():
        raise ArchiveError(m("Deletion: write the reason and the number of the order; both stand in the ledger."))
    found = list(standings(ledger.store, ledger, rule, today, day))
    free = [piece for piece, how in found if how == "free"]
    if not free:
        stays = Counter(how for _piece, how in found)
        raise ArchiveError(
            m("{day}: nothing may be deleted.", day=day),
            [m("{label}: {count}", label=m(STANDING_LABELS[how]), count=count) for how, count in stays.items()],
        )
    text = _list_text(free)
    digest = hashlib.sha256(text).hexdigest()
    _keep_list(home, digest, text)
    body = {
        "day": str(day),
        "list": digest,
        "files": len(free),
        "bytes": sum(piece.bytes or 0 for piece in free),
        "keep_until": str(rule.until(day)) if rule else None,
        "by": [one.login for one in two],
        "why": why.strip(),
        "order_no": order.strip(),
    }
    return ledger.append(ORDERED, body, two[0].login)


def _two_people(accounts: Accounts, people: tuple[SignedPin, SignedPin]) -> tuple[Account, Account]:
    first, second = (one.login.strip().casefold() for one in people)
    if first == second:
        raise _one_person()
    checked = [_checked(accounts, one) for one in people]
    for account in checked:
        require(account.role, Act.DELETE_FOOTAGE)
    if person_of(checked[0]).same_as(person_of(checked[1])):
        raise _one_person()  # two accounts of one person are one person
    return checked[0], checked[1]


def _one_person() -> AccessDenied:
    return AccessDenied(m("Deletion: it takes two different people, each with their own PIN."))


def _list_text(pieces: Sequence[Segment]) -> bytes:
    """One JSON line a piece, by number: the same pieces always give the same hash."""
    lines = [
        {
            "id": piece.id,
            "camera": piece.camera,
            "path": piece.path,
            "from": iso(piece.start),
            "to": iso(piece.end) if piece.end else None,
            "bytes": piece.bytes,
            "sha256": piece.sha256,
            "reason": piece.reason,
        }
        for piece in sorted(pieces, key=lambda piece: piece.id)
    ]
    return "".join(json.dumps(line, ensure_ascii=False, sort_keys=True) + "\n" for line in lines).encode()


def _list_file(home: Home, digest: str) -> Path:
    return home.reports / "deletions" / f"{digest}.jsonl"


def _keep_list(home: Home, digest: str, text: bytes) -> None:
    path = _list_file(home, digest)
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    with part.open("wb") as target:
        target.write(text)
        target.flush()
        os.fsync(target.fileno())
    part.replace(path)
    sync_folder(path.parent)


def carry_out(
    ledger: Ledger,
    home: Home,
    accounts: Accounts,
    rule: KeepRule | None,
    number: int,
    today: dt.date,
    *,
    progress: Callable[[int, int], None] = lambda _done, _all: None,
    cancelled: Callable[[], bool] = lambda: False,
    closing: Callable[[], bool] = lambda: False,
) -> Deleted | None:
    """Delete what the entry `number` orders; None when the agent ends in the middle, to be taken up again.

    Everything is judged once more: who ordered, the list's hash, and before each piece its date, holds and receipt.

    Raises:
        ArchiveError: there is no such order, it was carried out before, or its list is not the one that was ordered.
        AccessDenied: one of the two people may not delete footage (any more).
    """
    ordered = _ordered(ledger, accounts, number)
    listed = _listed(home, ordered.body["list"])
    store = ledger.store
    with store.transaction() as connection:
        connection.executemany(
            "UPDATE segment SET closed_reason = ? WHERE id = ? AND sha256 = ?",
            [(DELETING, line["id"], line["sha256"]) for line in listed],
        )
    pieces = {piece.id: piece for piece in segments(store, day=dt.date.fromisoformat(ordered.body["day"]))}
    delivered = recordings_delivered(store, ledger)
    gone: list[dict[str, Any]] = []
    left: list[tuple[dict[str, Any], Message]] = []
    for line in listed:
        if closing():
            return None
        why = None
        if os.path.lexists(home.footage / line["path"]):  # else an earlier run of this order has deleted it
            why = _kept(line, pieces.get(line["id"]), rule, today, ledger, delivered, stop=cancelled())
            why = why or _unlink(home, line["path"])
        elif not (home.footage / line["path"]).parent.is_dir():  # nor did we: deleting leaves the folder
            why = m("{path}: could not be deleted ({reason}).", path=line["path"], reason=os.strerror(errno.ENOENT))
        if why is None:
            gone.append(line)
        else:
            left.append((line, why))
        progress(len(gone) + len(left), len(listed))
    _close(ledger, ordered, gone, left)
    return Deleted(len(gone), sum(line["bytes"] for line in gone), len(left), left[0][1] if left else None)


def _ordered(ledger: Ledger, accounts: Accounts, number: int) -> Entry:
    found = next((one for one in ledger.entries([ORDERED], after=number - 1) if one.seq == number), None)
    if found is None:
        raise ArchiveError(m("Deletion {number}: two people did not order it.", number=number))
    if any(one.body["deletion"] == number for one in ledger.entries([DONE], after=number)):
        raise ArchiveError(m("Deletion {number}: it was carried out before.", number=number))
    by = found.body["by"]
    if len(set(by)) != 2:
        raise _one_person()
    for login in by:
        account = accounts.get(login)
        if account is None or account.disabled:
            raise AccessDenied(m("Deletion {number}: the account {login} is gone.", number=number, login=login))
        require(account.role, Act.DELETE_FOOTAGE)
    return found


def _listed(home: Home, digest: str) -> list[dict[str, Any]]:
    path = _list_file(home, digest)
    try:
        text = path.read_bytes()
    except OSError as problem:
        raise ArchiveError(
            m("{path}: cannot be read ({reason}).", path=path, reason=problem.strerror or str(problem))
        ) from problem
    if hashlib.sha256(text).hexdigest() != digest:
        raise ArchiveError(m("{path}: is not the list that was ordered; nothing was deleted.", path=path))
    return [json.loads(line) for line in text.decode().splitlines()]


def _kept(
    line: dict[str, Any],
    piece: Segment | None,
    rule: KeepRule | None,
    today: dt.date,
    ledger: Ledger,
    delivered: frozenset[str],
    *,
    stop: bool,
) -> Message | None:
    """Why this piece stays after all. Holds are read each time: one that comes in the middle saves the rest."""
    if stop:
        return m("The deletion was cancelled.")
    if piece is None or piece.reason != DELETING or (piece.path, piece.sha256) != (line["path"], line["sha256"]):
        return m("{path}: the index has another recording under this number.", path=line["path"])
    how = standing(piece, rule, today, holds(ledger), delivered)
    return None if how == "free" else m(STANDING_LABELS[how])


def _unlink(home: Home, relative: str) -> Message | None:
    """Delete one file of the footage folder, durably; why not, when it stays."""
    path = home.footage / relative
    if path.is_symlink() or not path.resolve().is_relative_to(home.footage.resolve()):
        return m("{path}: leads out of the footage; not deleted.", path=relative)
    try:
        path.unlink()
        sync_folder(path.parent)
    except OSError as problem:
        return m("{path}: could not be deleted ({reason}).", path=relative, reason=problem.strerror or str(problem))
    return None


def _close(
    ledger: Ledger, ordered: Entry, gone: list[dict[str, Any]], left: list[tuple[dict[str, Any], Message]]
) -> None:
    """The entry and the rows, together."""
    lines = "".join(json.dumps(line, ensure_ascii=False, sort_keys=True) + "\n" for line in gone)
    body = {
        "deletion": ordered.seq,
        "day": ordered.body["day"],
        "list": ordered.body["list"],
        "gone": hashlib.sha256(lines.encode()).hexdigest(),
        "files": len(gone),
        "bytes": sum(line["bytes"] for line in gone),
        "left": [{"path": line["path"], "why": str(why)} for line, why in left],
        "by": ordered.body["by"],
    }

    def rows(connection: Any, _entry: Entry) -> None:
        change = "UPDATE segment SET closed_reason = ? WHERE id = ? AND sha256 = ? AND closed_reason = ?"
        connection.executemany(change, [(DELETED, line["id"], line["sha256"], DELETING) for line in gone])
        connection.executemany(change, [(line["reason"], line["id"], line["sha256"], DELETING) for line, _why in left])

    ledger.append(DONE, body, "agent", also=rows)
