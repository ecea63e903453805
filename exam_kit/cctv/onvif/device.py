"""Who a camera is, and where its pictures come from."""

from __future__ import annotations

import xml.etree.ElementTree as ET  # only elements that `soap.opened` made
from dataclasses import dataclass
from urllib.parse import urlsplit, urlunsplit
from xml.sax.saxutils import escape

from exam_kit.cctv.onvif.client import OnvifCamera
from exam_kit.cctv.onvif.soap import printable, text
from exam_kit.cctv.onvif.wire import MOST_PICTURE_BYTES, Address, OnvifError
from exam_kit.errors import m

__all__ = ["Information", "Profile", "information", "profiles", "service", "snapshot"]

MEDIA = "http://www.onvif.org/ver10/media/wsdl"
MEDIA2 = "http://www.onvif.org/ver20/media/wsdl"
EVENTS = "http://www.onvif.org/ver10/events/wsdl"
CAPABILITIES = {MEDIA: "Media", EVENTS: "Events"}
"""Where GetCapabilities, which older cameras have in place of GetServices, tells the same."""
MOST_PROFILES = 16
MOST_URI = 1000
CODECS = {"H264": "h264", "H265": "hevc", "JPEG": "mjpeg"}
"""The recorder's names for them."""


@dataclass(frozen=True)
class Information:
    """What stands on the camera's plate."""

    maker: str
    model: str
    firmware: str
    serial: str


@dataclass(frozen=True)
class Profile:
    """One stream a camera offers, without user and password. Zero and "": it does not tell."""

    token: str
    name: str
    codec: str
    width: int
    height: int
    fps: float
    bitrate_bps: int
    stream: str
    picture: str


def information(camera: OnvifCamera) -> Information:
    """Maker, model, firmware, serial number. OnvifError as every call raises it."""
    said = camera.call(camera.address, "<tds:GetDeviceInformation/>")
    return Information(
        *(text(said, name)[:100] for name in ("Manufacturer", "Model", "FirmwareVersion", "SerialNumber"))
    )


def service(camera: OnvifCamera, namespace: str) -> Address | None:
    """Where the camera offers a service; None when it does not."""
    if camera.services is None:
        camera.services = _services(camera)
    return camera.services.get(namespace)


def _services(camera: OnvifCamera) -> dict[str, Address]:
    asked = "<tds:GetServices><tds:IncludeCapability>false</tds:IncludeCapability></tds:GetServices>"
    try:
        said = camera.call(camera.address, asked)
        told = {text(one, "Namespace"): text(one, "XAddr", MOST_URI) for one in said.findall("{*}Service")}
    except OnvifError as problem:
        if problem.cause != "fault":
            raise
        said = camera.call(
            camera.address, "<tds:GetCapabilities><tds:Category>All</tds:Category></tds:GetCapabilities>"
        )
        told = {space: text(said, f"Capabilities/{name}/XAddr") for space, name in CAPABILITIES.items()}
    return {space: camera.here(url) for space, url in told.items() if url}


def profiles(camera: OnvifCamera) -> list[Profile]:
    """Its streams, the largest picture first: that is the main stream."""
    where, second = service(camera, MEDIA2), True
    if where is None:
        where, second = service(camera, MEDIA), False
    if where is None:
        return []
    kind = "tr2" if second else "trt"
    wanted = f"<{kind}:Type>All</{kind}:Type>" if second else ""
    said = camera.call(where, f"<{kind}:GetProfiles>{wanted}</{kind}:GetProfiles>")
    found = [_profile(camera, where, one, kind) for one in said.findall("{*}Profiles")[:MOST_PROFILES]]
    return sorted(found, key=lambda one: one.width * one.height, reverse=True)


def _profile(camera: OnvifCamera, where: Address, said: ET.Element, kind: str) -> Profile:
    path = "{*}Configurations/{*}VideoEncoder" if kind == "tr2" else "{*}VideoEncoderConfiguration"
    encoder = said.find(path)
    mark = said.get("token", "")
    given = f"<{kind}:ProfileToken>{escape(mark)}</{kind}:ProfileToken>"
    setup = (
        f"<{kind}:Protocol>RTSP</{kind}:Protocol>"
        if kind == "tr2"
        else "<trt:StreamSetup><tt:Stream>RTP-Unicast</tt:Stream><tt:Transport><tt:Protocol>RTSP</tt:Protocol>"
        "</tt:Transport></trt:StreamSetup>"
    )
    stream = camera.call(where, f"<{kind}:GetStreamUri>{setup}{given}</{kind}:GetStreamUri>")
    codec = text(encoder, "Encoding").upper()
    return Profile(
        token=mark[:100],
        name=text(said, "Name")[:100],
        codec=CODECS.get(codec, codec.lower()[:20]),
        width=int(_number(encoder, "Resolution/Width")),
        height=int(_number(encoder, "Resolution/Height")),
        fps=_number(encoder, "RateControl/FrameRateLimit"),
        bitrate_bps=int(_number(encoder, "RateControl/BitrateLimit") * 1000),
        stream=_uri(stream),
        picture=_picture(camera, where, kind, given),
    )


def _picture(camera: OnvifCamera, where: Address, kind: str, given: str) -> str:
    """The address of a still picture; "" where the camera has none, which the standard allows."""
    try:
        return _uri(camera.call(where, f"<{kind}:GetSnapshotUri>{given}</{kind}:GetSnapshotUri>"))
    except OnvifError as problem:
        if problem.cause != "fault":
            raise
        return ""


def snapshot(camera: OnvifCamera, profile: Profile) -> bytes:
    """A still picture, JPEG. It is fetched from the camera itself, whatever host the address names."""
    picture = camera.fetch(camera.here(profile.picture), MOST_PICTURE_BYTES)
    if not picture.startswith(b"\xff\xd8"):
        raise OnvifError(
            "garbled", m("{place}: what it gives as a picture is not one (JPEG).", place=camera.address.place)
        )
    return picture


def _uri(said: ET.Element) -> str:
    """The address in an answer; some cameras put user and password into it, and those are left out."""
    found = text(said, "MediaUri/Uri", MOST_URI) or text(said, "Uri", MOST_URI)
    try:
        parts = urlsplit(found)
        place = parts.netloc.rpartition("@")[2]
    except ValueError:
        return ""
    return printable(urlunsplit((parts.scheme, place, parts.path, parts.query, "")), MOST_URI)


def _number(element: ET.Element | None, path: str) -> float:
    try:
        number = float(text(element, path) or 0)
    except ValueError:
        return 0.0
    return number if 0 <= number < 1e9 else 0.0
