"""A point's own checks: files in `checks/` of its home, loaded by path. A broken one costs its own checks only."""

from __future__ import annotations

import hashlib
import sys
import threading
import types
from contextvars import copy_context
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from exam_kit.checks.model import Fact, Reason
from exam_kit.checks.registry import Collected, Probe, adopt, broken_probes, collect, get_probe, load_probes, probe
from exam_kit.home import Home

__all__ = ["OWN_FILE_PROBE", "OwnFile", "own_files", "own_folder"]

LOADING_S = 10.0
"""A file that has not been read through by then is given up."""

OWN_FILE_PROBE = "own.file"

_lock = threading.Lock()
_loaded: dict[Path, OwnFile] = {}


@dataclass(frozen=True)
class OwnFile:
    """One file as it was loaded. `checks` are tables as in a profile; `fault` says why it cannot be used, or is ""."""

    path: Path
    digest: str
    checks: tuple[dict[str, Any], ...] = ()
    probes: tuple[str, ...] = ()
    fault: str = ""


@probe(OWN_FILE_PROBE)
def own_file(_at: object, *, file: str, said: str) -> Fact:
    """Stands for a file of the point's own that cannot be used: what it would have checked is not known."""
    return Fact.unknown(Reason.ERROR, file=file, said=said)


def own_folder(home: Home) -> Path:
    return home.root / "checks"


def own_files(home: Home) -> list[OwnFile]:
    """The point's own files, in the order of their names; each is loaded when new or changed. Never raises."""
    folder = own_folder(home)
    with _lock:
        there = sorted(path for path in folder.glob("*.py") if path.is_file()) if folder.is_dir() else []
        if there:  # so that a name that the kit or a package has is seen to be taken
            load_probes()
        for path in [path for path in _loaded if path not in there]:  # taken away, or another home's
            adopt(str(path), ())
            del _loaded[path]
        for path in there:
            _refresh(path)
        return [_loaded[path] for path in there]


def _refresh(path: Path) -> None:
    try:
        source = path.read_bytes()
    except OSError as problem:
        source, fault = b"", str(problem.strerror or problem)
    else:
        fault = ""
    digest = hashlib.sha256(source).hexdigest()
    known = _loaded.get(path)
    if known is not None and known.digest == digest and not fault:
        return
    found = Collected()
    if not fault:
        found, fault = _executed(path, source)
    if not fault and not found.probes:
        fault = "it registers neither a check nor a probe"
    if not fault:
        try:
            adopt(str(path), found.probes.values())
        except ValueError as problem:
            fault = str(problem)
    if fault:
        found = Collected()
        adopt(str(path), _stand_ins(path, source.decode("utf-8", "replace"), fault))
    _loaded[path] = OwnFile(path, digest, tuple(found.checks), tuple(found.probes), fault)


def _executed(path: Path, source: bytes) -> tuple[Collected, str]:
    """What the file registers, and why it cannot be used; in a thread, because a file may never end."""
    answer: list[tuple[Collected, str]] = []
    module = types.ModuleType(f"exam_kit_own.{path.stem}")
    module.__file__ = str(path)

    def execute() -> None:
        sys.modules[module.__name__] = module
        exec(compile(source, str(path), "exec"), module.__dict__)  # noqa: S102 - the point's own file is meant to run

    def work() -> None:
        try:
            answer.append((collect(execute), ""))
        except SyntaxError as problem:
            answer.append((Collected(), f"line {problem.lineno}: {problem.msg}"))
        except BaseException as problem:  # noqa: BLE001 - whatever a file does, the run goes on without it
            answer.append((Collected(), f"line {_line(problem, path)}: {type(problem).__name__}: {problem}"))

    thread = threading.Thread(target=copy_context().run, args=(work,), name=f"load {path.name}", daemon=True)
    thread.start()
    thread.join(LOADING_S)
    return answer[0] if answer else (Collected(), f"not read through within {LOADING_S:g} s")


def _line(problem: BaseException, path: Path) -> int:
    """The last line of the file that the fault went through."""
    line, trace = 1, problem.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == str(path):
            line = trace.tb_lineno
        trace = trace.tb_next
    return line


def _stand_ins(path: Path, source: str, fault: str) -> list[Probe]:
    """The broken probes of a file, without those whose names are taken."""
    ours = set(_loaded[path].probes) if path in _loaded else set()
    return [one for one in broken_probes(source, path.name, fault) if one.name in ours or _free(get_probe(one.name))]


def _free(there: Probe | None) -> bool:
    return there is None or bool(there.broken)
