"""From the demo to one's own point: the demo's data gives way to a `point.toml` that somebody put in its place."""

from __future__ import annotations

import logging
from pathlib import Path

from exam_kit.agent.demo_point import is_demo
from exam_kit.agent.status import AgentLock
from exam_kit.clock import Clock
from exam_kit.home import Home

__all__ = ["leave_demo"]

log = logging.getLogger(__name__)


def leave_demo(home: Home, clock: Clock) -> Path | None:
    """Set the demo's data aside when the home's `point.toml` is no longer the demo's; where it is now, or None.

    The demo's accounts have PINs that stand on its sign-in page, and its ledger is another point's: nothing of it may
    serve a real one. Nothing is deleted; passwords, profiles and `point.toml` itself stay.

    Raises:
        AlreadyRunning: the demo is still open on this data.
        AccessDenied: the file system does not allow it.
    """
    if is_demo(home) or not (home.demo_file.exists() and home.point_file.exists()):
        return None
    home.create()
    with AgentLock(home, "supervisor"), AgentLock(home):
        aside = home.root / f"demo-{clock.now():%Y%m%dT%H%M%SZ}"
        aside.mkdir()
        # The accounts' file goes last: were this cut short, the next start would go on with it.
        for part in (home.store.parent, home.keys, home.footage, home.bags, home.reports, home.references,
                     home.anchors, home.backups, home.demo_file):  # fmt: skip
            if part.exists():
                part.rename(aside / part.name)
    home.create()
    log.info("the demo's data was set aside in %s", aside)
    return aside
