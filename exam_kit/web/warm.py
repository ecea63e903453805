"""Reading the long books while nobody waits for them: after a season the first page would take seconds."""

from __future__ import annotations

import gc
import logging
import threading

from exam_kit.errors import ExamKitError
from exam_kit.home import Home
from exam_kit.journal.access_log import AccessLog
from exam_kit.web.desk import Desk

__all__ = ["read_books_ahead"]

log = logging.getLogger(__name__)


def read_books_ahead(home: Home) -> threading.Thread:
    """Begin to read those of a point in a thread of its own; who asks for one meanwhile waits for it."""
    thread = threading.Thread(target=_read, args=(Desk.open(home),), name="books", daemon=True)
    thread.start()
    return thread


def _read(desk: Desk) -> None:
    try:
        AccessLog(desk.ledger, desk.point()).book()
    except ExamKitError as problem:
        log.info("the books were not read ahead: %s", problem)  # the page that needs them says it to a person
        return
    finally:
        desk.store.close()
    # They stay for as long as the process: the garbage collector need not look through them after every page.
    gc.collect()
    gc.freeze()
