"""Is a bag still what was sealed? Alone and offline: nothing but the bag is needed, and nothing outside it is read.

Read here are the declaration, the signed tag manifest, the payload manifest, every file they name, every file they
do not name, the ledger's export inside, and for each recording whether the ledger saw these very bytes when the
recording was closed. What a bag alone cannot prove is whose key signed it: that takes the point's public key.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from cryptography.exceptions import UnsupportedAlgorithm

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
from exam_kit.archive.bag_report import BagReport
from exam_kit.archive.bag_tree import Refused, read_info, read_list, read_sizes, walk
from exam_kit.archive.chain import VIDEO, prove_chain
from exam_kit.archive.medium import device_reads, sha256_of
from exam_kit.archive.sink import PART
from exam_kit.errors import Message, m
from exam_kit.store.keys import VerifyKey

__all__ = ["verify_bag"]

MOST_TAG_BYTES = 1 << 22
"""A tag manifest has a dozen lines, and it is held in memory whole while its signature is checked."""


def verify_bag(
    path: Path,
    *,
    quick: bool = False,
    key: VerifyKey | None = None,
    unfinished: bool = False,
    progress: Callable[[int, int], None] = lambda _done, _all: None,
) -> BagReport:
    """Verify the bag in folder `path`. Never raises for what is wrong with a bag: that is what the report is for.

    `quick` does not read the recordings, only that each is there and that their sizes add up; all else is read.
    `key` is the point's public key, kept outside. `unfinished` lets a folder still
    named ``.part`` pass, for the moment before a bag gets its name. `progress` is told bytes read and bytes in all.
    """
    report = BagReport(path, quick=quick)
    started, before = time.monotonic(), device_reads()
    try:
        _Verification(path, report, key, unfinished, progress).run()
    except Refused as refusal:
        report.add("not_a_bag", refusal.path, refusal.message)
    except OSError as problem:
        report.add(
            "not_a_bag",
            str(problem.filename or path),
            m(
                "{path}: cannot be read ({reason}). See that the carrier is plugged in and readable.",
                path=problem.filename or path,
                reason=problem.strerror or str(problem),
            ),
        )
    after = device_reads()
    report.device_bytes = None if before is None or after is None else after - before
    report.elapsed_s = time.monotonic() - started
    report.findings.sort(key=lambda finding: finding.path)
    return report


@dataclass
class _Verification:
    root: Path
    report: BagReport
    key: VerifyKey | None
    unfinished: bool
    progress: Callable[[int, int], None]

    def run(self) -> None:
        report = self.report
        if not self.root.is_dir():
            raise Refused(str(self.root), m("{path}: there is no such folder. Name a bag's folder.", path=self.root))
        if self.root.name.endswith(PART) and not self.unfinished:
            raise Refused(
                str(self.root),
                m("{path}: a copy that was not finished. Start the same archive again to finish it.", path=self.root),
            )
        self.files = walk(self.root)
        if not {DECLARATION, MANIFEST, TAGMANIFEST} & self.files.keys():
            raise Refused(
                str(self.root),
                m(
                    "{path}: is not a bag: none of {names} is in it.",
                    path=self.root,
                    names=f"{DECLARATION}, {MANIFEST}",
                ),
            )
        self.whole = sum(size for _path, size in self.files.values())
        if TAGMANIFEST in self.files and self.files[TAGMANIFEST][1] > MOST_TAG_BYTES:
            raise Refused(TAGMANIFEST, m("{path}: is far too large to be what it says.", path=TAGMANIFEST))
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
        for path, sha256 in payload.items():
            video = PurePosixPath(path).suffix.lower() in VIDEO
            self._hash_known(path, sha256, read=not (self.report.quick and video))
        present = [self.files[path][1] for path in payload if path in self.files]
        report.files, report.bytes = len(present), sum(present)
        self._sizes_fit(payload)
        for path in sorted(self.files.keys() - self.judged):
            report.add("unexpected", path, m("{path}: does not belong to the bag.", path=path))
        self._born(payload)

    def _changed(self, path: str, message: Message | None = None) -> None:
        self.report.add("changed", path, message or m("{path}: its content was changed.", path=path))

    def _hash_known(self, path: str, sha256: str | None, *, read: bool = True) -> None:
        """Judge one named file: missing, changed, or as it was. Without a hash only its presence can be judged."""
        if path in self.judged:
            return
        self.judged.add(path)
        if path not in self.files:
            self.report.add("missing", path, m("{path}: is missing.", path=path))
        elif sha256 is not None and read and self._sha256(path) not in (None, sha256):
            self._changed(path)

    def _sha256(self, path: str) -> str | None:
        """None when the medium cannot give the file; the reason is a finding of its own."""
        try:
            digest, size = sha256_of(self.root / self.files[path][0])
        except OSError as problem:
            self._changed(
                path,
                m(
                    "{path}: cannot be read ({reason}). See that the carrier is plugged in and readable.",
                    path=path,
                    reason=problem.strerror or str(problem),
                ),
            )
            return None
        self.report.read_bytes += size
        self.progress(self.report.read_bytes, self.whole)
        return digest

    def _list(self, name: str, *, payload: bool) -> dict[str, str]:
        """The list's files; nothing, and the files it would name unjudged, when it is missing or cannot be read."""
        try:
            if name in self.files:
                return read_list(self.root, self.files[name][0], payload=payload)
            if not self.report.named(name):
                self.report.add("missing", name, m("{path}: is missing.", path=name))
        except ValueError as fault:
            self._changed(name, m("{path}: line {line} is no hash and path.", path=name, line=fault.args[0]))
        except Refused as refusal:
            if not self.report.named(name):
                raise
            self._changed(name, refusal.message)  # damage, known from its hash, that looks like an attack
        self.judged.update(path for path in self.files if path.startswith("data/") is payload)
        return {}

    def _signature(self) -> None:
        report = self.report
        own = self._own_key()
        if SIGNATURE not in self.files:
            report.signature = "absent"
            report.add("missing", SIGNATURE, m("{path}: is missing.", path=SIGNATURE))
            return
        if TAGMANIFEST not in self.files:
            return
        report.bag_hash = self._sha256(TAGMANIFEST) or ""
        used = self.key or own
        if used is None:
            return
        report.key = used.fingerprint
        if self._signed(used):
            report.signature = "valid" if self.key is not None else "valid_own_key"
        elif self.key is not None and own is not None and self._signed(own):
            report.signature, report.key = "foreign", own.fingerprint
            self._changed(SIGNATURE, m("{path}: was made with another key than the point's.", path=SIGNATURE))
        else:
            report.signature = "invalid"
            # Either the signature or the list it stands over was changed; nothing here can tell which of the two.
            self._changed(
                SIGNATURE,
                m("{path}: does not fit {name}: one of the two was changed.", path=SIGNATURE, name=TAGMANIFEST),
            )
            self._changed(
                TAGMANIFEST,
                m("{path}: does not fit {name}: one of the two was changed.", path=TAGMANIFEST, name=SIGNATURE),
            )

    def _signed(self, key: VerifyKey) -> bool:
        with (self.root / self.files[TAGMANIFEST][0]).open("rb") as source:
            text = source.read(MOST_TAG_BYTES)
        return key.holds(text, self._small(SIGNATURE))

    def _small(self, path: str) -> bytes:
        with (self.root / self.files[path][0]).open("rb") as source:
            return source.read(4096)

    def _declared(self) -> None:
        wrong = DECLARATION in self.files and self._small(DECLARATION) != DECLARATION_TEXT.encode()
        if wrong and not self.report.named(DECLARATION):
            self._changed(DECLARATION, m("{path}: does not declare BagIt 1.0 in UTF-8.", path=DECLARATION))
        if INFO in self.files:
            try:
                self.report.info = read_info(self.root, self.files[INFO][0])
            except ValueError:
                if not self.report.named(INFO):
                    self._changed(INFO)

    def _sizes_fit(self, payload: dict[str, str]) -> None:
        """Where content was not read, sizes tell: each recording's in coverage.json, the sum in bag-info.txt."""
        report = self.report
        if report.quick and COVERAGE in self.files and not report.named(COVERAGE):
            for path, size in read_sizes(self.root, self.files[COVERAGE][0]).items():
                if path in self.files and path in payload and self.files[path][1] != size:
                    self._changed(path)
        said, found = report.info.get("Payload-Oxum", ""), f"{report.bytes}.{len(payload)}"
        if said and not report.findings and said != found:
            self._changed(
                MANIFEST, m("The payload is {found} (bytes.files), bag-info.txt says {said}.", found=found, said=said)
            )

    def _own_key(self) -> VerifyKey | None:
        """The key in the bag; None when there is none or it cannot be read, which its hash then tells."""
        if PUBLIC_KEY not in self.files:
            return None
        try:
            return VerifyKey.from_pem(self._small(PUBLIC_KEY))
        except (ValueError, UnsupportedAlgorithm):
            return None

    def _born(self, payload: dict[str, str]) -> None:
        if LEDGER not in self.files or self.report.named(LEDGER):
            return  # missing or changed, and named so: the chain stays unknown
        key = self.key or self._own_key()
        proved = prove_chain(self.root, self.files[LEDGER][0], payload, key)
        self.report.chain, self.report.ledger_entries = proved.state, proved.entries
        for path, message in proved.faults:
            self._changed(path, message)
