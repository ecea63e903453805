"""A router between camera and recorder that lets the words of RTSP through and, when told, nothing of the stream."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["mute"]

EMPTY_REPORT = b"$\x01\x00\x08\x80\xc9\x00\x01\x00\x00\x00\x01"
"""An RTCP receiver report that reports nothing, as it is sent between the frames of the stream (RFC 3550, RFC 2326)."""


@contextmanager
def mute(port: int, hushed: threading.Event | None = None) -> Iterator[int]:
    """Passes RTSP over TCP on to `port`, both ways; yields the port to call.

    Without `hushed` nothing of the stream ever passes. With it the stream passes until it is set; from then on every
    frame becomes a few bytes that keep the connection alive and hold no picture.
    """
    listening = socket.create_server(("127.0.0.1", 0))
    lines: list[socket.socket] = []

    def words(source: socket.socket, sink: socket.socket, *, frames: bool) -> None:
        held = b""
        while data := _received(source):
            if frames:
                said, held = _passed(held + data, hushed)
            else:
                said = data
            try:
                sink.sendall(said)
            except OSError:
                break
        for line in (source, sink):
            line.close()

    def accept() -> None:
        while True:
            try:
                caller, _ = listening.accept()
            except OSError:
                return
            camera = socket.create_connection(("127.0.0.1", port))
            lines.extend((caller, camera))
            threading.Thread(target=words, args=(caller, camera), kwargs={"frames": False}, daemon=True).start()
            threading.Thread(target=words, args=(camera, caller), kwargs={"frames": True}, daemon=True).start()

    thread = threading.Thread(target=accept)
    thread.start()
    try:
        yield listening.getsockname()[1]
    finally:
        listening.shutdown(socket.SHUT_RDWR)
        listening.close()
        thread.join()
        for line in lines:
            line.close()


def _received(line: socket.socket) -> bytes:
    try:
        return line.recv(65536)
    except OSError:
        return b""


def _passed(data: bytes, hushed: threading.Event | None) -> tuple[bytes, bytes]:
    """(what to pass on, what is not complete yet): ``$``, channel and length begin a frame."""
    said = b""
    while data:
        if not data.startswith(b"$"):
            cut = data.find(b"$")
            words, data = (data, b"") if cut == -1 else (data[:cut], data[cut:])
            said += words
        elif len(data) < 4 or len(data) < 4 + int.from_bytes(data[2:4], "big"):
            break
        else:
            length = 4 + int.from_bytes(data[2:4], "big")
            if hushed is not None:
                said += EMPTY_REPORT if hushed.is_set() else data[:length]
            data = data[length:]
    return said, data
