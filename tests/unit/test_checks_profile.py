"""Profiles: the shipped ones are good in three languages, and a bad one tells all its mistakes at once."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from exam_kit.checks import CheckContext, Machine, Reason, State, run_checks
from exam_kit.checks.model import Severity
from exam_kit.checks.profile import SHIPPED, load_profile, profile_names, read_profile
from exam_kit.checks.registry import all_probes
from exam_kit.checks.report import run_dict
from exam_kit.checks.wording import (
    FAMILY_LABELS,
    REASON_LABELS,
    SEVERITY_LABELS,
    STATE_LABELS,
    VERDICT_LABELS,
)
from exam_kit.clock import FakeClock
from exam_kit.errors import PointInvalid
from exam_kit.home import Home
from exam_kit.i18n import translate
from exam_kit.point import Point, Secrets, StationRole
from exam_kit.store import Store

SHIPPED_NAMES = sorted(path.stem for path in SHIPPED.glob("*.toml"))


@pytest.mark.parametrize("name", SHIPPED_NAMES)
def test_a_shipped_profile_is_whole(name: str, home: Home) -> None:
    profile = load_profile(name, home)
    assert profile.valid_from.year >= 2025
    assert profile.season
    assert profile.source
    assert len(profile.hash) == 64
    for check in profile.checks:
        for texts in (check.title, check.fix):
            assert sorted(texts) == ["en", "lv", "ru"], check.id
            assert len(set(texts.values())) > 1 or check.id == "ffmpeg", check.id
        manual = check.family == "manual"
        assert manual or check.expect.fail or check.expect.warn
        assert manual == check.probe.startswith("manual.")


def test_the_shipped_profiles() -> None:
    assert SHIPPED_NAMES == ["demo", "ege", "kege", "oge"]


@pytest.mark.parametrize("name", SHIPPED_NAMES)
def test_every_shipped_number_names_its_source(name: str) -> None:
    lines = (SHIPPED / f"{name}.toml").read_text(encoding="utf-8").splitlines()
    above = ""
    for line in lines:
        if line.startswith("expect.") and ("below" in line or "above" in line):
            assert "#" in line or above.startswith("#"), line
        elif not line.startswith("expect."):
            above = line  # a source may stand over both expectations of a check


def test_the_demos_blockers_are_what_a_demo_can_have(home: Home) -> None:
    blockers = {check.family for check in load_profile("demo", home).checks if check.severity is Severity.BLOCKER}
    assert blockers == {"camera", "disk", "clock", "ledger"}


@pytest.mark.parametrize("language", ["ru", "lv"])
def test_every_label_is_translated(language: str) -> None:
    readings = {reading.label for name, probe in all_probes().items() if not name.startswith("test.")
                for reading in probe.readings.values()}  # fmt: skip
    labels = {*STATE_LABELS.values(), *REASON_LABELS.values(), *SEVERITY_LABELS.values(), *VERDICT_LABELS.values()}
    for label in labels | set(FAMILY_LABELS.values()) | readings - {""}:
        assert translate(label, language) != label or label in ("UPS",), label


def test_the_points_own_profile_wins(home: Home) -> None:
    home.profiles.mkdir()
    shipped = (SHIPPED / "demo.toml").read_text(encoding="utf-8")
    (home.profiles / "demo.toml").write_text(shipped.replace('season = "demo"', 'season = "ours"'), encoding="utf-8")
    assert load_profile("demo", home).season == "ours"
    (home.profiles / "school.toml").write_text(shipped, encoding="utf-8")
    assert profile_names(home) == ["demo", "ege", "kege", "oge", "school"]


def test_no_such_profile(home: Home) -> None:
    with pytest.raises(PointInvalid, match="demo, ege, kege, oge"):
        load_profile("gve", home)


BAD = """
season = "t"
valid_from = 2026-01-01
source = ""
budget_s = 20
title = { ru = "т", en = "t" }

[[checks]]
id = "one"
probe = "disk.fre"
severity = "blocker"
timeout_s = 5
title = { ru = "т", en = "t", lv = "t" }
fix = { ru = "т", en = "t", lv = "" }

[[checks]]
id = "two"
probe = "disk.free"
args = { copys = 2, copies = "two" }
severity = "urgent"
timeout_s = 5
expect.fail = [{ of = "ration", below = 1 }, { of = "ratio", under = 1 }, { of = "ratio", below = "one" }]
title = { ru = "т", en = "t", lv = "t" }
fix = { ru = "т", en = "t", lv = "t" }

[[checks]]
id = "two"
probe = "clock.offset"
severity = "minor"
timeout_s = 25
colour = "red"
title = { ru = "т", en = "t", lv = "t" }
fix = { ru = "т", en = "t", lv = "t" }
"""


def test_all_mistakes_in_one_listing() -> None:
    with pytest.raises(PointInvalid) as found:
        read_profile(BAD, "bad")
    listing = found.value.text("en")
    for part in (
        "source:",
        "title.lv:",
        "checks (one): there is no probe 'disk.fre'",
        "checks (one).fix.lv:",
        "checks (two).severity:",
        "checks (two): the probe 'disk.free' has no arg 'copys'",
        "checks (two): arg 'copies':",
        "gives no value 'ration'",
        "exactly one of: below, above",
        "'below' cannot be compared with 'one'",
        "checks (two): this id stands 2 times",
        "checks (two): the arg 'servers' is missing",
        "checks (two): expects nothing",
        "checks (two).colour:",
        "budget_s: 20 s are not enough for the waiting checks, which may take 25",
    ):
        assert part in listing, part
    assert found.value.exit_code == 10


def test_picture_thresholds_are_wanted_with_cameras(home: Home) -> None:
    shipped = (SHIPPED / "demo.toml").read_text(encoding="utf-8")
    with pytest.raises(PointInvalid) as found:
        read_profile(shipped.replace("black_mean = 20", "blak_mean = 20"), "demo")
    listing = found.value.text("en")
    assert "blak_mean" in listing
    assert "black_mean: missing" in listing


@pytest.mark.parametrize(
    "text", ["", "checks = 3", "checks = [1, 2]", "[[checks]]", "checks = [{ id = 3, probe = [] }]"]
)
def test_nothing_breaks_the_listing(text: str) -> None:
    with pytest.raises(PointInvalid):
        read_profile(text, "bad")


def test_not_toml() -> None:
    with pytest.raises(PointInvalid, match="line 1"):
        read_profile("a = = 1", "bad")


def test_the_same_text_has_the_same_hash(home: Home) -> None:
    assert load_profile("demo", home).hash == load_profile("demo", home).hash
    assert json.dumps(load_profile("demo", home).checks[0].expect.as_dict())


def test_the_profiles_put_some_sixty_checks_together_by_role(home: Home) -> None:
    exams = [load_profile(name, home) for name in ("ege", "kege", "oge")]
    assert len({check.id for profile in exams for check in profile.checks}) >= 60
    for profile in exams:
        laptop = [check for check in profile.checks if check.wanted_for(None)]
        assert len(laptop) >= 45
        for role in StationRole:
            asked = [check for check in profile.checks if check.wanted_for(role.value)]
            assert {"memory", "antivirus", "exam-software", "clock-offset"} <= {check.id for check in asked}
            assert not any(check.family in ("camera", "ledger", "kit") for check in asked), role
    print_station = {check.id for check in exams[0].checks if check.wanted_for("print")}
    assert {"printer", "test-print", "token-plugged", "no-internet"} <= print_station
    assert "scanner" not in print_station


def test_checks_of_other_roles_are_skipped(
    home: Home, point: Point, store: Store, clock: FakeClock, tmp_path: Path
) -> None:
    texts = '{ ru = "т", en = "t", lv = "t" }'
    text = f'season = "t"\nvalid_from = 2026-01-01\nsource = "t"\nbudget_s = 60\ntitle = {texts}\n'
    for name, roles in (("mine", []), ("both", ["laptop", "station"]), ("printing", ["print"])):
        text += (
            f'[[checks]]\nid = "{name}"\nprobe = "kit.version"\nroles = {json.dumps(roles)}\nseverity = "major"\n'
            'timeout_s = 5\nexpect.fail = [{ of = "version", version_below = "0" }]\n'
            f"title = {texts}\nfix = {texts}\n"
        )
    profile = read_profile(text, "t")
    context = CheckContext(point, home, store, Secrets(home, file_only=True), None, clock)

    def states(role: str | None) -> dict[str, State]:
        results = run_checks(profile.for_role(role), context).results
        assert all(r.fact.reason is Reason.NOT_REQUIRED for r in results if r.state is State.SKIP)
        return {result.check: result.state for result in results}

    assert states(None) == {"mine": State.OK, "both": State.OK, "printing": State.SKIP}
    assert states("print") == {"mine": State.SKIP, "both": State.OK, "printing": State.OK}
    assert states("scan") == {"mine": State.SKIP, "both": State.OK, "printing": State.SKIP}
    with pytest.raises(ValueError, match="cook"):
        profile.for_role("cook")
    with pytest.raises(PointInvalid, match="mistakes"):
        read_profile(text.replace('["print"]', '["cook"]'), "t")


@pytest.mark.parametrize("name", SHIPPED_NAMES)
def test_what_is_not_ok_carries_its_fix_and_evidence(
    name: str, home: Home, point: Point, store: Store, clock: FakeClock, tmp_path: Path
) -> None:
    """On a machine that answers nothing, with cameras that are not there: nothing green by mistake."""
    empty = tmp_path / "machine"
    empty.mkdir()
    camera = point.cameras[0].model_copy(update={"url": "http://127.0.0.1:9/x.ts", "sound": True})
    here = point.model_copy(update={"cameras": (camera,)})
    machine = Machine("linux", empty, {"PATH": str(empty)})
    context = CheckContext(here, home, store, Secrets(home, file_only=True), point.days[0], clock, machine)
    profile = load_profile(name, home)
    # Only what asks this machine: names of the internet are not looked up from a test.
    local = {check.id for check in profile.checks if not check.probe.startswith(("network.", "clock.offset"))}
    for role in (None, "print", "scan"):
        run = run_checks(profile.for_role(role), context, only=local)
        for told in run_dict(run)["checks"]:
            if told["state"] in ("ok", "skip") or told["reason"] == "not_run":
                continue
            assert all(told["fix"][language] for language in ("ru", "en", "lv")), told["check"]
            assert told["evidence"] or told["manual"], told["check"]
        programs = {"antivirus", "disk", "printer", "scanner", "usb", "screen", "software", "os", "power"}
        green = {r.check for r in run.results if r.state is State.OK and r.family in programs}
        assert green <= {"disk-free", "disk-speed"}, green
