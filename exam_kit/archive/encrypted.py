"""An encrypted bag: what lies open on the carrier, and what that tells.

::

    sealed-0f3a…_copy1/
      bagit.txt  bag-info.txt  manifest-sha256.txt  tagmanifest-sha256.txt    say: an encrypted bag of Exam Kit
      copy-journal.txt                   neutral names and hashes of ciphertext
      signature/point.pub  signature/tagmanifest-sha256.sig
      data/index.age                     which file is which; its first line is the inner bag's name
      data/<32 hex digits>.age           one file of the inner bag each: footage, papers, lists, ledger, coverage

The inner bag is an ordinary signed one; opened, it verifies like any other. What the carrier still tells: how many
files there are, how long each is, and the point's public key.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from exam_kit.archive.bag import LISTS, Listed
from exam_kit.archive.bag_paths import path_fault
from exam_kit.errors import ArchiveError, m

__all__ = ["INDEX", "LABEL", "index_text", "info_text", "is_encrypted", "read_index", "sealed_name"]

INDEX = "data/index.age"
LABEL, METHOD = "Encryption", "age-encryption.org/v1"
TITLE = "exam-kit encrypted bag v1"
MOST_INDEX_BYTES = 1 << 26

_NAME = re.compile(r"data/(index|[0-9a-f]{32})\.age")
_BAG = re.compile(r"[0-9A-Za-z_-]{1,100}")


def is_encrypted(info: Mapping[str, str]) -> bool:
    return info.get(LABEL) == METHOD


def sealed_name(path: str) -> bool:
    """Whether a payload path is one that an encrypted bag may have."""
    return _NAME.fullmatch(path) is not None


def info_text(payload: list[Listed], copy: int) -> str:
    """bag-info.txt of the outer bag: nothing of whose footage it is, nor of which day."""
    oxum = f"{sum(item.bytes for item in payload)}.{len(payload)}"
    return (
        f"Bag-Software-Agent: Exam Kit\n{LABEL}: {METHOD}\nEncrypted-Index: {INDEX}\n"
        f"Payload-Oxum: {oxum}\nCopy-Number: {copy}\n"
    )


def index_text(bag: str, names: Mapping[str, str]) -> bytes:
    """The index in the clear: the inner bag's name, then ``sealed name TAB path`` per file. `names`: path → sealed."""
    lines = [f"{TITLE}\t{bag}\n", *(f"{sealed}\t{path}\n" for path, sealed in sorted(names.items()))]
    return "".join(lines).encode()


def read_index(text: bytes) -> tuple[str, dict[str, str]]:
    """The inner bag's name and its files: sealed name → path.

    Raises:
        ArchiveError: it is not an index, or a name in it leads out of the bag.
    """
    bad = ArchiveError(m("{path}: is not the index of an encrypted bag.", path=INDEX))
    try:
        first, *lines = text.decode("utf-8").removesuffix("\n").split("\n")
    except UnicodeDecodeError:
        raise bad from None
    title, _tab, bag = first.partition("\t")
    if title != TITLE or not _BAG.fullmatch(bag):
        raise bad
    found: dict[str, str] = {}
    for line in lines:
        sealed, _tab, path = line.partition("\t")
        fault = path_fault(path)
        if fault is not None:
            raise ArchiveError(fault)
        inside = path.startswith(("data/", "signature/")) or path in LISTS
        if not sealed_name(sealed) or not inside or sealed in found or sealed == INDEX:
            raise bad
        found[sealed] = path
    if len(set(found.values())) != len(found):
        raise bad
    return bag, found
