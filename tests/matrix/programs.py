"""Rows of the matrix: programs, the clock and the network's link."""

from __future__ import annotations

from exam_kit.checks import Reason, State
from tests.checks_matrix import ERRORS, Case, Row, by_file, by_tool, fault, nothing
from tests.matrix.setups import (
    NO_MIDDLE,
    NO_WORDS,
    OWN,
    clock_step,
    cron,
    spoilt,
    wireless,
)

PACKAGES = "bash\t5.2-3\tinstalled\npython3\t{0}\tinstalled"
BASE = "ClamAV-VDB:{0} 05-00 +0000:27449:2000:90:x:y:builder:1"


def rows() -> dict[str, Row]:
    """By probe."""
    scan = fault("in_exam, is = true")
    return {
        "antivirus.running": by_tool(
            "clamdscan", "ClamAV 1.0.7/27449/Thu May 28 04:00:00 2026", "ClamAV 1.0.7/27449/Mon May 25 04:00:00 2026",
            "", fault("running, is = false", warn="database_age, above = 24"),
            before=lambda w: w.file("/proc/77/comm", "clamd\n"),
            fail=Case(lambda w: w.tool("clamdscan", "ClamAV 1.0.7/27449/Thu May 28 04:00:00 2026"), State.FAIL),
        ),
        "antivirus.databases": by_file(
            "/var/lib/clamav/daily.cvd", BASE.format("28 May 2026"), BASE.format("26 May 2026"),
            BASE.format("01 Jan 2026"), fault("age, above = 168", warn="age, above = 24"),
        ),
        "antivirus.scan": Row(
            scan,
            {
                "ok": Case(cron("0 3 * * * root clamscan -r /home"), State.OK),
                "warn": NO_MIDDLE,
                "fail": Case(cron("30 11 * * 1-5 root clamscan -r /home"), State.FAIL),
                "absent": Case(nothing, State.UNKNOWN, Reason.TOOL_ABSENT),
                "denied": Case(spoilt("/etc/cron.d/scan", "denied", cron("")), State.UNKNOWN, Reason.DENIED),
                "timeout": Case(spoilt("/etc/cron.d/scan", "timeout", cron("")), State.UNKNOWN, Reason.TIMEOUT),
                "garbage": Case(spoilt("/etc/cron.d/scan", "garbage", cron("")), State.UNKNOWN, Reason.ERROR),
                "locale": NO_WORDS,
            },
        ),
        "software.version": by_tool(
            "dpkg-query", PACKAGES.format("3.11.2"), PACKAGES.format("3.9.1"), "bash\t5.2-3\tinstalled",
            fault("installed, is = false", warn="version, version_below = '3.11'"), '{ linux = "python3" }',
        ),
        "software.unapproved": by_tool(
            "dpkg-query", PACKAGES.format("3.11.2"), "", "steam-launcher\t1.0\tinstalled",
            fault("found, above = 0"), '{ forbidden = ["*Steam*"] }',
        ),
        "software.remote_control": by_tool(
            "dpkg-query", PACKAGES.format("3.11.2"), "", "anydesk\t6.3\tinstalled",
            fault("found, above = 0"), '{ programs = ["anydesk*", "*vnc*"] }',
        ),
        "clock.sync": by_tool(
            "timedatectl", "NTP=yes\nNTPSynchronized=yes", "NTP=yes\nNTPSynchronized=no", "NTP=no\nNTPSynchronized=no",
            fault("on, is = false", warn="synchronised, is = false"),
        ),
        "clock.zone": Row(
            fault("difference, above = 100000"),
            {
                "ok": Case(nothing, State.OK),
                "warn": Case(nothing, State.WARN, None, fault(warn="difference, above = -1")),
                "fail": Case(nothing, State.FAIL, None, fault("difference, above = -1")),
                **dict.fromkeys(ERRORS, "it asks nobody but this process"),
                "locale": NO_WORDS,
            },
        ),
        "clock.forward": Row(
            fault("behind, above = 60", warn="behind, above = 5"),
            {
                "ok": Case(clock_step(10), State.OK),
                "warn": Case(clock_step(-20), State.WARN),
                "fail": Case(clock_step(-7200), State.FAIL),
                **dict.fromkeys(ERRORS, OWN),
                "locale": NO_WORDS,
            },
        ),
        "network.link": by_file(
            "/sys/class/net/eth0/operstate", "up", "", "down", fault("up, is = false", warn="wireless, is = true"),
            '{ interface = "eth0" }',
            warn=Case(wireless, State.WARN),
        ),
    }  # fmt: skip
