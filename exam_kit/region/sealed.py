"""An encrypted bag at the intake: whole as it lies, opened by its index, and from then on the bag that is inside."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pyrage import x25519

from exam_kit.archive.age_tree import Locked, OpenedTree, Unopened, opened_tree
from exam_kit.archive.bag import INFO
from exam_kit.archive.bag_lists import read_info
from exam_kit.archive.bag_paths import shown
from exam_kit.archive.bag_report import BagReport
from exam_kit.archive.bag_tree import BagTree, Refused, walk
from exam_kit.archive.encrypted import INDEX, is_encrypted
from exam_kit.errors import ArchiveError, Message, m
from exam_kit.region.looked import Looked, look

__all__ = ["Unsealed", "carrier_of", "is_sealed", "unsealed"]


@dataclass(frozen=True)
class Unsealed:
    """`report` is about the encrypted bag as it lies. `tree` and `looked`, the bag inside, are None where it could not
    be opened; where that is for want of the key, `locked` says so."""

    report: BagReport
    tree: OpenedTree | None = None
    looked: Looked | None = None
    locked: Message | None = None


def is_sealed(tree: BagTree) -> bool:
    """By its label or its index: one of the two may have been damaged.

    Raises:
        Refused: something lies there that no bag holds.
        OSError: it cannot be read.
    """
    files = walk(tree)
    if INDEX in files:
        return True
    if INFO not in files:
        return False
    try:
        with tree.open(files[INFO][0]) as source:
            return is_encrypted(read_info(source, INFO))
    except ValueError:
        return False


def unsealed(tree: BagTree, identities: Sequence[x25519.Identity], verified: Callable[[bool], BagReport]) -> Unsealed:
    """Verify the encrypted bag by its own signature and look into it. Its recordings are not read here.

    `verified` verifies the encrypted bag, quickly or not.

    Raises:
        Refused: what is inside is no bag that can be judged, though nothing was changed on the way.
        OSError: the carrier cannot be read.
    """
    report = verified(True)
    try:
        inner = opened_tree(tree, identities)
        return Unsealed(report, inner, look(inner))
    except Locked:
        return Unsealed(report, locked=_locked(tree, identities))
    except (Unopened, Refused, ArchiveError) as problem:
        if report.whole:
            # Names and sizes fit and it does not open: damage, or a sender's mistake. All ciphertext is read to tell.
            report = verified(False)
        if not report.whole:
            return Unsealed(report)
        raise Refused(INDEX, _inside(problem)) from problem


def _locked(tree: BagTree, identities: Sequence[x25519.Identity]) -> Message:
    if not identities:
        return m(
            "{bag}: is encrypted, and no age identity is kept here. Give your copy of it, exam-kit region identity "
            "--from FILE, then take the bag in again.",
            bag=shown(tree.name),
        )
    return m(
        "{bag}: is encrypted to another recipient; none of the age identities kept here opens it ({count}). Give the "
        "right one, exam-kit region identity --from FILE, or give the point this region's recipient and ask for "
        "another copy.",
        bag=shown(tree.name),
        count=len(identities),
    )


def _inside(problem: Unopened | Refused | ArchiveError) -> Message:
    if isinstance(problem, Unopened):
        return m(
            "{file}: is as it was sealed and does not open ({reason}). Ask the point for another copy.",
            file=shown(str(problem.filename)),
            reason=problem.strerror or "",
        )
    return problem.message


def carrier_of(tree: BagTree) -> BagTree:
    """What really lies on the carrier: of a bag that was opened the encrypted one."""
    return tree.outer if isinstance(tree, OpenedTree) else tree
