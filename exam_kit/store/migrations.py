"""The schema, one step at a time. A step, once released, is never edited: a change is a new step."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlite_utils.migrations import Migrations

from exam_kit.store.schema import (
    APPLICATION_ID,
    FIRST_LEDGER_SCHEMA,
    INDEXES,
    PICTURE_TABLES,
    PLAN_COLUMNS,
    SEAL_COLUMN,
    STATION_TABLES,
    TABLES,
)

if TYPE_CHECKING:
    from sqlite_utils import Database

__all__ = ["migrations"]

migrations = Migrations("exam_kit")


@migrations()
def m001_ledger(db: Database) -> None:
    """The append-only ledger and its signed checkpoints."""
    for statement in FIRST_LEDGER_SCHEMA.values():
        db.execute(statement)


@migrations()
def m002_tables(db: Database) -> None:
    """Accounts, sessions, plan, orders, recordings, checks and archive jobs."""
    for statement in TABLES:
        db.execute(statement)


@migrations()
def m003_stations(db: Database) -> None:
    """Results of checks that were made on exam stations."""
    for statement in STATION_TABLES:
        db.execute(statement)


@migrations()
def m004_unfinished_segments(db: Database) -> None:
    """Find unfinished recordings without reading all of them."""
    for statement in INDEXES:
        db.execute(statement)


@migrations()
def m005_picture_states(db: Database) -> None:
    """What was seen of each camera's picture, and for how long."""
    for statement in PICTURE_TABLES:
        db.execute(statement)


@migrations()
def m006_plan_moments(db: Database) -> None:
    """Every run of a planned window, whether clocks set later may judge it anew, and when its loss was reported."""
    for statement in PLAN_COLUMNS:
        db.execute(statement)


@migrations()
def m007_seal(db: Database) -> None:
    """Each entry's seal under the key that moves on with it; what stood there before stays unsealed."""
    db.execute(SEAL_COLUMN)
    db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
