"""Is the channel there, all the way to an answer?"""

from __future__ import annotations

import http.client
import socket
import ssl
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from exam_kit.checks.at import At
from exam_kit.checks.model import Fact, Reason
from exam_kit.checks.registry import probe
from exam_kit.i18n import N_

CAMERAS = "cameras"


@probe(
    "network.channel",
    lane="waiting",
    readings={"reached": ("", N_("reached")), "status": ("", N_("answer code")), "took": ("s", N_("took"))},
)
def channel(at: At, *, url: str) -> Fact:
    """How far one gets towards `url`, the HTTP status, and how long it took.

    `reached` is "nothing", "name" (the address is known), "connection" or "answer". The word "cameras" stands for the
    first camera of the point that has a network address: the camera network.
    """
    address = _first_camera(at) if url == CAMERAS else url
    if address is None:
        return Fact.skip(Reason.NO_CAMERAS)
    parts = urlsplit(address)
    host = parts.hostname or ""
    try:
        port = parts.port or {"https": 443, "rtsp": 554}.get(parts.scheme, 80)
    except ValueError as problem:
        return Fact.unknown(Reason.ERROR, said=str(problem))
    evidence: dict[str, object] = {"host": host, "port": port}
    began = time.perf_counter()

    def far(reached: str, status: int | None = None) -> Fact:
        return Fact({"reached": reached, "status": status, "took": round(time.perf_counter() - began, 3)}, evidence)

    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as problem:
        evidence["said"] = str(problem)
        return far("nothing")
    evidence["addresses"] = sorted({str(entry[4][0]) for entry in found})
    try:
        with socket.create_connection((host, port), timeout=at.remaining_s(keep_s=0.3)) as line:
            evidence["from"] = line.getsockname()[0]
    except OSError as problem:  # refused, unreachable, or silent until the time was up
        evidence["said"] = str(problem)
        return far("name")
    if parts.scheme not in ("http", "https") or url == CAMERAS:
        return far("connection")
    try:
        status, issuer = _answer(parts.scheme, host, port, parts.path or "/", at.remaining_s(keep_s=0.2))
    except (OSError, http.client.HTTPException) as problem:
        evidence["said"] = f"{type(problem).__name__}: {problem}"
        return far("connection")
    evidence["issuer"] = issuer
    return far("answer", status)


def _first_camera(at: At) -> str | None:
    return next((c.url for c in at.context.point.cameras if urlsplit(c.url).hostname), None)


def _answer(scheme: str, host: str, port: int, path: str, limit_s: float) -> tuple[int, str]:
    """The HTTP status, and who issued the certificate ("" without TLS). A redirect is an answer, too."""
    connection: http.client.HTTPConnection
    if scheme == "https":
        connection = http.client.HTTPSConnection(host, port, timeout=limit_s, context=ssl.create_default_context())
    else:
        connection = http.client.HTTPConnection(host, port, timeout=limit_s)
    try:
        connection.request("HEAD", path, headers={"User-Agent": "exam-kit"})
        status = connection.getresponse().status
        certificate = connection.sock.getpeercert() if isinstance(connection.sock, ssl.SSLSocket) else None
    finally:
        connection.close()
    return status, issuer_of(certificate)


def issuer_of(certificate: Mapping[str, Any] | None) -> str:
    """The issuer's organisation, out of the nested pairs that `getpeercert` gives."""
    names = {key: value for part in (certificate or {}).get("issuer", ()) for key, value in part}
    return str(names.get("organizationName", ""))
