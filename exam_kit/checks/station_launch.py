"""The few files by which the stick's folder is started. They must run where nothing of the kit is installed."""

from __future__ import annotations

__all__ = ["LAUNCHERS"]

_PYTHON = '''\
"""Exam Kit: check this computer as an exam station. python check_station.py [STATION] [--help]"""
import gc
import hashlib
import json
import os
import platform
import sys

gc.disable()  # a check makes little garbage, and looking for it takes a tenth of its time
if sys.version_info < (3, 11):
    sys.stderr.write("Python 3.11+ / Нужен Python 3.11 или новее / Vajadzīgs Python 3.11 vai jaunāks: README.txt\\n")
    sys.exit(50)
here = os.path.dirname(os.path.abspath(__file__))


def changed():
    """Files that are not as they were made, found before any of them is run."""
    with open(os.path.join(here, "kit.json"), encoding="utf-8") as source:
        listed = json.load(source)["files"]
    for name, digest in sorted(listed.items()):
        try:
            with open(os.path.join(here, *name.split("/")), "rb") as source:
                found = hashlib.sha256(source.read()).hexdigest()
        except OSError:
            found = ""
        if found != digest:
            yield name


try:
    wrong = list(changed())
except (OSError, ValueError, KeyError) as problem:
    wrong = ["kit.json: {}".format(problem)]
if wrong:
    sys.stderr.write(
        "ru: Файлы флешки изменены или утрачены; подготовьте её заново и проверьте компьютеры на вирусы: {0}\\n"
        "en: Files of the stick were changed or lost; make it again, and look for a virus: {0}\\n"
        "lv: Zibatmiņas datnes ir mainītas vai zudušas; sagatavojiet to no jauna un meklējiet vīrusu: {0}\\n".format(
            ", ".join(wrong[:5])
        )
    )
    sys.exit(11)
sys.dont_write_bytecode = True
packages = os.path.join(here, "packages")
sys.path[:0] = [
    os.path.join(here, "app"),
    os.path.join(packages, "any"),
    os.path.join(packages, "{}-{}".format(sys.platform, platform.machine().lower())),
]
from pathlib import Path  # noqa: E402

from exam_kit.checks.station_run import main  # noqa: E402

ended = main(Path(here))
sys.stdout.flush()
sys.stderr.flush()
os._exit(ended)  # everything is written; a probe that hangs in the kernel must not hold up the end
'''

_WINDOWS = """\
@echo off
chcp 65001 >nul
set "HERE=%~dp0"
if exist "%HERE%python\\python.exe" (
  "%HERE%python\\python.exe" -I -S "%HERE%check_station.py" %*
  goto end
)
where py >nul 2>nul
if not errorlevel 1 (
  py -3 -I -S "%HERE%check_station.py" %*
  goto end
)
python -I -S "%HERE%check_station.py" %*
:end
set "CODE=%ERRORLEVEL%"
if "%~1"=="" pause
exit /b %CODE%
"""

_UNIX = """\
#!/bin/sh
# Exam Kit: check this computer as an exam station. Also: sh check_station.sh STATION
here=$(cd "$(dirname "$0")" && pwd)
if [ -x "$here/python/bin/python3" ]; then
  exec "$here/python/bin/python3" -I -S "$here/check_station.py" "$@"
fi
exec python3 -I -S "$here/check_station.py" "$@"
"""

_README = """\
EXAM KIT

ru: Проверка станции. Windows: check_station.cmd. Linux: sh check_station.sh. Ничего не устанавливается, сеть не нужна.
    Нужен Python 3.11 или новее: установленный на станции или лежащий здесь в папке python.
    Результат: папка results. Отнесите флешку к компьютеру технического специалиста: exam-kit station take ПАПКА.
    На флешке ключ, которым подписываются результаты. Храните её; об утере сообщите техническому специалисту.

en: Check of a station. Windows: check_station.cmd. Linux: sh check_station.sh. Nothing is installed, no network needed.
    Python 3.11 or newer is needed: on the station, or here in the folder python.
    The result is in results. Bring the stick to the specialist's laptop: exam-kit station take FOLDER.
    The stick holds the key that signs results. Keep it; tell the technical specialist when it is lost.

lv: Stacijas pārbaude. Windows: check_station.cmd. Linux: sh check_station.sh. Nekas nav jāinstalē, tīkls nav vajadzīgs.
    Vajadzīgs Python 3.11 vai jaunāks: stacijā vai šeit mapē python.
    Rezultāts ir mapē results. Aiznesiet zibatmiņu uz tehniskā speciālista datoru: exam-kit station take MAPE.
    Zibatmiņā ir atslēga, ar ko paraksta rezultātus. Glabājiet to; par nozaudēšanu ziņojiet tehniskajam speciālistam.
"""

LAUNCHERS: dict[str, bytes] = {
    "check_station.py": _PYTHON.encode(),
    "check_station.cmd": _WINDOWS.replace("\n", "\r\n").encode(),
    "check_station.sh": _UNIX.encode(),
    # Notepad of older Windows reads UTF-8 only with a mark.
    "README.txt": _README.replace("\n", "\r\n").encode("utf-8-sig"),
}
"""Content by file name."""
