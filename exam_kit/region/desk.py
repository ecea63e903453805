"""An opened region: its rules, register, ledger, keys and catalogue."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from exam_kit.clock import Clock, SystemClock
from exam_kit.errors import UsageError, m
from exam_kit.home import Home
from exam_kit.region.applied import catch_up
from exam_kit.region.catalogue import Catalogue
from exam_kit.region.register import Register
from exam_kit.region.settings import Region, load_region
from exam_kit.store import Ledger, Store, open_store
from exam_kit.store.durable import sync_folder
from exam_kit.store.keys import SigningKey, VerifyKey

__all__ = ["RegionDesk"]


@dataclass
class RegionDesk:
    """What every act of the region needs."""

    home: Home
    region: Region
    store: Store
    ledger: Ledger
    register: Register
    catalogue: Catalogue
    clock: Clock

    @classmethod
    def open(cls, home: Home, clock: Clock | None = None) -> RegionDesk:
        """Open the region in `home` and bring its catalogue up to date.

        Raises:
            NotSetUp, PointInvalid, StoreError: it is not there, or spoilt.
        """
        region = load_region(home)
        store, clock = open_store(home), clock or SystemClock()
        ledger = Ledger(store, home, clock)
        catalogue = Catalogue(home.root / "catalogue" / "catalogue.db")
        desk = cls(home, region, store, ledger, Register(home, region, ledger), catalogue, clock)
        desk.catch_up()
        desk.renew_key_file()
        return desk

    def catch_up(self, told: Callable[[int], None] = lambda _entries: None) -> None:
        catch_up(self.catalogue, self.home, self.region, self.register, self.ledger, told)

    def rebuild(self, told: Callable[[int], None] = lambda _entries: None) -> None:
        """Delete the catalogue and derive it again."""
        self.catalogue.close()
        Catalogue.remove(self.catalogue.path)
        self.catalogue = Catalogue(self.catalogue.path)
        self.catch_up(told)

    def close(self) -> None:
        self.catalogue.close()
        self.store.close()

    @property
    def key(self) -> SigningKey:
        """The region's own key: it signs receipts and the checkpoints of the region's ledger."""
        return SigningKey.load_or_create(self.home.keys)

    @property
    def key_file(self) -> Path:
        """The public key as it is given to the points."""
        return self.home.root / "region.pub"

    @property
    def bags(self) -> Path:
        return self.home.bags

    @property
    def quarantine(self) -> Path:
        return self.home.root / "quarantine"

    @property
    def receipts(self) -> Path:
        return self.home.root / "receipts"

    def publish_key(self) -> Path:
        """The region's public key as a file to be given to every point."""
        path = self.key_file
        part = path.with_suffix(".part")
        part.write_bytes(self.key.public.pem())
        part.replace(path)
        sync_folder(path.parent)
        return path

    def renew_key_file(self) -> bool:
        """After a change of the keys the file that was given out is another's: True when it was written anew."""
        path, here = self.key_file, self.home.keys / "ledger.pub"
        if not path.is_file() or not here.is_file() or path.read_bytes() == here.read_bytes():
            return False
        self.publish_key()
        return True

    def known_key(self, point: str) -> str:
        """The fingerprint that was last registered for a point, as the ledger saw it; empty for none."""
        found = self.catalogue.query("SELECT key FROM known_key WHERE point = ?", (point,))
        return str(found[0]["key"]) if found else ""

    def point_with_key(self, fingerprint: str) -> str:
        """The registered point whose key this is; empty for none."""
        found = self.catalogue.query("SELECT id FROM point WHERE key = ?", (fingerprint,))
        return str(found[0]["id"]) if found else ""

    def key_of(self, point: str) -> VerifyKey | None:
        return self.register.point(point).key

    def room_for(self, need_bytes: int) -> None:
        """Raises UsageError when the region's disk has not enough space."""
        free = shutil.disk_usage(self.home.root).free
        if free < need_bytes:
            raise UsageError(
                m(
                    "{folder}: {need} MB are needed and {free} MB are free. Make room, or take the bags in place.",
                    folder=self.bags,
                    need=need_bytes // 10**6,
                    free=free // 10**6,
                )
            )
