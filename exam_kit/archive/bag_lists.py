"""The lists and tags of a bag nobody vouches for, read line by line and within bounds."""

from __future__ import annotations

import re
from typing import BinaryIO

from exam_kit.archive.bag_paths import decode_path, folded, normal, path_fault, shown
from exam_kit.archive.bag_tree import MOST_FILES, Refused, twice
from exam_kit.errors import m

__all__ = ["MOST_INFO_BYTES", "MOST_LINE_BYTES", "MOST_LIST_BYTES", "far_too_large", "read_info", "read_list"]

MOST_LINE_BYTES = 8192
MOST_LIST_BYTES = MOST_FILES * 512
"""A list longer than this names more files than a bag may have, or nonsense: refused before a line of it is read."""

MOST_INFO_BYTES = 1 << 16
MOST_LABELS = 256

_LINE = re.compile(r"^([0-9A-Fa-f]{64})[ \t]+\*?([^ \t].*)$", re.DOTALL)


def far_too_large(name: str) -> Refused:
    return Refused(name, m("{path}: is far too large to be what it says.", path=name))


def read_list(source: BinaryIO, name: str, *, payload: bool) -> dict[str, str]:
    """A manifest: normal path → SHA-256 in lower case. `payload` says which side of `data/` its paths must be on.

    Raises:
        Refused: a path leads out of the bag, stands twice, or the list is absurdly long.
        ValueError: a line is not a hash and a path; its number is the argument.
    """
    hashes: dict[str, str] = {}
    seen: dict[str, str] = {}
    for number in range(1, MOST_FILES + 2):
        raw = source.readline(MOST_LINE_BYTES + 1)
        if not raw:
            return hashes
        if len(raw) > MOST_LINE_BYTES:
            raise Refused(name, m("{path}: line {line} is too long.", path=name, line=number))
        path, sha256 = _line(raw, number, name)
        fault = path_fault(path)
        if fault is not None:
            raise Refused(name, fault)
        if path.startswith("data/") is not payload:
            raise Refused(name, m("{path}: stands in the wrong manifest, {name}.", path=shown(path), name=name))
        if (other := seen.setdefault(folded(path), path)) is not path:
            raise Refused(name, twice(path, other))
        hashes[normal(path)] = sha256
    raise Refused(name, m("{path}: has more than {count} lines.", path=name, count=MOST_FILES))


def _line(raw: bytes, number: int, name: str) -> tuple[str, str]:
    try:
        match = _LINE.match(raw.decode("utf-8").rstrip("\r\n"))
    except UnicodeDecodeError:
        match = None
    if match is None:
        raise ValueError(number)
    try:
        return decode_path(match[2]), match[1].lower()
    except ValueError:
        text = m("{path}: a path in a manifest is encoded in a way that tools read differently.", path=shown(match[2]))
        raise Refused(name, text) from None


def read_info(source: BinaryIO, name: str) -> dict[str, str]:
    """The labels of a tag file; a label that stands twice keeps its first value.

    Raises:
        Refused: it is too long for what it is.
        ValueError: it is not text.
    """
    raw = source.read(MOST_INFO_BYTES + 1)
    if len(raw) > MOST_INFO_BYTES:
        raise far_too_large(name)
    found: dict[str, str] = {}
    for line in raw.decode("utf-8").splitlines():
        if len(line) > MOST_LINE_BYTES or len(found) > MOST_LABELS:
            raise far_too_large(name)
        label, colon, value = line.partition(":")
        if colon and not line[:1].isspace():
            found.setdefault(label.strip(), value.strip())
    return found
