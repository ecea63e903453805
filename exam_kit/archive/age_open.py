"""An encrypted bag → the plain bag inside it, with the region's identity (secret key)."""

from __future__ import annotations

import io
import os
import shutil
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

import pyrage
from pyrage import x25519

from exam_kit.archive.bag_report import BagReport
from exam_kit.archive.bag_tree import FolderTree, walk
from exam_kit.archive.encrypted import INDEX, MOST_INDEX_BYTES, read_index
from exam_kit.archive.medium import BLOCK, fsync_folder
from exam_kit.archive.sink import PART
from exam_kit.archive.verify import verify_bag
from exam_kit.errors import ArchiveError, m
from exam_kit.store.keys import VerifyKey

__all__ = ["BoundedIndex", "identities_in", "names_inside", "open_bag"]

MOST_IDENTITY_BYTES = 1 << 16


def identities_in(path: Path) -> list[x25519.Identity]:
    """The keys in a file that ``age-keygen`` wrote.

    Raises:
        ArchiveError: there is none in it. What stands in the file is never told.
    """
    with path.open("rb") as source:
        lines = source.read(MOST_IDENTITY_BYTES).decode("utf-8", errors="replace").splitlines()
    try:
        found = [x25519.Identity.from_str(line.strip()) for line in lines if line.strip() and not line.startswith("#")]
    except pyrage.IdentityError:
        found = []
    if not found:
        raise ArchiveError(
            m(
                "{path}: holds no age identity (a line that begins with AGE-SECRET-KEY-1). Give the file that "
                "age-keygen wrote; open it with age first if it is locked with a passphrase.",
                path=path,
            )
        )
    return found


def open_bag(
    bag: Path,
    identities: Sequence[x25519.Identity],
    to: Path,
    *,
    key: VerifyKey | None = None,
    progress: Callable[[int, int], None] = lambda _done, _all: None,
) -> BagReport:
    """Decrypt `bag` into a new folder under `to` and verify that; the report's `path` says where it lies.

    The folder has its name only when the bag inside is whole. `progress` is told bytes of ciphertext read, and in all.

    Raises:
        ArchiveError: the encrypted bag is not whole, is not for this key, or what is inside is not whole.
        OSError: a file cannot be read or written.
    """
    sealed = verify_bag(bag, quick=True)
    if not sealed.whole:
        raise ArchiveError(
            m("{path}: the encrypted bag is not whole; nothing was opened.", path=bag),
            [finding.message for finding in sealed.findings],
        )
    if not sealed.encrypted:
        raise ArchiveError(m("{path}: is not encrypted; there is nothing to open.", path=bag))
    opening = _Opening(bag, list(identities), to, progress)
    return opening.run(key)


@dataclass
class _Opening:
    bag: Path
    identities: list[x25519.Identity] = field(repr=False)
    to: Path
    progress: Callable[[int, int], None]
    done: int = 0

    def run(self, key: VerifyKey | None) -> BagReport:
        tree = FolderTree(self.bag)
        files = walk(tree)
        self.whole = sum(size for _path, size in files.values())
        index = BoundedIndex()
        self._decrypt(tree, INDEX, index)
        name, names = names_inside(index.getvalue(), files, tree.place)
        target = self.to / name
        part = target.with_name(name + PART)
        self._free(target, part)
        part.mkdir()
        for stored, path in names.items():
            place = part / path
            place.parent.mkdir(parents=True, exist_ok=True)
            with place.open("xb") as plain:
                self._decrypt(tree, files[stored][0], plain)
                plain.flush()
                os.fsync(plain.fileno())
        report = verify_bag(part, unfinished=True, key=key)
        if not report.whole:
            raise ArchiveError(
                m("{path}: what was inside is not whole. Ask the point for another copy.", path=part),
                [finding.message for finding in report.findings],
            )
        part.rename(target)
        fsync_folder(self.to)
        report.path = str(target)
        return report

    def _free(self, target: Path, part: Path) -> None:
        for there in (target, part):
            if there.exists():
                raise ArchiveError(m("{path}: is there already. Take it away, or open the bag elsewhere.", path=there))
        free = shutil.disk_usage(self.to).free
        if free < self.whole:
            raise ArchiveError(
                m(
                    "{path}: {free} MB are free, {need} MB are needed. Open the bag on a larger disk.",
                    path=self.to,
                    free=free // 10**6,
                    need=self.whole // 10**6 + 1,
                )
            )

    def _decrypt(self, tree: FolderTree, stored: str, plain: BinaryIO) -> None:
        with tree.open(stored) as source:
            try:
                pyrage.decrypt_io(_Counted(source, self._seen), plain, self.identities)
            except (pyrage.DecryptError, OSError) as problem:
                if isinstance(problem, OSError) and problem.errno is not None:
                    raise  # the medium's; a chunk that was changed is told without a number
                raise ArchiveError(
                    m(
                        "{file}: does not open with this key, or was changed ({reason}). Use the identity whose "
                        "recipient the point was given.",
                        file=stored,
                        reason=problem,
                    )
                ) from None

    def _seen(self, size: int) -> None:
        self.done += size
        self.progress(self.done, self.whole)


class _Counted:
    """A source whose reads are counted; the library asks for small pieces, so it is read in blocks."""

    def __init__(self, source: BinaryIO, seen: Callable[[int], None]) -> None:
        self._source, self._seen = source, seen
        self._rest = memoryview(b"")

    def read(self, size: int) -> bytes:
        if not self._rest:
            block = self._source.read(BLOCK)
            self._seen(len(block))
            self._rest = memoryview(block)
        given, self._rest = self._rest[:size], self._rest[size:]
        return bytes(given)


def names_inside(index: bytes, files: Collection[str], place: str) -> tuple[str, dict[str, str]]:
    """The inner bag's name and its files (sealed name → path) by the decrypted index; `files` is what lies there.

    Raises:
        ArchiveError: it is no index, or names other files than lie there.
    """
    name, names = read_index(index)
    strangers = {path for path in files if path.startswith("data/")} - names.keys() - {INDEX}
    if strangers or not names.keys() <= set(files):
        raise ArchiveError(m("{path}: its index names other files than lie in it.", path=place))
    return name, names


class BoundedIndex(io.BytesIO):
    """The index as it is decrypted; more than any real one has is refused."""

    def write(self, data: object) -> int:
        if self.tell() > MOST_INDEX_BYTES:
            raise ArchiveError(m("{path}: is far too large to be what it says.", path=INDEX))
        return super().write(data)  # type: ignore[arg-type]
