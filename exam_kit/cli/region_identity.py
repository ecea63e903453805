"""`exam-kit region identity`: the key that opens encrypted bags, and its public recipient for the points."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from exam_kit.cli.words import add_json, answer, at_the_terminal
from exam_kit.home import Home
from exam_kit.i18n import _
from exam_kit.point import Secrets
from exam_kit.region.desk import RegionDesk
from exam_kit.region.identity import copy_identities, own_recipient, recipient_file, take_identities

__all__ = ["add_identity"]


def add_identity(parts: Any) -> None:
    identity = parts.add_parser(
        "identity", help=_("the age key that opens encrypted bags: its public recipient; one is made if there is none")
    )
    how = identity.add_mutually_exclusive_group()
    how.add_argument(
        "--from",
        dest="source",
        type=Path,
        metavar="FILE",
        help=_("keep the key that age-keygen wrote, or a copy made with --copy-to; keys kept before stay"),
    )
    how.add_argument(
        "--copy-to",
        type=Path,
        metavar="FILE",
        help=_("write a copy of the secret key to a new file, for the safe"),
    )
    add_json(identity)
    identity.set_defaults(run=_identity)


def _identity(options: argparse.Namespace) -> int:
    desk = RegionDesk.open(Home.find())
    try:
        if options.copy_to:
            count = copy_identities(desk, options.copy_to)
            said = _("{path}: holds the secret key (keys: {count}). Lock it away; whoever has it can open every bag.")
            answer(
                options, {"copy": str(options.copy_to), "keys": count}, said.format(path=options.copy_to, count=count)
            )
            return 0
        actor = at_the_terminal()
        recipient = take_identities(desk, options.source, actor) if options.source else own_recipient(desk, actor)
    finally:
        desk.close()
    file, place = recipient_file(desk.home), Secrets(desk.home).place
    said = _(
        '{recipient}\nThe points write this line into point.toml, under [region_centre]: age = "{recipient}" (also in '
        "{file}). The secret key is kept in {place}. Without it nobody opens the bags: keep a copy in a safe, exam-kit "
        "region identity --copy-to FILE"
    )
    answer(
        options,
        {"recipient": recipient, "file": str(file), "kept_in": place},
        said.format(recipient=recipient, file=file, place=place),
    )
    return 0
