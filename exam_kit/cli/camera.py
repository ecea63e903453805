"""Commands about cameras: find them, ask them, set their clock, keep their passwords."""

from __future__ import annotations

import argparse
from typing import Any

from exam_kit.agent.camera_clock import why_not_now
from exam_kit.agent.camera_words import asked
from exam_kit.cctv.devices import devices
from exam_kit.cctv.onvif.client import OnvifCamera
from exam_kit.cctv.onvif.clock import CameraClock
from exam_kit.cctv.onvif.device import Information, Profile, information, profiles
from exam_kit.cctv.onvif.discovery import PORT, WAIT_S, Found, discover, networks
from exam_kit.cctv.onvif.wire import OnvifError
from exam_kit.cli.words import Desk, acting, add_as, add_json, answer, at_the_terminal, secret
from exam_kit.errors import UsageError, m
from exam_kit.i18n import _, ngettext
from exam_kit.point import Camera

__all__ = ["add_commands"]


def add_commands(commands: Any) -> None:
    camera = commands.add_parser("camera", help=_("cameras")).add_subparsers(required=True, metavar="COMMAND")
    password = camera.add_parser("password", help=_("keep a camera's password; it is asked for, or read from input"))
    password.add_argument("camera")
    password.set_defaults(run=_password)

    find = camera.add_parser("find", help=_("cameras of the network by ONVIF, with lines ready for point.toml"))
    find.add_argument("--interface", nargs="+", metavar="ADDRESS", help=_("search from these addresses (default: all)"))
    find.add_argument("--host", nargs="+", default=[], metavar="HOST", help=_("ask these hosts, and nobody else"))
    find.add_argument("--seconds", type=float, default=WAIT_S, help=_("wait this long for answers"))
    find.add_argument("--user", help=_("sign in and list the streams too; the password is asked for"))
    find.add_argument("--port", type=int, default=PORT, help=argparse.SUPPRESS)
    add_json(find)
    find.set_defaults(run=_find)

    usb = camera.add_parser("usb", help=_("cameras plugged into this computer, with the address for point.toml"))
    add_json(usb)
    usb.set_defaults(run=_usb)

    info = camera.add_parser("info", help=_("what a camera says of itself: model, streams, clock"))
    info.add_argument("camera")
    add_json(info)
    info.set_defaults(run=_info)

    clock = camera.add_parser("clock", help=_("how far the clocks are off; --set sets them on an order"))
    clock.add_argument("camera", nargs="*", help=_("these cameras (default: all with an ONVIF address)"))
    clock.add_argument("--set", action="store_true", help=_("set the clock; not in an exam, not while recording"))
    clock.add_argument("--by", help=_("who ordered it (needed to set)"))
    clock.add_argument("--why", default="", help=_("the reason (needed to set)"))
    add_as(clock)
    add_json(clock)
    clock.set_defaults(run=_clock)


def _camera(desk: Desk, camera_id: str) -> Camera:
    if all(camera.id != camera_id for camera in desk.point.cameras):
        raise UsageError(
            m(
                "{camera}: there is no such camera. The point has: {known}.",
                camera=camera_id,
                known=", ".join(camera.id for camera in desk.point.cameras),
            )
        )
    return desk.point.camera(camera_id)


def _password(options: argparse.Namespace) -> int:
    desk = Desk.open()
    camera = _camera(desk, options.camera)
    desk.secrets.set(f"camera:{camera.id}", secret(_("Password: ")))
    desk.ledger.append("camera.password_changed", {"camera": camera.id}, at_the_terminal())
    print(_("{camera}: the password is kept in {place}.").format(camera=camera.id, place=desk.secrets.place))
    return 0


def _find(options: argparse.Namespace) -> int:
    where = options.interface or ([] if options.host else list(networks().values()))
    if not where and not options.host:
        raise UsageError(m("This computer is in no network. Connect the cable, or name hosts with --host."))
    try:
        found = discover(where, options.host, wait_s=options.seconds, port=options.port)
    except OSError as problem:
        raise UsageError(
            m(
                "The search cannot begin from {where} ({reason}). Name an address of this computer with --interface, "
                "or a camera's with --host.",
                where=", ".join([*where, *options.host]),
                reason=problem.strerror or problem,
            )
        ) from None
    password = secret(_("Password: ")) if options.user and found else None
    seen = [(one, *_looked_at(one, options.user, password)) for one in found]
    data = [
        {**vars(one), "streams": [vars(stream) for stream in streams], "problem": problem}
        for one, streams, problem in seen
    ]
    lines = [_lines(number, *one, options.user) for number, one in enumerate(seen, 1)]
    count = ngettext("{count} camera answered.", "{count} cameras answered.", len(found)).format(count=len(found))
    answer(options, data, "\n\n".join([count, *lines]))
    return 0


def _usb(options: argparse.Namespace) -> int:
    found = devices()
    lines = [f"# {device.name}\nurl = {_quoted(device.url)}" for device in found]
    nothing = _("No camera is plugged in, or this system cannot list them.")
    answer(options, [vars(device) for device in found], "\n\n".join(lines) or nothing)
    return 0


def _looked_at(found: Found, user: str | None, password: str | None) -> tuple[list[Profile], str]:
    """The streams of a found camera, and why they are not known."""
    if not user:
        return [], ""
    try:
        return profiles(OnvifCamera(found.onvif, user, password)), ""
    except OnvifError as problem:
        return [], problem.text()


def _lines(number: int, found: Found, streams: list[Profile], problem: str, user: str | None) -> str:
    """Lines for point.toml; what a person still has to fill in stands as a comment."""
    about = " · ".join(part for part in (found.host, found.hardware, found.name, found.location) if part)
    written = [f"# {about}"]
    if problem:
        written.append(f"# {problem}")
    written += [f"# {_stream(stream)}" for stream in streams]
    main = streams[0] if streams else None
    address = main.stream if main else f"rtsp://{found.host}:554/"
    written += ["[[cameras]]", f'id = "CAM-{number}"', f'room = "0001"           # {_("which room?")}']
    written.append(f"url = {_quoted(address)}" + ("" if main else f"  # {_('the path stands in its manual')}"))
    if user:
        written.append(f"user = {_quoted(user)}")
    rate = main.bitrate_bps / 1e6 if main else 0.0
    written.append(f"bitrate_mbps = {rate:g}" if rate else f"bitrate_mbps = 2         # {_('as set in the camera')}")
    return "\n".join([*written, f"onvif = {_quoted(found.onvif)}"])


def _stream(stream: Profile) -> str:
    return f"{stream.name}: {stream.codec} {stream.width}×{stream.height} {stream.fps:g} fps, {stream.stream}"


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _info(options: argparse.Namespace) -> int:
    desk = Desk.open()
    camera = _camera(desk, options.camera)
    client = asked(camera, desk.secrets, desk.clock)
    plate, clock, streams = information(client), client.clock(), profiles(client)
    data = {**vars(plate), "clock": _clock_data(desk, clock), "streams": [vars(stream) for stream in streams]}
    lines = [*_plate(plate), f"{_('clock')}: {_off(desk, clock)}", *(_stream(stream) for stream in streams)]
    answer(options, data, "\n".join(lines))
    return 0


def _plate(plate: Information) -> list[str]:
    rows = (
        (_("maker"), plate.maker), (_("model"), plate.model), (_("firmware"), plate.firmware),
        (_("serial number"), plate.serial),
    )  # fmt: skip
    return [f"{name}: {value or '—'}" for name, value in rows]


def _clock_data(desk: Desk, clock: CameraClock) -> dict[str, Any]:
    local = clock.local_offset_s(desk.point.tz)
    return {
        "offset_s": round(clock.offset_s, 2),
        "local_offset_s": None if local is None else round(local, 2),
        "error_s": round(clock.error_s, 2),
        "zone": clock.zone,
        "by_ntp": clock.by_ntp,
    }


def _off(desk: Desk, clock: CameraClock) -> str:
    text = _("{offset} s (to within {error} s)").format(
        offset=f"{clock.worst_offset_s(desk.point.tz):+.1f}", error=f"{clock.error_s:.1f}"
    )
    return f"{text}, NTP" if clock.by_ntp else text


def _clock(options: argparse.Namespace) -> int:
    desk = Desk.open()
    known = [camera for camera in desk.point.cameras if camera.onvif is not None]
    cameras = [_camera(desk, one) for one in options.camera] or known
    if options.set:
        return _set(desk, options, cameras)
    if not cameras:
        raise UsageError(
            m("No camera has an ONVIF address. 'exam-kit camera find' shows them; write them into point.toml.")
        )
    data, lines, problems = {}, [], 0
    for camera in cameras:
        try:
            read = asked(camera, desk.secrets, desk.clock).clock()
        except OnvifError as problem:
            data[camera.id], problems = {"problem": problem.text()}, problems + 1
            lines.append(f"{camera.id}: {problem.text()}")
            continue
        data[camera.id] = _clock_data(desk, read)
        lines.append(f"{camera.id}: {_off(desk, read)}")
    answer(options, data, "\n".join(lines))
    return OnvifError.exit_code if problems else 0


def _set(desk: Desk, options: argparse.Namespace, cameras: list[Camera]) -> int:
    if not options.by or not options.why.strip() or not options.camera:
        raise UsageError(
            m("camera clock --set: a clock is set on an order. Name cameras, who ordered it (--by) and why (--why).")
        )
    for camera in cameras:
        # Said at once; the agent, which knows what is recorded, decides again when it comes to it.
        why = why_not_now(desk.point, camera, desk.clock, ())
        if why is not None:
            raise UsageError(why)
    from exam_kit.cli.day import an_agent, ordered  # loads the agent

    actor = acting(desk, options)
    with an_agent(desk):
        body = {"cameras": [camera.id for camera in cameras]}
        order = ordered(desk, "camera_clock", body, options.by, options.why, actor=actor)
    done, refused = order.result["set"], order.result["not_set"]
    lines = [
        _("{camera}: set; it was off by {before} s, now by {after} s").format(
            camera=one, before=f"{told['before']['worst_s']:+.1f}", after=f"{told['after']['worst_s']:+.1f}"
        )
        for one, told in done.items()
    ]
    answer(options, order.result, "\n".join([*lines, *refused.values()]))
    return OnvifError.exit_code if refused else 0
