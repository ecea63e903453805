"""Is a program installed, and new enough?"""

from __future__ import annotations

import re

from exam_kit.checks.at import At
from exam_kit.checks.model import Fact, Reason
from exam_kit.checks.registry import probe
from exam_kit.checks.site import NoFact
from exam_kit.i18n import N_

DPKG_STATUS = "/var/lib/dpkg/status"
DPKG_UPDATES = "/var/lib/dpkg/updates"
"""Changes that dpkg has not yet merged into its status file lie here."""

DPKG = ("dpkg-query", "-W", "-f", "${Package}\\t${Version}\\t${db:Status-Status}\\n")
RPM = ("rpm", "-qa", "--qf", "%{NAME}\\t%{VERSION}-%{RELEASE}\\tinstalled\\n")


@probe("software.version", readings={"installed": ("", N_("installed")), "version": ("", N_("version"))})
def version(at: At, *, linux: str = "", windows_name: str = "", command: list[str] | None = None) -> Fact:
    """Version of a program, by the system's list of packages, else by asking the program itself.

    `linux` is the package's name, `windows_name` how the name in "Apps" begins, `command` prints the version.
    """
    source, listed, name = _listed(at, linux, windows_name)
    if name and listed is not None and name in listed:
        return Fact({"installed": True, "version": listed[name]}, {"source": source, "package": name})
    if command:
        record = at.command(*command)
        if record.fault is not Reason.TOOL_ABSENT:
            said = record.answer() or record.err
            found = re.search(r"\d+(?:\.\d+)+", said)
            if found is None:
                raise NoFact(Reason.ERROR, command=command[0], said=said[:200])
            return Fact({"installed": True, "version": found[0]}, {"source": " ".join(command), "said": said[:200]})
    if listed is None and not command:
        raise NoFact(Reason.TOOL_ABSENT, looked_for=["dpkg-query", "rpm"])
    return Fact({"installed": False, "version": None}, {"source": source or " ".join(command or ()), "package": name})


def _listed(at: At, linux: str, windows_name: str) -> tuple[str, dict[str, str] | None, str]:
    """(where from, versions by name or None where nobody tells, the name to look for)."""
    if at.machine.platform == "windows":
        source, programs = packages(at)
        full = next((name for name in sorted(programs) if windows_name and name.startswith(windows_name)), windows_name)
        return source, programs, full
    try:
        return *packages(at), linux
    except NoFact as none:
        if none.fact.reason is not Reason.TOOL_ABSENT:
            raise
    return "", None, linux


def packages(at: At) -> tuple[str, dict[str, str]]:
    """(where from, versions of what is installed by name).

    Raises:
        NoFact: nobody keeps a list, or it cannot be read.
    """
    if at.machine.platform == "windows":
        from exam_kit.checks import windows

        return "registry", windows.programs(windows.facts(at))
    if listed := at.once(DPKG_STATUS, lambda: _dpkg_status(at)):
        return DPKG_STATUS, listed
    for argv in (DPKG, RPM):
        try:
            return argv[0], _parse(at.texts(*argv), argv[0])
        except NoFact as none:
            if none.fact.reason is not Reason.TOOL_ABSENT:
                raise
    raise NoFact(Reason.TOOL_ABSENT, looked_for=["dpkg-query", "rpm"])


_read_before: dict[str, tuple[tuple[int, ...], dict[str, str]]] = {}
"""What dpkg's file said, beside the stamp of that file: dpkg replaces it whole whenever something changes."""


def _dpkg_status(at: At) -> dict[str, str]:
    """Versions by name from dpkg's own file (dpkg(1), FILES), in a fifth of the time of asking `dpkg-query`.

    Empty where dpkg must be asked after all: no such file here, changes not yet merged, or not the form we know.
    """
    path = at.machine.path(DPKG_STATUS)
    try:
        stamp = at.machine.stamp(DPKG_STATUS)
        if at.machine.names(DPKG_UPDATES):
            return {}
        before = _read_before.get(path)
        if before is None or before[0] != stamp:
            before = _read_before[path] = stamp, _installed(at.machine.bytes_of(DPKG_STATUS))
    except (OSError, NoFact):
        return {}
    return before[1]


def _installed(status: bytes) -> dict[str, str]:
    found: dict[str, str] = {}
    for stanza in (b"\n" + status).split(b"\nPackage: ")[1:]:
        word = stanza.find(b"\nStatus: ")
        version = stanza.find(b"\nVersion: ", word)
        if word >= 0 and version >= 0 and stanza.endswith(b" installed", 0, stanza.find(b"\n", word + 1)):
            name, said = stanza[: stanza.find(b"\n")], stanza[version + 10 :].partition(b"\n")[0]
            found[name.decode(errors="replace")] = said.decode(errors="replace")
    return found


def _parse(lines: object, source: str) -> dict[str, str]:
    found: dict[str, str] = {}
    rows = [str(line).split("\t") for line in lines] if isinstance(lines, list) else []
    for row in rows:
        if len(row) == 3 and row[2] == "installed":
            found[row[0]] = row[1]
    if not found:
        raise NoFact(Reason.ERROR, source=source, said=f"no package in {len(rows)} lines")
    return found
