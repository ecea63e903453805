"""What speaks for or against a chain from beside it: signing keys, seals, checkpoints, anchors, another copy."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from exam_kit.errors import m
from exam_kit.store.checkpoint import Checkpoint
from exam_kit.store.keychange import new_key_holds
from exam_kit.store.keys import VerifyKey
from exam_kit.store.ledger import KEY_LOST
from exam_kit.store.report import LedgerReport
from exam_kit.store.seal import Enrolment, commitment
from exam_kit.store.walk import KeyEntry

__all__ = ["HashOf", "enrolled", "judge_anchors", "signing_keys"]

HashOf = Callable[[int], str | None]
"""The hash of an entry that was walked and found in order; None for the others."""


def signing_keys(
    named: Sequence[KeyEntry], given: Sequence[VerifyKey], report: LedgerReport
) -> list[tuple[int, VerifyKey]]:
    """The keys checkpoints may be signed with, each with the first entry it may sign for.

    `given` are the keys kept outside. A change of the key is signed by both, so either vouches for the other; a key
    made after a loss vouches for what it took over, but nothing older vouches for it.
    """
    keys: list[tuple[int, VerifyKey]] = []
    vouched = 0  # the latest entry from which on no given key vouches for the one in use
    known = {key.fingerprint for key in given}
    for entry in named:
        pem = entry.body.get("key")
        if not isinstance(pem, str):
            continue
        try:
            key = VerifyKey.from_pem(pem.encode())
        except ValueError:
            report.add("no key", entry.seq, m("Entry {seq}: the ledger names no usable public key.", seq=entry.seq))
            return []
        if keys and not new_key_holds(report.ledger, entry, keys[-1][1], key):
            text = m("Entry {seq}: the change of the key is not signed as it must be.", seq=entry.seq)
            report.add("key change forged", entry.seq, text)
            return keys
        if not keys or entry.kind == KEY_LOST:
            vouched = entry.seq
        keys.append((entry.seq, key))
        if key.fingerprint in known:
            vouched = 0
    if not keys:
        report.add("no key", 1, m("Entry {seq}: the ledger names no usable public key.", seq=1))
        return list(zip((1,), given, strict=False))
    if known and vouched == 1:
        report.add("foreign key", 1, m("The ledger was opened with another key than the point's."))
        return [(1, key) for key in given[:1]]
    if known and vouched:
        text = m("Entry {seq}: the key was lost and made anew. Have the head of the point confirm it.", seq=vouched)
        report.add("key lost", vouched, text)
    return keys


def enrolled(
    named: Sequence[KeyEntry], seals: Sequence[Enrolment], report: LedgerReport, *, broken: bool = False
) -> None:
    """Do the enrolled first keys and the entries that began a seal belong together?

    A `broken` chain was walked up to the break only, so what begins behind it is not called missing.
    """
    begun = {entry.seal_from: entry for entry in named if entry.seal_from is not None}
    for enrolment in seals:
        entry = begun.get(enrolment.start)
        if enrolment.ledger != report.ledger:
            report.add("foreign enrolment", enrolment.start, m("The enrolment belongs to another ledger."))
        elif entry is None and enrolment.start <= report.entries:
            text = m("Entry {seq}: the seal that was enrolled does not begin here.", seq=enrolment.start)
            report.add("seal taken off", enrolment.start, text)
        elif entry is None and not broken:
            text = m(
                "Entries from {first} on are missing: a seal was enrolled that begins with entry {seq}.",
                first=report.entries + 1,
                seq=enrolment.start,
            )
            report.add("tail missing", report.entries + 1, text)
        elif entry is not None and entry.body["seal"] != commitment(enrolment.key):
            text = m("Entry {seq}: names another first key than the one that was enrolled.", seq=entry.seq)
            report.add("seal exchanged", entry.seq, text)
    known = {enrolment.start for enrolment in seals}
    for start, entry in begun.items():
        if start in known:
            continue
        text = m("Entry {seq}: the seal begins anew with a key that was not given here.", seq=entry.seq)
        if seals:
            report.add("seal begun anew", entry.seq, text)
        elif entry.kind == KEY_LOST:
            report.remark("seal begun anew", entry.seq, text)


def judge_anchors(
    inside: Sequence[tuple[int, str]] | Sequence[str],
    outside: Iterable[str],
    keys: Sequence[tuple[int, VerifyKey]],
    hash_of: HashOf,
    report: LedgerReport,
    *,
    broken: bool = False,
) -> None:
    """Every checkpoint must be signed and name an entry that is there with that hash.

    `inside` are the store's, with the number they are filed under where there is one. A `broken` chain was walked up
    to the break only, so what is not there is not called missing.
    """
    filed = [item if isinstance(item, tuple) else (None, item) for item in inside]
    outside = list(outside)
    report.checkpoints, report.anchors = len(filed), len(outside)
    proved: set[int] = set()
    parted: list[Checkpoint] = []
    here = {text.strip() for _number, text in filed if isinstance(text, str)}
    for place, (number, text) in enumerate([*filed, *((None, text) for text in outside)]):
        try:
            checkpoint = Checkpoint.parse(text if isinstance(text, str) else "")
        except (ValueError, KeyError):
            report.add("checkpoint damaged", number, m("A kept checkpoint cannot be read: its text was changed."))
            continue
        signed = any(
            key.fingerprint == checkpoint.key and checkpoint.signed_by(key) for key in _able(keys, checkpoint.seq)
        )
        if not checkpoint.exactly(text) or number not in (None, checkpoint.seq) or not signed:
            text_of = m("The checkpoint of entry {seq} is not signed with the point's key.", seq=checkpoint.seq)
            report.add("checkpoint forged", checkpoint.seq, text_of)
        elif checkpoint.ledger != report.ledger:
            report.add("foreign checkpoint", checkpoint.seq, m("A checkpoint belongs to another ledger."))
        elif hash_of(checkpoint.seq) == checkpoint.hash:
            proved.add(checkpoint.seq)
            if place >= len(filed):
                report.agreeing[checkpoint.seq] = checkpoint.at
            if checkpoint.text().strip() not in here:
                text_of = m(
                    "The checkpoint of entry {seq} was kept elsewhere and is gone from here.", seq=checkpoint.seq
                )
                report.add("checkpoint removed", checkpoint.seq, text_of)
        else:
            parted.append(checkpoint)
    _parted(parted, proved, hash_of, report, broken=broken)


def _able(keys: Sequence[tuple[int, VerifyKey]], seq: int) -> list[VerifyKey]:
    """The key in use at entry `seq`; at the entry that changed it, the one before as well."""
    at = sum(start <= seq for start, _key in keys)
    return [
        key
        for place, (_start, key) in enumerate(keys)
        if place == at - 1 or (place == at - 2 and keys[at - 1][0] == seq)
    ]


def _parted(
    parted: Sequence[Checkpoint], proved: set[int], hash_of: HashOf, report: LedgerReport, *, broken: bool
) -> None:
    """Where chain and anchors part ways: after the last that agrees, at the latest at the first that does not."""
    told: set[str] = set()
    broken_seals = [finding.seq for finding in report.findings if finding.kind == "seal broken" and finding.seq]
    for checkpoint in sorted(parted, key=lambda one: one.seq):
        since = max((seq for seq in proved if seq < checkpoint.seq), default=0) + 1
        # What its seal proves is not in question: the first broken one is the place.
        since = next((seq for seq in broken_seals if since <= seq <= checkpoint.seq), since)
        if hash_of(checkpoint.seq) is None:
            if not broken and "tail missing" not in told:
                last = max(one.seq for one in parted)
                text = m(
                    "Entries {first} to {last} are missing: a kept checkpoint of {at} proves they existed.",
                    first=report.entries + 1,
                    last=last,
                    at=checkpoint.at,
                )
                report.add("tail missing", report.entries + 1, text, checkpoint.at)
                told.add("tail missing")
        elif "history rewritten" not in told:
            text = m(
                "Entry {seq} is not the one that a kept checkpoint of {at} signed: the chain was rewritten between "
                "entries {since} and {seq}.",
                seq=checkpoint.seq,
                at=checkpoint.at,
                since=since,
            )
            report.add("history rewritten", since, text, checkpoint.at)
            told.add("history rewritten")
