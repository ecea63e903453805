"""Addresses, passwords and what may be said about them."""

from __future__ import annotations

import base64
import sys
import threading
import traceback
from urllib.parse import quote, quote_plus

import pytest

from exam_kit.cctv.names import Label
from exam_kit.cctv.opening import open_input
from exam_kit.cctv.source import Scrubber, Source, SourceCause, SourceFault
from exam_kit.cctv.wire import CameraOrder

SECRET = "pä ss/w@rd:+#"


@pytest.mark.parametrize(
    "form",
    [
        SECRET,
        quote(SECRET),
        quote(SECRET, safe=""),
        quote_plus(SECRET),
        base64.b64encode(b"viewer:" + SECRET.encode()).decode(),
    ],
)
def test_no_form_of_a_password_is_let_through(form: str) -> None:
    scrubber = Scrubber()
    scrubber.learn(SECRET, "viewer")
    assert scrubber.clean(f"cannot open {form}!") == "cannot open ***!"


def test_a_text_that_no_database_takes_is_made_one_that_it_takes() -> None:
    assert Scrubber().clean("/media/\udcffПК: no space") == "/media/?ПК: no space"


def test_what_eight_cameras_teach_at_once_is_all_kept() -> None:
    scrubber, begin = Scrubber(), threading.Barrier(8)
    secrets = [[f"pass-{thread}-{number:03}-word" for number in range(40)] for thread in range(8)]

    def teach(own: list[str]) -> None:
        begin.wait(10)
        for secret in own:
            scrubber.learn(secret)

    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        threads = [threading.Thread(target=teach, args=(own,)) for own in secrets]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(20)
    finally:
        sys.setswitchinterval(before)
    assert [secret for own in secrets for secret in own if scrubber.clean(secret) != "***"] == []


def test_credentials_in_an_address_go_even_when_unknown() -> None:
    assert Scrubber().clean("rtsp://admin:12345@10.0.0.5/live failed") == "rtsp://***@10.0.0.5/live failed"


@pytest.mark.parametrize(
    ("url", "cause"),
    [
        ("rtsp://127.0.0.1:9/x", "refused"),
        ("http://127.0.0.1:9/x.ts", "refused"),
        ("file:///nowhere/film.mp4", "refused"),
        (f"file://{quote(__file__)}", "unreadable"),
    ],
)
def test_a_fault_has_a_cause_and_keeps_the_secret(url: str, cause: SourceCause) -> None:
    with pytest.raises(SourceFault) as caught:
        open_input(Source("HQ-1", url, "viewer"), SECRET, open_timeout_s=2.0)
    fault = caught.value
    assert fault.cause == cause
    said = "".join(traceback.format_exception(fault)) + repr(fault) + fault.text("en") + fault.detail
    assert "HQ-1" in fault.text("en")
    assert SECRET not in said
    assert quote(SECRET, safe="") not in said
    assert fault.__cause__ is None
    assert fault.__context__ is None


def test_an_order_does_not_show_its_password_and_travels_whole() -> None:
    order = CameraOrder(Source("HQ-1", "rtsp://h/x", "viewer"), Label("77", "0001", "7777", "HQ-1", "UTC"), SECRET)
    assert SECRET not in repr(order)
    assert CameraOrder.from_json(order.to_json()) == order


@pytest.mark.parametrize(
    ("url", "loops"), [("file:///a.mp4?loop=1", True), ("file:///a.mp4", False), ("rtsp://h/a?loop=1", False)]
)
def test_only_a_file_loops(url: str, loops: bool) -> None:
    assert Source("X", url).loops is loops
