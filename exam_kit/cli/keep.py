"""Commands of hand-over and keeping: receipt (taking in what the region signed), keep (what may be deleted when)."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from exam_kit.agent.bag_duties import keep_rule
from exam_kit.archive.delivered import take_receipt
from exam_kit.archive.keep import STANDING_LABELS, KeptDay, holds, kept_days
from exam_kit.archive.receipt import OUTCOME_LABELS
from exam_kit.cli.words import Desk, add_json, answer, at_the_terminal
from exam_kit.i18n import _

__all__ = ["add_commands"]


def add_commands(commands: Any) -> None:
    receipt = commands.add_parser("receipt", help=_("take in the receipt that the region gave for a bag"))
    receipt.add_argument("file", type=Path)
    add_json(receipt)
    receipt.set_defaults(run=_receipt)

    keep = commands.add_parser("keep", help=_("until when footage is kept, what holds it, what may be deleted"))
    add_json(keep)
    keep.set_defaults(run=_keep)


def _receipt(options: argparse.Namespace) -> int:
    desk = Desk.open()
    data = options.file.read_bytes()
    taken, new = take_receipt(desk.ledger, desk.home, desk.point, data, at_the_terminal())
    text = _("{bag}: delivered.") if new else _("{bag}: this receipt was taken in before.")
    told = {"bag": taken.bag, "bag_hash": taken.bag_hash, "day": str(taken.day), "outcome": taken.outcome, "new": new}
    answer(options, told, f"{text.format(bag=taken.bag)} {_(OUTCOME_LABELS.get(taken.outcome, taken.outcome))}")
    return 0


def _keep(options: argparse.Namespace) -> int:
    desk = Desk.open()
    today = desk.clock.now().astimezone(desk.point.tz).date()
    days = kept_days(desk.store, desk.ledger, keep_rule(desk.point, desk.home), today)
    standing = [hold for hold in holds(desk.ledger) if hold.stands]
    lines = [line for day in days for line in _lines(day)] or [_("Nothing was recorded yet.")]
    lines += [
        _("legal hold № {number}: {day}, {cameras}; {why} (order № {order})").format(
            number=hold.number,
            day=hold.day,
            cameras=", ".join(hold.cameras) or _("all cameras"),
            why=hold.why,
            order=hold.order,
        )
        for hold in standing
    ]
    answer(options, {"today": str(today), "days": [day.as_dict() for day in days]}, "\n".join(lines))
    return 0


def _lines(day: KeptDay) -> list[str]:
    until = _("{day}: keep until {until}").format(day=day.day, until=day.until or "—")
    states = [
        f"  {_(STANDING_LABELS[how])}: {count} ({day.bytes.get(how, 0) / 1e6:.0f} MB)"
        for how, count in sorted(day.files.items())
    ]
    return [until, *states]
