"""Footage from other recorders: looked at, its clock confirmed, taken unchanged, once, with its origin."""

from __future__ import annotations

import functools
import hashlib
import io
import os
import re
import shutil
import struct
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import av
import pytest

from exam_kit.agent import orders
from exam_kit.agent.duties import Duties
from exam_kit.agent.import_footage import body_of
from exam_kit.archive import verify_bag
from exam_kit.cctv.coverage import coverage
from exam_kit.cctv.imports import (
    Chosen,
    Found,
    ImportAsked,
    ImportCancelled,
    Taken,
    choose,
    kept_offset_s,
    picture_at,
    plan_import,
    take_import,
    time_in_name,
)
from exam_kit.cctv.segments import gaps, segments
from exam_kit.cctv.span import export_span
from exam_kit.cctv.span_asked import SpanAsked
from exam_kit.clock import FakeClock, iso
from exam_kit.errors import UsageError
from exam_kit.home import Home
from exam_kit.point import Point, Secrets
from exam_kit.store import Account, Accounts, Ledger, Role, Store
from tests.archive_day import archive

TEN = datetime(2026, 5, 28, 7, 0, tzinfo=UTC)
"""10:00 in Moscow"""
CODECS = {
    "mp4": ["-c:v", "libx264"],
    "mov": ["-c:v", "libx264"],
    "mkv": ["-c:v", "libx264"],
    "avi": ["-c:v", "mpeg4"],
    "wmv": ["-c:v", "wmv2"],
    "ts": ["-c:v", "libx264", "-f", "mpegts"],
    "mts": ["-c:v", "libx264", "-f", "mpegts", "-mpegts_m2ts_mode", "1"],
}


@functools.cache
def film(kind: str, seconds: int = 4, created: str = "", picture: str = "testsrc") -> bytes:
    """A small film as ffmpeg makes it."""
    command = ["ffmpeg", "-v", "error", "-y", "-f", "lavfi", "-i", f"{picture}=size=160x120:rate=5:duration={seconds}"]
    if created:
        command += ["-metadata", f"creation_time={created}"]
    path = Path(os.environ.get("TMPDIR", "/tmp"), f"exam-kit-film-{os.getpid()}.{kind}")
    subprocess.run([*command, "-g", "5", "-pix_fmt", "yuv420p", *CODECS[kind], str(path)], check=True, timeout=60)
    try:
        return path.read_bytes()
    finally:
        path.unlink()


def dhav() -> bytes:
    """Dahua's container around H.264, as FFmpeg's reader of it knows it: head, extension, frame, tail."""
    made = bytearray()
    with av.open(io.BytesIO(film("ts")), "r") as container:
        for number, packet in enumerate(one for one in container.demux(video=0) if one.size):
            seconds, millis = divmod(number * 200, 1000)
            date = (26 << 26) | (5 << 22) | (28 << 17) | (10 << 12) | (0 << 6) | seconds
            extension = bytes([0x82, 0, 0, 0]) + struct.pack("<HH", 160, 120) + bytes([0x81, 0, 8, 5])
            length = 24 + len(extension) + packet.size + 8
            head = b"DHAV" + bytes([0xFD if packet.is_keyframe else 0xFC, 0, 0, 0])
            head += struct.pack("<IIIHBB", number, length, date, seconds * 1000 + millis, len(extension), 0)
            made += head + extension + bytes(packet) + b"dhav" + struct.pack("<I", length)
    return bytes(made)


@pytest.fixture
def card(tmp_path: Path) -> Path:
    made = tmp_path / "card"
    made.mkdir()
    return made


def put(card: Path, name: str, content: bytes) -> Path:
    path = card / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


Plan = Callable[..., list[Found]]
Take = Callable[..., Taken]


@pytest.fixture
def plan(store: Store, point: Point, card: Path) -> Plan:
    return lambda **more: plan_import(store, point, card, more.pop("camera", "HQ-1"), **more)


@pytest.fixture
def take(ledger: Ledger, home: Home, point: Point, card: Path) -> Take:
    def run(files: tuple[Chosen, ...], offset_s: float = 0.0, camera: str = "HQ-1", **more: Any) -> Taken:
        asked = ImportAsked(card, camera, files, offset_s, more.pop("by", "anna"), "10:00:05 in the picture", "anna", 3)
        more.setdefault("keep_free_bytes", 0)
        return take_import(ledger, home, point, asked, **more)

    return run


@pytest.mark.parametrize(
    ("name", "start", "end"),
    [
        ("20260528_100000.mp4", "10:00:00", None),
        ("ch01_20260528100000.avi", "10:00:00", None),
        ("NVR_ch1_main_20260528100000_20260528101500.mp4", "10:00:00", "10:15:00"),
        ("2026-05-28_10-00-00.mkv", "10:00:00", None),
        ("2026-05-28 10.00.00.mov", "10:00:00", None),
        ("video_20260528T100000123.ts", "10:00:00", None),
        ("2026-05-28/001/dav/10/10.00.00-10.15.00[M][0@0][0].dav", "10:00:00", "10:15:00"),
        ("20260528/100000.mp4", "10:00:00", None),
        ("2026-05-28/10.00.00-10.15.00.mp4", "10:00:00", "10:15:00"),
        ("00M00S_1779951600.mp4", "10:00:00", None),
        ("77_0001_20260528_7777_HQ-1_100000-101500.avi", "10:00:00", "10:15:00"),
        ("20260528_235900_20260529_001400.mp4", "23:59:00", "24:14:00"),
        ("2026-05-28/23.59.00-00.14.00[R].dav", "23:59:00", "24:14:00"),
    ],
)
def test_names_of_common_recorders_tell_the_time(name: str, start: str, end: str | None) -> None:
    told = time_in_name(name, "Europe/Moscow")
    assert told is not None

    def at(text: str) -> datetime:
        hours, minutes, seconds = map(int, text.split(":"))
        return TEN + timedelta(hours=hours - 10, minutes=minutes, seconds=seconds)

    assert told.start == at(start)
    assert told.end == (at(end) if end else None)


@pytest.mark.parametrize(
    "name", ["MAH00123.MP4", "20261328_100000.mp4", "20260528_256161.mp4", "video.mp4", "10.00.00.dav", "GOPR0001.mp4"]
)
def test_a_name_that_tells_no_time_is_not_guessed_at(name: str) -> None:
    assert time_in_name(name, "Europe/Moscow") is None


def test_a_second_stamp_that_cannot_be_the_end_is_not_the_end() -> None:
    told = time_in_name("20260528_100000_exported_20260701_120000.mp4", "Europe/Moscow")
    assert told is not None
    assert told.end is None


@pytest.mark.parametrize("kind", sorted(CODECS))
def test_every_container_is_read_taken_unchanged_and_covers_its_time(
    kind: str, card: Path, plan: Plan, take: Take, home: Home, store: Store, ledger: Ledger, point: Point,
    clock: FakeClock,
) -> None:  # fmt: skip
    source = put(card, f"ch01_20260528100000.{kind.upper()}", film(kind))
    before = (source.stat().st_mtime_ns, source.read_bytes())
    (found,) = plan()
    assert (found.fault, found.time_from, found.width, found.height) == ("", "name", 160, 120)
    assert found.start == TEN
    assert found.duration_s == pytest.approx(4, abs=0.5)
    assert found.frames in range(18, 23)
    assert found.plays == (kind in ("mp4", "mov"))
    result = take(choose([found]), offset_s=-7.0)
    assert result.faults == {}
    (segment,) = segments(store, "HQ-1")
    assert segment.path.startswith("2026-05-28/HQ-1/77_0001_20260528_7777_HQ-1_095953-")
    assert segment.path.endswith(f".{kind}")
    assert segment.file(home).read_bytes() == before[1]
    assert (source.stat().st_mtime_ns, source.read_bytes()) == before
    assert segment.reason == "imported"
    assert segment.sha256 == hashlib.sha256(before[1]).hexdigest()
    confirmed, entry = ledger.entries(("import.confirmed", "segment.imported"))
    assert confirmed.kind == "import.confirmed"  # before the file
    assert (confirmed.body["offset_s"], confirmed.body["offset_by"]) == (-7.0, "anna")
    assert confirmed.body["files"] == [{"path": source.name, "sha256": segment.sha256}]
    assert entry.body["origin"] == {"folder": str(card), "file": source.name, "time_from": "name"}
    assert (entry.body["from"], entry.body["sha256"], entry.body["offset_s"]) == (
        iso(TEN - timedelta(seconds=7)), segment.sha256, -7.0,
    )  # fmt: skip
    assert entry.seq == segment.seq
    covered = coverage(store, point, "HQ-1", TEN - timedelta(seconds=7), TEN - timedelta(seconds=4), TEN)
    assert [span.kind for span in covered.spans] == ["recorded"]


def test_dahuas_container_is_read_where_ffmpeg_can(card: Path, plan: Plan, take: Take) -> None:
    put(card, "2026-05-28/001/dav/10/10.00.00-10.00.04[M][0@0][0].dav", dhav())
    (found,) = plan()
    assert (found.fault, found.container, found.codec) == ("", "dhav", "h264")
    assert (found.start, found.width, found.name_differs) == (TEN, 160, False)
    assert found.frames in range(15, 25)
    (path,) = take(choose([found])).taken.values()
    # FFmpeg tells the length by the whole seconds of the first and the last frame.
    assert re.fullmatch(r"2026-05-28/HQ-1/77_0001_20260528_7777_HQ-1_100000-10000[34]\.dav", path)


def test_a_picture_of_the_file_is_shown_at_the_second_asked_for(card: Path) -> None:
    path = put(card, "20260528_100000.mp4", film("mp4"))
    jpeg, at = picture_at(path, 2.0)
    assert jpeg.startswith(b"\xff\xd8")
    assert at == pytest.approx(2.0, abs=0.25)


def test_time_comes_from_the_container_and_at_last_from_the_files_date_which_is_weak(card: Path, plan: Plan) -> None:
    put(card, "MAH1.mp4", film("mp4", created="2026-05-28T07:00:00Z"))
    old = put(card, "MAH2.avi", film("avi"))
    os.utime(old, (TEN.timestamp() + 4, TEN.timestamp() + 4))
    by_name = {one.path: one for one in plan()}
    assert (by_name["MAH1.mp4"].time_from, by_name["MAH1.mp4"].start, by_name["MAH1.mp4"].weak) == (
        "container", TEN, False,
    )  # fmt: skip
    assert (by_name["MAH2.avi"].time_from, by_name["MAH2.avi"].weak) == ("modified", True)
    assert abs((by_name["MAH2.avi"].start - TEN).total_seconds()) < 0.5


def test_another_zone_and_a_name_longer_than_the_video_are_seen(card: Path, plan: Plan) -> None:
    put(card, "NVR_20260528100000_20260528101500.mp4", film("mp4"))
    (found,) = plan(zone="Asia/Yekaterinburg")
    assert found.start == TEN - timedelta(hours=2)
    assert found.name_differs


def test_damaged_empty_and_strange_files_are_named_and_the_rest_goes_on(
    card: Path, plan: Plan, take: Take, home: Home
) -> None:
    put(card, "20260528_100000.mp4", film("mp4"))
    put(card, "20260528_100100.mp4", film("mp4")[:300])
    put(card, "20260528_100200.avi", b"")
    put(card, "20260528_100300.dav", os.urandom(5000))
    put(card, "notes.txt", b"not a film")
    put(card, "._20260528_100000.mp4", b"left by another system")
    faults = {one.path: one.fault for one in plan()}
    assert faults == {
        "20260528_100000.mp4": "",
        "20260528_100100.mp4": "unreadable",
        "20260528_100200.avi": "unreadable",
        "20260528_100300.dav": "dav",
    }
    assert list(take(choose(plan())).taken) == ["20260528_100000.mp4"]


def test_a_look_that_hangs_ends_at_its_time(card: Path, plan: Plan) -> None:
    put(card, "20260528_100000.mp4", film("mp4"))
    (found,) = plan(timeout_s=0.01)
    assert found.fault == "timeout"


def test_a_file_that_kills_its_reader_kills_nothing_else(
    card: Path, plan: Plan, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(card, "20260528_100000.mp4", film("mp4"))
    monkeypatch.setattr("exam_kit.cctv.imports.look.sys.executable", shutil.which("false"))
    (found,) = plan()
    assert found.fault == "crashed"


def test_what_is_there_is_seen_and_not_taken_twice(
    card: Path, plan: Plan, take: Take, store: Store, ledger: Ledger, home: Home
) -> None:
    put(card, "a/20260528_100000.mp4", film("mp4"))
    put(card, "b/20260528_100000.mp4", film("mp4"))
    first, second = plan()
    assert (first.same_as, second.same_as) == ("", "a/20260528_100000.mp4")
    files = choose([first])
    take(files)
    again = take(files)
    assert (again.taken, len(again.already)) == ({}, 1)
    assert len(segments(store)) == 1
    assert [one.same_as for one in plan()] == [segments(store)[0].path] * 2
    assert plan()[0].overlap_s == pytest.approx(4, abs=0.5)
    assert take(files, camera="R1-1").faults == {"a/20260528_100000.mp4": "known_elsewhere"}


def test_an_import_that_was_cut_off_goes_on(
    card: Path, plan: Plan, take: Take, store: Store, home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(card, "20260528_100000.mp4", film("mp4"))
    put(card, "20260528_100100.mp4", film("mp4", picture="testsrc2"))
    files = choose(plan())

    def power_cut(self: Path, target: Path) -> Path:
        raise KeyboardInterrupt

    with monkeypatch.context() as cut:  # after the first row, before its file has its name
        cut.setattr(Path, "rename", power_cut)
        with pytest.raises(KeyboardInterrupt):
            take(files)
    assert len(segments(store)) == 1
    assert not segments(store)[0].file(home).exists()
    result = take(files)
    assert (len(result.already), len(result.taken), result.faults) == (1, 1, {})
    for segment, name in zip(segments(store), ("20260528_100000.mp4", "20260528_100100.mp4"), strict=True):
        assert segment.file(home).read_bytes() == (card / name).read_bytes()
    assert list(home.footage.rglob("*.part")) == []


def test_progress_grows_within_a_file_and_ends_at_all_of_it(
    card: Path, plan: Plan, take: Take, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("exam_kit.cctv.imports.take.TOLD_EVERY_BYTES", 1)
    monkeypatch.setattr("exam_kit.cctv.imports.take.BLOCK_BYTES", 1000)
    put(card, "20260528_100000.mp4", film("mp4"))
    told: list[tuple[int, int]] = []
    take(choose(plan()), progress=lambda done, total, _path: told.append((done, total)))
    done = [one for one, _total in told]
    length = len(film("mp4"))
    assert done == sorted(done)
    assert len(set(done)) > 2 * length // 1000
    assert told[-1] == (2 * length, 2 * length)


def test_cancelled_in_the_middle_leaves_whole_files_only(card: Path, plan: Plan, take: Take, home: Home) -> None:
    put(card, "20260528_100000.mp4", film("mp4"))
    put(card, "20260528_100100.mp4", film("mp4", picture="testsrc2"))
    with pytest.raises(ImportCancelled):
        take(choose(plan()), cancelled=lambda: any(home.footage.rglob("*.mp4")))
    names = [path.name for path in home.footage.rglob("*") if path.is_file()]
    assert names == ["77_0001_20260528_7777_HQ-1_100000-100004.mp4"]


def test_a_full_disk_a_pulled_card_and_a_changed_file_are_one_message_each(
    card: Path, plan: Plan, take: Take, store: Store, home: Home
) -> None:
    for minute, picture in enumerate(("testsrc", "testsrc2", "rgbtestsrc", "yuvtestsrc")):
        put(card, f"20260528_10{minute:02}00.mp4", film("mp4", picture=picture))
    files = choose(plan())
    (card / files[0].path).unlink()
    (card / files[1].path).write_bytes(b"other")
    big = files[2].bytes
    room = iter([big - 1, 10 * big])
    result = take(files, free_bytes=lambda _folder: next(room))
    assert result.faults == {files[0].path: "gone", files[1].path: "changed", files[2].path: "no_room"}
    assert list(result.taken) == [files[3].path]
    assert len(segments(store)) == 1
    shutil.rmtree(card)
    assert set(take(files).faults.values()) == {"gone"}


def test_nobody_having_confirmed_the_clock_nothing_is_taken(card: Path, plan: Plan, take: Take, store: Store) -> None:
    put(card, "20260528_100000.mp4", film("mp4"))
    with pytest.raises(UsageError, match="confirmed"):
        take(choose(plan()), by=" ")
    assert segments(store) == []


def test_the_offset_is_kept_for_the_source(card: Path, plan: Plan, take: Take, ledger: Ledger, tmp_path: Path) -> None:
    put(card, "20260528_100000.mp4", film("mp4"))
    assert kept_offset_s(ledger, "HQ-1", card) is None
    take(choose(plan()), offset_s=12.5)
    assert kept_offset_s(ledger, "HQ-1", card) == 12.5
    assert kept_offset_s(ledger, "R1-1", card) is None
    assert kept_offset_s(ledger, "HQ-1", tmp_path) is None


def test_a_gap_stays_in_the_log_when_an_import_covers_it(
    card: Path, plan: Plan, take: Take, store: Store, point: Point, ledger: Ledger
) -> None:
    with store.transaction() as connection:
        connection.execute(
            "INSERT INTO gap (camera, from_at, to_at, cause) VALUES ('HQ-1', ?, ?, 'camera_lost')",
            (iso(TEN), iso(TEN + timedelta(seconds=3))),
        )
    put(card, "20260528_100000.mp4", film("mp4"))
    take(choose(plan()))
    assert len(gaps(store, "HQ-1")) == 1
    covered = coverage(store, point, "HQ-1", TEN, TEN + timedelta(seconds=3), TEN + timedelta(hours=1))
    assert covered.gap_s == 0


@pytest.mark.parametrize(("actor", "state"), [("anna", "done"), ("terminal:root", "done"), ("vera", "failed")])
def test_the_agent_takes_in_for_who_may_copy_footage(
    home: Home, store: Store, ledger: Ledger, point: Point, clock: FakeClock, card: Path, plan: Plan,
    until: Callable[..., None], actor: str, state: str,
) -> None:  # fmt: skip
    accounts = Accounts(store, ledger, clock)
    for login, role in (("anna", Role.SPECIALIST), ("vera", Role.SPECIALIST)):
        accounts.create(Account(login, login, role, "", "ru"), "135790", actor="agent")
    clock.advance((TEN + timedelta(days=1) - clock.now()).total_seconds())  # nothing is planned any more
    put(card, "20260528_100000.mp4", film("mp4"))
    body = body_of("HQ-1", card, choose(plan()), 5.0)
    number = orders.give(ledger, "import_footage", body, actor=actor, ordered_by=actor, why="10:00:05 in the picture")
    with store.transaction() as connection:  # she loses the right between the order and its turn
        connection.execute("UPDATE account SET role = 'commission_member' WHERE login = 'vera'")
    order = orders.take(store, "import_footage")
    assert order is not None
    duties = Duties(point, home, store, ledger, Secrets(home), clock)
    duties.start_import(order)
    until(lambda: not duties.busy("import_footage"))
    ended = orders.get(store, number)
    assert ended is not None
    assert ended.state == state, ended.result
    assert len(segments(store, "HQ-1")) == (state == "done")


@pytest.mark.parametrize("kind", sorted(CODECS))
def test_what_came_in_leaves_in_a_span_as_it_is(
    kind: str, card: Path, plan: Plan, take: Take, store: Store, ledger: Ledger, home: Home, point: Point,
    clock: FakeClock, tmp_path: Path,
) -> None:  # fmt: skip
    """Not every container of others fits into an mp4, and none may vanish from an export without a word."""
    put(card, f"20260528_100000.{kind}", film(kind))
    take(choose(plan()))
    out = tmp_path / "out"
    out.mkdir()
    asked = SpanAsked(("HQ-1",), TEN + timedelta(seconds=1), TEN + timedelta(seconds=3), "anna", "boris", "")
    result = export_span(store, ledger, home, point, asked, out, clock)
    (part,) = result.parts
    assert (result.folder / part.name).read_bytes() == film(kind)
    assert part.name.endswith(f".{kind}")
    assert result.missing == ()


def test_a_bag_with_an_imported_recording_is_whole(
    card: Path, plan: Plan, take: Take, store: Store, ledger: Ledger, home: Home, point: Point, clock: FakeClock,
    tmp_path: Path,
) -> None:  # fmt: skip
    put(card, "20260528_100000.avi", film("avi"))
    take(choose(plan(camera="COR1-1")), camera="COR1-1")
    clock.advance(8 * 3600)
    result = archive(store, ledger, home, point, tmp_path / "stick", clock)
    assert result.bag is not None
    report = verify_bag(result.bag)
    assert list(result.bag.rglob("*.avi"))
    assert (report.chain, report.findings) == ("whole", [])
