"""Views of the ledger that are carried on from entry to entry instead of being read anew each time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from exam_kit.store.ledger import Entry, Head, Ledger

__all__ = ["folded"]

View = TypeVar("View")


@dataclass(frozen=True)
class _Reached:
    """What the view is at this entry."""

    head: Head
    view: object


def folded(
    ledger: Ledger, name: str, kinds: Sequence[str], carry: Callable[[View, Iterable[Entry]], View], empty: View
) -> View:
    """The view `name` of all entries of `kinds`, kept with the ledger's store and carried on by what came since.

    `carry` makes the next view of one and further entries and leaves the one it was given alone. The view is begun
    anew where the ledger is no longer the one it was made from: an older copy was put back. Inside a transaction it
    includes the entries of that transaction, and is kept for that transaction only: they may be rolled back. One thread
    at a time carries a view: a long ledger is read once, whoever else asks meanwhile waits for it.
    """
    kept = ledger.store.folds
    inside = ledger.store.connection.in_transaction
    with kept.turn(name):
        reached = _reached(ledger, ledger.store.unsaved.get(name)) if inside else None
        reached = reached or _reached(ledger, kept.get(name)) or _Reached(Head(0, ""), empty)
        head = ledger.head()
        view: View = reached.view  # type: ignore[assignment]
        if head.seq > reached.head.seq:
            view = carry(view, ledger.entries(kinds, after=reached.head.seq, up_to=head.seq))
            (ledger.store.unsaved if inside else kept)[name] = _Reached(head, view)
    return view


def _reached(ledger: Ledger, found: object) -> _Reached | None:
    """What was kept, where the ledger still is the one it was made from."""
    if isinstance(found, _Reached) and ledger.hash_at(found.head.seq) == found.head.hash:
        return found
    return None
