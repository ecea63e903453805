"""An agent in a process of its own that kills itself (SIGKILL) at a named point of an archive order::

python -m tests.agent_child HOME before-end      everything is finished, the order has not ended yet
python -m tests.agent_child HOME one-finished    one copy stands in the ledger as finished, the other does not
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import Any

from exam_kit.agent import orders
from exam_kit.agent.loop import Agent
from exam_kit.agent.orders import Order
from exam_kit.home import Home
from exam_kit.store import Entry, Ledger


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def main(root: str, point: str) -> None:
    agent = Agent(Home.at(Path(root)), plan_beat_s=60)
    end, append = orders.end, Ledger.append

    def ended(ledger: Ledger, order: Order, *rest: Any) -> None:
        if order.kind == "archive" and point == "before-end":
            die()
        end(ledger, order, *rest)

    def appended(self: Ledger, kind: str, *rest: Any, **more: Any) -> Entry:
        entry = append(self, kind, *rest, **more)
        if kind == "archive.finished" and point == "one-finished":
            die()
        return entry

    orders.end = ended  # type: ignore[assignment]
    Ledger.append = appended  # type: ignore[method-assign]
    agent.run()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
