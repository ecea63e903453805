"""A camera that sends JPEG after JPEG in one HTTP answer (multipart/x-mixed-replace), with the habits of real ones."""

from __future__ import annotations

import base64
import hashlib
import re
import secrets
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Literal

import cv2
import numpy as np

__all__ = ["HttpCamera"]

REALM = "IP Camera"


def picture(number: int, width: int, height: int) -> bytes:
    """A JPEG on which something moves."""
    frame = np.full((height, width, 3), 90, np.uint8)
    cv2.circle(frame, (20 + number * 7 % (width - 40), height // 2), 18, (40, 200, 240), -1)
    cv2.putText(frame, str(number), (8, 24), cv2.FONT_HERSHEY_SIMPLEX, 0.8, (255, 255, 255), 2)
    done, jpeg = cv2.imencode(".jpg", frame)
    assert done
    return jpeg.tobytes()


class HttpCamera:
    """Serves ``/video`` on this machine. Use as a context manager.

    `lengths` False: parts carry no Content-Length. `boundary` as the head names it: some cameras put it in quotes, or
    begin it with the two strokes that belong before it. `sign_in` needs `user` and `password`. `size` may be set at
    any time, `stalled` makes it silent.
    """

    def __init__(
        self,
        *,
        user: str | None = None,
        password: str = "",
        sign_in: Literal["basic", "digest"] = "basic",
        lengths: bool = True,
        boundary: str = "frame",
        fps: float = 10.0,
    ) -> None:
        self.user, self.password, self.sign_in = user, password, sign_in
        self.lengths, self.boundary, self.fps = lengths, boundary, fps
        self.size = (320, 240)
        self.sent = 0
        self.stalled = False
        self._nonce = secrets.token_hex(8)
        self._ended = threading.Event()
        camera = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                if self.path != "/video":
                    self.send_error(404)
                elif camera.admits(self.headers.get("Authorization", "")):
                    camera.stream(self)
                else:
                    self.send_response(401)
                    self.send_header("WWW-Authenticate", camera.challenge())
                    self.send_header("Content-Length", "0")
                    self.end_headers()

            def log_message(self, format: str, *args: object) -> None:
                """Quiet."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05})

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}/video"

    def challenge(self) -> str:
        if self.sign_in == "basic":
            return f'Basic realm="{REALM}"'
        return f'Digest realm="{REALM}", nonce="{self._nonce}", qop="auth", algorithm=MD5'

    def admits(self, said: str) -> bool:
        if self.user is None:
            return True
        if self.sign_in == "basic":
            return said == "Basic " + base64.b64encode(f"{self.user}:{self.password}".encode()).decode()
        given = dict(re.findall(r'(\w+)="?([^",]*)"?', said))
        if not said.startswith("Digest") or given.get("nonce") != self._nonce:
            return False

        def digest(text: str) -> str:
            return hashlib.md5(text.encode()).hexdigest()

        who, what = digest(f"{self.user}:{REALM}:{self.password}"), digest(f"GET:{given['uri']}")
        middle = f"{given['nonce']}:{given['nc']}:{given['cnonce']}:{given['qop']}" if "qop" in given else self._nonce
        return given.get("response") == digest(f"{who}:{middle}:{what}")

    def stream(self, to: BaseHTTPRequestHandler) -> None:
        to.send_response(200)
        to.send_header("Content-Type", f"multipart/x-mixed-replace; boundary={self.boundary}")
        to.send_header("Connection", "close")
        to.end_headers()
        to.close_connection = True
        mark = self.boundary.strip('"').removeprefix("--")
        try:
            while not self._ended.wait(1 / self.fps):
                if self.stalled:
                    continue
                jpeg = picture(self.sent, *self.size)
                length = f"Content-Length: {len(jpeg)}\r\n" if self.lengths else ""
                to.wfile.write(f"--{mark}\r\nContent-Type: image/jpeg\r\n{length}\r\n".encode() + jpeg + b"\r\n")
                self.sent += 1
        except OSError:
            return  # the viewer has gone

    def __enter__(self) -> HttpCamera:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
