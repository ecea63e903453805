"""A region's receipt: written, read, and refused when it is not what the region wrote."""

from __future__ import annotations

import base64
import datetime as dt
import json
from pathlib import Path

import pytest
import rfc8785

from exam_kit.archive.receipt import Receipt, read_receipt, receipt_name, write_receipt
from exam_kit.errors import ArchiveError
from exam_kit.store.keys import SigningKey

RECEIPT = Receipt(
    region="77",
    point="0001",
    day=dt.date(2026, 5, 28),
    bag="77_0001_20260528_COR-ENTR_copy1",
    bag_hash="ab" * 32,
    copy=1,
    received_at=dt.datetime(2026, 5, 29, 9, 30, tzinfo=dt.UTC),
    outcome="taken",
    files=12,
    bytes=3_400_000,
    bag_min=240.0,
    delivered_min=240.0,
    expected_min=300.5,
)


@pytest.fixture
def key(tmp_path: Path) -> SigningKey:
    return SigningKey.load_or_create(tmp_path / "region")


def test_what_was_written_is_read(key: SigningKey) -> None:
    assert read_receipt(write_receipt(key, RECEIPT), key.public) == RECEIPT


def test_the_file_lies_beside_its_bag() -> None:
    assert receipt_name(RECEIPT) == "77_0001_20260528_COR-ENTR_copy1.receipt.json"


@pytest.mark.parametrize(
    ("name", "value"),
    [("bag_hash", "cd" * 32), ("point", "0002"), ("delivered_min", 300.5), ("outcome", "supplement"), ("copy", 2)],
)
def test_a_changed_receipt_is_refused(key: SigningKey, name: str, value: object) -> None:
    document = json.loads(write_receipt(key, RECEIPT))
    document["receipt"][name] = value
    with pytest.raises(ArchiveError, match="was changed"):
        read_receipt(json.dumps(document).encode(), key.public)


def test_another_key_is_named(key: SigningKey, tmp_path: Path) -> None:
    other = SigningKey.load_or_create(tmp_path / "other")
    with pytest.raises(ArchiveError, match=f"{other.public.fingerprint}.*{key.public.fingerprint}"):
        read_receipt(write_receipt(other, RECEIPT), key.public)


def test_the_name_of_the_key_alone_does_not_help(key: SigningKey, tmp_path: Path) -> None:
    document = json.loads(write_receipt(SigningKey.load_or_create(tmp_path / "other"), RECEIPT))
    document["receipt"]["key"] = key.public.fingerprint
    with pytest.raises(ArchiveError, match="was changed"):
        read_receipt(json.dumps(document).encode(), key.public)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff\xfe",
        b"[]",
        b"[" * 5000,
        b"null",
        b'{"receipt": {}}',
        b'{"receipt": [], "signature": "AA=="}',
        b'{"receipt": {}, "signature": "not base64!"}',
        b'{"receipt": {}, "signature": 7}',
        b'{"receipt": {"title": "exam-kit checkpoint v1"}, "signature": "AA=="}',
        b" " * (1 << 17),
    ],
)
def test_other_files_are_no_receipts(key: SigningKey, data: bytes) -> None:
    with pytest.raises(ArchiveError, match="no receipt of a region"):
        read_receipt(data, key.public)


@pytest.mark.parametrize("change", [{"minutes": 5}, {"received_at": "yesterday"}, {"copy": None}, {"bytes": 2**60}])
def test_what_the_region_signed_is_looked_at_too(key: SigningKey, change: dict[str, object]) -> None:
    body = json.loads(write_receipt(key, RECEIPT))["receipt"] | change
    try:
        signature = key.sign(rfc8785.dumps(body))
    except rfc8785.CanonicalizationError:
        signature = bytes(64)
    document = {"receipt": body, "signature": base64.b64encode(signature).decode()}
    with pytest.raises(ArchiveError, match="no receipt of a region"):
        read_receipt(json.dumps(document).encode(), key.public)


@pytest.mark.parametrize(("encoding", "taken"), [("utf-8-sig", True), ("utf-16", False), ("utf-32", False)])
def test_a_receipt_that_an_editor_saved_in_another_encoding(key: SigningKey, encoding: str, taken: bool) -> None:
    """The ledger keeps the file as text: what it could not keep is refused in words, not by a traceback."""
    data = write_receipt(key, RECEIPT).decode().encode(encoding)
    if taken:
        assert read_receipt(data, key.public) == RECEIPT
        return
    with pytest.raises(ArchiveError, match="no receipt of a region"):
        read_receipt(data, key.public)
