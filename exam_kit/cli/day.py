"""Commands of the exam day: record, archive. With a running agent they give it orders."""

from __future__ import annotations

import argparse
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

from exam_kit.agent import orders
from exam_kit.agent.loop import Agent
from exam_kit.agent.orders import Order
from exam_kit.agent.status import agent_alive
from exam_kit.archive.age_stream import recipient_in
from exam_kit.archive.destinations import refuse_same
from exam_kit.archive.result import Progress
from exam_kit.archive.selection import Asked
from exam_kit.archive.stores import SCHEME, store_of
from exam_kit.archive.supplement_choice import next_supplement
from exam_kit.cli.progress import show_progress
from exam_kit.cli.words import Desk, acting, add_as, add_json, answer
from exam_kit.errors import ArchiveError, CameraError, ExamKitError, UsageError, m
from exam_kit.i18n import _, current_language
from exam_kit.point import Zone

__all__ = ["add_commands", "an_agent", "ordered"]

NOBODY_S = 15.0
"""An agent that shows no sign of life for so long will not carry out the order we wait for."""


def add_commands(commands: Any) -> None:
    record = commands.add_parser("record", help=_("start or stop recording on an order"))
    record.add_argument("--camera", nargs="+", metavar="ID", help=_("these cameras (default: all)"))
    record.add_argument(
        "--zone", nargs="+", choices=[zone.value for zone in Zone], help=_("the cameras of these zones")
    )
    record.add_argument("--stop", action="store_true", help=_("stop instead of start"))
    record.add_argument("--seconds", type=float, help=_("record this long, then stop"))
    record.add_argument("--by", help=_("who ordered it (needed to stop)"))
    record.add_argument("--why", default="", help=_("the reason"))
    add_as(record)
    add_json(record)
    record.set_defaults(run=_record)

    archive = commands.add_parser("archive", help=_("copy an exam day's footage, prove it, write the bag and the act"))
    archive.add_argument("--day", type=date.fromisoformat, help=_("exam day YYYY-MM-DD (default: the latest)"))
    archive.add_argument(
        "--zone",
        nargs="+",
        choices=[zone.value for zone in Zone],
        default=[Zone.CORRIDOR.value, Zone.ENTRANCE.value],
        help=_("zones to copy (default: corridor entrance)"),
    )
    archive.add_argument(
        "--to",
        action="append",
        metavar="PLACE",
        help=_("folder, drive, or s3://STORE of point.toml; again for another copy (default: bags/ of this home)"),
    )
    archive.add_argument("--encrypt", action="store_true", help=_("only the region's age key can open the copy"))
    archive.add_argument(
        "--supplement",
        nargs="?",
        type=int,
        const=0,
        metavar="N",
        help=_("only what the bags made before lack (N: another copy of supplement N)"),
    )
    archive.add_argument("--by", help=_("who ordered it"))
    add_as(archive)
    add_json(archive)
    archive.set_defaults(run=_archive)


@contextmanager
def an_agent(desk: Desk) -> Iterator[None]:
    """The running agent, or one in this process for as long as the command takes."""
    if agent_alive(desk.home):
        yield
        return
    agent = Agent(desk.home)
    failed: list[ExamKitError] = []

    def work() -> None:
        try:
            agent.run()
        except ExamKitError as problem:
            failed.append(problem)

    thread = threading.Thread(target=work, name="agent")
    thread.start()
    try:
        yield
    finally:
        agent.stop()
        thread.join()
    if failed:
        raise failed[0]


def ordered(
    desk: Desk,
    kind: str,
    body: dict[str, Any],
    by: str,
    why: str,
    *,
    actor: str,
    told: Callable[[Order], None] | None = None,
) -> Order:
    """Give an order and wait for its end."""
    number = orders.give(desk.ledger, kind, body, actor=actor, ordered_by=by, why=why)
    served_at = time.monotonic()
    while True:
        order = orders.get(desk.store, number)
        assert order is not None
        if not order.open:
            break
        if agent_alive(desk.home):
            served_at = time.monotonic()
        elif time.monotonic() - served_at > NOBODY_S:
            raise ExamKitError(
                m(
                    "Order {number}: nobody carries it out, the agent does not run. It is kept: start 'exam-kit up', "
                    "and it is carried out then.",
                    number=number,
                )
            )
        if told is not None:
            told(order)
        time.sleep(0.2)
    if order.state != "done":
        failure = CameraError if kind == "camera_clock" else ArchiveError
        raise failure(
            m(
                "Order {number} ({kind}): {state}. {reason}",
                number=number,
                kind=kind,
                state=order.state,
                reason=order.result.get("error", ""),
            )
        )
    return order


def chosen_cameras(desk: Desk, options: argparse.Namespace) -> list[str]:
    chosen = [
        camera
        for camera in desk.point.cameras
        if (not options.camera or camera.id in options.camera)
        and (not options.zone or desk.point.zone_of(camera).value in options.zone)
    ]
    unknown = set(options.camera or ()) - {camera.id for camera in desk.point.cameras}
    if unknown or not chosen:
        raise UsageError(
            m(
                "{camera}: there is no such camera. The point has: {known}.",
                camera=", ".join(sorted(unknown)) or "—",
                known=", ".join(camera.id for camera in desk.point.cameras),
            )
        )
    return [camera.id for camera in chosen]


def _record(options: argparse.Namespace) -> int:
    desk = Desk.open()
    cameras = chosen_cameras(desk, options)
    if options.stop and not options.by:
        raise UsageError(m("record --stop: recording stops on an order. Name who gave it with --by."))
    if not options.seconds and not agent_alive(desk.home):
        raise UsageError(
            m("record: no agent is running here. Start 'exam-kit up', or record for a while with --seconds N.")
        )
    actor = acting(desk, options)
    by, kind = options.by or actor, "stop" if options.stop else "record"
    orders.allow(desk.ledger, kind, actor)  # before an agent is started for nothing
    begun = desk.clock.now()
    with an_agent(desk):
        ordered(desk, kind, {"cameras": cameras}, by, options.why, actor=actor)
        if options.seconds and not options.stop:
            try:
                time.sleep(options.seconds)
            finally:
                ordered(desk, "stop", {"cameras": cameras}, by, options.why, actor=actor)
                _wait_for_closing(desk)
    recorded = [
        row
        for row in desk.store.query("SELECT * FROM segment ORDER BY camera, from_at")
        if row["camera"] in cameras and row["from_at"] >= begun.isoformat()[:19]
    ]
    answer(
        options,
        {"cameras": cameras, "segments": recorded},
        "\n".join([", ".join(cameras), *(row["path"] for row in recorded)]),
    )
    return 0


def _wait_for_closing(desk: Desk) -> None:
    ends = time.monotonic() + 15
    while desk.store.query("SELECT 1 FROM segment WHERE to_at IS NULL LIMIT 1") and time.monotonic() < ends:
        time.sleep(0.1)


def _archive(options: argparse.Namespace) -> int:
    desk = Desk.open()
    known: Sequence[date] = sorted(day.date for day in desk.point.days)
    today = desk.clock.now().astimezone(desk.point.tz).date()
    day = options.day or max((one for one in known if one <= today), default=None)
    if day is None or day not in known:
        raise UsageError(m("{day}: the point has no exam on this day. Choose one of its exam days.", day=day or "—"))
    body: dict[str, Any] = {
        "day": str(day),
        "zones": options.zone,
        "destinations": [_place(desk, place) for place in options.to or [str(desk.home.bags)]],
        "encrypted": options.encrypt,
    }
    refuse_same(body["destinations"], desk.point)
    if options.encrypt:
        recipient_in(desk.point)  # refused before an order is given
    if options.supplement is not None:
        asked = Asked(tuple(Zone(zone) for zone in options.zone))
        body["supplement"] = options.supplement or max(next_supplement(desk.store, day, asked), 1)

    def told(order: Order) -> None:
        now = order.progress
        done, total, rate = (now.get(name, 0) for name in ("done_bytes", "bytes", "rate_bps"))
        show_progress(str(day), Progress("copying", 0, 0, total, done, "", rate, now.get("left_s")))

    actor = acting(desk, options)
    orders.allow(desk.ledger, "archive", actor)
    with an_agent(desk):
        order = ordered(
            desk, "archive", body, options.by or actor, "", actor=actor, told=told if sys.stderr.isatty() else None
        )
    made = [copy for copy in order.result["copies"] if copy["state"] == "finished"]
    text = _("{bag}: {files} files, {bytes} bytes, every one proved where it lies")
    answer(options, order.result, "\n".join(text.format(**copy) for copy in made))
    missed = [copy for copy in order.result["copies"] if copy["state"] != "finished"]
    for copy in missed:
        print(copy["said"][current_language()]["error"], file=sys.stderr)
    return ArchiveError.exit_code if missed else 0


def _place(desk: Desk, place: str) -> str:
    """A folder in full, or the store as it is named. Raises UsageError for a store that point.toml does not have."""
    store = store_of(place)
    if not store:
        return str(Path(place).absolute())
    known = [f"{SCHEME}{one.name}" for one in desk.point.store]
    if place.rstrip("/") not in known:
        raise UsageError(
            m(
                "{place}: there is no such store. point.toml has: {known}. Add it as [[store]].",
                place=place,
                known=", ".join(known) or "—",
            )
        )
    return place.rstrip("/")
