"""The ledger's signed head on paper: what a phone's camera reads off a printed form proves the ledger."""

from __future__ import annotations

import io
import shutil
import subprocess
from pathlib import Path

import cv2
import pytest
from pypdf import PdfReader

from exam_kit.clock import FakeClock
from exam_kit.forms import access_log_pdf
from exam_kit.home import Home
from exam_kit.journal.access_log import AccessDraft, AccessLog
from exam_kit.point import Point
from exam_kit.store import Account, Checkpoint, Head, Ledger, Role
from exam_kit.store.verify import verify_database

SPECIALIST = Account("spec", "Специалист Т. Т.", Role.SPECIALIST, "технический специалист", "ru")


@pytest.fixture
def printed(ledger: Ledger, point: Point, clock: FakeClock) -> bytes:
    log, now = AccessLog(ledger, point, clock), clock.now()
    log.add(AccessDraft("0001", "operability_check", now, now), SPECIALIST)
    return access_log_pdf(point, now.date(), log.rows(), "ru", ledger.signed_head(), made_at=now)


def scanned(pdf: bytes, folder: Path) -> str:
    """What a QR reader sees on the first page as an office scanner draws it.

    OpenCV's reader now and then misses a code at one resolution; whoever holds a phone to it moves a little.
    """
    if shutil.which("pdftoppm") is None:
        pytest.skip("poppler is not installed")
    for dots in ("200", "300", "150"):
        drawn = folder / dots
        subprocess.run(
            ["pdftoppm", "-r", dots, "-png", "-f", "1", "-l", "1", "-singlefile", "-", drawn], input=pdf, check=True
        )
        page = cv2.imread(f"{drawn}.png")
        assert page is not None
        for reader in (cv2.QRCodeDetector(), cv2.QRCodeDetectorAruco()):
            text, _corners, _straight = reader.detectAndDecode(page)
            if text:
                return text
    return ""


def test_the_code_on_a_form_is_an_anchor_of_the_ledger(
    printed: bytes, ledger: Ledger, home: Home, point: Point, clock: FakeClock, tmp_path: Path
) -> None:
    line = scanned(printed, tmp_path)
    read = Checkpoint.parse(line)
    assert read.signed_by(ledger.public_key)
    assert read.seq == ledger.head().seq
    AccessLog(ledger, point, clock).add(AccessDraft("0001", "view_corrected", clock.now()), SPECIALIST)
    report = verify_database(home.store, [ledger.public_key], [line])
    assert (report.whole, report.anchors) == (True, 1), report.findings


def test_the_line_stands_beside_the_code_for_who_has_no_camera(printed: bytes, ledger: Ledger) -> None:
    text = PdfReader(io.BytesIO(printed)).pages[0].extract_text()
    squeezed = "".join(text.replace("\u200b", "").split())
    signed = ledger.signed_head()
    assert isinstance(signed, Checkpoint)
    assert "".join(signed.line().split()) in squeezed


def test_an_unsigned_head_prints_no_code(point: Point, clock: FakeClock, tmp_path: Path) -> None:
    pdf = access_log_pdf(point, None, [], "lv", Head(124, "0123456789abcdef" * 4), made_at=clock.now())
    assert scanned(pdf, tmp_path) == ""
    assert b"EK-HEAD" not in pdf
