"""`exam-kit station`: the stick that checks exam stations, and what comes back from it."""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

from exam_kit.checks import Profile, load_profile
from exam_kit.checks.model import EXIT_CODES, Verdict
from exam_kit.checks.report import run_dict
from exam_kit.checks.station import Matrix, ResultRefused, Row, Taken, matrix, sticks, take, taken_before
from exam_kit.checks.station_file import MAX_BYTES, SUFFIX
from exam_kit.checks.station_kit import make_kit, withdraw
from exam_kit.checks.station_listen import Receiver, receiver_certificate, receiver_fingerprint
from exam_kit.checks.station_run import KIT_FILE, check_station, open_kit
from exam_kit.checks.station_send import send
from exam_kit.checks.wording import VERDICT_LABELS
from exam_kit.cli.words import Desk, add_json, answer, at_the_terminal
from exam_kit.errors import AccessDenied, UsageError, m
from exam_kit.i18n import _

__all__ = ["add_commands", "check_here"]

DEFAULT_PORT = 8443


def add_commands(commands: Any) -> None:
    station = commands.add_parser("station", help=_("exam stations: the stick, its results")).add_subparsers(
        required=True, metavar="COMMAND"
    )
    kit = station.add_parser("kit", help=_("prepare a folder on a stick that checks stations without installation"))
    kit.add_argument("folder", type=Path)
    kit.add_argument("--wheels", type=Path, metavar="FOLDER", help=_("psutil wheels of other platforms"))
    kit.add_argument("--python", type=Path, metavar="FOLDER", help=_("a Python for stations that have none"))
    add_json(kit)
    kit.set_defaults(run=_kit)
    taken = station.add_parser("take", help=_("take in result files; a refused one ends with the code of its reason"))
    taken.add_argument("path", type=Path, nargs="+", help=_("a result file, or a stick's folder"))
    add_json(taken)
    taken.set_defaults(run=_take)
    shown = station.add_parser("show", help=_("every station: its latest result, its age, or that it is missing"))
    add_json(shown)
    shown.set_defaults(run=_show)
    listed = station.add_parser("sticks", help=_("the sticks this point has made"))
    add_json(listed)
    listed.set_defaults(run=_sticks)
    gone = station.add_parser("withdraw", help=_("take no more results of a stick, because it was lost"))
    gone.add_argument("key")
    gone.add_argument("--why", required=True, help=_("the reason"))
    gone.set_defaults(run=_withdraw)
    listen = station.add_parser("listen", help=_("receive results over the local network until Ctrl+C"))
    listen.add_argument("--address", required=True, help=_("this computer's address in the stations' network"))
    listen.add_argument("--port", type=int, default=DEFAULT_PORT)
    listen.set_defaults(run=_listen)


def _profile(desk: Desk) -> Profile:
    return load_profile(desk.point.profile, desk.home)


def _kit(options: argparse.Namespace) -> int:
    desk = Desk.open()
    pem = receiver_certificate(desk.home.keys, desk.clock)
    made = make_kit(
        options.folder,
        point=desk.point,
        profile=_profile(desk),
        ledger=desk.ledger,
        actor=at_the_terminal(),
        receiver=receiver_fingerprint(pem),
        wheels=options.wheels,
        python=options.python,
    )
    data = {
        "folder": str(made.folder),
        "key": made.key,
        "files": made.files,
        "psutil": list(made.platforms),
        "python": made.python,
    }
    lines = [
        _("{folder}: ready. The stick's key: {key}").format(folder=made.folder, key=made.key),
        _("Measures most where psutil lies ready: {platforms}").format(platforms=", ".join(made.platforms) or "—"),
    ]
    if not made.python:
        lines.append(_("No Python on the stick: the station itself must have Python 3.11 or newer (see --python)."))
    answer(options, data, "\n".join(lines))
    return 0


def _take(options: argparse.Namespace) -> int:
    desk = Desk.open()
    profile = _profile(desk)
    told: list[dict[str, Any]] = []
    code = 0
    lines = []
    for path, listed in _files(options.path):
        data = _read(path)
        if listed and taken_before(desk.store, data):
            told.append({"file": str(path), "before": True})
            lines.append(_("{file}: was taken in before.").format(file=path.name))
            continue
        try:
            taken = take(
                data,
                ledger=desk.ledger,
                home=desk.home,
                point=desk.point,
                profile=profile,
                actor=at_the_terminal(),
                clock=desk.clock,
                name=path.name,
            )
        except ResultRefused as refused:
            told.append({"file": str(path), "refused": refused.reason.value, "text": refused.text()})
            lines.append(refused.text())
            code = code or refused.exit_code
        else:
            told.append({"file": str(path), "taken": taken.run.id, "run": run_dict(taken.run)})
            lines += _told(taken)
    if not told:
        lines.append(_("There are no result files there."))
    answer(options, told, "\n".join(lines))
    return code


def _files(paths: list[Path]) -> Iterator[tuple[Path, bool]]:
    """Each file, and whether it was found in a folder rather than named."""
    for path in paths:
        if not path.is_dir():
            yield path, False
            continue
        folder = path / "results" if (path / "results").is_dir() else path
        yield from ((found, True) for found in sorted(folder.glob(f"*{SUFFIX}")))


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as source:
            return source.read(MAX_BYTES + 1)
    except OSError as problem:
        raise AccessDenied(
            m("{path}: cannot be read ({reason}).", path=path, reason=problem.strerror or str(problem))
        ) from problem


def _told(taken: Taken) -> list[str]:
    verdict = taken.run.verdict or Verdict.INCOMPLETE
    line = _("{station}: taken in, {verdict}").format(station=taken.station, verdict=_(VERDICT_LABELS[verdict]))
    return [line, *(f"  {remark.text()}" for remark in taken.remarks)]


def _show(options: argparse.Namespace) -> int:
    desk = Desk.open()
    found = matrix(desk.store, desk.point, _profile(desk), now=desk.clock.now())
    answer(options, _as_dict(found), "\n".join(_row_text(row) for row in found.rows))
    return 0


def _as_dict(found: Matrix) -> dict[str, Any]:
    return {
        "checks": [check.id for check in found.checks],
        "stations": [
            {
                "station": row.station.id,
                "role": row.station.role.value,
                "missing": row.missing,
                "run": row.run.id if row.run else None,
                "verdict": row.verdict.value if row.verdict else None,
                "age_s": row.age_s,
                "stale": row.stale,
                "other_profile": row.other_profile,
                "host": row.host,
                "states": {cell.check: cell.state.value if cell.state else None for cell in row.cells},
            }
            for row in found.rows
        ],
    }


def _row_text(row: Row) -> str:
    if row.run is None:
        return _("{station}: no result").format(station=row.station.id)
    verdict = _(VERDICT_LABELS[row.run.verdict or Verdict.INCOMPLETE])
    age = timedelta(seconds=int(row.age_s or 0))
    told = _("{station}: {verdict}, {age} ago, computer {host}").format(
        station=row.station.id, verdict=verdict, age=age, host=row.host
    )
    return told + (" — " + _("too old") if row.stale else "")


def _sticks(options: argparse.Namespace) -> int:
    desk = Desk.open()
    found = sticks(desk.ledger).values()
    data = [
        {
            "key": one.key,
            "made_at": one.made_at.isoformat(),
            "made_by": one.made_by,
            "withdrawn_at": one.withdrawn_at.isoformat() if one.withdrawn_at else None,
        }
        for one in found
    ]
    lines = []
    for one in found:
        made = f"{one.key}  {one.made_at.astimezone(desk.point.tz):%Y-%m-%d %H:%M}  {one.made_by}"
        lines.append(made + ("  " + _("withdrawn") if one.withdrawn_at else ""))
    answer(options, data, "\n".join(lines) or "—")
    return 0


def _withdraw(options: argparse.Namespace) -> int:
    desk = Desk.open()
    withdraw(desk.ledger, options.key, why=options.why, actor=at_the_terminal())
    print(_("{key}: withdrawn.").format(key=options.key))
    return 0


def _listen(options: argparse.Namespace) -> int:
    desk = Desk.open()
    pem = receiver_certificate(desk.home.keys, desk.clock)

    def take_file(data: bytes, name: str) -> Taken:
        taken = take(
            data,
            ledger=desk.ledger,
            home=desk.home,
            point=desk.point,
            profile=_profile(desk),
            actor=at_the_terminal(),
            clock=desk.clock,
            name=name,
            note_refusal=False,
        )
        print("\n".join(_told(taken)), flush=True)
        return taken

    signal.signal(signal.SIGTERM, lambda _signal, _frame: sys.exit(0))
    with Receiver(options.address, options.port, pem, take_file) as receiver:
        print(
            _("Listening at https://{address}:{port}/ (Ctrl+C ends it). Certificate: {fingerprint}").format(
                address=options.address, port=receiver.port, fingerprint=receiver_fingerprint(pem)
            ),
            flush=True,
        )
        receiver.serve_forever()
    return 0


def check_here(options: argparse.Namespace) -> int:
    """`exam-kit check --station ID --kit FOLDER`: the same as the stick's own command, by this installation."""
    folder: Path = options.kit or Path.cwd()
    if options.kit is None and not (folder / KIT_FILE).exists():
        raise UsageError(
            m("check --station: name the stick's folder with --kit. Make one with 'exam-kit station kit FOLDER'.")
        )
    kit = open_kit(folder)
    path, run = check_station(kit, options.station)
    verdict = run.verdict or Verdict.INCOMPLETE
    lines = [
        _("Verdict: {verdict}").format(verdict=_(VERDICT_LABELS[verdict])),
        _("The result is written: {path}").format(path=path),
    ]
    answer(options, {"file": str(path), "run": run_dict(run)}, "\n".join(lines))
    if options.send:
        print(send(path.read_bytes(), options.send, kit.receiver, name=path.name), file=sys.stderr)
    return EXIT_CODES[verdict]
