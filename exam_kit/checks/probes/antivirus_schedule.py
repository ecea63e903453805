"""Will the antivirus begin a scan in the exam's hours? It would slow recording and printing down."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from pathlib import Path

from exam_kit.checks import windows
from exam_kit.checks.at import At
from exam_kit.checks.model import Fact, Reason
from exam_kit.checks.registry import probe
from exam_kit.checks.site import NoFact
from exam_kit.i18n import N_
from exam_kit.point import exam_end, exam_start

SCANNERS = re.compile(r"\b(?:clamscan|clamdscan|drweb-ctl\s+scan|kesl-control\s+--scan)\b|\bdrweb-ctl\b.*\bscan\b")
TABLE = "/etc/crontab"
ANACRON = "/etc/anacrontab"
FOLDERS = ("/etc/cron.d", "/var/spool/cron/crontabs", "/var/spool/cron")
PARTS = ("hourly", "daily", "weekly", "monthly")
WORDS = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
}
WEEK = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")


@probe("antivirus.scan", readings={"in_exam": ("", N_("a scan begins in exam hours")), "at": ("", N_("begins at"))})
def scan(at: At, *, hours_before: float = 2.0) -> Fact:
    """Whether a planned scan begins between `hours_before` the exam and its planned end."""
    day = at.context.day
    if day is None:
        return Fact.skip(Reason.NO_PLAN)
    point = at.context.point
    begins = (exam_start(point, day) - timedelta(hours=hours_before)).astimezone(point.tz)
    ends = exam_end(point, day).astimezone(point.tz)
    if at.machine.platform == "windows":
        weekday, minute = windows.antivirus_schedule(windows.facts(at))
        moments = [m for m in _minutes(begins, ends) if m.hour * 60 + m.minute == int(minute)]
        hits = [m for m in moments if weekday == 0 or weekday == m.isoweekday() % 7 + 1]
        return _told(hits, {"day": weekday, "minute": minute, "source": "Get-MpPreference"})
    if at.machine.has("kesl-control"):
        return _kaspersky(at, begins, ends)
    if not any(at.machine.has(program) for program in ("clamscan", "clamdscan", "drweb-ctl")):
        raise NoFact(Reason.TOOL_ABSENT, looked_for=["kesl-control", "drweb-ctl", "clamscan"])
    lines = _cron(at)
    hits = [m for line in lines for m in _minutes(begins, ends) if _due(line, m)]
    return _told(sorted(hits), {"planned": lines, "source": "cron"})


def _told(hits: list[datetime], evidence: dict[str, object]) -> Fact:
    return Fact({"in_exam": bool(hits), "at": f"{hits[0]:%H:%M}" if hits else None}, evidence)


def _minutes(begins: datetime, ends: datetime) -> list[datetime]:
    """Every minute from `begins` to `ends`, local time."""
    count = int((ends - begins).total_seconds() // 60) + 1
    return [begins + timedelta(minutes=number) for number in range(count)]


def _kaspersky(at: At, begins: datetime, ends: datetime) -> Fact:
    """`kesl-control --get-schedule Scan_My_Computer`: RuleType=…, StartTime=[date] HH:MM:SS;…"""
    said = at.command("kesl-control", "--get-schedule", "Scan_My_Computer").answer()
    told = dict(re.findall(r"^(RuleType|StartTime)=(.*)$", said, re.M))
    rule = told.get("RuleType", "").strip()
    if rule in ("Manual", "PS", "BR"):  # by hand, when the program starts, when its bases are renewed
        return _told([], {"source": "kesl-control", "said": told})
    start = re.search(r"(\d{1,2}):(\d\d):\d\d", told.get("StartTime", ""))
    if rule not in ("Once", "Monthly", "Weekly", "Daily", "Hourly", "Minutely") or start is None:
        raise NoFact(Reason.ERROR, command="kesl-control", said=said[:200])
    # Of rules that are rarer than daily only the hour is looked at: rather one warning too many.
    hits = [
        m
        for m in _minutes(begins, ends)
        if m.minute == int(start[2]) and (rule in ("Hourly", "Minutely") or m.hour == int(start[1]))
    ]
    return _told(hits, {"source": "kesl-control", "said": told})


def _cron(at: At) -> list[str]:
    """The lines of cron's tables that begin a scan."""
    machine = at.machine
    tables = [machine.read_or(TABLE)]
    for folder in FOLDERS:
        for name in machine.names(folder):
            if not Path(machine.path(f"{folder}/{name}")).is_dir():
                tables.append(machine.read(f"{folder}/{name}"))
    kept: list[str] = []
    scanning = [part for part in PARTS if _folder_scans(at, f"/etc/cron.{part}")]
    if scanning and machine.read_or(ANACRON):
        raise NoFact(Reason.ERROR, said="anacron chooses the hour", folders=scanning)
    for line in "\n".join(tables).splitlines():
        text = line.strip()
        if text and not re.match(r"#|[\d*@]|\w+\s*=", text):
            raise NoFact(Reason.ERROR, said=f"not a line of cron: {text[:60]}")
        by_folder = any(f"/etc/cron.{part}" in text for part in scanning)
        if text and not text.startswith("#") and (SCANNERS.search(text) or by_folder):
            kept.append(text)
    return kept


def _folder_scans(at: At, folder: str) -> bool:
    return any(SCANNERS.search(at.machine.read(f"{folder}/{name}")) for name in at.machine.names(folder))


def _due(line: str, moment: datetime) -> bool:
    """Whether a line of crontab(5) falls due in this minute; NoFact when it cannot be read."""
    words = line.split()
    if words[0].lower() == "@reboot":
        return False
    if words[0].startswith("@"):
        words = WORDS.get(words[0].lower(), "").split()
    if len(words) < 5:
        raise NoFact(Reason.ERROR, said=f"not a line of cron: {line[:60]}")
    minute, hour, of_month, month, of_week = words[:5]
    week = moment.isoweekday() % 7
    of_month_fits, of_week_fits = (
        _fits(of_month, moment.day, 1),
        _fits(of_week, week, 0) or (week == 0 and _fits(of_week, 7, 0)),
    )
    # Where both days are given, either one is enough (crontab(5)).
    days = (
        of_month_fits or of_week_fits
        if not of_month.startswith("*") and not of_week.startswith("*")
        else of_month_fits and of_week_fits
    )
    return _fits(minute, moment.minute, 0) and _fits(hour, moment.hour, 0) and _fits(month, moment.month, 1) and days


def _fits(field: str, value: int, first: int) -> bool:
    """Whether a field ("*", "*/15", "1-5", "0,30", "mon") takes the value."""
    for part in field.lower().split(","):
        span, _slash, step = part.partition("/")
        for number, name in enumerate(WEEK):
            span = span.replace(name, str(number))
        bounds = span.split("-") if span != "*" else [str(first), "99"]
        if not all(bound.isdigit() for bound in bounds) or (step and not step.isdigit()):
            raise NoFact(Reason.ERROR, said=f"not a field of cron: {field[:60]}")
        low, high = int(bounds[0]), int(bounds[-1] if len(bounds) > 1 or not step else "99")
        if low <= value <= high and (value - low) % max(int(step or 1), 1) == 0:
            return True
    return False
