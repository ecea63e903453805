"""Profiles: the shipped ones are good in three languages, and a bad one tells all its mistakes at once."""

from __future__ import annotations

import json
from itertools import pairwise

import pytest

from exam_kit.checks.model import Severity
from exam_kit.checks.profile import SHIPPED, load_profile, profile_names, read_profile
from exam_kit.checks.registry import all_probes
from exam_kit.checks.wording import (
    FAMILY_LABELS,
    REASON_LABELS,
    SEVERITY_LABELS,
    STATE_LABELS,
    VERDICT_LABELS,
)
from exam_kit.errors import PointInvalid
from exam_kit.home import Home
from exam_kit.i18n import translate

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
    assert SHIPPED_NAMES == ["demo", "ege"]


@pytest.mark.parametrize("name", SHIPPED_NAMES)
def test_every_shipped_number_names_its_source(name: str) -> None:
    lines = (SHIPPED / f"{name}.toml").read_text(encoding="utf-8").splitlines()
    for before, line in pairwise(lines):
        if line.startswith("expect.") and ("below" in line or "above" in line):
            assert "#" in line or before.startswith("#"), line


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
    assert profile_names(home) == ["demo", "ege", "school"]


def test_no_such_profile(home: Home) -> None:
    with pytest.raises(PointInvalid, match="demo, ege"):
        load_profile("oge", home)


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
