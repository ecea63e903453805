"""Recorders by their documented answers, on a loopback server: found, fetched whole, signed in, cut off, too short.

Never run on the real device; the answers are those of the makers' documents.
"""

from __future__ import annotations

import hashlib
import re
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from exam_kit.cctv.imports import time_in_name
from exam_kit.cctv.nvr import Fetched, HttpRecorder, NvrError, RecorderSource, clip_name
from exam_kit.cctv.nvr_dahua import Dahua
from exam_kit.cctv.nvr_hikvision import Hikvision

PASSWORD = 'S3cr#t"пароль'
TEN = datetime(2026, 5, 28, 7, 0, tzinfo=UTC)
ZONE = "Europe/Moscow"
FILM = bytes(range(256)) * 4000

HIK_ITEM = """<searchMatchItem><sourceID>{{00000000-0000-0000-0000-000000000000}}</sourceID><trackID>301</trackID>
<timeSpan><startTime>2026-05-28T{start}Z</startTime><endTime>2026-05-28T{end}Z</endTime></timeSpan>
<mediaSegmentDescriptor><contentType>video</contentType><codecType>H.264-BP</codecType>
<playbackURI>rtsp://192.168.1.64/Streaming/tracks/301/?starttime=20260528T{compact}Z&amp;endtime=20260528T101500Z&amp;name=00000000001000213&amp;size={size}</playbackURI>
</mediaSegmentDescriptor></searchMatchItem>"""
HIK_PAGE = """<?xml version="1.0" encoding="UTF-8"?>
<CMSearchResult version="2.0" xmlns="http://www.hikvision.com/ver20/XMLSchema"><searchID>X</searchID>
<responseStatus>true</responseStatus><responseStatusStrg>{more}</responseStatusStrg>
<numOfMatches>{count}</numOfMatches><matchList>{items}</matchList></CMSearchResult>"""
DAHUA_ITEM = """items[{n}].Channel=2\r
items[{n}].Cluster=65518\r
items[{n}].Duration=900\r
items[{n}].EndTime=2026-05-28 {end}\r
items[{n}].FilePath=/mnt/dvr/sda0/2026/5/28/dav/10/dvr_{start}[M][0@0][0].dav\r
items[{n}].Length={size}\r
items[{n}].StartTime=2026-05-28 {start}\r
items[{n}].Type=dav\r
items[{n}].VideoStream=Main\r
"""


def md5(text: str) -> str:
    return hashlib.md5(text.encode()).hexdigest()


@dataclass
class Device:
    """What the recorder on the loopback does."""

    port: int = 0
    cuts: int = 0
    """downloads that break off in the middle"""
    ranges: bool = True
    announced: bool = True
    """a Content-Length is sent"""
    told_bytes: int = len(FILM)
    garbage: str = ""
    asked: list[str] = field(default_factory=list)
    bodies: list[str] = field(default_factory=list)
    signed: int = 0


@pytest.fixture
def device() -> Iterator[Device]:
    state = Device()

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_said: object) -> None:
            return

        def do_POST(self) -> None:
            self.do_GET()

        def do_GET(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
            if not self._signed_in():
                return
            state.asked.append(self.path)
            state.bodies.append(body)
            path = urlsplit(self.path).path
            if path.endswith("/download") or path.startswith("/cgi-bin/RPC_Loadfile"):
                self._film()
            else:
                self._text(state.garbage or (self._hikvision(body) if "ISAPI" in path else self._dahua()))

        def _signed_in(self) -> bool:
            given = self.headers.get("Authorization") or ""
            words = dict(re.findall(r'(\w+)="?((?:[^",\\]|\\.)*)"?', given))
            mine = md5(f"viewer:NVR:{PASSWORD}")
            asked = md5(f"{self.command}:{self.path}")
            wanted = md5(f"{mine}:n1:{words.get('nc')}:{words.get('cnonce')}:auth:{asked}")
            if given:
                state.signed += 1
            if words.get("response") == wanted:
                return True
            self.send_response(401)
            self.send_header("WWW-Authenticate", 'Digest realm="NVR", nonce="n1", qop="auth"')
            self.send_header("Content-Length", "0")
            self.end_headers()
            return False

        def _hikvision(self, body: str) -> str:
            second = "<searchResultPostion>1<" in body
            start, end = ("10:15:00", "10:30:00") if second else ("10:00:00", "10:15:00")
            item = HIK_ITEM.format(start=start, end=end, compact=start.replace(":", ""), size=state.told_bytes)
            return HIK_PAGE.format(more="OK" if second else "MORE", count=1, items=item)

        def _dahua(self) -> str:
            if "factory.create" in self.path:
                return "result=08137\r\n"
            if "findNextFile" not in self.path:
                return "OK\r\n"
            spans = (("10.00.00", "10.15.00"), ("10.15.00", "10.30.00"))
            items = [
                DAHUA_ITEM.format(n=n, start=a.replace(".", ":"), end=b.replace(".", ":"), size=state.told_bytes)
                for n, (a, b) in enumerate(spans)
            ]
            return "found=2\r\n" + "".join(items)

        def _text(self, text: str) -> None:
            content = text.encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def _film(self) -> None:
            asked = re.match(r"bytes=(\d+)-", self.headers.get("Range") or "")
            first = int(asked[1]) if asked and state.ranges else 0
            content = FILM[first:]
            self.send_response(206 if first else 200)
            if first:
                self.send_header("Content-Range", f"bytes {first}-{len(FILM) - 1}/{len(FILM)}")
            if state.announced:
                self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            if state.cuts:
                state.cuts -= 1
                content = content[: len(content) // 2]
            self.wfile.write(content)
            self.close_connection = True

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    state.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    yield state
    server.shutdown()
    server.server_close()
    thread.join()


Make = Callable[..., RecorderSource]


@pytest.fixture(params=[Hikvision, Dahua], ids=["hikvision", "dahua"])
def recorder(request: pytest.FixtureRequest, device: Device) -> Make:
    def make(password: str = PASSWORD) -> RecorderSource:
        wire = HttpRecorder(f"http://127.0.0.1:{device.port}", "viewer", password, timeout_s=5)
        made: RecorderSource = request.param(wire, ZONE)
        return made

    return make


def fetch_first(source: RecorderSource, folder: Path) -> Fetched:
    clip = source.search(2, TEN, TEN + timedelta(hours=1))[0]
    return source.fetch(clip, folder / clip_name(clip, ZONE), lambda _have, _whole: None)


def test_recordings_are_found_page_by_page_in_the_recorders_own_time(recorder: Make, device: Device) -> None:
    clips = recorder().search(2, TEN, TEN + timedelta(hours=1))
    assert [(clip.start, clip.end) for clip in clips] == [
        (TEN, TEN + timedelta(minutes=15)), (TEN + timedelta(minutes=15), TEN + timedelta(minutes=30)),
    ]  # fmt: skip
    assert {clip.bytes for clip in clips} == {len(FILM)}
    said = unquote(" ".join(device.asked + device.bodies))
    assert re.search(r"2026-05-28[T ]10:00:00", said)
    assert "<trackID>201<" in said or "condition.Channel=2&" in said
    told = time_in_name(clip_name(clips[0], ZONE), ZONE)
    assert told is not None
    assert (told.start, told.end) == (TEN, TEN + timedelta(minutes=15))


def test_a_recording_is_fetched_whole_and_not_twice(recorder: Make, device: Device, tmp_path: Path) -> None:
    source = recorder()
    fetched = fetch_first(source, tmp_path)
    assert fetched.path.read_bytes() == FILM
    assert (fetched.sha256, fetched.as_told) == (hashlib.sha256(FILM).hexdigest(), True)
    loads = len([path for path in device.asked if "oad" in path])
    assert fetch_first(source, tmp_path) == fetched
    assert len([path for path in device.asked if "oad" in path]) == loads
    assert [path.name for path in tmp_path.iterdir()] == [fetched.path.name]


@pytest.mark.parametrize("ranges", [True, False], ids=["goes on", "begins anew"])
def test_a_cut_download_ends_whole(recorder: Make, device: Device, tmp_path: Path, ranges: bool) -> None:
    device.cuts, device.ranges = 2, ranges
    assert fetch_first(recorder(), tmp_path).path.read_bytes() == FILM


def test_one_that_is_always_cut_is_no_recording_and_goes_on_later(
    recorder: Make, device: Device, tmp_path: Path
) -> None:
    device.cuts = 4
    with pytest.raises(NvrError) as fault:
        fetch_first(recorder(), tmp_path)
    assert fault.value.cause == "cut"
    (part,) = tmp_path.iterdir()
    assert part.name.endswith(".part")
    assert fetch_first(recorder(), tmp_path).path.read_bytes() == FILM


def test_a_length_other_than_the_list_said_is_told(recorder: Make, device: Device, tmp_path: Path) -> None:
    device.told_bytes = len(FILM) + 5
    assert fetch_first(recorder(), tmp_path).as_told is False


def test_without_a_length_the_list_decides_whether_it_is_whole(recorder: Make, device: Device, tmp_path: Path) -> None:
    device.announced, device.cuts = False, 1
    assert fetch_first(recorder(), tmp_path).path.read_bytes() == FILM


def test_a_wrong_password_is_tried_once_and_stands_nowhere(recorder: Make, device: Device) -> None:
    with pytest.raises(NvrError) as fault:
        recorder("wr0ng").search(2, TEN, TEN + timedelta(hours=1))
    assert fault.value.cause == "unauthorised"
    assert device.signed == 1
    assert "wr0ng" not in f"{fault.value} {fault.value!r} {HttpRecorder('http://h', 'u', 'wr0ng')!r}"


@pytest.mark.parametrize("garbage", ["<html>hello</html>", "<!DOCTYPE a [<!ENTITY b 'c'>]><a/>", "{", " "])
def test_another_makers_answer_is_said_to_be_that(recorder: Make, device: Device, garbage: str) -> None:
    device.garbage = garbage
    with pytest.raises(NvrError) as fault:
        recorder().search(2, TEN, TEN + timedelta(hours=1))
    assert fault.value.cause == "garbled"


def test_nobody_there_is_unreachable(tmp_path: Path) -> None:
    source = Dahua(HttpRecorder("http://127.0.0.1:1", "viewer", PASSWORD, timeout_s=2), ZONE)
    with pytest.raises(NvrError) as fault:
        source.search(1, TEN, TEN + timedelta(hours=1))
    assert fault.value.cause == "unreachable"
