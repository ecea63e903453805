"""Cameras that are lost together stand on one incident sheet, over the real ledger."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

import pytest

from exam_kit.agent.watch import Watch
from exam_kit.cctv.status import CameraStatus, Desired
from exam_kit.clock import FakeClock, iso
from exam_kit.forms.exports import incidents_csv
from exam_kit.home import Home
from exam_kit.journal.categories import SHIPPED, load_categories
from exam_kit.journal.incident import Incident, IncidentDraft
from exam_kit.journal.incident_clock import incident_clock
from exam_kit.journal.incidents import Incidents
from exam_kit.journal.person import AGENT
from exam_kit.point import Point, read_point
from exam_kit.store import Account, Ledger, Role, Store
from tests.conftest import POINT_TOML

SPECIALIST = Account("spec", "Специалист Т. Т.", Role.SPECIALIST, "технический специалист", "ru")
HEAD = Account("head", "Руководитель Р. Р.", Role.HEAD_OF_POINT, "руководитель ППЭ", "ru")
PLAN = Desired("agent", "plan", "window of zone room")
NAMES = [f"SW-{number:02}" for number in range(1, 31)]
CAMERA = '[[cameras]]\nid = "{name}"\nroom = "0001"\nurl = "rtsp://127.0.0.1:9/{name}"\nbitrate_mbps = 2\n'


class Scene:
    """Thirty cameras behind a switch, and what the recorder would say of them."""

    def __init__(self, home: Home, store: Store, ledger: Ledger, clock: FakeClock) -> None:
        cameras = "".join(CAMERA.format(name=name) for name in NAMES)
        self.point: Point = read_point(POINT_TOML.replace("[[stations]]", cameras + "[[stations]]", 1))
        self.home, self.store, self.ledger, self.clock = home, store, ledger, clock
        self.sheets = Incidents(ledger, self.point, clock)
        self.lost: dict[str, datetime] = {}
        self.off: set[str] = set()
        self.watch = self.agent()

    def agent(self) -> Watch:
        return Watch(self.point, self.home, self.store, self.ledger, self.clock)

    def lose(self, names: Iterable[str], *, within_s: float = 0.0) -> None:
        """They are lost one after the other, the last after `within_s` seconds."""
        chosen = list(names)
        for number, name in enumerate(chosen):
            self.lost[name] = self.clock.now() + timedelta(seconds=within_s * number / max(1, len(chosen) - 1))

    def back(self, names: Iterable[str]) -> None:
        for name in list(names):
            del self.lost[name]

    def look(self, after_s: float = 0.0) -> None:
        """The agent looks once a second for so long, and then once more."""
        for _second in range(int(after_s)):
            self.clock.advance(1)
            self.watch.cameras(self.statuses())
        self.watch.cameras(self.statuses())

    def statuses(self) -> dict[str, CameraStatus]:
        return {name: self.status(name) for name in NAMES}

    def status(self, name: str) -> CameraStatus:
        since = self.lost.get(name)
        if name in self.off:
            return CameraStatus(name, "off", self.clock.now())
        if since is None or since > self.clock.now():
            return CameraStatus(name, "recording", self.clock.now(), desired=PLAN)
        return CameraStatus(name, "lost", self.clock.now(), gap_since=since, fault="camera_unreachable", desired=PLAN)

    def gap(self, name: str, since: datetime, until: datetime | None, cause: str = "machine_off") -> None:
        """What the recorder notes of time in which nobody watched."""
        with self.store.transaction() as connection:
            connection.execute(
                "INSERT INTO gap (camera, from_at, to_at, cause) VALUES (?, ?, ?, ?)",
                (name, iso(since), iso(until) if until else None, cause),
            )

    @property
    def sheet(self) -> Incident:
        (one,) = self.sheets.all()
        return one


@pytest.fixture
def scene(home: Home, store: Store, ledger: Ledger, clock: FakeClock) -> Scene:
    return Scene(home, store, ledger, clock)


def close(scene: Scene, number: int, how: str, restored_at: datetime | None = None) -> Incident:
    scene.sheets.decide(number, "go_on", "", SPECIALIST)
    return scene.sheets.close(number, restored_at, how, SPECIALIST, signed_off=HEAD)


def kinds(sheet: Incident) -> list[str]:
    return [event.kind for event in sheet.timeline]


def test_thirty_cameras_lost_in_three_seconds_share_a_sheet(scene: Scene) -> None:
    since = scene.clock.now()
    scene.lose(NAMES, within_s=3)
    scene.look(after_s=20)
    sheet = scene.sheet
    assert kinds(sheet) == ["opened", *["lost"] * 29]
    assert sheet.cameras == tuple(NAMES)
    assert set(sheet.away) == set(NAMES)
    assert (sheet.gap_from, sheet.gap_to, sheet.detected_at, sheet.running_since) == (since, None, since, since)
    assert "SW-30" in sheet.timeline[-1].text
    assert "камера не отвечает" in sheet.timeline[-1].text
    assert sheet.timeline[-1].at == since + timedelta(seconds=3)
    count = scene.ledger.head().seq
    scene.look(after_s=5)
    assert scene.ledger.head().seq == count


def test_each_return_is_a_step_and_the_last_ends_the_gap_but_not_the_sheet(scene: Scene) -> None:
    since = scene.clock.now()
    scene.lose(NAMES, within_s=3)
    scene.look(after_s=60)
    scene.back(["SW-07"])
    scene.look()
    sheet = scene.sheet
    assert kinds(sheet)[-1] == "back"
    assert (set(sheet.away), sheet.restored_at, sheet.gap_to) == (set(NAMES) - {"SW-07"}, None, None)
    limits = load_categories().by_code["cctv_lost"]
    scene.look(after_s=300)
    assert incident_clock(sheet, limits, scene.point, scene.clock.now()).elapsed_s == 360
    scene.back(sheet.away)
    scene.look()
    sheet, end = scene.sheet, scene.clock.now()
    assert kinds(sheet)[-30:] == [*["back"] * 29, "restored"]
    assert (sheet.gap_from, sheet.gap_to, sheet.restored_at) == (since, end, end)
    assert sheet.is_open
    assert not sheet.away
    assert not close(scene, 1, "свитч заменён").is_open


def test_a_camera_lost_again_is_a_step_of_the_same_sheet(scene: Scene) -> None:
    scene.lose(NAMES[:3])
    scene.look(after_s=20)
    scene.back(["SW-02"])
    scene.look(after_s=60)
    scene.lose(["SW-02"])
    scene.look(after_s=12)
    assert kinds(scene.sheet) == ["opened", "lost", "lost", "back", "lost"]
    assert scene.sheet.running_since == scene.sheet.detected_at  # the others never came back meanwhile
    scene.back(NAMES[:3])
    scene.look(after_s=600)
    assert scene.sheet.gap_to is not None
    scene.lose(["SW-03"])
    again = scene.clock.now()
    scene.look(after_s=12)
    sheet = scene.sheet
    assert (sheet.restored_at, sheet.gap_to, sheet.running_since, set(sheet.away)) == (None, None, again, {"SW-03"})
    assert len([one for one in sheet.outages if one.camera == "SW-03"]) == 2


@pytest.mark.parametrize("closed", [True, False])
def test_an_outage_an_hour_later_gets_a_sheet_of_its_own_where_the_first_is_closed(scene: Scene, closed: bool) -> None:
    for _outage in range(2):
        scene.lose(NAMES, within_s=3)
        scene.look(after_s=30)
        scene.back(NAMES)
        scene.look()
        if closed:
            sheet = scene.sheets.all()[-1]
            close(scene, sheet.number, "устранено")
        scene.clock.advance(3600)
    assert [sheet.cameras for sheet in scene.sheets.all()] == [tuple(NAMES)] * (2 if closed else 1)


def test_cameras_lost_far_from_one_another_have_sheets_of_their_own(scene: Scene) -> None:
    scene.lose(["SW-01"])
    scene.look(after_s=21)
    scene.lose(["SW-02"])
    scene.look(after_s=12)
    assert [sheet.cameras for sheet in scene.sheets.all()] == [("SW-01",), ("SW-02",)]


def test_a_single_camera_reads_as_ever(scene: Scene) -> None:
    scene.lose(["SW-01"])
    scene.look(after_s=12)
    scene.back(["SW-01"])
    scene.look(after_s=60)
    scene.lose(["SW-01"])
    again = scene.clock.now()
    scene.look(after_s=12)
    sheet = scene.sheet
    assert (kinds(sheet), sheet.camera, sheet.room) == (["opened", "restored", "recurred"], "SW-01", "0001")
    assert (sheet.key, sheet.running_since) == ("camera:SW-01", again)


def test_the_next_agent_goes_on_with_the_sheet(scene: Scene) -> None:
    scene.lose(NAMES[:2])
    scene.look(after_s=12)
    scene.watch = scene.agent()
    scene.look(after_s=30)
    scene.back(["SW-02"])
    scene.look()
    scene.off.add("SW-01")
    scene.look()
    assert kinds(scene.sheet) == ["opened", "lost", "back", "back", "restored"]
    assert scene.sheet.timeline[-2].text == "Камеру SW-01 больше записывать не нужно."


def test_what_a_person_closed_takes_no_return(scene: Scene) -> None:
    scene.lose(NAMES[:2])
    scene.look(after_s=30)
    close(scene, 1, "запись не восстановлена", scene.clock.now())
    scene.back(NAMES[:2])
    scene.look(after_s=5)
    assert kinds(scene.sheet) == ["opened", "lost", "decided", "closed"]


def test_an_outage_that_is_over_opens_one_sheet_for_all_its_cameras(scene: Scene) -> None:
    since = scene.clock.now()
    scene.clock.advance(600)
    until = scene.clock.now()
    scene.watch = scene.agent()
    for number, name in enumerate(NAMES):  # files are read one after the other
        scene.gap(name, since + timedelta(seconds=number / 10), until)
        scene.look(after_s=number % 2)
    assert scene.sheets.all() == []
    scene.look(after_s=25)
    sheet = scene.sheet
    assert kinds(sheet) == ["opened", "restored"]
    assert (sheet.cameras, set(sheet.away), sheet.is_open) == (tuple(NAMES), set(), True)
    assert (sheet.gap_from, sheet.gap_to, sheet.duration_s) == (since, until, 600)
    assert "28.05.2026 08:00:00 до 28.05.2026 08:10:00: компьютер был выключен. Камер: 30" in sheet.description
    close(scene, 1, "ИБП заменён")
    scene.watch = scene.agent()
    scene.look(after_s=60)
    assert len(scene.sheets.all()) == 1


def test_a_short_restart_and_a_gap_of_another_cause_open_nothing(scene: Scene) -> None:
    now = scene.clock.now()
    scene.gap("SW-01", now, now + timedelta(seconds=29), "agent_stopped")
    scene.gap("SW-02", now, now + timedelta(seconds=90), "stream_stalled")
    scene.gap("SW-03", now, None, "agent_stopped")
    scene.clock.advance(90)
    scene.look(after_s=40)
    assert scene.sheets.all() == []


def test_cameras_that_do_not_come_back_follow_on_the_outages_sheet(scene: Scene) -> None:
    since = scene.clock.now()
    scene.clock.advance(600)
    until = scene.clock.now()
    scene.watch = scene.agent()
    for name in NAMES[2:]:
        scene.gap(name, since, until, "agent_stopped")
    scene.lost = dict.fromkeys(NAMES[:2], since)
    for name in NAMES[:2]:
        scene.gap(name, since, None, "agent_stopped")
    scene.look(after_s=9)
    assert scene.sheets.all() == []  # they have the same ten seconds as any
    scene.look(after_s=2)
    assert kinds(scene.sheet) == ["opened", "restored", "lost", "lost"]
    assert (set(scene.sheet.away), scene.sheet.running_since) == ({"SW-01", "SW-02"}, since)
    scene.back(NAMES[:2])
    scene.store.connection.execute("UPDATE gap SET to_at = ? WHERE to_at IS NULL", (iso(scene.clock.now()),))
    scene.look(after_s=60)
    assert kinds(scene.sheet)[-3:] == ["back", "back", "restored"]
    assert len(scene.sheet.cameras) == 30


def test_a_sheet_of_an_earlier_kit_reads_as_before(scene: Scene) -> None:
    """Entries without `outages`, `camera` and `gap_to`."""
    at = scene.clock.now()
    draft = IncidentDraft("cctv_lost", "не пишет", at, room="0001", camera="SW-01", gap_from=at)
    scene.sheets.open_for("camera:SW-01", draft)
    opened = scene.sheet
    body = {"point": "77-0001", "year": 2026, "no": 1, "by": opened.opened_by.as_dict(), "text": "x"}
    for kind in ("restored", "recurred", "restored"):
        scene.clock.advance(60)
        scene.ledger.append(f"incident.{kind}", {**body, "at": iso(scene.clock.now())}, AGENT)
    sheet = scene.sheet
    assert (sheet.gap_from, sheet.gap_to, sheet.restored_at) == (at, None, scene.clock.now())
    assert (sheet.cameras, set(sheet.away), len(sheet.outages)) == (("SW-01",), set(), 2)


def test_the_days_table_names_every_camera(scene: Scene) -> None:
    scene.lose(NAMES[:3])
    scene.look(after_s=12)
    text = incidents_csv(scene.point, scene.sheets.all(), scene.sheets, "ru").decode("utf-8-sig")
    assert "камеры: SW-01, SW-02, SW-03" in text
    assert "камера не пишет: Камера SW-03" in text


@pytest.mark.parametrize(
    ("shipped", "own", "category", "count"),
    [
        ("cameras = { lost_s = 10, group_s = 20, outage_s = 30 }\n", "", "cctv_lost", 1),
        ("group_s = 20", "group_s = 0", "cctv_lost", 3),
        ('code = "cctv_lost"', 'code = "cctv"', "cctv", 1),
    ],
)
def test_a_points_own_categories_set_the_bounds(
    scene: Scene, shipped: str, own: str, category: str, count: int
) -> None:
    """A copy made before there were such bounds, one with its own, one that calls the category otherwise."""
    text = SHIPPED.read_text(encoding="utf-8")
    assert shipped in text
    scene.home.profiles.mkdir(exist_ok=True)
    (scene.home.profiles / SHIPPED.name).write_text(text.replace(shipped, own), encoding="utf-8")
    scene.watch = scene.agent()
    scene.lose(NAMES[:3], within_s=2)
    scene.look(after_s=15)
    assert [sheet.category for sheet in scene.sheets.all()] == [category] * count
