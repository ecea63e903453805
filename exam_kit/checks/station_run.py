"""Checking an exam station from the folder on the stick: standard library only, psutil where the stick has it.

``python check_station.py PRINT-1`` runs this. What it writes is `station_file`'s file in `results/` of the stick.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib
import json
import locale
import os
import platform
import secrets
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

from exam_kit.checks.at import At
from exam_kit.checks.model import EXIT_CODES, Fact, Reading, Reason, Result, Run, State, Verdict
from exam_kit.checks.registry import Lane, is_registered, probe
from exam_kit.checks.runner import OnResult, run_checks
from exam_kit.checks.site import CheckContext, NoFact
from exam_kit.checks.station_ed25519 import sign
from exam_kit.checks.station_file import SUFFIX, plain, seal
from exam_kit.checks.station_machine import identity
from exam_kit.checks.station_site import Kit, NoSecrets, NoStore, StationPlace, StationProfile
from exam_kit.checks.wording import STATE_LABELS, VERDICT_LABELS, found
from exam_kit.clock import Clock, SystemClock, from_iso
from exam_kit.errors import AccessDenied, ExamKitError, NotSetUp, UsageError, m
from exam_kit.home import Home
from exam_kit.i18n import LANGUAGES, _, current_language, set_language, translate

__all__ = ["FORMAT", "KEY_FILE", "KIT_FILE", "check_station", "main", "open_kit"]

FORMAT = "exam-kit station result v1"
KIT_FILE = "kit.json"
KEY_FILE = "kit.key"


def open_kit(folder: Path) -> Kit:
    """The stick's folder, every file of it compared with the list made with it.

    Raises:
        NotSetUp: no such folder, or it was changed or damaged.
    """
    try:
        kit = Kit.read(folder, json.loads((folder / KIT_FILE).read_text(encoding="utf-8")))
    except (OSError, ValueError, KeyError, TypeError) as problem:
        raise NotSetUp(
            m(
                "{folder}: is not a folder for checking stations ({reason}). Make one with "
                "'exam-kit station kit FOLDER' on the point's laptop.",
                folder=folder,
                reason=problem,
            )
        ) from problem
    wrong = [name for name, digest in kit.files.items() if _digest(folder / name) != digest]
    if wrong:
        raise NotSetUp(
            m(
                "{folder}: files were changed or lost since the stick was made: {files}. Make the stick again on the "
                "point's laptop, and look for a virus on the computers it was in.",
                folder=folder,
                files=", ".join(sorted(wrong)[:5]),
            )
        )
    return kit


def _digest(path: Path) -> str:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        return ""


def check_station(
    kit: Kit,
    station_id: str,
    *,
    results: Path | None = None,
    clock: Clock | None = None,
    on_result: OnResult | None = None,
) -> tuple[Path, Run]:
    """Run the checks of one station here and now; the signed file's path, and the run as this computer judges it.

    Raises:
        UsageError: the point has no such station.
        AccessDenied: the file cannot be written.
    """
    place = _place(kit, station_id)
    clock = clock or SystemClock()
    _register(kit)
    run = run_checks(cast(Any, _for_role(kit, place.role)), _context(kit, clock), on_result=on_result)
    record = {
        "format": FORMAT,
        "point": {"region": kit.point.region, "code": kit.point.code, "ledger": kit.point.ledger},
        "stick": kit.stick,
        "station": place.id,
        "role": place.role,
        "machine": identity(kit.point.ledger, clock),
        "profile": {"name": kit.profile.name, "hash": kit.profile.hash},
        "started_at": run.started_at,
        "ended_at": run.ended_at,
        "nonce": secrets.token_hex(16),
        "checks": [_told(kit, result) for result in run.results if result.fact.reason is not Reason.NOT_REQUIRED],
    }
    seed = bytes.fromhex(_read_key(kit.folder))
    data = seal(_head(kit, place, run), _plain_record(record), lambda message: sign(seed, message))
    folder = results or kit.folder / "results"
    name = f"{kit.point.region}-{kit.point.code}_{place.id}_{from_iso(str(run.ended_at)):%Y%m%dT%H%M%SZ}{SUFFIX}"
    return _write(folder / name, data), run


def _plain_record(record: Mapping[str, Any]) -> dict[str, Any]:
    """The record with the checks' facts made fit for canonical JSON, one by one, so that no list is cut short."""
    checks = [plain(one) for one in record["checks"]]
    return {**{key: plain(value) for key, value in record.items() if key != "checks"}, "checks": checks}


def _for_role(kit: Kit, role: str) -> StationProfile:
    checks = tuple(check for check in kit.profile.checks if check.wanted_for(role))
    return replace(kit.profile, role=role, checks=checks)


def _told(kit: Kit, result: Result) -> dict[str, Any]:
    args = next(check.args for check in kit.profile.checks if check.id == result.check)
    return {
        "check": result.check,
        "probe": result.probe,
        "args": dict(args),
        "at": result.at,
        "elapsed_s": result.elapsed_s,
        "fact": result.fact.as_dict(),
    }


def _place(kit: Kit, station_id: str) -> StationPlace:
    for place in kit.point.stations:
        if place.id.casefold() == station_id.casefold():
            return place
    raise UsageError(
        m(
            "{station}: the point has no such station. It has: {known}.",
            station=station_id,
            known=", ".join(place.id for place in kit.point.stations) or "—",
        )
    )


def _context(kit: Kit, clock: Clock) -> CheckContext:
    today = clock.now().astimezone(kit.point.tz).date()
    day = min((one for one in kit.point.days if one.date >= today), key=lambda one: one.date, default=None)
    # Nothing is written here: the home only tells which disk is meant, the one the user's programs are on.
    home = Home.at(Path.home() / "exam-kit")
    stand_ins: Any = {"point": kit.point, "store": NoStore(), "secrets": NoSecrets(), "day": day}
    return CheckContext(home=home, clock=clock, **stand_ins)


def _register(kit: Kit) -> None:
    """Import the probes' modules; one that cannot be here answers that its package is missing."""
    for name, module in kit.modules.items():
        try:
            importlib.import_module(module)
        except ImportError as problem:
            missing = problem.name or str(problem)
        except Exception as problem:  # noqa: BLE001 - a point's own check; the others must still be run
            missing = f"{module}: {problem}"
        else:
            missing = module
        if not is_registered(name):
            _stand_in(name, kit.readings.get(name, {}), kit.lanes.get(name, "local"), missing)


def _stand_in(name: str, readings: Mapping[str, Reading], lane: str, missing: str) -> None:
    def absent(_at: At, **_args: object) -> Fact:
        raise NoFact(Reason.TOOL_ABSENT, missing=missing)

    named = {value: (reading.unit, reading.label) for value, reading in readings.items()}
    probe(name, readings=named, lane=cast(Lane, lane))(absent)


def _read_key(folder: Path) -> str:
    try:
        return (folder / KEY_FILE).read_text(encoding="ascii").strip()
    except (OSError, ValueError) as problem:
        raise NotSetUp(
            m(
                "{path}: the stick's key cannot be read ({reason}). Make the stick again on the point's laptop.",
                path=folder / KEY_FILE,
                reason=problem,
            )
        ) from problem


def _head(kit: Kit, place: StationPlace, run: Run) -> str:
    """What a person reads at the top of the file. The laptop judges for itself and does not read it."""

    def local(moment: str | None) -> str:
        return from_iso(str(moment)).astimezone(kit.point.tz).strftime("%Y-%m-%d %H:%M:%S %z")

    language = current_language()
    verdict = run.verdict or Verdict.INCOMPLETE
    lines = [
        _("Check of an exam station"),
        _("Exam point: {region}-{code}, {name}").format(
            region=kit.point.region, code=kit.point.code, name=kit.point.name
        ),
        _("Station: {station} ({role}), {room}; computer: {host}").format(
            station=place.id, role=place.role, room=place.label, host=platform.node()
        ),
        _("From {start} to {end}").format(start=local(run.started_at), end=local(run.ended_at)),
        _("Profile: {profile} {hash}").format(profile=kit.profile.name, hash=kit.profile.hash[:16]),
        _("Found here: {verdict}. The verdict that counts is given by the laptop.").format(
            verdict=translate(VERDICT_LABELS[verdict], language)
        ),
        "",
        *(line for result in run.results for line in _lines(result, language)),
        "",
    ]
    return "\n".join(" ".join(line.split()) if line else "" for line in lines)


def _lines(result: Result, language: str) -> list[str]:
    state = translate(STATE_LABELS[result.state], language)
    title = result.title.get(language, result.title["en"])
    said = found(result, language)
    told = [f"[{state}] {title}" + (f": {said}" if said else "")]
    if result.state not in (State.OK, State.SKIP):
        told.append(f"→ {result.fix.get(language, result.fix['en'])}")
    return told


def _write(path: Path, data: bytes) -> Path:
    part = path.with_suffix(".part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with part.open("wb") as target:
            target.write(data)
            target.flush()
            os.fsync(target.fileno())
        part.replace(path)
    except OSError as problem:
        raise AccessDenied(
            m(
                "{path}: cannot be written ({reason}). Take the write protection off the stick, or name another folder "
                "with --results.",
                path=path,
                reason=problem.strerror or str(problem),
            )
        ) from problem
    return path


def main(folder: Path, arguments: Sequence[str] | None = None) -> int:
    """The stick's own command; its exit code is the verdict's, as of `exam-kit check`."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding="utf-8", errors="replace")
    set_language(_system_language("ru"))
    try:
        return _main(folder, arguments)
    except ExamKitError as problem:
        print(problem.text(), file=sys.stderr)
        return problem.exit_code
    except KeyboardInterrupt:
        return 130


def _main(folder: Path, arguments: Sequence[str] | None) -> int:
    parser = argparse.ArgumentParser(prog="check_station", description=_("Check this computer as an exam station."))
    parser.add_argument("station", nargs="?", help=_("the station's id; asked for when left out"))
    parser.add_argument("--language", choices=sorted(LANGUAGES))
    parser.add_argument("--results", type=Path, help=_("where to write the result (default: results/ on the stick)"))
    parser.add_argument("--send", metavar="URL", help=_("send the result to the laptop, too: https://ADDRESS:PORT/"))
    options = parser.parse_args(arguments)
    kit = open_kit(folder)
    set_language(options.language or _system_language(kit.point.language))
    station = options.station or _ask(kit)
    path, run = check_station(kit, station, results=options.results, on_result=_progress())
    for result in run.results:
        for line in _lines(result, current_language()):
            print(line)
    verdict = run.verdict or Verdict.INCOMPLETE
    print(_("Verdict: {verdict}").format(verdict=translate(VERDICT_LABELS[verdict])))
    print(_("The result is written: {path}").format(path=path))
    if options.send:
        from exam_kit.checks.station_send import send

        print(send(path.read_bytes(), options.send, kit.receiver, name=path.name))
    return EXIT_CODES[verdict]


def _progress() -> Callable[[Result, int, int], None]:
    def tell(_result: Result, done: int, total: int) -> None:
        if sys.stderr.isatty():
            print(f"\r{done}/{total} ", end="\n" if done == total else "", file=sys.stderr, flush=True)

    return tell


def _ask(kit: Kit) -> str:
    if not sys.stdin.isatty():
        raise UsageError(
            m(
                "Name the station. The point has: {known}.",
                known=", ".join(place.id for place in kit.point.stations) or "—",
            )
        )
    for number, place in enumerate(kit.point.stations, 1):
        print(f"{number:>3}  {place.id}  {place.label}")
    said = input(_("Number or id of this station: ")).strip()
    if said.isdigit() and 0 < int(said) <= len(kit.point.stations):
        return kit.point.stations[int(said) - 1].id
    return said


def _system_language(otherwise: str) -> str:
    named = os.environ.get("EXAM_KIT_LANGUAGE") or os.environ.get("LC_ALL") or os.environ.get("LANG") or ""
    code = (named or locale.getlocale()[0] or "")[:2].lower()
    return code if code in LANGUAGES else otherwise
