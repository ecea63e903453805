"""Time, passed in: the wall, the monotonic clock, and the clock that also counts sleep.

Code that decides by time takes a `Clock`; tests hold it still with `FakeClock`.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Protocol

__all__ = ["Clock", "FakeClock", "SystemClock", "from_iso", "iso"]


class Clock(Protocol):
    """What the kit asks of time."""

    def now(self) -> datetime:
        """The wall clock, aware, UTC. People and daylight saving may step it."""
        ...

    def monotonic(self) -> float:
        """Seconds that never step and do not count sleep."""
        ...

    def boot(self) -> float:
        """Seconds since boot, sleep included; never steps."""
        ...

    def boot_id(self) -> str:
        """Changes with every boot of the machine."""
        ...


class SystemClock:
    """The machine's own clocks."""

    def __init__(self) -> None:
        self._boot_id = _read_boot_id()

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()

    def boot(self) -> float:
        # CLOCK_BOOTTIME is Linux only; on Windows the monotonic clock already counts sleep.
        clock = getattr(time, "CLOCK_BOOTTIME", None)
        return time.clock_gettime(clock) if clock is not None else time.monotonic()

    def boot_id(self) -> str:
        return self._boot_id


def _read_boot_id() -> str:
    try:
        with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as source:
            return source.read().strip()
    except FileNotFoundError:
        pass
    # Windows: boot time to the minute is stable within one boot and differs between boots.
    import uuid

    booted = int((time.time() - time.monotonic()) // 60)
    return str(uuid.uuid5(uuid.NAMESPACE_OID, f"boot-{booted}"))


class FakeClock:
    """A clock that moves only when told. `step` moves the wall alone, `sleep` counts as sleep of the machine."""

    def __init__(self, now: datetime) -> None:
        self._now = now.astimezone(UTC)
        self._monotonic = 1000.0
        self._boot = 1000.0
        self._boot_number = 1

    def now(self) -> datetime:
        return self._now

    def monotonic(self) -> float:
        return self._monotonic

    def boot(self) -> float:
        return self._boot

    def boot_id(self) -> str:
        return f"boot-{self._boot_number}"

    def advance(self, seconds: float) -> None:
        """Time passes with the machine awake."""
        self._now += timedelta(seconds=seconds)
        self._monotonic += seconds
        self._boot += seconds

    def sleep(self, seconds: float) -> None:
        """Time passes with the machine asleep."""
        self._now += timedelta(seconds=seconds)
        self._boot += seconds

    def step(self, seconds: float) -> None:
        """Somebody sets the wall clock by hand."""
        self._now += timedelta(seconds=seconds)

    def reboot(self, seconds: float = 60.0) -> None:
        """The machine restarts, off for `seconds`."""
        self._now += timedelta(seconds=seconds)
        self._monotonic = self._boot = 0.0
        self._boot_number += 1


def iso(moment: datetime) -> str:
    """UTC text with microseconds and a Z: sorts as text in the order of time.

    >>> iso(datetime(2026, 5, 28, 5, 0, tzinfo=UTC))
    '2026-05-28T05:00:00.000000Z'
    """
    if moment.tzinfo is None:
        raise ValueError("a moment without a zone has no place in the store")
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def from_iso(text: str) -> datetime:
    """The inverse of `iso`; takes any ISO 8601 moment that names its offset."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"no zone in {text!r}")
    return moment.astimezone(UTC)
