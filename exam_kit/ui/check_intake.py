"""Taking in what exam stations brought: files on a stick, in a folder, or chosen from this computer."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import streamlit as st

from exam_kit.archive.destinations import carriers
from exam_kit.checks.profile import Profile
from exam_kit.checks.station import take, taken_before
from exam_kit.checks.station_file import MAX_BYTES, SUFFIX
from exam_kit.checks.wording import VERDICT_LABELS
from exam_kit.errors import ExamKitError, Message, NotSetUp, UsageError, m
from exam_kit.i18n import N_, _
from exam_kit.store import Act
from exam_kit.ui.check_upload import chosen_files
from exam_kit.ui.fields import fresh, fresh_key
from exam_kit.ui.plain import plain
from exam_kit.ui.seat import Seat, saying_errors

__all__ = ["take_in"]

SAID = "station-intake"
MOST_FILES = 200
TAKEN = N_("{station}: taken in, {verdict}")


def take_in(seat: Seat, profile: Profile) -> None:
    """Where the files are, which of them are new, and one button; what came of it stays until the next time."""
    said: dict[str, list[str]] = st.session_state.get(SAID, {})
    for tone, show in (("bad", st.error), ("warn", st.warning), ("good", st.success)):
        if said.get(tone):
            show(plain("\n".join(said[tone])))
    if not seat.may(Act.RUN_CHECKS):
        return
    with st.expander(_("Take in results of exam stations"), expanded=bool(_sticks(seat))):
        key = fresh_key("intake")
        where, upload = st.columns(2)
        with where:
            typed = st.text_input(
                _("Folder on the stick"), key=f"{key}-folder", placeholder=next(iter(_sticks(seat)), "")
            )
            files: list[tuple[str, bytes]] = []
            with saying_errors(seat):
                files = _new_files(seat, [Path(typed)] if typed else [Path(one) for one in _sticks(seat)])
        with upload:
            sent = chosen_files(_("or files from this computer"), f"{key}-upload")
        names = [name for name, _content in files]
        picked = st.pills(
            _("New results found: {count}").format(count=len(names)),
            names,
            selection_mode="multi",
            default=names,
            format_func=lambda name: name.removesuffix(SUFFIX),
            key=f"{key}-files-{hash(tuple(names))}",
        )
        chosen = [file for file in files if file[0] in picked] + list(sent)
        if st.button(_("Take in ({count})").format(count=len(chosen)), type="primary", disabled=not chosen):
            said = st.session_state[SAID] = {"good": [], "warn": [], "bad": []}
            for name, content in chosen:
                _take(seat, profile, name, content, said)
            fresh("intake")
            st.rerun()


def _take(seat: Seat, profile: Profile, name: str, content: bytes, said: dict[str, list[str]]) -> None:
    """Take one file in, or not; what there is to say about it goes to `said`, by its tone."""
    try:
        taken = take(
            content,
            ledger=seat.ledger,
            home=seat.home,
            point=seat.point,
            profile=profile,
            actor=seat.account.login,
            clock=seat.clock,
            name=name,
        )
    except ExamKitError as refused:
        said["bad"].append(refused.text(seat.language))
        return
    verdict = _(VERDICT_LABELS[taken.run.verdict]) if taken.run.verdict else ""
    said["good"].append(_(TAKEN).format(station=taken.station, verdict=verdict))
    said["warn"] += [f"{taken.station}: {remark.text(seat.language)}" for remark in taken.remarks]


def _sticks(seat: Seat) -> list[str]:
    """Folders with results on drives that are plugged in."""
    drives = [Path(one.path) for one in carriers(seat.home) if one.kind == "removable"]
    return [str(folder) for drive in drives for folder in _folders(drive) if any(folder.glob(f"*{SUFFIX}"))]


def _folders(place: Path) -> Iterable[Path]:
    """The folder itself, and where a stick keeps its results: `results`, also one folder deeper."""
    return (place, place / "results", *sorted(place.glob("*/results")))


def _new_files(seat: Seat, places: Iterable[Path]) -> list[tuple[str, bytes]]:
    """Result files that were not taken in before, newest name first.

    Raises:
        NotSetUp: there is no such folder.
        UsageError: a file there cannot be read.
    """
    found: dict[str, bytes] = {}
    for place in places:
        if not place.is_dir():
            raise NotSetUp(m("{folder}: there is no such folder. Plug the stick in, or name another.", folder=place))
        for folder in _folders(place):
            for path in sorted(folder.glob(f"*{SUFFIX}"), reverse=True)[:MOST_FILES]:
                content = _read(path)
                if not taken_before(seat.store, content):
                    found.setdefault(path.name, content)
    return list(found.items())


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as source:
            return source.read(MAX_BYTES + 1)
    except OSError as problem:
        reason: Message | str = problem.strerror or str(problem)
        raise UsageError(
            m("{path}: cannot be read ({reason}). Take the file from the stick again.", path=path, reason=reason)
        ) from problem
