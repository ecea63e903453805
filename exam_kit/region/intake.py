"""Taking bags in: each is proved with the key of its point, and then it is the region's, or it is set aside.

A bag is copied under a name that ends in ``.part``, by the kit's copy engine, which proves every file by reading it
back; it gets its own name last, then its entry in the ledger, then its receipt. Whatever ends the program in between,
the next intake goes on from there: what lies there whole is read back instead of copied again.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from exam_kit.archive.age_tree import OpenedTree
from exam_kit.archive.bag_paths import shown
from exam_kit.archive.bag_report import BagReport
from exam_kit.archive.bag_tree import BagTree, FolderTree, Refused
from exam_kit.archive.job_lock import job_lock
from exam_kit.archive.result import Progress
from exam_kit.archive.sink import PART
from exam_kit.archive.verify import verify_bag
from exam_kit.errors import AlreadyRunning, ArchiveError, ExamKitError, Message, m
from exam_kit.i18n import N_
from exam_kit.region.applied import AGAIN, TAKEN
from exam_kit.region.brought import Brought, bring, note_elsewhere
from exam_kit.region.desk import RegionDesk
from exam_kit.region.identity import identities
from exam_kit.region.looked import Looked, look, place_of
from exam_kit.region.quarantine import is_aside, not_registered, set_aside
from exam_kit.region.receipts import receipt_file, write_due
from exam_kit.region.sealed import carrier_of, is_sealed, unsealed
from exam_kit.region.sources import lost
from exam_kit.store.keys import VerifyKey

__all__ = ["OUTCOME_LABELS", "Outcome", "take_in"]

OUTCOME_LABELS = {
    "taken": N_("taken"),
    "supplement": N_("taken, a supplement"),
    "same_content": N_("the same recordings are here; this copy was verified where it lies"),
    "again": N_("delivered before"),
    "quarantined": N_("in quarantine"),
    "known_quarantine": N_("in quarantine since an earlier intake"),
    "locked": N_("encrypted, and not opened here"),
    "unfinished": N_("a copy that the point did not finish; left alone"),
    "failed": N_("not taken; try again"),
    "cancelled": N_("stopped; can be taken up again"),
}


@dataclass(frozen=True)
class Outcome:
    """What became of one bag. `outcome` is a key of `OUTCOME_LABELS`; `point` and `day` are empty when unknown.

    `sealed_as` is what it is called on its carrier when it lies there encrypted; `bag` is the bag inside then.
    """

    outcome: str
    bag: str
    source: str
    point: str = ""
    day: str = ""
    bag_hash: str = ""
    reason: Message | None = None
    folder: Path | None = None
    receipt: Path | None = None
    elapsed_s: float = 0.0
    sealed_as: str = ""

    def as_dict(self) -> dict[str, Any]:
        return {
            "outcome": self.outcome,
            "bag": self.bag,
            "source": self.source,
            "point": self.point,
            "day": self.day,
            "bag_hash": self.bag_hash,
            "reason": self.reason.text() if self.reason else "",
            "folder": str(self.folder) if self.folder else None,
            "receipt": str(self.receipt) if self.receipt else None,
            "elapsed_s": round(self.elapsed_s, 3),
            "sealed_as": self.sealed_as,
        }


def take_in(
    desk: RegionDesk,
    bags: Iterable[BagTree],
    *,
    actor: str,
    in_place: bool = False,
    fetch: bool = False,
    told: Callable[[Outcome], None] = lambda _outcome: None,
    progress: Callable[[str, Progress], None] = lambda _bag, _progress: None,
    cancelled: Callable[[], bool] = lambda: False,
) -> list[Outcome]:
    """Take bags in, one after the other. One that fails does not stop the others.

    `in_place` verifies them in full where they lie and leaves them there (the region's own network storage); else
    they are copied, those in a store only with `fetch`. `told` hears of each bag, `progress` of the one under way, with
    its name.

    Raises:
        AlreadyRunning: another intake is under way.
        StoreError: the ledger or the catalogue refuses.
    """
    try:
        with job_lock(desk.home.run, "region-intake"):
            desk.catch_up()
            write_due(desk, actor=actor)
            intake = _Intake(desk, actor, in_place, fetch, progress, cancelled)
            found = []
            for tree in bags:
                if cancelled():
                    break
                found.append(intake.one(tree))
                told(found[-1])
            return found
    except AlreadyRunning as problem:
        raise AlreadyRunning(m("Another intake is under way here. Wait until it has ended.")) from problem


class _Doubtful(Exception):
    """What came over a line was perhaps changed on its way only: the bag is read once more before it is set aside."""


class _Stopped(Exception):
    """Somebody asked for it while a bag was being verified; nothing was done with it."""


@dataclass
class _Intake:
    desk: RegionDesk
    actor: str
    in_place: bool
    fetch: bool
    progress: Callable[[str, Progress], None]
    cancelled: Callable[[], bool]

    def one(self, tree: BagTree) -> Outcome:
        started = time.monotonic()
        self.tree, self.sure = tree, isinstance(tree, FolderTree)
        try:
            outcome = self._judged(tree)
        except _Doubtful:
            self.sure = True
            outcome = self._judged(tree)
        values: dict[str, Any] = {**vars(outcome), "elapsed_s": time.monotonic() - started}
        return Outcome(**values)

    def _judged(self, tree: BagTree) -> Outcome:
        if tree.name.endswith(PART):
            return self._told(tree, None, "unfinished", None)
        looked: Looked | None = None
        try:
            try:
                if is_sealed(tree):
                    return self._sealed(tree)
                looked = look(tree)
                return self._looked(tree, looked)
            except Refused as refusal:
                return self._aside(tree, looked, "not_a_bag", refusal.message)
        except OSError as problem:
            reason = m(
                "{path}: cannot be read ({reason}). See that the carrier is plugged in and readable.",
                path=shown(str(problem.filename or tree.place)),
                reason=problem.strerror or str(problem),
            )
            return self._told(tree, looked, "failed", lost(self.tree) or reason)
        except ExamKitError as problem:
            return self._told(tree, looked, "failed", problem.message)
        except _Stopped:
            return self._told(tree, looked, "cancelled", None)

    def _sealed(self, tree: BagTree) -> Outcome:
        """An encrypted bag: proved as it lies, opened, and then judged as the bag that is inside."""

        def verified(quick: bool) -> BagReport:
            return self._verified(tree, None, quick=quick)

        found = unsealed(tree, identities(self.desk.home), verified)
        if not found.report.whole:
            return self._not_whole(tree, found.looked, found.report)
        if found.tree is None or found.looked is None:
            return self._told(tree, None, "locked", found.locked)
        return self._looked(found.tree, found.looked)

    def _looked(self, tree: BagTree, looked: Looked) -> Outcome:
        desk = self.desk
        if desk.catalogue.query("SELECT 1 FROM bag WHERE hash = ?", (looked.bag_hash,)):
            return self._again(tree, looked)
        try:
            key = desk.key_of(looked.point)
        except KeyError:
            return self._aside(tree, looked, "foreign", not_registered(looked.point))
        if key is None:
            reason = m("{point}: no key is registered. Register the point's ledger.pub.", point=looked.point)
            return self._aside(tree, looked, "no_key", reason)
        known = desk.known_key(looked.point)
        if known != key.fingerprint:
            reason = m(
                "{point}: the register's file has the key {new}, and {old} was registered. Find out who changed the "
                "file; register the genuine key again.",
                point=looked.point,
                new=key.fingerprint,
                old=known or "—",
            )
            return self._aside(tree, looked, "key_changed", reason)
        report = self._verified(tree, key, quick=True)
        if not report.whole:
            return self._not_whole(tree, looked, report)
        if not looked.agrees or looked.day is None or looked.coverage is None:
            reason = m("{bag}: bag-info.txt and coverage.json name different points or days.", bag=looked.name)
            return self._aside(tree, looked, "mislabelled", reason)
        return self._genuine(tree, looked, key)

    def _genuine(self, tree: BagTree, looked: Looked, key: VerifyKey) -> Outcome:
        """Signed by its point and right in all but the recordings' content, which is proved now."""
        same = looked.content and self.desk.catalogue.query(
            "SELECT folder FROM bag WHERE point = ? AND day = ? AND content = ?",
            (looked.point, str(looked.day), looked.content),
        )
        outcome = "supplement" if looked.supplement_to else "taken"
        if same or self.in_place or not (self.fetch or isinstance(carrier_of(tree), FolderTree)):
            report = self._verified(tree, key, quick=False)
            if not report.whole:
                return self._not_whole(tree, looked, report)
            if report.bag_hash != looked.bag_hash:
                return self._told(tree, looked, "failed", m("{bag}: changed while it was read.", bag=looked.name))
            folder = note_elsewhere(self.desk, tree, looked)
            return self._taken(tree, looked, "same_content" if same else outcome, folder, place_of(tree))
        brought: Brought = bring(self.desk, tree, looked, key, self.progress, self.cancelled)
        if brought.cancelled:
            return self._told(tree, looked, "cancelled", None)
        if brought.folder is None:
            report = self._verified(tree, key, quick=False)
            if not report.whole:
                if self.sure:
                    brought.forget()
                aside = self._not_whole(tree, looked, report)  # not past here while it is read once more
                brought.forget()
                return aside
            return self._told(tree, looked, "failed", brought.problem)
        return self._taken(tree, looked, outcome, brought.folder, str(brought.folder))

    def _verified(self, tree: BagTree, key: VerifyKey | None, *, quick: bool) -> BagReport:
        def told(done: int, whole: int) -> None:
            if self.cancelled():
                raise _Stopped
            self.progress(tree.name, Progress("proving", 0, 0, whole, done))

        report = verify_bag(tree, quick=quick, key=key, progress=told)
        if not report.whole and (fault := lost(self.tree)) is not None:
            raise ArchiveError(fault)
        return report

    def _not_whole(self, tree: BagTree, looked: Looked | None, report: BagReport) -> Outcome:
        if report.outcome == "not_a_bag" and isinstance(tree, OpenedTree):
            outer = self._verified(tree.outer, None, quick=False)  # what does not open may have been changed
            report = report if outer.whole else outer
        findings = [finding.message for finding in report.findings]
        count, name = len(findings), looked.name if looked else shown(tree.name)
        if report.signature == "absent":
            return self._aside(tree, looked, "unsigned", m("{bag}: has no signature.", bag=name), findings)
        if report.signature == "foreign" and looked is not None:
            owner = self.desk.point_with_key(report.key)
            reason = m(
                "{bag}: says it is of {point} and is signed with the key {key} ({owner}).",
                bag=looked.name,
                point=looked.point,
                key=report.key,
                owner=owner or "—",
            )
            return self._aside(tree, looked, "wrong_key", reason, findings)
        if report.outcome == "not_a_bag":
            return self._aside(tree, looked, "not_a_bag", findings[0], findings)
        reason = m("{bag}: not as it was sealed: {first} (findings: {count})", bag=name, first=findings[0], count=count)
        return self._aside(tree, looked, "altered", reason, findings)

    def _aside(
        self, tree: BagTree, looked: Looked | None, code: str, reason: Message, findings: Iterable[Message] = ()
    ) -> Outcome:
        if not self.sure and not is_aside(self.desk, carrier_of(tree), code):
            raise _Doubtful
        made = set_aside(
            self.desk, carrier_of(tree), looked, code, reason, list(findings), actor=self.actor, copy=not self.in_place
        )
        return self._told(tree, looked, "known_quarantine" if made.known else "quarantined", reason, made.folder)

    def _again(self, tree: BagTree, looked: Looked) -> Outcome:
        """The very bag that was taken before: noted once for each carrier it comes on, and its receipt stands."""
        bag = looked.bag_hash
        known = self.desk.catalogue.query(
            "SELECT 1 FROM again WHERE bag = ? AND source = ? UNION SELECT 1 FROM bag WHERE hash = ? AND source = ?",
            (bag, place_of(tree), bag, place_of(tree)),
        )
        if not known:
            self.desk.ledger.append(AGAIN, {"bag_hash": bag, "bag": looked.name, "source": place_of(tree)}, self.actor)
            self.desk.catch_up()
        return self._told(tree, looked, "again", None, receipt=receipt_file(self.desk, bag))

    def _taken(self, tree: BagTree, looked: Looked, outcome: str, folder: Path, place: str) -> Outcome:
        assert looked.coverage is not None
        recorded = [span for camera in looked.coverage.cameras for span in camera.recorded]
        body = {
            "bag": looked.name,
            "bag_hash": looked.bag_hash,
            "point": looked.point,
            "day": str(looked.day),
            "copy": looked.copy,
            "outcome": outcome,
            "content": looked.content,
            "supplement_to": looked.supplement_to,
            "files": sum(path.startswith("data/") for path in looked.hashes),
            "bytes": sum(looked.sizes[path] for path in looked.hashes if path.startswith("data/")),
            "bag_s": round(sum((end - start).total_seconds() for start, end in recorded), 3),
            "folder": folder.relative_to(self.desk.home.root).as_posix(),
            "place": place,
            "source": place_of(tree),
            "sealed_as": _sealed_as(tree),
        }
        self.desk.ledger.append(TAKEN, body, self.actor)
        self.desk.catch_up()
        write_due(self.desk, actor=self.actor)
        return self._told(tree, looked, outcome, None, folder, receipt_file(self.desk, looked.bag_hash))

    def _told(
        self,
        tree: BagTree,
        looked: Looked | None,
        outcome: str,
        reason: Message | None,
        folder: Path | None = None,
        receipt: Path | None = None,
    ) -> Outcome:
        if looked is None:
            return Outcome(outcome, shown(tree.name), place_of(tree), reason=reason, folder=folder)
        return Outcome(
            outcome,
            looked.name,
            place_of(tree),
            looked.point,
            str(looked.day or ""),
            looked.bag_hash,
            reason,
            folder,
            receipt,
            sealed_as=_sealed_as(tree),
        )


def _sealed_as(tree: BagTree) -> str:
    return shown(tree.outer.name) if isinstance(tree, OpenedTree) else ""
