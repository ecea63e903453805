"""A small real bag, and what a forger does to one: recompute the lists, sign with the key at hand."""

from __future__ import annotations

import datetime as dt
import hashlib
import shutil
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from exam_kit.archive.bag import COVERAGE, INFO, LEDGER, MANIFEST, PUBLIC_KEY, SIGNATURE, TAGMANIFEST
from exam_kit.archive.copy_journal import JOURNAL
from exam_kit.clock import FakeClock
from exam_kit.home import Home
from exam_kit.point import Point, read_point
from exam_kit.store import Ledger, open_store
from exam_kit.store.export import export_lines
from exam_kit.store.keys import SigningKey
from tests.archive_day import archive, record
from tests.conftest import POINT_TOML

__all__ = ["COVERAGE", "INFO", "JOURNAL", "LEDGER", "MANIFEST", "Forger", "Made", "forger", "make"]


@dataclass(frozen=True)
class Made:
    """A bag, the key that signed it, and the ledger's export of its point."""

    bag: Path
    key: SigningKey
    ledger: bytes


def make(folder: Path, code: str, seed: int) -> Made:
    """A sealed bag of four recordings of point `code`, and all that belongs to it, under `folder`."""
    home = Home.at(folder / "home")
    home.create()
    clock = FakeClock(dt.datetime(2026, 5, 28, 5, 0, tzinfo=dt.UTC))
    point: Point = read_point(POINT_TOML.replace('code = "0001"\nname', f'code = "{code}"\nname'))
    with closing(open_store(home)) as store:
        ledger = Ledger(store, home, clock)
        record(store, ledger, home, count=2, seed=seed)
        clock.advance(3600)
        result = archive(store, ledger, home, point, folder / "drive", clock)
        export = "".join(f"{line}\n" for line in export_lines(ledger)).encode()
    assert result.bag is not None
    return Made(result.bag, SigningKey.load_or_create(home.keys), export)


@dataclass(frozen=True)
class Forger:
    """Works on `bag`, a copy of `own`'s. `other` is a bag of another point, `outside` a folder beside the bag."""

    bag: Path
    own: Made
    other: Made
    outside: Path

    @property
    def video(self) -> str:
        return min(path.relative_to(self.bag).as_posix() for path in self.bag.rglob("*.mp4"))

    def write(self, path: str, content: bytes) -> None:
        (self.bag / path).write_bytes(content)

    def list_file(self, path: str, sha256: str = "0" * 64) -> None:
        with (self.bag / MANIFEST).open("a", encoding="utf-8", newline="\n") as manifest:
            manifest.write(f"{sha256}  {path}\n")

    def relist(self) -> None:
        """Correct the payload manifest and its sum for what lies there now."""
        files = sorted(path for path in (self.bag / "data").rglob("*") if path.is_file() and not path.is_symlink())
        names = [path.relative_to(self.bag).as_posix() for path in files]
        lines = [f"{_sha256(self.bag / name)}  {name}\n" for name in names]
        (self.bag / MANIFEST).write_text("".join(lines), encoding="utf-8", newline="\n")
        oxum = f"Payload-Oxum: {sum(path.stat().st_size for path in files)}.{len(files)}"
        info = (self.bag / INFO).read_text(encoding="utf-8").splitlines()
        said = [oxum if line.startswith("Payload-Oxum") else line for line in info]
        (self.bag / INFO).write_text("\n".join(said) + "\n", encoding="utf-8", newline="\n")

    def reseal(self, key: SigningKey | None) -> None:
        """Correct the tag manifest; sign it with `key`, or leave the old signature."""
        was = (self.bag / TAGMANIFEST).read_text(encoding="utf-8").splitlines()
        there = [line[66:] for line in was if (self.bag / line[66:]).is_file()]
        lines = [f"{_sha256(self.bag / name)}  {name}\n" for name in there]
        (self.bag / TAGMANIFEST).write_text("".join(lines), encoding="utf-8", newline="\n")
        if key is not None:
            (self.bag / SIGNATURE).write_bytes(key.sign((self.bag / TAGMANIFEST).read_bytes()))

    def own_key(self) -> SigningKey:
        """A key of the forger's, its public half put into the bag."""
        key = SigningKey.load_or_create(self.outside / "forger")
        self.write(PUBLIC_KEY, key.public.pem())
        return key


def forger(folder: Path, own: Made, other: Made) -> Forger:
    """A fresh copy of the bag in `folder`, with a secret beside it that nobody may read or change."""
    bag = folder / "carrier" / own.bag.name
    shutil.copytree(own.bag, bag)
    outside = folder / "outside"
    outside.mkdir()
    (outside / "secret.mp4").write_bytes(b"secret")
    return Forger(bag, own, other, outside)


def _sha256(path: Path) -> str:
    with path.open("rb") as source:
        return hashlib.file_digest(source, "sha256").hexdigest()
