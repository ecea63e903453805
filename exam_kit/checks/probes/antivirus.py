"""Is an antivirus there, does it run, are its databases fresh?"""

from __future__ import annotations

import re
import time

from exam_kit.checks import windows
from exam_kit.checks.at import At
from exam_kit.checks.command import CommandRecord
from exam_kit.checks.model import Fact, Reason
from exam_kit.checks.processes import process_names
from exam_kit.checks.registry import probe
from exam_kit.checks.site import NoFact
from exam_kit.i18n import N_


@probe(
    "antivirus.running",
    readings={
        "running": ("", N_("running")),
        "database_age": ("h", N_("age of its databases")),
        "version": ("", N_("version")),
    },
)
def running(at: At) -> Fact:
    """ClamAV on Linux, Microsoft Defender on Windows; unknown (no program) where there is neither."""
    if at.machine.platform == "windows":
        return windows.antivirus(windows.facts(at), at.context.clock.now())
    return _clamav(at, _version(at))


def _version(at: At) -> CommandRecord:
    record = at.command("clamdscan", "--version")
    return at.command("clamscan", "--version") if record.fault is Reason.TOOL_ABSENT else record


def _clamav(at: At, record: CommandRecord) -> Fact:
    """Judged on `ClamAV 1.0.7/27449/Thu Nov 14 09:30:05 2024`; the part after the version is absent without a base."""
    said = record.answer()
    found = re.match(r"ClamAV (\d[\w.-]*)(?:/(\d+)/(\w{3} \w{3} [ \d]\d [\d:]{8} \d{4}))?", said.strip())
    if found is None:
        raise NoFact(Reason.ERROR, command=record.argv[0], said=said[:200])
    version, base, dated = found.groups()
    age = None
    if dated:
        # clamd prints its base's date by ctime(3): local time, English words.
        made = time.mktime(time.strptime(dated, "%a %b %d %H:%M:%S %Y"))
        age = max(round((at.context.clock.now().timestamp() - made) / 3600, 1), 0.0)
    return Fact(
        {"running": "clamd" in process_names(at), "database_age": age, "version": version},
        {"program": "ClamAV", "command": record.argv[0], "database": base or "", "database_dated": dated or ""},
    )
