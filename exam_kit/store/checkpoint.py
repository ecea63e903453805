"""Checkpoints: signed statements that the chain ended with this entry at this moment.

Kept outside the machine one is an anchor. It has two forms with one signature: a short text of several lines for
files, and one line for paper, a QR code, a bag or a stick.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from exam_kit.store.keys import VerifyKey

__all__ = ["Checkpoint", "anchors_in", "read_anchors"]

CHECKPOINT_TITLE = "exam-kit checkpoint v1"
LINE = "EK-HEAD-1"
IN_EXPORT = "checkpoint\t"
"""Begins the lines of checkpoints in an export of the ledger, the one in a bag too."""
_FIELDS = ("ledger", "seq", "hash", "at", "key", "sig")


@dataclass(frozen=True)
class Checkpoint:
    """A signed statement: at this moment the chain ended with this entry."""

    ledger: str
    seq: int
    hash: str
    at: str
    key: str
    signature: bytes

    @property
    def message(self) -> bytes:
        """What is signed."""
        lines = (
            CHECKPOINT_TITLE,
            f"ledger {self.ledger}",
            f"seq {self.seq}",
            f"hash {self.hash}",
            f"at {self.at}",
            f"key {self.key}",
        )
        return ("\n".join(lines) + "\n").encode()

    def text(self) -> str:
        """The form that is kept in files."""
        return self.message.decode() + f"sig {base64.b64encode(self.signature).decode()}\n"

    def line(self) -> str:
        """The form for paper and QR codes: one line, the same signature."""
        signature = base64.b64encode(self.signature).decode()
        return " ".join((LINE, self.ledger, str(self.seq), self.hash, self.at, self.key, signature))

    @classmethod
    def parse(cls, text: str) -> Checkpoint:
        """The inverse of `text` and of `line`; ValueError when it is neither."""
        text.encode()  # half a surrogate pair could not have been signed
        title, *lines = text.strip().splitlines() or [""]
        if title.startswith(LINE + " ") and not lines:
            values = dict(zip(_FIELDS, title.split()[1:], strict=True))
        else:
            values = dict(line.split(" ", 1) for line in lines if " " in line)
            if title != CHECKPOINT_TITLE or set(values) != set(_FIELDS):
                raise ValueError("not an exam-kit checkpoint")
        try:
            signature = base64.b64decode(values["sig"], validate=True)
        except binascii.Error as problem:
            raise ValueError("not an exam-kit checkpoint") from problem
        seq = int(values["seq"])
        return cls(values["ledger"], seq, values["hash"], values["at"], values["key"], signature)

    def exactly(self, text: str) -> bool:
        """True when `text` is this checkpoint in one of its forms, with nothing added."""
        return text == self.text() or text.strip() == self.line()

    def signed_by(self, key: VerifyKey) -> bool:
        return key.holds(self.message, self.signature)


def anchors_in(text: str) -> Iterator[str]:
    """The anchors in a file's text: every line that is one, those at the end of an export, or the whole as one."""
    lines = text.split("\n")
    found = [line.strip() for line in lines if line.startswith(LINE)]
    for line in lines:
        if line.startswith(IN_EXPORT):
            try:
                found.append(str(json.loads(line.removeprefix(IN_EXPORT))))
            except ValueError:
                found.append(line)  # told as damaged
    yield from found or [text]


def read_anchors(folder: Path) -> list[str]:
    """The texts of the checkpoints kept in `folder`; none when there is no such folder."""
    return [path.read_text(encoding="utf-8", errors="replace") for path in sorted(folder.glob("checkpoint-*.txt"))]
