"""What a solution says: symptom, cause and steps, in one language or more, and the hash it is known by."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import rfc8785

from exam_kit.errors import RefusedEntry, m
from exam_kit.i18n import LANGUAGES
from exam_kit.journal.person import clean

__all__ = ["MOST_STEPS", "Content", "Wording", "written_in"]

MOST_STEPS = 40
DOMAIN = b"exam-kit solution v1\n"
CATEGORY = re.compile(r"[a-z_]{2,40}")
LATVIAN = frozenset("āčēģīķļņšūž")


@dataclass(frozen=True)
class Wording:
    """A solution in one language. The cause may be unknown: empty."""

    symptom: str
    cause: str
    steps: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        return {"symptom": self.symptom, "cause": self.cause, "steps": list(self.steps)}

    @property
    def empty(self) -> bool:
        return not (self.symptom.strip() or self.cause.strip() or any(step.strip() for step in self.steps))


@dataclass(frozen=True)
class Content:
    """What is shown, searched, exported and hashed. `texts` holds a wording for each language it is written in."""

    category: str
    texts: Mapping[str, Wording]

    def as_dict(self) -> dict[str, Any]:
        texts = {language: wording.as_dict() for language, wording in self.texts.items()}
        return {"category": self.category, "texts": texts}

    @classmethod
    def of(cls, kept: Mapping[str, Any]) -> Content:
        """The inverse of `as_dict`, for what stands in the ledger."""
        return cls(
            kept["category"],
            {
                language: Wording(text["symptom"], text["cause"], tuple(text["steps"]))
                for language, text in kept["texts"].items()
            },
        )

    @cached_property
    def hash(self) -> str:
        """SHA-256 over a domain tag and the RFC 8785 JSON: equal exactly where all of the content is equal."""
        return hashlib.sha256(DOMAIN + rfc8785.dumps(self.as_dict())).hexdigest()

    def shown(self, language: str) -> tuple[str, Wording]:
        """The wording for a reader of `language` and the language it is in: theirs, else the first there is."""
        found = language if language in self.texts else next(one for one in LANGUAGES if one in self.texts)
        return found, self.texts[found]

    def cleaned(self) -> Content:
        """Every text on one line and normalised; empty steps and languages left out.

        Raises:
            RefusedEntry: no language is filled in, or one only in part; an unknown language; a text too long.
        """
        if not CATEGORY.fullmatch(self.category):
            raise RefusedEntry(
                m("Solution: '{code}' is not a category. Choose one from the list.", code=self.category[:40])
            )
        texts = {}
        for language in LANGUAGES:  # the order in which languages are offered, whatever order they were given in
            wording = self.texts.get(language)
            if wording is not None and not wording.empty:
                texts[language] = _cleaned(wording, language)
        unknown = sorted(set(self.texts) - set(LANGUAGES))
        if unknown:
            raise RefusedEntry(
                m("Solution: '{code}' is not a language of the kit. Write it in ru, en or lv.", code=unknown[0][:20])
            )
        if not texts:
            raise RefusedEntry(m("Solution: nothing is written. Fill in symptom and steps in one language."))
        return Content(self.category, texts)


def _cleaned(wording: Wording, language: str) -> Wording:
    symptom = clean(wording.symptom, "description", required=False)
    steps = tuple(step for step in (clean(one, "measure", required=False) for one in wording.steps) if step)
    if not symptom:
        raise RefusedEntry(
            m("Solution ({language}): the symptom is empty. Write how it shows itself.", language=language)
        )
    if not steps:
        raise RefusedEntry(
            m("Solution ({language}): there are no steps. Write what to do, a step a line.", language=language)
        )
    if len(steps) > MOST_STEPS:
        raise RefusedEntry(
            m("Solution ({language}): too many steps ({count}, at most {limit}). Join some of them.",
              language=language, count=len(steps), limit=MOST_STEPS)
        )  # fmt: skip
    return Wording(symptom, clean(wording.cause, "text", required=False), steps)


def written_in(texts: Sequence[str], reader: str) -> str:
    """The language a person probably wrote these in: by its letters, else the reader's."""
    letters = "".join(texts).casefold()
    if any("а" <= letter <= "я" for letter in letters):
        return "ru"
    if any(letter in LATVIAN for letter in letters):
        return "lv"
    return reader if reader != "ru" else "en"
