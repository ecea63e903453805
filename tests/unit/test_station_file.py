"""The file of a station's result: signed without packages, and without a byte of freedom."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import random

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from exam_kit.checks import load_profile
from exam_kit.checks.station_ed25519 import public_key, sign
from exam_kit.checks.station_file import plain, seal, split
from exam_kit.checks.station_site import args_from, args_told
from exam_kit.home import Home

# RFC 8032, section 7.1: secret key, public key, message, signature.
VECTORS = [
    (
        "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155"
        "5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
    ),
    (
        "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
        "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
    ),
    (
        "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac"
        "18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
    ),
]


@pytest.mark.parametrize(("seed", "public", "message", "signature"), VECTORS)
def test_signing_agrees_with_the_rfc(seed: str, public: str, message: str, signature: str) -> None:
    assert public_key(bytes.fromhex(seed)).hex() == public
    assert sign(bytes.fromhex(seed), bytes.fromhex(message)).hex() == signature


def test_signing_agrees_with_openssl() -> None:
    chance = random.Random(8032)
    for length in (0, 1, 64, 5000):
        seed, message = chance.randbytes(32), chance.randbytes(length)
        other = Ed25519PrivateKey.from_private_bytes(seed)
        assert public_key(seed) == other.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        assert sign(seed, message) == other.sign(message)


def test_a_key_of_another_length_is_refused() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        sign(b"short", b"")


def test_a_sealed_file_is_taken_apart_as_it_was_made() -> None:
    record = {"b": [1, 2.5, None, True], "а": "текст\nв две строки", "c": {"x": "€"}}
    data = seal("Голова\nвторая строка\n\n", record, lambda message: hashlib.sha512(message).digest())
    sealed = split(data)
    assert sealed is not None
    assert sealed.whole
    assert sealed.record() == record
    assert sealed.signature == hashlib.sha512(sealed.message).digest()
    assert data.decode().startswith("EXAM-KIT STATION RESULT v1\nГолова\nвторая строка\n")


def test_no_byte_is_free() -> None:
    data = seal("Head", {"a": "я", "n": 1}, lambda message: hashlib.sha512(message).digest())
    for place in range(len(data)):
        for bit in range(8):
            changed = bytearray(data)
            changed[place] ^= 1 << bit
            sealed = split(bytes(changed))
            # Either the digest tells, or (a changed digit of the signature) the signature is another one.
            assert sealed is None or not sealed.whole or sealed.signature != split(data).signature  # type: ignore[union-attr]


@pytest.mark.parametrize("data", [b"", b"\n", b"EXAM", b"some text\n", b"\x00" * 1000, b"{}\nsha256 x\ned25519 y\n"])
def test_what_is_no_result_is_none(data: bytes) -> None:
    sealed = split(data)
    assert sealed is None or not sealed.whole


def test_facts_are_made_fit_for_canonical_json() -> None:
    odd = {1: float("nan"), "big": 2**60, "bad": "\udc80", "long": "x" * 9000, "set": {3}, "many": list(range(999))}
    made = plain(odd)
    assert made["1"] == "nan"
    assert made["big"] == str(2**60)
    assert len(made["long"]) == 4000
    assert len(made["many"]) == 200
    seal("", {"odd": made}, lambda _message: bytes(64))


@pytest.mark.parametrize("name", ["demo", "ege", "kege", "oge"])
def test_every_shipped_check_reaches_the_station_as_it_is_written(name: str, home: Home) -> None:
    profile = load_profile(name, home)
    assert profile.stations is not None
    for check in profile.checks:
        assert args_from(json.loads(json.dumps(args_told(check.args)))) == dict(check.args)


def test_args_keep_their_kinds() -> None:
    args = {
        "day": dt.date(2026, 1, 2),
        "at": [dt.time(10, 30)],
        "table": {"when": dt.datetime(2026, 1, 2, 3, tzinfo=dt.UTC)},
    }
    assert args_from(json.loads(json.dumps(args_told(args)))) == args
