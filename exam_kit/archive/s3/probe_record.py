"""What `exam-kit store probe` found out about a store: kept with its date, and what follows from it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from exam_kit.archive.s3.proof import Trust
from exam_kit.home import Home
from exam_kit.i18n import N_, translate
from exam_kit.point import ObjectStore

__all__ = ["EXIT_LACKING", "QUESTIONS", "Answer", "ProbeReport", "keep_report", "kept_report", "trust_in"]

EXIT_LACKING = 80
"""The store does not do what a copy needs."""

QUESTIONS = {
    "round_trip": N_("what is put comes back the same"),
    "refuses_wrong_keys": N_("a wrong secret key is refused"),
    "refuses_flipped_body": N_("a body changed on its way is refused (signature over the body)"),
    "refuses_wrong_md5": N_("a body with another MD5 is refused"),
    "refuses_wrong_sha256": N_("a body with another SHA-256 is refused"),
    "keeps_sha256": N_("keeps the SHA-256 of an object and returns it"),
    "conditional_put": N_("an object is not overwritten when that is forbidden"),
    "multipart": N_("takes an object in parts, lists its parts and the open uploads"),
    "refuses_flipped_part": N_("a part changed on its way is refused"),
    "refuses_wrong_part_sha256": N_("a part with another SHA-256 is refused"),
    "keeps_parts_sha256": N_("keeps the SHA-256 over the parts and returns it"),
    "conditional_complete": N_("an object made of parts does not overwrite another when that is forbidden"),
    "cyrillic_keys": N_("Cyrillic names come back as they were given"),
    "lock_kept": N_("keeps the retention that an object is given"),
    "lock_holds": N_("an object under COMPLIANCE is neither deleted nor overwritten nor released early"),
}
"""Every question the probe asks, in the order it asks them."""

NEEDED = (
    "round_trip", "refuses_wrong_keys", "refuses_flipped_body", "multipart", "refuses_flipped_part", "cyrillic_keys",
)  # fmt: skip
_WORDS = {"yes": N_("yes"), "no": N_("NO"), "unknown": N_("not known")}


@dataclass(frozen=True)
class Answer:
    """`answer` is yes, no or unknown; `detail` is the store's short word, for whoever runs it."""

    answer: str
    detail: str = ""


@dataclass(frozen=True)
class ProbeReport:
    """`at` is UTC, ISO 8601; `place` says which endpoint and bucket were asked, and how."""

    store: str
    place: str
    at: str
    retention: str
    answers: Mapping[str, Answer]

    def yes(self, *questions: str) -> bool:
        return all(self.answers.get(question, Answer("unknown")).answer == "yes" for question in questions)

    @property
    def trust(self) -> Trust:
        return Trust(
            sha256=self.yes("refuses_wrong_sha256", "keeps_sha256"),
            parts_sha256=self.yes("refuses_wrong_part_sha256", "keeps_parts_sha256"),
            lock=self.yes("lock_kept", "lock_holds"),
        )

    @property
    def lacking(self) -> list[str]:
        """Questions that must be answered yes for this store, and are not."""
        needed = [*NEEDED, *(("lock_kept", "lock_holds") if self.retention != "none" else ())]
        return [question for question in needed if not self.yes(question)]

    @property
    def exit_code(self) -> int:
        return EXIT_LACKING if self.lacking else 0

    def as_dict(self) -> dict[str, Any]:
        return {
            "store": self.store,
            "place": self.place,
            "at": self.at,
            "retention": self.retention,
            "answers": {name: vars(answer) for name, answer in self.answers.items()},
            "lacking": self.lacking,
            "trust": vars(self.trust),
            "exit_code": self.exit_code,
        }

    def text(self, language: str | None = None) -> str:
        """The table, and what follows from it."""
        rows = [
            (translate(words, language), translate(_WORDS[answer.answer], language), answer.detail)
            for question, words in QUESTIONS.items()
            if (answer := self.answers.get(question)) is not None
        ]
        wide, narrow = (max(len(row[column]) for row in rows) for column in (0, 1))
        lines = [f"{self.store} · {self.place} · {self.at}"]
        lines += [f"  {words:<{wide}}  {said:<{narrow}}  {detail}".rstrip() for words, said, detail in rows]
        return "\n".join([*lines, *self._conclusions(language)])

    def _conclusions(self, language: str | None) -> list[str]:
        trust = self.trust
        told: Sequence[str] = (
            N_("What was sent is proved by the SHA-256 that the store keeps.")
            if trust.sha256
            else N_("The store keeps no SHA-256 to be relied on: what was sent is read back and hashed."),
            N_("Retention holds: 'retention' may be set in point.toml.")
            if trust.lock
            else N_("Retention does NOT hold here: whoever has the keys can delete what was sent."),
            N_("NOT fit for copies.") if self.lacking else N_("Fit for copies."),
        )
        return [translate(words, language) for words in told]


def keep_report(home: Home, report: ProbeReport) -> Path:
    """Keep the report until the next one."""
    path = _path(home, report.store)
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    part.write_text(json.dumps(report.as_dict(), ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    part.replace(path)
    return path


def kept_report(home: Home, store: ObjectStore) -> ProbeReport | None:
    """The last report about this very store; None when there is none, or it was asked elsewhere."""
    try:
        found = json.loads(_path(home, store.name).read_text(encoding="utf-8"))
        answers = {str(name): Answer(**answer) for name, answer in found["answers"].items()}
        report = ProbeReport(found["store"], found["place"], found["at"], found["retention"], answers)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None  # not there, or not one of ours: nothing is proved
    return report if report.place == place_of(store) else None


def trust_in(home: Home, store: ObjectStore) -> Trust:
    report = kept_report(home, store)
    return report.trust if report is not None else Trust()


def place_of(store: ObjectStore) -> str:
    return f"{store.endpoint}/{store.bucket}"


def _path(home: Home, store: str) -> Path:
    return home.store.parent / "probes" / f"{store}.json"
