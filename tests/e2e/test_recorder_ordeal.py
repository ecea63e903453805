"""The short form of `ordeal_recorder`: one repetition of quick faults on real RTSP cameras with the real program."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cctv_fixtures import needs_rtsp
from tests.e2e import ordeal_recorder
from tests.e2e.ordeal_cameras import networks_possible

QUICK = ("size-changed", "cut-8s")


@needs_rtsp
@pytest.mark.rtsp
@pytest.mark.parametrize("fault", [fault for fault in ordeal_recorder.FAULTS if fault.name in QUICK], ids=str)
def test_a_fault_costs_no_more_than_promised_and_stands_in_the_books(
    tmp_path: Path, fault: ordeal_recorder.Fault
) -> None:
    if fault.network and not networks_possible():
        pytest.skip("network namespaces cannot be made here (needs root on Linux and iproute2)")
    found = ordeal_recorder.run(fault, 1, tmp_path)
    assert found.wrong == []
    assert (len(found.lost_s), found.gaps_right) == (1, 1)
    assert found.files_play == found.files >= 2
    assert found.password_looked >= 12
