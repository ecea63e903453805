"""Live pictures and recordings, by number and never by path."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

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
}
"""Files beside this one that the served document asks for."""


def _fresh(picture: Path) -> bytes | None:
    """The picture, unless it is too old: an old one looks like a camera that works."""
    found = read_picture(picture)
    return found[0] if found and time.time() - found[1] / 1e9 <= FRESH_S else None


def _so_far(path: Path) -> Response:
    """A recording that still grows: as long as it is now, since a length once promised must be kept."""
    source = path.open("rb")
    size = os.fstat(source.fileno()).st_size

    def pieces() -> Iterator[bytes]:
        left = size
        with source:
            while left > 0 and (piece := source.read(min(CHUNK_BYTES, left))):
                left -= len(piece)
                yield piece

    return StreamingResponse(pieces(), media_type="video/mp4", headers={"Content-Length": str(size)})


def media_routes(desk: Desk) -> list[Route]:
    """`/live/<camera>.jpg` and `/recordings/<segment>.mp4`; the second answers Range requests, so that one can seek."""

    async def live(request: Request) -> Response:
        signed_in(request, Act.VIEW)
        camera = request.path_params["camera"]
        picture = desk.home.live / f"{camera}.jpg"
        known = await run_in_threadpool(lambda: any(one.id == camera for one in desk.point().cameras))
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
                return await run_in_threadpool(_so_far, path)
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
