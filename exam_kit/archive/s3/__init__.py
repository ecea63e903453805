"""Object stores by S3: sealed bags sent so that they can be taken up after anything, proved, and read again.

boto3 is loaded with the first request, not with this package.
"""

from exam_kit.archive.s3.bag_send import SendResult, send_bag
from exam_kit.archive.s3.faults import OF_ONE_OBJECT, StoreFault
from exam_kit.archive.s3.probe import probe_store
from exam_kit.archive.s3.probe_record import ProbeReport, keep_report, kept_report
from exam_kit.archive.s3.tree import StoreTree, bags_there
from exam_kit.archive.s3.verify_there import verify_in_store
from exam_kit.archive.s3.wire import Keys, Patience, Wire, keys_of, wires_of

__all__ = [
    "OF_ONE_OBJECT",
    "Keys",
    "Patience",
    "ProbeReport",
    "SendResult",
    "StoreFault",
    "StoreTree",
    "Wire",
    "bags_there",
    "keep_report",
    "kept_report",
    "keys_of",
    "probe_store",
    "send_bag",
    "verify_in_store",
    "wires_of",
]
