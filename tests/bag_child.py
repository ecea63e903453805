"""Verifies one bag in a process of its own, and tells what that cost and touched.

``python -m tests.bag_child BAG [KEY]`` prints JSON.

Counted by an audit hook: files opened for writing, folders made, names changed or removed, and files opened that lie
beside the bag.
"""

from __future__ import annotations

import json
import os
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

from exam_kit.archive.verify import verify_bag
from exam_kit.forms.verify_report import verify_html
from exam_kit.store.keys import VerifyKey

WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
CHANGES = {"os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.link", "os.symlink", "os.truncate", "os.chmod"}


def main(bag: Path, key: VerifyKey | None) -> None:
    written: list[str] = []
    beside: list[str] = []

    def hook(event: str, arguments: tuple[object, ...]) -> None:
        if event == "open":
            path = str(arguments[0])
            if isinstance(arguments[2], int) and arguments[2] & WRITES:
                written.append(path)
            if path.startswith(str(bag.parent.parent)) and not path.startswith(str(bag)):
                beside.append(path)
        elif event in CHANGES:
            written.append(f"{event} {arguments[0]}")

    sys.addaudithook(hook)
    began = time.perf_counter()
    report = verify_bag(bag, key=key)
    elapsed_s = time.perf_counter() - began
    text = report.text("en")
    page = verify_html([report], datetime.now(UTC), "lv")
    told = {
        "code": report.exit_code,
        "chain": report.chain,
        "signature": report.signature,
        "text": text,
        "clean": _printable(text) and _printable(page) and "<b>" not in page,
        "script": "<script" in page or " onload" in page,
        "written": written,
        "beside": beside,
        "elapsed_s": elapsed_s,
        "peak_bytes": _peak_bytes(),
    }
    sys.stdout.write(json.dumps(told))


def _peak_bytes() -> int:
    """This program's own; what `getrusage` tells begins with the size of the process that started it."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:"))


def _printable(text: str) -> bool:
    """Nothing in it commands a terminal or turns a line around; the space between thousands is ours."""
    return text.replace("\n", "").replace("\u00a0", " ").isprintable()


if __name__ == "__main__":
    main(Path(sys.argv[1]), VerifyKey.load(Path(sys.argv[2])) if len(sys.argv) > 2 else None)
