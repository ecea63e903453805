"""Which cameras are there: WS-Discovery by multicast on chosen networks, or a question to one address."""

from __future__ import annotations

import socket
import time
import uuid
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from selectors import EVENT_READ, DefaultSelector
from urllib.parse import unquote

import psutil

from exam_kit.cctv.onvif.soap import Fault, NotOnvif, opened, printable, text
from exam_kit.cctv.onvif.wire import Address

__all__ = ["Found", "discover", "networks"]

GROUP, PORT = "239.255.255.250", 3702
WAIT_S = 3.0
AGAIN_S = 0.5
"""The question is sent twice: multicast is not acknowledged, and Wi-Fi loses it."""
MOST_FOUND = 1024
MOST_BYTES = 65507
SCOPE = "onvif://www.onvif.org/"


@dataclass(frozen=True)
class Found:
    """A camera that answered. What it says of itself needs no sign-in, and may be empty."""

    host: str
    """The address the answer came from."""
    onvif: str
    """Where it is asked by ONVIF, for point.toml."""
    name: str
    hardware: str
    location: str
    endpoint: str
    """Its own identity, the same whatever network it answers by."""


def networks() -> dict[str, str]:
    """This machine's networks that are up, without loopback: interface name to IPv4 address."""
    up = {name for name, state in psutil.net_if_stats().items() if state.isup}
    return {
        name: one.address
        for name, addresses in psutil.net_if_addrs().items()
        for one in addresses
        if one.family is socket.AF_INET and name in up and not one.address.startswith("127.")
    }


def discover(
    interfaces: Iterable[str] = (), hosts: Iterable[str] = (), *, wait_s: float = WAIT_S, port: int = PORT
) -> list[Found]:
    """Ask by multicast from each of the addresses `interfaces`, and each of `hosts` by itself; who answered, by host.

    Raises:
        OSError: an interface is not ours, or a host has no address.
    """
    message_id = f"urn:uuid:{uuid.uuid4()}"
    found: dict[str, Found] = {}
    with ExitStack() as held, DefaultSelector() as ready:
        asked: list[tuple[socket.socket, tuple[str, int]]] = []
        for interface in interfaces:
            wire = held.enter_context(_bound(interface))
            wire.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(interface))
            wire.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, 1)
            asked.append((wire, (GROUP, port)))
        for host in hosts:
            wire = held.enter_context(_bound(""))
            asked.append((wire, (socket.gethostbyname(host), port)))
        for wire, _to in asked:
            ready.register(wire, EVENT_READ)
        began, sent = time.monotonic(), 0
        while asked and (left := began + wait_s - time.monotonic()) > 0 and len(found) < MOST_FOUND:
            if sent < 2 and time.monotonic() - began >= sent * AGAIN_S:
                _ask(asked, _probe(message_id))
                sent += 1
            for key, _events in ready.select(min(left, AGAIN_S)):
                for one in _heard(key.fileobj, message_id):
                    found.setdefault(one.endpoint or one.onvif, one)
    return sorted(found.values(), key=lambda one: (socket.inet_aton(one.host), one.onvif))


def _bound(interface: str) -> socket.socket:
    wire = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        wire.bind((interface, 0))
    except OSError:
        wire.close()
        raise
    wire.setblocking(False)
    return wire


def _ask(asked: Sequence[tuple[socket.socket, tuple[str, int]]], question: bytes) -> None:
    refused: list[OSError] = []
    for wire, to in asked:
        try:
            wire.sendto(question, to)
        except OSError as problem:
            # One network without a way out must not keep the others from being asked.
            refused.append(problem)
    if len(refused) == len(asked):
        raise refused[0]


def _probe(message_id: str) -> bytes:
    return (
        '<?xml version="1.0" encoding="UTF-8"?><e:Envelope xmlns:e="http://www.w3.org/2003/05/soap-envelope" '
        'xmlns:w="http://schemas.xmlsoap.org/ws/2004/08/addressing" '
        'xmlns:d="http://schemas.xmlsoap.org/ws/2005/04/discovery" '
        'xmlns:dn="http://www.onvif.org/ver10/network/wsdl"><e:Header>'
        f"<w:MessageID>{message_id}</w:MessageID><w:To>urn:schemas-xmlsoap-org:ws:2005:04:discovery</w:To>"
        "<w:Action>http://schemas.xmlsoap.org/ws/2005/04/discovery/Probe</w:Action></e:Header>"
        "<e:Body><d:Probe><d:Types>dn:NetworkVideoTransmitter</d:Types></d:Probe></e:Body></e:Envelope>"
    ).encode()


def _heard(wire: object, message_id: str) -> list[Found]:
    """What one datagram tells; nothing where it is not an answer to our question."""
    assert isinstance(wire, socket.socket)
    try:
        said, (host, _port) = wire.recvfrom(MOST_BYTES)
    except OSError:
        # A port that nobody listens at is told here: that host has no camera.
        return []
    if message_id.encode() not in said:
        return []
    try:
        content = opened(said)
    except (NotOnvif, Fault):
        return []
    answers = [] if not content.tag.endswith("}ProbeMatches") else content.findall("{*}ProbeMatch")[:8]
    found = []
    for one in answers:
        where = _where(text(one, "XAddrs", MOST_BYTES).split(), host)
        if where:
            scopes = text(one, "Scopes", MOST_BYTES).split()
            told = {kind: _scope(scopes, kind) for kind in ("name", "hardware", "location")}
            found.append(Found(host=host, onvif=where, endpoint=text(one, "EndpointReference/Address"), **told))
    return found


def _where(urls: Sequence[str], host: str) -> str:
    """The address to ask: the one on the host that answered, else the first that is one."""
    known = []
    for url in urls:
        try:
            known.append(Address.parse(url))
        except ValueError:
            continue
    best = next((one for one in known if one.host == host), known[0] if known else None)
    return str(best) if best else ""


def _scope(scopes: Sequence[str], kind: str) -> str:
    start = f"{SCOPE}{kind}/"
    return next((printable(unquote(one[len(start) :]), 100) for one in scopes if one.startswith(start)), "")
