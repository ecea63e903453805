#!/usr/bin/python3
"""A real RTSP server for tests: GStreamer's, run by the system's python3 (`gir1.2-gst-rtsp-server-1.0`, `python3-gi`).

Reads one JSON line from stdin, so that a password stands in no process list::

    {"mounts": ["cam1", "cam2"], "user": "viewer", "password": "…", "file": "/path/to.mp4", "sound": false, "port": 0,
     "address": "127.0.0.1"}

`file` (H.264 in mp4) is served in a loop with unbroken timestamps; without it a small test pattern, in `codec` "h264",
"h265" or "mjpeg". `sound` adds a track: true or "alaw" for G.711, as many cameras have, "mulaw", "aac", or "short"
for G.711 that ends after two seconds. `frames` ends the pattern's picture after so many; the sound goes on. With
`user` sign-in is required, `sign_in` "digest" or "basic". `transport` "udp" or "tcp" refuses the other one with 461.
`loss` loses and shuffles that share of the pattern's packets. Prints ``{"port": N}`` when it listens and ends when
stdin closes. SIGSTOP makes it a stalled camera, SIGKILL a dead one.

Further lines on stdin change it while it runs: ``{"do": "size", "width": 480, "height": 360}`` changes the pattern's
size in the stream, ``{"do": "refuse"}`` hangs up on everybody and knows the password no more, ``{"do": "accept"}``
knows it again, ``{"do": "file", "file": …}`` goes on with another file at its next keyframe, in the same stream.
"""

from __future__ import annotations

import json
import sys
import threading
from typing import Any

import gi  # type: ignore[import-not-found]

gi.require_version("Gst", "1.0")
gi.require_version("GstRtsp", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtsp, GstRtspServer  # type: ignore[import-not-found]  # noqa: E402

PATTERN = (
    "videotestsrc is-live=true pattern=ball ! capsfilter name=size "
    "caps=video/x-raw,format=I420,width=320,height=240,framerate=10/1"
)
CODECS = {
    "h264": (
        "x264enc tune=zerolatency speed-preset=ultrafast key-int-max=10 bitrate=300 threads=1 ! h264parse",
        "rtph264pay config-interval=-1",
    ),
    "h265": (
        "x265enc tune=zerolatency speed-preset=ultrafast key-int-max=10 bitrate=300 ! h265parse",
        "rtph265pay config-interval=-1",
    ),
    "mjpeg": ("jpegenc", "rtpjpegpay"),
}
FROM_FILE = (
    "appsrc name=frames is-live=true format=time block=false max-bytes=400000 "
    "caps=video/x-h264,stream-format=byte-stream,alignment=au ! h264parse ! "
    "rtph264pay name=pay0 pt=96 config-interval=1"
)
SOUND = (
    " audiotestsrc is-live=true wave=ticks ! audio/x-raw,rate={rate},channels=1 ! queue ! {encoder} name=pay1 pt={pt}"
)
SOUNDS = {
    "alaw": SOUND.format(rate=8000, encoder="alawenc ! rtppcmapay", pt=8),
    "mulaw": SOUND.format(rate=8000, encoder="mulawenc ! rtppcmupay", pt=0),
    "short": SOUND.format(rate=8000, encoder="alawenc ! rtppcmapay", pt=8).replace("wave=", "num-buffers=15 wave="),
    "aac": SOUND.format(rate=16000, encoder="voaacenc ! aacparse ! rtpmp4gpay", pt=97),
}
PROTOCOLS = {
    "any": GstRtsp.RTSPLowerTrans.TCP | GstRtsp.RTSPLowerTrans.UDP,
    "udp": GstRtsp.RTSPLowerTrans.UDP,
    "tcp": GstRtsp.RTSPLowerTrans.TCP,
}
METHODS = {"digest": GstRtsp.RTSPAuthMethod.DIGEST, "basic": GstRtsp.RTSPAuthMethod.BASIC}


def load(path: str) -> list[tuple[bytes, int, int, int]]:
    """Every access unit of the file: data, pts, dts, duration in nanoseconds."""
    pipeline = Gst.parse_launch(
        "filesrc name=file ! qtdemux ! h264parse config-interval=-1 ! "
        "video/x-h264,stream-format=byte-stream,alignment=au ! appsink name=out sync=false"
    )
    pipeline.get_by_name("file").set_property("location", path)
    pipeline.set_state(Gst.State.PLAYING)
    sink, units = pipeline.get_by_name("out"), []
    while (sample := sink.emit("pull-sample")) is not None:
        buffer = sample.get_buffer()
        units.append((buffer.extract_dup(0, buffer.get_size()), buffer.pts, buffer.dts, buffer.duration))
    pipeline.set_state(Gst.State.NULL)
    return units


class Factory(GstRtspServer.RTSPMediaFactory):  # type: ignore[misc]
    """One camera; all its clients share one stream."""

    def __init__(self, units: list[tuple[bytes, int, int, int]], wanted: dict[str, Any]) -> None:
        super().__init__()
        self.units = units
        self.next_units: list[tuple[bytes, int, int, int]] | None = None
        self.media: list[Any] = []
        self.loss = float(wanted.get("loss") or 0)
        self.frames = int(wanted.get("frames") or -1)
        self.encoder, self.payloader = CODECS[wanted.get("codec") or "h264"]
        sound = wanted.get("sound")
        self.sound = SOUNDS["alaw" if sound is True else sound] if sound else ""
        self.set_launch("( " + (FROM_FILE if units else self.pattern()) + self.sound + " )")
        self.set_shared(True)
        self.set_protocols(PROTOCOLS[wanted.get("transport") or "any"])
        self.connect("media-configure", self.configured)

    def pattern(self) -> str:
        pattern = PATTERN.replace("videotestsrc", f"videotestsrc num-buffers={self.frames}")
        return f"{pattern} ! {self.encoder} ! {self.payloader} name=pay0 pt=96"

    def do_create_element(self, url: Any) -> Any:
        """The pipeline; with losses behind the payloader, where the network is."""
        if not self.loss:
            return GstRtspServer.RTSPMediaFactory.do_create_element(self, url)
        made = Gst.parse_bin_from_description(f"{PATTERN} ! {self.encoder} ! identity name=last {self.sound}", False)
        network = Gst.parse_bin_from_description(
            f"{self.payloader} pt=96 ! netsim allow-reordering=true drop-probability={self.loss} "
            f"delay-probability={self.loss} min-delay=5 max-delay=30",
            True,
        )
        network.set_name("pay0")
        made.add(network)
        made.get_by_name("last").link(network)
        return made

    def resize(self, width: int, height: int) -> None:
        """Another picture size in the same stream."""
        caps = Gst.Caps.from_string(f"video/x-raw,format=I420,width={width},height={height},framerate=10/1")
        for media in self.media:
            media.get_element().get_by_name_recurse_up("size").set_property("caps", caps)

    def configured(self, _factory: Any, media: Any) -> None:
        """Feed a new stream from the first keyframe on."""
        self.media = [media]
        if not self.units:
            return
        position = {"index": 0, "offset": 0}

        def feed(source: Any, _size: int) -> None:
            if self.next_units is not None:
                position["offset"] += self.units[position["index"]][1]
                position["index"], self.units, self.next_units = 0, self.next_units, None
            data, pts, dts, duration = self.units[position["index"]]
            buffer = Gst.Buffer.new_wrapped(data)
            buffer.pts, buffer.dts, buffer.duration = pts + position["offset"], dts + position["offset"], duration
            source.emit("push-buffer", buffer)
            position["index"] += 1
            if position["index"] == len(self.units):
                position["index"] = 0
                position["offset"] += max(pts + duration for _data, pts, _dts, duration in self.units)

        media.get_element().get_by_name_recurse_up("frames").connect("need-data", feed)


def guard(server: Any, user: str, password: str, method: str) -> tuple[Any, Any]:
    """Sign-in for everything: who knows the password, and what it permits."""
    auth = GstRtspServer.RTSPAuth()
    auth.set_supported_methods(METHODS[method])
    token = GstRtspServer.RTSPToken()
    token.set_string("media.factory.role", "viewer")
    if method == "basic":
        auth.add_basic(GstRtspServer.RTSPAuth.make_basic(user, password), token)
    else:
        auth.add_digest(user, password, token)
    server.set_auth(auth)
    permissions = GstRtspServer.RTSPPermissions()
    permissions.add_role("viewer")
    permissions.add_permission_for_role("viewer", "media.factory.access", True)
    permissions.add_permission_for_role("viewer", "media.factory.construct", True)
    return auth, permissions


class Camera:
    """The server and what can be changed about it while it runs."""

    def __init__(self, wanted: dict[str, Any]) -> None:
        self.wanted = wanted
        self.server = GstRtspServer.RTSPServer()
        self.server.set_address(wanted.get("address", "127.0.0.1"))
        self.server.set_service(str(wanted.get("port", 0)))
        units = load(wanted["file"]) if wanted.get("file") else []
        self.auth: Any = None
        permissions: Any = None
        if wanted.get("user"):
            method = wanted.get("sign_in") or "digest"
            self.auth, permissions = guard(self.server, wanted["user"], wanted["password"], method)
        self.factories = [Factory(units, wanted) for _mount in wanted["mounts"]]
        for mount, factory in zip(wanted["mounts"], self.factories, strict=True):
            if permissions is not None:
                factory.set_permissions(permissions)
            self.server.get_mount_points().add_factory(f"/{mount}", factory)

    def follow(self, command: dict[str, Any]) -> None:
        """One of the further lines."""
        if command["do"] == "file":
            units = load(command["file"])
            for factory in self.factories:
                factory.next_units = units
        elif command["do"] == "size":
            for factory in self.factories:
                factory.resize(command["width"], command["height"])
        elif command["do"] == "refuse":
            self.auth.remove_digest(self.wanted["user"])
            self.server.client_filter(lambda _server, _client: GstRtspServer.RTSPFilterResult.REMOVE)
        elif command["do"] == "accept":
            token = GstRtspServer.RTSPToken()
            token.set_string("media.factory.role", "viewer")
            self.auth.add_digest(self.wanted["user"], self.wanted["password"], token)


def main() -> None:
    Gst.init(None)
    wanted = json.loads(sys.stdin.readline())
    camera = Camera(wanted)
    loop = GLib.MainLoop()
    if camera.server.attach(None) == 0:
        sys.exit("the port is taken")
    print(json.dumps({"port": camera.server.get_bound_port()}), flush=True)

    def listen() -> None:
        for line in sys.stdin:
            command = json.loads(line)
            if command["do"] == "file":
                camera.follow(command)  # reading it would hold up the stream
            else:
                GLib.idle_add(camera.follow, command)
        loop.quit()

    threading.Thread(target=listen, daemon=True).start()
    loop.run()


if __name__ == "__main__":
    main()
