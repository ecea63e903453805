"""Does the system itself keep its clock right?"""

from __future__ import annotations

import re

from exam_kit.checks import windows
from exam_kit.checks.at import At
from exam_kit.checks.model import Fact, Reason
from exam_kit.checks.registry import probe
from exam_kit.checks.site import NoFact
from exam_kit.i18n import N_


@probe("clock.sync", readings={"on": ("", N_("kept right by a service")), "synchronised": ("", N_("synchronised"))})
def sync(at: At) -> Fact:
    """Whether a time service is switched on, and whether it has reached a server."""
    if at.machine.platform == "windows":
        return windows.time_service(windows.facts(at))
    said = at.command("timedatectl", "show").answer()
    told = dict(re.findall(r"^(NTP|NTPSynchronized)=(yes|no)$", said, re.M))
    if told.keys() != {"NTP", "NTPSynchronized"}:
        raise NoFact(Reason.ERROR, command="timedatectl", said=said[:200])
    return Fact(
        {"on": told["NTP"] == "yes", "synchronised": told["NTPSynchronized"] == "yes"}, {"source": "timedatectl"}
    )
