"""Rotating log files that no password can reach."""

from __future__ import annotations

import logging
import logging.handlers
from collections.abc import Sequence
from urllib.parse import quote

from exam_kit.home import Home
from exam_kit.point import Secrets

__all__ = ["SecretFilter", "log_to_file"]

FILE_BYTES = 2_000_000
FILES = 5


class SecretFilter(logging.Filter):
    """Knows the literal secrets and masks them, plain or as they stand in a URL, in text and in tracebacks."""

    def __init__(self, secrets: Sequence[str]) -> None:
        super().__init__()
        forms = {form for secret in secrets if secret for form in (secret, quote(secret, safe=""))}
        self._forms = sorted(forms, key=len, reverse=True)

    def scrub(self, text: str) -> str:
        for form in self._forms:
            text = text.replace(form, "•••")
        return text

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = self.scrub(record.getMessage()), ()
        if record.exc_info:
            record.exc_text = self.scrub(logging.Formatter().formatException(record.exc_info))
            record.exc_info = None
        return True


def log_to_file(home: Home, name: str, cameras: Sequence[str] = ()) -> None:
    """Send this process's log to `logs/<name>.log`, with the passwords of `cameras` masked."""
    handler = logging.handlers.RotatingFileHandler(
        home.logs / f"{name}.log", maxBytes=FILE_BYTES, backupCount=FILES, encoding="utf-8"
    )
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    handler.addFilter(SecretFilter(Secrets(home).values([f"camera:{camera}" for camera in cameras])))
    # force closes the handlers of an earlier call.
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
