"""Coverage of a day for the browser: what was recorded by each camera, and which file holds which second."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from exam_kit.cctv.coverage import coverage
from exam_kit.cctv.picture import STATE_LABELS, PictureState
from exam_kit.cctv.picture_history import CALM, seen_states
from exam_kit.cctv.segments import NO_FILE, segments
from exam_kit.cctv.status import CAUSES
from exam_kit.errors import UsageError, m
from exam_kit.i18n import N_, translate
from exam_kit.point import Camera, ExamDay, Point, day_span, exam_end, exam_start
from exam_kit.store import Act, Store
from exam_kit.web.desk import Desk, session_of, signed_in

__all__ = ["footage_routes"]

KINDS = {
    "recorded": N_("recorded"),
    "imported": N_("brought in from elsewhere"),
    "gap": N_("gap"),
    "bad": N_("picture bad"),
    "future": N_("still planned"),
    "not_planned": N_("not planned"),
    "edge": N_("start and end of the exam"),
    "now": N_("now"),
}
WORDS = {
    "day": N_("day"),
    "hour": N_("1 hour"),
    "minutes": N_("10 minutes"),
    "keys": N_("← → move, ↑ ↓ camera, Enter plays, + − zoom, Page Up/Down previous and next gap, Esc closes"),
    "close": N_("Close"),
    "save": N_("Save the file"),
    "none_here": N_("Nothing is recorded at {time}."),
    "skipped": N_("Nothing is recorded at {time}; it goes on from {next}."),
    "over": N_("No later recording of this camera on this day."),
    "broken": N_("This recording cannot be played: the file is missing or damaged."),
    "player": N_("The browser does not show this kind of file: save it and open it in a player."),
    "timeline": N_("{camera}: what was recorded"),
    "exam": N_("exam"),
    "gaps": N_("gaps {span}"),
    "live": N_("being recorded"),
    "camera": N_("Camera"),
    "gap": N_("Gap"),
    "length": N_("Length"),
    "cause": N_("Cause"),
    "list": N_("Gaps: {count}"),
}
IMPORTED = "imported"
SHORTEST_S = 1.0
"""A shorter gap is the cut between two files."""


def footage_routes(desk: Desk) -> list[Route]:
    """`/live/coverage?day=` for the bars of all cameras, `/live/footage?day=&camera=` for the files of one."""

    async def covered(request: Request) -> Response:
        signed_in(request, Act.VIEW)
        session = session_of(request.scope)
        day = _day(desk.point(), request)
        return JSONResponse(await run_in_threadpool(_covered, desk, day, session.language if session else "ru"))

    async def files(request: Request) -> Response:
        signed_in(request, Act.VIEW)
        day, camera = _day(desk.point(), request), request.query_params.get("camera", "")
        return JSONResponse(await run_in_threadpool(_files, desk, day, camera))

    return [Route("/live/coverage", covered), Route("/live/footage", files)]


def _day(point: Point, request: Request) -> ExamDay:
    text = request.query_params.get("day", "")
    found = next((day for day in point.days if str(day.date) == text), None)
    if found is None:
        raise UsageError(m("{day}: the point has no exam on this day. Choose one of its exam days.", day=text[:10]))
    return found


def _reach(desk: Desk, point: Point, day: ExamDay) -> tuple[datetime, datetime]:
    """The day's plan, and what was recorded before and after it by order."""
    start, end = day_span(point, day)
    rows = desk.store.query(
        "SELECT min(from_at) AS first, max(coalesce(to_at, from_at)) AS last FROM segment WHERE day = ?",
        (str(day.date),),
    )
    if rows and rows[0]["first"]:
        start = min(start, datetime.fromisoformat(rows[0]["first"]))
        end = max(end, datetime.fromisoformat(rows[0]["last"]))
    return start, end


def _covered(desk: Desk, day: ExamDay, language: str) -> dict[str, Any]:
    point, now = desk.point(), desk.ledger.clock.now()
    start, end = _reach(desk, point, day)
    return {
        "start_ms": _ms(start),
        "end_ms": _ms(end),
        "now_ms": _ms(now),
        "exam": [_ms(exam_start(point, day)), _ms(exam_end(point, day))],
        "zone": str(point.timezone),
        "cameras": [_camera(desk.store, point, camera, start, end, now, language) for camera in point.cameras],
        "kinds": {kind: translate(text, language) for kind, text in KINDS.items()},
        "words": {name: translate(text, language) for name, text in WORDS.items()},
    }


def _camera(
    store: Store, point: Point, camera: Camera, start: datetime, end: datetime, now: datetime, language: str
) -> dict[str, Any]:
    cover = coverage(store, point, camera.id, start, end, now)
    spans = [
        [_ms(one.start), _ms(one.end), one.kind, translate(CAUSES.get(one.cause or "", one.cause or ""), language)]
        for one in cover.spans
        if one.kind != "gap" or (one.end - one.start).total_seconds() >= SHORTEST_S
    ]
    over = [
        [_ms(one.start), _ms(one.end or one.start), "imported", ""]
        for one in segments(store, camera.id, start=start, end=end)
        if one.reason == IMPORTED
    ]
    over += [
        [_ms(one.start), _ms(one.end), "bad", translate(STATE_LABELS[PictureState(one.state)], language)]
        for one in seen_states(store, camera.id, start, end)
        if one.state not in CALM
    ]
    return {
        "id": camera.id,
        "place": point.room(camera.room).label,
        "spans": spans,
        "over": list(_joined(over)),
        "recorded_s": round(cover.recorded_s),
        "gap_s": round(cover.gap_s),
    }


def _joined(spans: Iterable[list[Any]]) -> Iterable[list[Any]]:
    """Neighbours of one kind and text as one: a day's imports are hundreds of files."""
    last: list[Any] | None = None
    for span in spans:
        if last is not None and last[2:] == span[2:] and span[0] - last[1] < 1000:
            last[1] = max(last[1], span[1])
            continue
        if last is not None:
            yield last
        last = list(span)
    if last is not None:
        yield last


def _files(desk: Desk, day: ExamDay, camera: str) -> dict[str, Any]:
    """Number, beginning, end (null while it is written) and name of each file, in order of time."""
    start, end = _reach(desk, desk.point(), day)
    return {
        "files": [
            [one.id, _ms(one.start), _ms(one.end) if one.end else None, one.path.rpartition("/")[2]]
            for one in segments(desk.store, camera, start=start, end=end)
            if one.reason not in NO_FILE and one.frames != 0
        ]
    }


def _ms(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)
