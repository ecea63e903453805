"""Reading `point.toml`: every mistake in one listing."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from exam_kit.errors import Message, NotSetUp, PointInvalid, m
from exam_kit.point.model import Point
from exam_kit.point.reasons import reason

__all__ = ["load_point", "read_point"]


def load_point(path: Path) -> Point:
    """The point described by the file at `path`.

    Raises:
        NotSetUp: there is no such file.
        PointInvalid: the file has mistakes; `details` has one message for each, with line or key and the way out.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise NotSetUp(
            m(
                "{path}: no exam point is set up here. Run 'exam-kit demo' for the made-up one, "
                "or copy docs/point.example.toml there and fill it in.",
                path=path,
            )
        ) from None
    except (OSError, UnicodeDecodeError) as problem:
        raise PointInvalid(
            m(
                "{path}: cannot be read ({reason}). Save it as UTF-8 text where this user may read it.",
                path=path,
                reason=problem,
            )
        ) from problem
    return read_point(text, str(path))


def read_point(text: str, name: str = "point.toml") -> Point:
    """The point described by `text`; raises as `load_point` does."""
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as problem:
        raise PointInvalid(
            m("{name}: is not valid TOML: {reason}. Correct that line.", name=name, reason=problem)
        ) from problem
    try:
        return Point.model_validate(data)
    except ValidationError as problem:
        details = [detail for error in problem.errors() for detail in _details(error, data, text)]
        raise PointInvalid(
            m("{name}: mistakes found: {count}. Correct each and start again:", name=name, count=len(details)), details
        ) from problem


def _details(error: ErrorDetails, data: dict[str, Any], text: str) -> Iterator[Message]:
    if error["type"] == "point":
        for mistake in error["ctx"]["messages"]:
            yield m("  {reason}", reason=mistake)
        return
    location = error["loc"]
    line, where, said = _line(location, text), _path(location, data), reason(error)
    if line:
        yield m("  line {line}: {where}: {reason}", line=line, where=where, reason=said)
    else:
        yield m("  {where}: {reason}", where=where, reason=said)


def _path(location: tuple[int | str, ...], data: Any) -> str:
    """`cameras[2] (ENTR).url`: where the mistake is, with the id of the entry when it has one."""
    words: list[str] = []
    for part in location:
        if isinstance(part, int):
            data = data[part] if isinstance(data, list) and part < len(data) else None
            entry = data if isinstance(data, dict) else {}
            mark = entry.get("id") or entry.get("code") or entry.get("date") or entry.get("name")
            words[-1:] = [f"{words[-1] if words else ''}[{part + 1}]" + (f" ({mark})" if mark else "")]
        else:
            data = data.get(part) if isinstance(data, dict) else None
            words.append(str(part))
    return ".".join(words)


def _line(location: tuple[int | str, ...], text: str) -> int | None:
    """The line of the key, found by its table header; None where the file's layout does not tell."""
    lines = text.splitlines()
    start, end = 0, len(lines)
    first, *rest = location
    if rest and isinstance(rest[0], int):
        headers = [n for n, line in enumerate(lines) if re.match(rf"\s*\[\[\s*{re.escape(str(first))}\s*\]\]", line)]
        if rest[0] >= len(headers):
            return None
        start = headers[rest[0]] + 1
        end = next((n for n in range(start, len(lines)) if re.match(r"\s*\[", lines[n])), len(lines))
        rest = rest[1:]
    elif rest:
        header = ".".join(str(part) for part in location[:-1])
        found = [n for n, line in enumerate(lines) if re.match(rf"\s*\[\s*{re.escape(header)}\s*\]", line)]
        if not found:
            return None
        start, rest = found[0] + 1, list(rest[-1:])
    else:
        rest = [first]
    if rest:
        assignment = re.compile(rf"\s*{re.escape(str(rest[-1]))}\s*=")
        for number in range(start, end):
            if assignment.match(lines[number]):
                return number + 1
    return start or None
