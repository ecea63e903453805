"""The quiet line that reminds people to hand the first key of the ledger's seal to the region."""

from __future__ import annotations

from exam_kit.errors import StoreError
from exam_kit.i18n import _
from exam_kit.store.enrol import to_enrol
from exam_kit.ui.seat import Seat

__all__ = ["first_key_line"]


def first_key_line(seat: Seat) -> str:
    """What to say until `log enrol` was given; empty afterwards."""
    try:
        waiting = to_enrol(seat.ledger, seat.home)
    except StoreError as problem:
        return problem.text(seat.language)
    if not waiting:
        return ""
    return _(
        "The first key of the ledger's seal lies on this machine still: until the region has it, whoever takes the "
        "machine can forge the books. In a terminal: exam-kit log enrol"
    )
