"""Hikvision recorders by ISAPI: ``ContentMgmt/search`` and ``ContentMgmt/download`` (IP Surveillance API, RaCM part,
2.0). Never run on the real device.

Its times end in Z and are the recorder's own local time all the same, so `zone` is that of the recorder's clock.
"""

from __future__ import annotations

import uuid
import xml.etree.ElementTree as ET  # a document type is refused below, so there are no entities to expand
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import parse_qs, urlsplit
from xml.sax.saxutils import escape
from zoneinfo import ZoneInfo

from exam_kit.cctv.nvr import Clip, Fetched, HttpRecorder, Progress

__all__ = ["Hikvision"]

SEARCH = "/ISAPI/ContentMgmt/search"
DOWNLOAD = "/ISAPI/ContentMgmt/download"
PAGE = 40
"""Matches asked for at a time; recorders give at most 64, older ones fewer."""
MOST_PAGES = 500


class Hikvision:
    """One recorder; `zone` is its clock's."""

    def __init__(self, wire: HttpRecorder, zone: str) -> None:
        self._wire, self._zone = wire, ZoneInfo(zone)

    def search(self, channel: int, start: datetime, end: datetime) -> list[Clip]:
        """Main-stream recordings that touch this time, in order. Raises NvrError."""
        search = str(uuid.uuid4()).upper()
        found: list[Clip] = []
        for _page in range(MOST_PAGES):
            told = self._page(search, channel, start, end, len(found))
            matches = told.findall("{*}matchList/{*}searchMatchItem")
            found += [self._clip(channel, match) for match in matches]
            if (told.findtext("{*}responseStatusStrg") or "").strip().upper() != "MORE" or not matches:
                break
        return sorted(set(found), key=lambda clip: (clip.start, clip.reference))

    def fetch(self, clip: Clip, target: Path, progress: Progress) -> Fetched:
        """The recording at `target`. Raises NvrError."""
        asked = f"<downloadRequest><playbackURI>{escape(clip.reference)}</playbackURI></downloadRequest>"
        return self._wire.download("GET", DOWNLOAD, asked.encode(), target, clip.bytes, progress)

    def _page(self, search: str, channel: int, start: datetime, end: datetime, position: int) -> ET.Element:
        first, last = (f"{at.astimezone(self._zone):%Y-%m-%dT%H:%M:%S}Z" for at in (start, end))
        asked = (
            '<?xml version="1.0" encoding="UTF-8"?><CMSearchDescription version="1.0" '
            f'xmlns="http://www.isapi.org/ver20/XMLSchema"><searchID>{search}</searchID>'
            # The track is the channel and its stream: 1 is the main one.
            f"<trackIDList><trackID>{channel}01</trackID></trackIDList><timeSpanList><timeSpan>"
            f"<startTime>{first}</startTime><endTime>{last}</endTime></timeSpan></timeSpanList>"
            # So spelt in the maker's document.
            f"<maxResults>{PAGE}</maxResults><searchResultPostion>{position}</searchResultPostion>"
            "<metadataList><metadataDescriptor>//recordType.meta.std-cgi.com</metadataDescriptor></metadataList>"
            "</CMSearchDescription>"
        )
        answer = self._wire.ask("POST", SEARCH, asked.encode())
        if "<!DOCTYPE" in answer:
            raise self._wire.garbled("a document type declaration")
        try:
            root = ET.fromstring(answer)  # noqa: S314 - see above
        except ET.ParseError:
            raise self._wire.garbled("XML that is not well formed") from None
        if not root.tag.endswith("CMSearchResult"):
            raise self._wire.garbled(root.tag.rpartition("}")[2][:40])
        return root

    def _clip(self, channel: int, match: ET.Element) -> Clip:
        reference = (match.findtext("{*}mediaSegmentDescriptor/{*}playbackURI") or "").strip()
        size = parse_qs(urlsplit(reference).query).get("size", [""])[0]
        try:
            start, end = (
                self._moment(match.findtext(f"{{*}}timeSpan/{{*}}{name}")) for name in ("startTime", "endTime")
            )
        except ValueError:
            raise self._wire.garbled("a recording without its time") from None
        return Clip(channel, start, end, reference, int(size) if size.isdigit() else None, ".mp4")

    def _moment(self, text: str | None) -> datetime:
        local = datetime.fromisoformat((text or "").strip().removesuffix("Z"))
        return (local if local.tzinfo else local.replace(tzinfo=self._zone)).astimezone(UTC)
