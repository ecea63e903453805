"""Camera passwords: in the system's keyring, or in a file only its owner can read where there is none."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path

import keyring
import keyring.backends.fail
from keyring.errors import KeyringError

from exam_kit.errors import AccessDenied, m
from exam_kit.home import Home

__all__ = ["Secrets"]


class Secrets:
    """Passwords by name (`camera:ENTR-1`). Nothing here ever prints or logs one.

    The keyring is used on systems that have a working one (Windows Credential Locker, a desktop's Secret Service);
    `file_only` keeps to the 0600 file, as the demo and the tests do.
    """

    def __init__(self, home: Home, *, file_only: bool = False) -> None:
        self._path = home.secrets
        self._service = f"exam-kit:{home.root}"
        self._keyring = not file_only and _keyring_works()

    @property
    def place(self) -> str:
        """Where passwords are kept, for people: "keyring" or the file's path."""
        return "keyring" if self._keyring else str(self._path)

    def get(self, name: str) -> str | None:
        """The password, or None when there is none.

        Raises:
            AccessDenied: the file with the passwords is there and cannot be read.
        """
        if self._keyring:
            try:
                return keyring.get_password(self._service, name)
            except KeyringError:
                return None
        return self._read().get(name)

    def set(self, name: str, password: str) -> None:
        """Keep a password; durable on return."""
        if self._keyring:
            keyring.set_password(self._service, name, password)
            return
        _write_private(self._path, json.dumps({**self._read(), name: password}, ensure_ascii=False))

    def values(self, names: list[str]) -> list[str]:
        """The passwords that exist under these names: what a log filter must never let through."""
        return [password for name in names if (password := self.get(name))]

    def _read(self) -> dict[str, str]:
        try:
            found = json.loads(self._path.read_text(encoding="utf-8"))
            if not isinstance(found, dict):
                raise ValueError("not a table of names and passwords")  # noqa: TRY004 - one kind of damaged file
        except FileNotFoundError:
            return {}
        except (OSError, ValueError) as problem:
            # The text of a decoding error may quote the file: only its kind is told.
            reason = (problem.strerror if isinstance(problem, OSError) else None) or type(problem).__name__
            raise AccessDenied(
                m(
                    "{path}: the kept passwords cannot be read ({reason}). Restore the file, or move it away and give "
                    "each camera its password again with 'exam-kit camera password'.",
                    path=self._path,
                    reason=reason,
                )
            ) from None
        return {str(name): str(password) for name, password in found.items()}


def _keyring_works() -> bool:
    try:
        backend = keyring.get_keyring()
    except (KeyringError, RuntimeError):
        return False
    return not isinstance(backend, keyring.backends.fail.Keyring) and backend.priority >= 1


def _write_private(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".secrets-")  # mkstemp makes it 0600
    with os.fdopen(handle, "w", encoding="utf-8") as target:
        target.write(text)
        target.flush()
        os.fsync(target.fileno())
    Path(name).replace(path)
