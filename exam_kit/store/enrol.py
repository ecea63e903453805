"""Which first keys of the seal lie here still, though the region should have them."""

from __future__ import annotations

from exam_kit.home import Home
from exam_kit.store.ledger import KEY_KINDS, Ledger
from exam_kit.store.seal import Enrolment, SealKey, commitment

__all__ = ["to_enrol"]


def to_enrol(ledger: Ledger, home: Home) -> list[Enrolment]:
    """The first keys that wait for `log enrol`, the oldest first; one of a change that was rolled back is none.

    While one lies here, whoever takes the machine can forge what it seals.

    Raises:
        StoreError: a key cannot be read.
    """
    begun = {entry.body.get("seal") for entry in ledger.entries(KEY_KINDS)}
    return [one for one in SealKey(home.keys).waiting if commitment(one.key) in begun]
