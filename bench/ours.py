"""The kit's engine as a process: `python -I -S bench/ours.py FILE.json` checks once, with `--serve` at every line of
input.

It has what an exam station has: the standard library, and a profile that was examined when it was written out; it is
started as the stick's launcher starts it.
"""

from __future__ import annotations

import gc
import json
import os
import sys
from typing import Any, cast

if "--serve" not in sys.argv:
    gc.disable()  # as the stick's launcher: a check makes little garbage, and looking for it takes a tenth of its time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

import bench.generic_probes  # noqa: F401 - registers them
from exam_kit.checks.model import EXIT_CODES, Check, Expectation, Severity, Verdict
from exam_kit.checks.runner import run_checks
from exam_kit.checks.site import CheckContext

__all__ = ["main"]


class Profile:
    """The examined profile, read back."""

    def __init__(self, data: dict[str, Any]) -> None:
        self.name, self.hash, self.budget_s = data["name"], data["hash"], data["budget_s"]
        self.role = None
        self.picture: dict[str, float] = {}
        self.checks = tuple(
            Check(
                **{
                    **one,
                    "expect": Expectation.from_dict(one["expect"]),
                    "severity": Severity(one["severity"]),
                    "roles": tuple(one["roles"]),
                }
            )
            for one in data["checks"]
        )


class NoStore:
    """Nothing is kept; goss and testinfra keep nothing either."""

    def close(self) -> None:
        """There is nothing to close."""


def main() -> int:
    """Check once, or as often as asked; the exit code of the last run."""
    with open(sys.argv[1], encoding="utf-8") as written:
        profile: Any = Profile(json.load(written))
    nothing = cast(Any, None)
    context = CheckContext(nothing, nothing, cast(Any, NoStore()), nothing)
    for _line in sys.stdin if "--serve" in sys.argv else [""]:
        run = run_checks(profile, context)
        for result in run.results:
            print(f"{result.state.value:<8} {result.check} {result.fact.reason or ''}")
        print(f"verdict {run.verdict}", flush=True)
    return EXIT_CODES[run.verdict or Verdict.INCOMPLETE]


if __name__ == "__main__":
    ended = main()
    sys.stdout.flush()
    os._exit(ended)  # as the stick's launcher: a thread that hangs holds up nothing, and there is nothing to clear away
