"""A set of rooms as the log writes it: ``0001–0017, 7777``."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from exam_kit.errors import RefusedEntry, m

__all__ = ["format_rooms", "parse_rooms"]

_NUMBERED = re.compile(r"^(.*?)([0-9]+)$")
_LONG_DASHES = re.compile(r"\s*[\u2010-\u2015\u2212]\s*")
_SEPARATORS = re.compile(r"[,;\n]+")
RUN_FOR_RANGE = 3
"""Fewer neighbours than this read better one by one."""


def parse_rooms(text: str, known: Sequence[str]) -> tuple[str, ...]:
    """The rooms that `text` names, in the order of `known`.

    Codes stand one by one or as a range with a dash, separated by commas or semicolons; capitals do not matter. A
    range takes the rooms of `known` that lie in it, so "0001–0017" is right also where there is no room 0013. A plain
    hyphen is a range only where the whole is not itself a code.

    Raises:
        RefusedEntry: nothing is named, or a code or an end of a range is not among `known`.
    """
    by_fold = {code.casefold(): code for code in known}
    found: set[str] = set()
    for item in (part.strip() for part in _SEPARATORS.split(text)):
        if item:
            found.update(_item(item, by_fold))
    if not found:
        raise RefusedEntry(m("Rooms: none is named. Write them as 0001, 0002 or 0001–0017."))
    return tuple(code for code in known if code in found)


def _item(item: str, by_fold: dict[str, str]) -> Iterable[str]:
    folded = item.casefold()
    if folded in by_fold:
        return (by_fold[folded],)
    ends = _LONG_DASHES.split(item)
    candidates = [ends] if len(ends) == 2 else []
    if len(ends) == 1:
        # every hyphen may be the one that stands for "to"; the codes themselves may hold hyphens
        candidates = [[item[:at].strip(), item[at + 1 :].strip()] for at, char in enumerate(item) if char == "-"]
    for first, last in candidates:
        if first.casefold() in by_fold and last.casefold() in by_fold:
            return _between(by_fold[first.casefold()], by_fold[last.casefold()], by_fold.values(), item)
    raise RefusedEntry(
        m(
            "Rooms: '{item}' is not a room of this point. Write codes from the list ({known}), "
            "or add the room to point.toml.",
            item=item,
            known=format_rooms(by_fold.values()),
        )
    )


def _between(first: str, last: str, known: Iterable[str], item: str) -> tuple[str, ...]:
    (prefix, low), (other, high) = _split(first), _split(last)
    if prefix != other or low is None or high is None or len(first) != len(last) or low > high:
        raise RefusedEntry(
            m("Rooms: '{item}' is not a range. Write the lower code first, both of one kind: 0001–0017.", item=item)
        )
    return tuple(
        code
        for code in known
        if len(code) == len(first) and _split(code)[0] == prefix and low <= (_split(code)[1] or 0) <= high
    )


def _split(code: str) -> tuple[str, int | None]:
    found = _NUMBERED.match(code)
    return (found[1], int(found[2])) if found else (code, None)


def format_rooms(codes: Iterable[str]) -> str:
    """`codes` written shortly: numbered neighbours of one kind as a range.

    >>> format_rooms(["7777", "0001", "0002", "0003", "COR1"])
    '0001–0003, 7777, COR1'
    """
    parts: list[str] = []
    run: list[str] = []
    for code in sorted(set(codes), key=lambda code: (*_sort_key(code), code)):
        if run and not _follows(run[-1], code):
            parts += _run(run)
            run = []
        run.append(code)
    return ", ".join([*parts, *_run(run)])


def _sort_key(code: str) -> tuple[str, int, int]:
    prefix, number = _split(code)
    return prefix, len(code), -1 if number is None else number


def _follows(code: str, after: str) -> bool:
    (prefix, low), (other, high) = _split(code), _split(after)
    return prefix == other and len(code) == len(after) and low is not None and high is not None and high == low + 1


def _run(run: list[str]) -> list[str]:
    return [f"{run[0]}–{run[-1]}"] if len(run) >= RUN_FOR_RANGE else run
