"""The door: what opens without signing in, what does not, and how signing in goes. No browser needed."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from exam_kit.agent.demo_point import MARK
from exam_kit.home import Home, kit_root
from exam_kit.i18n import translate
from exam_kit.store.evidence import evidence_folder, keep_evidence
from exam_kit.ui import seat
from exam_kit.web import desk
from tests.ui.conftest import CLIP
from tests.ui.prepared import PINS, prepare
from tests.ui.site import Site, start

PAGES = ("checks", "cameras", "archive", "access_log", "incidents")


def test_the_first_requests_after_a_start_show_nothing(site: Site) -> None:
    deep = site.first["/checks"]
    assert (deep.status, deep.headers["location"]) == (303, "/signin?next=/checks")
    assert site.first["/pages/checks"].status == 303
    assert site.first["/checks.py"].status == 303
    assert site.first["/_stcore/health"].status == 401
    assert site.first["/_stcore/stream"].status in (401, 403)


@pytest.mark.parametrize("path", ["/", *(f"/{page}" for page in PAGES), "/papers/access-log.pdf", "/no-such-page"])
def test_a_person_without_a_session_is_led_to_the_sign_in(site: Site, path: str) -> None:
    answer = site.ask(path)
    assert answer.status == 303
    assert answer.headers["location"].startswith("/signin")
    assert answer.body == b""


@pytest.mark.parametrize(
    "path",
    [
        "/_stcore/health",
        "/_stcore/host-config",
        "/static/js/index.js",
        "/media/x.png",
        "/component/x",
        "/live/HQ-1.jpg",
        "/recordings/1.mp4",
        "/app/static/x",
    ],
)
def test_a_program_without_a_session_is_refused(site: Site, path: str) -> None:
    assert site.ask(path).status == 401
    assert site.ask(path, Cookie="exam_kit_session=guessed").status == 401


@pytest.mark.parametrize(("language", "title"), [("ru", "Войти"), ("en", "Sign in"), ("lv", "Ieiet")])
def test_the_sign_in_page_speaks_three_languages_and_needs_no_script(site: Site, language: str, title: str) -> None:
    answer = site.ask(f"/signin?lang={language}")
    assert answer.status == 200
    assert f'<html lang="{language}">' in answer.text
    assert f"<h1>{title}</h1>" in answer.text
    assert "<script" not in answer.text
    assert "http://" not in answer.text.replace("http://www.w3.org/2000/svg", "")


@pytest.mark.parametrize("login", ["anna", "nobody", "' OR 1=1 --", ""])
def test_a_wrong_pin_is_refused_in_the_readers_language(site: Site, login: str) -> None:
    answer = site.ask("/signin", form={"login": login, "pin": "000000", "lang": "lv"})
    assert answer.status == 401
    assert answer.cookies == []
    assert translate("Sign-in: the name and PIN do not fit. Check both and try again.", "lv") in answer.text


def test_after_too_many_tries_even_the_right_pin_must_wait(site: Site) -> None:
    for _try in range(5):
        site.ask("/signin", form={"login": "denis", "pin": "999999"})
    answer = site.ask("/signin", form={"login": "denis", "pin": PINS["denis"], "lang": "en"})
    assert answer.status == 401
    assert "locked after too many wrong PINs" in answer.text
    store, _ledger = site.store()
    with store.transaction() as connection:
        connection.execute("UPDATE account SET locked_until = NULL WHERE login = 'denis'")
    store.close()


def test_the_cookie_cannot_be_read_by_scripts_nor_sent_from_other_sites(site: Site) -> None:
    answer = site.ask("/signin", form={"login": "anna", "pin": PINS["anna"], "next": "/checks"})
    assert (answer.status, answer.headers["location"]) == (303, "/checks")
    cookie = next(one for one in answer.cookies if one.startswith("exam_kit_session="))
    assert "httponly" in cookie.lower()
    assert "samesite=strict" in cookie.lower()
    assert PINS["anna"] not in str(answer.cookies)


@pytest.mark.parametrize(
    "target", ["//evil.example", "https://evil.example/", "/\\evil.example", "/a?b=c", "javascript:x"]
)
def test_signing_in_leads_nowhere_else(site: Site, target: str) -> None:
    answer = site.ask("/signin", form={"login": "anna", "pin": PINS["anna"], "next": target})
    assert answer.headers["location"] == "/"


@pytest.mark.parametrize(
    "headers", [{"Origin": "http://evil.example"}, {"Origin": "null"}, {"Sec_Fetch_Site": "cross-site"}]
)
def test_another_sites_form_is_refused(site: Site, headers: dict[str, str]) -> None:
    form = {"login": "anna", "pin": PINS["anna"]}
    answer = site.ask("/signin", form=form, **headers)
    assert (answer.status, answer.cookies) == (403, [])


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8501", "127.0.0.1.evil.example", ""])
def test_only_the_local_names_are_served(site: Site, host: str) -> None:
    assert site.ask("/signin", Host=host).status == 400


def test_signing_out_ends_the_session(site: Site) -> None:
    cookie = site.cookie("anna", fresh=True)
    assert site.ask("/checks", Cookie=cookie).status == 200
    assert site.ask("/signout", Cookie=cookie).status in (303, 405)
    assert site.ask("/signout", form={}, Cookie=cookie).headers["location"] == "/signin"
    assert site.ask("/checks", Cookie=cookie).status == 303


def websocket(site: Site, **headers: str) -> str:
    address = f"ws://127.0.0.1:{site.port}/_stcore/stream"
    with connect(address, additional_headers=headers, subprotocols=None, open_timeout=10):
        return "opened"


def test_the_websocket_wants_a_session_and_our_own_page(site: Site) -> None:
    cookie = site.cookie("anna")
    for headers in (
        {"Origin": site.url},
        {"Origin": site.url, "Cookie": "exam_kit_session=guessed"},
        {"Origin": "http://evil.example", "Cookie": cookie},
        {"Cookie": cookie},
    ):
        with pytest.raises(InvalidStatus) as refusal:
            websocket(site, **headers)
        assert refusal.value.response.status_code == 403
    assert websocket(site, Origin=site.url, Cookie=cookie) == "opened"


def test_answers_carry_the_headers_that_keep_them_here(site: Site) -> None:
    headers = site.ask("/", Cookie=site.cookie("anna")).headers
    assert "connect-src 'self'" in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert headers["cache-control"] == "no-store"
    assert "server" not in headers


@pytest.mark.parametrize("path", ["/", "/checks"])
def test_the_document_says_its_language(site: Site, path: str) -> None:
    assert '<html lang="ru">' in site.ask(path, Cookie=site.cookie("boris")).text


def test_a_recording_is_served_in_ranges_and_only_by_its_number(site: Site) -> None:
    cookie = site.cookie("galina")
    part = site.ask("/recordings/1.mp4", Cookie=cookie, Range="bytes=1000-1999")
    assert (part.status, part.body) == (206, CLIP[1000:2000])
    assert part.headers["content-range"] == f"bytes 1000-1999/{len(CLIP)}"
    assert site.ask("/recordings/999999.mp4", Cookie=cookie).status == 404
    assert site.ask("/recordings/..%2F..%2Fkeys%2Fledger.pub.mp4", Cookie=cookie).status in (303, 400, 404)


def test_a_row_cannot_lead_out_of_the_footage(site: Site) -> None:
    store, _ledger = site.store()
    with store.transaction() as connection:
        number = connection.execute(
            "INSERT INTO segment (camera, day, path, from_at) VALUES ('X', '2000-01-01', '../keys/ledger.pub', '2000')"
        ).lastrowid
    answer = site.ask(f"/recordings/{number}.mp4", Cookie=site.cookie("anna"))
    with store.transaction() as connection:
        connection.execute("DELETE FROM segment WHERE id = ?", (number,))
    store.close()
    assert answer.status == 404


def test_an_old_picture_is_not_live(site: Site) -> None:
    cookie = site.cookie("anna")
    picture = site.home.live / "HQ-1.jpg"
    assert site.ask("/live/HQ-1.jpg", Cookie=cookie).status == 204
    picture.write_bytes(b"\xff\xd8 jpeg")
    assert site.ask("/live/HQ-1.jpg", Cookie=cookie).body == b"\xff\xd8 jpeg"
    os.utime(picture, (time.time() - 60, time.time() - 60))
    assert site.ask("/live/HQ-1.jpg", Cookie=cookie).status == 204
    assert site.ask("/live/..%2Fagent.jpg", Cookie=cookie).status in (204, 303, 400, 404)
    picture.unlink()


def test_the_forms_are_printed(site: Site) -> None:
    cookie = site.cookie("vera")
    store, _ledger = site.store()
    run = store.query("SELECT id FROM check_run")[0]["id"]
    sheet = site.ask("/papers/access-log.pdf", Cookie=cookie)
    store.close()
    assert sheet.body.startswith(b"%PDF")
    assert sheet.headers["content-type"] == "application/pdf"
    assert site.ask(f"/papers/protocol.pdf?run={run}", Cookie=cookie).body.startswith(b"%PDF")
    assert site.ask("/papers/protocol.pdf?run=nothing", Cookie=cookie).status == 404
    assert site.ask("/papers/access-log.pdf?day=yesterday", Cookie=cookie).status == 404
    assert site.ask("/papers/act.pdf?order=1", Cookie=cookie).status == 404
    assert site.ask("/papers/incident.pdf?number=x", Cookie=cookie).status == 404


@pytest.mark.parametrize(
    ("content", "kind", "shown"),
    [
        (b"\x89PNG\r\n\x1a\n rest", "image/png", "inline"),
        (b"\xff\xd8\xff\xe0 rest", "image/jpeg", "inline"),
        (b"RIFF1234WEBPVP8 ", "image/webp", "inline"),
        (b"%PDF-1.7", "application/pdf", "inline"),
        (b"<svg onload='alert(1)'/>", "application/octet-stream", "attachment"),
        (b"<html><script>alert(1)</script>", "application/octet-stream", "attachment"),
    ],
)
def test_what_was_added_to_an_answer_is_opened_as_what_it_is(site: Site, content: bytes, kind: str, shown: str) -> None:
    (kept,) = keep_evidence(site.home, [("photo.jpg", content)])
    address = f"/papers/evidence/{kept.sha256}"
    assert site.ask(address).status == 303
    got = site.ask(address, Cookie=site.cookie("galina"))
    assert (got.status, got.body, got.headers["content-type"]) == (200, content, kind)
    assert got.headers["content-disposition"].startswith(f"{shown}; ")
    assert got.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("name", ["0" * 64, "x", "point.toml", "A" * 64])
def test_an_attachment_that_is_not_there_is_just_not_there(site: Site, name: str) -> None:
    assert site.ask(f"/papers/evidence/{name}", Cookie=site.cookie("anna")).status == 404


def test_a_changed_attachment_is_not_given(site: Site) -> None:
    (kept,) = keep_evidence(site.home, [("photo.jpg", b"\xff\xd8\xff one")])
    path = evidence_folder(site.home) / kept.sha256
    path.write_bytes(b"\xff\xd8\xff two")
    got = site.ask(f"/papers/evidence/{kept.sha256}", Cookie=site.cookie("anna"))
    assert got.status == 404
    assert b"two" not in got.body
    path.unlink()


def test_made_up_people_are_shown_on_a_demo_point_only(site: Site) -> None:
    assert "123123" not in site.ask("/signin").text
    people = [{"login": "anna", "name": "Альфа", "role": "specialist", "pin": "123123"}]
    site.home.demo_file.write_text(json.dumps({"accounts": people}), encoding="utf-8")
    own = site.home.point_file.read_text(encoding="utf-8")
    site.home.point_file.write_text(f"{MARK}\n{own}", encoding="utf-8")
    try:
        assert "123123" in site.ask("/signin").text
        assert "123123" not in site.ask("/", Cookie=site.cookie("anna")).text
    finally:
        site.home.point_file.write_text(own, encoding="utf-8")
        site.home.demo_file.unlink()


def test_a_number_no_row_can_have_is_just_not_there(site: Site) -> None:
    cookie = site.cookie("anna")
    for digits in (19, 30, 5000):
        number = "9" * digits
        assert site.ask(f"/recordings/{number}.mp4", Cookie=cookie).status == 404
        assert site.ask(f"/papers/act.pdf?order={number}", Cookie=cookie).status == 404
        assert site.ask(f"/papers/incident.pdf?number={number}&year=2026", Cookie=cookie).status == 404


def test_a_host_that_is_no_address_is_refused(site: Site) -> None:
    assert site.ask("/signin", Host="[").status == 400


def test_both_rooms_mean_the_same_cookie() -> None:
    assert seat.SESSION_COOKIE == desk.SESSION_COOKIE


def test_a_taken_port_is_said_plainly(site: Site, tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        ended = subprocess.run(
            [sys.executable, "-m", "exam_kit.web.serve", "--port", str(port)],
            env={**os.environ, "EXAM_KIT_HOME": str(tmp_path / "home"), "PYTHONPATH": str(kit_root())},
            capture_output=True,
            text=True,
            timeout=60,
        )
    assert ended.returncode == 13
    assert str(port) in ended.stderr
    assert "Traceback" not in ended.stderr


def test_it_listens_on_this_machine_only(site: Site) -> None:
    import psutil

    connections = psutil.Process(site.process.pid).net_connections(kind="inet")
    listening = {one.laddr.ip for one in connections if one.status == psutil.CONN_LISTEN}
    assert listening == {"127.0.0.1"}


@pytest.mark.skipif(os.name != "posix", reason="signals as on POSIX")
@pytest.mark.parametrize("how", ["terminate", "parent"])
def test_it_stops_cleanly_with_open_tabs(tmp_path: Path, how: str) -> None:
    served = start(prepare(tmp_path / "home"), "--with-parent")
    cookie = served.cookie("anna")
    address = f"ws://127.0.0.1:{served.port}/_stcore/stream"
    with connect(address, additional_headers={"Origin": served.url, "Cookie": cookie}):
        if how == "terminate":
            served.process.send_signal(signal.SIGTERM)
        else:
            assert served.process.stdin is not None
            served.process.stdin.close()
        assert served.process.wait(15) == 0


def test_a_home_without_a_point_says_what_to_do(tmp_path: Path) -> None:
    home = Home.at(tmp_path / "empty")
    home.create()
    served = start(home)
    try:
        answer = served.ask("/signin?lang=en")
        assert answer.status == 200
        assert "no exam point is set up here" in answer.text
        assert "exam-kit user add" in answer.text
    finally:
        served.process.terminate()
        served.process.wait(20)
