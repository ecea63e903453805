"""Photos and papers on an incident sheet: what is taken, and whether it is still what it was."""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Sequence

from PIL import Image, UnidentifiedImageError

from exam_kit.errors import RefusedEntry, m
from exam_kit.home import Home
from exam_kit.i18n import N_
from exam_kit.store.db import Store
from exam_kit.store.evidence import (
    MOST_ATTACHMENTS,
    UNKNOWN_KIND,
    KeptFile,
    KeptState,
    keep_evidence,
    kept_state,
    kind_of,
)

__all__ = ["STATE_LABELS", "home_of", "keep_files", "refuse_more", "states_of"]

PICTURES = ("JPEG", "PNG", "WEBP", "GIF")
CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
MOST_PIXELS = 60_000_000
"""A camera of a present telephone makes fewer; a small file that unpacks to more is no photo."""

STATE_LABELS = {
    KeptState.WHOLE: N_("as it was added"),
    KeptState.MISSING: N_("MISSING: the file is not there any more"),
    KeptState.ALTERED: N_("ALTERED: the file is another one now"),
}


def home_of(store: Store) -> Home:
    """The home that a store lies in: `evidence/` stands beside `store/`."""
    return Home.at(store.path.parent.parent)


def keep_files(store: Store, files: Sequence[tuple[str, bytes]]) -> tuple[KeptFile, ...]:
    """Prove each (name, content) and keep it; on the disk when this returns.

    Call it outside a transaction: a large picture takes a while, and nobody else could write meanwhile.

    Raises:
        RefusedEntry: nothing is given, one is of no kind that is taken, too big or broken, or there are too many.
        AccessDenied: the folder cannot be written.
    """
    if not files:
        raise RefusedEntry(m("Files: none is chosen. Choose a photo or a paper."))
    for name, content in files:
        _prove(name, content)
    return keep_evidence(home_of(store), files)


def refuse_more(known: Sequence[KeptFile], more: int) -> None:
    """RefusedEntry where a sheet with `known` files has no room for so many more."""
    if len(known) + more > MOST_ATTACHMENTS:
        raise RefusedEntry(
            m(
                "Files: {count} would be on this sheet, and at most {most} fit. Leave out what is less important.",
                count=len(known) + more,
                most=MOST_ATTACHMENTS,
            )
        )


def states_of(home: Home, files: Sequence[KeptFile]) -> dict[str, KeptState]:
    """What became of each file, by its SHA-256."""
    return {one.sha256: kept_state(home, one.sha256) for one in files}


def _prove(name: str, content: bytes) -> None:
    if kind_of(content) == "application/pdf" and b"%%EOF" in content[-2048:]:
        return
    if kind_of(content) == UNKNOWN_KIND and _is_text(content):
        return
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(content), formats=PICTURES) as picture:
                if picture.width * picture.height > MOST_PIXELS:
                    raise RefusedEntry(
                        m(
                            "{name}: the picture has {width} × {height} points, which is too many. Make it smaller.",
                            name=name[-60:],
                            width=picture.width,
                            height=picture.height,
                        )
                    )
                picture.load()  # to its end: a picture that breaks off proves nothing later
    except (
        UnidentifiedImageError,
        Image.DecompressionBombWarning,
        Image.DecompressionBombError,
        OSError,
        SyntaxError,
        ValueError,
    ) as problem:
        raise RefusedEntry(
            m(
                "{name}: is neither a whole picture (JPEG, PNG, WebP, GIF) nor a PDF nor plain text. "
                "Choose such a file, or photograph the paper.",
                name=name[-60:],
            )
        ) from problem


def _is_text(content: bytes) -> bool:
    """Plain text as programs write it to a log: UTF-8, no control characters but line ends and tabs."""
    try:
        text = content.decode()
    except UnicodeDecodeError:
        return False
    return bool(text.strip()) and CONTROL.search(text) is None
