"""Review bundles: what one holds, and that nothing of a changed one is ever shown."""

from __future__ import annotations

import hashlib
import json
import struct
import zipfile
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from exam_kit.clock import FakeClock, iso
from exam_kit.errors import AccessDenied
from exam_kit.home import Home
from exam_kit.journal.access_log import AccessAction, AccessDraft, AccessLog
from exam_kit.journal.categories import load_categories
from exam_kit.point import Point, load_point
from exam_kit.review.bundle import LEDGER, NAMES, make_bundle
from exam_kit.review.bundle_home import enter, is_bundle, settle
from exam_kit.review.bundle_read import BundleRefused, read_bundle
from exam_kit.review.lines import look
from exam_kit.review.proof import proved_here
from exam_kit.review.question import Question
from exam_kit.store import Account, Checkpoint, Ledger, Role, Sessions, Store, open_store
from exam_kit.store.export import export_to
from exam_kit.store.keys import SigningKey

WRITER = Account("anna", "Альфа Образцова", Role.SPECIALIST, "технический специалист", "ru")


@pytest.fixture
def bundle(home: Home, store: Store, ledger: Ledger, clock: FakeClock, point: Point, tmp_path: Path) -> Path:
    room = point.rooms[0].code
    draft = AccessDraft(room, AccessAction.OPERABILITY_CHECK, clock.now(), clock.now(), "осмотр")
    AccessLog(ledger, point, clock).add(draft, WRITER)
    with store.transaction() as connection:
        connection.execute(
            "INSERT INTO gap (camera, from_at, to_at, cause, detail) VALUES (?, ?, ?, 'disk_full', '')",
            (point.cameras[0].id, iso(clock.now()), iso(clock.now() + timedelta(minutes=3))),
        )
    ledger.checkpoint()
    path = tmp_path / "out" / "point.review"
    made = make_bundle(home, point, ledger, WRITER, path)
    assert made.path == path
    assert made.entries == ledger.head().seq
    return path


def unpacked(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def packed(path: Path, files: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def empty(folder: Path) -> Path:
    folder.mkdir()
    return folder


def test_it_is_read_on_another_machine(bundle: Path, ledger: Ledger, point: Point, tmp_path: Path) -> None:
    anchor = ledger.checkpoint()
    assert anchor is not None
    read = read_bundle(bundle, empty(tmp_path / "u"), ledger.public_key, [anchor.line()])
    assert read.outside
    home, once = settle(read, tmp_path / "there", bundle.name, "ru", 1)
    assert is_bundle(home)
    assert proved_here(home).whole
    store = open_store(home)
    there = Ledger(store.reading(), home)
    assert (there.head(), there.id) == (ledger.head(), ledger.id)
    assert isinstance(there.signed_head(), Checkpoint)
    found = look(there, load_point(home.point_file), load_categories(home), Question(text="осмотр"), "ru")
    assert [line.number for line in found.lines] == [1]
    assert [gap.camera for gap in found.lines[0].beside] == [point.cameras[0].id]
    session = Sessions(store).find(enter(home, store, once))
    assert session is not None
    assert session.account.role is Role.COMMISSION_HEAD
    for word in (once, "guessed", ""):
        with pytest.raises(AccessDenied):
            enter(home, store, word)
    store.close()


def test_nothing_secret_travels(bundle: Path, home: Home, point: Point) -> None:
    files = unpacked(bundle)
    whole = b"".join(files.values())
    assert sorted(files) == sorted((LEDGER, *NAMES))
    assert b"PRIVATE" not in whole
    for camera in point.cameras:
        assert camera.url.encode() not in whole
    for path in home.keys.iterdir():
        secret = path.read_bytes()
        assert path.name == "ledger.pub" or not secret or secret not in whole


def test_the_head_of_the_commission_makes_none(home: Home, ledger: Ledger, point: Point, tmp_path: Path) -> None:
    chair = Account("galina", "Гамма Образцова", Role.COMMISSION_HEAD, "", "ru")
    with pytest.raises(AccessDenied):
        make_bundle(home, point, ledger, chair, tmp_path / "x.review")
    assert not (tmp_path / "x.review").exists()


def changed(name: str, change: Callable[[bytes], bytes]) -> Callable[[dict[str, bytes]], dict[str, bytes]]:
    return lambda files: {one: change(content) if one == name else content for one, content in files.items()}


def lines(change: Callable[[list[bytes]], list[bytes]]) -> Callable[[bytes], bytes]:
    return lambda content: b"".join(change(content.splitlines(keepends=True)))


FORGERIES: dict[str, Callable[[dict[str, bytes]], dict[str, bytes]]] = {
    "a text in the ledger": changed(LEDGER, lambda text: text.replace("осмотр".encode(), "ремонт".encode())),
    "a line taken out": changed(LEDGER, lines(lambda all_of: all_of[:2] + all_of[3:])),
    "the end cut off": changed(LEDGER, lines(lambda all_of: all_of[:-2])),
    "no ledger in it": changed(LEDGER, lambda _text: b"{}\n"),
    "an endless line": changed(LEDGER, lambda _text: b"[" * 9_000_000),
    "another gap": changed("recordings.json", lambda text: text.replace(b"disk_full", b"no_video")),
    "another name of the point": changed("point.toml", lambda text: text + b"# more\n"),
    "another key": changed("ledger.pub", lambda _pem: b"-----BEGIN PUBLIC KEY-----\n"),
    "anchors left out": changed("anchors.txt", lambda _text: b""),
    "a file too many": lambda files: {**files, "more.txt": b""},
    "a way out of the folder": lambda files: {**files, "../../evil": b"x"},
    "an absolute way": lambda files: {
        **{k: v for k, v in files.items() if k != "files.json"},
        "/tmp/files.json": b"[]",
    },
    "a file missing": lambda files: {name: content for name, content in files.items() if name != "files.json"},
    "a bomb": changed("files.json", lambda _text: b"0" * 60_000_000),
}


@pytest.mark.parametrize("forgery", FORGERIES)
def test_a_changed_bundle_is_refused(bundle: Path, tmp_path: Path, forgery: str) -> None:
    forged = packed(tmp_path / "forged.review", FORGERIES[forgery](unpacked(bundle)))
    with pytest.raises(BundleRefused) as refusal:
        read_bundle(forged, empty(tmp_path / "u"))
    assert "forged.review" in refusal.value.text("en")
    assert not (tmp_path / "evil").exists()
    assert not list(tmp_path.glob("**/evil"))


def test_another_points_key_or_print_is_told(bundle: Path, ledger: Ledger, tmp_path: Path) -> None:
    other = SigningKey.load_or_create(tmp_path / "other").public
    with pytest.raises(BundleRefused):
        read_bundle(bundle, empty(tmp_path / "a"), other)
    assert ledger.checkpoint() is not None
    ledger.append("agent.started", {}, "agent")
    later = ledger.checkpoint()
    assert later is not None
    with pytest.raises(BundleRefused) as refusal:
        read_bundle(bundle, empty(tmp_path / "b"), ledger.public_key, [later.line()])
    assert "missing" in refusal.value.text("en")


def test_files_of_an_older_bundle_are_not_taken_for_the_newer(
    bundle: Path, home: Home, ledger: Ledger, store: Store, point: Point, tmp_path: Path
) -> None:
    with store.transaction() as connection:
        connection.execute("DELETE FROM gap")
    newer = tmp_path / "newer.review"
    make_bundle(home, point, ledger, WRITER, newer)
    mixed = {**unpacked(newer), "recordings.json": unpacked(bundle)["recordings.json"]}
    with pytest.raises(BundleRefused):
        read_bundle(packed(tmp_path / "mixed.review", mixed), empty(tmp_path / "u"))


def test_rubbish_is_refused_with_a_reason(bundle: Path, tmp_path: Path) -> None:
    whole = bundle.read_bytes()
    end = whole.rfind(b"PK\x05\x06")
    huge = whole[:end] + struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 60_000, 60_000, 1 << 30, 0, 0)
    cases = [b"", b"PK\x05\x06", b"x" * 1000, whole[:-40], whole[: len(whole) // 2], whole[:30] + whole[60:], huge]
    cases += [whole[:at] + bytes([whole[at] ^ 0xFF]) + whole[at + 1 :] for at in range(0, end, end // 20)]
    refused = 0
    for number, content in enumerate(cases):
        path = tmp_path / f"{number}.review"
        path.write_bytes(content)
        try:
            read_bundle(path, empty(tmp_path / f"u{number}"))
        except BundleRefused:
            refused += 1
        else:
            # What nobody reads, a time in the zip's own list, may differ; the files may not.
            assert unpacked(path) == unpacked(bundle)
    assert refused >= len(cases) - 8


def strange(bundle: Path, ledger: Ledger, path: Path, name: str, content: bytes) -> Path:
    """Whole and signed by whoever holds the ledger, and yet not what the kit writes."""
    files = {**unpacked(bundle), name: content}
    named = {one: hashlib.sha256(files[one]).hexdigest() for one in NAMES}
    ledger.append("review.bundled", {"files": named}, "agent")
    export_to(ledger, path.with_suffix(".txt"))
    return packed(path, {**files, LEDGER: path.with_suffix(".txt").read_bytes()})


def test_a_strangers_bundle_does_not_pass_under_the_points_key(bundle: Path, ledger: Ledger, tmp_path: Path) -> None:
    """People without --key compare the fingerprint it shows: it must be that of the key it was signed with."""
    points = SigningKey.load_or_create(tmp_path / "point").public
    made = strange(bundle, ledger, tmp_path / "strange.review", "ledger.pub", points.pem())
    with pytest.raises(BundleRefused) as refusal:
        read_bundle(made, empty(tmp_path / "u"))
    assert "another key" in refusal.value.text("en")


def test_a_bundle_of_a_stranger_that_no_kit_wrote_is_refused(bundle: Path, ledger: Ledger, tmp_path: Path) -> None:
    gaps = json.dumps({"gaps": [["only one"]]}).encode()
    made = strange(bundle, ledger, tmp_path / "strange.review", "recordings.json", gaps)
    read = read_bundle(made, empty(tmp_path / "u"))
    with pytest.raises(BundleRefused):
        settle(read, tmp_path / "there", "strange.review", "en", 0)
