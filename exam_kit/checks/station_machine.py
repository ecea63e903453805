"""Which computer a station's result comes from."""

from __future__ import annotations

import hashlib
import platform
import sys
import uuid
from pathlib import Path

from exam_kit.clock import Clock

__all__ = ["identity"]


def identity(salt: str, clock: Clock) -> dict[str, str]:
    """Names of this computer. `id` is the same for one installation of the system and differs between computers.

    It is a hash with the point's `salt`, because the system's own number identifies the computer everywhere.
    """
    return {
        "host": platform.node()[:200],
        "system": platform.system(),
        "release": platform.release()[:200],
        "architecture": platform.machine(),
        "python": platform.python_version(),
        "boot": clock.boot_id(),
        "id": hashlib.sha256(f"exam-kit station\n{salt}\n{_number()}".encode()).hexdigest()[:32],
    }


def _number() -> str:
    """The system's own number, or the network card's where there is none."""
    if sys.platform == "win32":
        import winreg

        try:
            with winreg.OpenKey(winreg.HKEY_LOCAL_MACHINE, r"SOFTWARE\Microsoft\Cryptography") as key:
                return str(winreg.QueryValueEx(key, "MachineGuid")[0])
        except OSError:
            return f"{uuid.getnode():012x}"
    for path in ("/etc/machine-id", "/var/lib/dbus/machine-id"):
        try:
            text = Path(path).read_text(encoding="ascii").strip()
        except (OSError, ValueError):
            continue
        if text:
            return text
    return f"{uuid.getnode():012x}"
