"""A home made of a proved bundle, for as long as somebody reads it: nobody's account, nothing to write with."""

from __future__ import annotations

import hashlib
import json
import secrets
import shutil
import sqlite3
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from exam_kit.errors import AccessDenied, m
from exam_kit.home import Home
from exam_kit.i18n import N_, translate
from exam_kit.point import load_point
from exam_kit.review.bundle import LEDGER
from exam_kit.review.bundle_read import Bundle, BundleRefused
from exam_kit.store import Account, Role, Sessions, Store, open_store
from exam_kit.store.checkpoint import anchors_in

__all__ = ["READER", "BundleFacts", "bundle_facts", "enter", "is_bundle", "settle"]

READER = "reader"
NAME = N_("Reader of the bundle")
NO_PIN = "!"
"""Fits no PIN: nobody signs in with it."""


@dataclass(frozen=True)
class BundleFacts:
    """What is said of the bundle: its file's name, whether its key came from elsewhere, how many anchors did."""

    name: str
    outside: bool
    fingerprint: str
    anchors: int


def _mark(home: Home) -> Path:
    return home.root / "bundle.json"


def is_bundle(home: Home) -> bool:
    """True for a home that was made of a bundle."""
    return _mark(home).exists()


def bundle_facts(home: Home) -> BundleFacts:
    data = json.loads(_mark(home).read_text(encoding="utf-8"))
    return BundleFacts(data["name"], data["outside"], data["fingerprint"], data["anchors"])


def settle(bundle: Bundle, root: Path, name: str, language: str, anchors: int) -> tuple[Home, str]:
    """Make the home in `root`; it and the word that opens it once.

    Raises:
        BundleRefused, PointInvalid, StoreError: what was proved cannot be laid out here.
    """
    home = Home.at(root)
    home.create()
    shutil.copyfile(bundle.folder / "point.toml", home.point_file)
    (home.keys / "ledger.pub").write_bytes(bundle.key.pem())
    store = open_store(home)
    try:
        load_point(home.point_file)
        lines = (bundle.folder / "anchors.txt").read_text(encoding="utf-8")
        for number, text in enumerate(anchors_in(lines) if lines else ()):
            (home.anchors / f"checkpoint-{number:08d}.txt").write_text(text, encoding="utf-8")
        _write_down(store, bundle, translate(NAME, language), language)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, sqlite3.Error) as problem:
        # Whole and signed, and still not written by the kit: anybody can sign with a key of their own.
        raise BundleRefused(
            m("{name}: the review bundle is not opened: what it holds is not as the kit writes it.", name=name)
        ) from problem
    finally:
        store.close()
    once = secrets.token_urlsafe(32)
    facts = {
        "name": name,
        "outside": bundle.outside,
        "fingerprint": bundle.key.fingerprint,
        "anchors": anchors,
        "once": _hash(once),
    }
    _mark(home).write_text(json.dumps(facts), encoding="utf-8")
    return home, once


def _write_down(store: Store, bundle: Bundle, name: str, language: str) -> None:
    recordings: dict[str, Any] = json.loads((bundle.folder / "recordings.json").read_text(encoding="utf-8"))
    with store.transaction() as connection, (bundle.folder / LEDGER).open("rb") as source:
        source.readline()
        number = 0
        for line in source:
            before, _tab, record = line.removesuffix(b"\n").partition(b"\t")
            if before == b"checkpoint":
                text = json.loads(record)
                seq = next(int(part.split()[1]) for part in text.splitlines() if part.startswith("seq "))
                connection.execute("INSERT INTO checkpoint (seq, text) VALUES (?, ?)", (seq, text))
                continue
            number += 1
            digest, _blank, seal = before.partition(b" ")
            connection.execute(
                "INSERT INTO ledger (seq, record, hash, seal) VALUES (?, ?, ?, ?)",
                (number, record.decode(), digest.decode(), bytes.fromhex(seal.decode()) or None),
            )
        connection.executemany(
            "INSERT INTO gap (camera, from_at, to_at, cause, detail) VALUES (?, ?, ?, ?, ?)", recordings["gaps"]
        )
        connection.execute(
            "INSERT INTO account (login, name, role, post, pin_hash, language) VALUES (?, ?, ?, '', ?, ?)",
            (READER, name, Role.COMMISSION_HEAD.value, NO_PIN, language),
        )


def enter(home: Home, store: Store, once: str) -> str:
    """The token of a session for whoever brings the word that opens the bundle; it opens once.

    Raises:
        AccessDenied: it is not the word, or it was used.
    """
    opened = home.root / "opened"
    told = json.loads(_mark(home).read_text(encoding="utf-8"))
    fits = secrets.compare_digest(told["once"], _hash(once))
    if fits:
        try:
            opened.touch(exist_ok=False)
        except FileExistsError:
            fits = False
    if not fits:
        raise AccessDenied(
            m("Review bundle: this address opens it once, and was used. Give 'exam-kit review' with the bundle again.")
        )
    (row,) = store.query("SELECT * FROM account WHERE login = ?", (READER,))
    account = Account(READER, row["name"], Role.COMMISSION_HEAD, "", row["language"])
    return Sessions(store).open(account)


def _hash(once: str) -> str:
    return hashlib.sha256(once.encode()).hexdigest()
