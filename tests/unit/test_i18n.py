"""Texts: the catalogues are complete, and the checker would notice if they were not."""

from __future__ import annotations

import errno
import io
import os

import pytest
from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po

from exam_kit.errors import m
from exam_kit.i18n import LANGUAGES, current_language, ngettext, set_language, translate
from exam_kit.i18n.system_reasons import SYSTEM_REASONS
from tools.catalogue import PLURALS, Found, check_catalogues, check_language, messages_in, unused


def catalogue(body: str, language: str = "ru", plural: str = "") -> Catalog:
    header = f'msgid ""\nmsgstr ""\n"Plural-Forms: nplurals=3; plural={plural or PLURALS[language]};\\n"\n\n'
    return read_po(io.BytesIO((header + body).encode()))


def faults(body: str, *found: Found, plural: str = "") -> list[str]:
    return list(check_language("ru", found, {"room.po": catalogue(body, plural=plural)}))


def test_every_message_of_the_product_is_translated() -> None:
    wrong, _notes = check_catalogues()
    assert wrong == []


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ('_("Camera")', [("Camera", "")]),
        ('m("{x}: gone", x=1)', [("{x}: gone", "")]),
        ('N_("one " "text")', [("one text", "")]),
        ('ngettext("{n} gap", "{n} gaps", n)', [("{n} gap", "{n} gaps")]),
        ('i18n.translate("Day", "ru")', [("Day", "")]),
        ("_(label)", []),
        ('_("{a} – {b}")', []),
        ('document.m("not ours")', []),
        ('other("text")', []),
    ],
)
def test_messages_are_found_in_the_code(source: str, expected: list[tuple[str, str]]) -> None:
    found = [item for item in messages_in(source, "x.py") if isinstance(item, Found)]
    assert [(item.text, item.plural) for item in found] == expected


@pytest.mark.parametrize(
    "source", ['_(f"{x} gone")', '_("{x} gone".format(x=1))', 'm("gone: " + x)', '_("%s gone" % x)']
)
def test_a_text_filled_in_before_translation_is_a_fault(source: str) -> None:
    (complaint,) = messages_in(source, "x.py")
    assert isinstance(complaint, str)
    assert "x.py:1" in complaint


GAP = Found("{n} gap", "{n} gaps", "x.py:1")
GONE = Found("{x}: gone", "", "x.py:2")
FORMS = 'msgid "{n} gap"\nmsgid_plural "{n} gaps"\n'


@pytest.mark.parametrize(
    ("body", "found", "part"),
    [
        ('msgid "{x}: gone"\nmsgstr "{x}: нет"\n', GONE, None),
        ("", GONE, "missing"),
        ('msgid "{x}: gone"\nmsgstr ""\n', GONE, "not translated"),
        ('#, fuzzy\nmsgid "{x}: gone"\nmsgstr "{x}: нет"\n', GONE, "fuzzy"),
        ('msgid "{x}: gone"\nmsgstr "{y}: нет"\n', GONE, "fields differ"),
        ('msgid "{x}: gone"\nmsgstr "{x: нет"\n', GONE, "cannot be read"),
        ('msgid "{x}: gone"\nmsgstr " {x}: нет"\n', GONE, "spaces"),
        (FORMS + 'msgstr[0] "{n} a"\nmsgstr[1] "{n} b"\nmsgstr[2] "{n} c"\n', GAP, None),
        (FORMS + 'msgstr[0] "{n} a"\nmsgstr[1] "{n} b"\nmsgstr[2] "c"\n', GAP, "fields differ"),
        (FORMS + 'msgstr[0] "{n} a"\nmsgstr[1] "{n} b"\n', GAP, "plural forms|not translated"),
        ('msgid "{n} gap"\nmsgstr "{n} a"\n', GAP, "the plural is not"),
    ],
)
def test_what_the_checker_notices(body: str, found: Found, part: str | None) -> None:
    said = faults(body, found)
    if part is None:
        assert said == []
    else:
        assert any(word in "\n".join(said) for word in part.split("|")), said


def test_a_wrong_plural_rule_is_noticed() -> None:
    assert "Plural-Forms" in faults("", plural="(n != 1)")[0]


def test_two_rooms_that_translate_differently_are_noticed() -> None:
    first = catalogue('msgid "Room"\nmsgstr "Аудитория"\n')
    second = catalogue('msgid "Room"\nmsgstr "Комната"\n')
    said = list(check_language("ru", [Found("Room", "", "x.py:1")], {"a.po": first, "b.po": second}))
    assert said == ["ru: 'Room' is translated differently in a.po and b.po"]


def test_what_the_code_no_longer_has_is_told() -> None:
    assert unused([], {"a.po": catalogue('msgid "Room"\nmsgstr "Аудитория"\n')}) == ["Room"]


@pytest.mark.parametrize(
    ("language", "number", "expected"),
    [
        ("ru", 1, "пункт."),
        ("ru", 3, "пункта."),
        ("ru", 11, "пунктов."),
        ("lv", 21, "lieta."),
        ("lv", 5, "lietas."),
        ("en", 2, "to mend."),
    ],
)
def test_plural_forms(language: str, number: int, expected: str) -> None:
    before = current_language()
    set_language(language)
    try:
        assert ngettext("{count} thing to mend.", "{count} things to mend.", number).endswith(expected)
    finally:
        set_language(before)


def test_an_unknown_language_falls_back_to_russian_and_an_unknown_text_to_english() -> None:
    before = current_language()
    set_language("xx")
    assert current_language() == "ru"
    set_language(before)
    assert translate("no such text anywhere", "lv") == "no such text anywhere"
    assert set(LANGUAGES) == {"ru", "en", "lv"}


def test_what_the_system_says_is_said_in_the_readers_language() -> None:
    said = m("{path}: cannot be read ({reason}).", path="Permission denied/x", reason=os.strerror(errno.EACCES))
    assert "(нет прав доступа)" in said.text("ru")
    assert "Permission denied/x" in said.text("lv"), "a name stays as it is"
    assert {os.strerror(one) for one in (errno.EIO, errno.ENOSPC, errno.EROFS)} <= SYSTEM_REASONS
