"""Is a bag still what was sealed? Alone and offline: nothing but the bag is needed, and nothing outside it is read.

Read here are the declaration, the signed tag manifest, the payload manifest, every file they name, the names of those
they do not, the ledger's export inside, and for each recording whether the ledger saw these very bytes when the
recording was closed. What a bag alone cannot prove is whose key signed it: that takes the point's public key.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from exam_kit.archive.bag import (
    COVERAGE,
    DECLARATION,
    DECLARATION_TEXT,
    INFO,
    LEDGER,
    MANIFEST,
    PUBLIC_KEY,
    SIGNATURE,
    TAGMANIFEST,
)
from exam_kit.archive.bag_coverage import read_coverage
from exam_kit.archive.bag_find import bag_files
from exam_kit.archive.bag_lists import MOST_LIST_BYTES, far_too_large, read_info, read_list
from exam_kit.archive.bag_report import BagReport
from exam_kit.archive.bag_signature import MOST_TAG_BYTES, check_signature, key_inside, read_small
from exam_kit.archive.bag_tree import BagTree, FolderTree, Refused
from exam_kit.archive.chain import VIDEO, prove_chain
from exam_kit.archive.encrypted import is_encrypted, sealed_name
from exam_kit.archive.medium import device_reads
from exam_kit.archive.supplement import supplement_to
from exam_kit.errors import Message, m
from exam_kit.store.keys import VerifyKey

__all__ = ["verify_bag"]


def verify_bag(
    bag: Path | BagTree,
    *,
    quick: bool = False,
    key: VerifyKey | None = None,
    unfinished: bool = False,
    progress: Callable[[int, int], None] = lambda _done, _all: None,
) -> BagReport:
    """Verify the bag in a folder or tree. Never raises for what is wrong with a bag: that is what the report is for.

    `quick` does not read the recordings, only that each is there and that their sizes add up; all else is read.
    `key` is the point's public key, kept outside. `unfinished` lets a folder still named ``.part`` pass, for the
    moment before a bag gets its name. `progress` is told bytes read and bytes in all.
    """
    tree = FolderTree(bag) if isinstance(bag, Path) else bag
    report = BagReport(tree.place, quick=quick)
    started, before = time.monotonic(), device_reads()
    try:
        _Verification(tree, report, key, unfinished, progress).run()
    except Refused as refusal:
        report.add("not_a_bag", refusal.path, refusal.message)
    except OSError as problem:
        path = str(problem.filename or tree.place)
        report.add("not_a_bag", path, _unreadable(path, problem))
    after = device_reads()
    report.device_bytes = None if before is None or after is None else after - before
    report.elapsed_s = time.monotonic() - started
    report.findings.sort(key=lambda finding: finding.path)
    return report


def _unreadable(path: str, problem: OSError) -> Message:
    return m(
        "{path}: cannot be read ({reason}). See that the carrier is plugged in and readable.",
        path=path,
        reason=problem.strerror or str(problem),
    )


@dataclass
class _Verification:
    tree: BagTree
    report: BagReport
    key: VerifyKey | None
    unfinished: bool
    progress: Callable[[int, int], None]
    files: dict[str, tuple[str, int]] = field(default_factory=dict)
    judged: set[str] = field(default_factory=set)
    whole_bytes: int = 0

    def run(self) -> None:
        self.files = bag_files(self.tree, unfinished=self.unfinished)
        self.whole_bytes = sum(size for _path, size in self.files.values())
        self._bounded(TAGMANIFEST, MOST_TAG_BYTES)
        self._bounded(MANIFEST, MOST_LIST_BYTES)
        self.judged = {TAGMANIFEST, SIGNATURE}
        self._signature()
        tags = self._list(TAGMANIFEST, payload=False)
        if MANIFEST in tags:
            self._hash_known(MANIFEST, tags[MANIFEST])
        payload = self._list(MANIFEST, payload=True)
        for wanted in (DECLARATION, INFO, MANIFEST, PUBLIC_KEY):
            if wanted not in tags and TAGMANIFEST in self.files:
                self._changed(TAGMANIFEST, m("{path}: does not name {name}.", path=TAGMANIFEST, name=wanted))
                self._hash_known(wanted, None)
        for path, sha256 in tags.items():
            self._hash_known(path, sha256)
        self._declared()
        self._said()
        self._sizes_fit(payload)
        for path, sha256 in payload.items():
            self._hash_known(path, sha256, read=not (self.report.quick and self._bulky(path)))
        self._counted(payload)
        for path in sorted(self.files.keys() - self.judged):
            self.report.add("unexpected", path, m("{path}: does not belong to the bag.", path=path))
        self._born(payload)

    def _bounded(self, path: str, most: int) -> None:
        if path in self.files and self.files[path][1] > most:
            raise far_too_large(path)

    def _bulky(self, path: str) -> bool:
        """What a quick look does not read."""
        return self.report.encrypted or PurePosixPath(path).suffix.lower() in VIDEO

    def _changed(self, path: str, message: Message | None = None) -> None:
        self.report.add("changed", path, message or m("{path}: its content was changed.", path=path))

    def _missing(self, path: str) -> None:
        self.report.add("missing", path, m("{path}: is missing.", path=path))

    def _hash_known(self, path: str, sha256: str | None, *, read: bool = True) -> None:
        """Judge one named file: missing, changed, or as it was. Without a hash only its presence can be judged."""
        if path in self.judged:
            return
        self.judged.add(path)
        if path not in self.files:
            self._missing(path)
        elif sha256 is not None and read and self._sha256(path) not in (None, sha256):
            self._changed(path)

    def _sha256(self, path: str) -> str | None:
        """None when the medium cannot give the file; the reason is a finding of its own."""
        try:
            return self.tree.sha256(self.files[path][0], self._read)
        except OSError as problem:
            self._changed(path, _unreadable(path, problem))
            return None

    def _read(self, size: int) -> None:
        self.report.read_bytes += size
        self.progress(self.report.read_bytes, self.whole_bytes)

    def _list(self, name: str, *, payload: bool) -> dict[str, str]:
        """The list's files; nothing, and the files it would name unjudged, when it is missing or cannot be read."""
        try:
            if name in self.files:
                with self.tree.open(self.files[name][0]) as source:
                    return read_list(source, name, payload=payload)
            if not self.report.named(name):
                self.judged.add(name)
                self._missing(name)
        except ValueError as fault:
            self._changed(name, m("{path}: line {line} is no hash and path.", path=name, line=fault.args[0]))
        except Refused as refusal:
            if not self.report.named(name):
                raise
            self._changed(name, refusal.message)  # damage, known from its hash, that looks like an attack
        self.judged.update(path for path in self.files if path.startswith("data/") is payload)
        return {}

    def _signature(self) -> None:
        checked = check_signature(self.tree, self.files, self.key)
        self.report.signature, self.report.key = checked.state, checked.key
        if SIGNATURE not in self.files:
            self._missing(SIGNATURE)
        if TAGMANIFEST in self.files:
            self.report.bag_hash = self._sha256(TAGMANIFEST) or ""
        for path, message in checked.faults:
            self._changed(path, message)

    def _declared(self) -> None:
        wrong = DECLARATION in self.files and (
            read_small(self.tree, self.files[DECLARATION][0]) != DECLARATION_TEXT.encode()
        )
        if wrong and not self.report.named(DECLARATION):
            self._changed(DECLARATION, m("{path}: does not declare BagIt 1.0 in UTF-8.", path=DECLARATION))

    def _said(self) -> None:
        """What bag-info.txt and coverage.json say of the bag."""
        report = self.report
        if INFO in self.files:
            try:
                with self.tree.open(self.files[INFO][0]) as source:
                    report.info = read_info(source, INFO)
            except ValueError:
                if not report.named(INFO):
                    self._changed(INFO)
        report.encrypted = is_encrypted(report.info)
        report.supplement_to = supplement_to(report.info)
        if report.encrypted:
            return
        for path in (COVERAGE, LEDGER):
            if path not in self.files and path not in self.judged:
                self.judged.add(path)
                self._missing(path)
        if COVERAGE in self.files and not report.named(COVERAGE):
            with self.tree.open(self.files[COVERAGE][0]) as source:
                report.coverage = read_coverage(source)

    def _sizes_fit(self, payload: dict[str, str]) -> None:
        """A recording of another size than coverage.json says was changed: nothing of it need be read."""
        for path, size in self.report.coverage.sizes.items() if self.report.coverage else ():
            if path in self.files and path in payload and self.files[path][1] != size:
                self.judged.add(path)
                self._changed(path)

    def _counted(self, payload: dict[str, str]) -> None:
        report = self.report
        present = [self.files[path][1] for path in payload if path in self.files]
        report.files, report.bytes = len(present), sum(present)
        said, found = report.info.get("Payload-Oxum", ""), f"{report.bytes}.{len(payload)}"
        if said and not report.findings and said != found:
            self._changed(
                MANIFEST, m("The payload is {found} (bytes.files), bag-info.txt says {said}.", found=found, said=said)
            )

    def _born(self, payload: dict[str, str]) -> None:
        report = self.report
        if report.encrypted:
            report.chain = "sealed"
            for path in payload:
                if not sealed_name(path):
                    self._changed(path, m("{path}: lies open in an encrypted bag.", path=path))
            return
        if LEDGER not in self.files or report.named(LEDGER) or not payload:
            return  # missing or changed, and named so: the chain stays unknown
        key = self.key or key_inside(self.tree, self.files)
        proved = prove_chain(self.tree, self.files[LEDGER], payload, key, report.info.get("Ledger-Head", ""))
        report.chain, report.ledger_entries = proved.state, proved.entries
        if proved.state == "whole" and report.findings:
            report.chain = "broken_here"
        elif proved.state == "whole" and report.quick:
            report.chain = "listed"
        for path, message in proved.faults:
            self._changed(path, message)
