"""What is expected, given on the page: CSV files and the points' own set-up files, each bad row named."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import streamlit as st

from exam_kit.errors import ExamKitError, Message, UsageError, m
from exam_kit.i18n import _
from exam_kit.region.expected import Listed
from exam_kit.region.register import Change, read_file
from exam_kit.store.keys import VerifyKey
from exam_kit.ui.check_upload import chosen_files
from exam_kit.ui.fields import fresh, fresh_key
from exam_kit.ui.plain import plain
from exam_kit.ui.region_seat import RegionSeat
from exam_kit.ui.seat import flash

__all__ = ["read_uploads", "register_form"]

FORM = "region-register"
POINT = re.compile(r"\d{2}-\d{4}", re.ASCII)


def read_uploads(files: Sequence[tuple[str, bytes]]) -> tuple[list[Listed], dict[str, VerifyKey]]:
    """The points that these files name, and keys by point.

    A key's file is called as its point (``77-0001.pub``); one ``ledger.pub`` beside one set-up file is that point's.

    Raises:
        PointInvalid, StoreError: a file has mistakes; each is named.
        UsageError: a key that belongs to no point that can be told.
    """
    points: list[Listed] = []
    given: list[tuple[str, VerifyKey]] = []
    with tempfile.TemporaryDirectory() as folder:
        for number, (name, content) in enumerate(files):
            path = Path(folder) / str(number) / re.sub(r"[^\w.-]", "_", name)
            path.parent.mkdir()
            path.write_bytes(content)
            with _named(path, name):
                if path.suffix.lower() == ".pub":
                    given.append((name, VerifyKey.load(path)))
                else:
                    points += read_file(path)
    return points, _by_point(given, points)


@contextmanager
def _named(path: Path, name: str) -> Iterator[None]:
    """What is said of the file is said of it by the name that the person knows."""
    try:
        yield
    except ExamKitError as problem:
        said = problem.message
        values = {key: name if str(value) == str(path) else value for key, value in said.values.items()}
        raise type(problem)(Message(said.template, values), problem.details) from problem


def _by_point(given: Sequence[tuple[str, VerifyKey]], points: Sequence[Listed]) -> dict[str, VerifyKey]:
    keys = {}
    for name, key in given:
        found = POINT.search(name)
        if found is not None:
            keys[found[0]] = key
        elif len(given) == 1 and len({point.id for point in points}) == 1:
            keys[points[0].id] = key
        else:
            raise UsageError(
                m("{name}: whose key is this? Call the file as its point, such as 77-0001.pub.", name=name)
            )
    return keys


def register_form(seat: RegionSeat) -> None:
    """The field for files, what came of them, and what is registered now."""
    label = _("Register as CSV, or set-up files of points (point.toml) and their keys (77-0001.pub)")
    files = chosen_files(label, fresh_key(FORM))
    said = _("Take keys that differ from the registered ones; the points confirmed them")
    replace = st.checkbox(said, key=f"{FORM}-new")
    if not st.button(_("Take into the register"), key=f"{FORM}-go", disabled=not files):
        return
    source = ", ".join(name for name, _content in files)
    try:
        points, keys = read_uploads(files)
        with seat.desk() as desk:
            changes = desk.register.add(
                points, actor=seat.account.login, source=source, keys=keys, replace_keys=bool(replace)
            )
            desk.catch_up()
    except ExamKitError as problem:
        first, *rest = problem.text(seat.language).splitlines()
        st.error(plain(first))
        if rest:
            st.code("\n".join(rest), language=None)  # as many lines as there are bad rows, each as it stands
        return
    fresh(FORM)
    flash("\n".join(_line(change) for change in changes))
    st.rerun()


def _line(change: Change) -> str:
    words: Mapping[str, object] = {"point": change.point, "days": change.days, "cameras": change.cameras}
    return _("{point}: days {days}, cameras {cameras}, key {key}").format(**words, key=change.key or _("MISSING"))
