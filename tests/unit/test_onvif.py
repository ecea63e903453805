"""A camera asked by ONVIF: its clock is wrong in every way a clock can be, and it is strict about it."""

from __future__ import annotations

import socket
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from exam_kit.cctv.onvif.client import OnvifCamera
from exam_kit.cctv.onvif.clock import Reading, narrowed, posix_zone
from exam_kit.cctv.onvif.device import information, profiles, snapshot
from exam_kit.cctv.onvif.discovery import discover
from exam_kit.cctv.onvif.events import PullPoint, tamper
from exam_kit.cctv.onvif.wire import OnvifError
from exam_kit.errors import PointInvalid
from exam_kit.point import read_point
from tests.conftest import POINT_TOML
from tests.onvif_simulator import JPEG, PASSWORD, USER, Simulator, free_port

MOSCOW = ZoneInfo("Europe/Moscow")
DAY_S = 86400.0
SKEWS = pytest.mark.parametrize("skew_s", [0.0, 97.0, -97.0, DAY_S, -DAY_S])
SIGN_INS = pytest.mark.parametrize(
    ("sign_in", "algorithm"), [("token", "MD5"), ("digest", "MD5"), ("digest", "SHA-256")]
)


def asked(camera: Simulator, password: str = PASSWORD) -> OnvifCamera:
    return OnvifCamera(camera.url, USER, password)


@SKEWS
@SIGN_INS
def test_sign_in_works_whatever_the_cameras_clock_says(skew_s: float, sign_in: str, algorithm: str) -> None:
    with Simulator(skew_s, sign_in, algorithm) as camera:
        told = information(asked(camera))
        assert (told.maker, told.model, told.firmware) == ("Simulated & Co", "SIM-2", "1.2.3 build 7")
        # HTTP digest begins with a request that is refused; a token is right at once.
        assert camera.refused == (["GetDeviceInformation"] if sign_in == "digest" else [])


def test_the_simulator_refuses_the_right_time_when_its_own_is_wrong() -> None:
    """Otherwise the test above would prove nothing."""
    with Simulator(97) as camera:
        client = asked(camera)
        client._ahead_s = 0.0  # as if it had the right time
        assert information(client).model == "SIM-2"  # it finds out and signs anew
        assert camera.refused == ["GetDeviceInformation"]


def test_a_token_seen_before_is_refused_by_the_simulator() -> None:
    with Simulator() as camera:
        client = asked(camera)
        client.clock(samples=1)
        document = client._signed("<tds:GetDeviceInformation/>")
        first = client._exchange(client.address, "POST", document, {}, 5, 1 << 20)
        again = client._exchange(client.address, "POST", document, {}, 5, 1 << 20)
        assert (first.status, again.status) == (200, 400)


@pytest.mark.parametrize("skew_s", [97.0, -DAY_S + 0.4])
def test_the_offset_is_known_to_a_fraction_of_a_second(skew_s: float) -> None:
    with Simulator(skew_s) as camera:
        clock = asked(camera).clock()
        assert abs(clock.offset_s - skew_s) <= clock.error_s + 0.05
        assert clock.error_s < 0.5


@pytest.mark.parametrize(("skew_s", "sign_in"), [(97.0, "token"), (DAY_S, "token"), (-DAY_S, "digest")])
def test_setting_the_clock_brings_it_within_a_second(skew_s: float, sign_in: str) -> None:
    with Simulator(skew_s, sign_in, ntp=True) as camera:
        after = asked(camera).set_clock()
        assert abs(camera.skew_s) < 1
        assert abs(after.offset_s) < 1
        assert not after.by_ntp
        assert camera.zone == "MSK-3"


@pytest.mark.parametrize(
    ("zone", "daylight", "hours"), [("MSK-3", False, 0), ("MSK-3", True, 1), ("UTC0", False, -3), ("CST-8", False, 5)]
)
def test_a_wrong_zone_is_a_wrong_time_in_the_picture(zone: str, daylight: bool, hours: int) -> None:
    with Simulator(zone=zone, daylight=daylight) as camera:
        client = asked(camera)
        clock = client.clock(samples=1)
        assert abs(clock.offset_s) < 1
        assert round(clock.worst_offset_s(MOSCOW) / 3600) == hours
        after = client.set_clock(zone=posix_zone(MOSCOW), daylight=False)
        assert abs(after.worst_offset_s(MOSCOW)) < 1


@pytest.mark.parametrize("sign_in", ["token", "digest"])
def test_a_user_whose_name_is_not_latin(sign_in: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.onvif_simulator.USER", "Оператор")
    with Simulator(sign_in=sign_in) as camera:
        assert information(OnvifCamera(camera.url, "Оператор", PASSWORD)).model == "SIM-2"


def test_a_camera_that_tells_only_its_local_time() -> None:
    with Simulator(97, zone="MSK-3", daylight=True, tells_utc=False) as camera:
        client = asked(camera)
        assert abs(client.clock(samples=1).offset_s - 97) < 1.1
        assert information(client).model == "SIM-2"


@pytest.mark.parametrize("sign_in", ["token", "digest"])
def test_a_camera_that_wants_a_sign_in_for_its_time_as_well(sign_in: str) -> None:
    with Simulator(97, sign_in, time_is_open=False) as camera:
        client = asked(camera)
        assert abs(client.clock(samples=1).offset_s - 97) < 1.1
        assert information(client).model == "SIM-2"


def test_the_clock_is_set_behind_our_back_and_the_next_call_still_works() -> None:
    with Simulator(97) as camera:
        client = asked(camera)
        information(client)
        camera.skew_s = -3600
        assert information(client).model == "SIM-2"


def test_a_digest_the_camera_has_forgotten_is_renewed() -> None:
    with Simulator(sign_in="digest") as camera:
        client = asked(camera)
        information(client)
        camera.forget_digests()
        assert information(client).model == "SIM-2"


@pytest.mark.parametrize("media2", [False, True])
def test_streams_the_main_one_first(media2: bool) -> None:
    with Simulator(97, media2=media2) as camera:
        client = asked(camera)
        main, sub = profiles(client)
        assert (main.width, main.height, main.fps, main.bitrate_bps) == (1920, 1080, 25, 4_096_000)
        assert main.codec == ("hevc" if media2 else "h264")
        assert (sub.width, sub.codec) == (640, "h264")
        assert main.stream == "rtsp://127.0.0.1:554/main"  # without the name and password the camera put into it
        assert snapshot(client, main) == JPEG


@pytest.mark.parametrize("sign_in", ["token", "digest"])
def test_a_camera_behind_translation_names_an_address_nobody_reaches(sign_in: str) -> None:
    with Simulator(97, sign_in, advertised="192.0.2.77:8080") as camera:
        client = asked(camera)
        assert snapshot(client, profiles(client)[0]) == JPEG


@pytest.fixture
def certificate(tmp_path: Path) -> str:
    """Signed by itself, as a camera's is, and for another name."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "camera")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=9000))
        .not_valid_after(now - timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    form, lock = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    pem = serialization.Encoding.PEM
    file = tmp_path / "camera.pem"
    file.write_bytes(key.private_bytes(pem, form, lock) + made.public_bytes(pem))
    return str(file)


def test_a_camera_asked_by_tls_with_a_certificate_of_its_own(certificate: str) -> None:
    with Simulator(97, "digest", certificate=certificate) as camera:
        client = asked(camera)
        assert information(client).model == "SIM-2"
        assert snapshot(client, profiles(client)[0]) == JPEG  # its own addresses are named without TLS


def test_an_old_camera_that_tells_its_capabilities_only() -> None:
    with Simulator(old=True) as camera:
        assert len(profiles(asked(camera))) == 2


@pytest.mark.parametrize(("skew_s", "sign_in"), [(97.0, "token"), (-DAY_S, "token"), (97.0, "digest")])
def test_tampering_is_pulled_as_it_happens(skew_s: float, sign_in: str) -> None:
    with Simulator(skew_s, sign_in) as camera:
        point = PullPoint(asked(camera))
        camera.happen("tns1:VideoSource/GlobalSceneChange/ImagingService", True)
        camera.happen("tns1:Device/Trigger/DigitalInput", True)
        camera.happen("tns1:RuleEngine/TamperDetector/Tamper", False)
        notices = point.pull(2)
        assert [(tamper(one.topic), one.on) for one in notices] == [
            ("scene_changed", True),
            (None, True),
            ("tampered", False),
        ]
        assert notices[0].at is not None
        assert abs(notices[0].at.timestamp() - time.time() - skew_s) < 5
        assert point.pull(1) == []
        point.renew()
        point.end()
        assert camera.subscriptions == {}
        with pytest.raises(OnvifError):
            point.pull(1)


def test_a_camera_that_knows_a_subscription_by_its_reference_is_told_it() -> None:
    with Simulator(by_reference=True) as camera:
        other, point = PullPoint(asked(camera)), PullPoint(asked(camera))
        camera.happen("tns1:RuleEngine/TamperDetector/Tamper", True)
        assert [tamper(one.topic) for one in point.pull(2)] == ["tampered"]
        point.renew()
        point.end()
        assert list(camera.subscriptions) == ["1"]
        other.renew()


def test_cameras_are_found_by_multicast_and_by_address() -> None:
    port = free_port(socket.SOCK_DGRAM)
    with Simulator(discovery_port=port) as camera:
        for found in (
            discover(["127.0.0.1"], port=port, wait_s=1.0),
            discover([], ["127.0.0.1"], port=port, wait_s=1.0),
        ):
            assert [(one.onvif, one.name, one.hardware) for one in found] == [(camera.url, "Hall west", "SIM-2")]
    assert discover([], ["127.0.0.1"], port=free_port(socket.SOCK_DGRAM), wait_s=0.2) == []


def test_bounds_narrow_and_a_clock_set_between_two_answers_is_taken_as_it_is_now() -> None:
    assert narrowed((0.0, 1.0), (0.5, 1.5)) == (0.5, 1.0)
    assert narrowed((0.0, 1.0), (97.0, 98.0)) == (97.0, 98.0)
    reading = Reading(100.0, None, "", False, False, sent_s=90.0, came_s=90.2)
    low, high = reading.bounds
    assert (round(low, 3), round(high, 3)) == (9.8, 11.0)
    clock = reading.clock(reading.bounds, datetime(2026, 5, 28, tzinfo=UTC))
    assert clock.local_offset_s(MOSCOW) is None
    assert clock.worst_offset_s(MOSCOW) == clock.offset_s == 10.4


@pytest.mark.parametrize(
    ("zone", "posix"),
    [
        ("Europe/Moscow", "MSK-3"),
        ("Asia/Yekaterinburg", "UTC-5"),
        ("Europe/Riga", "EET-2EEST,M3.5.0/3,M10.5.0/4"),
        ("Europe/Kaliningrad", "EET-2"),
    ],
)
def test_zones_as_cameras_want_them(zone: str, posix: str) -> None:
    assert posix_zone(ZoneInfo(zone)) == posix


@pytest.mark.parametrize(
    "url",
    [
        "192.168.10.21",
        "rtsp://192.168.10.21/onvif",
        "http://",
        "http://viewer:secret@192.168.10.21/onvif",
        "http://:secret@192.168.10.21/onvif",
        "http://192.168.10.21:99999/onvif",
        "http://192.168.10.21:none/onvif",
        "http://[fe80::1/onvif",
    ],
)
def test_an_address_that_is_none_is_a_mistake_of_the_points_file(url: str) -> None:
    with pytest.raises(PointInvalid) as raised:
        read_point(POINT_TOML.replace('id = "R1-1"', f'id = "R1-1"\nonvif = "{url}"'))
    said = raised.value.text("en")
    assert "http://HOST/onvif/device_service" in said
    assert "secret" not in said
