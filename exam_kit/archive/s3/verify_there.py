"""`exam-kit verify s3://STORE/BAG`: the same verification as of a folder, over the store."""

from __future__ import annotations

from collections.abc import Callable

from exam_kit.archive.bag_report import BagReport
from exam_kit.archive.s3.faults import OF_ONE_OBJECT
from exam_kit.archive.s3.probe_record import trust_in
from exam_kit.archive.s3.tree import StoreTree
from exam_kit.archive.s3.uploads import Uploads, state_file
from exam_kit.archive.s3.wire import Wire
from exam_kit.archive.verify import verify_bag
from exam_kit.home import Home
from exam_kit.store.keys import VerifyKey

__all__ = ["verify_in_store"]


def verify_in_store(
    wire: Wire,
    bag: str,
    home: Home,
    *,
    quick: bool = False,
    key: VerifyKey | None = None,
    download: bool = False,
    progress: Callable[[int, int], None] = lambda _done, _all: None,
) -> BagReport:
    """The report; its `proofs` say how many files were proved by the store's own SHA-256, how many by reading them.

    What the store keeps is believed as far as its last probe went; `download` reads everything all the same.

    Raises:
        StoreFault: the store or the line failed, so that nothing is known of the bag.
        ArchiveError: the memory of earlier uploads cannot be opened.
    """
    uploads = Uploads(state_file(home), f"{wire.store.endpoint}/{wire.store.bucket}")
    try:
        trust = None if download else trust_in(home, wire.store)
        tree = StoreTree(wire, bag, trust, uploads.arrived)
        report = verify_bag(tree, quick=quick, key=key, progress=progress)
        if tree.fault is not None and tree.fault.kind not in OF_ONE_OBJECT:
            raise tree.fault
        report.device_bytes = None  # the bytes came over the line; what a disk here was read for says nothing
        report.proofs = tree.proofs
        return report
    finally:
        uploads.close()
