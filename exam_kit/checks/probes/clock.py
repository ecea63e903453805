"""Is the clock right: against time servers, against the point's zone, against the journal's last entry?"""

from __future__ import annotations

import queue
import secrets
import socket
import statistics
import struct
import threading
import time
from datetime import datetime

from exam_kit.checks.at import At
from exam_kit.checks.model import Fact, Reason
from exam_kit.checks.registry import probe
from exam_kit.clock import from_iso
from exam_kit.i18n import N_

NTP_EPOCH = 2_208_988_800
"""Seconds from 1900 (RFC 5905) to 1970."""
NTP_PORT = 123


@probe(
    "clock.offset",
    lane="waiting",
    readings={"offset": ("s", N_("clock is off by")), "answered": ("", N_("time servers that agree"))},
)
def offset(at: At, *, servers: list[str], agree_s: float = 1.0) -> Fact:
    """How far this clock is from the time servers ("HOST" or "HOST:PORT"), all asked at once by SNTP.

    The median of those counts that agree within `agree_s` with each other; where no more than half of the answers
    agree, none is believed.
    """
    answers: queue.SimpleQueue[tuple[str, tuple[float, float] | OSError | ValueError]] = queue.SimpleQueue()
    limit = at.remaining_s(keep_s=0.3)
    for server in servers:
        # Name resolution cannot be given a time limit, so each server is asked from a thread that may be left behind.
        threading.Thread(target=_ask_into, args=(server, limit, answers), daemon=True).start()
    good: dict[str, tuple[float, float]] = {}
    bad: dict[str, str] = {}
    refused: set[type] = set()
    for _server in servers:
        try:
            name, answer = answers.get(timeout=max(at.remaining_s(keep_s=0.2), 0.001))
        except queue.Empty:
            break
        if isinstance(answer, tuple):
            good[name] = answer
        else:
            bad[name] = str(answer) or type(answer).__name__
            refused.add(type(answer))
    if not good:
        silent = not bad or refused == {TimeoutError} or len(bad) < len(servers)
        return Fact.unknown(Reason.TIMEOUT if silent else Reason.ERROR, servers=servers, said=bad)
    told = {name: round(off, 3) for name, (off, _travelled) in good.items()}
    agreeing = _agreeing(sorted(off for off, _travelled in good.values()), agree_s)
    evidence = {"servers": told, "asked": len(servers), "answered": len(good), "said": bad}
    if 2 * len(agreeing) <= len(good):
        return Fact.unknown(Reason.ERROR, **evidence, problem="the time servers do not agree")
    middle = statistics.median(agreeing)
    return Fact(
        {"offset": round(abs(middle), 3), "answered": len(agreeing)}, {**evidence, "offset_s": round(middle, 3)}
    )


def _agreeing(offsets: list[float], within_s: float) -> list[float]:
    """The largest group of sorted offsets of which the first and the last are no further apart than that."""
    groups = ([off for off in offsets[start:] if off - first <= within_s] for start, first in enumerate(offsets))
    return max(groups, key=len)


def _ask_into(
    server: str, limit_s: float, answers: queue.SimpleQueue[tuple[str, tuple[float, float] | OSError | ValueError]]
) -> None:
    try:
        answers.put((server, sntp(server, limit_s)))
    except (OSError, ValueError) as problem:
        answers.put((server, problem))


def sntp(server: str, limit_s: float) -> tuple[float, float]:
    """(server's clock minus ours, round trip), in seconds.

    Raises:
        OSError: no answer (TimeoutError), no such host, no network.
        ValueError: the answer is not to our question, or the server says that it does not know the time.
    """
    host, _colon, port = server.partition(":")
    family, kind, proto, _name, address = socket.getaddrinfo(host, int(port or NTP_PORT), type=socket.SOCK_DGRAM)[0]
    ours = secrets.token_bytes(8)  # instead of our time: proves the answer is to this question
    with socket.socket(family, kind, proto) as line:
        line.settimeout(max(limit_s, 0.001))
        line.connect(address)
        sent_wall, sent = time.time(), time.perf_counter()
        line.send(struct.pack("!B39x8s", 0x23, ours))  # version 4, client
        answer = line.recv(512)
        travelled = time.perf_counter() - sent
    if len(answer) < 48:
        raise ValueError("the answer is too short for NTP")
    flags, stratum, originate, received, transmitted = struct.unpack("!BB22x8sQQ", answer[:48])
    if originate != ours or flags & 7 != 4 or not transmitted:
        raise ValueError("the answer is not to this question")
    if flags >> 6 == 3 or not 1 <= stratum <= 15:
        raise ValueError("the server does not know the time itself")
    middle = (_seconds(received) + _seconds(transmitted)) / 2
    return middle - (sent_wall + travelled / 2), travelled


def _seconds(stamp: int) -> float:
    seconds = stamp / 2**32 - NTP_EPOCH
    return seconds if seconds > 0 else seconds + 2**32  # era 1 begins in 2036


@probe("clock.zone", readings={"difference": ("min", N_("difference to the point's local time"))})
def zone(at: At) -> Fact:
    """Minutes between this computer's local time and the point's, right now."""
    now = at.context.clock.now()
    machine: datetime = now.astimezone()
    point = now.astimezone(at.context.point.tz)
    here, there = machine.utcoffset(), point.utcoffset()
    if here is None or there is None:
        return Fact.unknown(Reason.ERROR)
    return Fact(
        {"difference": abs((here - there).total_seconds()) / 60},
        {
            "computer_zone": f"{machine.tzname()} ({machine:%z})",
            "point_zone": f"{at.context.point.timezone} ({point:%z})",
        },
    )


@probe("clock.forward", readings={"behind": ("s", N_("behind the journal's last entry"))})
def forward(at: At) -> Fact:
    """Seconds by which the clock stands before the journal's last entry: it was set back, or its battery is dead."""
    rows = at.context.store.query("SELECT seq, at FROM ledger ORDER BY seq DESC LIMIT 1")
    now = at.context.clock.now()
    if not rows:
        return Fact({"behind": 0}, {"entries": 0})
    behind = (from_iso(rows[0]["at"]) - now).total_seconds()
    return Fact({"behind": max(round(behind, 3), 0)}, {"entries": rows[0]["seq"], "last_entry": rows[0]["at"]})
