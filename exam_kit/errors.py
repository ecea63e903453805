"""Every failure the kit reports on purpose, and the exit code each one ends a command with.

::

    ExamKitError (1)
    ├── UsageError (2)
    ├── PointInvalid (10)       point.toml or a profile has mistakes; `details` lists every one
    ├── NotSetUp (11)           no point here yet
    ├── AlreadyRunning (12)     another agent holds this home
    ├── PortTaken (13)
    ├── AccessDenied (14)       the role may not do this, or the file system refuses
    ├── SystemLibraryMissing (15)
    ├── StoreError (16)         the database cannot be opened or written
    ├── CameraError (17)        a camera does not answer, refuses sign-in, sends nothing
    ├── ArchiveError (18)       the copy could not be completed
    └── RefusedEntry (19)       a journal entry that the rules do not allow

Outcomes of commands that are not errors (a verdict, a damaged bag, a broken chain) have exit codes of their own, listed
in `docs/exit-codes.md`.

A message names the thing, the reason and the way out, in that order, and is kept as a template with parameters so that
it is shown in the language of whoever reads it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from exam_kit.i18n import translate
from exam_kit.i18n.system_reasons import SYSTEM_REASONS

__all__ = [
    "AccessDenied",
    "AlreadyRunning",
    "ArchiveError",
    "CameraError",
    "ExamKitError",
    "Message",
    "NotSetUp",
    "PointInvalid",
    "PortTaken",
    "RefusedEntry",
    "StoreError",
    "SystemLibraryMissing",
    "UsageError",
    "m",
]


class Message(NamedTuple):
    """A translatable sentence: an English template with ``{named}`` fields, and the values for them."""

    template: str
    values: Mapping[str, object] = {}

    def text(self, language: str | None = None) -> str:
        """The sentence in `language` ("ru", "en", "lv"), or in the current one."""
        values = {name: _said(value, language) for name, value in self.values.items()}
        return translate(self.template, language).format(**values)

    def __str__(self) -> str:
        return self.text("en")


def _said(value: object, language: str | None) -> object:
    """A value as the reader reads it: messages and what the operating system says are translated."""
    if isinstance(value, Message):
        return value.text(language)
    return translate(value, language) if isinstance(value, str) and value in SYSTEM_REASONS else value


def m(template: str, **values: object) -> Message:
    """Mark `template` for translation and bind its values."""
    return Message(template, values)


class ExamKitError(Exception):
    """Something the kit could not do; `message` says what, why and the way out."""

    exit_code = 1

    def __init__(self, message: Message, details: Sequence[Message] = ()) -> None:
        super().__init__(str(message))
        self.message = message
        self.details = tuple(details)

    def text(self, language: str | None = None) -> str:
        """The message and its details, one per line."""
        return "\n".join(part.text(language) for part in (self.message, *self.details))


class UsageError(ExamKitError):
    """The command was called with words that do not fit."""

    exit_code = 2


class PointInvalid(ExamKitError):
    """A configuration file has mistakes."""

    exit_code = 10


class NotSetUp(ExamKitError):
    """There is no point in this home."""

    exit_code = 11


class AlreadyRunning(ExamKitError):
    """Another process holds this home."""

    exit_code = 12


class PortTaken(ExamKitError):
    """The port is used by another program."""

    exit_code = 13


class AccessDenied(ExamKitError):
    """The role or the file system does not allow it."""

    exit_code = 14


class SystemLibraryMissing(ExamKitError):
    """A library of the operating system is not installed."""

    exit_code = 15


class StoreError(ExamKitError):
    """The database cannot be opened, read or written."""

    exit_code = 16


class CameraError(ExamKitError):
    """A camera does not answer, refuses sign-in or sends nothing usable."""

    exit_code = 17


class ArchiveError(ExamKitError):
    """The copy could not be completed; what was verified stays verified."""

    exit_code = 18


class RefusedEntry(ExamKitError):
    """The rules of the journal do not allow this entry."""

    exit_code = 19
