"""What may be said of the chain now: whole only where that was proved, and lately."""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from exam_kit.clock import Clock, from_iso
from exam_kit.errors import ExamKitError, Message, RefusedEntry, m
from exam_kit.home import Home
from exam_kit.i18n import N_
from exam_kit.point import Point
from exam_kit.review.proof import Proof, prove
from exam_kit.store import Checkpoint, Ledger
from exam_kit.store.keys import VerifyKey
from exam_kit.store.ledger import KEY_KINDS

__all__ = [
    "FRESH",
    "Chain",
    "Integrity",
    "Judged",
    "Prover",
    "anchor_said",
    "chain_said",
    "judge_anchor",
    "prover_of",
    "read_anchor",
]

log = logging.getLogger(__name__)

FRESH = timedelta(minutes=10)
"""As often as the kit signs a checkpoint in active times; what was proved earlier is not said of now."""

PAGE_FIRST_S = 1.5
"""A check that begins by itself lets the page that asked be drawn first: a laptop has few cores."""


class Chain(StrEnum):
    WHOLE = "whole"
    BROKEN = "broken"
    CHECKING = "checking"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Integrity:
    """What is known. `since` is when a check under way began; `later` counts entries written after the last proof."""

    chain: Chain
    entries: int
    proof: Proof | None = None
    since: datetime | None = None
    later: int = 0
    problem: Message | None = None

    def covers(self, seq: int) -> bool:
        """True when entry `seq` is proved."""
        return self.chain is Chain.WHOLE and self.proof is not None and seq <= self.proof.head.seq


class Prover:
    """Keeps the last proof of one home and makes the next, one at a time, beside whoever asks."""

    def __init__(self, home: Home, clock: Clock, *, page_first_s: float = PAGE_FIRST_S) -> None:
        self._home, self._clock, self._page_first_s = home, clock, page_first_s
        self._lock = threading.Lock()
        self._since: datetime | None = None
        self._proof: Proof | None = None
        self._problem: Message | None = None

    def look(self, ledger: Ledger) -> Integrity:
        """What is known now; a check is begun where nothing is, or nothing lately."""
        head = ledger.head()
        with self._lock:
            proof, since, problem = self._proof, self._since, self._problem
        if proof is not None and ledger.hash_at(proof.head.seq) != proof.head.hash and proof.whole:
            proof = None  # another ledger stands there than the one that was proved
        fresh = proof is not None and timedelta() <= self._clock.now() - proof.checked_at < FRESH
        if not fresh and since is None and problem is None:
            self.begin(self._page_first_s)
            since = self._clock.now()
        later = head.seq - proof.head.seq if proof is not None else 0
        chain = Chain.UNKNOWN
        if proof is not None and not proof.whole:
            chain = Chain.BROKEN
        elif fresh:
            chain = Chain.WHOLE
        elif since is not None:
            chain = Chain.CHECKING
        return Integrity(chain, head.seq, proof, since, later, problem)

    def begin(self, after_s: float = 0.0) -> None:
        """Check, unless a check is under way."""
        with self._lock:
            if self._since is not None:
                return
            self._since, self._problem = self._clock.now(), None
        timer = threading.Timer(after_s, self._check)
        timer.name, timer.daemon = "ledger proof", True
        timer.start()

    def _check(self) -> None:
        proof, problem = None, None
        try:
            proof = prove(self._home, self._clock)
        except ExamKitError as trouble:
            log.warning("the ledger was not proved: %s", trouble)
            problem = trouble.message
        finally:
            with self._lock:
                self._proof = proof or self._proof
                self._problem, self._since = problem, None


_provers: dict[str, Prover] = {}
_making = threading.Lock()


def prover_of(home: Home, clock: Clock) -> Prover:
    """The one prover of this home in this process."""
    with _making:
        return _provers.setdefault(str(home.root), Prover(home, clock))


class Judged(StrEnum):
    """What an anchor from outside says of the ledger here."""

    AGREES = "agrees"
    NOT_PROVED = "not_proved"
    DIFFERS = "differs"
    MISSING = "missing"
    FORGED = "forged"
    FOREIGN = "foreign"


def read_anchor(text: str) -> Checkpoint:
    """The anchor that was scanned, typed or pasted; blanks that a line break made in it do not matter.

    Raises:
        RefusedEntry: it is none.
    """
    for written in (text.strip(), " ".join(text.split())):
        try:
            return Checkpoint.parse(written)
        except (ValueError, KeyError):
            continue
    raise RefusedEntry(
        m("The text is not the head of a ledger. Scan the code of a form, or copy the line that begins with EK-HEAD-1.")
    )


def judge_anchor(ledger: Ledger, anchor: Checkpoint, known: Integrity) -> Judged:
    """Does the ledger here hold the entry that `anchor` signed? Proved only where the chain is, up to that entry."""
    if anchor.ledger != ledger.id:
        return Judged.FOREIGN
    keys = _keys_at(ledger, anchor.seq)
    if not any(key.fingerprint == anchor.key and anchor.signed_by(key) for key in keys):
        return Judged.FORGED
    if anchor.seq > ledger.head().seq:
        return Judged.MISSING
    if ledger.hash_at(anchor.seq) != anchor.hash:
        return Judged.DIFFERS
    return Judged.AGREES if known.covers(anchor.seq) else Judged.NOT_PROVED


def _keys_at(ledger: Ledger, seq: int) -> Sequence[VerifyKey]:
    """The key the ledger names for entry `seq`; at the entry that changed it, the one before as well."""
    found: list[tuple[int, VerifyKey]] = []
    for entry in ledger.entries(KEY_KINDS, up_to=seq):
        pem = entry.body.get("key")
        if isinstance(pem, str):
            try:
                found.append((entry.seq, VerifyKey.from_pem(pem.encode())))
            except ValueError:
                continue
    last = [key for _start, key in found[-1:]]
    if len(found) > 1 and found[-1][0] == seq:
        last.append(found[-2][1])
    return last


def chain_said(known: Integrity, point: Point, now: datetime) -> Message:
    """What may be said of the chain, in one sentence or two."""
    proof, count = known.proof, known.entries

    def time(at: datetime) -> str:
        local = at.astimezone(point.tz)
        return f"{local:%H:%M}" if local.date() == now.astimezone(point.tz).date() else f"{local:%d.%m.%Y %H:%M}"

    if proof is not None and known.chain is Chain.BROKEN:
        return m(
            "The chain is NOT whole: entries read {entries}, checked {time}.",
            entries=proof.head.seq,
            time=time(proof.checked_at),
        )
    if proof is not None and known.chain is Chain.WHOLE:
        if known.later > 0:
            return m(
                "The chain is whole: entries {entries}, checked {time}. Written since then, not checked yet: {later}.",
                entries=proof.head.seq,
                time=time(proof.checked_at),
                later=known.later,
            )
        return m(
            "The chain is whole: entries {entries}, checked {time}.",
            entries=proof.head.seq,
            time=time(proof.checked_at),
        )
    if known.since is not None:
        return m(
            "The chain is being checked since {time}, entries {entries}: not known yet whether it is whole.",
            time=time(known.since),
            entries=count,
        )
    if proof is not None:
        return m(
            "Not known whether the chain is whole: entries {entries}, last checked {time}.",
            entries=count,
            time=time(proof.checked_at),
        )
    return m("Not known whether the chain is whole: entries {entries}, not checked yet.", entries=count)


ANCHOR_SAID = {
    Judged.AGREES: N_("Matches the print of {time}: entry № {seq}."),
    Judged.NOT_PROVED: N_(
        "Entry № {seq} is the one the print of {time} names; the chain up to it is not proved at present."
    ),
    Judged.DIFFERS: N_("Does NOT match the print of {time}: here entry № {seq} is another one."),
    Judged.MISSING: N_("Does NOT match the print of {time}: entry № {seq} is missing here."),
    Judged.FORGED: N_("The print of {time} is not signed with the key of this point: entry № {seq} is not proved."),
    Judged.FOREIGN: N_("The print of {time} belongs to another ledger (entry № {seq} there)."),
}


def anchor_said(judged: Judged, anchor: Checkpoint, point: Point) -> Message:
    """What an anchor from outside says, in a sentence."""
    try:
        at = f"{from_iso(anchor.at).astimezone(point.tz):%d.%m.%Y %H:%M}"
    except ValueError:  # it need not be ours
        at = anchor.at[:40]
    return Message(ANCHOR_SAID[judged], {"time": at, "seq": anchor.seq})
