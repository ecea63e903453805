"""Reports to an agent that does not read."""

from __future__ import annotations

import json
import os
import threading
from typing import Any

from exam_kit.cctv.outbox import Outbox


def test_an_agent_that_does_not_read_holds_up_nobody_and_gets_everything_of_essence() -> None:
    reading, writing = os.pipe()
    with os.fdopen(writing, "w", encoding="utf-8") as pipe:
        box = Outbox(pipe)
        # Far more than any pipe holds: a report that waited for the reader would stop this thread here for good.
        for number in range(2000):
            box.put({"event": "opened", "camera": "a", "path": f"{number}-{'x' * 200}"})
            box.put({"event": "progress", "camera": "a", "fps": number})
            box.put({"event": "alive"})
        for number in range(500):
            box.put({"event": "connecting", "camera": "b"})
            box.put({"event": "connected", "camera": "b"})
            box.put({"event": "fault", "camera": "b", "cause": "stream_ended", "detail": str(number)})
        box.put({"event": "fault", "camera": "b", "cause": "camera_refused", "detail": ""})
        assert not box.close(0.05), "the pipe is full and nobody reads"
        found: list[dict[str, Any]] = []

        def read() -> None:
            with os.fdopen(reading, encoding="utf-8") as source:
                found.extend(json.loads(line) for line in source)

        reader = threading.Thread(target=read)
        reader.start()
        assert box.close(20)
    reader.join(20)
    opened = [int(event["path"].split("-")[0]) for event in found if event["event"] == "opened"]
    assert opened == list(range(2000)), "each once, in order"
    assert sum(event["event"] == "progress" for event in found) < 1000, "of the present the latest is enough"
    faults = [(event["cause"], event["detail"]) for event in found if event["event"] == "fault"]
    assert faults[-2:] == [("stream_ended", "499"), ("camera_refused", "")]
    assert len(faults) < 10


def test_an_agent_that_has_gone_is_not_waited_for() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    pipe = os.fdopen(writing, "w", encoding="utf-8")
    box = Outbox(pipe)
    box.put({"event": "ready"})
    assert box.close(10)
    box.put({"event": "alive"})
    try:
        pipe.close()
    except BrokenPipeError:
        assert pipe.closed
