"""Object stores: their keys, what they enforce, and bags sent to them."""

from __future__ import annotations

import argparse
import signal
import threading
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

from exam_kit.archive import BagReport
from exam_kit.archive.s3 import Wire, keep_report, kept_report, keys_of, probe_store, send_bag, verify_in_store
from exam_kit.cli.progress import show_progress
from exam_kit.cli.words import Desk, add_json, answer, at_the_terminal, secret
from exam_kit.errors import ArchiveError, UsageError, m
from exam_kit.i18n import _
from exam_kit.point import ObjectStore
from exam_kit.store.keys import VerifyKey

__all__ = ["add_commands", "store_named", "verify_at"]


def add_commands(commands: Any) -> None:
    store = commands.add_parser("store", help=_("object stores (S3) that copies go to"))
    acts = store.add_subparsers(title=_("commands"), required=True, metavar="COMMAND")
    key = acts.add_parser("key", help=_("keep a store's access key and secret key; both are asked for, or read from "
                                        "two lines of input"))  # fmt: skip
    key.add_argument("store", metavar="STORE")
    key.set_defaults(run=_key)
    probe = acts.add_parser("probe", help=_("prove what a store enforces, and keep the result with its date"))
    probe.add_argument("store", metavar="STORE")
    add_json(probe)
    probe.set_defaults(run=_probe)
    listed = acts.add_parser("list", help=_("the stores of this point, and what their last probe showed"))
    add_json(listed)
    listed.set_defaults(run=_list)

    send = commands.add_parser("send", help=_("send a sealed bag to a store; goes on where it stopped"))
    send.add_argument("bag", type=Path, metavar="BAG", help=_("the bag's folder"))
    send.add_argument("store", metavar="STORE")
    add_json(send)
    send.set_defaults(run=_send)


def store_named(desk: Desk, name: str) -> ObjectStore:
    """Raises UsageError, which lists the stores there are."""
    try:
        return desk.point.object_store(name)
    except KeyError:
        known = ", ".join(store.name for store in desk.point.store) or "—"
        raise UsageError(
            m("{store}: there is no such store. point.toml has: {known}. Add it as [[store]].", store=name, known=known)
        ) from None


def verify_at(address: str, *, quick: bool, key: VerifyKey | None, progress: Callable[[int, int], None]) -> BagReport:
    """Verify the bag at ``s3://STORE/BAG``; the store is one of point.toml's."""
    name, _slash, bag = address.removeprefix("s3://").partition("/")
    if not name or not bag.strip("/"):
        raise UsageError(m("{place}: is the address of a bag in a store; write s3://STORE/BAG.", place=address))
    desk = Desk.open()
    store = store_named(desk, name)
    wire = Wire(store, keys_of(store, desk.secrets), desk.home)
    return verify_in_store(wire, bag.strip("/"), desk.home, quick=quick, key=key, progress=progress)


def _key(options: argparse.Namespace) -> int:
    desk = Desk.open()
    store = store_named(desk, options.store)
    given = [secret(_("Access key: ")).strip(), secret(_("Secret key: ")).strip()]
    if not all(given):
        raise UsageError(m("{store}: both keys are needed, each on a line of its own.", store=store.name))
    for name, value in zip(store.secret_names, given, strict=True):
        desk.secrets.set(name, value)
    desk.ledger.append("store.keys_changed", {"store": store.name}, at_the_terminal())
    print(_("{store}: the keys are kept in {place}.").format(store=store.name, place=desk.secrets.place))
    return 0


def _probe(options: argparse.Namespace) -> int:
    desk = Desk.open()
    store = store_named(desk, options.store)
    report = probe_store(store, keys_of(store, desk.secrets), desk.home, desk.clock)
    keep_report(desk.home, report)
    body = {"store": store.name, "place": report.place, "trust": vars(report.trust), "lacking": report.lacking}
    desk.ledger.append("store.probed", body, at_the_terminal())
    answer(options, report.as_dict(), report.text())
    return report.exit_code


def _list(options: argparse.Namespace) -> int:
    desk = Desk.open()
    lines, told = [], []
    for store in desk.point.store:
        report = kept_report(desk.home, store)
        said = report.at if report else _("never probed")
        lines.append(f"{store.name}  {store.endpoint}/{store.bucket}/{store.prefix}  {said}")
        told.append({**store.model_dump(), "probe": report.as_dict() if report else None})
    answer(options, told, "\n".join(lines) or _("point.toml names no store. Add one as [[store]]."))
    return 0


def _send(options: argparse.Namespace) -> int:
    desk = Desk.open()
    store = store_named(desk, options.store)
    wire = Wire(store, keys_of(store, desk.secrets), desk.home)
    stop = threading.Event()

    def leave_off(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    before = {number: signal.signal(number, leave_off) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        result = send_bag(
            options.bag.resolve(),
            wire,
            desk.home,
            desk.clock,
            progress=lambda now: show_progress(options.bag.name, now),
            cancelled=stop.is_set,
        )
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    body = {name: getattr(result, name) for name in ("state", "bag", "bag_hash", "store", "files", "bytes", "proofs")}
    desk.ledger.append("archive.sent", {**body, "failed": len(result.failed)}, at_the_terminal())
    if result.state == "cancelled":
        text = _("{bag}: stopped; {files} files are there and proved. The same command goes on from here.")
        answer(options, result.as_dict(), text.format(bag=result.bag, files=result.files))
        return 130
    if result.failed:
        raise ArchiveError(
            m("{bag}: not whole in {store}: files that did not arrive: {count}.",
              bag=result.bag, store=store.name, count=len(result.failed)),
            [one.message for one in result.failed],
        )  # fmt: skip
    text = _(
        "{place}: {files} files, {bytes} bytes; proved by the store's own SHA-256: {kept}, by reading back: {read}"
    )
    counts = {"kept": result.proofs.get("server_sha256", 0), "read": result.proofs.get("downloaded", 0)}
    answer(options, result.as_dict(), text.format(place=result.place, files=result.files, bytes=result.bytes, **counts))
    return 0
