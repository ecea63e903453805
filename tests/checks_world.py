"""A machine made of files and little programs, and checks run on it."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from exam_kit.checks import CheckContext, Machine, Result, run_checks
from exam_kit.checks.profile import read_profile

REFUSES_ROOT_TOO = Path("/proc/sys/vm/compact_memory")
"""Write-only even for root, so that "access refused" can be tested by any user."""


class World:
    """A machine made of files, and the checks run on it."""

    def __init__(self, folder: Path, context: CheckContext) -> None:
        self.folder = folder
        self.bin = folder / "bin"
        self.bin.mkdir(parents=True)
        self.context = context._replace(machine=Machine("linux", folder, {"PATH": str(self.bin)}))

    def file(self, path: str, text: str) -> None:
        target = self.folder / path.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)

    def spoil(self, path: str, how: str) -> None:
        """Make a file absent, refused, silent (its reading never ends) or garbled."""
        target = self.folder / path.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.unlink(missing_ok=True)
        match how:
            case "denied":
                target.symlink_to(REFUSES_ROOT_TOO)
            case "timeout":
                os.mkfifo(target)
            case "garbage":
                target.write_bytes(b"\xff\xfe<html>502 Bad Gateway</html>\x00")

    def tool(self, name: str, how: str) -> None:
        """Put a program on the PATH: `how` is what it prints, or one of denied, timeout, refuses."""
        path = self.bin / name
        script = {
            "timeout": "exec /bin/sleep 60",
            "refuses": "echo 'Permission denied' >&2; exit 1",
            "fails": "echo 'cannot connect' >&2; exit 2",
        }.get(how, f"/bin/cat <<'END'\n{how}\nEND")
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(path.stat().st_mode | (0 if how == "denied" else stat.S_IXUSR))

    def check(self, probe: str, expect: str, args: str = "{}", timeout_s: float = 5.0) -> Result:
        """Run one check by one probe; `expect` in TOML's words."""
        texts = '{ ru = "т", en = "t", lv = "t" }'
        text = (
            f'season = "t"\nvalid_from = 2026-01-01\nsource = "t"\nbudget_s = 60\ntitle = {texts}\n'
            f'[[checks]]\nid = "it"\nprobe = "{probe}"\nargs = {args}\nseverity = "major"\ntimeout_s = {timeout_s}\n'
            f"{expect}\ntitle = {texts}\nfix = {texts}\n"
        )
        (result,) = run_checks(read_profile(text, "t"), self.context).results
        return result
