"""The signing key's files after a power cut."""

from __future__ import annotations

from pathlib import Path

import pytest

from exam_kit.store.keys import SigningKey, VerifyKey


@pytest.mark.parametrize(
    "harm", [lambda path: path.unlink(), lambda path: path.write_bytes(b"")], ids=["gone", "empty"]
)
def test_a_public_half_that_the_power_took_is_written_again(tmp_path: Path, harm: object) -> None:
    first = SigningKey.load_or_create(tmp_path).public.fingerprint
    assert callable(harm)
    harm(tmp_path / "ledger.pub")
    assert SigningKey.load_or_create(tmp_path).public.fingerprint == first
    assert VerifyKey.load(tmp_path / "ledger.pub").fingerprint == first
    assert sorted(path.name for path in tmp_path.iterdir()) == ["ledger.key", "ledger.pub"]


def test_another_public_half_is_left_for_the_doctor_to_find(tmp_path: Path) -> None:
    SigningKey.load_or_create(tmp_path / "ours")
    foreign = SigningKey.load_or_create(tmp_path / "theirs").public
    (tmp_path / "ours" / "ledger.pub").write_bytes(foreign.pem())
    SigningKey.load_or_create(tmp_path / "ours")
    assert VerifyKey.load(tmp_path / "ours" / "ledger.pub").fingerprint == foreign.fingerprint
