"""`exam-kit footage export`: one span of time from many cameras, as it was recorded."""

from __future__ import annotations

import argparse
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

from exam_kit.agent.orders import Order
from exam_kit.agent.spans import allow_export
from exam_kit.cctv.span import MISSING
from exam_kit.cctv.status import CAUSES
from exam_kit.cli.day import an_agent, chosen_cameras, ordered
from exam_kit.cli.words import Desk, add_json, answer, at_the_terminal
from exam_kit.clock import from_iso, iso
from exam_kit.errors import UsageError, m
from exam_kit.i18n import _
from exam_kit.point import Zone
from exam_kit.store import Accounts

__all__ = ["add_commands"]


def add_commands(commands: Any) -> None:
    footage = commands.add_parser("footage", help=_("take footage out of the kit"))
    acts = footage.add_subparsers(title=_("commands"), required=True, metavar="COMMAND")
    export = acts.add_parser("export", help=_("export one span of time from many cameras, without encoding it again"))
    export.add_argument("--camera", nargs="+", metavar="ID", help=_("these cameras (default: all)"))
    export.add_argument(
        "--zone", nargs="+", choices=[zone.value for zone in Zone], help=_("the cameras of these zones")
    )
    moment = _("'YYYY-MM-DD HH:MM:SS' by the point's clock")
    export.add_argument("--from", dest="start", required=True, metavar="TIME", help=moment)
    export.add_argument("--to", dest="end", required=True, metavar="TIME", help=moment)
    export.add_argument("--into", type=Path, required=True, metavar="FOLDER", help=_("folder or drive that is there"))
    export.add_argument("--by", required=True, help=_("login of the head of the point who ordered it"))
    export.add_argument("--why", default="", help=_("the reason"))
    add_json(export)
    export.set_defaults(run=_export)


def _export(options: argparse.Namespace) -> int:
    desk = Desk.open()
    cameras = chosen_cameras(desk, options)
    actor = at_the_terminal()
    allow_export(Accounts(desk.store, desk.ledger, desk.clock), actor, options.by)
    body = {
        "cameras": cameras,
        "from": iso(_moment(desk, options.start)),
        "to": iso(_moment(desk, options.end)),
        "destination": str(options.into.absolute()),
    }

    def told(order: Order) -> None:
        done, total = order.progress.get("done_bytes", 0), order.progress.get("bytes", 0)
        print(f"\r{done / 1e6:.0f}/{total / 1e6:.0f} MB ", end="", file=sys.stderr, flush=True)

    with an_agent(desk):
        order = ordered(desk, "export_span", body, options.by, options.why, told if sys.stderr.isatty() else None)
    result = order.result
    lines = [
        _("{folder}: {files} files, {bytes} bytes; their sources and hashes stand in manifest.csv").format(
            folder=result["folder"], files=result["files"], bytes=result["bytes"]
        )
    ]
    for one in result["missing"]:
        start, end = (from_iso(one[name]).astimezone(desk.point.tz) for name in ("start", "end"))
        why = _(MISSING.get(one["why"]) or CAUSES.get(one["why"], one["why"]))
        text = _("{camera}: missing {start}–{end}: {why}")
        lines.append(text.format(camera=one["camera"], start=f"{start:%H:%M:%S}", end=f"{end:%H:%M:%S}", why=why))
    answer(options, result, "\n".join(lines))
    return 0


def _moment(desk: Desk, text: str) -> datetime:
    try:
        given = datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(
            m("{text}: is not a moment. Write it as 2026-05-28 10:00:00, by the point's clock.", text=text)
        ) from None
    return given if given.tzinfo else given.replace(tzinfo=desk.point.tz)
