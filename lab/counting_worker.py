"""The recorder's worker, and marks in the log that say how many frames of every camera its files were given."""

from __future__ import annotations

import inspect
import threading
import time
from collections import Counter
from typing import Any

from exam_kit.cctv import worker
from exam_kit.cctv.writer import SegmentWriter
from lab.logged_disk import marker

__all__ = ["main"]

MARK_EVERY_S = 0.1


def main() -> int:
    """The worker's exit code."""
    given: Counter[str] = Counter()
    begin, put = SegmentWriter.__init__, SegmentWriter.put
    named = inspect.signature(begin)

    def begun(writer: Any, *values: Any, **more: Any) -> None:
        writer.counted_for = named.bind(writer, *values, **more).arguments["camera"]
        begin(writer, *values, **more)

    def counted(writer: Any, *values: Any, **more: Any) -> None:
        before = writer.frames
        put(writer, *values, **more)
        given[writer.counted_for] += writer.frames - before

    def tell() -> None:
        mark = marker()
        while True:
            mark("given:" + ",".join(f"{camera}={count}" for camera, count in sorted(given.copy().items())))
            time.sleep(MARK_EVERY_S)

    for name, replaced in (("__init__", begun), ("put", counted)):
        setattr(SegmentWriter, name, replaced)
    threading.Thread(target=tell, daemon=True).start()
    return worker.main()


if __name__ == "__main__":
    raise SystemExit(main())
