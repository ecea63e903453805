"""Rows of the matrix: the computer: its parts, system, disks and power."""

from __future__ import annotations

import json
from pathlib import Path

from exam_kit.checks import Reason, State
from exam_kit.home import Home
from tests.checks_matrix import Case, Row, Setup, by_file, by_tool, fault, nothing, script
from tests.matrix.setups import (
    NO_PROGRAM,
    NO_WORDS,
    spoilt,
    supplies,
)

SCAN = json.dumps({"smartctl": {"exit_status": 0}, "devices": [{"name": "/dev/sda"}]})
MEMORY = "MemTotal: {0} kB\nMemFree: 1 kB\nMemAvailable: {1} kB\n"
CPU = "processor\t: 0\ncpu MHz\t\t: {0}\n\n"
OS = 'PRETTY_NAME="Test"\nID={0}\nVERSION_ID="{1}"\n'
MOUNT = "22 1 254:0 / / {0} - ext4 /dev/sda1 {0}\n"
ENDS = '{ ends = { "debian 12" = 2028-06-30, "debian 11" = 2026-08-31, "debian 10" = 2024-06-30 } }'
LAPTOP = {"AC": {"type": "Mains", "online": "1"}}
GNOME = '#!\ncase "$3" in *type) echo "\'{0}\'";; *) echo {1};; esac'
UPS_SAYS = "battery.charge: 100\\nbattery.runtime: {0}\\nups.status: {1}\\n"
UPS = '#!\ncase "$1" in -l) echo ups;; *) printf \'' + UPS_SAYS + "';; esac"


def smart(passed: bool, worn: int, rc: int = 0) -> str:
    said = json.dumps(
        {"smart_status": {"passed": passed}, "nvme_smart_health_information_log": {"percentage_used": worn}}
    )
    return f"#!\ncase \"$*\" in *--scan*) echo '{SCAN}';; *) echo '{said}'; exit {rc};; esac"


def battery(full: int) -> Setup:
    return supplies(BAT0={"type": "Battery", "energy_full": str(full), "energy_full_design": "100"})


def rows() -> dict[str, Row]:
    """By probe."""
    write = fault("ratio, below = 0")
    supply = fault("on_mains, is = false", warn="backup, is = 'none'")
    return {
        "memory.size": by_file(
            "/proc/meminfo", MEMORY.format(8_000_000, 5_000_000), MEMORY.format(8_000_000, 500_000),
            MEMORY.format(2_000_000, 500_000), fault("total, below = 4e9", warn="available, below = 1e9"),
        ),
        "cpu.cores": by_file(
            "/proc/cpuinfo", CPU.format(2600) * 4, CPU.format(1200) * 4, CPU.format(2600),
            fault("cores, below = 2", warn="speed, below = 1.9e9"),
        ),
        "os.build": by_file(
            "/etc/os-release", OS.format("debian", "12"), OS.format("debian", "11"), OS.format("plan9", "4"),
            fault("family, none_of = ['debian']", warn="version, version_below = '12'"),
        ),
        "os.support": by_file(
            "/etc/os-release", OS.format("debian", "12"), OS.format("debian", "11"), OS.format("debian", "10"),
            fault("days_left, below = 0", warn="days_left, below = 180"), ENDS,
        ),
        "os.virtual_machine": by_tool(
            "systemd-detect-virt", "#!\necho none; exit 1", "", "kvm", fault("virtual, is = true"),
        ),
        "os.sleep": by_tool(
            "gsettings", GNOME.format("nothing", 900), GNOME.format("suspend", 7200), GNOME.format("suspend", 900),
            fault("after, below = 60", warn="sleeps, is = true"),
            ok=Case(lambda w: script(w, "gsettings", GNOME.format("nothing", 900)[3:]), State.OK, None,
                    fault("sleeps, is = true")),
            locale="gsettings prints values, not words",
        ),
        "os.screensaver": by_tool(
            "gsettings", "uint32 0", "uint32 1800", "uint32 300", fault("blanks, is = true"),
            warn=Case(lambda w: w.tool("gsettings", "uint32 1800"), State.WARN, None, fault(warn="blanks, is = true")),
        ),
        "os.auto_update": by_tool(
            "apt-config", 'APT "";\nAPT::Periodic::Unattended-Upgrade "0";', "",
            'APT "";\nAPT::Periodic::Unattended-Upgrade "1";', fault("automatic, is = true"),
        ),
        "screen.size": by_tool(
            "xrandr", "Screen 0: minimum 8 x 8, current 1920 x 1080, maximum 99 x 99",
            "Screen 0: minimum 8 x 8, current 1366 x 768, maximum 99 x 99",
            "Screen 0: minimum 8 x 8, current 1024 x 768, maximum 99 x 99",
            fault("width, below = 1280", warn="width, below = 1900"),
        ),
        "disk.health": by_tool(
            "smartctl", smart(True, 3), smart(True, 95), smart(False, 3, 8),
            fault("healthy, is = false", warn="worn, above = 90"),
            locale="smartctl is asked for JSON",
        ),
        "disk.filesystem": by_file(
            "/proc/self/mountinfo", MOUNT.format("rw,relatime"), "", MOUNT.format("ro,relatime"),
            fault("writable, is = false", warn="kind, one_of = ['vfat']"),
            warn=Case(lambda w: w.file("/proc/self/mountinfo", MOUNT.format("rw").replace("ext4", "vfat")), State.WARN),
        ),
        "disk.free": Row(
            fault("ratio, below = 0"),
            {
                "ok": Case(nothing, State.OK),
                "warn": Case(nothing, State.WARN, None, fault(warn="ratio, below = 1e9")),
                "fail": Case(nothing, State.FAIL, None, fault("ratio, below = 1e9")),
                "absent": Case(
                    lambda w: setattr(w, "context", w.context._replace(
            day=None, point=w.context.point.model_copy(update={"days": ()}))),
                    State.SKIP, Reason.NO_PLAN),
                **dict.fromkeys(("denied", "timeout", "garbage"), "the kernel's own count of free blocks"),
                "locale": NO_WORDS,
            },
        ),
        "disk.write_speed": Row(
            write,
            {
                "ok": Case(nothing, State.OK),
                "warn": Case(nothing, State.WARN, None, fault(warn="ratio, below = 1e9")),
                "fail": Case(nothing, State.FAIL, None, fault("ratio, below = 1e9")),
                "absent": Case(lambda w: setattr(w, "context", w.context._replace(home=Home.at(Path("/proc/nowhere")))),
                               State.UNKNOWN, Reason.ERROR),
                "denied": "no folder is closed to the tests' user",
                "timeout": "it stops by itself after two seconds",
                "garbage": NO_PROGRAM,
                "locale": NO_WORDS,
            },
            "{ megabytes = 1 }",
        ),
        "disk.carrier": Row(
            fault("there, is = false", warn="separate, is = false"),
            {
                "ok": Case(nothing, State.OK, args='{ folder = "/dev/shm" }'),
                "warn": Case(nothing, State.WARN, args='{ folder = "/tmp" }'),
                "fail": Case(nothing, State.FAIL),
                "absent": Case(nothing, State.FAIL),
                "denied": "no folder is closed to the tests' user",
                "timeout": "the runner's own limit; see test_runner_deadlines",
                "garbage": NO_PROGRAM,
                "locale": NO_WORDS,
            },
            '{ folder = "/media/no-such-carrier" }',
        ),
        "power.supply": Row(
            supply,
            {
                "ok": Case(supplies(**LAPTOP, BAT0={"type": "Battery", "status": "Full"}), State.OK),
                "warn": Case(lambda w: w.file("/sys/class/dmi/id/chassis_type", "3"), State.WARN),
                "fail": Case(supplies(BAT0={"type": "Battery", "status": "Discharging"}), State.FAIL),
                "absent": Case(nothing, State.UNKNOWN, Reason.ERROR),
                "denied": Case(spoilt("/sys/class/power_supply/B/type", "denied"), State.UNKNOWN, Reason.ERROR),
                "timeout": Case(spoilt("/sys/class/power_supply/B/type", "timeout"), State.UNKNOWN, Reason.TIMEOUT),
                "garbage": Case(supplies(B={"type": "Battery", "status": "\x7f?"}), State.UNKNOWN, Reason.ERROR),
                "locale": NO_WORDS,
            },
        ),
        "power.battery": Row(
            fault("health, below = 30", warn="health, below = 60"),
            {
                "ok": Case(battery(90), State.OK),
                "warn": Case(battery(50), State.WARN),
                "fail": Case(battery(20), State.FAIL),
                "absent": Case(nothing, State.UNKNOWN, Reason.ERROR),
                "denied": Case(spoilt("/sys/class/power_supply/BAT0/energy_full", "denied", battery(90)),
                               State.UNKNOWN, Reason.ERROR),
                "timeout": Case(spoilt("/sys/class/power_supply/BAT0/energy_full", "timeout", battery(90)),
                                State.UNKNOWN, Reason.TIMEOUT),
                "garbage": Case(spoilt("/sys/class/power_supply/BAT0/energy_full", "garbage", battery(90)),
                                State.UNKNOWN, Reason.ERROR),
                "locale": NO_WORDS,
            },
        ),
        "power.ups": by_tool(
            "upsc", UPS.format(2400, "OL CHRG"), UPS.format(900, "OL"), UPS.format(2400, "OB DISCHRG"),
            fault("on_line, is = false", warn="runtime, below = 20"),
            locale="upsc prints names of variables, not words",
        ),
    }  # fmt: skip
