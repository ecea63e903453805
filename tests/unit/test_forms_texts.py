"""Every text of the journals and forms stands in Russian and Latvian, with the same fields."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from babel.messages.extract import extract_from_file
from babel.messages.pofile import read_po

import exam_kit

PACKAGE = Path(exam_kit.__file__).parent
FIELD = re.compile(r"\{\w+\}")


def _texts(room: str) -> set[str]:
    keywords = {"_": None, "N_": None, "m": None}
    return {
        str(found[1])
        for path in (PACKAGE / room).rglob("*.py")
        for found in extract_from_file("python", path, keywords=keywords)
    }


@pytest.mark.parametrize("language", ["ru", "lv"])
@pytest.mark.parametrize("room", ["journal", "forms"])
def test_nothing_is_left_untranslated(room: str, language: str) -> None:
    catalogues = {}
    for path in (PACKAGE / "i18n" / language).glob("*.po"):
        with path.open("rb") as source:
            catalogues.update({str(entry.id): str(entry.string) for entry in read_po(source) if entry.id})
    for text in _texts(room):
        said = catalogues.get(text)
        assert said, f"{language}: {text!r}"
        assert set(FIELD.findall(said)) == set(FIELD.findall(text)), text
