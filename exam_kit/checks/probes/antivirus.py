"""Is an antivirus there, does it run, are its databases fresh?"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from datetime import UTC, datetime

from exam_kit.checks import windows
from exam_kit.checks.at import At
from exam_kit.checks.model import Fact, Reason
from exam_kit.checks.processes import process_names
from exam_kit.checks.registry import probe
from exam_kit.checks.site import NoFact
from exam_kit.i18n import N_

CLAMAV_BASES = ("daily.cld", "daily.cvd")


@probe(
    "antivirus.running",
    readings={
        "running": ("", N_("running")),
        "database_age": ("h", N_("age of its databases")),
        "version": ("", N_("version")),
    },
)
def running(at: At) -> Fact:
    """Kaspersky, Dr.Web or ClamAV on Linux, Microsoft Defender or the Security Center's product on Windows.

    The first that is installed answers; unknown (no program) where there is none.
    """
    if at.machine.platform == "windows":
        return windows.antivirus(windows.facts(at), at.context.clock.now())
    for program, ask in PRODUCTS.items():
        if at.machine.has(program):
            return ask(at, program)
    # Asked nevertheless: what is there and may not be run says so.
    return _clamav(at, "clamdscan")


def _kaspersky(at: At, program: str) -> Fact:
    """`kesl-control --app-info`. Its language is that of its own settings, so both are read."""
    said = at.command(program, "--app-info").answer()
    told = {name.strip(): value.strip() for name, value in re.findall(r"^([^:\n]+):[ \t]+(.+)$", said, re.M)}
    loaded = told.get("Application databases loaded", told.get("Базы программы загружены"))
    guard = told.get("File Threat Protection", told.get("Защита от файловых угроз"))
    version = told.get("Version", told.get("Версия"))
    dated = told.get("Last release date of databases", told.get("Дата последнего выпуска баз программы", ""))
    if loaded is None or guard is None:
        raise NoFact(Reason.ERROR, command=program, said=said[:300])
    runs = loaded.lower() in ("yes", "да") and bool(re.search(r"\brunning\b|запущен", guard, re.I))
    runs = runs and not re.search(r"\bnot running\b|не запущен|stopped", guard, re.I)
    return Fact(
        {"running": runs, "database_age": _age(at, _iso(dated)), "version": version},
        {"program": "Kaspersky Endpoint Security", "guard": guard, "databases_loaded": loaded, "database_dated": dated},
    )


def _drweb(at: At, program: str) -> Fact:
    """`drweb-ctl baseinfo`: `Virus database timestamp: 2026-May-27 21:30:00` in UTC+0."""
    said = at.command(program, "baseinfo").answer()
    dated = re.search(r"^Virus database timestamp:\s+(\d{4}-\w{3}-\d\d \d\d:\d\d:\d\d)", said, re.M)
    engine = re.search(r"^Core engine version:\s+([\d.]+)", said, re.M)
    if engine is None:
        raise NoFact(Reason.ERROR, command=program, said=said[:300])
    made = datetime.strptime(dated[1], "%Y-%b-%d %H:%M:%S").replace(tzinfo=UTC) if dated else None
    return Fact(
        {"running": "drweb-configd" in process_names(at), "database_age": _age(at, made), "version": engine[1]},
        {"program": "Dr.Web", "database_dated": dated[1] if dated else ""},
    )


def _clamav(at: At, program: str) -> Fact:
    """Judged on `ClamAV 1.0.7/27449/Thu Nov 14 09:30:05 2024`; the part after the version is absent without a base."""
    record = at.command(program, "--version")
    said = record.answer()
    found = re.match(r"ClamAV (\d[\w.-]*)(?:/(\d+)/(\w{3} \w{3} [ \d]\d [\d:]{8} \d{4}))?", said.strip())
    if found is None:
        raise NoFact(Reason.ERROR, command=record.argv[0], said=said[:200])
    version, base, dated = found.groups()
    made = None
    if dated:
        # clamd prints its base's date by ctime(3): local time, English words.
        local = time.mktime(time.strptime(dated, "%a %b %d %H:%M:%S %Y"))
        made = datetime.fromtimestamp(local, UTC)
    return Fact(
        {"running": "clamd" in process_names(at), "database_age": _age(at, made), "version": version},
        {"program": "ClamAV", "command": record.argv[0], "database": base or "", "database_dated": dated or ""},
    )


PRODUCTS: dict[str, Callable[[At, str], Fact]] = {
    "kesl-control": _kaspersky,
    "drweb-ctl": _drweb,
    "clamdscan": _clamav,
    "clamscan": _clamav,
}


def _age(at: At, made: datetime | None) -> float | None:
    """Hours since then; never less than none."""
    if made is None:
        return None
    return max(round((at.context.clock.now() - made).total_seconds() / 3600, 1), 0.0)


def _iso(text: str) -> datetime | None:
    """A date that begins with YEAR-MONTH-DAY; its time of day is the computer's."""
    found = re.match(r"(\d{4}-\d\d-\d\d)(?:[ T](\d\d:\d\d(?::\d\d)?))?", text)
    try:
        return datetime.fromisoformat(f"{found[1]} {found[2] or '00:00'}").astimezone(UTC) if found else None
    except ValueError:
        return None


@probe("antivirus.databases", readings={"age": ("h", N_("age of its databases")), "version": ("", N_("version"))})
def databases(at: At, *, folder: str = "/var/lib/clamav") -> Fact:
    """The date inside the database itself, not of the file: of ClamAV's daily base; elsewhere of the program's word.

    The first 512 bytes of a ClamAV base are its header: ClamAV-VDB:14 Nov 2024 09-30 +0000:27449:…
    """
    other = at.machine.platform == "windows" or at.machine.has("kesl-control") or at.machine.has("drweb-ctl")
    if other:
        told = running(at)
        return Fact({"age": told.values.get("database_age"), "version": None}, told.evidence)
    present = [name for name in CLAMAV_BASES if name in at.machine.names(folder)]
    if not present:
        raise NoFact(Reason.TOOL_ABSENT, missing=[f"{folder}/{name}" for name in CLAMAV_BASES])
    head = at.machine.read(f"{folder}/{present[0]}", most=512)
    found = re.match(r"ClamAV-VDB:(\d\d? \w{3} \d{4} \d\d-\d\d [+-]\d{4}):(\d+):", head)
    if found is None:
        raise NoFact(Reason.ERROR, path=f"{folder}/{present[0]}", said=head[:60])
    try:
        made = datetime.strptime(found[1], "%d %b %Y %H-%M %z")
    except ValueError as problem:
        raise NoFact(Reason.ERROR, said=found[1]) from problem
    return Fact(
        {"age": _age(at, made), "version": found[2]}, {"path": f"{folder}/{present[0]}", "dated": made.isoformat()}
    )
