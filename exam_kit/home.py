"""Where the kit keeps what it knows: one folder, `EXAM_KIT_HOME`, so that it can be carried as a whole."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from exam_kit.errors import AccessDenied, m

__all__ = ["Home", "kit_root"]


def kit_root() -> Path:
    """The folder the kit was unpacked or cloned into."""
    return Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Home:
    """The folders and files of one installation. Paths only: nothing here reads or writes."""

    root: Path
    logs: Path

    @classmethod
    def find(cls) -> Home:
        """`EXAM_KIT_HOME` when it is set; otherwise `home/` and `logs/` beside the kit."""
        named = os.environ.get("EXAM_KIT_HOME")
        if named:
            root = Path(named).expanduser().resolve()
            return cls(root, root / "logs")
        return cls(kit_root() / "home", kit_root() / "logs")

    @classmethod
    def at(cls, root: Path) -> Home:
        """A home in `root`, logs inside it."""
        return cls(root, root / "logs")

    @property
    def point_file(self) -> Path:
        return self.root / "point.toml"

    @property
    def region_file(self) -> Path:
        """Its being there makes this a region's home."""
        return self.root / "region.toml"

    @property
    def profiles(self) -> Path:
        """The point's own check profiles; they win over the shipped ones of the same name."""
        return self.root / "profiles"

    @property
    def store(self) -> Path:
        return self.root / "store" / "exam-kit.db"

    @property
    def keys(self) -> Path:
        return self.root / "keys"

    @property
    def secrets(self) -> Path:
        """Camera passwords where the system has no keyring; readable by the owner only."""
        return self.root / "secrets.json"

    @property
    def footage(self) -> Path:
        return self.root / "footage"

    @property
    def bags(self) -> Path:
        return self.root / "bags"

    @property
    def reports(self) -> Path:
        return self.root / "reports"

    @property
    def references(self) -> Path:
        """Approved reference pictures, one per camera."""
        return self.root / "references"

    @property
    def anchors(self) -> Path:
        """Signed checkpoints of the ledger, as short texts."""
        return self.root / "anchors"

    @property
    def backups(self) -> Path:
        """Copies of the store, a folder each."""
        return self.root / "backups"

    @property
    def demo_file(self) -> Path:
        """The demo's accounts; its being there says that this home is the demo's."""
        return self.root / "demo.json"

    @property
    def run(self) -> Path:
        """State of running processes: locks, addresses, live pictures. Safe to delete when nothing runs."""
        return self.root / "run"

    @property
    def live(self) -> Path:
        """Latest picture of each camera, `<camera>.jpg`, replaced atomically."""
        return self.run / "live"

    def create(self) -> None:
        """Make every folder.

        Raises:
            AccessDenied: the file system does not allow it.
        """
        try:
            for folder in (
                self.root,
                self.logs,
                self.store.parent,
                self.keys,
                self.footage,
                self.bags,
                self.reports,
                self.references,
                self.anchors,
                self.run,
                self.live,
            ):
                folder.mkdir(parents=True, exist_ok=True)
            if os.name == "posix":
                self.keys.chmod(0o700)
        except OSError as problem:
            raise AccessDenied(
                m(
                    "{folder}: cannot be written ({reason}). Give this user the right to write there, "
                    "or set EXAM_KIT_HOME to a folder that can be written.",
                    folder=self.root,
                    reason=problem.strerror or str(problem),
                )
            ) from problem
