"""The network inside the point: the cable, the stations, and that there is no way out where there must be none."""

from __future__ import annotations

import errno
import queue
import socket
import threading

import psutil

from exam_kit.checks.at import At
from exam_kit.checks.model import Fact, Reason
from exam_kit.checks.registry import probe
from exam_kit.checks.site import NoFact
from exam_kit.i18n import N_

Said = str | OSError
SILENT = (errno.EHOSTUNREACH, errno.ENETUNREACH, errno.ETIMEDOUT, errno.EHOSTDOWN, errno.ENETDOWN)


@probe(
    "network.link",
    readings={"up": ("", N_("connected")), "wireless": ("", N_("wireless")), "speed": ("bps", N_("speed"))},
)
def link(at: At, *, interface: str = "") -> Fact:
    """Whether the network cable is in, how fast the link is; of `interface`, else of the one with the default route."""
    if at.machine.platform == "windows":
        return _by_psutil(interface)
    name = interface or _default_interface(at)
    folder = f"/sys/class/net/{name}"
    state = at.machine.read(f"{folder}/operstate")
    if state not in ("up", "down", "unknown", "dormant", "lowerlayerdown", "notpresent", "testing"):
        raise NoFact(Reason.ERROR, interface=name, said=state[:100])
    speed = at.machine.read_or(f"{folder}/speed")
    return Fact(
        {
            # "unknown" is what a virtual or a mobile link says that works.
            "up": state in ("up", "unknown"),
            "wireless": "wireless" in at.machine.names(folder) or "phy80211" in at.machine.names(folder),
            "speed": int(speed) * 1_000_000 if speed.isdigit() and int(speed) else None,
        },
        {"interface": name, "state": state},
    )


def _default_interface(at: At) -> str:
    rows = [line.split() for line in at.machine.read("/proc/net/route").splitlines()]
    if not rows or rows[0][:2] != ["Iface", "Destination"]:
        raise NoFact(Reason.ERROR, source="/proc/net/route", said=str(rows[:1])[:100])
    names = [row[0] for row in rows[1:] if len(row) > 2 and row[1] == "00000000"]
    others = [row[0] for row in rows[1:] if row and row[0] != "lo"]
    if not names and not others:
        raise NoFact(Reason.ERROR, source="/proc/net/route", said="no network is set up; name the interface")
    return (names or others)[0]


def _by_psutil(interface: str) -> Fact:
    found = {name: s for name, s in psutil.net_if_stats().items() if not interface or name == interface}
    up = {name: s for name, s in found.items() if s.isup and not name.lower().startswith(("lo", "loopback"))}
    if not found:
        raise NoFact(Reason.ERROR, interface=interface, said="no such interface")
    name, best = max((up or found).items(), key=lambda item: item[1].speed)
    wireless = any(word in name.lower() for word in ("wi-fi", "wlan", "wireless", "беспроводная"))
    return Fact({"up": bool(up), "wireless": wireless, "speed": best.speed * 1_000_000 or None}, {"interface": name})


@probe(
    "network.stations",
    lane="waiting",
    readings={"silent": ("", N_("stations silent")), "answering": ("", N_("stations answering")), "names": ("", "")},
)
def stations(at: At, *, ports: list[int]) -> Fact:
    """How many of the point's stations that have an address answer, at any of the ports.

    A refused connection is an answer, too: somebody is there. Skipped where point.toml names no addresses.
    """
    asked = {station.id: station.address for station in at.context.point.stations if station.address}
    if not asked or not ports:
        return Fact.skip(Reason.NOT_REQUIRED, stations=len(at.context.point.stations))
    said = _knock({(name, port): (address, port) for name, address in asked.items() for port in ports}, at)
    answering = {name for (name, _port), word in said.items() if word in ("connected", "refused")}
    told = {f"{name}:{port}": str(word) for (name, port), word in said.items()}
    unsure = [word for word in said.values() if isinstance(word, OSError) and not _is_silence(word)]
    silent = sorted(asked.keys() - answering)
    if silent and unsure:
        raise _why(unsure[0], told)
    return Fact(
        {"silent": len(silent), "answering": len(answering), "names": ", ".join(silent[:10]) or None}, {"said": told}
    )


@probe("network.closed", lane="waiting", readings={"open": ("", N_("internet reachable")), "names": ("", "")})
def closed(at: At, *, targets: list[str]) -> Fact:
    """Whether any of `targets` ("HOST:PORT", hosts of the internet) can be reached, where none may be.

    Only a real refusal or silence counts as closed; a fault of our own (no right to use the network, no free socket)
    leaves it open whether there is a way out.
    """
    if not targets:
        raise NoFact(Reason.ERROR, said="no target is given")
    asked = {}
    for target in targets:
        host, _colon, port = target.rpartition(":")
        asked[target, 0] = (host, int(port))
    said = _knock(asked, at)
    told = {target: str(word) for (target, _port), word in said.items()}
    reached = sorted(target for (target, _port), word in said.items() if word == "connected")
    unsure = [word for word in said.values() if isinstance(word, OSError) and not _is_silence(word)]
    if not reached and unsure:
        raise _why(unsure[0], told)
    return Fact({"open": bool(reached), "names": ", ".join(reached) or None}, {"said": told})


def _is_silence(problem: OSError) -> bool:
    if isinstance(problem, socket.gaierror):
        return problem.errno in (socket.EAI_NONAME, socket.EAI_AGAIN)
    return isinstance(problem, TimeoutError) or problem.errno in SILENT


def _why(problem: OSError, told: dict[str, str]) -> NoFact:
    return NoFact(Reason.DENIED if isinstance(problem, PermissionError) else Reason.ERROR, said=told)


def _knock(asked: dict[tuple[str, int], tuple[str, int]], at: At) -> dict[tuple[str, int], Said]:
    """What became of a connection to each address, all tried at once: "connected", "refused" or the fault."""
    strange = sorted(port for _host, port in asked.values() if not 0 < port < 65536)
    if strange:  # the resolver would take another port for it without a word
        raise NoFact(Reason.ERROR, said=f"no such ports: {strange}")
    answers: queue.SimpleQueue[tuple[tuple[str, int], Said]] = queue.SimpleQueue()
    limit = at.remaining_s(keep_s=0.5)

    def knock(name: tuple[str, int], address: tuple[str, int]) -> None:
        try:
            with socket.create_connection(address, timeout=max(limit, 0.01)):
                answers.put((name, "connected"))
        except ConnectionRefusedError:
            answers.put((name, "refused"))
        except OSError as problem:
            answers.put((name, problem))

    for name, address in asked.items():
        # Names are looked up without a time limit, so each has a thread that may be left behind.
        threading.Thread(target=knock, args=(name, address), daemon=True).start()
    said: dict[tuple[str, int], Said] = {}
    while len(said) < len(asked):
        try:
            name, word = answers.get(timeout=max(at.remaining_s(keep_s=0.2), 0.001))
        except queue.Empty:
            break
        said[name] = word
    for name in asked.keys() - said.keys():
        said[name] = TimeoutError("no answer in time")
    return said
