"""The receipt a region gives for a bag it has taken: a short signed JSON file that the point takes in again.

::

    {"receipt": {"title": "exam-kit receipt v1", "region": "77", "point": "0001", …, "key": "<fingerprint>"},
     "signature": "<base64>"}

Signed (Ed25519, the region's key) is the RFC 8785 canonical JSON of what stands under `receipt`. A receipt names its
bag by `bag_hash`, the SHA-256 of the bag's tag manifest, so it cannot be laid beside another bag.
"""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import json
from dataclasses import dataclass, fields
from typing import Any

import rfc8785

from exam_kit.clock import from_iso, iso
from exam_kit.errors import ArchiveError, Message, m
from exam_kit.i18n import N_
from exam_kit.store.keys import SigningKey, VerifyKey

__all__ = ["OUTCOME_LABELS", "SUFFIX", "Receipt", "read_receipt", "receipt_name", "write_receipt"]

TITLE = "exam-kit receipt v1"
SUFFIX = ".receipt.json"
MOST_BYTES = 1 << 16

OUTCOME_LABELS = {
    "taken": N_("taken: verified in full"),
    "same_content": N_("taken: a further copy of recordings that the region has"),
    "supplement": N_("taken: a supplement to a bag that the region has"),
}


@dataclass(frozen=True)
class Receipt:
    """What the region says it has. `outcome` is a key of `OUTCOME_LABELS`; `day` is the exam day at the point.

    Camera-minutes: `bag_min` is what this bag holds; `delivered_min` what the region has of the point's day after it,
    of `expected_min`. `supplement_to` is the hash of the bag that this one completes, else empty.
    """

    region: str
    point: str
    day: dt.date
    bag: str
    bag_hash: str
    copy: int
    received_at: dt.datetime
    outcome: str
    files: int
    bytes: int
    bag_min: float
    delivered_min: float
    expected_min: float
    supplement_to: str = ""

    def as_dict(self) -> dict[str, Any]:
        return {**vars(self), "day": self.day.isoformat(), "received_at": iso(self.received_at)}


def receipt_name(receipt: Receipt) -> str:
    """The file's name: the bag's, so that both lie side by side."""
    return receipt.bag + SUFFIX


def write_receipt(key: SigningKey, receipt: Receipt) -> bytes:
    """The signed file. `key` is the region's."""
    body = {"title": TITLE, **receipt.as_dict(), "key": key.public.fingerprint}
    signature = base64.b64encode(key.sign(rfc8785.dumps(body))).decode()
    text = json.dumps({"receipt": body, "signature": signature}, ensure_ascii=False, indent=1, sort_keys=True)
    return (text + "\n").encode()


def read_receipt(data: bytes, region_public_key: VerifyKey) -> Receipt:
    """The receipt in `data`, its signature proved.

    Raises:
        ArchiveError: it is no receipt, another key made it, or it was changed.
    """
    body, signature = _opened(data)
    if body.get("title") != TITLE:
        raise _refused(m("its title is not '{title}'", title=TITLE))
    if body.get("key") != region_public_key.fingerprint:
        raise ArchiveError(
            m(
                "The receipt was made with the key {found}, and the region's key here is {known}. Ask the region which "
                "key is its own; take neither from this file.",
                found=body.get("key") or "—",
                known=region_public_key.fingerprint,
            )
        )
    if not region_public_key.holds(_canonical(body), signature):
        raise ArchiveError(
            m("The receipt was changed: the signature does not fit what it says. Ask the region for it anew.")
        )
    return _receipt(body)


def _opened(data: bytes) -> tuple[dict[str, Any], bytes]:
    if len(data) > MOST_BYTES:
        raise _refused(m("it is far too large"))
    try:
        document = json.loads(data.decode("utf-8-sig"))  # the ledger keeps it as text: no other encoding
        body, signature = document["receipt"], base64.b64decode(document["signature"], validate=True)
    except (ValueError, KeyError, TypeError, RecursionError, binascii.Error) as problem:
        raise _refused(m("it does not have the two parts 'receipt' and 'signature'")) from problem
    if not isinstance(body, dict):
        raise _refused(m("it does not have the two parts 'receipt' and 'signature'"))
    return body, signature


def _canonical(body: dict[str, Any]) -> bytes:
    try:
        return rfc8785.dumps(body)
    except (rfc8785.CanonicalizationError, UnicodeEncodeError, RecursionError) as problem:
        raise _refused(m("it holds what no receipt says")) from problem


def _receipt(body: dict[str, Any]) -> Receipt:
    """Signed by the region, and still looked at: another release may have written other fields."""
    wanted = {field.name for field in fields(Receipt)}
    if set(body) != wanted | {"title", "key"}:
        raise _refused(m("it is of another release of Exam Kit; bring this one up to date"))
    values = {name: body[name] for name in wanted}
    try:
        values |= {"day": dt.date.fromisoformat(body["day"]), "received_at": from_iso(body["received_at"])}
        for name in ("copy", "files", "bytes"):
            values[name] = int(body[name])
        for name in ("bag_min", "delivered_min", "expected_min"):
            values[name] = float(body[name])
    except (ValueError, TypeError) as problem:
        raise _refused(m("it holds what no receipt says")) from problem
    return Receipt(**values)


def _refused(reason: Message) -> ArchiveError:
    return ArchiveError(
        m("This is no receipt of a region: {reason}. Give the file that the region wrote, unchanged.", reason=reason)
    )
