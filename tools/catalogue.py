"""Are the Russian and Latvian catalogues complete? ``python -m tools.catalogue``; exit code 1 when not.

Reads every message of the product from its syntax tree: the texts given to `_`, `N_`, `translate`, `ngettext` and `m`.
"""

from __future__ import annotations

import ast
import string
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from gettext import c2py
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.catalog import Message as Entry
from babel.messages.pofile import read_po

__all__ = ["Found", "check_catalogues", "check_language", "messages_in", "unused"]

ROOT = Path(__file__).resolve().parent.parent
LANGUAGES = ("ru", "lv")
SOURCES = ("exam_kit", "pages", "streamlit_app.py")

MARKERS = {"_": 1, "N_": 1, "translate": 1, "m": 1, "ngettext": 2}
"""Each function and how many of its first arguments are texts."""

PLURALS = {
    "ru": "(n%10==1 && n%100!=11 ? 0 : n%10>=2 && n%10<=4 && (n%100<10 || n%100>=20) ? 1 : 2)",
    "lv": "(n%10==1 && n%100!=11 ? 0 : n != 0 ? 1 : 2)",
}


@dataclass(frozen=True)
class Found:
    """A message in the code: its text, its plural text or "", and where it stands."""

    text: str
    plural: str
    place: str


def messages_in(source: str, name: str) -> Iterator[Found | str]:
    """The messages of one module; a text that cannot be translated is given as a complaint instead."""
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call):
            continue
        called = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
        count = MARKERS.get(called, 0)
        if not count or len(node.args) < count or (called == "m" and isinstance(node.func, ast.Attribute)):
            continue
        place = f"{name}:{node.lineno}"
        texts = [text for argument in node.args[:count] if (text := _text(argument)) is not None]
        if len(texts) == count:
            if _has_words(texts[0]):
                yield Found(texts[0], texts[1] if count == 2 else "", place)
        elif any(_is_filled(argument) for argument in node.args[:count]):
            yield f"{place}: {called}(…) is given a text already filled in; translate first, then fill in the fields"


def _text(node: ast.expr) -> str | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def _is_filled(node: ast.expr) -> bool:
    """True for an f-string and for "…".format(…), "…" % … and "…" + …"""
    if isinstance(node, ast.Call):
        return isinstance(node.func, ast.Attribute) and node.func.attr == "format"
    return isinstance(node, ast.JoinedStr | ast.BinOp)


def _has_words(text: str) -> bool:
    """False for a template of fields and signs alone: there is nothing to translate in it."""
    return any(letter.isalpha() for literal, *_rest in string.Formatter().parse(text) for letter in literal)


def _fields(text: str) -> frozenset[str]:
    return frozenset(
        field for _literal, field, _spec, _conversion in string.Formatter().parse(text) if field is not None
    )


def check_language(language: str, found: Iterable[Found], catalogues: dict[str, Catalog]) -> Iterator[str]:
    """What is wrong with one language's catalogues, a line each; `catalogues` by file name."""
    translations: dict[str, tuple[str, Entry]] = {}
    for name, catalogue in catalogues.items():
        yield from _check_header(language, name, catalogue)
        for entry in catalogue:
            key = _key(entry)
            if not key:
                continue
            if key in translations and translations[key][1].string != entry.string:
                yield f"{language}: {key!r} is translated differently in {translations[key][0]} and {name}"
            translations.setdefault(key, (name, entry))
    seen: set[str] = set()
    for message in found:
        if message.text in seen:
            continue
        seen.add(message.text)
        if message.text not in translations:
            yield f"{language}: missing: {message.text!r} ({message.place})"
        else:
            name, entry = translations[message.text]
            yield from (f"{language}/{name}: {fault}: {message.text!r}" for fault in _faults(message, entry))


def _faults(message: Found, entry: Entry) -> Iterator[str]:
    if entry.fuzzy:
        yield "marked fuzzy"
    forms = [form or "" for form in (entry.string if isinstance(entry.string, tuple | list) else [entry.string])]
    if not all(forms):
        yield "not translated"
        return
    if message.plural:
        if not isinstance(entry.id, tuple | list) or entry.id[1] != message.plural:
            yield f"the plural is not {message.plural!r}"
        elif len(forms) != 3:
            yield f"has {len(forms)} plural forms and needs 3"
    for form in forms:
        try:
            fields = _fields(form)
        except ValueError as problem:
            yield f"its fields cannot be read ({problem})"
            continue
        if fields != _fields(message.plural or message.text):
            yield f"its fields differ: {sorted(fields)}"
        if _edges(form) != _edges(message.text):
            yield "begins or ends with other spaces"


def _edges(text: str) -> tuple[str, str]:
    return text[: len(text) - len(text.lstrip())], text[len(text.rstrip()) :]


def _check_header(language: str, name: str, catalogue: Catalog) -> Iterator[str]:
    said, wanted = c2py(catalogue.plural_expr), c2py(PLURALS[language])
    if catalogue.num_plurals != 3 or any(said(number) != wanted(number) for number in range(1000)):
        yield f"{language}/{name}: Plural-Forms must be nplurals=3; plural={PLURALS[language]};"


def _key(entry: Entry) -> str:
    return str(entry.id[0] if isinstance(entry.id, tuple | list) else entry.id)


def unused(found: Iterable[Found], catalogues: dict[str, Catalog]) -> list[str]:
    """Translated messages that the code no longer has. Not a fault: a room may be under way."""
    wanted = {message.text for message in found}
    return sorted({_key(entry) for catalogue in catalogues.values() for entry in catalogue} - wanted - {""})


def _read(language: str) -> dict[str, Catalog]:
    folder = ROOT / "exam_kit" / "i18n" / language
    catalogues = {}
    for path in sorted(folder.glob("*.po")):
        with path.open("rb") as source:
            # No locale here: it would hide a wrong or missing Plural-Forms header.
            catalogues[path.name] = read_po(source, abort_invalid=True)
    return catalogues


def _sources() -> Iterator[Path]:
    for name in SOURCES:
        place = ROOT / name
        yield from sorted(place.rglob("*.py")) if place.is_dir() else [place] if place.exists() else []


def check_catalogues() -> tuple[list[str], list[str]]:
    """Everything wrong, and notes that are not faults."""
    found: list[Found] = []
    faults: list[str] = []
    for path in _sources():
        for item in messages_in(path.read_text(encoding="utf-8"), str(path.relative_to(ROOT))):
            if isinstance(item, Found):
                found.append(item)
            else:
                faults.append(item)
    notes = []
    for language in LANGUAGES:
        catalogues = _read(language)
        faults += check_language(language, found, catalogues)
        notes += [f"{language}: not in the code: {text!r}" for text in unused(found, catalogues)]
    notes.append(f"messages: {len({message.text for message in found})}")
    return faults, notes


def main() -> int:
    """Print what is wrong; 1 when there is anything."""
    faults, notes = check_catalogues()
    for line in notes:
        print(line)
    for line in faults:
        print(line, file=sys.stderr)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
