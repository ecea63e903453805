"""A line to a store that counts what is sent and asked for, is as slow as asked, turns single bits over on the way, and
is cut where asked."""

from __future__ import annotations

import random
import re
import socket
import threading
import time
from dataclasses import dataclass, field
from urllib.parse import unquote

HEAD_END = b"\r\n\r\n"
BLOCK = 1 << 16


@dataclass
class Put:
    """One PUT with a body: what it is for, whether it arrived whole, whether a bit was flipped, what was answered."""

    target: str
    bytes: int
    flipped: bool = False
    forwarded: bool = False
    status: int = 0


@dataclass
class Line:
    """A TCP proxy on a free port of loopback; `rate_bps` bytes per second for all connections together, 0: no limit."""

    port_behind: int
    rate_bps: int = 0
    slow_answers: bool = False
    puts: list[Put] = field(default_factory=list)
    gets: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._lock = threading.Lock()
        self._flip_at: list[int] = []
        self._free_at = 0.0
        self.read_bytes = 0
        self.answers_flipped = 0
        self._flip_answer_in = 0
        self._cut_at: int | None = None
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listening.getsockname()[1])
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def close(self) -> None:
        self._listening.close()

    def flip_next(self, skip: int = 0) -> None:
        """Turn one bit over in the body of the PUT after the next `skip` ones."""
        with self._lock:
            self._flip_at.append(len(self.puts) + skip)

    def flip_answer(self, skip: int = 0) -> None:
        """Turn one bit over in the body of an answer, after the next `skip` large blocks of such."""
        self._flip_answer_in = skip + 1

    def leave_answers(self) -> None:
        """Turn no bit over that was not reached yet."""
        self._flip_answer_in = 0

    def cut_after(self, size: int) -> None:
        """Nothing passes any more once the store has answered so many bytes more, until `mend`."""
        self._cut_at = self.read_bytes + size

    def mend(self) -> None:
        self._cut_at = None

    @property
    def cut(self) -> bool:
        return self._cut_at is not None and self.read_bytes >= self._cut_at

    def _accept(self) -> None:
        while True:
            try:
                near, _address = self._listening.accept()
            except OSError:
                return
            if self.cut:
                near.close()
                continue
            try:
                far = socket.create_connection(("127.0.0.1", self.port_behind), 10)
            except OSError:
                near.close()
                continue
            waiting: list[Put] = []
            threading.Thread(target=self._requests, args=(near, far, waiting), daemon=True).start()
            threading.Thread(target=self._answers, args=(near, far, waiting), daemon=True).start()

    def _requests(self, near: socket.socket, far: socket.socket, waiting: list[Put]) -> None:
        had = b""
        try:
            while True:
                while HEAD_END not in had:
                    block = near.recv(BLOCK)
                    if not block:
                        return
                    had += block
                head, _end, had = had.partition(HEAD_END)
                length = re.search(rb"(?im)^content-length: *(\d+)", head)
                left = int(length[1]) if length else 0
                put, at = self._begun(head, left, waiting)
                far.sendall(head + HEAD_END)
                sent = 0
                while left:
                    block = had[:left] or near.recv(min(left, BLOCK))
                    had = had[len(block) :]
                    if not block:
                        return
                    if put is not None and put.flipped and sent <= at < sent + len(block):
                        changed = bytearray(block)
                        changed[at - sent] ^= 1 << random.randrange(8)
                        block = bytes(changed)
                    self._slow(len(block))
                    far.sendall(block)
                    sent, left = sent + len(block), left - len(block)
                if put is not None:
                    put.forwarded = True
        except OSError:
            return
        finally:
            _end_both(near, far)

    def _begun(self, head: bytes, length: int, waiting: list[Put]) -> tuple[Put | None, int]:
        method, target = head.split(b" ", 2)[:2]
        if method == b"GET":
            self.gets.append(unquote(target.decode()))
        if method != b"PUT" or not length:
            return None, 0
        put = Put(unquote(target.decode()), length)
        with self._lock:
            if self._flip_at and len(self.puts) >= self._flip_at[0]:
                self._flip_at.pop(0)
                put.flipped = True
            self.puts.append(put)
            waiting.append(put)
        return put, random.randrange(length)

    def _answers(self, near: socket.socket, far: socket.socket, waiting: list[Put]) -> None:
        try:
            while block := far.recv(BLOCK):
                self.read_bytes += len(block)
                if self.cut:
                    return
                block = self._body_flipped(block)
                self._slow(len(block) if self.slow_answers else 0)
                found = re.match(rb"HTTP/1\.[01] (\d{3})", block)
                if found and int(found[1]) == 100:
                    found = re.match(rb"HTTP/1\.[01] (\d{3})", block.partition(HEAD_END)[2])
                if found and waiting:
                    waiting.pop(0).status = int(found[1])
                near.sendall(block)
        except OSError:
            return
        finally:
            _end_both(near, far)

    def _body_flipped(self, block: bytes) -> bytes:
        if not self._flip_answer_in or len(block) < BLOCK // 8 or block.startswith(b"HTTP/"):
            return block
        with self._lock:
            self._flip_answer_in = max(self._flip_answer_in - 1, 0)
            if self._flip_answer_in:
                return block
            self.answers_flipped += 1
        return bytes([block[0] ^ 1 << random.randrange(8)]) + block[1:]

    def _slow(self, size: int) -> None:
        if not self.rate_bps or not size:
            return
        with self._lock:
            self._free_at = max(self._free_at, time.monotonic()) + size / self.rate_bps
            wait_s = self._free_at - time.monotonic()
        if wait_s > 0:
            time.sleep(wait_s)


def _end_both(*ends: socket.socket) -> None:
    for end in ends:
        try:
            end.shutdown(socket.SHUT_RDWR)
        except OSError:
            continue  # closed from the other side already


def part_of(put: Put) -> str:
    """What was sent: the object, and which part of it."""
    place, _mark, query = put.target.partition("?")
    number = next((word for word in query.split("&") if word.startswith("partNumber=")), "")
    return f"{place} {number}"
