"""Queues and buffers between the copy's threads, all of which let go at once when the copy stops."""

from __future__ import annotations

import threading
from collections import deque
from contextlib import suppress
from typing import Generic, TypeVar

from exam_kit.archive.medium import BLOCK, aligned

__all__ = ["Buffer", "Channel", "Pool", "Stop", "Stopped"]

T = TypeVar("T")


class Stopped(Exception):
    """The copy stops: whoever waits on a channel gets this instead of an item."""


class Stop:
    """One switch for all channels of a copy, or (`child`) of one destination: set together with its parent or alone."""

    def __init__(self) -> None:
        self._set = threading.Event()
        self._waiting: list[threading.Condition] = []
        self._children: list[Stop] = []

    def child(self) -> Stop:
        made = Stop()
        self._children.append(made)
        return made

    def condition(self) -> threading.Condition:
        made = threading.Condition()
        self._waiting.append(made)
        return made

    def set(self) -> None:
        self._set.set()
        for child in self._children:
            child.set()
        for condition in self._waiting:
            with condition:
                condition.notify_all()

    def is_set(self) -> bool:
        return self._set.is_set()


class Channel(Generic[T]):
    """A queue of at most `room` items (0: no bound)."""

    def __init__(self, stop: Stop, room: int = 0) -> None:
        self._items: deque[T] = deque()
        self._room = room
        self._stop = stop
        self._changed = stop.condition()

    def put(self, item: T) -> None:
        """Wait for room, then add. Raises Stopped."""
        with self._changed:
            self._changed.wait_for(lambda: self._stop.is_set() or not self._room or len(self._items) < self._room)
            if self._stop.is_set():
                raise Stopped
            self._items.append(item)
            self._changed.notify_all()

    def get(self) -> T:
        """Wait for an item. Raises Stopped."""
        with self._changed:
            self._changed.wait_for(lambda: self._stop.is_set() or bool(self._items))
            if self._stop.is_set():
                raise Stopped
            item = self._items.popleft()
            self._changed.notify_all()
            return item

    def drain(self) -> list[T]:
        """What lies in the channel now; after its stop was set nothing is added any more."""
        with self._changed:
            items = list(self._items)
            self._items.clear()
            self._changed.notify_all()
            return items


class Buffer:
    """A page-aligned block that several threads read; it goes back to the pool when the last one lets go."""

    def __init__(self, pool: Pool, size: int) -> None:
        self.room = aligned(size)
        self.length = 0
        self._pool = pool
        self._holders = 0
        self._lock = threading.Lock()

    @property
    def data(self) -> memoryview:
        return self.room[: self.length]

    def hold(self, holders: int) -> None:
        self._holders = holders

    def release(self) -> None:
        with self._lock:
            self._holders -= 1
            free = self._holders == 0
        if free:
            self._pool.give_back(self)


class Pool:
    """A fixed number of buffers: what bounds the copy's memory."""

    def __init__(self, stop: Stop, count: int, size: int = BLOCK) -> None:
        self._free: Channel[Buffer] = Channel(stop)
        for _number in range(count):
            self._free.put(Buffer(self, size))

    def take(self) -> Buffer:
        """Wait for a free buffer. Raises Stopped."""
        return self._free.get()

    def give_back(self, buffer: Buffer) -> None:
        with suppress(Stopped):  # nobody waits for buffers any more
            self._free.put(buffer)

    def empty(self) -> None:
        """Let the memory go now: buffers and pool refer to each other, and the collector would come late."""
        self._free.drain()
