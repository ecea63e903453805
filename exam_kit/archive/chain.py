"""Birth → ledger → bag: each recording in a bag is the one whose hash the ledger took when it was closed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from cryptography.exceptions import UnsupportedAlgorithm

from exam_kit.archive.bag import LEDGER
from exam_kit.archive.bag_tree import Refused
from exam_kit.errors import Message, StoreError, m
from exam_kit.store.keys import VerifyKey
from exam_kit.store.verify import verify_export

__all__ = ["MOST_LEDGER_BYTES", "VIDEO", "Chain", "prove_chain"]

MOST_LEDGER_BYTES = 1 << 28
"""A ledger's export is held in memory while it is proved; a season of one point takes some tens of megabytes."""

VIDEO = {".mp4", ".avi", ".mkv", ".wmv", ".mov", ".ts", ".mts", ".dav"}

BIRTHS = ("segment.closed", "segment.imported")
"""Entries by which the ledger takes a recording's hash: recorded here, or brought in from another recorder."""


@dataclass(frozen=True)
class Chain:
    """`state` is whole or broken; `faults` name the file in the bag and what is wrong with it."""

    state: str
    entries: int
    faults: tuple[tuple[str, Message], ...]


def prove_chain(root: Path, export: str, payload: Mapping[str, str], key: VerifyKey | None) -> Chain:
    """Verify the ledger's export inside the bag, then look up every recording of `payload` (path → SHA-256) in it.

    Raises:
        Refused: the export is too large to be a point's.
        OSError: it cannot be read.
    """
    path = root / export
    if path.stat().st_size > MOST_LEDGER_BYTES:
        raise Refused(LEDGER, m("{path}: is far too large to be what it says.", path=LEDGER))
    try:
        proved = verify_export(path, key)
    except StoreError as problem:
        return Chain("broken", 0, ((LEDGER, problem.message),))
    except (UnsupportedAlgorithm, RecursionError, ArithmeticError, TypeError, AttributeError, KeyError) as problem:
        # Shapes that only a forger writes; the verifier of the store need not know them all.
        said = m("{path}: is not a ledger's export ({reason}).", path=LEDGER, reason=type(problem).__name__)
        return Chain("broken", 0, ((LEDGER, said),))
    faults = [(LEDGER, finding.message) for finding in proved.findings]
    born = _births(path)
    for name, sha256 in payload.items():
        pure = PurePosixPath(name)
        if pure.suffix.lower() in VIDEO and sha256 not in born.get(pure.name, ()):
            faults.append((name, m("{path}: the ledger never saw a recording with this name and content.", path=name)))
    return Chain("broken" if faults else "whole", proved.entries, tuple(faults))


def _births(export: Path) -> dict[str, set[str]]:
    """File name → hashes at birth."""
    born: dict[str, set[str]] = {}
    with export.open(encoding="utf-8") as lines:
        next(lines, None)
        for line in lines:
            _digest, _tab, record = line.partition("\t")
            if not any(f'"{kind}"' in record for kind in BIRTHS):
                continue
            try:
                entry = json.loads(record)
            except ValueError:
                continue  # the chain's verification has named this line
            match entry:
                case {"kind": kind, "body": {"path": str(path), "sha256": str(sha256)}} if kind in BIRTHS:
                    born.setdefault(PurePosixPath(path).name, set()).add(sha256)
    return born
