"""Is anybody at a camera's address? A bare TCP connection: no sign-in, no stream, nothing a camera could count.

It tells a camera that hangs (it is there and says nothing) from a network that is cut (nobody is there), and it can be
asked every second, so that recording goes on as soon as the camera is back.
"""

from __future__ import annotations

import socket
from typing import Literal
from urllib.parse import urlsplit

__all__ = ["Reach", "reach"]

Reach = Literal["answers", "refuses", "silent"]
PORTS = {"rtsp": 554, "rtsps": 322, "http": 80, "https": 443}


def reach(url: str, timeout_s: float = 1.0) -> Reach | None:
    """Who is there: somebody, a machine without a camera's service, or nobody within the time; None when `url` names no
    address in a network. A name that cannot be resolved is nobody."""
    parts = urlsplit(url)
    port = parts.port or PORTS.get(parts.scheme)
    if not parts.hostname or port is None:
        return None
    try:
        with socket.create_connection((parts.hostname, port), timeout_s):
            return "answers"
    except ConnectionRefusedError:
        return "refuses"
    except OSError:
        return "silent"
