"""What ONVIF does with a camera whose clock is wrong: ``python -m bench.onvif``.

Each row is a fresh simulated camera (`tests/onvif_simulator.py`), strict about time: it refuses a token more than five
seconds from its own clock, and a nonce it has seen. Prints what was asked of it, what it refused, how well its clock
was known, and what is left of the offset after setting it.
"""

from __future__ import annotations

import time

from exam_kit.cctv.onvif.client import OnvifCamera
from exam_kit.cctv.onvif.device import information, profiles, snapshot
from exam_kit.cctv.onvif.events import PullPoint
from tests.onvif_simulator import PASSWORD, USER, Simulator

DAY_S = 86400.0
CLOCKS = (
    ("right", 0.0, "MSK-3"),
    ("97 s ahead", 97.0, "MSK-3"),
    ("97 s behind", -97.0, "MSK-3"),
    ("1 day ahead", DAY_S, "MSK-3"),
    ("1 day behind", -DAY_S, "MSK-3"),
    ("3 years behind", -1095 * DAY_S, "UTC0"),
)
SIGN_INS = (("token", "MD5"), ("digest", "MD5"), ("digest", "SHA-256"))
ALARM = "tns1:VideoSource/GlobalSceneChange/ImagingService"


def row(clock: str, skew_s: float, zone: str, sign_in: str, algorithm: str) -> str:
    with Simulator(skew_s, sign_in, algorithm, zone=zone, ntp=True) as simulated:
        camera = OnvifCamera(simulated.url, USER, PASSWORD)
        began = time.perf_counter()
        information(camera)
        first_ms = (time.perf_counter() - began) * 1000
        streams = profiles(camera)
        picture = snapshot(camera, streams[0])
        point = PullPoint(camera)
        simulated.happen(ALARM, True)
        heard = point.pull(2)
        point.end()
        known = camera.clock()
        wrong_s = known.offset_s - skew_s
        after = camera.set_clock()
        done = len(simulated.calls) - len(simulated.refused)
        kind = "token" if sign_in == "token" else f"HTTP {algorithm}"
        assert picture and heard
        refused = len(simulated.refused)
        return (
            f"{clock:<15} {kind:<13} {done:>3} {refused:>7}  {len(streams)}/{len(heard)} {first_ms:>8.1f}"
            f"  {wrong_s:>+9.3f} ±{known.error_s:.3f}  {simulated.skew_s:>+9.3f} ({after.offset_s:+.3f})"
        )


def main() -> None:
    head = f"{'camera clock':<15} {'sign-in':<13} done refused  s/a  first ms"
    print(f"{head}  offset's error, s  left after setting, s (as read)")
    for clock, skew_s, zone in CLOCKS:
        for sign_in, algorithm in SIGN_INS:
            print(row(clock, skew_s, zone, sign_in, algorithm), flush=True)
    print("done: calls answered; refused: calls refused, HTTP digest begins with one; s/a: streams and alarms received")


if __name__ == "__main__":
    main()
