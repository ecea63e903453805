"""Rows of the matrix: the kit itself: its ledger, people, passwords, backups, a point's own checks."""

from __future__ import annotations

from exam_kit.checks import Reason, State
from exam_kit.store import Role
from tests.checks_matrix import CASES, ERRORS, Case, Row, fault, nothing
from tests.matrix.setups import (
    NO_MIDDLE,
    NO_WORDS,
    OWN,
    backup,
    changed_ledger,
    checkpointed,
    entry,
    garbled_checkpoint,
    garbled_key,
    garbled_store,
    key_of_mode,
    no_key,
    no_store,
    one_camera_without_user,
    passwords,
    people,
)


def rows() -> dict[str, Row]:
    """By probe."""
    return {
        "ledger.whole": Row(
            fault("whole, is = false"),
            {
                "ok": Case(entry, State.OK),
                "warn": NO_MIDDLE,
                "fail": Case(changed_ledger, State.FAIL),
                "absent": Case(no_store, State.UNKNOWN, Reason.ERROR),
                "denied": OWN,
                "timeout": OWN,
                "garbage": Case(garbled_store, State.FAIL),
                "locale": NO_WORDS,
            },
        ),
        "ledger.key": Row(
            fault("usable, is = false", warn="private, is = false"),
            {
                "ok": Case(key_of_mode(0o600), State.OK),
                "warn": Case(key_of_mode(0o644), State.WARN),
                "fail": Case(garbled_key, State.FAIL),
                "absent": Case(no_key, State.FAIL),
                "denied": OWN,
                "timeout": OWN,
                "garbage": Case(garbled_key, State.FAIL),
                "locale": NO_WORDS,
            },
        ),
        "ledger.checkpoint": Row(
            fault("kept_outside, is = false", warn="age, above = 24"),
            {
                "ok": Case(checkpointed(1), State.OK),
                "warn": Case(checkpointed(30), State.WARN),
                "fail": Case(entry, State.FAIL),
                "absent": Case(entry, State.FAIL),
                "denied": OWN,
                "timeout": OWN,
                "garbage": Case(garbled_checkpoint, State.UNKNOWN, Reason.ERROR),
                "locale": NO_WORDS,
            },
        ),
        "kit.version": Row(
            fault("version, version_below = '0.0.1'"),
            {
                "ok": Case(nothing, State.OK),
                "warn": Case(nothing, State.WARN, None, fault(warn="version, version_below = '99'")),
                "fail": Case(nothing, State.FAIL, None, fault("version, version_below = '99'")),
                **dict.fromkeys(ERRORS, "the version is a part of the program"),
                "locale": NO_WORDS,
            },
        ),
        "kit.people": Row(
            fault("specialists, below = 1", warn="confirming, below = 1"),
            {
                "ok": Case(people(Role.SPECIALIST, Role.COMMISSION_MEMBER), State.OK),
                "warn": Case(people(Role.SPECIALIST), State.WARN),
                "fail": Case(nothing, State.FAIL),
                **dict.fromkeys(ERRORS, OWN),
                "locale": NO_WORDS,
            },
        ),
        "kit.passwords": Row(
            fault("missing, above = 0"),
            {
                "ok": Case(passwords, State.OK),
                "warn": NO_MIDDLE,
                "fail": Case(nothing, State.FAIL),
                "absent": Case(one_camera_without_user, State.SKIP, Reason.NOT_REQUIRED),
                "denied": OWN,
                "timeout": OWN,
                "garbage": Case(lambda w: w.context.home.secrets.write_text("garbage"), State.UNKNOWN,
                                Reason.ERROR),
                "locale": NO_WORDS,
            },
        ),
        "backup.age": Row(
            fault("backups, below = 1", warn="age, above = 72"),
            {
                "ok": Case(backup(5), State.OK),
                "warn": Case(backup(100), State.WARN),
                "fail": Case(backup(5, ""), State.FAIL),
                "absent": Case(nothing, State.FAIL),
                "denied": "no folder is closed to the tests' user",
                "timeout": "the runner's own limit; see test_runner_deadlines",
                "garbage": Case(lambda w: (w.context.home.root / "backups").write_text("x"), State.UNKNOWN,
                                Reason.ERROR),
                "locale": NO_WORDS,
            },
            '{ folder = "backups" }',
        ),
        "own.file": Row(
            "",
            {
                **dict.fromkeys(CASES, "it stands for a file that cannot be used, and says nothing else"),
                "garbage": Case(nothing, State.UNKNOWN, Reason.ERROR),
            },
            '{ file = "checks/own.py", said = "line 3: invalid syntax" }',
        ),
        "manual.confirm": Row("", {"ok": Case(nothing, State.PENDING), **dict.fromkeys(CASES[1:], "a person answers")}),
    }  # fmt: skip
