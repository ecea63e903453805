"""Words as the search compares them: without case, diacritics and endings, in Russian, Latvian and English.

Endings are cut by a table for each language, the longest first, as long as enough of the word is left. That is less
than a dictionary knows and more than one general stemmer: Snowball keeps "пишет" and "пишут" apart, cuts "запись" to
"зап" and has no Latvian. What a table misses, a query by the beginning of the word finds (see `solution_index`).
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

__all__ = ["folded_words", "index_stems", "is_common", "query_stems"]

WORD = re.compile(r"[^\W_]+")
CYRILLIC = re.compile("[а-я]")
SHORTEST = 3
LONGEST_WORD = 40
"""What is longer is no word; only its beginning is compared."""


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


def _longest_first(endings: str) -> tuple[str, ...]:
    return tuple(sorted(endings.split(), key=len, reverse=True))


RUSSIAN = _longest_first(
    # nouns and adjectives
    "а я о е и ы у ю й ь ов ев ей ам ям ах ях ом ем ой ою ею ами ями ия ие ии ию ий ией иям иях иями ья ье ью ьи"
    " ый ая яя ое ее ые ого его ому ему ым им ую юю ых их ыми ими"
    # verbs
    " ет ют ит ят ат ут ешь ишь ете ите ает ают яет яют аешь аете аем яем ует уют"
    " л ла ло ли ал ала ало али ил ила ило или ел ела ело ели ял яла яло яли нул нула нуло нули нуть нет нут"
    " ть ать ить еть ять ти овать овал овала овали ован ована овано ованы"
    " ывает ывают ывал ывала ывало ывали ывать ивает ивают ивал ивала ивало ивали ивать"
    # participles and nouns of an act
    " ание ания анию анием аний ение ения ению ением ений ление ления лению лением лен лена лено лены ляет ляют лять"
    " ывание ывания ивание ивания ирование ирования ировать ирует ируют ировка"
    " ан ана ано аны ен ена ено ены анный анная анное анные енный енная енное енные"
    " ающий ающая ающее ающие ющий ющая ющее ющие ащий ящий ящая ящие вший вшая вшее вшие"
)
KEEP_MORE = _words(
    "ан ана ано аны ен ена ено ены нет нут ение ения ания ание ление ления лен лена лено лены ляет ляют лять"
)
"""Endings that are as often the end of a stem (замена, экран, время): more of the word must be left."""
IRREGULAR = {"печать": "печат", "интернет": "интернет"}
"""Words of the field whose end looks like an ending."""

LATVIAN = _longest_first(
    "a as ai am u us os is i s e es ei em iem im o um ums ie ies ij iju ijas ija ijai ijam"
    " ais aja ajam ajai ajos ajas ajiem aks aka aki akas"
    " at et it ot uj uju uja ej eja eju aj aju ijat ina ino inat inot iet ams ama ami amas amo"
    " usi usas usais jis jusi ots ota oti otas osa oss"
    " sana sanas sanu sanai asana asanas asanu isana isanas isanu esana esanas esanu osana osanas osanu"
)
ENGLISH = _longest_first("s es ed ing ings e ies ied y ly er ers ion ions ment")

COMMON = _words(
    "и в во на не нет ни с со к ко о об от до из за по под при для у а но или что как это то та те он оно она они"
    " мы вы я же ли бы был была было были есть нам нас вас их его ее только уже еще где когда можно нельзя очень"
    " the an of to in on at is are was were be not no and or it its for with by from does do did this that can cannot"
    " un ar uz pie par pec bez ir bija nav ne ka kas ta tas vai bet gan jau vel kad kur mes jus es ja so si var nevar"
)
"""Words that say nothing about what is broken; left out of a query that has others."""

CHANGING = {"ш": "с", "с": "ш", "ж": "з", "з": "ж", "ч": "т", "щ": "ст"}
"""The last consonant of a Russian stem changes within one word: пишет, писала; покажет, показал; отвечает, ответ."""


def folded_words(text: str) -> list[str]:
    """The words of any text, in order: compatibility forms and case folded, ё as е, Latin letters bare."""
    plain = []
    for letter in unicodedata.normalize("NFKC", text).casefold():
        if "а" <= letter <= "я":
            plain.append(letter)  # й is a letter of its own, not и with a mark
        elif letter == "ё":
            plain.append("е")
        else:
            plain += [one for one in unicodedata.normalize("NFKD", letter) if not unicodedata.combining(one)]
    return [word[:LONGEST_WORD] for word in WORD.findall("".join(plain))]


def is_common(word: str) -> bool:
    """True for a folded word that says nothing alone."""
    return word in COMMON


@lru_cache(maxsize=100_000)
def index_stems(word: str, language: str) -> tuple[str, ...]:
    """What a folded word of a text in `language` is found by."""
    if CYRILLIC.search(word):
        return (_russian(word),)
    if language != "lv":
        return (_english(word),)
    bare = _without_not(word)
    return (_latvian(word), _latvian(bare)) if bare else (_latvian(word),)


@lru_cache(maxsize=10_000)
def query_stems(word: str) -> tuple[str, ...]:
    """The stems a folded word of a query may stand under; its language is not known."""
    if CYRILLIC.search(word):
        stem = _russian(word)
        changed = CHANGING.get(stem[-1])
        return (stem, stem[:-1] + changed) if changed and len(stem) >= SHORTEST else (stem,)
    bare = _without_not(word)
    found = [_latvian(word), _english(word), *([_latvian(bare)] if bare else [])]
    return tuple(dict.fromkeys(found))


def _cut(word: str, endings: tuple[str, ...], vowels: str) -> str:
    for ending in endings:
        left = len(word) - len(ending)
        least = SHORTEST + 2 if ending in KEEP_MORE else SHORTEST
        if left >= least and word.endswith(ending) and any(letter in vowels for letter in word[:left]):
            return word[:left]
    return word


def _russian(word: str) -> str:
    if word in IRREGULAR:
        return IRREGULAR[word]
    if word.endswith("ся") or word.endswith(("лась", "лось", "лись", "тесь", "юсь", "усь")):
        word = word[:-2]
    stem = _cut(word, RUSSIAN, "аеиоуыэюя")
    return stem.rstrip("ь") if len(stem) > SHORTEST else stem


def _latvian(word: str) -> str:
    return _cut(word, LATVIAN, "aeiou")


def _english(word: str) -> str:
    stem = _cut(word, ENGLISH, "aeiouy")
    doubled = len(stem) > SHORTEST and stem != word and stem[-1] == stem[-2] and stem[-1] not in "sl"
    return stem[:-1] if doubled else stem


def _without_not(word: str) -> str:
    """Latvian writes "not" into the verb: neraksta is not-writes. Empty where there is none."""
    return word[2:] if word.startswith("ne") and len(word) >= SHORTEST + 4 else ""
