"""The alarms for the browser: what is raised, its clocks, its sound, and that somebody has seen it.

The banner is drawn by a script of its own in the served document, not by a page: it stands on every page, also on one
that failed or whose connection is lost.
"""

from __future__ import annotations

import functools
import io
import math
import struct
import wave
from datetime import timedelta
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from exam_kit.agent.alarms import Alarm, AlarmBook
from exam_kit.errors import m
from exam_kit.i18n import N_, ngettext, translate
from exam_kit.journal.categories import Mark
from exam_kit.journal.incident import Incident
from exam_kit.point import Point
from exam_kit.store import Account, Act, may
from exam_kit.web.desk import Desk, session_of, signed_in

__all__ = ["alarm_routes"]

WORDS = {
    "see": N_("I have seen it: silence the sound"),
    "seen": N_("seen by {name} at {time}"),
    "incident": N_("Incident № {number}"),
    "of": N_("of {limit} min"),
    "next": N_("in {time}: {label}"),
    "over": N_("the limit of {limit} min has passed"),
    "sound_on": N_("Sound on · test"),
    "sound_off": N_("Sound is off: press here"),
    "unheard": N_("The sound is off: press any key or click, and you will hear the alarm."),
    "lost": N_("No answer from Exam Kit: what is shown may be old, and it is not known whether the cameras record."),
    "lost_way": N_("See that Exam Kit runs on this computer; the page comes back by itself."),
    "out": N_("You are signed out"),
    "in": N_("Sign in"),
}

RATE_HZ = 16_000
BEEPS = ((880, 0.18), (0, 0.07), (660, 0.18), (0, 0.07), (880, 0.18), (0, 1.32))
"""Frequency in Hz and seconds: three short tones, then a rest, so that people can still talk."""
FADE_S = 0.01


def alarm_routes(desk: Desk) -> list[Route]:
    """`/live/alarms` tells them (GET) and takes that they were seen (POST); `/live/alarm.wav` is how they sound."""
    book = AlarmBook(desk.home, desk.store, desk.ledger, desk.ledger.clock)

    async def told(request: Request) -> Response:
        account = signed_in(request, Act.VIEW)
        return JSONResponse(await run_in_threadpool(_told, desk, book, account, _language(request)))

    async def seen(request: Request) -> Response:
        account = signed_in(request, Act.OPEN_INCIDENT)
        await run_in_threadpool(book.see, desk.point(), account)
        return JSONResponse(await run_in_threadpool(_told, desk, book, account, _language(request)))

    async def sound(request: Request) -> Response:
        signed_in(request, Act.VIEW)
        return Response(await run_in_threadpool(alarm_sound), media_type="audio/wav")

    return [
        Route("/live/alarms", told, methods=["GET"]),
        Route("/live/alarms", seen, methods=["POST"]),
        Route("/live/alarm.wav", sound),
    ]


def _language(request: Request) -> str:
    session = session_of(request.scope)
    return session.language if session else "ru"


def _told(desk: Desk, book: AlarmBook, account: Account, language: str) -> dict[str, Any]:
    point, now = desk.point(), desk.ledger.clock.now()
    raised = book.raised(point)
    return {
        "now_ms": _ms(now.timestamp()),
        "time": f"{now.astimezone(point.tz):%H:%M}",
        "alarms": [_alarm(point, alarm, language) for alarm in raised],
        "loud": any(alarm.seen is None for alarm in raised),
        "may_see": may(account.role, Act.OPEN_INCIDENT),
        "words": {name: translate(text, language) for name, text in WORDS.items()},
    }


def _alarm(point: Point, alarm: Alarm, language: str) -> dict[str, Any]:
    seen = alarm.seen
    return {
        "keys": list(alarm.keys),
        "what": alarm.what.text(language),
        "way_out": alarm.way_out.text(language),
        "clock": _clock(point, alarm, language),
        "incidents": [_sheet(sheet, language) for sheet in alarm.incidents],
        "seen": {"name": seen.name, "time": f"{seen.at.astimezone(point.tz):%H:%M}"} if seen else None,
    }


def _sheet(sheet: Incident, language: str) -> dict[str, Any]:
    """A sheet's number; where it is about several cameras, how many and which."""
    told: dict[str, Any] = {"number": sheet.number, "year": sheet.year, "count": "", "which": ""}
    cameras = sheet.cameras
    if len(cameras) > 1:
        told["count"] = ngettext("{count} camera", "{count} cameras", len(cameras), language).format(count=len(cameras))
        away = ", ".join(camera for camera in cameras if camera in sheet.away)
        back = ", ".join(camera for camera in cameras if camera not in sheet.away)
        which = (
            m("Incident № {number}: missing: {away}; back: {back}", number=sheet.number, away=away, back=back)
            if back
            else m("Incident № {number}: missing: {away}", number=sheet.number, away=away)
        )
        told["which"] = which.text(language)
    return told


def _clock(point: Point, alarm: Alarm, language: str) -> dict[str, Any] | None:
    """The clock of the incident's category, running since the footage ended."""
    category, since = alarm.category, alarm.since
    if category is None or since is None:
        return None
    limit = category.limit.until(since, point) if category.limit else None

    def due(mark: Mark) -> dict[str, Any]:
        at = since + timedelta(minutes=mark.after_min)
        return {"at_ms": _ms(at.timestamp()), "label": mark.label.text(language)}

    return {
        "since_ms": _ms(since.timestamp()),
        "limit_ms": _ms(limit.timestamp()) if limit else None,
        "limit_min": round((limit - since).total_seconds() / 60) if limit else None,
        "marks": [due(mark) for mark in category.marks],
    }


def _ms(seconds: float) -> int:
    return round(seconds * 1000)


@functools.cache
def alarm_sound() -> bytes:
    """Two seconds of WAV, mono, 16 bit, to be repeated."""
    frames = bytearray()
    for tone_hz, length_s in BEEPS:
        count = round(length_s * RATE_HZ)
        for n in range(count):
            fade = min(1.0, n / (FADE_S * RATE_HZ), (count - n) / (FADE_S * RATE_HZ))
            frames += struct.pack("<h", round(22_000 * fade * math.sin(2 * math.pi * tone_hz * n / RATE_HZ)))
    made = io.BytesIO()
    with wave.open(made, "wb") as target:
        target.setnchannels(1)
        target.setsampwidth(2)
        target.setframerate(RATE_HZ)
        target.writeframes(bytes(frames))
    return made.getvalue()
