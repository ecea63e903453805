"""`python -m exam_kit.agent`: the agent as a process of its own, ended by SIGTERM or when its standard input closes."""

from __future__ import annotations

import argparse
import logging
import signal
import sys

from exam_kit.agent.logfiles import log_to_file
from exam_kit.agent.loop import PLAN_BEAT_S, Agent
from exam_kit.agent.supervisor import until_stdin_closes
from exam_kit.errors import ExamKitError
from exam_kit.home import Home


def main() -> int:
    """The agent's exit code: 0 after a clean stop, otherwise that of the error (see `exam_kit.errors`)."""
    options = argparse.ArgumentParser(prog="python -m exam_kit.agent", description=__doc__)
    options.add_argument("--plan-beat-s", type=int, default=PLAN_BEAT_S, help="seconds between looks at the plan")
    options.add_argument("--segment-s", type=float, default=60.0, help="length of a recorded segment")
    given = options.parse_args()
    home = Home.find()
    home.create()
    try:
        log_to_file(home, "agent")
        agent = Agent(home, plan_beat_s=given.plan_beat_s, segment_s=given.segment_s)
        log_to_file(home, "agent", [camera.id for camera in agent.point.cameras])
        signal.signal(signal.SIGTERM, lambda _signal, _frame: agent.stop())
        signal.signal(signal.SIGINT, lambda _signal, _frame: agent.stop())
        until_stdin_closes(agent.stop)
        agent.run()
    except ExamKitError as problem:
        logging.getLogger("exam_kit.agent").error("%s", problem)
        print(problem.text(), file=sys.stderr)
        return problem.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
