"""What every form has: title, the point's head, where the ledger stood, when it was made, signature lines."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import segno

from exam_kit.clock import SystemClock
from exam_kit.i18n import N_, decimal, translate
from exam_kit.point import ExamDay, Point
from exam_kit.store import Checkpoint, Head

__all__ = ["DUTY_SIGNATURES", "Paper", "printed_anchor", "signature"]

DUTY_SIGNATURES = (N_("Technical specialist"), N_("Head of the exam point"), N_("Commission member"))
"""Who signs at the foot of a form, where the form does not say otherwise."""

PAGE = N_("page {page} of {pages}")


class Paper:
    """One form in the making: its language, the point's clock, and the data that go to the template.

    `head` is where the ledger stood; a signed one is printed with its code, and so the paper becomes an anchor.
    """

    def __init__(
        self,
        point: Point,
        language: str,
        head: Head | Checkpoint,
        *,
        day: ExamDay | dt.date | None = None,
        made_at: datetime | None = None,
    ) -> None:
        self.point = point
        self.language = language
        self.head = head
        self.made_at = made_at or SystemClock().now()
        self.date = day.date if isinstance(day, ExamDay) else day
        self.exam = day if isinstance(day, ExamDay) else point.day(day) if day else None

    def say(self, text: str, **values: object) -> str:
        """`text` in the form's language, its fields filled."""
        return translate(text, self.language).format(**values) if values else translate(text, self.language)

    def words(self, texts: Mapping[str, str]) -> dict[str, str]:
        """The form's fixed words in its language."""
        return {name: self.say(text) for name, text in texts.items()}

    def local(self, moment: datetime) -> datetime:
        """`moment` by the point's clock."""
        return moment.astimezone(self.point.tz)

    def clock(self, moment: datetime | None, *, beside: dt.date | None = None, seconds: bool = False) -> str:
        """hh:mm by the point's clock; the date before it where it is not the date `beside`. Empty for None."""
        if moment is None:
            return ""
        local = self.local(moment)
        time = f"{local:%H:%M:%S}" if seconds else f"{local:%H:%M}"
        return time if beside is None or local.date() == beside else f"{day_text(local.date())} {time}"

    def moment(self, moment: datetime | None) -> str:
        """Date and time by the point's clock; empty for None."""
        return f"{day_text(self.local(moment).date())} {self.clock(moment)}" if moment else ""

    def number(self, value: float, digits: int = 1) -> str:
        """A number with the language's decimal sign and thin spaces between thousands."""
        return decimal(value, digits, self.language)

    def data(
        self,
        title: str,
        *,
        subtitle: str = "",
        more: Sequence[tuple[str, str]] = (),
        signatures: Sequence[Mapping[str, str]] = (),
        **body: Any,
    ) -> dict[str, Any]:
        """All that the template needs; `more` are label and value for the head of the form, beside the point's."""
        point = self.point
        lines = [
            (self.say(N_("Region")), f"{point.region} — {point.region_name}"),
            (self.say(N_("Exam point")), f"{point.code} — {point.name}, {point.address}"),
        ]
        if self.exam is not None:
            exam = f"{day_text(self.exam.date)}, {self.exam.subject}, {self.exam.start:%H:%M}"
            lines.append((self.say(N_("Exam")), exam))
        elif self.date is not None:
            lines.append((self.say(N_("Date")), day_text(self.date)))
        zone = f"{self.local(self.made_at):%z}"
        return {
            "lang": self.language,
            "title": title,
            "subtitle": subtitle,
            "author": f"{point.region}-{point.code}",
            "head": [[label, value] for label, value in (*lines, *more)],
            "ledger": self.say(N_("Ledger: entry № {seq}, hash"), seq=self.head.seq),
            "hash": self.head.hash or "—",
            "made": self.say(
                N_("made {time} ({zone}, UTC{offset})"),
                time=f"{day_text(self.local(self.made_at).date())} {self.clock(self.made_at, seconds=True)}",
                zone=point.timezone,
                offset=f"{zone[:3]}:{zone[3:]}",
            ),
            "anchor": printed_anchor(self.head, self.language),
            "page": self.say(PAGE),
            "sign": self.words({"signature": N_("signature"), "name": N_("full name"), "time": N_("date, time")}),
            "signatures": [dict(line) for line in signatures],
            **body,
        }


def printed_anchor(head: Head | Checkpoint, language: str) -> dict[str, str] | None:
    """What a template draws of a signed head: its title, its line and the code of that line as SVG."""
    if isinstance(head, Head):
        return None
    code = segno.make(head.line(), error="m").svg_inline(border=0, omitsize=True)
    return {"title": translate(N_("Head of the ledger, signed"), language), "line": head.line(), "code": code}


def signature(role: str, name: str = "", post: str = "") -> dict[str, str]:
    """One signature line: what the person signs as, and their name and post where they are known."""
    return {"role": role, "name": f"{name}, {post}" if name and post else name}


def day_text(day: dt.date) -> str:
    """dd.mm.yyyy, as the forms of all three languages write it."""
    return f"{day:%d.%m.%Y}"
