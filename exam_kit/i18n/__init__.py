"""Texts in Russian, English and Latvian.

The English text in the code is the key. Catalogues lie beside this file as ``<language>/<room>.po``, one file per
room of the house, and are compiled in memory when first needed, so there is no build step that can be forgotten.
"""

from __future__ import annotations

from contextvars import ContextVar
from functools import cache
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    import gettext

__all__ = ["LANGUAGES", "N_", "_", "current_language", "decimal", "ngettext", "set_language", "translate"]

LANGUAGES = {"ru": "Русский", "en": "English", "lv": "Latviešu"}
"""Code and own name of each language, in the order they are offered."""

COMPILED = "compiled.mo"
"""All of a language in one file, where there is no Babel: on the stick that checks exam stations."""

Text = TypeVar("Text", bound=str)

_language: ContextVar[str] = ContextVar("exam_kit_language", default="ru")


def set_language(language: str) -> None:
    """Choose the language for the current thread or task; an unknown one falls back to Russian."""
    _language.set(language if language in LANGUAGES else "ru")


def current_language() -> str:
    """The language chosen for the current thread or task."""
    return _language.get()


@cache
def _catalogue(language: str) -> gettext.NullTranslations:
    # Loaded when a text is first needed: a run that shows none starts sooner.
    import gettext
    import io
    from pathlib import Path

    folder = Path(__file__).parent / language
    made = folder / COMPILED
    if made.exists():
        with made.open("rb") as ready:
            return gettext.GNUTranslations(ready)
    from babel.messages.mofile import write_mo
    from babel.messages.pofile import read_po

    merged: gettext.NullTranslations | None = None
    for path in sorted(folder.glob("*.po")):
        with path.open("rb") as source:
            compiled = io.BytesIO()
            write_mo(compiled, read_po(source, locale=language))
        compiled.seek(0)
        room = gettext.GNUTranslations(compiled)
        room.add_fallback(merged or gettext.NullTranslations())
        merged = room
    return merged or gettext.NullTranslations()


def translate(text: str, language: str | None = None) -> str:
    """`text` in `language`, or in the current one; English text stands where a translation is missing."""
    return _catalogue(language or current_language()).gettext(text) if text else ""


def _(text: str) -> str:
    """`text` in the current language."""
    return translate(text)


def N_(text: Text) -> Text:
    """Mark a constant for translation; it is translated where it is shown."""
    return text


def ngettext(one: str, many: str, number: int, language: str | None = None) -> str:
    """The plural form for `number` in `language`, or in the current one, still with its ``{fields}``."""
    return _catalogue(language or current_language()).ngettext(one, many, number)


def decimal(value: float, digits: int = 1, language: str | None = None) -> str:
    """A number as people of the language write it: its decimal sign, and narrow groups of three that never break."""
    text = f"{value:,.{digits}f}".replace(",", "\u00a0")
    return text if (language or current_language()) == "en" else text.replace(".", ",")
