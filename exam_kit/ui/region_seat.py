"""Who sits before the region's screen."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from zoneinfo import ZoneInfo

import streamlit as st

from exam_kit.clock import Clock
from exam_kit.errors import ExamKitError
from exam_kit.home import Home
from exam_kit.i18n import _
from exam_kit.region.desk import RegionDesk
from exam_kit.region.settings import Region, load_region
from exam_kit.store import Account, Act, Ledger, Store, require
from exam_kit.ui.chrome import sign_out
from exam_kit.ui.plain import plain
from exam_kit.ui.seat import session_here

__all__ = ["RegionSeat", "require_region"]


@dataclass(frozen=True)
class RegionSeat:
    """What the region's page has at hand. `token` is the session's secret: never shown, never logged."""

    home: Home
    store: Store
    ledger: Ledger
    clock: Clock
    region: Region
    account: Account
    language: str
    token: str

    def __repr__(self) -> str:
        return f"RegionSeat({self.account.login}, {self.language})"

    @property
    def tz(self) -> ZoneInfo:
        return self.region.tz

    @property
    def brand(self) -> tuple[str, str]:
        return _("Region {region}").format(region=self.region.region), self.region.name

    @contextmanager
    def desk(self) -> Iterator[RegionDesk]:
        """The opened region, its catalogue up to date; closed when the block ends."""
        desk = RegionDesk.open(self.home, self.clock)
        try:
            yield desk
        finally:
            desk.close()


def require_region() -> RegionSeat:
    """The first line of the region's page: nothing is drawn before it returns.

    Outside a region's home, or for another role than the regional admin, it says so and ends the script.
    """
    found, session, token = session_here()
    home, store, ledger, clock = found
    try:
        require(session.account.role, Act.RECEIVE)
        region = load_region(home)
    except ExamKitError as refusal:
        st.error(plain(refusal.text(session.language)))
        sign_out()
        st.stop()
    return RegionSeat(home, store, ledger, clock, region, session.account, session.language, token)
