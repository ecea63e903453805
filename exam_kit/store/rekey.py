"""Changing both keys of a ledger, the one that signs and the one that seals, with one entry; and after a loss.

The new signing key is laid beside the old one before the entry is committed and takes its place after it; what a crash
leaves between the two is settled when the ledger is next opened for writing.
"""

from __future__ import annotations

from pathlib import Path

from exam_kit.home import Home
from exam_kit.store.durable import sync_folder
from exam_kit.store.keychange import change_body
from exam_kit.store.keys import SigningKey, VerifyKey
from exam_kit.store.ledger import KEY_CHANGED, KEY_KINDS, KEY_LOST, Entry, Ledger

__all__ = ["change_keys", "present_key", "settle_keys"]


def present_key(ledger: Ledger) -> VerifyKey:
    """The key that the ledger itself last named."""
    named = [entry.body["key"] for entry in ledger.entries(KEY_KINDS) if "key" in entry.body]
    return VerifyKey.from_pem(str(named[-1]).encode())


def change_keys(ledger: Ledger, home: Home, why: str, actor: str) -> Entry:
    """Make both keys new; `ledger.key_changed`, or `ledger.key_lost` where the old signing key is no longer here.

    The first key of the new seal then waits to be enrolled.
    """
    with ledger.store.transaction():  # whoever settles keys waits: before the entry stands, the new one looks unused
        old, have = present_key(ledger), SigningKey.load_or_create(home.keys)
        if have.public.fingerprint != old.fingerprint:
            body = change_body(ledger.id, ledger.head().hash, old, have, None, why=why)
            return ledger.begin_seal(KEY_LOST, body, actor)
        new = SigningKey.load_or_create(_beside(home))
        body = change_body(ledger.id, ledger.head().hash, old, new, have, why=why)
        entry = ledger.begin_seal(KEY_CHANGED, body, actor)
    settle_keys(ledger, home)
    return entry


def settle_keys(ledger: Ledger, home: Home) -> None:
    """Put a new key that the ledger already names in the old one's place; one it does not name was never used."""
    folder = _beside(home)
    if not folder.exists():
        return
    with ledger.store.transaction():  # a change that is under way in another process is waited for
        if not (folder / "ledger.key").exists():
            return
        new = SigningKey.load_or_create(folder)
        if present_key(ledger).fingerprint == new.public.fingerprint:
            for name in ("ledger.key", "ledger.pub"):
                (folder / name).replace(home.keys / name)
            sync_folder(home.keys)
        for left in folder.iterdir():
            left.unlink()
        folder.rmdir()


def _beside(home: Home) -> Path:
    return home.keys / "new"
