"""Dahua recorders by HTTP: ``mediaFileFind.cgi`` and ``RPC_Loadfile`` (HTTP API for IPC and NVR, "Find media files").
Never run on the real device.

Its times bear no zone and are the recorder's own local time.
"""

from __future__ import annotations

import re
from collections import defaultdict
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from urllib.parse import quote
from zoneinfo import ZoneInfo

from exam_kit.cctv.nvr import Clip, Fetched, HttpRecorder, NvrError, Progress

__all__ = ["Dahua"]

FIND = "/cgi-bin/mediaFileFind.cgi?action="
LOAD = "/cgi-bin/RPC_Loadfile"
PAGE = 100
"""The most the maker's document allows."""
MOST_PAGES = 500
_ITEM = re.compile(r"items\[(\d+)\]\.(\w+)=(.*)")


class Dahua:
    """One recorder; `zone` is its clock's. Channels count from 1."""

    def __init__(self, wire: HttpRecorder, zone: str) -> None:
        self._wire, self._zone = wire, ZoneInfo(zone)

    def search(self, channel: int, start: datetime, end: datetime) -> list[Clip]:
        """Main-stream recordings that touch this time, in order. Raises NvrError."""
        told = self._wire.ask("GET", f"{FIND}factory.create")
        finder = told.strip().removeprefix("result=")
        if not finder.isdigit():
            raise self._wire.garbled("no finder")
        try:
            first, last = (quote(f"{at.astimezone(self._zone):%Y-%m-%d %H:%M:%S}") for at in (start, end))
            wanted = f"&condition.Channel={channel}&condition.StartTime={first}&condition.EndTime={last}"
            kinds = "&condition.Types%5B0%5D=dav&condition.Types%5B1%5D=mp4&condition.VideoStream=Main"
            if self._wire.ask("GET", f"{FIND}findFile&object={finder}{wanted}{kinds}").strip() != "OK":
                return []
            found: list[Clip] = []
            for _page in range(MOST_PAGES):
                page = self._clips(channel, self._wire.ask("GET", f"{FIND}findNextFile&object={finder}&count={PAGE}"))
                found += page
                if len(page) < PAGE:
                    break
            return sorted(set(found), key=lambda clip: (clip.start, clip.reference))
        finally:
            self._leave(finder)

    def fetch(self, clip: Clip, target: Path, progress: Progress) -> Fetched:
        """The recording at `target`. Raises NvrError."""
        path = LOAD + quote(clip.reference, safe="/[]@")
        return self._wire.download("GET", path, None, target, clip.bytes, progress)

    def _leave(self, finder: str) -> None:
        """A recorder has few finders; one that is not given back is lost until it restarts."""
        for act in ("close", "destroy"):
            try:
                self._wire.ask("GET", f"{FIND}{act}&object={finder}")
            except NvrError:
                return  # what went wrong before is what the person needs to read

    def _clips(self, channel: int, answer: str) -> list[Clip]:
        items: dict[int, dict[str, str]] = defaultdict(dict)
        for line in answer.splitlines():
            if found := _ITEM.fullmatch(line.strip()):
                items[int(found[1])][found[2]] = found[3].strip()
        if not items and not answer.strip().lower().startswith(("found=", "error", "ok")):
            raise self._wire.garbled("no list")
        return [self._clip(channel, item) for _number, item in sorted(items.items())]

    def _clip(self, channel: int, item: dict[str, str]) -> Clip:
        try:
            start, end = (
                datetime.fromisoformat(item[name]).replace(tzinfo=self._zone).astimezone(UTC)
                for name in ("StartTime", "EndTime")
            )
            reference = item["FilePath"]
        except (KeyError, ValueError):
            raise self._wire.garbled("a recording without its time or path") from None
        if not reference.startswith("/") or ".." in reference:
            raise self._wire.garbled("a path that is none")
        length = item.get("Length", "")
        suffix = PurePosixPath(reference).suffix.lower() or ".dav"
        return Clip(channel, start, end, reference, int(length) if length.isdigit() else None, suffix)
