"""The live wall for the browser: what is known of every camera, and the pictures that are new to it, in one answer.

One request a second for all cameras, and only what has changed: thirty-two requests, or thirty-two pictures pushed
through Streamlit, cost many times as much.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from exam_kit.agent.camera_facts import CameraFact, camera_facts
from exam_kit.cctv.live import looked_at
from exam_kit.checks.wording import value_text
from exam_kit.i18n import N_, set_language, translate
from exam_kit.store import Act
from exam_kit.web.desk import Desk, session_of, signed_in

__all__ = ["FRESH_S", "read_picture", "wall_routes"]

FRESH_S = 10.0
"""A picture older than this is not live any more, and is marked as old."""
GONE_S = 600.0
"""One older than this says nothing about the room and is not shown at all."""

SHORT = {
    "recording": N_("records"),
    "connecting": N_("connecting"),
    "lost": N_("DOES NOT RECORD"),
    "off": N_("off"),
    "unknown": N_("not known"),
}
"""States in a word, for many small pictures."""

WORDS = {
    "age": N_("{seconds} s"),
    "old": N_("old picture: {span}"),
    "minutes": N_("{minutes}:{seconds} min"),
    "none": N_("no picture"),
    "close": N_("Esc: all cameras"),
    "wanted": N_("should record now"),
    "held_back": N_("stopped by an order"),
    "since": N_("since {time}"),
}


def read_picture(path: Path) -> tuple[bytes, int] | None:
    """A live picture and the moment it was made, in ns since 1970; None when there is none.

    Read whole from one opened file: it is replaced every second, and its length belongs to its content.
    """
    try:
        with path.open("rb") as source:
            return source.read(), os.fstat(source.fileno()).st_mtime_ns
    except OSError:
        return None


def wall_routes(desk: Desk) -> list[Route]:
    """`/live/wall?have=<stamps>`: a line of JSON, then the pictures one after another.

    `have` holds the stamp of the picture that the browser has of each camera, in the point's order, joined by dots.
    """

    async def wall(request: Request) -> Response:
        signed_in(request, Act.VIEW)
        session = session_of(request.scope)
        language = session.language if session else "ru"
        have = request.query_params.get("have", "").split(".")
        content = await run_in_threadpool(_wall, desk, have, language)
        return Response(content, media_type="application/octet-stream")

    return [Route("/live/wall", wall)]


def _wall(desk: Desk, have: Sequence[str], language: str) -> bytes:
    set_language(language)  # of this thread, for the words of values
    point, clock = desk.point(), desk.ledger.clock
    facts = camera_facts(desk.home, desk.store, point, clock)
    now, now_s = clock.now(), time.time()
    tiles, pictures = [], []
    for place, fact in enumerate(facts):
        looked_at(desk.home.live / f"{fact.camera.id}.jpg")
        stamp, age_s, content = _new(desk.home.live / f"{fact.camera.id}.jpg", now_s, have[place : place + 1])
        tile = _tile(fact, language)
        since = f"{fact.since.astimezone(point.tz):%H:%M}" if fact.since else ""
        if fact.missing(now):
            tile["short"] = translate(SHORT["lost"], language)
        tile |= {"since": since, "missing": fact.missing(now), "stamp": stamp, "bytes": len(content), "age_s": age_s}
        tiles.append(tile)
        pictures.append(content)
    words = {name: translate(text, language) for name, text in WORDS.items()}
    head = {"tiles": tiles, "words": words, "fresh_s": FRESH_S}
    return json.dumps(head, ensure_ascii=False).encode() + b"\n" + b"".join(pictures)


def _new(path: Path, now_s: float, have: Sequence[str]) -> tuple[str, float | None, bytes]:
    """Stamp, age in seconds and content of a picture; no content when the browser has it, no age when there is none."""
    try:
        made_ns = path.stat().st_mtime_ns
    except OSError:
        return "", None, b""
    if now_s - made_ns / 1e9 > GONE_S:
        return "", None, b""
    stamp = f"{made_ns // 1_000_000:x}"
    if stamp in have:
        return stamp, _age(now_s, made_ns), b""
    found = read_picture(path)
    if found is None:
        return "", None, b""
    content, made_ns = found
    return f"{made_ns // 1_000_000:x}", _age(now_s, made_ns), content


def _age(now_s: float, made_ns: int) -> float:
    return round(max(0.0, now_s - made_ns / 1e9), 1)


def _tile(fact: CameraFact, language: str) -> dict[str, Any]:
    status, notes = fact.status, []
    if fact.cause and not fact.recording:
        notes.append(translate(fact.cause, language))
    if fact.wanted and not fact.recording:
        notes.append(translate(WORDS["wanted"], language))
    if fact.held_back:
        notes.append(translate(WORDS["held_back"], language))
    if status is not None and fact.recording:
        notes += [f"{status.width}×{status.height}", value_text(round(status.fps), "fps", language)]
        notes.append(value_text(round(status.bitrate, -5), "bps", language))
    return {
        "id": fact.camera.id,
        "place": fact.room.label,
        "code": fact.room.code,
        "short": translate(fact.ill or SHORT.get(fact.state, ""), language),
        "state": fact.state,
        "tone": fact.tone,
        "label": translate(fact.state_label, language),
        "ill": translate(fact.ill, language),
        "notes": " · ".join(dict.fromkeys(notes)),
    }
