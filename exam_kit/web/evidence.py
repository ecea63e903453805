"""Photos and papers that were added to an answer, opened from the screen."""

from __future__ import annotations

from mimetypes import guess_extension

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from exam_kit.store import Act
from exam_kit.store.evidence import UNKNOWN_KIND, kind_of, read_evidence
from exam_kit.web.desk import Desk, signed_in

__all__ = ["evidence_routes"]


def evidence_routes(desk: Desk) -> list[Route]:
    """`/papers/evidence/<sha256>`: proved before it is given, shown only if it is a picture or a PDF."""

    async def evidence(request: Request) -> Response:
        signed_in(request, Act.VIEW)
        sha256 = request.path_params["sha256"]
        content = await run_in_threadpool(read_evidence, desk.home, sha256)
        kind = kind_of(content)
        shown = "attachment" if kind == UNKNOWN_KIND else "inline"
        name = f"{sha256[:12]}{guess_extension(kind) or ''}"
        headers = {
            "Content-Disposition": f'{shown}; filename="{name}"',
            "X-Content-Type-Options": "nosniff",
            "Cache-Control": "private, no-store",
        }
        return Response(content, media_type=kind, headers=headers)

    return [Route("/papers/evidence/{sha256}", evidence)]
