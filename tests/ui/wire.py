"""Streamlit's own protocol, spoken without a browser: what a page shows, and messages no page would send."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Subprotocol

from tests.ui.site import Site

__all__ = ["Drawn", "Wire"]

DEADLINE_S = 60.0
QUIET_S = 0.2


@dataclass
class Drawn:
    """One run of a page: its widgets by id, the parts that redraw themselves, and what an error said."""

    page: str = ""
    widgets: dict[str, tuple[str, Any]] = field(default_factory=dict)
    fragments: set[str] = field(default_factory=set)
    errors: list[str] = field(default_factory=list)
    html: str = ""

    @property
    def triggers(self) -> list[str]:
        return [name for name, (kind, _sent) in self.widgets.items() if kind in ("button", "download_button")]


class Wire:
    """One connection, signed in by `cookie`."""

    def __init__(self, site: Site, cookie: str) -> None:
        address = f"ws://127.0.0.1:{site.port}/_stcore/stream"
        headers = {"Origin": site.url, "Cookie": cookie}
        self._opening = connect(
            address,
            additional_headers=headers,
            subprotocols=[Subprotocol("streamlit")],
            max_size=None,
            open_timeout=20,
        )

    def __enter__(self) -> Wire:
        self._line: ClientConnection = self._opening.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._opening.__exit__(kind, problem, trace)

    def run(self, page: str, states: dict[str, WidgetState] | None = None) -> Drawn:
        """Have the page `page` (by its address) run with these widget states; what it drew."""
        self._ask(page, states or {}, "")
        return self._drawn(page)

    def forge(self, page: str, states: dict[str, WidgetState], fragment: str) -> None:
        """Ask for a part that this connection may never have been shown: nobody says when that is over."""
        self._ask(page, states, fragment)
        try:
            while True:
                self._line.recv(timeout=QUIET_S)
        except TimeoutError:
            return

    def _ask(self, page: str, states: dict[str, WidgetState], fragment: str) -> None:
        message = BackMsg()
        rerun = message.rerun_script
        rerun.page_name = page
        rerun.fragment_id = fragment
        rerun.context_info.timezone = "Europe/Riga"
        rerun.context_info.url = "http://127.0.0.1/"
        rerun.widget_states.widgets.extend(states.values())
        self.send(message)

    def send(self, message: BackMsg) -> None:
        self._line.send(message.SerializeToString())

    def _drawn(self, page: str) -> Drawn:
        drawn = Drawn(page)
        for message in self._messages():
            kind = message.WhichOneof("type")
            if kind == "script_finished":
                if message.script_finished != ForwardMsg.FINISHED_EARLY_FOR_RERUN:
                    return drawn
                continue
            if kind != "delta" or message.delta.WhichOneof("type") != "new_element":
                continue
            if message.delta.fragment_id:
                drawn.fragments.add(message.delta.fragment_id)
            element = message.delta.new_element
            name = element.WhichOneof("type")
            sent: Any = getattr(element, str(name), None)
            if name == "html":
                drawn.html += sent.body
            elif name == "alert":
                drawn.errors.append(sent.body)
            elif name == "exception":
                drawn.errors.append(f"{sent.type}: {sent.message}")
            identity = getattr(sent, "id", "")
            if identity and isinstance(identity, str) and identity.startswith("$$"):
                drawn.widgets[identity] = (str(name), sent)
        raise AssertionError(f"{page}: the connection ended")

    def _messages(self) -> Iterator[ForwardMsg]:
        until = time.monotonic() + DEADLINE_S
        while (left := until - time.monotonic()) > 0:
            raw = self._line.recv(timeout=left)
            message = ForwardMsg()
            message.ParseFromString(raw if isinstance(raw, bytes) else raw.encode())
            yield message
        raise AssertionError("the page did not come to its end")
