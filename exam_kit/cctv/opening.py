"""Opening a camera's stream. The only place where an address and its password meet."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import quote, urlsplit, urlunsplit

import av
import av.error
from av.container import InputContainer

from exam_kit.cctv.devices import Device, device_of
from exam_kit.cctv.reach import reach
from exam_kit.cctv.source import OPEN_TIMEOUT_S, READ_TIMEOUT_S, Scrubber, Source, SourceFault, fault_of

__all__ = ["files_of", "open_file", "open_input", "read_lightly"]

PROBE_US = 500_000
"""Stream parameters come from the sign-on; looking longer than this for a frame rate only delays the first second."""
RECEIVE_BYTES = 4 << 20
"""Asked of the system for UDP: a keyframe of a large picture comes in one burst."""
CONNECT_S = 1.0
FILMS = frozenset({".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi", ".ts", ".mts", ".m2ts", ".mpg", ".mpeg", ".wmv"})

_slow: set[str] = set()
"""Addresses whose camera took longer to answer than a stalled one is waited for."""
_worked: dict[str, str] = {}
"""Address → the transport by which it sent last, so that a reconnect does not begin with the one that fails."""


@dataclass(frozen=True)
class _Form:
    """What FFmpeg is given. Holds the password: never shown."""

    address: str = field(repr=False)
    format: str | None = None
    options: Mapping[str, str] = field(default_factory=dict)


def open_input(
    source: Source,
    password: str | None,
    *,
    open_timeout_s: float = OPEN_TIMEOUT_S,
    read_timeout_s: float = READ_TIMEOUT_S,
    scrubber: Scrubber | None = None,
    closely: bool = False,
) -> InputContainer:
    """The source, opened; its first video stream exists. A file is neither paced nor looped here, of a folder the first
    file is opened.

    Who reads it is told when nothing at all comes for `read_timeout_s`; with `closely` also when bytes come and no
    picture (see `read_lightly`).

    Raises:
        SourceFault: it could not be opened; neither text nor repr holds the password.
    """
    scrubber = scrubber or Scrubber()
    scrubber.learn(password, source.user)
    if source.kind == "rtsp" and source.transport == "auto":
        return _open_either(source, password, open_timeout_s, read_timeout_s, scrubber)
    if source.kind == "usb":
        return _open_device(source, device_of(source.url), open_timeout_s, read_timeout_s, scrubber)
    if source.is_file:
        return open_file(source, files_of(source)[0], scrubber)
    form = _Form(_address(source, password), options=_options(source))
    if read_lightly(source) and not closely and source.url not in _slow:
        return _open_lightly(source, form, open_timeout_s, read_timeout_s, scrubber)
    began = time.monotonic()
    container = _open(source, form, open_timeout_s, read_timeout_s, scrubber)
    if time.monotonic() - began < read_timeout_s / 2:
        _slow.discard(source.url)
    return container


def read_lightly(source: Source) -> bool:
    """May FFmpeg watch over reads by itself? PyAV's own watch takes the interpreter's lock a hundred times a frame, an
    eighth of all that recording costs; FFmpeg's is free, and does not see a camera that sends bytes and no picture."""
    return source.kind == "rtsp" and not source.may_lose


def files_of(source: Source) -> list[Path]:
    """The file, or the films of the folder in order of their names.

    Raises:
        SourceFault: there is none.
    """
    fault: SourceFault
    try:
        if not source.path.is_dir():
            return [source.path]
        found = sorted(path for path in source.path.iterdir() if path.suffix.lower() in FILMS and path.is_file())
        if found:
            return found
        fault = SourceFault("refused", source.camera, "the folder holds no films")
    except OSError as problem:
        fault = fault_of(problem, source.camera, Scrubber())
    raise fault from None


def open_file(source: Source, path: Path, scrubber: Scrubber) -> InputContainer:
    """One file of the source.

    Raises:
        SourceFault: it cannot be read or has no video.
    """
    return _open(source, _Form(str(path)), OPEN_TIMEOUT_S, READ_TIMEOUT_S, scrubber)


def _open_lightly(source: Source, form: _Form, open_s: float, read_s: float, scrubber: Scrubber) -> InputContainer:
    """FFmpeg knows one limit for every wait on the socket, also while it signs on: who needs longer for that is waited
    for in the other way from the next try on."""
    options = {**form.options, "timeout": str(round(read_s * 1_000_000))}
    try:
        return _open(source, replace(form, options=options), open_s, None, scrubber)
    except SourceFault as fault:
        if fault.cause == "timeout" and open_s > read_s and reach(source.url, CONNECT_S) == "answers":
            _slow.add(source.url)
        raise


def _open(source: Source, form: _Form, open_s: float, read_s: float | None, scrubber: Scrubber) -> InputContainer:
    began = time.monotonic()
    try:
        container = av.open(
            form.address, format=form.format, options=dict(form.options), timeout=(open_s, read_s), mode="r"
        )
    except (av.error.FFmpegError, OSError, ValueError) as problem:
        fault = fault_of(problem, source.camera, scrubber)
        if time.monotonic() - began >= open_s:
            # An interrupted connection is reported as anything, even as invalid data.
            fault = SourceFault("timeout", source.camera, "timed out")
    else:
        if container.streams.video and (container.streams.video[0].width or time.monotonic() - began < open_s):
            return container
        silent = bool(container.streams.video)
        container.close()
        # A camera that describes its stream and then sends nothing of it counts as opened for FFmpeg.
        fault = (
            SourceFault("timeout", source.camera, "it answers and sends nothing")
            if silent
            else SourceFault("no_video", source.camera, "no video stream")
        )
    raise fault from None


def _open_either(
    source: Source, password: str | None, open_s: float, read_s: float, scrubber: Scrubber
) -> InputContainer:
    """Over TCP, and over UDP when the camera refuses that or sends nothing; what worked last comes first."""
    order = ("udp", "tcp") if _worked.get(source.url) == "udp" else ("tcp", "udp")
    fault: SourceFault | None = None
    for transport in order:
        if fault is not None and not _may_send_otherwise(fault, source):
            break
        chosen = replace(source, transport=transport)
        form = _Form(_address(source, password), options=_options(chosen))
        try:
            container = _open(chosen, form, open_s / len(order), read_s, scrubber)
        except SourceFault as problem:
            # What the first way met says more than the second one's silence.
            fault = problem if fault is None or fault.way == "transport" else fault
        else:
            _worked[source.url] = transport
            return container
    _worked.pop(source.url, None)
    if fault is None:
        raise AssertionError("no transport was tried")
    raise fault from None


def _may_send_otherwise(fault: SourceFault, source: Source) -> bool:
    if fault.way == "transport":
        return True
    if fault.cause not in ("timeout", "ended", "unreadable"):
        return False
    return reach(source.url, CONNECT_S) == "answers"  # otherwise nobody is there at all


def _open_device(source: Source, device: Device, open_s: float, read_s: float, scrubber: Scrubber) -> InputContainer:
    """The device with the first set of options that it takes: not every one has every size, rate and format."""
    fault: SourceFault | None = None
    for options in device.options(source.encode):
        try:
            return _open(source, _Form(device.name, device.format, options), open_s, read_s, scrubber)
        except SourceFault as problem:
            fault = SourceFault(problem.cause, source.camera, problem.detail, "device")
            if problem.cause != "unreadable":
                break
    if fault is None:
        raise AssertionError("a device has at least one set of options")
    raise fault from None


def _address(source: Source, password: str | None) -> str:
    if source.user is None:
        return source.url
    parts = urlsplit(source.url)
    who = quote(source.user, safe="") + (f":{quote(password, safe='')}" if password else "")
    return urlunsplit(parts._replace(netloc=f"{who}@{parts.netloc}"))


def _options(source: Source) -> dict[str, str]:
    options = {"analyzeduration": str(PROBE_US), "fpsprobesize": "0"}
    if source.kind == "rtsp":
        options["rtsp_transport"] = source.transport
        # Sound that is not wanted is not even asked for: nothing of it leaves the camera.
        options["allowed_media_types"] = "video+audio" if source.sound else "video"
        if source.transport == "udp":
            options["buffer_size"] = str(RECEIVE_BYTES)
    return options
