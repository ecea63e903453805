"""Rows of the matrix: what is plugged in, and cameras that are asked without a look."""

from __future__ import annotations

from exam_kit.checks import Reason, State
from tests.checks_matrix import Case, Row, by_tool, fault, nothing
from tests.matrix.setups import (
    NO_WORDS,
    OWN,
    camera_clock,
    garbled_camera,
    one_camera,
    silent_camera,
    spoilt,
    usb,
    view,
    walk,
)

PRINTER = "printer HP {0}.  enabled since Thu May 28 07:00:00 2026\nsystem default destination: HP"


def rows() -> dict[str, Row]:
    """By probe."""
    foreign = fault("foreign, above = 0", warn="drives, below = 2")
    tokens = fault("tokens, below = 1", warn="tokens, below = 2")
    token, other = ("0a89:0030", "", False), ("046d:c31c", "", False)
    drive, second, stranger = (("0951:1666", name, True) for name in ("A1", "B2", "X9"))
    bus = "/sys/bus/usb/devices/1-0/idVendor"
    usb_errors: dict[str, Case | str] = {
        "absent": Case(nothing, State.UNKNOWN, Reason.TOOL_ABSENT),
        "denied": Case(spoilt(bus, "denied", usb()), State.UNKNOWN, Reason.DENIED),
        "timeout": Case(spoilt(bus, "timeout", usb()), State.UNKNOWN, Reason.TIMEOUT),
        "garbage": Case(spoilt(bus, "garbage", usb()), State.UNKNOWN, Reason.ERROR),
        "locale": NO_WORDS,
    }
    return {
        "printer.ready": by_tool(
            "lpstat", PRINTER.format("is idle"), PRINTER.format("is idle"),
            PRINTER.format("disabled since Thu May 28 06:00:00 2026 -\n\tPaper jam"),
            fault("printers, below = 1", "stopped, above = 0"),
            warn=Case(lambda w: w.tool("lpstat", PRINTER.format("is idle")), State.WARN, None,
                      fault("stopped, above = 0", warn="printers, below = 2")),
        ),
        "printer.queue": by_tool(
            "lpstat", "", "HP-12  ivanov  1024  Thu May 28 07:00:00 2026",
            "HP-12  ivanov  1024  Thu May 28\nHP-13  ivanov  99  Thu May 28",
            fault("jobs, above = 1", warn="jobs, above = 0"),
        ),
        "scanner.found": by_tool(
            "scanimage", "genesys:libusb:001:004\tCanon LiDE 220", "", "v4l:/dev/video0\tNoname Webcam",
            fault("scanners, below = 1"),
        ),
        "usb.tokens": Row(
            tokens,
            {
                "ok": Case(usb(token, token), State.OK),
                "warn": Case(usb(token, other), State.WARN),
                "fail": Case(usb(other), State.FAIL),
                **usb_errors,
            },
            '{ models = ["0a89:*"] }',
        ),
        "usb.storage": Row(
            foreign,
            {
                "ok": Case(usb(drive, second, token), State.OK),
                "warn": Case(usb(drive), State.WARN),
                "fail": Case(usb(drive, stranger), State.FAIL),
                **usb_errors,
            },
            '{ allowed = ["A1", "B2"] }',
        ),
        "camera.view": Row(
            fault("approved, is = false", warn="standing, is_not = 'good'"),
            {
                "ok": Case(view(1), State.OK),
                "warn": Case(view(3), State.WARN),
                "fail": Case(one_camera, State.FAIL),
                "absent": Case(one_camera, State.FAIL),
                "denied": OWN,
                "timeout": OWN,
                "garbage": Case(view(1, altered=True), State.WARN),
                "locale": NO_WORDS,
            },
        ),
        "camera.walked": Row(
            fault("walked, is = false", warn="age, above = 2"),
            {
                "ok": Case(walk(1), State.OK),
                "warn": Case(walk(3), State.WARN),
                "fail": Case(walk(1, moved=False), State.FAIL),
                "absent": Case(one_camera, State.UNKNOWN, Reason.ERROR),
                "denied": OWN,
                "timeout": OWN,
                "garbage": "only the kit writes its ledger",
                "locale": NO_WORDS,
            },
        ),
        "camera.clock": Row(
            fault("offset, above = 60", warn="offset, above = 5"),
            {
                "ok": Case(camera_clock(0), State.OK),
                "warn": Case(camera_clock(-20), State.WARN),
                "fail": Case(camera_clock(3600), State.FAIL),
                "absent": Case(lambda w: one_camera(w, "http://127.0.0.1:9/x.ts"), State.UNKNOWN, Reason.ERROR),
                "denied": "a camera tells its time with every answer, a refusal too",
                "timeout": Case(silent_camera, State.UNKNOWN, Reason.TIMEOUT),
                "garbage": Case(garbled_camera, State.UNKNOWN, Reason.ERROR),
                "locale": NO_WORDS,
            },
        ),
    }  # fmt: skip
