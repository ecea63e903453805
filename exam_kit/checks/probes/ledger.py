"""Is the journal whole, and is its key where it belongs?"""

from __future__ import annotations

import os
import stat

from exam_kit.checks.at import At
from exam_kit.checks.model import Fact
from exam_kit.checks.registry import probe
from exam_kit.clock import from_iso
from exam_kit.errors import StoreError
from exam_kit.i18n import N_
from exam_kit.store.keys import SigningKey, VerifyKey
from exam_kit.store.ledger import Checkpoint
from exam_kit.store.seal import SealKey
from exam_kit.store.verify import read_anchors, verify_database


@probe("ledger.whole", readings={"whole": ("", N_("whole")), "entries": ("", N_("entries"))})
def whole(at: At) -> Fact:
    """Every entry recomputed, every kept checkpoint compared, as `exam-kit log verify` does."""
    home = at.context.home
    key = VerifyKey.load(home.keys / "ledger.pub") if (home.keys / "ledger.pub").exists() else None
    present = SealKey(home.keys).read()
    moved_to = present.position if present else None
    report = verify_database(home.store, key, read_anchors(home.anchors), moved_to=moved_to)
    return Fact(
        {"whole": report.whole, "entries": report.entries},
        {
            "head": report.head,
            "checkpoints": report.checkpoints,
            "anchors": report.anchors,
            "findings": [finding.message.text("en") for finding in report.findings[:10]],
        },
    )


@probe("ledger.key", readings={"usable": ("", N_("usable")), "private": ("", N_("readable by its owner only"))})
def key(at: At) -> Fact:
    """The signing key can be read and belongs to the published one; nobody else can read it (not told on Windows)."""
    folder = at.context.home.keys
    path = folder / "ledger.key"
    if not path.exists():
        return Fact({"usable": False, "private": None}, {"missing": str(path)})
    try:
        signing, public = SigningKey.load_or_create(folder), VerifyKey.load(folder / "ledger.pub")
    except StoreError as problem:
        return Fact({"usable": False, "private": None}, {"said": str(problem)})
    mode = stat.S_IMODE(path.stat().st_mode)
    same = signing.public.fingerprint == public.fingerprint
    private = mode & 0o077 == 0 if os.name == "posix" else True
    return Fact(
        {"usable": same, "private": private}, {"fingerprint": signing.public.fingerprint, "mode": f"{mode:03o}"}
    )


@probe(
    "ledger.checkpoint",
    readings={
        "age": ("h", N_("age of the last checkpoint")),
        "behind": ("", N_("entries since")),
        "kept_outside": ("", N_("kept in the folder of anchors")),
    },
)
def checkpoint(at: At) -> Fact:
    """How old the last signed checkpoint is, how many entries came after it, and whether its copy is kept."""
    store = at.context.store
    rows = store.query("SELECT seq, text FROM checkpoint ORDER BY seq DESC LIMIT 1")
    head = store.query("SELECT coalesce(max(seq), 0) AS seq FROM ledger")[0]["seq"]
    if not rows:
        return Fact({"age": None, "behind": head, "kept_outside": False}, {"entries": head, "checkpoints": 0})
    last = Checkpoint.parse(rows[0]["text"])
    made = from_iso(last.at)
    kept = (at.context.home.anchors / f"checkpoint-{last.seq:08d}.txt").is_file()
    return Fact(
        {
            "age": max(round((at.context.clock.now() - made).total_seconds() / 3600, 2), 0.0),
            "behind": head - last.seq,
            "kept_outside": kept,
        },
        {"checkpoint": last.seq, "made": last.at, "entries": head},
    )
