"""The region's age identity: made once, given out, copied to a safe, and never thrown away nor shown."""

from __future__ import annotations

import logging
import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from pyrage import x25519

from exam_kit.cli import main as exam_kit
from exam_kit.errors import ArchiveError, StoreError, UsageError
from exam_kit.point import RegionCentre, Secrets
from exam_kit.region.desk import RegionDesk
from exam_kit.region.identity import copy_identities, identities, own_recipient, recipient_file, take_identities
from tests.region_site import make_region


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[RegionDesk]:
    made = make_region(tmp_path / "region")
    yield made
    made.close()


def test_it_is_made_once_and_its_recipient_is_what_point_toml_takes(desk: RegionDesk) -> None:
    recipient = own_recipient(desk, "denis")
    assert own_recipient(desk, "denis") == recipient
    assert recipient_file(desk.home).read_text() == f"{recipient}\n"
    assert RegionCentre(age=recipient).age == recipient
    [entry] = desk.ledger.entries(["region.age_identity"])
    assert entry.body == {"recipient": recipient, "how": "made", "kept": 1}
    recipient_file(desk.home).write_text("another\n")
    own_recipient(desk, "denis")
    assert recipient_file(desk.home).read_text() == f"{recipient}\n", "what is given out is what opens"


def test_the_secret_lies_in_one_private_file_and_nowhere_else(
    desk: RegionDesk, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    with caplog.at_level(logging.DEBUG):
        own_recipient(desk, "denis")
    [identity] = identities(desk.home)
    secret = str(identity).encode()
    holding = [path for path in desk.home.root.rglob("*") if path.is_file() and secret in path.read_bytes()]
    assert holding == [desk.home.secrets]
    if os.name == "posix":
        assert stat.S_IMODE(desk.home.secrets.stat().st_mode) == 0o600
    told = caplog.text + "".join(capsys.readouterr()) + repr(identity)
    assert "AGE-SECRET-KEY" not in told


def test_a_lost_secret_is_said_and_no_other_is_made_in_its_place(desk: RegionDesk, tmp_path: Path) -> None:
    recipient = own_recipient(desk, "denis")
    assert copy_identities(desk, tmp_path / "safe.key") == 1
    if os.name == "posix":
        assert stat.S_IMODE((tmp_path / "safe.key").stat().st_mode) == 0o600
    with pytest.raises(UsageError, match="is there already"):
        copy_identities(desk, tmp_path / "safe.key")
    desk.home.secrets.unlink()
    with pytest.raises(UsageError, match="was given out, and its secret key is not kept here"):
        own_recipient(desk, "denis")
    with pytest.raises(UsageError, match="no age identity here"):
        copy_identities(desk, tmp_path / "second.key")
    assert take_identities(desk, tmp_path / "safe.key", "denis") == recipient == own_recipient(desk, "denis")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
def test_half_a_copy_is_no_copy(desk: RegionDesk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own_recipient(desk, "denis")
    real = os.open

    def full(path: object, flags: int, mode: int = 0o777) -> int:
        os.close(real(str(path), flags, mode))
        return real("/dev/full", os.O_WRONLY)

    with monkeypatch.context() as patch:
        patch.setattr(os, "open", full)
        with pytest.raises(OSError, match="No space"):
            copy_identities(desk, tmp_path / "safe.key")
    assert not (tmp_path / "safe.key").exists()


def test_one_that_age_keygen_made_is_given_out_and_the_older_still_opens(desk: RegionDesk, tmp_path: Path) -> None:
    first = own_recipient(desk, "denis")
    made = x25519.Identity.generate()
    file = tmp_path / "key.txt"
    file.write_text(f"# created: 2026-05-01T10:00:00+03:00\n# public key: {made.to_public()}\n{made}\n")
    for _again in range(2):
        assert take_identities(desk, file, "denis") == str(made.to_public())
    assert [str(one.to_public()) for one in identities(desk.home)] == [str(made.to_public()), first]
    assert recipient_file(desk.home).read_text() == f"{made.to_public()}\n"
    assert [entry.body["how"] for entry in desk.ledger.entries(["region.age_identity"])] == ["made", "taken"]
    copy_identities(desk, tmp_path / "both.key")
    file.write_text("nothing\n")
    with pytest.raises(ArchiveError, match="holds no age identity"):
        take_identities(desk, file, "denis")


def test_what_is_kept_and_is_no_key_is_said_without_quoting_it(desk: RegionDesk) -> None:
    Secrets(desk.home).set("region:age", "AGE-SECRET-KEY-1NONSENSE")
    with pytest.raises(StoreError, match="is none") as told:
        identities(desk.home)
    assert "NONSENSE" not in str(told.value)


def test_on_the_command_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("EXAM_KIT_HOME", str(tmp_path / "region"))
    words = ["init", "--region", "77", "--name", "Москва", "--timezone", "Europe/Moscow"]
    assert exam_kit(["--language", "en", "region", *words]) == 0
    recipient = (tmp_path / "region" / "region-age.pub").read_text().strip()
    assert "region-age.pub" in capsys.readouterr().out
    assert exam_kit(["--language", "en", "region", "identity"]) == 0
    assert capsys.readouterr().out.startswith(f"{recipient}\n")
    assert exam_kit(["--language", "en", "region", "identity", "--copy-to", str(tmp_path / "safe.key")]) == 0
    said = capsys.readouterr()
    assert "AGE-SECRET-KEY" not in said.out + said.err
    assert "AGE-SECRET-KEY-1" in (tmp_path / "safe.key").read_text()
    assert exam_kit(["--language", "en", "region", "identity", "--from", str(tmp_path / "safe.key")]) == 0
    assert capsys.readouterr().out.startswith(f"{recipient}\n")
