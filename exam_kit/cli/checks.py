"""Commands about checks: check, lint."""

from __future__ import annotations

import argparse
import sys
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from exam_kit.agent.checking import check_now
from exam_kit.checks.lint import lint
from exam_kit.checks.model import EXIT_CODES, Result, Run, Verdict
from exam_kit.checks.outputs import FORMATS, NAGIOS_UNKNOWN, exit_code, nagios_unknown, write_out
from exam_kit.checks.profile import load_profile
from exam_kit.checks.results import latest_run, told, under
from exam_kit.checks.waivers_given import permitted, waivers_given
from exam_kit.cli.words import Desk, add_json, answer, at_the_terminal
from exam_kit.clock import from_iso, iso
from exam_kit.errors import AccessDenied, ExamKitError, PointInvalid, UsageError, m
from exam_kit.home import Home
from exam_kit.i18n import _, current_language
from exam_kit.journal.person import Person, person_of
from exam_kit.point import ExamDay
from exam_kit.store import Accounts

__all__ = ["add_commands"]


def add_commands(commands: Any) -> None:
    check = commands.add_parser("check", help=_("run the checks; 0 READY, 3 NOT READY, 4 INCOMPLETE, 5 with remarks"))
    check.add_argument("--only", nargs="+", metavar="ID", help=_("only these checks; the others are carried over"))
    check.add_argument("--day", type=date.fromisoformat, help=_("exam day YYYY-MM-DD (default: today's or the next)"))
    check.add_argument("--station", metavar="ID", help=_("check this computer as an exam station, from a stick"))
    check.add_argument("--kit", type=Path, metavar="FOLDER", help=_("the stick's folder (default: the current one)"))
    check.add_argument("--send", metavar="URL", help=_("send the result to the laptop, too: https://ADDRESS:PORT/"))
    add_json(check)
    check.set_defaults(run=_check)
    _add_outputs(check)
    linter = commands.add_parser("lint", help=_("list every mistake of profiles and own checks; 0 none, 10 mistakes"))
    linter.add_argument(
        "what", nargs="*", metavar="PROFILE|PATH", help=_("profiles, or files (default: all of this home)")
    )
    add_json(linter)
    linter.set_defaults(run=_lint)


def _add_outputs(check: argparse.ArgumentParser) -> None:
    """What `check` can tell, and how; `check` has its own `run` already."""
    check.add_argument("--last", action="store_true", help=_("tell the latest run; nothing is run"))
    check.add_argument(
        "--max-age-h", type=float, metavar="HOURS", help=_("with --last: an older run counts as INCOMPLETE")
    )
    check.add_argument(
        "--format",
        choices=[*FORMATS, "pdf"],
        help=_("answer in this format; nagios ends with 0, 1, 2 or 3"),
    )
    check.add_argument("--out", type=Path, metavar="FILE", help=_("write the answer into FILE"))
    run = check.get_default("run")

    def told_as_asked(options: argparse.Namespace) -> int:
        _fit(options)
        try:
            return int(run(options))
        except ExamKitError as problem:
            if options.format != "nagios":
                raise
            # A monitoring system reads this line and the code; our own codes mean something else to it.
            _give(options, nagios_unknown(problem.text(current_language())).encode())
            return NAGIOS_UNKNOWN

    check.set_defaults(run=told_as_asked)


def _check(options: argparse.Namespace) -> int:
    if options.station:
        from exam_kit.cli.station import check_here

        return check_here(options)
    if options.kit or options.send:
        raise UsageError(m("check: --kit and --send belong to --station. Name the station, or leave them out."))
    desk = Desk.open()
    days = sorted(desk.point.days, key=lambda day: day.date)
    today = desk.clock.now().astimezone(desk.point.tz).date()
    day = next((one for one in days if one.date == options.day or (not options.day and one.date >= today)), None)
    if options.day and day is None:
        raise UsageError(m("{day}: the point has no exam on this day. Choose one of its exam days.", day=options.day))
    return _check_point(options, desk, day)


def _fit(options: argparse.Namespace) -> None:
    if options.last and options.only:
        raise UsageError(m("check --last: nothing is run, so --only has no meaning. Leave one of them out."))
    if options.max_age_h is not None and not options.last:
        raise UsageError(m("check --max-age-h: is about the latest run. Add --last."))
    if options.format and options.json is not None:
        raise UsageError(m("check: --json and --format both ask for an answer. Leave one of them out."))
    if options.out and not options.format:
        raise UsageError(m("check --out: name the format, too: --format {known}.", known="|".join([*FORMATS, "pdf"])))
    if options.format == "pdf" and not options.out and sys.stdout.isatty():
        raise UsageError(m("check --format pdf: a PDF is not shown on a terminal. Name a file with --out."))


def _check_point(options: argparse.Namespace, desk: Desk, day: ExamDay | None) -> int:
    """Run the checks for this exam day, or take the latest run, and tell it as asked."""
    run = _last(desk, options) if options.last else _run(desk, options, day)
    in_force = permitted(waivers_given(desk.ledger, at=iso(desk.clock.now())), _profile(desk))
    run = under(run, in_force)
    if options.last:
        run = _aged(run, options.max_age_h, desk.clock.now())
    found = told(desk.store, run, waivers=in_force)
    if options.format is None:
        answer(options, found, _told(run, found))
        return EXIT_CODES[run.verdict or Verdict.INCOMPLETE]
    if options.format == "pdf":
        _give(options, _protocol(desk, run, found))
    else:
        point = f"{desk.point.region}-{desk.point.code}"
        _give(options, write_out(found, options.format, language=current_language(), point=point).encode())
    return exit_code(found, options.format)


def _profile(desk: Desk) -> Any:
    return load_profile(desk.point.profile, desk.home)


def _run(desk: Desk, options: argparse.Namespace, day: ExamDay | None) -> Run:
    def tell(_result: Result, done: int, total: int) -> None:
        print(f"\r{done}/{total} ", end="", file=sys.stderr, flush=True)

    return check_now(
        desk.point,
        desk.home,
        desk.store,
        desk.ledger,
        desk.secrets,
        desk.clock,
        day,
        at_the_terminal(),
        options.only,
        tell if sys.stderr.isatty() else None,
    )


def _last(desk: Desk, options: argparse.Namespace) -> Run:
    run = latest_run(desk.store, day=str(options.day) if options.day else None)
    if run is None:
        raise UsageError(m("check --last: no run is kept yet. Run 'exam-kit check' first."))
    return run


def _aged(run: Run, max_age_h: float | None, now: datetime) -> Run:
    """A run older than asked for proves nothing about now; one from ahead of the clock neither."""
    if max_age_h is None:
        return run
    age = now - from_iso(run.ended_at or run.started_at)
    if timedelta(0) <= age <= timedelta(hours=max_age_h):
        return run
    worst = run.verdict if run.verdict is Verdict.NOT_READY else Verdict.INCOMPLETE
    return run._replace(verdict=worst)


def _protocol(desk: Desk, run: Run, found: dict[str, Any]) -> bytes:
    from exam_kit.forms import check_protocol_pdf  # brings the typesetter, which only paper needs

    accounts = Accounts(desk.store, desk.ledger, desk.clock).all()
    people: dict[str, Person] = {account.login: person_of(account) for account in accounts}
    day = desk.point.day(date.fromisoformat(run.day)) if run.day else None
    made = desk.clock.now()
    return check_protocol_pdf(
        desk.point, day, found, current_language(), desk.ledger.signed_head(), people=people, made_at=made
    )


def _give(options: argparse.Namespace, content: bytes) -> None:
    """Into the file, whole or not at all (a collector may read it at any moment), or on the screen."""
    if options.out is None:
        sys.stdout.flush()
        sys.stdout.buffer.write(content)
        sys.stdout.buffer.flush()
        return
    part = options.out.with_name(options.out.name + ".part")
    try:
        part.write_bytes(content)
        part.replace(options.out)
    except OSError as problem:
        raise AccessDenied(
            m(
                "{path}: cannot be written ({reason}). Name a file where this user may write.",
                path=options.out,
                reason=problem.strerror or str(problem),
            )
        ) from problem


def _told(run: Run, found: dict[str, Any]) -> str:
    language = current_language()
    lines = []
    for check in found["checks"]:
        lines.append(f"{check['state'].upper():<8} {check['title'][language]} {check['target']}".rstrip())
        if check["waived"]:
            lines.append(
                "         "
                + _("{name} lets it pass until {until} UTC: {why}").format(
                    name=check["waived"]["name"], until=check["waived"]["until"][:16], why=check["waived"]["why"]
                )
            )
        elif check["state"] not in ("ok", "skip"):
            lines.append(f"         {check['fix'][language]}")
    if found["comparison"]:
        lines.append(_("Since the last run: {summary}").format(summary=found["comparison"]["summary"][language]))
    lines.append(_("Verdict: {verdict}").format(verdict=(run.verdict or Verdict.INCOMPLETE).value.upper()))
    return "\n".join(lines)


def _lint(options: argparse.Namespace) -> int:
    home = Home.find()
    reports = lint(options.what, home)
    language = current_language()
    lines = []
    for report in reports:
        mistakes = [mistake.text(language) for mistake in report.mistakes]
        lines.append(f"{report.path}: {len(mistakes) or _('no mistakes')}")
        lines += [f"  {mistake.strip()}" for mistake in mistakes]
    count = sum(len(report.mistakes) for report in reports)
    data = {"mistakes": count, "files": [report.as_dict(language) for report in reports]}
    answer(options, data, "\n".join(lines))
    return PointInvalid.exit_code if count else 0
