"""Reports to an agent that does not read."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

from exam_kit.cctv.outbox import Outbox
from exam_kit.cctv.worker import EXIT_PROGRAM_FAULT

CRASH = """
import sys, threading
from exam_kit.cctv.wire import WorkerConfig
from exam_kit.cctv.worker import Worker

folder = sys.argv[1]
worker = Worker(WorkerConfig(folder, folder, folder, 60.0, 0), sys.stdout)
threading.excepthook = lambda hook: worker.crash(hook.exc_type, hook.exc_value, hook.exc_traceback)
worker.emit({"event": "opened", "path": object()})
threading.Event().wait(5)
"""


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


def test_a_text_that_no_encoding_writes_does_not_end_the_reports() -> None:
    reading, writing = os.pipe()
    with os.fdopen(writing, "w", encoding="utf-8") as pipe:
        box = Outbox(pipe)
        box.put({"event": "fault", "camera": "a", "cause": "x", "detail": "/footage/\udcff: is not there"})
        box.put({"event": "closed", "camera": "a", "path": "Māja"})
        assert box.close(10)
    with os.fdopen(reading, encoding="utf-8") as source:
        said = [json.loads(line) for line in source]
    assert [event.get("detail", event.get("path")) for event in said] == ["/footage/\udcff: is not there", "Māja"]


def test_the_process_ends_when_it_is_the_reporting_that_fails(tmp_path: Path) -> None:
    ended = subprocess.run([sys.executable, "-c", CRASH, str(tmp_path)], timeout=30, check=False)
    assert ended.returncode == EXIT_PROGRAM_FAULT
