"""Alarms by PullPoint: the camera keeps what happened until it is asked, so nothing has to reach us from outside."""

from __future__ import annotations

import xml.etree.ElementTree as ET  # only elements that `soap.opened` made
from dataclasses import dataclass
from datetime import datetime

from exam_kit.cctv.onvif.client import OnvifCamera
from exam_kit.cctv.onvif.device import EVENTS, service
from exam_kit.cctv.onvif.soap import echoed, printable, text
from exam_kit.cctv.onvif.wire import Address, OnvifError
from exam_kit.clock import from_iso
from exam_kit.errors import m
from exam_kit.i18n import N_

__all__ = ["TAMPER_LABELS", "Notice", "PullPoint", "tamper"]

KEPT_S = 60
"""A subscription lives so long without being renewed; a camera has room for a few only."""
MOST_NOTICES = 100
ACTION = "http://www.onvif.org/ver10/events/wsdl/PullPointSubscription/PullMessagesRequest"
CREATE = "http://www.onvif.org/ver10/events/wsdl/EventPortType/CreatePullPointSubscriptionRequest"
RENEW = "http://docs.oasis-open.org/wsn/bw-2/SubscriptionManager/RenewRequest"
END = "http://docs.oasis-open.org/wsn/bw-2/SubscriptionManager/UnsubscribeRequest"

TAMPERS = (
    ("GlobalSceneChange", "scene_changed"),
    ("ImageTooBlurry", "blurred"),
    ("ImageTooDark", "dark"),
    ("ImageTooBright", "bright"),
    ("SignalLoss", "signal_lost"),
    ("TamperDetector", "tampered"),
    ("Tampering", "tampered"),
)
"""Parts of the topics by which cameras report it (ONVIF Imaging and Analytics specifications, tns1:VideoSource/… and
tns1:RuleEngine/TamperDetector/…), and what the kit calls it."""
TAMPER_LABELS = {
    "scene_changed": N_("the view has changed"),
    "blurred": N_("the picture is out of focus"),
    "dark": N_("the picture is too dark"),
    "bright": N_("the picture is too bright"),
    "signal_lost": N_("the sensor gives no signal"),
    "tampered": N_("somebody tampers with it"),
}


@dataclass(frozen=True)
class Notice:
    """One thing a camera reports."""

    topic: str
    source: str
    on: bool
    """It began (or lasts); False: it is over."""
    at: datetime | None
    """By the camera's clock; None where that cannot be read."""


def tamper(topic: str) -> str | None:
    """What kind of tampering a topic tells of; None when it tells of something else."""
    return next((kind for part, kind in TAMPERS if part in topic), None)


class PullPoint:
    """One subscription. Every method raises `OnvifError`; after one, subscribe anew."""

    def __init__(self, camera: OnvifCamera) -> None:
        """Subscribe."""
        self._camera = camera
        where = service(camera, EVENTS)
        if where is None:
            raise OnvifError("fault", m("{place}: the camera reports no events.", place=camera.address.place))
        said = camera.call(
            where,
            "<tev:CreatePullPointSubscription>"
            f"<tev:InitialTerminationTime>PT{KEPT_S}S</tev:InitialTerminationTime></tev:CreatePullPointSubscription>",
            action=CREATE,
        )
        self._at: Address = camera.here(text(said, "SubscriptionReference/Address"))
        self._reference = echoed(said.find("{*}SubscriptionReference/{*}ReferenceParameters"))

    def pull(self, wait_s: float) -> list[Notice]:
        """What happened since, waiting up to `wait_s` for something to happen."""
        said = self._camera.call(
            self._at,
            f"<tev:PullMessages><tev:Timeout>PT{max(round(wait_s), 1)}S</tev:Timeout>"
            f"<tev:MessageLimit>{MOST_NOTICES}</tev:MessageLimit></tev:PullMessages>",
            action=ACTION,
            reference=self._reference,
            timeout_s=wait_s + self._camera.timeout_s,
        )
        return [notice for one in said.findall("{*}NotificationMessage")[:MOST_NOTICES] for notice in _notices(one)]

    def renew(self) -> None:
        """Keep it for another `KEPT_S`."""
        self._camera.call(
            self._at,
            f"<wsnt:Renew><wsnt:TerminationTime>PT{KEPT_S}S</wsnt:TerminationTime></wsnt:Renew>",
            action=RENEW,
            reference=self._reference,
        )

    def end(self) -> None:
        """Give the camera its place back."""
        self._camera.call(self._at, "<wsnt:Unsubscribe/>", action=END, reference=self._reference)


def _notices(said: ET.Element) -> list[Notice]:
    topic = text(said, "Topic")[:200]
    message = said.find("{*}Message/{*}Message")
    if not topic or message is None:
        return []
    source = " ".join(item.get("Value", "") for item in message.findall("{*}Source/{*}SimpleItem"))
    values = [item.get("Value", "") for item in message.findall("{*}Data/{*}SimpleItem")]
    on = message.get("PropertyOperation") != "Deleted" and any(value.lower() in ("true", "1") for value in values)
    try:
        at = from_iso(message.get("UtcTime", ""))
    except (ValueError, OverflowError):
        at = None
    return [Notice(topic, printable(source, 100), on, at)]
