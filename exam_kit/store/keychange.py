"""A new pair of keys: planned, and then signed by the old key and the new; or after a loss, announced by a person."""

from __future__ import annotations

import base64
import binascii
from typing import Any

from exam_kit.store.keys import SigningKey, VerifyKey
from exam_kit.store.ledger import KEY_CHANGED, KEY_LOST
from exam_kit.store.walk import KeyEntry

__all__ = ["change_body", "new_key_holds"]


def _statement(ledger: str, prev: str, old: VerifyKey, new: VerifyKey) -> bytes:
    lines = ("exam-kit key change v1", f"ledger {ledger}", f"after {prev}", f"old {old.fingerprint}")
    return ("\n".join((*lines, f"new {new.fingerprint}")) + "\n").encode()


def change_body(
    ledger: str, prev: str, old: VerifyKey, new: SigningKey, by_old: SigningKey | None, **more: Any
) -> dict[str, Any]:
    """The body of the entry after `prev` that names `new`; `by_old` is None where the old key is lost."""
    said = _statement(ledger, prev, old, new.public)
    body = {
        **more,
        "key": new.public.pem().decode(),
        "fingerprint": new.public.fingerprint,
        "old": old.fingerprint,
        "signed_new": base64.b64encode(new.sign(said)).decode(),
    }
    if by_old is not None:
        body["signed_old"] = base64.b64encode(by_old.sign(said)).decode()
    return body


def new_key_holds(ledger: str, entry: KeyEntry, old: VerifyKey, new: VerifyKey) -> bool:
    """Is the change signed by the new key, and where it was planned by the old one too?"""
    said = _statement(ledger, entry.prev, old, new)
    needed = {KEY_CHANGED: (("signed_new", new), ("signed_old", old)), KEY_LOST: (("signed_new", new),)}
    if entry.kind not in needed:
        return False
    return all(key.holds(said, _signature(entry.body.get(name))) for name, key in needed[entry.kind])


def _signature(text: object) -> bytes:
    try:
        return base64.b64decode(str(text), validate=True)
    except (ValueError, binascii.Error):
        return b""
