"""Stores as destinations of a copy: how they are named, and where bags for them are made."""

from __future__ import annotations

import shutil
from pathlib import Path

from exam_kit.archive.sink import PART
from exam_kit.home import Home
from exam_kit.store import Store

__all__ = ["SCHEME", "staging_folder", "store_of", "sweep_staging"]

SCHEME = "s3://"


def store_of(place: str) -> str:
    """The store's name in ``s3://STORE`` or ``s3://STORE/BAG``; "" for a folder."""
    return place.removeprefix(SCHEME).partition("/")[0] if place.startswith(SCHEME) else ""


def staging_folder(home: Home, store: str) -> Path:
    """Where the small files of bags for this store are made."""
    return _sending(home) / store


def sweep_staging(home: Home, store: Store) -> None:
    """Clear away the folders of copies that have ended for good: a run that was cut off just then left them behind.

    What can still be taken up stays, and what no row knows.
    """
    for folder in _sending(home).glob("*/*"):
        address = f"{SCHEME}{folder.parent.name}/{folder.name.removesuffix(PART)}"
        states = {row["state"] for row in store.query("SELECT state FROM archive_job WHERE bag = ?", (address,))}
        if states and states <= {"finished", "given_up"}:
            shutil.rmtree(folder, ignore_errors=True)


def _sending(home: Home) -> Path:
    return home.store.parent / "sending"
