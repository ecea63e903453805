"""`exam-kit footage`: export one span of time from many cameras; fetch and import what other recorders left."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfoNotFoundError

from exam_kit.agent.import_footage import allow_import, body_of
from exam_kit.agent.orders import Order
from exam_kit.agent.spans import allow_export
from exam_kit.cctv.imports import FAULTS, TIME_SOURCES, Found, choose, kept_offset_s, plan_import
from exam_kit.cctv.nvr import HttpRecorder, RecorderSource, clip_name
from exam_kit.cctv.nvr_dahua import Dahua
from exam_kit.cctv.nvr_hikvision import Hikvision
from exam_kit.cctv.span_asked import MISSING
from exam_kit.cctv.status import CAUSES
from exam_kit.cli.day import an_agent, chosen_cameras, ordered
from exam_kit.cli.words import Desk, acting, add_as, add_json, answer, secret
from exam_kit.clock import from_iso, iso
from exam_kit.errors import UsageError, m
from exam_kit.i18n import _
from exam_kit.point import Zone
from exam_kit.store import Accounts

__all__ = ["add_commands"]

MAKERS: dict[str, Callable[[HttpRecorder, str], RecorderSource]] = {"hikvision": Hikvision, "dahua": Dahua}


def add_commands(commands: Any) -> None:
    footage = commands.add_parser("footage", help=_("take footage out of the kit, or bring it in"))
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
    add_as(export)
    add_json(export)
    export.set_defaults(run=_export)
    bring = acts.add_parser("import", help=_("look at footage that another recorder or a memory card left; take it in"))
    bring.add_argument("folder", type=Path, metavar="FOLDER")
    bring.add_argument("--camera", required=True, metavar="ID", help=_("the camera it is footage of"))
    bring.add_argument("--zone", metavar="ZONE", help=_("time zone of the recorder's clock (default: the point's)"))
    bring.add_argument(
        "--offset-s", type=float, metavar="N",
        help=_("seconds to add to the recorder's time, confirmed by the clock in the picture; take the files in"),
    )  # fmt: skip
    bring.add_argument("--why", default="", help=_("what the offset was read from"))
    add_as(bring)
    add_json(bring)
    bring.set_defaults(run=_import)
    fetch = acts.add_parser(
        "fetch", help=_("fetch recordings from a network video recorder into a folder (never run on the real device)")
    )
    fetch.add_argument("--maker", required=True, choices=list(MAKERS))
    fetch.add_argument("--address", required=True, metavar="URL", help=_("http://HOST of the recorder, no name in it"))
    fetch.add_argument("--user", required=True, help=_("the recorder's user; the password is asked for"))
    fetch.add_argument("--channel", type=int, required=True, metavar="N", help=_("the recorder's channel, from 1"))
    fetch.add_argument("--from", dest="start", required=True, metavar="TIME", help=moment)
    fetch.add_argument("--to", dest="end", required=True, metavar="TIME", help=moment)
    fetch.add_argument("--zone", metavar="ZONE", help=_("time zone of the recorder's clock (default: the point's)"))
    fetch.add_argument("--into", type=Path, required=True, metavar="FOLDER", help=_("folder or drive that is there"))
    add_json(fetch)
    fetch.set_defaults(run=_fetch)


def _export(options: argparse.Namespace) -> int:
    desk = Desk.open()
    cameras = chosen_cameras(desk, options)
    actor = acting(desk, options)
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
        order = ordered(
            desk, "export_span", body, options.by, options.why, actor=actor, told=told if sys.stderr.isatty() else None
        )
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


def _import(options: argparse.Namespace) -> int:
    desk = Desk.open()
    folder = options.folder.absolute()
    actor = acting(desk, options)
    allow_import(Accounts(desk.store, desk.ledger, desk.clock), actor)
    kept = kept_offset_s(desk.ledger, options.camera, folder)
    offset_s = options.offset_s if options.offset_s is not None else kept or 0.0
    found = plan_import(desk.store, desk.point, folder, options.camera, zone=options.zone, offset_s=offset_s)
    lines = [_found_line(desk, one) for one in found]
    files = choose(found)
    if options.offset_s is None:
        lines.append(
            _("Files that can be taken: {count}. Compare the clock in the picture with the time above, then call "
              "again with --offset-s (0 where they agree) and --why.").format(count=len(files))
        )  # fmt: skip
        told = [{**asdict(one), "start": iso(one.start), "end": iso(one.end)} for one in found]
        answer(options, {"found": told, "kept_offset_s": kept}, "\n".join(lines))
        return 0
    if not files:
        answer(options, {"taken": {}}, "\n".join([*lines, _("There is nothing new to take.")]))
        return 0

    def told_order(order: Order) -> None:
        done, total = order.progress.get("done_bytes", 0), order.progress.get("bytes", 0)
        print(f"\r{done / 1e6:.0f}/{total / 1e6:.0f} MB ", end="", file=sys.stderr, flush=True)

    body = body_of(options.camera, folder, files, options.offset_s)
    with an_agent(desk):
        order = ordered(
            desk, "import_footage", body, actor, options.why, actor=actor,
            told=told_order if sys.stderr.isatty() else None,
        )  # fmt: skip
    result = order.result
    lines += [f"{source} → {path}" for source, path in result["taken"].items()]
    lines += [f"{source}: {_(FAULTS.get(why, why))}" for source, why in result["faults"].items()]
    answer(options, result, "\n".join(lines))
    return 18 if result["faults"] else 0


def _fetch(options: argparse.Namespace) -> int:
    desk = Desk.open()
    zone = options.zone or desk.point.timezone
    try:
        if "@" in options.address:
            raise ValueError("a name in the address")
        wire = HttpRecorder(options.address, options.user, secret(_("Password of the recorder: ")))
        source = MAKERS[options.maker](wire, zone)
    except (ValueError, ZoneInfoNotFoundError):
        raise UsageError(
            m("fetch: the address is http://HOST without a name in it, the zone such as Europe/Moscow.")
        ) from None
    if not options.into.is_dir():
        raise UsageError(
            m("{folder}: there is no such folder. Check the name, and that the card is in.", folder=options.into)
        )
    clips = source.search(options.channel, _moment(desk, options.start), _moment(desk, options.end))
    told, lines = [], [_("Never run on the real device: look at every file, and compare its clock with the picture.")]
    for clip in clips:
        done = source.fetch(clip, options.into / clip_name(clip, zone), lambda _have, _whole: None)
        told.append({**asdict(done), "path": str(done.path), "as_told": done.as_told})
        differs = "" if done.as_told is not False else " " + _("(not as long as the recorder's list says)")
        lines.append(f"{done.path.name}: {done.bytes / 1e6:.1f} MB, {done.sha256}{differs}")
    if not clips:
        lines.append(_("The recorder has nothing of this channel in this time."))
    answer(options, {"fetched": told}, "\n".join(lines))
    return 0


def _found_line(desk: Desk, one: Found) -> str:
    if one.fault:
        return f"{one.path}: {_(FAULTS.get(one.fault, one.fault))}"
    start, end = (at.astimezone(desk.point.tz) for at in (one.start, one.end))
    text = f"{one.path}: {start:%Y-%m-%d %H:%M:%S}–{end:%H:%M:%S} ({_(TIME_SOURCES[one.time_from])})"
    text += f", {one.codec} {one.width}×{one.height}, {one.bytes / 1e6:.1f} MB"
    if one.same_as:
        text += ", " + _("is there already: {path}").format(path=one.same_as)
    if one.overlap_s:
        text += ", " + _("{seconds} s are recorded already").format(seconds=round(one.overlap_s))
    if one.name_differs:
        text += ", " + _("the name tells another length than the video has")
    return text


def _moment(desk: Desk, text: str) -> datetime:
    try:
        given = datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(
            m("{text}: is not a moment. Write it as 2026-05-28 10:00:00, by the point's clock.", text=text)
        ) from None
    return given if given.tzinfo else given.replace(tzinfo=desk.point.tz)
