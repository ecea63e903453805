"""`exam-kit region`: the other side, where the bags of many points arrive."""

from __future__ import annotations

import argparse
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

from exam_kit.agent.logfiles import log_to_file
from exam_kit.agent.region_report import causes_text, report_data, spans_text
from exam_kit.agent.supervisor import Child, Supervisor
from exam_kit.archive.bag_paths import shown
from exam_kit.archive.bag_tree import BagTree
from exam_kit.cli.house import DEFAULT_PORT, nobody_there, say_when_ready
from exam_kit.cli.progress import show_progress
from exam_kit.cli.region_identity import add_identity
from exam_kit.cli.words import add_json, answer, at_the_terminal, secret
from exam_kit.errors import PortTaken, UsageError, m
from exam_kit.forms.region_report import region_report_pdf, region_report_xlsx
from exam_kit.home import Home
from exam_kit.i18n import LANGUAGES, _, current_language
from exam_kit.point import Secrets
from exam_kit.region.catalogue import Catalogue
from exam_kit.region.days import STATE_LABELS, Lacking, PointDay, lacking, point_days
from exam_kit.region.desk import RegionDesk
from exam_kit.region.identity import own_recipient, recipient_file
from exam_kit.region.intake import OUTCOME_LABELS, Outcome, take_in
from exam_kit.region.receipts import export_receipts
from exam_kit.region.register import read_file
from exam_kit.region.settings import init_region, load_region
from exam_kit.region.sources import bags_at, store_named
from exam_kit.store.keys import VerifyKey

__all__ = ["add_commands"]

NOT_ALL_TAKEN = 24
SOMETHING_MISSING = 25


def add_commands(commands: Any) -> None:
    region = commands.add_parser("region", help=_("the region's side: register, intake of bags, what is missing"))
    parts = region.add_subparsers(required=True, metavar="COMMAND")

    init = parts.add_parser("init", help=_("make this home a region's"))
    init.add_argument("--region", required=True, help=_("two digits"))
    init.add_argument("--name", required=True, help=_("the region's name"))
    init.add_argument("--timezone", required=True, help=_("of the office, for example Europe/Moscow"))
    init.add_argument("--interface-language", default="ru", choices=sorted(LANGUAGES), help=_("language of its notes"))
    init.set_defaults(run=_init)

    add_identity(parts)

    register = parts.add_parser(
        "register", help=_("what is expected: CSV files, point.toml files, or folders with point.toml and ledger.pub")
    )
    register.add_argument("path", nargs="+", type=Path)
    register.add_argument(
        "--key", action="append", default=[], metavar="POINT=FILE", help=_("a point's ledger.pub, as 77-0001=FILE")
    )
    register.add_argument(
        "--replace-key", action="store_true", help=_("take a key that differs from the registered one")
    )
    add_json(register)
    register.set_defaults(run=_register)

    intake = parts.add_parser(
        "intake", help=_("take bags in; ends with {code} when not all were taken").format(code=NOT_ALL_TAKEN)
    )
    intake.add_argument("place", nargs="+", help=_("a folder or drive with bags, a bag, s3://STORE or s3://STORE/BAG"))
    where = intake.add_mutually_exclusive_group()
    where.add_argument("--in-place", action="store_true", help=_("verify the bags and leave them where they lie"))
    where.add_argument("--fetch", action="store_true", help=_("bags in a store too are brought here"))
    add_json(intake)
    intake.set_defaults(run=_intake)

    status = parts.add_parser(
        "status", help=_("points × days; ends with {code} when something is missing").format(code=SOMETHING_MISSING)
    )
    report = parts.add_parser("report", help=_("the same as PDF and XLSX"))
    report.add_argument("--pdf", type=Path, metavar="FILE")
    report.add_argument("--xlsx", type=Path, metavar="FILE")
    for chosen in (status, report):
        chosen.add_argument("--day", type=date.fromisoformat, help=_("only this exam day, YYYY-MM-DD"))
        chosen.add_argument("--point", nargs="+", default=[], help=_("only these points, as 77-0001"))
    add_json(status)
    status.set_defaults(run=_status)
    report.set_defaults(run=_report)

    receipts = parts.add_parser("receipts", help=_("copy the receipts to a folder or stick, a folder per point"))
    receipts.add_argument("--to", required=True, type=Path, metavar="FOLDER")
    receipts.add_argument("--point", nargs="+", default=[], help=_("only these points, as 77-0001"))
    add_json(receipts)
    receipts.set_defaults(run=_receipts)

    key = parts.add_parser("store-key", help=_("keep the keys of a store that region.toml names"))
    key.add_argument("store", metavar="STORE")
    key.set_defaults(run=_store_key)

    rebuild = parts.add_parser("rebuild", help=_("derive the catalogue anew from register, ledger and bags"))
    rebuild.set_defaults(run=_rebuild)

    up = parts.add_parser("up", help=_("run the region's screens"))
    up.add_argument(
        "--port", type=int, default=DEFAULT_PORT, help=_("port on 127.0.0.1 (default {port})").format(port=DEFAULT_PORT)
    )
    up.set_defaults(run=_up)


@contextmanager
def _desk() -> Iterator[RegionDesk]:
    desk = RegionDesk.open(Home.find())
    try:
        yield desk
    finally:
        desk.close()


def _init(options: argparse.Namespace) -> int:
    home = Home.find()
    init_region(home, options.region, options.name, options.timezone, options.interface_language)
    with _desk() as desk:
        path = desk.publish_key()
        own_recipient(desk, at_the_terminal())
    said = _(
        "{home}: the region is set up. Give {key} and {age} to every point, and keep a copy of the secret age key in a "
        "safe: exam-kit region identity --copy-to FILE"
    )
    print(said.format(home=home.root, key=path, age=recipient_file(home)))
    return 0


def _register(options: argparse.Namespace) -> int:
    keys = {}
    for given in options.key:
        point, mark, file = given.partition("=")
        if not mark:
            raise UsageError(m("--key {given}: write POINT=FILE, for example 77-0001=ledger.pub.", given=given))
        keys[point] = VerifyKey.load(Path(file))
    points = [point for path in options.path for point in read_file(path)]
    source = ", ".join(str(path) for path in options.path)
    with _desk() as desk:
        changes = desk.register.add(
            points, actor=at_the_terminal(), source=source, keys=keys, replace_keys=options.replace_key
        )
        desk.catch_up()
    lines = [
        _("{point}: days {days}, cameras {cameras}, key {key}").format(
            point=change.point, days=change.days, cameras=change.cameras, key=change.key or _("MISSING")
        )
        for change in changes
    ]
    answer(options, [vars(change) for change in changes], "\n".join(lines))
    return 0


def _intake(options: argparse.Namespace) -> int:
    stop = threading.Event()
    signal.signal(signal.SIGINT, lambda _signal, _frame: stop.set())  # the file under way is finished first

    def told(outcome: Outcome) -> None:
        if options.json != "-":
            print(_outcome_line(outcome), flush=True)

    with _desk() as desk:
        found = take_in(
            desk,
            _sources(desk, options.place),
            actor=at_the_terminal(),
            in_place=options.in_place,
            fetch=options.fetch,
            told=told,
            progress=show_progress,
            cancelled=stop.is_set,
        )
    if options.json is not None:
        answer(options, [outcome.as_dict() for outcome in found], "")
    if stop.is_set():
        return 130
    good = {"taken", "supplement", "same_content", "again"}
    return 0 if all(outcome.outcome in good for outcome in found) else NOT_ALL_TAKEN


def _sources(desk: RegionDesk, places: list[str]) -> Iterator[BagTree]:
    for place in places:
        yield from bags_at(desk.home, desk.region, place)


def _store_key(options: argparse.Namespace) -> int:
    """Kept where a point keeps its stores' keys; never an argument, those are public."""
    with _desk() as desk:
        store, secrets = store_named(desk.region, options.store), Secrets(desk.home)
        given = [secret(_("Access key: ")).strip(), secret(_("Secret key: ")).strip()]
        if not all(given):
            raise UsageError(m("{store}: both keys are needed, each on a line of its own.", store=store.name))
        for name, value in zip(store.secret_names, given, strict=True):
            secrets.set(name, value)
        desk.ledger.append("store.keys_changed", {"store": store.name}, at_the_terminal())
    print(_("{store}: the keys are kept in {place}.").format(store=store.name, place=secrets.place))
    return 0


def _outcome_line(outcome: Outcome) -> str:
    line = f"{outcome.bag}: {_(OUTCOME_LABELS[outcome.outcome])}"
    if outcome.sealed_as:
        line += "\n  " + _("encrypted on the carrier: {name}").format(name=outcome.sealed_as)
    return f"{line}\n  {shown(outcome.reason.text())}" if outcome.reason else line


def _status(options: argparse.Namespace) -> int:
    with _desk() as desk:
        days = point_days(desk.catalogue, desk.clock.now(), day=options.day, points=options.point)
        lacks = lacking(desk.catalogue, day=options.day, points=options.point)
        zones = {one.id: one.tz for one in (desk.register.point(point) for point in {row.point for row in lacks})}
    lines = [_day_line(row) for row in days]
    lines += [
        f"  {row.point} {row.day} {row.camera}: {spans_text(row, zones[row.point], current_language())}"
        + (f" ({causes_text(row, current_language())})" if row.causes else "")
        for row in lacks
    ]
    data = {"days": [_day_dict(row) for row in days], "missing": [_lack_dict(row) for row in lacks]}
    answer(options, data, "\n".join(lines))
    return SOMETHING_MISSING if lacks else 0


def _day_line(row: PointDay) -> str:
    counts = _("{delivered} of {expected} min").format(
        delivered=f"{row.delivered_s / 60:.1f}", expected=f"{row.expected_s / 60:.1f}"
    )
    return f"{row.point} {row.day} {_(STATE_LABELS[row.state])}: {counts}"


def _day_dict(row: PointDay) -> dict[str, Any]:
    return {
        "point": row.point,
        "day": str(row.day),
        "state": row.state,
        "expected_min": round(row.expected_s / 60, 2),
        "delivered_min": round(row.delivered_s / 60, 2),
        "cameras": row.cameras,
        "cameras_lacking": row.short,
        "bags": row.bags,
        "quarantined": row.quarantined,
        "due": row.due_at.isoformat(),
        "keep_until": str(row.keep_until),
    }


def _lack_dict(row: Lacking) -> dict[str, Any]:
    spans = [[start.isoformat(), end.isoformat()] for start, end in row.spans]
    return {"point": row.point, "day": str(row.day), "camera": row.camera, "missing": spans, "causes": list(row.causes)}


def _report(options: argparse.Namespace) -> int:
    if options.pdf is None and options.xlsx is None:
        raise UsageError(m("region report: name a file with --pdf or --xlsx."))
    with _desk() as desk:
        data = report_data(desk, current_language(), options.day, options.point)
    for path, make in ((options.pdf, region_report_pdf), (options.xlsx, region_report_xlsx)):
        if path is not None:
            path.write_bytes(make(data))
            print(path)
    return 0


def _receipts(options: argparse.Namespace) -> int:
    with _desk() as desk:
        made = export_receipts(desk, options.to, options.point)
    answer(options, [str(path) for path in made], "\n".join(str(path) for path in made))
    return 0


def _rebuild(_options: argparse.Namespace) -> int:
    home = Home.find()
    load_region(home)
    Catalogue.remove(home.root / "catalogue" / "catalogue.db")
    with _desk() as desk:
        bags = desk.catalogue.query("SELECT name, place FROM bag WHERE NOT read ORDER BY name")
        (counts,) = desk.catalogue.query("SELECT count(*) AS bags, count(DISTINCT point) AS points FROM bag")
    print(_("The catalogue is derived anew: bags {bags}, points {points}.").format(**counts))
    for bag in bags:
        print(_("{bag}: is not as it was taken any more, see {place}").format(bag=bag["name"], place=bag["place"]))
    return NOT_ALL_TAKEN if bags else 0


def _up(options: argparse.Namespace) -> int:
    home = Home.find()
    load_region(home)
    home.create()
    nobody_there(home, options.port)
    log_to_file(home, "supervisor")
    web = Child(
        "web",
        ["-m", "exam_kit.web.serve", "--port", str(options.port), "--with-parent"],
        frozenset({PortTaken.exit_code}),
    )
    return Supervisor(home, [web]).run(say_when_ready(options.port))
