"""What a supplement holds: the pieces that neither the first bag nor an earlier supplement has."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from dataclasses import replace

from exam_kit.archive.selection import Asked, Choice
from exam_kit.archive.supplement import First
from exam_kit.errors import ArchiveError, m
from exam_kit.store import Ledger, Store

__all__ = ["next_supplement", "only_new"]


def next_supplement(store: Store, day: dt.date, asked: Asked) -> int:
    """The number of the next supplement to what was archived of `day` for this choice; 0 when nothing was yet."""
    made = [number for number, _job in _finished(store, day, asked)]
    return 1 + max(made) if made else 0


def only_new(store: Store, ledger: Ledger, day: dt.date, asked: Asked, choice: Choice) -> tuple[First, Choice]:
    """The first bag, and of `choice` the pieces that are not in it, nor in supplements before `asked.supplement`.

    Raises:
        ArchiveError: there is no first bag, no such supplement, or nothing that it lacks.
    """
    made = list(_finished(store, day, asked))
    sealed = {entry.body["job"]: entry.body for entry in ledger.entries(["archive.finished"])}
    bodies = [sealed[job] for number, job in made if number == 0 and job in sealed]
    if not bodies:
        raise ArchiveError(
            m("{day}: there is no finished bag of these places yet that could be supplemented. Archive first.", day=day)
        )
    following = 1 + max(number for number, _job in made)
    if not 1 <= asked.supplement <= following:
        raise ArchiveError(
            m(
                "{day}: there is no supplement {number} that could be copied again; the next one is number {next}.",
                day=day,
                number=asked.supplement,
                next=following,
            )
        )
    first = First(str(bodies[0]["bag"]), str(bodies[0]["bag_hash"]))
    had = set(_files(store, str(bodies[0]["job"])))
    for before in range(1, asked.supplement):
        # A later copy may hold more than an earlier one: what counts is what each of them has.
        copies = [set(_files(store, job)) for number, job in made if number == before]
        had |= set.intersection(*copies) if copies else set()
    fresh = tuple(piece for piece in choice.pieces if (piece.file.path, piece.file.sha256) not in had)
    if not fresh:
        raise ArchiveError(
            m(
                "{day}: {bag} and its supplements have every recording there is; nothing was archived.",
                day=day,
                bag=first.bag,
            )
        )
    return first, replace(choice, pieces=fresh)


def _finished(store: Store, day: dt.date, asked: Asked) -> Iterator[tuple[int, str]]:
    """Number of the supplement (0: a first bag) and job of each finished bag of this choice, oldest first."""
    wanted = replace(asked, encrypted=False, supplement=0).key()
    rows = store.query(
        "SELECT id, zones FROM archive_job WHERE day = ? AND state = 'finished' ORDER BY started_at, id", (str(day),)
    )
    for row in rows:
        said = json.loads(row["zones"])
        number = said.get("supplement", 0) if isinstance(said, dict) else 0
        if _plain(said) == json.loads(wanted):
            yield number, row["id"]


def _plain(said: object) -> object:
    """The key of the choice alone, without what kind of bag was made of it."""
    if not isinstance(said, dict):
        return said
    rest = {name: value for name, value in said.items() if name not in ("encrypted", "supplement")}
    return rest if rest.get("cameras") or rest.get("span") else rest.get("zones")


def _files(store: Store, job: str) -> list[tuple[str, str]]:
    rows = store.query("SELECT path, sha256 FROM archive_file WHERE job = ? AND state = 'verified'", (job,))
    return [(row["path"], row["sha256"]) for row in rows]
