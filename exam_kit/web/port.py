"""The one port the screens are served on: this computer only."""

from __future__ import annotations

import os
import socket

from exam_kit.errors import PortTaken, m

__all__ = ["ADDRESS", "bind"]

ADDRESS = "127.0.0.1"


def bind(port: int) -> socket.socket:
    """A listening socket on 127.0.0.1; raises PortTaken."""
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        if os.name != "nt":
            # On Windows this option would let two programs share the port and hide that it is taken.
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((ADDRESS, port))
        listening.listen(128)
        listening.set_inheritable(True)
    except OSError as problem:
        listening.close()
        raise PortTaken(
            m(
                "Port {port}: cannot be used ({reason}). Close the program that holds it, or choose another with "
                "'exam-kit up --port N'.",
                port=port,
                reason=problem.strerror or problem,
            )
        ) from problem
    return listening
