"""What a bag says of itself, before anybody has proved a word of it; and the sentences kept about it."""

from __future__ import annotations

import datetime as dt
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from exam_kit.archive.bag import COVERAGE, INFO, MANIFEST, SIGNATURE, TAGMANIFEST
from exam_kit.archive.bag_coverage import BagCoverage, read_coverage
from exam_kit.archive.bag_lists import read_info, read_list
from exam_kit.archive.bag_paths import shown
from exam_kit.archive.bag_tree import BagTree, Refused, walk
from exam_kit.archive.chain import VIDEO
from exam_kit.archive.sink import CopyTask
from exam_kit.archive.supplement import supplement_to
from exam_kit.errors import Message, m
from exam_kit.region.settings import EXAM_YEARS

__all__ = ["Looked", "kept", "look", "place_of", "unkept"]

MOST_TAG_BYTES = 1 << 22
MOST_POINT = 40
UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")
COPY = re.compile(r"[0-9]{1,6}")


@dataclass
class Looked:
    """`point` is ``RR-PPPP``, `day` the exam day; empty and None when the bag does not say. `tasks` is every file."""

    name: str
    bag_hash: str
    point: str
    day: dt.date | None
    copy: int
    content: str
    supplement_to: str
    coverage: BagCoverage | None
    sizes: dict[str, int]
    hashes: dict[str, str]
    spelled: dict[str, str]
    agrees: bool

    @property
    def bytes(self) -> int:
        return sum(self.sizes[path] for path in self.hashes if path in self.sizes)

    def tasks(self, source: Any) -> list[CopyTask]:
        """Every named file as the engine copies it; `source` is the bag's folder. Missing ones are left out."""
        return [
            CopyTask(path, source / self.spelled[path], self.sizes[path], sha256)
            for path, sha256 in self.hashes.items()
            if path in self.sizes
        ]


def look(tree: BagTree) -> Looked:
    """Read the lists and tags of a bag.

    Raises:
        Refused: it is no bag that can be judged; `message` says why.
        OSError: the medium does not give it.
    """
    files = walk(tree)
    if TAGMANIFEST not in files or MANIFEST not in files:
        raise Refused(
            tree.place, m("{path}: is not a bag: none of {names} is in it.", path=place_of(tree), names=TAGMANIFEST)
        )
    tags = _read(tree, files, TAGMANIFEST)
    try:
        with tree.open(files[TAGMANIFEST][0]) as source:
            hashes = read_list(source, TAGMANIFEST, payload=False)
        with tree.open(files[MANIFEST][0]) as source:
            payload = read_list(source, MANIFEST, payload=True)
        info: Mapping[str, str] = {}
        if INFO in files:
            with tree.open(files[INFO][0]) as source:
                info = read_info(source, INFO)
    except ValueError as problem:
        raise Refused(
            MANIFEST, m("{path}: is not what it says.", path=f"{TAGMANIFEST}, {MANIFEST}, {INFO}")
        ) from problem
    coverage = None
    if COVERAGE in files:
        with tree.open(files[COVERAGE][0]) as source:
            coverage = read_coverage(source)
    hashes |= payload
    hashes[TAGMANIFEST] = bag_hash = hashlib.sha256(tags).hexdigest()
    if SIGNATURE in files:
        hashes[SIGNATURE] = hashlib.sha256(_read(tree, files, SIGNATURE)).hexdigest()
    point, day, agrees = _whose(info, coverage)
    return Looked(
        name=_name(coverage.facts.get("bag", "") if coverage else "", tree.name),
        bag_hash=bag_hash,
        point=point,
        day=day,
        copy=int(number) if COPY.fullmatch(number := info.get("Copy-Number", "")) else 0,
        content=_content(payload),
        supplement_to=supplement_to(info).partition(" ")[2],
        coverage=coverage,
        sizes={path: size for path, (_spelled, size) in files.items()},
        hashes=hashes,
        spelled={path: spelled for path, (spelled, _size) in files.items()},
        agrees=agrees,
    )


def place_of(tree: BagTree) -> str:
    """Where a bag lies, in signs that the ledger can hold and a screen can show: names on a stick may be no text."""
    return shown(tree.place)


def _name(signed: str, folder: str) -> str:
    """The bag's name as it was signed: a folder is renamed easily. It becomes a name on our disk: plain signs only."""
    return UNSAFE.sub("_", signed or folder).strip("._")[:100] or "bag"


def _read(tree: BagTree, files: Mapping[str, tuple[str, int]], name: str) -> bytes:
    if files[name][1] > MOST_TAG_BYTES:
        raise Refused(name, m("{path}: is far too large to be what it says.", path=name))
    with tree.open(files[name][0]) as source:
        return source.read(MOST_TAG_BYTES)


def _whose(info: Mapping[str, str], coverage: BagCoverage | None) -> tuple[str, dt.date | None, bool]:
    """Point and day by the coverage, else by the label; and whether the two agree."""
    facts = coverage.facts if coverage else {}
    label = info.get("External-Identifier", "")
    region, _dash, rest = label.partition("-")
    code, _dash, digits = rest.partition("-")
    point = shown(f"{facts.get('region', region)}-{facts.get('point', code)}")[:MOST_POINT]
    try:
        day = dt.date.fromisoformat(facts.get("exam_date", digits))
    except ValueError:
        return point, None, False
    if day.year not in EXAM_YEARS:
        return point, None, False
    return point, day, label == f"{point}-{day:%Y%m%d}"


def _content(payload: Mapping[str, str]) -> str:
    """One hash for the recordings, whatever copy they stand in and whatever documents lie beside them; "" for none."""
    recordings = sorted(sha256 for path, sha256 in payload.items() if PurePosixPath(path).suffix.lower() in VIDEO)
    return hashlib.sha256("\n".join(recordings).encode()).hexdigest() if recordings else ""


def kept(message: Message) -> dict[str, Any]:
    """A sentence as the ledger keeps it, so that it is told in the language of whoever reads it later."""
    values = {
        name: kept(value) if isinstance(value, Message) else shown(str(value)) for name, value in message.values.items()
    }
    return {"template": message.template, "values": values}


def unkept(said: Any) -> Message:
    """The inverse of `kept`; what is no such thing is told as it stands."""
    match said:
        case {"template": str(template), "values": dict(values)}:
            return Message(
                template, {name: unkept(value) if isinstance(value, dict) else value for name, value in values.items()}
            )
    return Message("{text}", {"text": said})
