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
    status = _dpkg_status(at) if linux else b""
    if status:
        return DPKG_STATUS, _installed(status, linux), linux
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
    if status := _dpkg_status(at):
        return DPKG_STATUS, _installed(status)
    for argv in (DPKG, RPM):
        try:
            return argv[0], _parse(at.texts(*argv), argv[0])
        except NoFact as none:
            if none.fact.reason is not Reason.TOOL_ABSENT:
                raise
    raise NoFact(Reason.TOOL_ABSENT, looked_for=["dpkg-query", "rpm"])


def _dpkg_status(at: At) -> bytes:
    """dpkg's own file (dpkg(1), FILES), read in a tenth of the time that `dpkg-query` takes.

    Empty where dpkg must be asked after all: no such file here, changes not yet merged, or not the form we know.
    """

    def read() -> bytes:
        try:
            text = at.machine.bytes_of(DPKG_STATUS)
        except NoFact:
            return b""
        return text if text.startswith(b"Package: ") and not at.machine.names(DPKG_UPDATES) else b""

    return at.once(DPKG_STATUS, read)


def _installed(status: bytes, name: str = "") -> dict[str, str]:
    """Versions of what is installed, by name; of the one package `name` only, when that is given."""
    found: dict[str, str] = {}
    head = b"Package: " + (name.encode() + b"\n" if name else b"")
    begins = status.find(head)
    while begins >= 0:
        ends = status.find(b"\n\n", begins)
        stanza = status[begins : ends if ends >= 0 else None].decode(errors="replace")
        if begins == 0 or status[begins - 1] == 0x0A:
            lines = dict(line.split(": ", 1) for line in stanza.splitlines() if ": " in line and line[0] != " ")
            if lines.get("Status", "").endswith(" installed") and "Version" in lines:
                found[lines["Package"]] = lines["Version"]
        begins = status.find(head, begins + len(head))
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
