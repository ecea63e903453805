"""The sticks a point has made, as its ledger knows them, and why a file is not taken in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from exam_kit.errors import ExamKitError, Message
from exam_kit.store import Ledger
from exam_kit.store.keys import VerifyKey

__all__ = ["Refusal", "ResultRefused", "Stick", "sticks"]


class Refusal(StrEnum):
    """Why a file is not taken in."""

    UNREADABLE = "unreadable"
    CHANGED = "changed"
    FOREIGN = "foreign"
    WITHDRAWN = "withdrawn"
    STATION = "station"
    PROFILE = "profile"
    STALE = "stale"
    CLOCK = "clock"
    REPEATED = "repeated"


EXIT_CODES = {reason: 60 + number for number, reason in enumerate(Refusal)}


class ResultRefused(ExamKitError):
    """A station's file that is not taken in; `reason` says which rule it breaks."""

    def __init__(self, reason: Refusal, message: Message) -> None:
        super().__init__(message)
        self.reason = reason
        self.exit_code = EXIT_CODES[reason]


@dataclass(frozen=True)
class Stick:
    """A stick this point has made. `key` is the fingerprint of its public key; `profiles` hash → name at its making."""

    key: str
    public: VerifyKey
    made_at: datetime
    made_by: str
    profile_hash: str
    withdrawn_at: datetime | None = None


def sticks(ledger: Ledger) -> dict[str, Stick]:
    """Every stick this point has made, by its key's fingerprint."""
    found: dict[str, Stick] = {}
    for entry in ledger.entries(("station.kit_made", "station.kit_withdrawn")):
        key, body = str(entry.body["key"]), entry.body
        if entry.kind == "station.kit_made":
            public = VerifyKey(Ed25519PublicKey.from_public_bytes(bytes.fromhex(body["public"])))
            found[key] = Stick(key, public, entry.at, entry.actor, body["profile_hash"])
        elif key in found and found[key].withdrawn_at is None:
            old = found[key]
            found[key] = Stick(old.key, old.public, old.made_at, old.made_by, old.profile_hash, entry.at)
    return found
