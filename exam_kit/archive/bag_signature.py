"""Who signed a bag, and whether the signature still holds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from cryptography.exceptions import UnsupportedAlgorithm

from exam_kit.archive.bag import PUBLIC_KEY, SIGNATURE, TAGMANIFEST
from exam_kit.archive.bag_tree import BagTree
from exam_kit.errors import Message, m
from exam_kit.store.keys import VerifyKey

__all__ = ["MOST_TAG_BYTES", "SignatureCheck", "check_signature", "key_inside", "read_small"]

MOST_TAG_BYTES = 1 << 22
"""A tag manifest has a dozen lines, and it is held in memory whole while its signature is checked."""

MOST_SMALL_BYTES = 4096


@dataclass(frozen=True)
class SignatureCheck:
    """`state` is valid, valid_own_key, invalid, foreign, absent or unknown; `key` the fingerprint it was held against.

    `faults` name the file and what is wrong with it.
    """

    state: str
    key: str = ""
    faults: tuple[tuple[str, Message], ...] = ()


def read_small(tree: BagTree, path: str) -> bytes:
    """The first bytes of a file that has few."""
    with tree.open(path) as source:
        return source.read(MOST_SMALL_BYTES)


def key_inside(tree: BagTree, files: Mapping[str, tuple[str, int]]) -> VerifyKey | None:
    """The key in the bag; None when there is none or it cannot be read, which its hash then tells."""
    if PUBLIC_KEY not in files:
        return None
    try:
        return VerifyKey.from_pem(read_small(tree, files[PUBLIC_KEY][0]))
    except (ValueError, UnsupportedAlgorithm):
        return None


def check_signature(tree: BagTree, files: Mapping[str, tuple[str, int]], key: VerifyKey | None) -> SignatureCheck:
    """Hold the signature against `key`, the point's own kept outside, or against the one in the bag."""
    if SIGNATURE not in files:
        return SignatureCheck("absent")
    own = key_inside(tree, files)
    if own is None and PUBLIC_KEY in files and key is None:
        said = m("{path}: is no Ed25519 public key; the signature cannot be checked against it.", path=PUBLIC_KEY)
        return SignatureCheck("unknown", "", ((PUBLIC_KEY, said),))
    used = key or own
    if TAGMANIFEST not in files or used is None:
        return SignatureCheck("unknown")
    with tree.open(files[TAGMANIFEST][0]) as source:
        text = source.read(MOST_TAG_BYTES)
    signature = read_small(tree, files[SIGNATURE][0])
    if used.holds(text, signature):
        return SignatureCheck("valid" if key is not None else "valid_own_key", used.fingerprint)
    if key is not None and own is not None and own.holds(text, signature):
        said = m("{path}: was made with another key than the point's.", path=SIGNATURE)
        return SignatureCheck("foreign", own.fingerprint, ((SIGNATURE, said),))
    # Either the signature or the list it stands over was changed; nothing here can tell which of the two.
    return SignatureCheck(
        "invalid", used.fingerprint, tuple((one, _unfit(one, other)) for one, other in (_PAIR, _PAIR[::-1]))
    )


_PAIR = (SIGNATURE, TAGMANIFEST)


def _unfit(path: str, other: str) -> Message:
    return m("{path}: does not fit {name}: one of the two was changed.", path=path, name=other)
