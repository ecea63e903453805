"""Which kinds of equipment have a working reserve, and which do not; and what is faulty."""

from __future__ import annotations

from dataclasses import dataclass

from exam_kit.journal.equipment_item import Item, ItemState, Register, number_key
from exam_kit.journal.equipment_norms import KindNorm, Norms
from exam_kit.point.model import Point

__all__ = ["ReserveLine", "defects", "reserves"]


@dataclass(frozen=True)
class ReserveLine:
    """A kind with how many of it are in use, work in reserve, do not work, and how many must lie in reserve."""

    kind: KindNorm
    in_use: int
    reserve: int
    defective: int
    required: int

    @property
    def lacking(self) -> int:
        return max(0, self.required - self.reserve)


def reserves(register: Register, norms: Norms, point: Point) -> list[ReserveLine]:
    """Every kind that the point has or must have in reserve, in the order of the norms.

    What is given to somebody is no reserve: it is in that person's hands.
    """
    found = []
    for kind in norms.kind:
        items = [item for item in register.items.values() if item.kind == kind.code]
        line = ReserveLine(
            kind,
            sum(
                item.state is ItemState.IN_USE or (item.state is ItemState.SPARE and not item.in_reserve)
                for item in items
            ),
            sum(item.in_reserve for item in items),
            sum(item.defective for item in items),
            kind.reserve_for(point),
        )
        if line.required or line.in_use or line.reserve or line.defective:
            found.append(line)
    return found


def defects(register: Register) -> list[Item]:
    """What is faulty or in repair, by place and number."""
    found = [item for item in register.items.values() if item.defective]
    return sorted(found, key=lambda item: (item.room, number_key(item.inventory)))
