"""What answers is broken, hostile or no camera: one clear message, in bounded time and memory, and no secret in it."""

from __future__ import annotations

import logging
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from exam_kit.cctv.onvif import discovery
from exam_kit.cctv.onvif.client import OnvifCamera
from exam_kit.cctv.onvif.device import information, profiles, snapshot
from exam_kit.cctv.onvif.events import PullPoint
from exam_kit.cctv.onvif.soap import NotOnvif, opened
from exam_kit.cctv.onvif.wire import OnvifError
from tests.onvif_simulator import NS, PASSWORD, USER, Simulator, free_port

Answering = Callable[[BaseHTTPRequestHandler], None]
HEAD = b'<?xml version="1.0"?>'
ENVELOPE = f"<s:Envelope {NS}><s:Body>%s</s:Body></s:Envelope>"
LAUGHS = (
    HEAD
    + b'<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">'
    + b"".join(f'<!ENTITY {chr(name)} "{f"&{chr(name - 1)};" * 10}">'.encode() for name in range(ord("c"), ord("k")))
    + b"]><x>&j;</x>"
)
OUTSIDE = HEAD + b'<!DOCTYPE x [<!ENTITY f SYSTEM "file:///etc/passwd">]><x>&f;</x>'


def says(body: bytes, status: int = 200) -> Answering:
    def answer(request: BaseHTTPRequestHandler) -> None:
        request.send_response(status)
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        request.wfile.write(body)

    return answer


def challenges(how: str) -> Answering:
    def answer(request: BaseHTTPRequestHandler) -> None:
        request.send_response(401)
        request.send_header("WWW-Authenticate", how)
        request.end_headers()

    return answer


def fault(reason: str) -> Answering:
    return says(
        (ENVELOPE % f"<s:Fault><s:Code><s:Value>s:Receiver</s:Value></s:Code><s:Reason><s:Text>{reason}</s:Text>"
         "</s:Reason></s:Fault>").encode(),
        500,
    )  # fmt: skip


def endless(request: BaseHTTPRequestHandler) -> None:
    request.send_response(200)
    request.end_headers()
    try:
        for _megabyte in range(10):
            request.wfile.write(b" " * (1 << 20))
    except OSError:
        return


def dripping(request: BaseHTTPRequestHandler) -> None:
    """One byte now and then: no single wait is long, and it never ends."""
    try:
        request.wfile.write(b"HTTP/1.1 200 OK\r\nX-")
        for _byte in range(400):
            request.wfile.write(b"a")
            time.sleep(0.02)
    except OSError:
        return


def silent(request: BaseHTTPRequestHandler) -> None:
    request.connection.settimeout(10)
    request.rfile.read(1)


def another_protocol(request: BaseHTTPRequestHandler) -> None:
    request.wfile.write(b"SSH-2.0-camera\r\n")


def hangs_up(request: BaseHTTPRequestHandler) -> None:
    request.connection.shutdown(socket.SHUT_RDWR)


BAD: dict[str, tuple[Answering, str]] = {
    "nothing": (says(b""), "garbled"),
    "garbage": (says(bytes(range(256)) * 8), "garbled"),
    "a page": (says(b"<html><body>Welcome"), "garbled"),
    "XML of something else": (says(b"<html><body>Welcome</body></html>"), "garbled"),
    "half an envelope": (says((ENVELOPE % "<tds:GetDeviceInformationResponse>").encode()[:-40]), "garbled"),
    "an empty body": (says((ENVELOPE % "").encode()), "garbled"),
    "no encoding": (says(b'<?xml version="1.0" encoding="no-such"?><a/>'), "garbled"),
    "an encoding that is not read": (says(b'<?xml version="1.0" encoding="gb2312"?><a/>'), "garbled"),
    "a challenge with nothing in it": (challenges('Digest realm="a", nonce="b", qop=, opaque='), "unauthorised"),
    "nested without end": (says(b"<a>" * 100_000), "garbled"),
    "entities that grow": (says(LAUGHS), "garbled"),
    "entities that read files": (says(OUTSIDE), "garbled"),
    "no HTTP": (another_protocol, "garbled"),
    "hangs up": (hangs_up, "garbled"),
    "ten megabytes": (endless, "too_large"),
    "a page not found": (says(b"<html>404</html>", 404), "fault"),
    "a fault": (fault("Internal error"), "fault"),
    "a refusal without words": (says(b"", 401), "unauthorised"),
    "silence": (silent, "timeout"),
    "a drip": (dripping, "timeout"),
}


@pytest.mark.parametrize("name", list(BAD))
def test_a_bad_answer_is_one_clear_message(name: str, caplog: pytest.LogCaptureFixture) -> None:
    answering, cause = BAD[name]
    caplog.set_level(logging.DEBUG)
    with Simulator() as camera:
        camera.instead["GetDeviceInformation"] = answering
        client = OnvifCamera(camera.url, USER, PASSWORD, timeout_s=0.5)
        began = time.monotonic()
        with pytest.raises(OnvifError) as raised:
            information(client)
    assert raised.value.cause == cause
    # Generous for a busy machine: what drips would take 8 s, what is silent 10 s.
    assert time.monotonic() - began < 6
    said = raised.value.text("en")
    assert str(camera.port) in said
    assert said.count("\n") == 0
    for shown in (said, repr(raised.value), repr(client), caplog.text):
        assert PASSWORD not in shown
    assert "root:" not in said


@pytest.mark.parametrize("document", [LAUGHS, OUTSIDE])
def test_a_document_type_is_refused_before_it_is_read(document: bytes) -> None:
    with pytest.raises(NotOnvif, match="a document type declaration"):
        opened(document)


def test_a_wrong_password_is_tried_once_and_said() -> None:
    for sign_in in ("token", "digest"):
        with Simulator(97, sign_in) as camera:
            client = OnvifCamera(camera.url, USER, "wrong-one")
            with pytest.raises(OnvifError, match="refuses the sign-in of 'viewer'") as raised:
                information(client)
            assert raised.value.cause == "unauthorised"
            # Cameras lock out: HTTP digest has to ask for its challenge first, then one try.
            assert camera.calls.count("GetDeviceInformation") == (2 if sign_in == "digest" else 1)
            assert "wrong-one" not in str(raised.value)


def test_a_camera_without_a_password_given_asks_for_one() -> None:
    with Simulator() as camera, pytest.raises(OnvifError, match="exam-kit camera password"):
        information(OnvifCamera(camera.url))


def test_a_fault_that_repeats_the_password_does_not_get_through() -> None:
    with Simulator() as camera:
        camera.instead["GetDeviceInformation"] = fault("bad password plain-secret for viewer")
        with pytest.raises(OnvifError) as raised:
            information(OnvifCamera(camera.url, USER, "plain-secret"))
    assert "plain-secret" not in raised.value.text("ru")
    assert "•••" in str(raised.value)


@contextmanager
def another_host(heard: list[bytes]) -> Iterator[int]:
    """A listener on another address that is told what reaches it."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            heard.append(self.rfile.read(int(self.headers["Content-Length"])))
            says(b"")(self)

        do_GET = do_POST

        def log_message(self, *_said: object) -> None:
            pass

    server = HTTPServer(("127.0.0.2", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_to_another_host_is_not_followed_and_named(status: int) -> None:
    heard: list[bytes] = []
    with another_host(heard) as port, Simulator() as camera:

        def elsewhere(request: BaseHTTPRequestHandler) -> None:
            request.send_response(status)
            request.send_header("Location", f"http://viewer:secret@127.0.0.2:{port}/onvif/device_service")
            request.send_header("Content-Length", "0")
            request.end_headers()

        camera.instead["GetDeviceInformation"] = elsewhere
        with pytest.raises(OnvifError, match=r"sends us on to http://127\.0\.0\.2") as raised:
            information(OnvifCamera(camera.url, USER, PASSWORD))
    assert raised.value.cause == "redirected"
    assert "secret" not in str(raised.value)
    assert heard == []


def test_addresses_the_camera_names_on_another_host_are_never_asked() -> None:
    heard: list[bytes] = []
    with another_host(heard) as port, Simulator(advertised=f"127.0.0.2:{port}") as camera:
        client = OnvifCamera(camera.url, USER, PASSWORD)
        snapshot(client, profiles(client)[0])
    assert heard == []


def test_a_snapshot_that_is_no_picture() -> None:
    with Simulator() as camera:
        camera.instead["snapshot"] = says(b"<html>no</html>")
        client = OnvifCamera(camera.url, USER, PASSWORD)
        with pytest.raises(OnvifError, match="JPEG"):
            snapshot(client, profiles(client)[0])


@pytest.mark.parametrize(
    "told",
    [
        "<tds:GetSystemDateAndTimeResponse/>",
        "<tds:GetSystemDateAndTimeResponse><tds:SystemDateAndTime><tt:UTCDateTime><tt:Time><tt:Hour>25</tt:Hour>"
        "<tt:Minute>0</tt:Minute><tt:Second>0</tt:Second></tt:Time><tt:Date><tt:Year>2026</tt:Year>"
        "<tt:Month>13</tt:Month><tt:Day>1</tt:Day></tt:Date></tt:UTCDateTime></tds:SystemDateAndTime>"
        "</tds:GetSystemDateAndTimeResponse>",
    ],
)
def test_a_time_that_does_not_exist_is_said(told: str) -> None:
    with Simulator() as camera:
        camera.instead["GetSystemDateAndTime"] = says((ENVELOPE % told).encode())
        with pytest.raises(OnvifError) as raised:
            OnvifCamera(camera.url, USER, PASSWORD).clock()
    assert raised.value.cause == "garbled"


def test_nobody_listens_there() -> None:
    with pytest.raises(OnvifError, match="is not reached") as raised:
        information(OnvifCamera(f"http://127.0.0.1:{free_port()}/onvif/device_service", timeout_s=2))
    assert raised.value.cause == "unreachable"


NOISES = (b"\xff" * 900, LAUGHS, b"<a/>", b'<?xml version="1.0" encoding="gb2312"?><a/>', (ENVELOPE % "<d/>").encode())


@pytest.mark.parametrize("noise", NOISES)
def test_discovery_passes_over_what_is_no_answer(noise: bytes) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as wire:
        wire.bind(("127.0.0.1", 0))
        wire.settimeout(5)

        def answer() -> None:
            question, asker = wire.recvfrom(65507)
            mark = question.partition(b"MessageID>")[2].partition(b"<")[0]
            wire.sendto(noise + mark, asker)
            wire.sendto(noise, asker)

        thread = threading.Thread(target=answer)
        thread.start()
        found = discovery.discover([], ["127.0.0.1"], port=wire.getsockname()[1], wait_s=0.4)
        thread.join()
    assert found == []


def test_an_alarm_at_a_time_out_of_all_calendars_is_heard() -> None:
    told = (
        "<tev:PullMessagesResponse><wsnt:NotificationMessage><wsnt:Topic>tns1:VideoSource/SignalLoss</wsnt:Topic>"
        '<wsnt:Message><tt:Message UtcTime="0001-01-01T00:00:00+14:00"><tt:Data>'
        '<tt:SimpleItem Name="State" Value="true"/></tt:Data></tt:Message></wsnt:Message></wsnt:NotificationMessage>'
        "</tev:PullMessagesResponse>"
    )
    with Simulator() as camera:
        point = PullPoint(OnvifCamera(camera.url, USER, PASSWORD))
        camera.instead["PullMessages"] = says((ENVELOPE % told).encode())
        (notice,) = point.pull(1)
    assert notice.on
    assert notice.at is None
