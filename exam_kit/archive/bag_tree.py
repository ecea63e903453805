"""Reading a bag that nobody vouches for: its files, and its lists, without following anything out of it."""

from __future__ import annotations

import json
import os
import re
import stat
import unicodedata
from collections.abc import Iterator
from pathlib import Path

from exam_kit.archive.bag_paths import decode_path, folded, path_fault
from exam_kit.errors import Message, m

__all__ = ["MOST_LINES", "Refused", "normal", "read_info", "read_list", "read_sizes", "walk"]

MOST_LINES = 100_000
"""Files in one bag at most: a point's day has some fifteen thousand. Bounds the memory a hostile list can take."""

MOST_LINE_BYTES = 8192
MOST_INFO_BYTES = 1 << 20
MOST_COVERAGE_BYTES = 1 << 26

_LINE = re.compile(r"^([0-9A-Fa-f]{64})[ \t]+\*?([^ \t].*)$", re.DOTALL)


class Refused(Exception):
    """This is no bag that can be judged; `message` says why, `path` where."""

    def __init__(self, path: str, message: Message) -> None:
        super().__init__(str(message))
        self.path = path
        self.message = message


def normal(path: str) -> str:
    """The form by which a name in a list and a name on a disk are compared (macOS stores another Unicode form)."""
    return unicodedata.normalize("NFC", path)


def walk(root: Path) -> dict[str, tuple[str, int]]:
    """Every file under `root`: normal path → (path as on the disk, size in bytes).

    Raises:
        Refused: a symbolic link or anything that is neither file nor folder lies in it; nothing was opened.
        OSError: a folder cannot be read.
    """
    found: dict[str, tuple[str, int]] = {}
    seen: dict[str, str] = {}
    for path, entry in _entries(root, ""):
        facts = entry.stat(follow_symlinks=False)
        if entry.is_symlink() or getattr(entry, "is_junction", lambda: False)():
            raise Refused(path, m("{path}: a symbolic link inside the bag; it could lead anywhere.", path=path))
        if not stat.S_ISREG(facts.st_mode):
            raise Refused(path, m("{path}: is neither a file nor a folder.", path=path))
        if (other := seen.setdefault(folded(path), path)) != path:
            raise Refused(path, _twice(path, other))
        found[normal(path)] = (path, facts.st_size)
        if len(found) > MOST_LINES:
            raise Refused(path, m("The bag holds more than {count} files.", count=MOST_LINES))
    return found


def _entries(folder: Path, before: str) -> Iterator[tuple[str, os.DirEntry[str]]]:
    waiting = [(folder, before)]
    while waiting:
        place, prefix = waiting.pop()
        with os.scandir(place) as entries:
            for entry in sorted(entries, key=lambda entry: entry.name):
                path = prefix + entry.name
                if entry.is_dir(follow_symlinks=False) and not entry.is_symlink():
                    waiting.append((Path(entry.path), path + "/"))
                else:
                    yield path, entry


def read_list(root: Path, name: str, *, payload: bool) -> dict[str, str]:
    """A manifest: normal path → SHA-256 in lower case. `payload` says which side of `data/` its paths must be on.

    Raises:
        Refused: a path leads out of the bag, stands twice, or the list is absurdly long.
        ValueError: a line is not a hash and a path; its number is the argument.
    """
    hashes: dict[str, str] = {}
    seen: dict[str, str] = {}
    with (root / name).open("rb") as source:
        for number in range(1, MOST_LINES + 2):
            raw = source.readline(MOST_LINE_BYTES + 1)
            if not raw:
                return hashes
            if len(raw) > MOST_LINE_BYTES:
                raise Refused(name, m("{path}: line {line} is too long.", path=name, line=number))
            try:
                match = _LINE.match(raw.decode("utf-8").rstrip("\r\n"))
            except UnicodeDecodeError:
                match = None
            if match is None:
                raise ValueError(number)
            path = decode_path(match[2])
            fault = path_fault(path)
            if fault is not None:
                raise Refused(name, fault)
            if path.startswith("data/") is not payload:
                raise Refused(name, m("{path}: stands in the wrong manifest, {name}.", path=path, name=name))
            if folded(path) in seen:
                raise Refused(name, _twice(path, seen[folded(path)]))
            seen[folded(path)] = path
            hashes[normal(path)] = match[1].lower()
    raise Refused(name, m("{path}: has more than {count} lines.", path=name, count=MOST_LINES))


def read_info(root: Path, name: str) -> dict[str, str]:
    """The labels of a tag file; a label that stands twice keeps its first value.

    Raises:
        ValueError: it is not text, or too long for what it is.
    """
    with (root / name).open("rb") as source:
        raw = source.read(MOST_INFO_BYTES + 1)
    if len(raw) > MOST_INFO_BYTES:
        raise ValueError(name)
    found: dict[str, str] = {}
    for line in raw.decode("utf-8").splitlines():
        label, colon, value = line.partition(":")
        if colon and not line[:1].isspace():
            found.setdefault(label.strip(), value.strip())
    return found


def read_sizes(root: Path, name: str) -> dict[str, int]:
    """What coverage.json says of each file's size; empty when it says nothing usable."""
    with (root / name).open("rb") as source:
        raw = source.read(MOST_COVERAGE_BYTES)
    try:
        document = json.loads(raw)
    except (ValueError, RecursionError):
        return {}
    found: dict[str, int] = {}
    match document:
        case {"files": list(files)}:
            for file in files:
                match file:
                    case {"path": str(path), "bytes": int(size)}:
                        found[normal(path)] = size
    return found


def _twice(path: str, other: str) -> Message:
    return m(
        "{path}: stands twice (also as {other}); on many carriers the two are one file.",
        path=path,
        other=other,
    )
