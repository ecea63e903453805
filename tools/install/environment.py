"""Making the virtual environment beside the kit.

Without a fitting stamp it is made anew: an interrupted pip can leave a package that looks installed and is not, so
mending in place would be guessing.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from tools.install.messages import SetupError, say
from tools.install.pip import Pip, PipFailed, log_file
from tools.install.programs import ask, last_line
from tools.install.stamp import LOCK, TEST_LOCK, Stamp, finished, folder, made, python_in
from tools.install.system import mend_libraries, need_venv

__all__ = ["ensure", "explained", "has_wheels", "make_venv", "this_platform", "wheels_command"]

NEEDED_MB = {LOCK: 1600, TEST_LOCK: 400}
"""Free space an installation needs, download and unpacking included."""

FROM_SOURCE = ("bagit==",)
"""The Library of Congress publishes its validator as source only. It serves the tests, not the product."""

NO_SPACE = 28


def has_wheels(root: Path) -> bool:
    """True when a `wheels/` folder with packages lies beside the kit."""
    return any((root / "wheels").glob("*.whl"))


def this_platform() -> str:
    """This kind of machine, as `start.py wheels --platform` names it."""
    if sys.platform == "win32":
        return "win_" + os.environ.get("PROCESSOR_ARCHITECTURE", "amd64").lower()
    return f"{sys.platform}_{os.uname().machine}"


def wheels_command(platform: str = "", python: str = "") -> str:
    """The command that fills `wheels/`, by default for a machine like this one."""
    version = python or f"{sys.version_info.major}.{sys.version_info.minor}"
    return f"python3 start.py wheels --platform {platform or this_platform()} --python {version}"


def ensure(root: Path, *, tests: bool = False) -> Path:
    """The environment's interpreter, everything it needs installed; with `tests` the test tools too.

    Raises:
        SetupError: it cannot be made; says why and the way out.
    """
    python = python_in(folder(root))
    if finished(root, tests=tests):
        return python
    _need_writable(root)
    with _only_one(root) as held:
        if finished(root, tests=tests):
            return python
        log = log_file(root)
        with contextlib.suppress(OSError):
            log.unlink(missing_ok=True)
        started = time.monotonic()
        try:
            _install(root, Pip(python, log, held), tests)
        except PipFailed as problem:
            raise explained(problem, root, log) from problem
        say("ready", seconds=round(time.monotonic() - started))
    return python


def _install(root: Path, pip: Pip, tests: bool) -> None:
    if not made(root):
        _need_space(root, NEEDED_MB[LOCK])
        _remake(root)
        _install_product(root, pip)
        # The kit itself stays where it is. No index and no isolation: setuptools comes from the lock.
        pip.run("install", "--no-index", "--no-deps", "--no-build-isolation", "-e", str(root), cwd=root)
        Stamp.wanted(root, loads=False).write(root)
    if not finished(root):
        mend_libraries(pip.python)
        Stamp.wanted(root).write(root)
    if tests:
        _need_space(root, NEEDED_MB[TEST_LOCK])
        Stamp.remove(root)
        _install_tests(root, pip)
        Stamp.wanted(root, tests=True).write(root)


def _remake(root: Path) -> None:
    venv = folder(root)
    need_venv()
    if venv.exists() or venv.is_symlink():
        say("mending", folder=venv)
        try:
            Stamp.remove(root)
            if venv.is_symlink() or venv.is_file():
                venv.unlink()
            else:
                shutil.rmtree(venv)
        except OSError as problem:
            key = "venv_busy" if os.name == "nt" else "permission"
            raise SetupError(key, path=venv, reason=problem.strerror or problem) from problem
    else:
        say("making", folder=venv)
    make_venv(venv)


def make_venv(venv: Path) -> None:
    """A new environment with pip and nothing else.

    Raises:
        SetupError: Python could not make it.
    """
    done = ask([sys.executable, "-I", "-m", "venv", str(venv)])
    if done.returncode != 0:
        said = done.stderr + done.stdout
        if "No space left" in said:
            raise SetupError("disk_full", path=venv, free=_free_mb(venv.parent), need=NEEDED_MB[LOCK])
        raise SetupError("failed", step="venv", reason=last_line(said) or done.returncode, log=venv)


def _install_product(root: Path, pip: Pip) -> None:
    arguments = ["install", "--require-hashes", "--only-binary=:all:", "-r", str(root / LOCK)]
    count, wheels = len(_lines(root, pip.python, LOCK)), root / "wheels"
    if has_wheels(root):
        say("installing_wheels", count=count, folder=wheels)
        pip.run(*arguments, "--no-index", "--find-links", str(wheels), count=count)
    else:
        say("installing_index", count=count)
        pip.run(*arguments, count=count)


def _install_tests(root: Path, pip: Pip) -> None:
    """The test tools, always from the index: whoever runs the tests has one."""
    lines = _lines(root, pip.python, TEST_LOCK)
    say("installing_index", count=len(lines))
    with tempfile.TemporaryDirectory(prefix="exam-kit-tests-") as scratch:
        for source in (False, True):
            chosen = [line for line in lines if line.startswith(FROM_SOURCE) is source]
            wanted = Path(scratch) / "requirements.txt"
            wanted.write_text("\n".join(chosen) + "\n", encoding="utf-8")
            how = ["--no-build-isolation", "--no-binary=:all:"] if source else ["--only-binary=:all:"]
            pip.run("install", "--no-deps", "--require-hashes", *how, "-r", str(wanted), count=len(chosen))


def _lines(root: Path, python: Path, lock: str) -> list[str]:
    """The requirements of the lock that this machine needs, without markers."""
    done = ask([str(python), "-m", "tools.install.lockfile", str(root / lock)], cwd=root)
    if done.returncode != 0:
        raise SetupError("failed", step=lock, reason=last_line(done.stderr), log=root / lock)
    return done.stdout.splitlines()


def explained(problem: PipFailed, root: Path, log: Path, platform: str = "", python: str = "") -> SetupError:
    """pip's failure in words for people; `platform` and `python` when it was not about this machine."""
    command = wheels_command(platform, python)
    match problem.key:
        case "disk_full":
            free = min(_free_mb(root), _free_mb(Path(tempfile.gettempdir())))
            return SetupError("disk_full", path=root, free=free, need=NEEDED_MB[LOCK])
        case "permission":
            return SetupError("permission", path=root, reason=problem.reason)
        case "hash":
            return SetupError("hash", package=problem.package or "pip", lock=LOCK, log=log)
        case "network" | "certificate":
            return SetupError(problem.key, command=command, log=log)
        case "no_wheel":
            return SetupError(
                "no_wheel",
                package=problem.package or "pip",
                platform=platform or this_platform(),
                python=python or ".".join(map(str, sys.version_info[:2])),
                command=command,
                log=log,
            )
    return SetupError("failed", step="pip", reason=problem.reason, log=log)


def _free_mb(place: Path) -> int:
    return shutil.disk_usage(place).free // 2**20


def _need_space(root: Path, megabytes: int) -> None:
    if (free := _free_mb(root)) < megabytes:
        raise SetupError("disk_full", path=root, free=free, need=megabytes)


def _need_writable(root: Path) -> None:
    try:
        with tempfile.TemporaryFile(dir=root) as probe:
            probe.write(b" ")
    except OSError as problem:
        if problem.errno == NO_SPACE:
            raise SetupError("disk_full", path=root, free=_free_mb(root), need=NEEDED_MB[LOCK]) from problem
        raise SetupError("permission", path=root, reason=problem.strerror or problem) from problem


@contextlib.contextmanager
def _only_one(root: Path) -> Iterator[int | None]:
    """One set-up at a time. The lock lies on start.py itself, so no file is left behind; it ends with its holder."""
    with (root / "start.py").open("rb") as target:
        try:
            _lock(target.fileno(), wait=False)
        except BlockingIOError:
            say("waiting")
            _lock(target.fileno(), wait=True)
        except OSError:
            # A network share without locks: go on, as two starts at once are rare there.
            yield None
            return
        yield target.fileno()


def _lock(descriptor: int, *, wait: bool) -> None:
    """Raises BlockingIOError when another process holds it and `wait` is false; OSError where there are no locks."""
    if sys.platform == "win32":
        import msvcrt

        # Far behind the end of the file: a locked byte of the script could not be read by the next start.
        os.lseek(descriptor, 2**30, os.SEEK_SET)
        while True:
            try:
                msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
                return
            except PermissionError as problem:
                if not wait:
                    raise BlockingIOError from problem
                time.sleep(1)
    else:
        import fcntl

        fcntl.flock(descriptor, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
