"""Results over the local network: the same file, to a pinned certificate, one at a time and within bounds."""

from __future__ import annotations

import http.client
import socket
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from exam_kit.checks import station_listen
from exam_kit.checks.station import Taken
from exam_kit.checks.station_file import MAX_BYTES
from exam_kit.checks.station_listen import Receiver, receiver_certificate, receiver_fingerprint
from exam_kit.checks.station_send import PATH, SendFailed, send
from exam_kit.clock import FakeClock
from exam_kit.errors import PortTaken, UsageError
from tests.stations import Site


@pytest.fixture
def site(tmp_path: Path, clock: FakeClock) -> Site:
    return Site.at(tmp_path / "laptop", clock)


@pytest.fixture
def receiver(site: Site) -> Iterator[Receiver]:
    def take_file(data: bytes, _name: str) -> Taken:
        try:
            return site.take(data, note_refusal=False)
        finally:
            site.store.close()  # this thread's connection

    pem = receiver_certificate(site.home.keys, site.clock)
    with Receiver("127.0.0.1", 0, pem, take_file) as made:
        thread = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield made
        made.shutdown()
        thread.join()


@pytest.fixture
def pin(site: Site) -> str:
    return receiver_fingerprint(receiver_certificate(site.home.keys, site.clock))


def url(receiver: Receiver) -> str:
    return f"https://127.0.0.1:{receiver.port}/"


def call(receiver: Receiver, method: str, path: str, headers: dict[str, str], body: bytes = b"") -> int:
    context = ssl._create_unverified_context()
    line = http.client.HTTPSConnection("127.0.0.1", receiver.port, timeout=10, context=context)
    try:
        line.putrequest(method, path)
        for name, value in headers.items():
            line.putheader(name, value)
        line.endheaders(body or None)
        return line.getresponse().status
    finally:
        line.close()


def test_the_same_file_arrives_and_is_taken_once(site: Site, receiver: Receiver, pin: str, tmp_path: Path) -> None:
    data = site.result(site.stick(tmp_path / "stick", receiver=pin).folder)
    assert send(data, url(receiver), pin, name="Станция.txt")
    assert len(list(site.ledger.entries(["station.taken"]))) == 1
    for bad, reason in ((data, "repeated"), (data.replace(b"PRINT", b"PRINZ", 1), "changed"), (b"?", "unreadable")):
        with pytest.raises(SendFailed) as failed:
            send(bad, url(receiver), pin, name="a")
        assert failed.value.reason == reason
    # Strangers fill no ledger.
    assert not list(site.ledger.entries(["station.refused"]))


def test_nothing_is_sent_to_another_certificate(
    site: Site, receiver: Receiver, tmp_path: Path, clock: FakeClock
) -> None:
    other = receiver_fingerprint(receiver_certificate(tmp_path / "other-keys", clock))
    data = site.result(site.stick(tmp_path / "stick").folder)
    with pytest.raises(SendFailed) as failed:
        send(data, url(receiver), other, name="a")
    assert failed.value.reason == "certificate"
    assert not site.store.query("SELECT * FROM station_result")


def test_the_address_must_be_https(pin: str) -> None:
    with pytest.raises(UsageError):
        send(b"", "http://127.0.0.1/", pin, name="a")


def test_nobody_there(pin: str) -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))  # bound, not listening
        with pytest.raises(SendFailed) as failed:
            send(b"", f"https://127.0.0.1:{held.getsockname()[1]}/", pin, name="a")
    assert failed.value.reason == "unreachable"


@pytest.mark.parametrize(
    ("method", "path", "headers", "status"),
    [
        ("POST", "/", {"Content-Length": "0"}, 404),
        ("POST", PATH, {}, 411),
        ("POST", PATH, {"Content-Length": "-5"}, 411),
        ("POST", PATH, {"Content-Length": str(MAX_BYTES + 1)}, 413),
        ("GET", PATH, {}, 501),
    ],
)
def test_what_is_not_asked_for(
    receiver: Receiver, method: str, path: str, headers: dict[str, str], status: int
) -> None:
    assert call(receiver, method, path, headers) == status


def test_too_many_calls_are_put_off(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(station_listen, "CALLS_A_MINUTE", 3)
    statuses = [call(receiver, "POST", PATH, {"Content-Length": "1"}, b"?") for _number in range(4)]
    assert statuses == [422, 422, 422, 429]


@pytest.mark.parametrize("said", [b"", b"\x16\x03\x01", b"GET / HTTP/1.0\r\n\r\n"])
def test_one_who_keeps_still_is_cut_off(
    site: Site, receiver: Receiver, pin: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: bytes
) -> None:
    monkeypatch.setattr(station_listen, "CALL_S", 0.3)
    data = site.result(site.stick(tmp_path / "stick").folder)
    with socket.create_connection(("127.0.0.1", receiver.port)) as silent:
        silent.sendall(said)
        assert send(data, url(receiver), pin, name="a")


def test_one_who_says_a_word_now_and_then_is_cut_off(
    site: Site, receiver: Receiver, pin: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(station_listen, "CALL_S", 0.5)
    data = site.result(site.stick(tmp_path / "stick").folder)
    stop = threading.Event()
    context = ssl._create_unverified_context()
    with context.wrap_socket(socket.create_connection(("127.0.0.1", receiver.port))) as slow:

        def drip() -> None:
            while not stop.wait(0.05):
                try:
                    slow.sendall(b"P")
                except OSError:
                    return

        thread = threading.Thread(target=drip)
        thread.start()
        try:
            assert send(data, url(receiver), pin, name="a")
        finally:
            stop.set()
            thread.join()


def test_a_port_that_is_taken(site: Site, receiver: Receiver) -> None:
    pem = receiver_certificate(site.home.keys, site.clock)
    with pytest.raises(PortTaken):
        Receiver("127.0.0.1", receiver.port, pem, receiver.take_file)


def test_the_certificates_key_is_its_owners_only(site: Site) -> None:
    pem = receiver_certificate(site.home.keys, site.clock)
    assert pem.stat().st_mode & 0o077 == 0
    assert receiver_certificate(site.home.keys, site.clock).read_bytes() == pem.read_bytes()
