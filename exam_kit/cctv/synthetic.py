"""Synthetic cameras for the demo and the tests: moving scenes over HTTP on this machine only.

``python -m exam_kit.cctv.synthetic --cameras FILE.json --port 0`` prints ``{"port": N}`` when ready and serves each
camera as an endless MPEG-TS at ``/cameras/<id>.ts``; ``/health`` tells in JSON what goes on. The file holds::

    {"region": "77", "point": "0001", "timezone": "Europe/Moscow", "fps": 10, "width": 1280, "height": 720,
     "cameras": [{"id": "R1-1", "room": "0001", "zone": "room", "label": ""}]}

One JSON line on stdin orders a trouble: ``{"camera": "R1-1", "do": "drop", "seconds": 6}``; ``do`` is drop (cut and
refused), stall (connected, silent), cover, black, blur, freeze, and ``seconds: 0`` ends it; one line on stdout answers.
The process ends when stdin does.

A viewer begins at a keyframe. One that does not keep up is cut off, so that it never holds the others.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import math
import socket
import sys
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import cv2

from exam_kit.cctv.synthetic_stream import TROUBLES, CameraPlan, Piece, SyntheticCamera

__all__ = ["CameraServer", "main"]

HOST = "127.0.0.1"
BACKLOG_BYTES = 8 * 1024 * 1024
"""A viewer that leaves more than this unread is too slow."""
SEND_BUFFER_BYTES = 256 * 1024
REQUEST_S = 5.0
EXIT_USAGE = 2


class Viewer:
    """One connection. `waiting` until the first keyframe."""

    def __init__(self, writer: asyncio.StreamWriter, *, chunked: bool, backlog_bytes: int) -> None:
        self.writer = writer
        self._backlog_bytes = backlog_bytes
        self.chunked = chunked
        self.waiting = True

    def send(self, data: bytes) -> bool:
        """False when the viewer is gone or too slow."""
        transport = self.writer.transport
        if transport.is_closing() or transport.get_write_buffer_size() > self._backlog_bytes:
            return False
        self.writer.write(b"%x\r\n%b\r\n" % (len(data), data) if self.chunked else data)
        return True


class CameraServer:
    """All cameras in one event loop: encoding takes a few milliseconds a frame, and writing never waits."""

    def __init__(self, plans: list[CameraPlan], backlog_bytes: int = BACKLOG_BYTES) -> None:
        self._backlog_bytes = backlog_bytes
        self._cameras = {plan.id: SyntheticCamera(plan) for plan in plans}
        self._viewers: dict[str, list[Viewer]] = {plan.id: [] for plan in plans}
        self._late = 0
        self._cut_off = 0
        self._ended = asyncio.Event()

    async def serve(self, port: int, ready: Callable[[int], None]) -> None:
        """Serve until `end`.

        Raises:
            OSError: the port is taken.
        """
        server = await asyncio.start_server(self._answer, HOST, port)
        ready(server.sockets[0].getsockname()[1])
        # Spread over the frame's time, so that six cameras do not all encode at once.
        runs = [
            asyncio.create_task(self._run(camera, index / len(self._cameras)))
            for index, camera in enumerate(self._cameras.values())
        ]
        ended = asyncio.create_task(self._ended.wait())
        done, _pending = await asyncio.wait([*runs, ended], return_when=asyncio.FIRST_COMPLETED)
        for task in (*runs, ended):
            task.cancel()
        server.close()
        for viewers in self._viewers.values():
            for viewer in viewers:
                viewer.writer.transport.abort()
        for task in done:
            task.result()

    def end(self) -> None:
        self._ended.set()

    def order(self, line: str) -> dict[str, Any]:
        """Carry out one line of stdin; the answer says what was done or why not."""
        try:
            order = json.loads(line)
            camera, trouble, seconds = str(order["camera"]), str(order["do"]), float(order["seconds"])
        except (ValueError, KeyError, TypeError):
            return {"refused": line.strip(), "why": "not an order with camera, do and seconds"}
        if camera not in self._cameras:
            return {"refused": line.strip(), "why": "no such camera"}
        if trouble not in TROUBLES or not math.isfinite(seconds) or seconds < 0:
            return {"refused": line.strip(), "why": f"do is one of {', '.join(TROUBLES)}; seconds is not negative"}
        self._cameras[camera].order(trouble, time.monotonic() + seconds)
        if trouble == "drop" and seconds > 0:
            self._cut(camera)
        return {"camera": camera, "do": trouble, "seconds": seconds}

    def _cut(self, camera: str) -> None:
        for viewer in self._viewers[camera]:
            viewer.writer.transport.abort()
        self._viewers[camera].clear()

    async def _run(self, camera: SyntheticCamera, offset: float) -> None:
        fps, viewers = camera.plan.fps, self._viewers[camera.plan.id]
        began, number, asked_key = time.monotonic() + offset / fps, 0, True
        while True:
            now = time.monotonic()
            due = began + number / fps
            if now < due:
                await asyncio.sleep(due - now)
                continue
            if now - due > 1.0:
                # This machine slept or is overloaded: what was not drawn in time is left out, the clock stays right.
                missed = int((now - due) * fps)
                self._late += missed
                number += missed
            if not viewers or camera.suffers("stall", now) or camera.suffers("drop", now):
                asked_key = True
            else:
                for piece in camera.frame(number, now, datetime.now(UTC), keyframe=asked_key):
                    self._send(camera.plan.id, piece)
                asked_key = False
            number += 1
            # Even when everything is late, connections and orders get their turn.
            await asyncio.sleep(0)

    def _send(self, camera: str, piece: Piece) -> None:
        for viewer in list(self._viewers[camera]):
            if viewer.waiting and not piece.keyframe:
                continue
            viewer.waiting = False
            if not viewer.send(piece.data):
                self._cut_off += not viewer.writer.transport.is_closing()
                viewer.writer.transport.abort()
                self._viewers[camera].remove(viewer)

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), REQUEST_S)
            await self._route(head.split(b"\r\n", 1)[0].decode("latin-1").split(" "), reader, writer)
        except (TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, ConnectionError):
            # The viewer went away or never asked: nothing is owed to it.
            writer.transport.abort()
        finally:
            writer.close()

    async def _route(self, request: list[str], reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        method, path, version = (*request, "", "", "")[:3]
        name = path.split("?")[0].removeprefix("/cameras/").removesuffix(".ts")
        if method != "GET":
            return self._reply(writer, "405 Method Not Allowed", {"error": "only GET"})
        if path == "/health":
            return self._reply(writer, "200 OK", self._health())
        if not path.startswith("/cameras/") or name not in self._cameras:
            return self._reply(writer, "404 Not Found", {"error": "no such camera"})
        if self._cameras[name].suffers("drop", time.monotonic()):
            return writer.transport.abort()
        chunked = version == "HTTP/1.1"
        coding = ("Transfer-Encoding: chunked",) if chunked else ()
        writer.write(_head("200 OK", "Content-Type: video/mp2t", "Cache-Control: no-store", *coding))
        # Bounded, or the system would hide how far behind a viewer is.
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)
        viewer = Viewer(writer, chunked=chunked, backlog_bytes=self._backlog_bytes)
        self._viewers[name].append(viewer)
        try:
            while await reader.read(4096):
                # Whatever a viewer says after its request changes nothing; its silence ends here.
                continue
        finally:
            if viewer in self._viewers[name]:
                self._viewers[name].remove(viewer)
        return None

    def _reply(self, writer: asyncio.StreamWriter, status: str, body: dict[str, Any]) -> None:
        data = json.dumps(body).encode()
        writer.write(_head(status, "Content-Type: application/json", f"Content-Length: {len(data)}") + data)

    def _health(self) -> dict[str, Any]:
        now = time.monotonic()
        cameras = {
            name: {"viewers": len(self._viewers[name]), "frames": camera.frames, "troubles": camera.troubles(now)}
            for name, camera in self._cameras.items()
        }
        return {"cameras": cameras, "frames_left_out": self._late, "viewers_cut_off": self._cut_off}


def _head(status: str, *lines: str) -> bytes:
    return "\r\n".join((f"HTTP/1.1 {status}", *lines, "Connection: close", "", "")).encode("ascii")


def _say(line: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(line, ensure_ascii=True) + "\n")
    sys.stdout.flush()


async def _serve(plans: list[CameraPlan], port: int, backlog_bytes: int) -> None:
    server = CameraServer(plans, backlog_bytes)
    loop = asyncio.get_running_loop()

    def obey(line: str) -> None:
        _say(server.order(line))

    def listen() -> None:
        # A thread, because the event loop cannot wait for a pipe on Windows.
        for line in sys.stdin:
            if line.strip():
                loop.call_soon_threadsafe(obey, line)
        loop.call_soon_threadsafe(server.end)

    def ready(taken: int) -> None:
        _say({"port": taken})
        threading.Thread(target=listen, name="orders", daemon=True).start()

    await server.serve(port, ready)


def main(arguments: list[str] | None = None) -> int:
    """The process; 0 at the end of stdin, 2 when the configuration or the port cannot be used."""
    parser = argparse.ArgumentParser(prog="python -m exam_kit.cctv.synthetic")
    parser.add_argument("--cameras", type=Path, required=True)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--backlog-bytes", type=int, default=BACKLOG_BYTES)
    options = parser.parse_args(arguments)
    # One core is plenty; OpenCV's own threads would only compete with the recorder.
    cv2.setNumThreads(1)
    try:
        shared = json.loads(options.cameras.read_text(encoding="utf-8"))
        plans = [CameraPlan.of(camera, shared) for camera in shared["cameras"]]
        asyncio.run(_serve(plans, options.port, options.backlog_bytes))
    except (OSError, KeyError, ValueError, TypeError) as problem:
        _say({"error": f"{type(problem).__name__}: {problem}"})
        return EXIT_USAGE
    return 0


if __name__ == "__main__":
    sys.exit(main())
