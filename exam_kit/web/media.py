"""Live pictures and recordings, by number and never by path."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from exam_kit.cctv.live import looked_at
from exam_kit.store import Act
from exam_kit.web.desk import Desk, row_number, signed_in
from exam_kit.web.wall import FRESH_S, read_picture

__all__ = ["media_routes"]

CHUNK_BYTES = 1 << 18
OURS = {
    "kit.css": "text/css",
    "alarms.js": "text/javascript",
    "wall.js": "text/javascript",
    "footage.js": "text/javascript",
    "log.js": "text/javascript",
    "next.js": "text/javascript",
}
"""Files beside this one that the served document asks for."""


def _fresh(picture: Path) -> bytes | None:
    """The picture, unless it is too old: an old one looks like a camera that works."""
    found = read_picture(picture)
    return found[0] if found and time.time() - found[1] / 1e9 <= FRESH_S else None


def _so_far(path: Path, asked: str) -> Response:
    """A recording that still grows: as long as it is now, since a length once promised must be kept.

    `asked` is the request's Range header; one range of bytes is answered, anything else with the whole.
    """
    source = path.open("rb")
    size = os.fstat(source.fileno()).st_size
    first, last = _range(asked, size)
    source.seek(first)

    def pieces() -> Iterator[bytes]:
        left = last - first + 1
        with source:
            while left > 0 and (piece := source.read(min(CHUNK_BYTES, left))):
                left -= len(piece)
                yield piece

    headers = {"Content-Length": str(last - first + 1), "Accept-Ranges": "bytes"}
    partial = (first, last) != (0, size - 1)
    if partial:
        headers["Content-Range"] = f"bytes {first}-{last}/{size}"
    return StreamingResponse(pieces(), status_code=206 if partial else 200, media_type="video/mp4", headers=headers)


def _range(asked: str, size: int) -> tuple[int, int]:
    """First and last byte of a single `bytes=first-last` or `bytes=first-`; the whole file for anything else."""
    found = re.fullmatch(r"bytes=(\d{1,15})-(\d{0,15})", asked.strip())
    if found is None or int(found[1]) >= size:
        return 0, size - 1
    last = min(int(found[2]), size - 1) if found[2] else size - 1
    return (int(found[1]), last) if int(found[1]) <= last else (0, size - 1)


def media_routes(desk: Desk) -> list[Route]:
    """`/live/<camera>.jpg` and `/recordings/<segment>.mp4`; the second answers Range requests, so that one can seek."""

    async def live(request: Request) -> Response:
        signed_in(request, Act.VIEW)
        camera = request.path_params["camera"]
        picture = desk.home.live / f"{camera}.jpg"
        known = await run_in_threadpool(lambda: any(one.id == camera for one in desk.point().cameras))
        if known:
            await run_in_threadpool(looked_at, picture)
        content = await run_in_threadpool(_fresh, picture) if known else None
        return Response(content, media_type="image/jpeg") if content else Response(status_code=204)

    async def recording(request: Request) -> Response:
        signed_in(request, Act.VIEW)
        number = row_number(request.path_params["number"])
        rows = await run_in_threadpool(desk.store.query, "SELECT path, sha256 FROM segment WHERE id = ?", (number,))
        path = (desk.home.footage / rows[0]["path"]).resolve() if rows else None
        # The table is ours, but a row must not be able to name a file outside the footage.
        if path is None or not path.is_relative_to(desk.home.footage.resolve()) or not path.is_file():
            return PlainTextResponse("no such recording", status_code=404)
        if rows[0]["sha256"] is None:
            try:
                return await run_in_threadpool(_so_far, path, request.headers.get("range", ""))
            except FileNotFoundError:  # it was finished, and so renamed, this very moment
                return PlainTextResponse("no such recording", status_code=404)
        return FileResponse(path, media_type="video/mp4")

    def ours(name: str, kind: str) -> Callable[[Request], object]:
        content = Path(__file__).with_name(name).read_bytes()

        async def file(request: Request) -> Response:
            signed_in(request, Act.VIEW)
            return Response(content, media_type=kind)

        return file

    return [
        *(Route(f"/live/{name}", ours(name, kind)) for name, kind in OURS.items()),
        Route("/live/{camera}.jpg", live),
        Route("/recordings/{number}.mp4", recording),
    ]
