"""The act of a copy is kept at the point, and printed anew with the region's mark when the receipt is in."""

from __future__ import annotations

import datetime as dt
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from exam_kit.archive.act import Carrier, Document, HandoverAct
from exam_kit.archive.act_read import act_from
from exam_kit.archive.delivered import Delivery
from exam_kit.archive.kept_papers import kept_act, kept_coverage, kept_deficiencies
from exam_kit.clock import FakeClock
from exam_kit.forms import handover_act_pdf
from exam_kit.home import Home
from exam_kit.point import Point
from exam_kit.store import Head, Ledger, Store
from tests.archive_day import DAY, archive, record
from tests.unit.test_forms_pdf import text_of


def one_paper(act: HandoverAct) -> list[Document]:
    return [Document("act.pdf", f"%PDF-1.7 {act.number}".encode())]


def test_what_is_kept_makes_the_same_act_when_the_drive_is_gone(
    home: Home, store: Store, ledger: Ledger, point: Point, clock: FakeClock, tmp_path: Path
) -> None:
    recordings = record(store, ledger, home)
    recordings[0].unlink()
    made = archive(store, ledger, home, point, tmp_path / "usb", clock, documents=one_paper)
    assert made.act is not None and made.bag is not None and made.failed
    shutil.rmtree(tmp_path / "usb")
    kept, act = kept_coverage(home, made.job), kept_act(home, made.job)
    assert kept is not None and act is not None
    assert act.read_bytes() == f"%PDF-1.7 {made.job}".encode()
    plain = replace(made.act.carrier, free_bytes=None, total_bytes=None)
    assert act_from(kept) == replace(made.act, carrier=plain)
    assert kept_deficiencies(home, made.job) == made.act.deficiencies
    assert (kept_act(home, "no-such-job"), kept_coverage(home, "no-such-job")) == (None, None)


@pytest.mark.parametrize(("language", "said"), [("ru", "Принято регионом"), ("en", "Received by the region")])
def test_the_mark_of_receipt_and_a_store_stand_in_the_act(
    home: Home, store: Store, ledger: Ledger, point: Point, clock: FakeClock, tmp_path: Path, language: str, said: str
) -> None:
    record(store, ledger, home)
    made = archive(store, ledger, home, point, tmp_path / "usb", clock)
    assert made.act is not None
    at = dt.datetime(2026, 5, 30, 9, 15, tzinfo=dt.UTC)
    delivery = Delivery(77, made.job, "bag", made.bag_hash, 1, DAY, "taken", at, at, "tech")
    carrier = Carrier("store", "s3://region/bag", label="https://s3.example/ege/bag/", locked_until="2027-03-01")
    act = replace(made.act, carrier=carrier)
    text = " ".join(text_of(handover_act_pdf(point, DAY, act, language, Head(1, "0" * 64), delivery=delivery)).split())
    assert said in text and "30.05.2026 12:15" in text and "77" in text
    assert "s3://region/bag" in text and "01.03.2027" in text
    assert said not in text_of(handover_act_pdf(point, DAY, made.act, language, Head(1, "0" * 64)))
