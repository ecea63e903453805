"""`start.py` before anything is installed: old Pythons, words, languages, what failures are called."""

from __future__ import annotations

import ast
import os
import re
import string
import subprocess
import sys
from pathlib import Path

import pytest

from exam_kit.home import kit_root
from exam_kit.point import Zone, load_point, zone_windows
from tools.install import environment, gate, main, messages, pip, stamp, system, wheels

ROOT = kit_root()


def start(*arguments: str, language: str = "en_US.UTF-8", **extra: str) -> subprocess.CompletedProcess[str]:
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("LC_", "LANG", "EXAM_KIT"))}
    return subprocess.run(
        [sys.executable, str(ROOT / "start.py"), *arguments],
        env={**environment, "LANG": language, **extra},
        capture_output=True,
        encoding="utf-8",
        check=False,
    )


def test_start_py_has_no_syntax_that_python_2_cannot_read() -> None:
    text = (ROOT / "start.py").read_text(encoding="utf-8")
    assert "coding: utf-8" in text.splitlines()[1]
    for node in ast.walk(ast.parse(text)):
        assert not isinstance(node, ast.JoinedStr | ast.AnnAssign | ast.NamedExpr | ast.Match | ast.AsyncFunctionDef)
        if isinstance(node, ast.FunctionDef):
            assert node.returns is None
            assert not any(argument.annotation for argument in node.args.args)
        if isinstance(node, ast.ImportFrom):
            assert node.module != "__future__"


@pytest.mark.parametrize(
    ("language", "part"), [("ru_RU.UTF-8", "слишком старый"), ("lv_LV", "pārāk veca"), ("C", "слишком")]
)
def test_an_old_python_gets_one_line(language: str, part: str) -> None:
    program = (
        "import sys, runpy; sys.version_info = (3, 6, 9, 'final', 0); sys.argv = ['start.py']; "
        f"runpy.run_path({str(ROOT / 'start.py')!r}, run_name='__main__')"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={"PATH": os.environ["PATH"], "LANG": language, "SYSTEMROOT": os.environ.get("SYSTEMROOT", "")},
        capture_output=True,
        check=False,
    )
    said = done.stderr.decode()
    assert done.returncode == messages.EXIT["python_new"] == 50
    assert part in said
    assert len(said.splitlines()) == 1


@pytest.mark.parametrize(
    "words",
    [["--colour"], ["--port", "many"], ["wheels", "--python", "three"], ["wheels", "--platform", "amiga"], ["go"]],
)
def test_words_that_do_not_fit_are_answered_in_one_line(words: list[str]) -> None:
    done = start(*words)
    assert done.returncode == 2
    assert "--help" in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("language", "part"), [("ru_RU.UTF-8", "установка"), ("en_GB", "set up"), ("lv_LV", "uzstādīšana")]
)
def test_help_speaks_the_persons_language(language: str, part: str) -> None:
    assert part in start("--help", language=language).stdout


def test_every_text_is_there_in_three_languages_with_the_same_fields() -> None:
    for key, texts in messages.TEXTS.items():
        assert set(texts) == {"ru", "en", "lv"}, key
        fields = {
            language: {field for _text, field, *_rest in string.Formatter().parse(text) if field}
            for language, text in texts.items()
        }
        assert fields["ru"] == fields["en"] == fields["lv"], key


def test_every_fault_has_a_text_and_a_documented_exit_code() -> None:
    documented = (ROOT / "docs" / "exit-codes.md").read_text(encoding="utf-8")
    for key, code in messages.EXIT.items():
        assert key in messages.TEXTS
        assert re.search(rf"\| {code} \|", documented), (key, code)


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({"LANG": "lv_LV.UTF-8"}, "lv"),
        ({"LANG": "en_US.UTF-8", "LC_ALL": "ru_RU"}, "ru"),
        ({"LANG": "en_US.UTF-8", "EXAM_KIT_LANGUAGE": "lv"}, "lv"),
        ({"LANG": "de_DE.UTF-8"}, "ru"),
        ({"LANG": "C.UTF-8"}, "ru"),
    ],
)
def test_the_language_is_chosen_by_the_locale(environment: dict[str, str], expected: str) -> None:
    assert messages.choose_language(environment) == expected


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device", ("disk_full", "")),
        (
            "ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE.\n"
            "    rfc8785==0.1.4 from file:///x/rfc8785-0.1.4-py3-none-any.whl:\n        Expected sha256 aa\n",
            ("hash", "rfc8785"),
        ),
        (
            "WARNING: Retrying: NewConnectionError('[Errno -3] Temporary failure in name resolution')\n"
            "ERROR: Could not find a version that satisfies the requirement altair==6.3.0 (from versions: none)\n"
            "ERROR: No matching distribution found for altair==6.3.0",
            ("network", "altair"),
        ),
        ("ERROR: No matching distribution found for av==18.1.0", ("no_wheel", "av")),
        ("SSLError(SSLCertVerificationError(1, '[SSL: CERTIFICATE_VERIFY_FAILED]'))", ("certificate", "")),
        ("ERROR: Could not install packages due to an OSError: [Errno 13] Permission denied: '/x'", ("permission", "")),
        ("ERROR: something new", ("failed", "")),
    ],
)
def test_pip_is_understood(said: str, expected: tuple[str, str]) -> None:
    assert pip.diagnose(said) == expected


@pytest.mark.parametrize(
    ("said", "linked", "libraries", "packages"),
    [
        ("ImportError: libGL.so.1: cannot open shared object file: No such", "", ["libGL.so.1"], ["libgl1"]),
        (
            "ImportError: libgthread-2.0.so.0: cannot open shared object file",
            "\tlibglib-2.0.so.0 => not found\n\tlibxcb-shm.so.0 => not found\n\tlibm.so.6 => /lib/libm.so.6 (0x1)\n",
            ["libglib-2.0.so.0", "libgthread-2.0.so.0", "libxcb-shm.so.0"],
            ["libglib2.0-0", "libxcb-shm0"],
        ),
        (
            "ImportError: libX11.so.6: cannot open shared object file",
            "\tlibSM.so.6 => not found",
            ["libSM.so.6", "libX11.so.6"],
            ["libsm6", "libx11-6"],
        ),
        ("ImportError: bad magic number", "", [], []),
    ],
)
def test_missing_libraries_become_packages(said: str, linked: str, libraries: list[str], packages: list[str]) -> None:
    missing = system.missing_libraries(said, linked)
    assert missing == libraries
    assert system.packages_for(missing) == packages


@pytest.mark.parametrize(
    ("line", "counted"),
    [
        ("===== 12 passed in 3.20s =====", {"passed": 12}),
        (
            "\x1b[31m== \x1b[1m2 failed\x1b[0m, 10 passed, 1 warning, 3 errors in 62.01s (0:01:02) ==\x1b[0m",
            {"failed": 2, "passed": 10, "error": 3},
        ),
        ("== 1 skipped in 0.10s ==", {"skipped": 1}),
        ("no tests ran in 0.01s", {}),
        ("FAILED tests/unit/test_x.py::test_it - 3 passed the door", {}),
        ("tests/unit/test_start.py ....", {}),
    ],
)
def test_the_closing_line_of_pytest_is_counted(line: str, counted: dict[str, int]) -> None:
    assert gate.tally(line + "\n") == counted


HELD_UP_ONCE = """
import pathlib
def test_b():
    mark = pathlib.Path("mark")
    seen = mark.exists()
    mark.touch()
    assert seen
"""


@pytest.mark.parametrize(
    ("screens", "good", "counted"),
    [
        (HELD_UP_ONCE, True, {"passed": 4}),
        ("\n".join(f"def test_{n}(): assert False" for n in range(5)), False, {"passed": 3, "failed": 5}),
    ],
)
def test_a_few_tests_get_a_second_try(screens: str, good: bool, counted: dict[str, int], tmp_path: Path) -> None:
    empty = "def test_a(): pass"
    for folder, text in (("unit", empty), ("property", empty), ("faults", empty), ("ui", screens)):
        (tmp_path / "tests" / folder).mkdir(parents=True)
        (tmp_path / "tests" / folder / f"test_{folder}.py").write_text(text)
    passed, counts = gate.run_tests(tmp_path, Path(sys.executable))
    assert (passed, +counts) == (good, counted)


def test_an_environment_is_finished_only_with_a_fitting_stamp(tmp_path: Path) -> None:
    for name in (stamp.LOCK, stamp.TEST_LOCK, "pyproject.toml"):
        (tmp_path / name).write_text(name)
    python = stamp.python_in(stamp.folder(tmp_path))
    python.parent.mkdir(parents=True)
    python.touch()
    assert not stamp.made(tmp_path)
    stamp.Stamp.wanted(tmp_path, loads=False).write(tmp_path)
    assert stamp.made(tmp_path), "a missing library of the system is no reason to fetch everything again"
    assert not stamp.finished(tmp_path)
    stamp.Stamp.wanted(tmp_path).write(tmp_path)
    assert stamp.finished(tmp_path)
    assert not stamp.finished(tmp_path, tests=True)
    stamp.Stamp.wanted(tmp_path, tests=True).write(tmp_path)
    assert stamp.finished(tmp_path)
    assert stamp.finished(tmp_path, tests=True)
    (tmp_path / stamp.LOCK).write_text("another")
    assert not stamp.finished(tmp_path)
    stamp.Stamp.path(tmp_path).write_text("{half")
    assert not stamp.finished(tmp_path)
    stamp.Stamp.wanted(tmp_path).write(tmp_path)
    moved = tmp_path.with_name(f"{tmp_path.name} перенесён")
    tmp_path.rename(moved)
    assert not stamp.finished(moved), "the scripts of a moved environment point to the old place"


def test_what_pip_says_goes_to_the_log_without_credentials(tmp_path: Path) -> None:
    log = tmp_path / "logs" / "setup.log"
    with pytest.raises(pip.PipFailed) as caught:
        pip.Pip(Path(sys.executable), log).run(
            "install", "--retries", "0", "--no-index", "--find-links", "http://u:pa55@127.0.0.1:9/", "nothing-such"
        )
    assert caught.value.key in ("no_wheel", "network")
    assert caught.value.package == "nothing-such"
    assert "pa55" not in log.read_text(encoding="utf-8")


def test_the_pythons_named_are_those_of_the_project() -> None:
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    major, minor = main.NEWEST
    assert f'requires-python = ">=3.11,<{major}.{minor + 1}"' in project


def test_this_machine_is_a_platform_wheels_can_be_gathered_for() -> None:
    assert wheels.Target(environment.this_platform(), "3.12").pip_options()


def test_the_sample_point_is_accepted() -> None:
    point = load_point(ROOT / "docs" / "point.example.toml")
    assert {point.zone_of(camera) for camera in point.cameras} == set(Zone)
    own, common = (zone_windows(point, point.days[index])[Zone.ROOM] for index in (2, 0))
    assert own.end - own.start > common.end - common.start
