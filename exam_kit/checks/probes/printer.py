"""Can the printer print: its state, what waits in its queue, its toner and paper."""

from __future__ import annotations

import re
from typing import Any

from exam_kit.checks import ipp, windows
from exam_kit.checks.at import At
from exam_kit.checks.model import Fact, Reason
from exam_kit.checks.registry import probe
from exam_kit.checks.site import NoFact
from exam_kit.i18n import N_


def _printers(at: At) -> list[dict[str, Any]]:
    """Every printer: name, default, ready, why not."""
    if at.machine.platform == "windows":
        return windows.printers(windows.facts(at))[0]
    record = at.command("lpstat", "-p", "-d")
    if record.fault is None and record.rc != 0 and "No destinations added" in record.err:
        return []
    said = record.answer()
    default = re.search(r"^system default destination: (\S+)$", said, re.M)
    found = []
    for line in said.splitlines():
        state = re.match(r"printer (\S+) (is idle|now printing|disabled since|is )(.*)$", line)
        if state:
            found.append(
                {
                    "name": state[1],
                    "default": default is not None and default[1] == state[1],
                    "ready": state[2] in ("is idle", "now printing"),
                    "why": "",
                }
            )
        elif line.startswith("\t") and found:
            found[-1]["why"] = f"{found[-1]['why']} {line.strip()}".strip()
    if not found and "no system default" not in said:
        raise NoFact(Reason.ERROR, command="lpstat", said=said[:200])
    return found


@probe(
    "printer.ready",
    readings={"printers": ("", N_("printers")), "stopped": ("", N_("stopped")), "default": ("", N_("default printer"))},
)
def ready(at: At, *, name: str = "") -> Fact:
    """How many printers are set up (of this `name`, when given), and how many of them do not print."""
    found = [printer for printer in _printers(at) if not name or printer["name"] == name]
    stopped = [printer for printer in found if not printer["ready"]]
    default = next((printer["name"] for printer in found if printer["default"]), None)
    return Fact({"printers": len(found), "stopped": len(stopped), "default": default}, {"printers": found})


@probe("printer.queue", readings={"jobs": ("", N_("jobs waiting"))})
def waiting(at: At) -> Fact:
    """How many jobs wait: before an exam there are none, and an old one would come out between the exam's papers."""
    if at.machine.platform == "windows":
        jobs = windows.printers(windows.facts(at))[1]
        return Fact({"jobs": jobs}, {"source": "Win32_PrintJob"})
    lines = [line for line in at.command("lpstat", "-o").answer().splitlines() if line.strip()]
    if any(not re.match(r"\S+-\d+\s+\S+\s+\d+", line) for line in lines):
        raise NoFact(Reason.ERROR, command="lpstat", said=lines[0][:200])
    return Fact({"jobs": len(lines)}, {"source": "lpstat", "jobs": [line.split()[0] for line in lines[:20]]})


LOW_PAPER = ("media-empty", "media-needed", "media-low", "media-jam")


@probe(
    "printer.supplies",
    lane="waiting",
    readings={
        "state": ("", N_("state")),
        "toner": ("%", N_("toner")),
        "paper": ("", N_("paper in order")),
        "reasons": ("", N_("says")),
    },
)
def supplies(at: At, *, address: str) -> Fact:
    """What the printer says of itself by IPP: its state, the lowest toner, whether there is paper.

    `address` is HOST[:PORT]/PATH: "localhost/printers/NAME" for a printer of CUPS, "192.168.0.9/ipp/print" for one
    that speaks IPP itself. `toner` is None where it does not tell.
    """
    said = ipp.printer_attributes(address, max(at.remaining_s(keep_s=0.3), 0.01))
    number = next(iter(said.get("printer-state", [])), None)
    state = {3: "idle", 4: "printing", 5: "stopped"}.get(number) if isinstance(number, int) else None
    if state is None:
        raise NoFact(Reason.ERROR, address=address, said=sorted(said))
    reasons = [str(reason) for reason in said.get("printer-state-reasons", []) if reason != "none"]
    kinds = [str(kind) for kind in said.get("marker-types", [])]
    levels = [level for level in said.get("marker-levels", []) if isinstance(level, int)]
    # A waste box counts the other way round; −1 to −3 mean "not known".
    toner = [
        level
        for place, level in enumerate(levels)
        if 0 <= level <= 100 and not (place < len(kinds) and kinds[place].startswith("waste"))
    ]
    paper = not any(reason.startswith(word) for reason in reasons for word in LOW_PAPER)
    return Fact(
        {
            "state": state,
            "toner": min(toner, default=None),
            "paper": paper,
            "reasons": ", ".join(reasons) or None,
        },
        {"address": address, "model": str(next(iter(said.get("printer-make-and-model", [])), "")), "levels": levels},
    )
