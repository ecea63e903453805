"""Stores as destinations of a copy: how they are named, and where bags for them are made."""

from __future__ import annotations

from pathlib import Path

from exam_kit.home import Home

__all__ = ["SCHEME", "staging_folder", "store_of"]

SCHEME = "s3://"


def store_of(place: str) -> str:
    """The store's name in ``s3://STORE`` or ``s3://STORE/BAG``; "" for a folder."""
    return place.removeprefix(SCHEME).partition("/")[0] if place.startswith(SCHEME) else ""


def staging_folder(home: Home, store: str) -> Path:
    """Where the small files of bags for this store are made."""
    return home.store.parent / "sending" / store
