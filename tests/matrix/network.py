"""Rows of the matrix whose other side is a real server on loopback."""

from __future__ import annotations

from exam_kit.checks import Reason, State
from tests.checks_matrix import Case, Row, fault, nothing
from tests.checks_servers import http_server, ipp_answer, time_server, tls_server
from tests.matrix.setups import (
    BUSY_ANSWER,
    NO_MIDDLE,
    NO_WORDS,
    OK_ANSWER,
    bare,
    open_servers,
    server,
    station_at,
)


def rows() -> dict[str, Row]:
    """Rows whose other side is a real server on loopback."""
    silent, busy, garbled, good = (
        server(b""),
        server(BUSY_ANSWER),
        server(b"\x00\x01 no HTTP\r\n\r\n"),
        server(OK_ANSWER),
    )
    big = open_servers.enter_context(http_server(body=b"x" * 3_000_000))
    small = open_servers.enter_context(http_server(body=b"x"))
    certificate, tls = open_servers.enter_context(tls_server())
    here, in_step, ahead = (open_servers.enter_context(time_server(off)) for off in (0, 12, 3600))
    mute = open_servers.enter_context(time_server(0, lambda _answer: b""))
    odd = open_servers.enter_context(time_server(0, lambda _answer: b"HTTP/1.1 400"))
    printers = {
        name: bare(open_servers.enter_context(http_server(body=ipp_answer(state, toner, why)))) + "/ipp/print"
        for name, state, toner, why in (
            ("good", 3, 60, "none"),
            ("low", 3, 8, "toner-low-warning"),
            ("empty", 3, 60, "media-empty-error"),
        )
    }
    forbidden = bare(open_servers.enter_context(http_server(status=403, body=b""))) + "/ipp/print"

    def url(address: str) -> str:
        return f'{{ url = "{address}" }}'

    def asked(state: State, args: str, reason: Reason | None = None) -> Case:
        return Case(nothing, state, reason, args=args)

    def reserve(address: str, interface: str = "lo") -> str:
        host, _colon, port = bare(address).partition(":")
        return f'{{ interface = "{interface}", host = "{host}", port = {port} }}'

    def host(address: str, authorities: str = certificate) -> str:
        trusted = f', authorities = "{authorities}"' if authorities else ""
        return f'{{ host = "{bare(address)}", issuers = ["Exam authority"]{trusted} }}'

    def port(address: str) -> str:
        return bare(address).partition(":")[2]

    channel = fault("reached, is_not = 'answer'", warn="status, above = 499")
    refused = "nobody but a firewall refuses, and that is an answer"
    return {
        "network.channel": Row(
            channel,
            {
                "ok": asked(State.OK, url(good)),
                "warn": asked(State.WARN, url(busy)),
                "fail": asked(State.FAIL, url("http://127.0.0.1:9/")),
                "absent": asked(State.FAIL, url("http://no-such-host.invalid/")),
                "denied": refused,
                "timeout": asked(State.FAIL, url(silent)),
                "garbage": asked(State.FAIL, url(garbled)),
                "locale": NO_WORDS,
            },
        ),
        "network.reserve": Row(
            channel,
            {
                "ok": asked(State.OK, reserve(good)),
                "warn": asked(State.WARN, reserve(busy)),
                "fail": asked(State.FAIL, reserve("http://127.0.0.1:9")),
                "absent": asked(State.FAIL, reserve(good, "wwan7")),
                "denied": refused,
                "timeout": asked(State.FAIL, reserve(silent)),
                "garbage": asked(State.FAIL, reserve(garbled)),
                "locale": NO_WORDS,
            },
        ),
        "network.throughput": Row(
            fault("speed, below = 2_000_000", warn="speed, below = 4_000_000"),
            {
                "ok": asked(State.OK, url(big + "/file")),
                "warn": Case(nothing, State.WARN, None, fault(warn="speed, below = 1e18"), url(big + "/file")),
                "fail": Case(nothing, State.FAIL, None, fault("speed, below = 1e18"), url(big + "/file")),
                "absent": asked(State.UNKNOWN, url("http://127.0.0.1:9/"), Reason.ERROR),
                "denied": asked(State.UNKNOWN, url(f"http://{forbidden}"), Reason.ERROR),
                "timeout": asked(State.UNKNOWN, url(silent), Reason.TIMEOUT),
                "garbage": asked(State.UNKNOWN, url(small + "/file"), Reason.ERROR),
                "locale": NO_WORDS,
            },
        ),
        "network.tls": Row(
            fault("trusted, is = false", "expected, is = false", warn="days_left, below = 14"),
            {
                "ok": asked(State.OK, host(tls)),
                "warn": Case(nothing, State.WARN, None, fault(warn="days_left, below = 9999"), host(tls)),
                "fail": asked(State.FAIL, host(tls, "")),
                "absent": asked(State.UNKNOWN, host("127.0.0.1:9"), Reason.ERROR),
                "denied": refused,
                "timeout": asked(State.UNKNOWN, host(silent), Reason.TIMEOUT),
                "garbage": asked(State.UNKNOWN, host(garbled), Reason.ERROR),
                "locale": NO_WORDS,
            },
        ),
        "network.dns": Row(
            fault("addresses, below = 1", warn="private, is = true"),
            {
                "ok": asked(State.OK, '{ names = ["9.9.9.9"] }'),
                "warn": asked(State.WARN, '{ names = ["localhost"] }'),
                "fail": asked(State.FAIL, '{ names = ["no-such-host.invalid"] }'),
                "absent": asked(State.FAIL, "{ names = [] }"),
                "denied": refused,
                "timeout": "the runner's own limit; see test_runner_deadlines",
                "garbage": asked(State.UNKNOWN, '{ names = ["bad..name"] }', Reason.ERROR),
                "locale": NO_WORDS,
            },
        ),
        "network.stations": Row(
            fault("answering, below = 1", warn="silent, above = 0"),
            {
                "ok": Case(station_at("127.0.0.1"), State.OK),
                "warn": Case(station_at("192.0.2.254"), State.WARN, None, fault(warn="silent, above = 0")),
                "fail": Case(station_at("no-such-station.invalid"), State.FAIL),
                "absent": Case(nothing, State.SKIP, Reason.NOT_REQUIRED),
                "denied": refused,
                "timeout": Case(station_at("192.0.2.254"), State.FAIL),
                "garbage": Case(station_at("127.0.0.1"), State.UNKNOWN, Reason.ERROR, args="{ ports = [700000] }"),
                "locale": NO_WORDS,
            },
            f"{{ ports = [{port(good)}] }}",
        ),
        "network.closed": Row(
            fault("open, is = true"),
            {
                "ok": asked(State.OK, '{ targets = ["127.0.0.1:9"] }'),
                "warn": NO_MIDDLE,
                "fail": asked(State.FAIL, f'{{ targets = ["127.0.0.1:9", "127.0.0.1:{port(good)}"] }}'),
                "absent": asked(State.UNKNOWN, "{ targets = [] }", Reason.ERROR),
                "denied": refused,
                "timeout": "silence of the internet is what is asked for",
                "garbage": asked(State.UNKNOWN, '{ targets = ["127.0.0.1:port"] }', Reason.ERROR),
                "locale": NO_WORDS,
            },
        ),
        "printer.supplies": Row(
            fault("state, is = 'stopped'", "paper, is = false", warn="toner, below = 15"),
            {
                "ok": asked(State.OK, f'{{ address = "{printers["good"]}" }}'),
                "warn": asked(State.WARN, f'{{ address = "{printers["low"]}" }}'),
                "fail": asked(State.FAIL, f'{{ address = "{printers["empty"]}" }}'),
                "absent": asked(State.UNKNOWN, '{ address = "127.0.0.1:9/x" }', Reason.ERROR),
                "denied": asked(State.UNKNOWN, f'{{ address = "{forbidden}" }}', Reason.DENIED),
                "timeout": asked(State.UNKNOWN, f'{{ address = "{bare(silent)}/x" }}', Reason.TIMEOUT),
                "garbage": asked(State.UNKNOWN, f'{{ address = "{bare(small)}/x" }}', Reason.ERROR),
                "locale": NO_WORDS,
            },
        ),
        "clock.offset": Row(
            fault("offset, above = 60", warn="offset, above = 5"),
            {
                "ok": asked(State.OK, f'{{ servers = ["{here}"] }}'),
                "warn": asked(State.WARN, f'{{ servers = ["{in_step}"] }}'),
                "fail": asked(State.FAIL, f'{{ servers = ["{ahead}"] }}'),
                "absent": asked(State.UNKNOWN, '{ servers = ["no-such-host.invalid"] }', Reason.ERROR),
                "denied": asked(State.UNKNOWN, '{ servers = ["127.0.0.1:9"] }', Reason.ERROR),
                "timeout": asked(State.UNKNOWN, f'{{ servers = ["{mute}"] }}', Reason.TIMEOUT),
                "garbage": asked(State.UNKNOWN, f'{{ servers = ["{odd}"] }}', Reason.ERROR),
                "locale": NO_WORDS,
            },
        ),
    }
