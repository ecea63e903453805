"""The main channel in parts: the name, the certificate, how much goes through; and the reserve channel."""

from __future__ import annotations

import http.client
import ipaddress
import os
import socket
import ssl
import sys
import time
from datetime import UTC, datetime
from urllib.parse import urlsplit

import psutil

from exam_kit.checks.at import At
from exam_kit.checks.model import Fact, Reason
from exam_kit.checks.probes.network import issuer_of
from exam_kit.checks.registry import probe
from exam_kit.checks.site import NoFact
from exam_kit.i18n import N_

BLOCK = 1 << 16


@probe(
    "network.dns",
    lane="waiting",
    readings={"addresses": ("", N_("addresses")), "private": ("", N_("private address")), "took": ("s", N_("took"))},
)
def dns(_at: At, *, names: list[str]) -> Fact:
    """How many of the names are known, how long the slowest took, and whether one leads to a private address.

    A public name that leads to a private address is a sign-in page of the network, or a filter.
    """
    known, told, slowest = 0, {}, 0.0
    private = False
    for name in names:
        began = time.perf_counter()
        try:
            found = sorted({str(entry[4][0]) for entry in socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)})
        except socket.gaierror as problem:
            told[name] = str(problem)
            continue
        slowest = max(slowest, time.perf_counter() - began)
        known += 1
        told[name] = ", ".join(found)
        private = private or any(ipaddress.ip_address(a.partition("%")[0]).is_private for a in found)
    return Fact({"addresses": known, "private": private, "took": round(slowest, 3)}, {"names": told})


@probe(
    "network.tls",
    lane="waiting",
    readings={
        "trusted": ("", N_("certificate trusted")),
        "expected": ("", N_("issued by an expected authority")),
        "issuer": ("", N_("issuer")),
        "days_left": ("d", N_("valid for")),
    },
)
def tls(at: At, *, host: str, issuers: list[str] | None = None, authorities: str | None = None) -> Fact:
    """Who vouches for the server: an issuer that is not on the list means that somebody reads along.

    `host` is HOST or HOST:PORT; `issuers` are parts of an issuer's name, any when empty; `authorities` is a file of
    further trusted certificates. No connection at all is no statement about the certificate.
    """
    name, _colon, port = host.partition(":")
    context = ssl.create_default_context()
    if authorities:
        context.load_verify_locations(authorities)
    with socket.create_connection((name, int(port or 443)), timeout=at.remaining_s(keep_s=0.3)) as line:
        try:
            with context.wrap_socket(line, server_hostname=name) as secure:
                certificate = secure.getpeercert() or {}
        except ssl.SSLCertVerificationError as problem:
            return Fact(
                {"trusted": False, "expected": None, "issuer": None, "days_left": None},
                {"host": host, "said": problem.verify_message},
            )
    issuer = issuer_of(certificate)
    ends = datetime.fromtimestamp(ssl.cert_time_to_seconds(str(certificate["notAfter"])), UTC)
    wanted = [part.lower() for part in issuers or []]
    return Fact(
        {
            "trusted": True,
            "expected": not wanted or any(part in issuer.lower() for part in wanted),
            "issuer": issuer,
            "days_left": (ends - at.context.clock.now()).days,
        },
        {"host": host, "ends": ends.isoformat(), "issuers": issuers or []},
    )


@probe(
    "network.throughput", lane="waiting", readings={"speed": ("bps", N_("speed")), "status": ("", N_("answer code"))}
)
def throughput(at: At, *, url: str, seconds: float = 3.0) -> Fact:
    """Bits a second that come from `url`, measured for at most `seconds`. Under 64 KiB nothing can be said."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise NoFact(Reason.ERROR, url=url, said="not an address of the web")
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.hostname, parts.port, timeout=max(at.remaining_s(keep_s=0.3), 0.01))
    try:
        connection.request("GET", parts.path or "/", headers={"User-Agent": "exam-kit", "Accept-Encoding": "identity"})
        answer = connection.getresponse()
        began, got = time.perf_counter(), 0
        ends = began + min(seconds, at.remaining_s(keep_s=0.3))
        while time.perf_counter() < ends and (block := answer.read1(BLOCK)):
            got += len(block)
        took = time.perf_counter() - began
    finally:
        connection.close()
    if answer.status != 200 or got < BLOCK:
        raise NoFact(Reason.ERROR, url=url, status=answer.status, bytes=got, said="too little came to measure a speed")
    return Fact(
        {"speed": round(8 * got / max(took, 1e-6)), "status": answer.status}, {"bytes": got, "took_s": round(took, 3)}
    )


@probe(
    "network.reserve",
    lane="waiting",
    readings={"reached": ("", N_("reached")), "status": ("", N_("answer code")), "took": ("s", N_("took"))},
)
def reserve(at: At, *, interface: str, host: str, port: int = 80, path: str = "/") -> Fact:
    """The reserve channel really used: one request that leaves by `interface`, whatever the routes say.

    Linux binds the socket to the device, elsewhere its address is the source; no route is touched. The name is
    looked up by the system's resolver, which may use the main channel: give `host` as an address to do without.
    `reached` is "nothing" (no such interface, or it is down), "name", "connection" or "answer".
    """
    address = _address_of(interface)
    evidence: dict[str, object] = {"interface": interface, "host": host, "port": port, "from": address or ""}
    began = time.perf_counter()

    def far(reached: str, status: int | None = None) -> Fact:
        return Fact({"reached": reached, "status": status, "took": round(time.perf_counter() - began, 3)}, evidence)

    if address is None:
        evidence["said"] = "no such interface, or it has no address"
        return far("nothing")
    family, kind, proto, _name, target = socket.getaddrinfo(host, port, socket.AF_INET, socket.SOCK_STREAM)[0]
    with socket.socket(family, kind, proto) as line:
        line.settimeout(max(at.remaining_s(keep_s=0.3), 0.01))
        if sys.platform == "linux":
            line.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, interface.encode() + b"\0")
        line.bind((address, 0))
        try:
            line.connect(target)
        except PermissionError:
            raise
        except OSError as problem:  # refused, unreachable, or silent until the time was up
            evidence["said"] = str(problem) or os.strerror(problem.errno or 0)
            return far("name")
        try:
            line.sendall(f"HEAD {path} HTTP/1.0\r\nHost: {host}\r\nUser-Agent: exam-kit\r\n\r\n".encode())
            said = line.recv(64)
        except OSError as problem:
            evidence["said"] = str(problem)
            return far("connection")
    words = said.split()
    if not said.startswith(b"HTTP/") or len(words) < 2 or not words[1].isdigit():
        evidence["said"] = said.decode("latin-1")
        return far("connection")
    return far("answer", int(words[1]))


def _address_of(interface: str) -> str | None:
    """The interface's IPv4 address while it is up."""
    status = psutil.net_if_stats().get(interface)
    if status is None or not status.isup:
        return None
    return next((a.address for a in psutil.net_if_addrs().get(interface, []) if a.family is socket.AF_INET), None)
