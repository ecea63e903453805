"""Cameras of the lab: MPEG-TS over HTTP from one clip made beforehand, frame by frame in real time."""

from __future__ import annotations

import socket
import threading
import time
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

__all__ = ["FPS", "Cameras", "make_clip"]

FPS = 10
WIDTH, HEIGHT, BITRATE_BPS = 320, 240, 300_000


def make_clip(path: Path, seconds: float) -> None:
    """A clip with a keyframe every second and a picture that never rests, so that every second has its bytes."""
    chance = np.random.default_rng(7)
    with av.open(str(path), "w", format="mpegts") as container:
        stream = container.add_stream("libx264", rate=FPS, options={"preset": "ultrafast", "tune": "zerolatency"})
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        stream.bit_rate, stream.gop_size = BITRATE_BPS, FPS
        stream.time_base = Fraction(1, FPS)
        noise = chance.integers(0, 255, (HEIGHT, WIDTH, 3), dtype=np.uint8)
        for number in range(round(seconds * FPS)):
            frame = av.VideoFrame.from_ndarray(np.roll(noise, number * 7, axis=1), format="rgb24")
            frame.pts = number
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def pieces(path: Path) -> list[bytes]:
    """The clip, a piece a frame."""
    with av.open(str(path)) as container:
        begins = [packet.pos for packet in container.demux(video=0) if packet.pos is not None and packet.size]
    data = path.read_bytes()
    begins[0] = 0  # with the tables that stand before the first frame
    return [data[start:end] for start, end in zip(begins, [*begins[1:], len(data)], strict=True)]


class Cameras:
    """A camera for every connection."""

    def __init__(self, clip: Path) -> None:
        self._pieces = pieces(clip)
        self._server = socket.create_server(("127.0.0.1", 0))
        self._ended = threading.Event()
        threading.Thread(target=self._serve, daemon=True).start()

    def url(self, camera: str) -> str:
        return f"http://127.0.0.1:{self._server.getsockname()[1]}/{camera}"

    def close(self) -> None:
        self._ended.set()
        self._server.close()

    def _serve(self) -> None:
        while True:
            try:
                client, _address = self._server.accept()
            except OSError:
                return  # closed
            threading.Thread(target=self._send, args=(client,), daemon=True).start()

    def _send(self, client: socket.socket) -> None:
        with client:
            try:
                client.recv(4096)  # what is asked for makes no difference: all show the same
                client.sendall(b"HTTP/1.0 200 OK\r\nContent-Type: video/mp2t\r\n\r\n")
                began = time.monotonic()
                for number, piece in enumerate(self._pieces):
                    if self._ended.wait(max(0.0, began + number / FPS - time.monotonic())):
                        return
                    client.sendall(piece)
            except OSError:
                return  # the recorder hung up
