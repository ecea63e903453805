"""Probes that look at a camera's picture: one look serves them all, so they are put through it together."""

from __future__ import annotations

from exam_kit.checks import CheckContext, Machine, Result, run_checks
from exam_kit.checks.profile import SHIPPED, read_profile
from tests.checks_matrix import fault
from tests.checks_world import World

SEEN = {
    # Rules under which the synthetic camera is in order, gives a remark, is at fault.
    "camera.answers": ("answers, is = false", "took, above = -1", "answers, is = true"),
    "camera.picture": ("picture, is_not = 'ok'", "picture, is = 'ok'", "picture, is = 'ok'"),
    "camera.resolution": ("width, below = 1280", "width, below = 1920", "width, below = 3840"),
    "camera.frame_rate": ("fps, below = 5", "fps, below = 25", "fps, below = 50"),
    "camera.bitrate": ("share, above = 100", "share, above = 0", "share, above = 0"),
    "camera.sound": ("sound, is = true", "sound, is = false", "sound, is = false"),
    "camera.codec": ("codec, none_of = ['h264']", "codec, is = 'h264'", "codec, is = 'h264'"),
    "camera.keyframes": ("interval, above = 4", "interval, above = 0", "interval, above = 0"),
    "camera.damage": ("share, above = 5", "share, above = -1", "share, above = -1"),
    "camera.caption": ("detail, below = 0.5", "detail, below = 101", "detail, below = 101"),
}
"""Probes that look at the picture: one look serves them all, so they are measured together."""

SILENT_CAMERAS = {"absent", "timeout", "denied"}
REFUSED = b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n"

texts = '{ ru = "т", en = "t", lv = "t" }'


def by_camera(context: CheckContext, checks: dict[str, tuple[str, str]], timeout_s: float) -> dict[str, Result]:
    """The result of each probe, given (rules, args) by name, at the point's one camera."""
    demo = (SHIPPED / "demo.toml").read_text(encoding="utf-8")
    picture = demo[demo.index("[picture]") : demo.index("[keep]")]
    text = f'season = "t"\nvalid_from = 2026-01-01\nsource = "t"\nbudget_s = 60\ntitle = {texts}\n{picture}\n'
    for name, (rules, args) in checks.items():
        text += (
            f'[[checks]]\nid = "{name.replace(".", "-").replace("_", "-")}"\nprobe = "{name}"\nargs = {args}\n'
            f'severity = "major"\ntimeout_s = {timeout_s}\n{rules}\ntitle = {texts}\nfix = {texts}\n'
        )
    return {result.probe: result for result in run_checks(read_profile(text, "t"), context).results}


def looked(world: World, url: str, timeout_s: float) -> dict[str, Result]:
    """The result of every probe that looks, at one camera with this address."""
    camera = world.context.point.cameras[0].model_copy(update={"url": url, "sound": True})
    point = world.context.point.model_copy(update={"cameras": (camera,)})
    regions = "{ regions = [[0, 0, 1, 0.15], [0, 0.85, 1, 1]] }"
    checks = {
        name: (fault(ok), regions if name == "camera.caption" else "{}") for name, (ok, _warn, _f) in SEEN.items()
    }
    return by_camera(world.context._replace(point=point, machine=Machine()), checks, timeout_s)
