"""Consumables: what came in, what was used, what was counted, and whether it is enough for the exam.

Stock is never written down: it is what the entries come to. Nothing can be used that is not there; where the shelf says
otherwise, it is counted anew, and the count with its reason is an entry too.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from exam_kit.clock import Clock
from exam_kit.errors import RefusedEntry, m
from exam_kit.i18n import N_
from exam_kit.journal.equipment_norms import ConsumableNorm, Norms, exam_rooms, load_norms
from exam_kit.journal.numbering import point_key
from exam_kit.journal.person import Actor, Person, authorise, clean, login_of, person_of
from exam_kit.point.model import Point
from exam_kit.store.fold import folded
from exam_kit.store.ledger import Entry, Ledger
from exam_kit.store.rights import Act

__all__ = [
    "ENOUGH_LABELS",
    "KINDS",
    "MOVE_LABELS",
    "Basis",
    "Consumables",
    "Enough",
    "Stock",
    "StockLine",
    "StockMove",
    "fold",
]

RECEIVED, USED, COUNTED, BASIS = "stock.received", "stock.used", "stock.counted", "stock.basis"
KINDS = (RECEIVED, USED, COUNTED, BASIS)

MOST = 1_000_000
"""Above this a quantity is a slip of the hand."""
MOST_CANDIDATES = 100_000

MOVE_LABELS = {"received": N_("came in"), "used": N_("used"), "counted": N_("counted")}


class Enough(StrEnum):
    """Whether a consumable is enough."""

    ENOUGH = "enough"
    SCARCE = "scarce"
    SHORT = "short"
    LOW = "low"
    UNKNOWN = "unknown"


ENOUGH_LABELS = {
    Enough.ENOUGH: N_("enough"),
    Enough.SCARCE: N_("just enough, nothing spare"),
    Enough.SHORT: N_("less than the need"),
    Enough.LOW: N_("less than the minimum"),
    Enough.UNKNOWN: N_("need not known"),
}


@dataclass(frozen=True)
class StockMove:
    """One entry about a consumable: how much came in or went, or how much was counted, and what there was after it."""

    code: str
    kind: str
    quantity: int
    after: int
    text: str
    by: Person
    at: datetime
    seq: int


@dataclass(frozen=True)
class Basis:
    """What the need is counted from: candidates of the largest exam, and rooms where they are not the point's."""

    candidates: int
    rooms: int | None
    by: Person
    at: datetime


@dataclass(frozen=True)
class Stock:
    """All consumables of a point at one moment; `moves` of all, in the order they were written."""

    quantities: Mapping[str, int] = field(default_factory=dict)
    moves: tuple[StockMove, ...] = ()
    basis: Basis | None = None


@dataclass(frozen=True)
class StockLine:
    """A consumable with what there is and what there must be. `need` and `wanted` are None while they are not known.

    `wanted` is the need with its margin, and never less than the minimum.
    """

    norm: ConsumableNorm
    quantity: int
    need: int | None
    wanted: int | None

    @property
    def lacking(self) -> int:
        """How much is to be got; of an unknown need only up to the minimum."""
        return max(0, (self.norm.minimum if self.wanted is None else self.wanted) - self.quantity)

    @property
    def enough(self) -> Enough:
        if self.quantity < self.norm.minimum:
            return Enough.LOW
        if self.need is None or self.wanted is None:
            return Enough.UNKNOWN
        if self.quantity < self.need:
            return Enough.SHORT
        return Enough.ENOUGH if self.quantity >= self.wanted else Enough.SCARCE


def fold(stock: Stock, entries: Iterable[Entry], point: str) -> Stock:
    """The stock after `entries`; the one that was given stays as it is."""
    quantities = dict(stock.quantities)
    moves = list(stock.moves)
    basis = stock.basis
    for entry in entries:
        body = entry.body
        if body.get("point") != point:
            continue
        by = Person.from_dict(body["by"])
        if entry.kind == BASIS:
            basis = Basis(body["candidates"], body["rooms"], by, entry.at)
            continue
        code, quantity = body["code"], body["quantity"]
        there = quantities.get(code, 0)
        after = {RECEIVED: there + quantity, USED: there - quantity, COUNTED: quantity}[entry.kind]
        quantities[code] = after
        kind = entry.kind.removeprefix("stock.")
        moves.append(StockMove(code, kind, quantity, after, body["text"], by, entry.at, entry.seq))
    return replace(stock, quantities=quantities, moves=tuple(moves), basis=basis)


class Consumables:
    """The consumables of one point. Methods that write return the stock as it then stands."""

    def __init__(self, ledger: Ledger, point: Point, clock: Clock | None = None, norms: Norms | None = None) -> None:
        self._ledger = ledger
        self._point = point
        self._key = point_key(point)
        self._clock = clock or ledger.clock
        self.norms = norms or load_norms()

    def stock(self) -> Stock:
        """All as it stands now."""

        def carry(stock: Stock, entries: Iterable[Entry]) -> Stock:
            return fold(stock, entries, self._key)

        return folded(self._ledger, f"consumables of {self._key}", KINDS, carry, Stock())

    def lines(self) -> list[StockLine]:
        """Every consumable of the norms, in their order."""
        stock = self.stock()
        return [self._line(norm, stock) for norm in self.norms.consumable]

    def receive(self, code: str, quantity: int, text: str, actor: Actor) -> Stock:
        """Write what came in; `text` says from where or by which paper. The agent may, for the demo's point."""
        authorise(actor, Act.KEEP_EQUIPMENT, agent=True)
        return self._move(RECEIVED, code, quantity, text, actor)

    def use(self, code: str, quantity: int, text: str, actor: Actor) -> Stock:
        """Write what was used; never more than there is."""
        authorise(actor, Act.KEEP_EQUIPMENT)
        return self._move(USED, code, quantity, text, actor)

    def count(self, code: str, quantity: int, why: str, actor: Actor) -> Stock:
        """Write what was counted on the shelf, and why it differs; the count takes the place of the sum."""
        authorise(actor, Act.KEEP_EQUIPMENT)
        if not clean(why, "why", required=False):
            raise RefusedEntry(m("Count: nothing says why it was counted anew. Write the reason."))
        return self._move(COUNTED, code, quantity, why, actor)

    def set_basis(self, candidates: int, actor: Actor, *, rooms: int | None = None) -> Stock:
        """Write for how many candidates the need is counted; `rooms` where it is not all exam rooms of the point."""
        authorise(actor, Act.KEEP_EQUIPMENT, agent=True)
        for number in (candidates, rooms or 0):
            if not 0 <= number <= MOST_CANDIDATES:
                raise RefusedEntry(m("{count} is not a number of candidates or rooms. Write how many.", count=number))
        body = {"candidates": candidates, "rooms": rooms}
        with self._ledger.store.transaction():
            self._append(BASIS, body, actor)
            return self.stock()

    def rooms(self) -> int:
        """How many rooms the need is counted for."""
        basis = self.stock().basis
        return basis.rooms if basis and basis.rooms is not None else exam_rooms(self._point)

    def _line(self, norm: ConsumableNorm, stock: Stock) -> StockLine:
        candidates = stock.basis.candidates if stock.basis else None
        need = norm.need.count(self.rooms(), candidates)
        # As in `Need.count`: 1.2 × 5 must not come to seven.
        wanted = None if need is None else max(math.ceil(round(need * self.norms.margin, 6)), norm.minimum)
        return StockLine(norm, stock.quantities.get(norm.code, 0), need, wanted)

    def _move(self, kind: str, code: str, quantity: int, text: str, actor: Actor) -> Stock:
        norm = self.norms.consumables.get(code)
        if norm is None:
            raise RefusedEntry(m("'{code}' is not a consumable of the list. Choose one from it.", code=code))
        if not (0 if kind == COUNTED else 1) <= quantity <= MOST:
            raise RefusedEntry(
                m("{count} is not a quantity. Write a whole number from 1 to {most}.", count=quantity, most=MOST)
            )
        said = clean(text, "note", required=False)
        with self._ledger.store.transaction():
            there = self.stock().quantities.get(code, 0)
            if kind == USED and quantity > there:
                raise RefusedEntry(
                    m(
                        "{name}: {count} cannot be used, there are {there}. Write what came in, or count anew.",
                        name=norm.label.text(),
                        count=quantity,
                        there=there,
                    )
                )
            if kind == RECEIVED and there + quantity > MOST:
                raise RefusedEntry(
                    m("{count} is not a quantity. Write a whole number from 1 to {most}.", count=quantity, most=MOST)
                )
            self._append(kind, {"code": code, "quantity": quantity, "text": said}, actor)
            return self.stock()

    def _append(self, kind: str, body: Mapping[str, object], actor: Actor) -> Entry:
        whole = {"point": self._key, "by": person_of(actor).as_dict(), **body}
        return self._ledger.append(kind, whole, login_of(actor))
