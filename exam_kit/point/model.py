"""The shape of `point.toml`."""

from __future__ import annotations

import datetime as dt
from enum import StrEnum
from typing import Annotated, Literal
from urllib.parse import SplitResult, urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, Field, field_validator, model_validator
from pydantic_core import PydanticCustomError
from pyrage import RecipientError, x25519

from exam_kit.errors import Message, m
from exam_kit.i18n import N_
from exam_kit.point.object_store import ObjectStore
from exam_kit.point.part import SAID, Part

__all__ = [
    "Beside",
    "Camera",
    "Encoding",
    "ExamDay",
    "ObjectStore",
    "Point",
    "RecordingWindow",
    "RegionCentre",
    "Room",
    "Station",
    "StationRole",
    "Transport",
    "Zone",
]

DEVICES = {"con", "prn", "aux", "nul", *(f"{port}{number}" for port in ("com", "lpt") for number in range(10))}
"""Names that Windows keeps for devices: a folder cannot be called so, and nothing would be recorded into it."""


def _no_device(code: str) -> str:
    if code.casefold() in DEVICES:
        raise PydanticCustomError(SAID, N_("Windows keeps this name for a device; choose another, for example with -1"))
    return code


# These go into file names on FAT32 sticks and into URLs.
Code = Annotated[str, Field(pattern=r"^[A-Za-z0-9-]{1,16}$"), AfterValidator(_no_device)]
SOURCES = ("rtsp", "rtsps", "http", "https", "usb", "file")
WITHOUT_HOST = ("usb", "file")


class Zone(StrEnum):
    """A kind of place with its own recording window."""

    HEADQUARTERS = "headquarters"
    ROOM = "room"
    CORRIDOR = "corridor"
    ENTRANCE = "entrance"


class Transport(StrEnum):
    """How an RTSP camera sends its video. Auto: TCP, and UDP when the camera refuses that or sends nothing over it."""

    TCP = "tcp"
    UDP = "udp"
    AUTO = "auto"


class StationRole(StrEnum):
    """What an exam station is for (field guide, glossary)."""

    AUTHORISATION = "authorisation"
    PRINT = "print"
    SCAN = "scan"
    HEADQUARTERS = "headquarters"
    ORGANISER = "organiser"
    COMPUTER_EXAM = "computer_exam"
    CCTV = "cctv"


class Room(Part):
    """A place with cameras or stations. The published sample gives headquarters the code 7777."""

    code: Code
    zone: Zone
    name: str = ""

    @property
    def label(self) -> str:
        return self.name or self.code


class Encoding(Part):
    """How the pictures of a camera that does not compress them itself are compressed. Larger ones are made smaller,
    frames above the rate are left out; the bit rate is the camera's `bitrate_mbps`."""

    max_width: int = Field(default=1280, ge=160, le=3840)
    max_height: int = Field(default=720, ge=120, le=2160)
    fps: float = Field(default=15, ge=1, le=60)
    preset: Literal["ultrafast", "superfast", "veryfast"] = "veryfast"


def _has_port(parts: SplitResult) -> bool:
    """A port that is one, or none at all."""
    try:
        return parts.port != 0
    except ValueError:
        return False


def _plain_http(url: str) -> bool:
    """An address of HTTP that names a host, and neither user nor password."""
    try:
        parts = urlsplit(url)
        return (
            parts.scheme in ("http", "https") and bool(parts.hostname) and "@" not in parts.netloc and _has_port(parts)
        )
    except ValueError:  # a bracket that is not closed
        return False


class Camera(Part):
    """One camera. Its password is never here: it is kept by `exam_kit.point.Secrets`."""

    id: Code
    room: Code
    url: str
    name: str = ""
    user: str | None = None
    transport: Transport = Transport.TCP
    sound: bool = False
    bitrate_mbps: float = Field(gt=0, le=100)
    onvif: str | None = None
    sub_url: str | None = None
    encode: Encoding | None = None

    @field_validator("onvif")
    @classmethod
    def _words(cls, url: str | None) -> str | None:
        if url is not None and not _plain_http(url):
            raise PydanticCustomError(
                SAID, N_("the camera's ONVIF address is http://HOST/onvif/device_service, with no name in it")
            )
        return url

    @field_validator("url", "sub_url")
    @classmethod
    def _address(cls, url: str | None) -> str | None:
        if url is None:
            return None
        parts = urlsplit(url)
        if parts.scheme not in SOURCES:
            raise PydanticCustomError(
                SAID, N_("an address begins with rtsp://, rtsps://, http://, https://, usb:// or file://; write it so")
            )
        if parts.username is not None or parts.password is not None:
            raise PydanticCustomError(
                SAID,
                N_(
                    "a password may not stand in the address; write the name under 'user' and give the password with "
                    "'exam-kit camera password'"
                ),
            )
        if parts.scheme not in WITHOUT_HOST and not parts.hostname:
            raise PydanticCustomError(SAID, N_("the address names no host; write rtsp://HOST/PATH"))
        if not _has_port(parts):
            raise PydanticCustomError(
                SAID, N_("the port in the address is no number from 1 to 65535; write rtsp://HOST:554/PATH")
            )
        if parts.scheme == "usb" and (parts.netloc or not parts.path.strip("/")):
            raise PydanticCustomError(
                SAID,
                N_("write a USB camera usb:///dev/v4l/by-id/NAME, on Windows usb:///NAME, with three strokes"),
            )
        return url

    @property
    def label(self) -> str:
        return self.name or self.id


class Station(Part):
    """One exam station; `main` is false for a reserve."""

    id: Code
    role: StationRole
    room: Code
    main: bool = True
    address: str | None = None


class RecordingWindow(Part):
    """When a zone is recorded, in minutes around the exam."""

    lead_min: float = Field(ge=0, le=24 * 60, description="recording starts this long before the exam starts")
    tail_min: float = Field(ge=0, le=24 * 60, description="recording ends this long after the exam's planned end")


class ExamDay(Part):
    """One exam. `start` is the point's local time."""

    date: dt.date
    start: dt.time
    subject: str = Field(min_length=1)
    duration_min: float = Field(gt=0, le=12 * 60)
    kind: Literal["EGE", "KEGE", "OGE", "GVE", "other"] = "EGE"
    recording: dict[Zone, RecordingWindow] = Field(default_factory=dict)

    @field_validator("start")
    @classmethod
    def _local(cls, start: dt.time) -> dt.time:
        if start.tzinfo is not None:
            raise PydanticCustomError(SAID, N_("give the point's local time without an offset, for example 10:00:00"))
        return start


class RegionCentre(Part):
    """The region's data centre (РЦОИ), as far as its public keys are known here; both may be left out.

    `key` is a PEM file with the Ed25519 key its receipts are signed with, a name within the data folder or an absolute
    path. `age` is the recipient that copies may be encrypted to.
    """

    key: str | None = Field(default=None, min_length=1)
    age: str | None = None

    @field_validator("age")
    @classmethod
    def _recipient(cls, recipient: str | None) -> str | None:
        """One wrong letter, and what is encrypted would open to nobody: the checksum in it tells."""
        if recipient is not None:
            try:
                x25519.Recipient.from_str(recipient)
            except RecipientError as problem:
                raise PydanticCustomError(
                    SAID,
                    N_(
                        "is not the public key of an age pair; copy the whole line that begins with age1 and is given "
                        "out by the regional data centre"
                    ),
                ) from problem
        return recipient


class Backups(Part):
    """Copies of the store: how many are kept in each place, and a second folder beside the home's, on another disk."""

    keep: int = Field(default=14, ge=1, le=1000)
    folder: str | None = Field(default=None, min_length=1)


class Beside(Part):
    """When a line of the access log is missing: which gaps are long enough to need one, and how near it must be."""

    gap_min_s: float = Field(default=10, ge=0, le=3600)
    near_min: float = Field(default=15, ge=0, le=24 * 60)


class Point(Part):
    """An exam point (ППЭ)."""

    region: Annotated[str, Field(pattern=r"^\d{2}$")]
    region_name: str = Field(min_length=1)
    code: Annotated[str, Field(pattern=r"^\d{4}$")]
    name: str = Field(min_length=1)
    address: str = Field(min_length=1)
    timezone: str
    language: Literal["ru", "en", "lv"] = "ru"
    profile: Annotated[str, Field(pattern=r"^[a-z0-9-]{1,32}$")]
    check_lead_min: float = Field(gt=0, le=24 * 60, description="the check runs this long before the exam")
    check_window_min: float = Field(gt=0, le=24 * 60, description="and may still start this long after it was due")
    rooms: tuple[Room, ...] = Field(min_length=1)
    cameras: tuple[Camera, ...] = ()
    stations: tuple[Station, ...] = ()
    recording: dict[Zone, RecordingWindow]
    region_centre: RegionCentre = RegionCentre()
    backups: Backups = Backups()
    access_log: Beside = Beside()
    store: tuple[ObjectStore, ...] = ()
    days: tuple[ExamDay, ...] = ()

    @field_validator("timezone")
    @classmethod
    def _zone(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError, OSError) as problem:
            raise PydanticCustomError(
                SAID,
                N_("no such time zone; give an IANA name such as Europe/Moscow, Asia/Yekaterinburg or Europe/Riga"),
            ) from problem
        return name

    @model_validator(mode="after")
    def _agree(self) -> Point:
        mistakes = [*self._repeated(), *self._nowhere(), *self._unplanned()]
        if mistakes:
            # The messages themselves travel in the context, so that they are shown in the reader's language.
            raise PydanticCustomError("point", "the parts do not agree", {"messages": mistakes})
        return self

    def _repeated(self) -> list[Message]:
        mistakes = []
        for table, key, values in (
            ("rooms", "code", [room.code for room in self.rooms]),
            ("cameras", "id", [camera.id for camera in self.cameras]),
            ("stations", "id", [station.id for station in self.stations]),
            ("days", "date", [str(day.date) for day in self.days]),
            ("store", "name", [store.name for store in self.store]),
        ):
            folded = [value.casefold() for value in values]
            for value in sorted({v for v in values if folded.count(v.casefold()) > 1}):
                mistakes.append(
                    m(
                        "{table}: {key} '{value}' stands more than once; each must differ",
                        table=table,
                        key=key,
                        value=value,
                    )
                )
        return mistakes

    def _nowhere(self) -> list[Message]:
        known = {room.code for room in self.rooms}
        return [
            m(
                "{table}: {item}: room '{room}' is not among the rooms; add it or correct the code",
                table=table,
                item=item.id,
                room=item.room,
            )
            for table, items in (("cameras", self.cameras), ("stations", self.stations))
            for item in items
            if item.room not in known
        ]

    def _unplanned(self) -> list[Message]:
        zones = {self.room(camera.room).zone for camera in self.cameras if self.has_room(camera.room)}
        return [
            m(
                "recording: zone '{zone}' has cameras but no window; add [recording.{zone}] with lead_min and tail_min",
                zone=zone.value,
            )
            for zone in sorted(zones - set(self.recording))
        ]

    @property
    def tz(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)

    def has_room(self, code: str) -> bool:
        return any(room.code == code for room in self.rooms)

    def room(self, code: str) -> Room:
        """The room with this code; KeyError when there is none."""
        for room in self.rooms:
            if room.code == code:
                return room
        raise KeyError(code)

    def camera(self, camera_id: str) -> Camera:
        """The camera with this id; KeyError when there is none."""
        for camera in self.cameras:
            if camera.id == camera_id:
                return camera
        raise KeyError(camera_id)

    def object_store(self, name: str) -> ObjectStore:
        """The object store with this name; KeyError when there is none."""
        for store in self.store:
            if store.name == name:
                return store
        raise KeyError(name)

    def zone_of(self, camera: Camera) -> Zone:
        return self.room(camera.room).zone

    def day(self, date: dt.date) -> ExamDay | None:
        """The exam day on this local date."""
        return next((day for day in self.days if day.date == date), None)
