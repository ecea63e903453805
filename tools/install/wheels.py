"""Filling `wheels/` for a laptop without internet, also for another kind of machine than this one."""

from __future__ import annotations

import contextlib
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tools.install.environment import explained, make_venv, this_platform
from tools.install.lockfile import PLATFORMS
from tools.install.messages import SetupError, say
from tools.install.pip import Pip, PipFailed, log_file
from tools.install.programs import ask, last_line
from tools.install.stamp import LOCK, finished, folder, python_in
from tools.install.system import need_venv

__all__ = ["Target", "fill", "here"]


@dataclass(frozen=True)
class Target:
    """A kind of machine and its Python, for example win_amd64 with 3.12."""

    platform: str
    python: str

    def pip_options(self) -> list[str]:
        tags = [word for tag in PLATFORMS[self.platform].tags for word in ("--platform", tag)]
        return [*tags, "--python-version", self.python, "--implementation", "cp"]


def here() -> Target:
    """This machine."""
    platform = this_platform()
    if platform not in PLATFORMS:
        raise SetupError("usage", words=f"--platform ({platform}; {', '.join(PLATFORMS)})")
    return Target(platform, f"{sys.version_info.major}.{sys.version_info.minor}")


def fill(root: Path, targets: Sequence[Target]) -> None:
    """Download every package the lock needs on each target, then prove that pip can install from the folder alone.

    Raises:
        SetupError: something could not be fetched, or the folder is not whole.
    """
    wheels = root / "wheels"
    try:
        wheels.mkdir(exist_ok=True)
    except OSError as problem:
        raise SetupError("permission", path=wheels, reason=problem.strerror or problem) from problem
    with _python_with_pip(root) as python, tempfile.TemporaryDirectory(prefix="exam-kit-wheels-") as scratch:
        pip = Pip(python, log_file(root))
        for target in targets:
            lines = _needed(root, python, target)
            # The markers are gone from this file: pip would evaluate them for the machine it runs on.
            wanted = Path(scratch) / "requirements.txt"
            wanted.write_text("\n".join(lines) + "\n", encoding="utf-8")
            say("wheels_for", count=len(lines), platform=target.platform, python=target.python)
            common = ["--no-deps", "--only-binary=:all:", "--require-hashes", "-r", str(wanted), *target.pip_options()]
            try:
                pip.run("download", *common, "--dest", str(wheels), count=len(lines))
                offline = ["--no-index", "--find-links", str(wheels), "--dry-run", "--target", scratch]
                pip.run("install", *common, *offline)
            except PipFailed as problem:
                raise explained(problem, root, log_file(root), target.platform, target.python) from problem
            say("wheels_whole", count=len(lines), platform=target.platform, python=target.python, folder=wheels)
    files = sorted(wheels.glob("*.whl"))
    size = sum(path.stat().st_size for path in files)
    say("wheels_done", folder=wheels, count=len(files), megabytes=round(size / 2**20))


@contextlib.contextmanager
def _python_with_pip(root: Path) -> Iterator[Path]:
    """The kit's own environment when it is finished, else one for the moment."""
    if finished(root) or finished(root, tests=True):
        yield python_in(folder(root))
        return
    need_venv()
    with tempfile.TemporaryDirectory(prefix="exam-kit-pip-") as made:
        make_venv(Path(made))
        yield python_in(Path(made))


def _needed(root: Path, python: Path, target: Target) -> list[str]:
    command = [str(python), "-m", "tools.install.lockfile", str(root / LOCK), target.platform, target.python]
    done = ask(command, cwd=root)
    if done.returncode != 0:
        raise SetupError("failed", step=LOCK, reason=last_line(done.stderr), log=root / LOCK)
    return done.stdout.splitlines()
