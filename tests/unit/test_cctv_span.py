"""One span out of several cameras: cut at keyframes, nothing encoded again, every source proved, nothing half left."""

from __future__ import annotations

import functools
import hashlib
import io
import itertools
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import av
import numpy as np
import pytest

from exam_kit.agent import orders
from exam_kit.agent.duties import Duties
from exam_kit.cctv.segments import segments
from exam_kit.cctv.span import export_span
from exam_kit.cctv.span_asked import Cancelled, SpanAsked, SpanResult
from exam_kit.clock import FakeClock, iso
from exam_kit.errors import ArchiveError, UsageError
from exam_kit.home import Home
from exam_kit.point import Point, Secrets
from exam_kit.store import Account, Accounts, Ledger, Role, Store

BEGUN = datetime(2026, 5, 28, 7, 0, tzinfo=UTC)
RATE, GROUP, LENGTH_S = 10, 20, 10
"""Ten frames a second, a keyframe every two seconds, files of ten seconds."""


@functools.cache
def film(width: int) -> bytes:
    """An mp4 of ten seconds, frames out of order as B-frames make them."""
    made = io.BytesIO()
    with av.open(made, "w", format="mp4") as container:
        options = {"preset": "ultrafast", "g": str(GROUP), "keyint_min": str(GROUP), "sc_threshold": "0", "bf": "2"}
        stream = container.add_stream("libx264", rate=RATE, options=options)
        stream.width, stream.height, stream.pix_fmt = width, 96, "yuv420p"
        for number in range(LENGTH_S * RATE):
            picture = np.full((96, width, 3), number % 250, dtype=np.uint8)
            picture[:, number % width] = 255
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())
    return made.getvalue()


def keep(home: Home, store: Store, camera: str, begins_s: float, *, width: int = 128, closed: bool = True) -> Path:
    """A recorded file and its row, as the recorder leaves them."""
    start = BEGUN + timedelta(seconds=begins_s)
    name = f"{camera}/{begins_s:05}.mp4"
    path = home.footage / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(film(width))
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    with store.transaction() as connection:
        connection.execute(
            "INSERT INTO segment (camera, day, path, from_at, to_at, frames, bytes, sha256, closed_reason) "
            "VALUES (?, '2026-05-28', ?, ?, ?, 100, ?, ?, 'next')",
            (camera, name, iso(start), iso(start + timedelta(seconds=LENGTH_S)) if closed else None,
             path.stat().st_size, digest if closed else None),
        )  # fmt: skip
    return path


def packets(path: Path) -> list[bytes]:
    with av.open(str(path)) as container:
        return [bytes(packet) for packet in container.demux(container.streams.video[0]) if packet.size]


def shown(path: Path) -> list[float]:
    """When each frame is shown, in seconds; it must decode without a fault."""
    with av.open(str(path)) as container:
        return [float(frame.time or 0) for frame in container.decode(video=0)]


Export = Callable[..., SpanResult]


@pytest.fixture
def export(home: Home, store: Store, ledger: Ledger, point: Point, clock: FakeClock, tmp_path: Path) -> Export:
    clock.advance((BEGUN + timedelta(hours=1) - clock.now()).total_seconds())
    out = tmp_path / "stick"
    out.mkdir()

    def run(start_s: float, end_s: float, *cameras: str, **more: object) -> SpanResult:
        ids = cameras or ("HQ-1",)
        asked = SpanAsked(
            ids,
            BEGUN + timedelta(seconds=start_s),
            BEGUN + timedelta(seconds=end_s),
            "anna",
            "boris",
            "for the appeal",
            7,
        )
        return export_span(store, ledger, home, point, asked, more.pop("to", out), clock, **more)  # type: ignore[arg-type]

    return run


def test_a_piece_begins_at_the_keyframe_before_and_is_made_of_the_same_bytes(
    export: Export, home: Home, store: Store, ledger: Ledger
) -> None:
    sources = [keep(home, store, "HQ-1", begins) for begins in (0, 10, 20)]
    result = export(5.4, 24.5)
    (part,) = result.parts
    path = result.folder / part.name
    assert part.start == BEGUN + timedelta(seconds=4)  # the keyframe at or before 5.4 s
    assert abs((part.end - (BEGUN + timedelta(seconds=24.5))).total_seconds()) <= 0.2
    whole = [one for source in sources for one in packets(source)]
    assert packets(path) == whole[40 : 40 + part.frames]  # 4 s at 10 frames a second, in the order they were sent
    times = shown(path)
    assert len(times) == part.frames
    assert part.frames in range(205, 208)  # frames that the last ones shown lean on come along
    assert sorted(times) == times
    assert max(b - a for a, b in itertools.pairwise(times)) < 0.11
    assert part.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert [digest for _source, digest in part.sources] == [
        hashlib.sha256(source.read_bytes()).hexdigest() for source in sources
    ]
    assert result.missing == ()
    (entry,) = ledger.entries(("footage.exported",))
    assert entry.actor == "anna"
    assert (entry.body["ordered_by"], entry.body["order"], entry.body["parts"][0]["sha256"]) == (
        "boris",
        7,
        part.sha256,
    )


def test_a_gap_and_another_format_begin_a_new_piece(export: Export, home: Home, store: Store) -> None:
    for begins in (0, 10, 40):
        keep(home, store, "HQ-1", begins)
    keep(home, store, "HQ-1", 50, width=160)
    result = export(0, 60)
    assert [(part.start - BEGUN).total_seconds() for part in result.parts] == [0, 40, 50]
    assert [part.frames for part in result.parts] == [200, 100, 100]
    assert [((one.start - BEGUN).total_seconds(), (one.end - BEGUN).total_seconds()) for one in result.missing] == [
        (20, 40)
    ]


def test_manifests_name_every_source_and_hold_for_sha256sum(export: Export, home: Home, store: Store) -> None:
    for camera in ("HQ-1", "R1-1"):
        keep(home, store, camera, 0)
    result = export(2, 8, "HQ-1", "R1-1")
    told = json.loads((result.folder / "manifest.json").read_text(encoding="utf-8"))
    assert [one["camera"] for one in told["parts"]] == ["HQ-1", "R1-1"]
    assert (told["ordered_by"], told["why"]) == ("boris", "for the appeal")
    for line in (result.folder / "manifest-sha256.txt").read_text(encoding="utf-8").splitlines():
        digest, name = line.split("  ")
        assert hashlib.sha256((result.folder / name).read_bytes()).hexdigest() == digest
    rows = (result.folder / "manifest.csv").read_text(encoding="utf-8-sig").splitlines()
    assert len(rows) == 3
    assert rows[1].split(";")[0] == "HQ-1"
    assert all(part.name.endswith(".mp4") and part.camera in part.name for part in result.parts)


def test_a_source_that_changed_since_birth_is_left_out_and_said(export: Export, home: Home, store: Store) -> None:
    keep(home, store, "HQ-1", 0)
    changed = keep(home, store, "HQ-1", 10)
    gone = keep(home, store, "HQ-1", 20)
    keep(home, store, "HQ-1", 30, closed=False)
    changed.write_bytes(changed.read_bytes()[:-1] + b"\x00\x00")
    gone.unlink()
    result = export(0, 40)
    assert [part.frames for part in result.parts] == [100]
    assert {(one.why, (one.start - BEGUN).total_seconds()) for one in result.missing} >= {
        ("changed", 10),
        ("file_missing", 20),
        ("open", 30),
    }


def test_a_cancelled_export_leaves_nothing(export: Export, home: Home, store: Store, tmp_path: Path) -> None:
    for begins in (0, 10, 20):
        keep(home, store, "HQ-1", begins)
    seen: list[int] = []
    with pytest.raises(Cancelled):
        export(0, 30, progress=lambda done, _total, _camera: seen.append(done), cancelled=lambda: len(seen) > 2)
    assert list((tmp_path / "stick").iterdir()) == []
    assert len(segments(store, "HQ-1")) == 3


@pytest.mark.parametrize(
    ("start_s", "end_s", "cameras", "kind"),
    [
        (5, 5, ("HQ-1",), UsageError),
        (0, 5, ("XX-9",), UsageError),
        (0, 5, (), UsageError),
        (600, 700, ("HQ-1",), ArchiveError),
    ],
)
def test_what_cannot_be_exported_is_said(
    export: Export, home: Home, store: Store, ledger: Ledger, point: Point, clock: FakeClock, tmp_path: Path,
    start_s: float, end_s: float, cameras: tuple[str, ...], kind: type[Exception],
) -> None:  # fmt: skip
    keep(home, store, "HQ-1", 0)
    moments = BEGUN + timedelta(seconds=start_s), BEGUN + timedelta(seconds=end_s)
    with pytest.raises(kind):
        asked = SpanAsked(cameras, *moments, "anna", "boris", "")
        export_span(store, ledger, home, point, asked, tmp_path / "stick", clock)
    assert list((tmp_path / "stick").iterdir()) == []


def test_no_room_and_no_folder_are_said_before_anything_is_written(
    export: Export, home: Home, store: Store, tmp_path: Path
) -> None:
    keep(home, store, "HQ-1", 0)
    with store.transaction() as connection:
        connection.execute("UPDATE segment SET bytes = ?", (10**15,))
    with pytest.raises(ArchiveError, match="MB are free"):
        export(0, 10)
    with pytest.raises(ArchiveError, match="no such folder"):
        export(0, 10, to=tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("actor", "ordered_by", "state"),
    [
        ("anna", "boris", "done"),
        ("terminal:root", "boris", "done"),
        ("anna", "anna", "failed"),
        ("vera", "boris", "failed"),
        ("anna", "nobody", "failed"),
    ],
)
def test_the_agent_exports_only_on_the_order_of_the_head(
    home: Home, store: Store, ledger: Ledger, point: Point, clock: FakeClock, tmp_path: Path,
    until: Callable[..., None], actor: str, ordered_by: str, state: str,
) -> None:  # fmt: skip
    accounts = Accounts(store, ledger, clock)
    for login, role in (("anna", Role.SPECIALIST), ("boris", Role.HEAD_OF_POINT), ("vera", Role.SPECIALIST)):
        accounts.create(Account(login, login, role, "", "ru"), "135790", actor="agent")
    clock.advance((BEGUN + timedelta(hours=1) - clock.now()).total_seconds())
    keep(home, store, "HQ-1", 0)
    out = tmp_path / "stick"
    out.mkdir()
    body = {
        "cameras": ["HQ-1"],
        "from": iso(BEGUN),
        "to": iso(BEGUN + timedelta(seconds=5)),
        "destination": str(out),
    }
    number = orders.give(ledger, "export_span", body, actor=actor, ordered_by=ordered_by, why="appeal")
    with store.transaction() as connection:  # she loses the right between the order and its turn
        connection.execute("UPDATE account SET role = 'commission_member' WHERE login = 'vera'")
    order = orders.take(store, "export_span")
    assert order is not None
    duties = Duties(point, home, store, ledger, Secrets(home), clock)
    duties.start_export(order)
    until(lambda: not duties.busy("export_span"))
    ended = orders.get(store, number)
    assert ended is not None
    assert ended.state == state, ended.result
    assert (len(list(out.iterdir())) == 1) == (state == "done")
