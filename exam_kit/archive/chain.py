"""Birth → ledger → bag: each recording in a bag is the one whose hash the ledger took when it was closed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

from cryptography.exceptions import UnsupportedAlgorithm

from exam_kit.archive.bag import LEDGER
from exam_kit.archive.bag_lists import far_too_large
from exam_kit.archive.bag_tree import BagTree
from exam_kit.errors import Message, StoreError, m
from exam_kit.store.keys import VerifyKey
from exam_kit.store.verify import MOST_LINE_BYTES, verify_export_stream

__all__ = ["MOST_LEDGER_BYTES", "VIDEO", "Chain", "prove_chain"]

MOST_LEDGER_BYTES = 1 << 28
"""A season of one point takes some tens of megabytes; the chain of a larger export would be proved for many minutes."""

VIDEO = {".mp4", ".avi", ".mkv", ".wmv", ".mov", ".ts", ".mts", ".dav"}

BIRTHS = ("segment.closed", "segment.imported")
"""Entries by which the ledger takes a recording's hash: recorded here, or brought in from another recorder."""


@dataclass(frozen=True)
class Chain:
    """`state` is whole or broken; `faults` name the file in the bag and what is wrong with it."""

    state: str
    entries: int
    faults: tuple[tuple[str, Message], ...]


def prove_chain(
    tree: BagTree, export: tuple[str, int], payload: Mapping[str, str], key: VerifyKey | None, head: str
) -> Chain:
    """Verify the ledger's export inside the bag, then look up every recording of `payload` (path → SHA-256) in it.

    `export` is its path on the carrier and its size; `head` is what bag-info.txt says of its end: number and hash.

    Raises:
        Refused: the export is too large to be a point's.
        OSError: it cannot be read.
    """
    path, size = export
    if size > MOST_LEDGER_BYTES:
        raise far_too_large(LEDGER)
    try:
        with tree.open(path) as source:
            proved = verify_export_stream(source, LEDGER, key)
    except StoreError as problem:
        return Chain("broken", 0, ((LEDGER, problem.message),))
    except (UnsupportedAlgorithm, RecursionError, ArithmeticError, TypeError, AttributeError, KeyError) as problem:
        # Shapes that only a forger writes; the verifier of the store need not know them all.
        said = m("{path}: is not a ledger's export ({reason}).", path=LEDGER, reason=type(problem).__name__)
        return Chain("broken", 0, ((LEDGER, said),))
    faults = [(LEDGER, finding.message) for finding in proved.findings]
    if not faults and head and head != f"{proved.entries} {proved.head}":
        faults.append((LEDGER, m("{path}: does not end where bag-info.txt says the ledger ended.", path=LEDGER)))
    born = _births(tree, path, {PurePosixPath(name).name for name in payload})
    for name, sha256 in payload.items():
        pure = PurePosixPath(name)
        if pure.suffix.lower() in VIDEO and sha256 not in born.get(pure.name, ()):
            faults.append((name, m("{path}: the ledger never saw a recording with this name and content.", path=name)))
    return Chain("broken" if faults else "whole", proved.entries, tuple(faults))


def _births(tree: BagTree, export: str, wanted: set[str]) -> dict[str, set[str]]:
    """File name → hashes at birth, of the `wanted` names."""
    born: dict[str, set[str]] = {}
    with tree.open(export) as lines:
        lines.readline(MOST_LINE_BYTES)
        while line := lines.readline(MOST_LINE_BYTES + 1):
            if not any(f'"{kind}"'.encode() in line for kind in BIRTHS):
                continue
            try:
                entry = json.loads(line.partition(b"\t")[2])
            except (ValueError, RecursionError):
                continue  # the chain's verification has named this line
            match entry:
                case {"kind": kind, "body": {"path": str(path), "sha256": str(sha256)}} if kind in BIRTHS:
                    name = PurePosixPath(path).name
                    if name in wanted:
                        born.setdefault(name, set()).add(sha256)
    return born
