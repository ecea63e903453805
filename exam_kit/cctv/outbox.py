"""A worker's reports to the agent, which must never hold up a camera.

The agent may be suspended for as long as the machine's owner likes; its pipe then fills up, and whoever writes to it
stands still. So reports are only put down here, and a thread of its own sends them. What files were begun and finished
is kept until it is sent, however long that takes; of what only describes the present (alive, progress, connecting,
connected, the same fault again and again) the latest is enough.
"""

from __future__ import annotations

import json
import threading
from typing import IO, Any

__all__ = ["Outbox"]

_PASSING = frozenset({"alive", "progress", "connecting", "connected"})
"""Kinds of which the latest of each camera is enough."""


class Outbox:
    """Sends reports to `output`, in the order given; a passing one after all that was put down before it was sent."""

    def __init__(self, output: IO[str]) -> None:
        self._output = output
        self._changed = threading.Condition()
        self._kept: list[dict[str, Any]] = []
        self._passing: dict[tuple[str, str | None], dict[str, Any]] = {}
        self._faults: dict[str, dict[str, Any]] = {}
        """the last report kept of a camera, when it is a fault"""
        self._ended = False
        self._heard = True
        self._thread = threading.Thread(target=self._send, name="reports", daemon=True)
        self._thread.start()

    def put(self, event: dict[str, Any]) -> None:
        """Have this sent. Returns at once."""
        kind, camera = event["event"], event.get("camera")
        with self._changed:
            if not self._heard:
                return
            if kind in _PASSING:
                self._passing[(kind, camera)] = event
            else:
                # What is reported here says more than how things stood before.
                self._passing.pop(("progress", camera), None)
                self._passing.pop(("connecting", camera), None)
                self._keep(event, camera)
            self._changed.notify()

    def _keep(self, event: dict[str, Any], camera: str | None) -> None:
        before = self._faults.pop(camera, None) if camera is not None else None
        if event["event"] == "fault" and camera is not None:
            if before is not None and before["cause"] == event["cause"]:
                before.update(event)
                self._faults[camera] = before
                return
            self._faults[camera] = event
        self._kept.append(event)

    def close(self, wait_s: float) -> bool:
        """Send what is left, for at most so long; whether everything was sent. The sending thread itself, when it
        fails, waits for nothing."""
        with self._changed:
            self._ended = True
            self._changed.notify()
        if self._thread is not threading.current_thread():
            self._thread.join(wait_s)
        return not self._thread.is_alive()

    def _send(self) -> None:
        while True:
            with self._changed:
                while not (self._kept or self._passing or self._ended):
                    self._changed.wait()
                events = [*self._kept, *self._passing.values()]
                self._kept, self._passing = [], {}
                self._faults.clear()
                if not events:
                    return
            try:
                for event in events:
                    # One line at a time: a suspended agent reads only whole ones when it goes on.
                    # In ASCII: a file's name may hold what no encoding writes.
                    self._output.write(json.dumps(event) + "\n")
                self._output.flush()
            except (OSError, ValueError):
                # There is nobody to tell; recovery finds the files.
                with self._changed:
                    self._heard = False
                    self._kept, self._passing = [], {}
                return
