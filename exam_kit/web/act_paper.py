"""The hand-over act of one copy: as it was sealed, or printed anew with the region's mark of receipt."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from exam_kit.agent import orders
from exam_kit.archive.act_read import act_from
from exam_kit.archive.delivered import delivery_of
from exam_kit.archive.kept_papers import kept_act, kept_coverage
from exam_kit.errors import UsageError, m
from exam_kit.forms import handover_act_pdf
from exam_kit.journal.person import person_of
from exam_kit.web.desk import Desk, row_number

__all__ = ["act_paper"]


def act_paper(desk: Desk, asked: Mapping[str, str], language: str) -> bytes:
    """The act of ``order`` and ``copy`` as it was sealed, in the point's language; with ``received`` a fresh print.

    Raises:
        UsageError: there is none.
    """
    order = orders.get(desk.store, row_number(asked.get("order", "")) or 0)
    if order is None or order.kind != "archive":
        raise _not_there()
    copies = [order.result, *order.result.get("copies", [])]
    wanted = row_number(asked.get("copy", "")) or order.result.get("copy")
    found = next((one for one in copies if one.get("bag") and one.get("copy") == wanted), None)
    if found is None:
        raise _not_there()
    job = str(found.get("job", ""))
    if asked.get("received"):
        return _with_receipt(desk, job, str(found.get("bag_hash", "")), language)
    act = kept_act(desk.home, job) or Path(found["bag"]) / "data" / "documents" / "act.pdf"
    if not act.is_file():
        raise _not_there()
    return act.read_bytes()


def _with_receipt(desk: Desk, job: str, bag_hash: str, language: str) -> bytes:
    said, delivery = kept_coverage(desk.home, job), delivery_of(desk.ledger, bag_hash)
    if said is None or delivery is None:
        raise _not_there()
    point, act = desk.point(), act_from(said)
    people = {account.login: person_of(account) for account in desk.accounts.all()}
    return handover_act_pdf(
        point,
        point.day(act.exam_date),
        act,
        language,
        desk.ledger.signed_head(),
        people=people,
        made_at=desk.ledger.clock.now(),
        delivery=delivery,
    )


def _not_there() -> UsageError:
    return UsageError(m("Document: there is no such document. Go back and choose it from the list."))
