"""Many RTSP cameras in one light process: ``python -m bench.recorder_cameras``.

Reads one JSON line from stdin: ``{"stream": FILE, "mounts": ["cam01", …], "picture": {…}}`` and prints
``{"port": N}``. Then each line of stdin is answered by one line of JSON: ``playing`` by how many viewers there are,
``hush`` (stop sending; what is under way still goes out) by what every viewer was sent, ``hang up`` when that is done.
Ends when stdin closes.

A frame is put on the wire once for all cameras; each camera is a few frames behind the one before it, so that their
keyframes do not come at the same moment. A viewer that does not take what it is sent gets nothing more after 4 MiB,
as with a real camera, and those frames are counted as dropped.
"""

from __future__ import annotations

import base64
import json
import os
import selectors
import socket
import sys
import time
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.recorder_stream import Loop, Picture, read_stream

__all__ = ["main"]

SLOTS = 8
"""Moments within a frame's time at which cameras send."""
HELD_BYTES = 4 << 20


@dataclass
class Viewer:
    """One connection."""

    sock: socket.socket
    mount: str = ""
    place: int = 0
    """which camera it watches"""
    asked: bytes = b""
    waiting: deque[memoryview] = field(default_factory=deque)
    waiting_bytes: int = 0
    playing: bool = False
    first: int | None = None
    last: int | None = None
    dropped: list[int] = field(default_factory=list)


class Cameras:
    """All cameras, all viewers, one thread."""

    def __init__(self, loop: Loop, mounts: list[str]) -> None:
        self._loop = loop
        self._mounts = mounts
        self._selector = selectors.DefaultSelector()
        self._viewers: list[Viewer] = []
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self._listener.setblocking(False)
        self._selector.register(self._listener, selectors.EVENT_READ)
        self._selector.register(sys.stdin, selectors.EVENT_READ)
        self._made: dict[int, bytes] = {}
        self._hushed = False
        self._ended = False
        self.port = self._listener.getsockname()[1]

    def run(self) -> None:
        slot_s = 1 / self._loop.picture.fps / SLOTS
        began, done = time.monotonic(), 0
        while not self._ended:
            due = int((time.monotonic() - began) / slot_s)
            while done < due:
                if not self._hushed:
                    self._send_slot(done)
                done += 1
            wait_s = max(0.0, began + (done + 1) * slot_s - time.monotonic())
            for key, events in self._selector.select(wait_s):
                if key.fileobj is self._listener:
                    self._admit()
                elif key.fileobj is sys.stdin:
                    self._answer()
                elif events & selectors.EVENT_WRITE:
                    self._push(key.data)
                else:
                    self._hear(key.data)

    def _send_slot(self, slot: int) -> None:
        frame, part = divmod(slot, SLOTS)
        for viewer in self._viewers:
            if not viewer.playing or viewer.place % SLOTS != part:
                continue
            # Behind by a place each, so that keyframes are spread; numbers begin above zero.
            number = (
                frame + self._loop.picture.gop - (viewer.place // SLOTS * 7 + viewer.place) % self._loop.picture.gop
            )
            if viewer.first is None and not self._loop.is_key(number):
                continue
            if viewer.waiting_bytes > HELD_BYTES:
                viewer.dropped.append(number)
                continue
            viewer.first = number if viewer.first is None else viewer.first
            viewer.last = number
            self._give(viewer, self._wire(number))

    def _wire(self, number: int) -> bytes:
        if number not in self._made:
            self._made[number] = self._loop.wire(number)
            self._made.pop(number - 2 * self._loop.picture.gop, None)
        return self._made[number]

    def _give(self, viewer: Viewer, data: bytes) -> None:
        viewer.waiting.append(memoryview(data))
        viewer.waiting_bytes += len(data)
        self._push(viewer)

    def _push(self, viewer: Viewer) -> None:
        try:
            while viewer.waiting:
                sent = viewer.sock.send(viewer.waiting[0])
                viewer.waiting_bytes -= sent
                if sent < len(viewer.waiting[0]):
                    viewer.waiting[0] = viewer.waiting[0][sent:]
                    continue
                viewer.waiting.popleft()
        except BlockingIOError:
            self._selector.modify(viewer.sock, selectors.EVENT_READ | selectors.EVENT_WRITE, viewer)
            return
        except OSError:
            self._leave(viewer)
            return
        if self._selector.get_key(viewer.sock).events & selectors.EVENT_WRITE:
            self._selector.modify(viewer.sock, selectors.EVENT_READ, viewer)

    def _admit(self) -> None:
        sock, _address = self._listener.accept()
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        viewer = Viewer(sock)
        self._viewers.append(viewer)
        self._selector.register(sock, selectors.EVENT_READ, viewer)

    def _leave(self, viewer: Viewer) -> None:
        if viewer.sock.fileno() >= 0:
            self._selector.unregister(viewer.sock)
            viewer.sock.close()
        viewer.playing = False
        viewer.waiting.clear()

    def _hear(self, viewer: Viewer) -> None:
        try:
            came = viewer.sock.recv(65536)
        except BlockingIOError:
            return
        except OSError:
            came = b""
        if not came:
            self._leave(viewer)
            return
        viewer.asked += came
        while viewer.asked:
            if viewer.asked[:1] == b"$":  # the viewer's RTCP reports
                length = 4 + int.from_bytes(viewer.asked[2:4], "big")
                if len(viewer.asked) < max(4, length):
                    return
                viewer.asked = viewer.asked[length:]
                continue
            head, found, rest = viewer.asked.partition(b"\r\n\r\n")
            if not found:
                return
            viewer.asked = rest
            self._reply(viewer, head.decode("utf-8", "replace"))

    def _reply(self, viewer: Viewer, request: str) -> None:
        lines = request.split("\r\n")
        method, url = lines[0].split()[:2]
        fields = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
        head, body, status = [f"CSeq: {fields.get('cseq', '0')}"], "", "200 OK"
        if method == "OPTIONS":
            head.append("Public: OPTIONS, DESCRIBE, SETUP, PLAY, GET_PARAMETER, TEARDOWN")
        elif method == "DESCRIBE":
            viewer.mount = url.rstrip("/").rsplit("/", 1)[-1]
            if viewer.mount in self._mounts:
                viewer.place = self._mounts.index(viewer.mount)
                body = self._describe()
                head += ["Content-Type: application/sdp", f"Content-Base: {url}/"]
            else:
                status = "404 Not Found"
        elif method == "SETUP":
            if "interleaved" in fields.get("transport", ""):
                head += ["Transport: RTP/AVP/TCP;unicast;interleaved=0-1", "Session: 1;timeout=60"]
            else:
                status = "461 Unsupported Transport"
        elif method == "PLAY":
            head += ["Session: 1", "Range: npt=0.000-"]
        head += [f"Content-Length: {len(body)}"] if body else []
        self._give(viewer, ("\r\n".join([f"RTSP/1.0 {status}", *head]) + "\r\n\r\n" + body).encode())
        if method == "PLAY":
            viewer.playing = True
        elif method == "TEARDOWN":
            self._leave(viewer)

    def _describe(self) -> str:
        sets = ",".join(base64.b64encode(unit).decode() for unit in self._loop.parameters)
        return (
            "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=camera\r\nt=0 0\r\nm=video 0 RTP/AVP 96\r\nc=IN IP4 0.0.0.0\r\n"
            f"a=rtpmap:96 H264/90000\r\na=framerate:{self._loop.picture.fps}\r\n"
            f"a=fmtp:96 packetization-mode=1;sprop-parameter-sets={sets}\r\na=control:track1\r\n"
        )

    def _answer(self) -> None:
        line = os.read(sys.stdin.fileno(), 4096).decode()
        if not line:
            self._ended = True
            return
        said: dict[str, Any] = {"playing": sum(viewer.first is not None for viewer in self._viewers if viewer.playing)}
        if line.strip() == "hush":
            self._hushed = True
            said["sent"] = [
                {"mount": viewer.mount, "first": viewer.first, "last": viewer.last, "dropped": len(viewer.dropped)}
                for viewer in self._viewers
                if viewer.first is not None
            ]
        elif line.strip() == "hang up":
            for viewer in self._viewers:
                self._leave(viewer)
        print(json.dumps(said), flush=True)


def main() -> None:
    wanted = json.loads(sys.stdin.readline())
    loop = Loop(read_stream(Path(wanted["stream"])), Picture(**wanted["picture"]))
    cameras = Cameras(loop, wanted["mounts"])
    print(json.dumps({"port": cameras.port}), flush=True)
    cameras.run()


if __name__ == "__main__":
    main()
