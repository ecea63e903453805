"""What is remembered: one SQLite file, its migrations, the accounts, and the ledger that nobody can quietly edit."""

from exam_kit.store.accounts import Account, Accounts
from exam_kit.store.checkpoint import Checkpoint
from exam_kit.store.db import Store, open_store
from exam_kit.store.ledger import Entry, Head, Ledger
from exam_kit.store.rights import READ_ONLY, Act, Role, may, require
from exam_kit.store.sessions import Session, Sessions

__all__ = [
    "READ_ONLY",
    "Account",
    "Accounts",
    "Act",
    "Checkpoint",
    "Entry",
    "Head",
    "Ledger",
    "Role",
    "Session",
    "Sessions",
    "Store",
    "may",
    "open_store",
    "require",
]
