"""Who acted, and whether they may."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, Literal

from exam_kit.errors import AccessDenied, RefusedEntry, m
from exam_kit.i18n import N_
from exam_kit.store.accounts import Account
from exam_kit.store.rights import Act, may, require

__all__ = ["AGENT", "AGENT_PERSON", "Actor", "Person", "authorise", "clean", "fitting", "login_of", "person_of"]

AGENT: Final = "agent"
Actor = Account | Literal["agent"]
"""A signed-in person, or the kit's own agent."""

TEXT_LIMIT = 4000
NAME_LIMIT = 300
NAMES = frozenset({"name", "post", "given_by", "order", "cabinet", "seal_found", "seal_put"})
"""Fields that a form sets in a narrow column: a text pasted there by mistake would run off the paper."""

EMPTY = {
    "why": N_("Reason: nothing is written there. Write why the line is corrected or withdrawn."),
    "text": N_("Action 'other': nothing is written beside it. Write what was done."),
    "name": N_("Name: nothing is written there. Write the person's full name."),
    "description": N_("Description: nothing is written there. Write what happened."),
    "measure": N_("Measure: nothing is written there. Write what was done."),
    "decision": N_("Decision: nothing is written there. Write how it ended."),
    "handed": N_("Handing over: no reason is written. Write why it is handed over."),
    "answer": N_("Answer: nothing is written there. Write it, or leave the question out."),
    "call": N_("Room call: nothing is written there. Write in a few words what is asked."),
    "call_done": N_("Room call: nothing says what was done. Write it in a few words."),
    "evidence": N_("Evidence: nothing is written there. Name the picture, file or paper."),
    "order": N_("Order №: nothing is written there. Write the number as it stands on the order."),
    "given_by": N_("Given by: nothing is written there. Write who gave the briefing."),
    "admit": N_("Reason: nothing is written there. Write why this person is admitted for today."),
    "entry": N_("Reason: nothing is written there. Write why the entry is corrected or withdrawn."),
    "cabinet": N_("Cabinet: none is named. Write which cabinet it is, for example PAK-1."),
    "reason": N_("Reason: nothing is written there. Write why the cabinet was opened or closed."),
    "seal_found": N_("Seal: nothing is written there. Write the number of the seal that was found on the cabinet."),
    "seal_put": N_("Seal: nothing is written there. Write the number of the new seal."),
    "note": N_("Sheet: no field is filled in. Fill in at least one and save again."),
}
"""What is said of a field that must not be empty."""


@dataclass(frozen=True)
class Person:
    """A person as a form names them. `login` is empty for somebody without an account (a service engineer)."""

    name: str
    post: str = ""
    login: str = ""

    def same_as(self, other: Person) -> bool:
        """True when both are one person: by login or by name, for two accounts of one name are one person."""
        if self.login and self.login == other.login:
            return True
        return _folded(self.name) == _folded(other.name)

    def as_dict(self) -> dict[str, str]:
        return {"name": self.name, "post": self.post, "login": self.login}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Person:
        return cls(str(data["name"]), str(data.get("post", "")), str(data.get("login", "")))


AGENT_PERSON = Person("Exam Kit", "", AGENT)
"""What stands in a form where the kit acted by its plan and nobody ordered it."""


def person_of(actor: Actor) -> Person:
    """The actor as a form names them."""
    if isinstance(actor, Account):
        return Person(actor.name, actor.post, actor.login)
    return AGENT_PERSON


def login_of(actor: Actor) -> str:
    """The actor as the ledger names them."""
    return actor.login if isinstance(actor, Account) else AGENT


def authorise(actor: Actor, *acts: Act, agent: bool = False) -> None:
    """Refuse unless `actor` has a right to one of `acts`; the agent passes only where `agent` is true.

    Raises:
        AccessDenied: no such right, the account is disabled, or `actor` is neither an account nor the agent.
    """
    if isinstance(actor, Account):
        if actor.disabled:
            raise AccessDenied(
                m("{login}: this account is disabled. Sign in with another, or have it enabled.", login=actor.login)
            )
        if not any(may(actor.role, act) for act in acts):
            require(actor.role, acts[0])
        return
    if not (agent and actor == AGENT):
        raise AccessDenied(
            m(
                "Journal: '{actor}' may not make this entry. A person whose role has the right must make it.",
                actor=actor,
            )
        )


def clean(text: str, field: str, *, required: bool = True) -> str:
    """`text` on one line, without control and invisible characters, normalised (NFC); `field` is a key of `EMPTY` when
    required, and says how much fits.

    Raises:
        RefusedEntry: it is empty and `required`, too long, or not valid Unicode.
    """
    try:
        text.encode()
    except UnicodeEncodeError as problem:
        raise RefusedEntry(m("Journal: the text holds a broken character. Type it again.")) from problem
    shown = _shown(text)
    if required and not shown:
        raise RefusedEntry(m(EMPTY[field]))
    limit = NAME_LIMIT if field in NAMES else TEXT_LIMIT
    if len(shown) > limit:
        raise RefusedEntry(
            m(
                "Journal: the text '{start}…' has {length} characters, and at most {limit} fit. Shorten it and save.",
                start=shown[:20],
                length=len(shown),
                limit=limit,
            )
        )
    return shown


def fitting(text: str) -> str:
    """What the kit itself writes, as `clean` takes it: cut where it is too long, for refusing would lose the entry."""
    shown = _shown(text.encode(errors="replace").decode())
    return shown if len(shown) <= TEXT_LIMIT else shown[: TEXT_LIMIT - 1].rstrip() + "…"


def _shown(text: str) -> str:
    """`text` on one line, as it is seen."""
    seen = [" " if unicodedata.category(char) in ("Cc", "Zl", "Zp") else char for char in text]
    # Format characters are not seen, and turn the text around them or make two spellings of one name.
    plain = "".join(char for char in seen if unicodedata.category(char) != "Cf")
    return " ".join(unicodedata.normalize("NFC", plain).split())


@lru_cache(maxsize=4096)
def _folded(name: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", _shown(name)).casefold().split())
