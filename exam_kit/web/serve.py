"""The server of the screens: ``python -m exam_kit.web.serve --port 8501``.

Binds 127.0.0.1 only. Prints one JSON line ``{"url": "http://127.0.0.1:8501/"}`` when it answers, ends with 0 on
SIGTERM or Ctrl+C within seconds however many tabs are open, and with `--with-parent` also when its standard input
closes, so that it never outlives the program that started it. A taken port ends it with code 13.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import socket
import sys
import threading
import tomllib
from collections.abc import Mapping, Sequence
from typing import Any

import uvicorn
from streamlit import config as streamlit_config

from exam_kit.agent.logfiles import log_to_file
from exam_kit.errors import ExamKitError
from exam_kit.home import Home, kit_root
from exam_kit.region.settings import is_region
from exam_kit.web.port import ADDRESS, bind

__all__ = ["configure", "main"]

GRACE_S = 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until told to stop; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m exam_kit.web.serve", description=__doc__)
    parser.add_argument("--port", type=int, default=8501, help="port on 127.0.0.1; 0 takes any free one")
    parser.add_argument("--with-parent", action="store_true", help="stop when standard input closes")
    options = parser.parse_args(arguments)
    try:
        listening = bind(options.port)
        configure(listening.getsockname()[1])
        # Imported here: Streamlit reads its configuration while it is being imported by the application.
        from exam_kit.web.app import build_app
        from exam_kit.web.warm import read_books_ahead

        home = Home.find()
        app = build_app(home)
        log_to_file(home, "web")
        if not is_region(home):
            read_books_ahead(home)
    except ExamKitError as problem:
        sys.stderr.write(problem.text(os.environ.get("EXAM_KIT_LANGUAGE")) + "\n")
        return problem.exit_code
    server = _Server(
        uvicorn.Config(
            app,
            lifespan="on",
            ws="websockets-sansio",
            ws_max_size=200 * 1024 * 1024,
            log_level="warning",
            log_config=None,  # its words go to logs/web.log with ours
            access_log=False,
            server_header=False,
            use_colors=False,
            # An open tab keeps its websocket for as long as it lives; stopping does not wait for it.
            timeout_graceful_shutdown=GRACE_S,
        )
    )
    # uvicorn stops on these and raises them again when it has stopped; what is left then is to end with 0.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: None)
    if options.with_parent:
        threading.Thread(target=_stop_with_parent, args=(server,), daemon=True).start()
    server.run(sockets=[listening])
    return 0 if server.started else 1


class _Server(uvicorn.Server):
    """Says where it is once it answers."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started and sockets:
            port = sockets[0].getsockname()[1]
            sys.stdout.write(json.dumps({"url": f"http://{ADDRESS}:{port}/"}) + "\n")
            sys.stdout.flush()


def configure(port: int) -> None:
    """Give Streamlit the kit's own settings, whatever the working folder and the user's own configuration say."""
    path = kit_root() / ".streamlit" / "config.toml"
    settings = dict(_flat(tomllib.loads(path.read_text(encoding="utf-8"))))
    settings["server.port"] = port
    settings["browser.serverPort"] = port
    streamlit_config._main_script_path = str(kit_root() / "streamlit_app.py")
    streamlit_config.get_config_options(force_reparse=True, options_from_flags=settings)


def _flat(table: Mapping[str, Any], prefix: str = "") -> list[tuple[str, Any]]:
    flat: list[tuple[str, Any]] = []
    for key, value in table.items():
        flat += _flat(value, f"{prefix}{key}.") if isinstance(value, Mapping) else [(f"{prefix}{key}", value)]
    return flat


def _stop_with_parent(server: uvicorn.Server) -> None:
    while sys.stdin.buffer.read(4096):
        pass
    server.should_exit = True


if __name__ == "__main__":
    # The scripts run in threads that must not hold the process back once the server has stopped.
    code = main()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
