"""A camera that speaks ONVIF over real HTTP, with a clock of its own and a sign-in that is strict about it.

It refuses a UsernameToken whose time is more than five seconds from its own clock, or whose nonce it has seen; it
refuses an HTTP digest whose count does not grow. ``python -m tests.onvif_simulator --skew 97`` runs one to play with.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import os
import re
import socket
import ssl
import struct
import threading
import time
import xml.etree.ElementTree as ET
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from urllib.request import parse_http_list, parse_keqv_list
from xml.sax.saxutils import escape

USER, PASSWORD = "viewer", "Ünlock–7&<seven>"
AXIS = "http://www.axis.com/2009/event"
TOLERANCE_S = 5.0
GROUP = "239.255.255.250"
JPEG = b"\xff\xd8\xff\xe0" + b"snapshot" * 64 + b"\xff\xd9"
OPEN = ("GetSystemDateAndTime", "GetServices", "GetCapabilities")
"""What the standard lets anybody ask (ONVIF Core, access classes)."""
NS = (
    'xmlns:s="http://www.w3.org/2003/05/soap-envelope" xmlns:tds="http://www.onvif.org/ver10/device/wsdl" '
    'xmlns:trt="http://www.onvif.org/ver10/media/wsdl" xmlns:tr2="http://www.onvif.org/ver20/media/wsdl" '
    'xmlns:tev="http://www.onvif.org/ver10/events/wsdl" xmlns:tt="http://www.onvif.org/ver10/schema" '
    'xmlns:wsnt="http://docs.oasis-open.org/wsn/b-2" xmlns:wsa5="http://www.w3.org/2005/08/addressing" '
    'xmlns:ter="http://www.onvif.org/ver10/error" xmlns:tns1="http://www.onvif.org/ver10/topics"'
)


@dataclass
class Simulator:
    """One camera. Use as a context manager; `url` is its ONVIF address, `skew_s` how far its clock is ahead."""

    skew_s: float = 0.0
    sign_in: str = "token"
    """token, digest (HTTP) or none."""
    algorithm: str = "MD5"
    zone: str = "MSK-3"
    daylight: bool = False
    ntp: bool = False
    tells_utc: bool = True
    time_is_open: bool = True
    """False: it wants a sign-in for its time as well."""
    media2: bool = False
    old: bool = False
    """It knows GetCapabilities only."""
    advertised: str = ""
    """Host that it names in its addresses in place of its own."""
    by_reference: bool = False
    """It tells subscriptions apart by ReferenceParameters, as Axis does, not by their addresses."""
    discovery_port: int = 0
    certificate: str = ""
    """File with a key and a certificate: it is asked by TLS."""
    instead: dict[str, Callable[[BaseHTTPRequestHandler], None]] = field(default_factory=dict)
    """What it does in place of answering a request."""
    calls: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    subscriptions: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._nonces: set[bytes] = set()
        self._digests: dict[str, int] = {}
        self._events: deque[tuple[str, bool]] = deque()
        self._waiting = threading.Condition()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]
        if self.certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(self.certificate)
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self._udp: socket.socket | None = None
        self._left = threading.Event()

    def __enter__(self) -> Simulator:
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()
        if self.discovery_port:
            self._udp = _listening(self.discovery_port)
            threading.Thread(target=self._answer_probes, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._left.set()
        with self._waiting:
            self._waiting.notify_all()

    @property
    def url(self) -> str:
        return f"http{'s' if self.certificate else ''}://127.0.0.1:{self.port}/onvif/device_service"

    def now(self) -> datetime:
        """By the camera's clock."""
        return datetime.now(UTC) + timedelta(seconds=self.skew_s)

    def happen(self, topic: str, on: bool) -> None:
        """Something is seen."""
        with self._waiting:
            self._events.append((topic, on))
            self._waiting.notify_all()

    # -- sign-in

    def trusts_token(self, header: ET.Element | None) -> bool:
        found = header.find(".//{*}UsernameToken") if header is not None else None
        if found is None or found.findtext("{*}Username") != USER:
            return False
        nonce = base64.b64decode(found.findtext("{*}Nonce") or "")
        created = found.findtext("{*}Created") or ""
        digest = base64.b64encode(hashlib.sha1(nonce + created.encode() + PASSWORD.encode()).digest()).decode()
        told = datetime.fromisoformat(created)
        fresh = abs((told - self.now()).total_seconds()) <= TOLERANCE_S and nonce not in self._nonces
        self._nonces.add(nonce)
        return fresh and digest == found.findtext("{*}Password")

    def trusts_digest(self, method: str, path: str, given: str) -> bool:
        if not given.startswith("Digest "):
            return False
        words = parse_keqv_list(parse_http_list(given[7:].encode("latin-1").decode()))
        nonce, count = words.get("nonce", ""), int(words.get("nc", "0"), 16)
        if nonce not in self._digests or count <= self._digests[nonce] or words.get("uri") != path:
            return False
        self._digests[nonce] = count

        def hashed(*parts: str) -> str:
            kind = hashlib.sha256 if self.algorithm == "SHA-256" else hashlib.md5
            return kind(":".join(parts).encode()).hexdigest()

        mine = hashed(USER, 'cam "era"', PASSWORD)
        right = hashed(mine, nonce, words["nc"], words["cnonce"], "auth", hashed(method, path))
        return words.get("response") == right and words.get("username") == USER

    def challenge(self) -> str:
        nonce = os.urandom(8).hex()
        self._digests[nonce] = 0
        return (
            f'Digest realm="cam \\"era\\"", nonce="{nonce}", qop="auth", algorithm={self.algorithm}, '
            f'opaque="5ccc"{", stale=true" if len(self._digests) > 1 else ""}'
        )

    def forget_digests(self) -> None:
        """As after a restart: what was handed out before is not known."""
        self._digests.clear()
        self._digests["-"] = 0

    # -- answers

    def xaddr(self, name: str) -> str:
        return f"http://{self.advertised or f'127.0.0.1:{self.port}'}/onvif/{name}"

    def answer(self, asked: ET.Element, path: str) -> str:
        """The body's content for one request; KeyError for one it does not know."""
        name = asked.tag.rpartition("}")[2]
        if name in ("Renew", "Unsubscribe", "PullMessages"):
            return self._subscribed(name, asked, path)
        return getattr(self, f"on_{name}")(asked)  # type: ignore[no-any-return]

    def on_GetSystemDateAndTime(self, _asked: ET.Element) -> str:
        utc = self.now()
        east = -int(re.match(r"[A-Z]+([+-]?\d+)", self.zone)[1]) + self.daylight  # type: ignore[index]
        utc_told = f"<tt:UTCDateTime>{_moment(utc)}</tt:UTCDateTime>" if self.tells_utc else ""
        return (
            "<tds:GetSystemDateAndTimeResponse><tds:SystemDateAndTime><tt:DateTimeType>"
            f"{'NTP' if self.ntp else 'Manual'}</tt:DateTimeType>"
            f"<tt:DaylightSavings>{str(self.daylight).lower()}</tt:DaylightSavings>"
            f"<tt:TimeZone><tt:TZ>{self.zone}</tt:TZ></tt:TimeZone>{utc_told}"
            f"<tt:LocalDateTime>{_moment(utc + timedelta(hours=east))}</tt:LocalDateTime>"
            "</tds:SystemDateAndTime></tds:GetSystemDateAndTimeResponse>"
        )

    def on_SetSystemDateAndTime(self, asked: ET.Element) -> str:
        told = asked.find("{*}UTCDateTime")
        assert told is not None
        parts = [int(told.findtext(f"{{*}}Date/{{*}}{part}") or "") for part in ("Year", "Month", "Day")]
        parts += [int(told.findtext(f"{{*}}Time/{{*}}{part}") or "") for part in ("Hour", "Minute", "Second")]
        year, month, day, hour, minute, second = parts
        self.skew_s = datetime(year, month, day, hour, minute, second, tzinfo=UTC).timestamp() - time.time()
        self.ntp = asked.findtext("{*}DateTimeType") == "NTP"
        self.daylight = asked.findtext("{*}DaylightSavings") == "true"
        self.zone = asked.findtext("{*}TimeZone/{*}TZ") or self.zone
        return "<tds:SetSystemDateAndTimeResponse/>"

    def on_GetDeviceInformation(self, _asked: ET.Element) -> str:
        return (
            "<tds:GetDeviceInformationResponse><tds:Manufacturer>Simulated &amp; Co</tds:Manufacturer>"
            "<tds:Model>SIM-2</tds:Model><tds:FirmwareVersion>1.2.3 build 7</tds:FirmwareVersion>"
            f"<tds:SerialNumber>S{self.port}</tds:SerialNumber><tds:HardwareId>1</tds:HardwareId>"
            "</tds:GetDeviceInformationResponse>"
        )

    def on_GetServices(self, _asked: ET.Element) -> str:
        if self.old:
            raise AttributeError("GetServices")
        spaces = {"device": "ver10/device", "events": "ver10/events"}
        spaces["media2" if self.media2 else "media"] = "ver20/media" if self.media2 else "ver10/media"
        told = "".join(
            f"<tds:Service><tds:Namespace>http://www.onvif.org/{space}/wsdl</tds:Namespace>"
            f"<tds:XAddr>{self.xaddr(name)}</tds:XAddr>"
            "<tds:Version><tt:Major>2</tt:Major><tt:Minor>60</tt:Minor></tds:Version></tds:Service>"
            for name, space in spaces.items()
        )
        return f"<tds:GetServicesResponse>{told}</tds:GetServicesResponse>"

    def on_GetCapabilities(self, _asked: ET.Element) -> str:
        return (
            "<tds:GetCapabilitiesResponse><tds:Capabilities>"
            f"<tt:Events><tt:XAddr>{self.xaddr('events')}</tt:XAddr></tt:Events>"
            f"<tt:Media><tt:XAddr>{self.xaddr('media')}</tt:XAddr></tt:Media>"
            "</tds:Capabilities></tds:GetCapabilitiesResponse>"
        )

    def on_GetProfiles(self, _asked: ET.Element) -> str:
        sizes = (("sub", 640, 360, 10, 512, "H264"), ("main", 1920, 1080, 25, 4096, "H265" if self.media2 else "H264"))
        told = ""
        for name, width, height, fps, kbps, codec in sizes:
            encoder = (
                f'token="e-{name}"><tt:Name>{name}</tt:Name><tt:UseCount>1</tt:UseCount>'
                f"<tt:Encoding>{codec}</tt:Encoding><tt:Resolution><tt:Width>{width}</tt:Width>"
                f"<tt:Height>{height}</tt:Height></tt:Resolution>"
            )
            rate = f"<tt:FrameRateLimit>{fps}</tt:FrameRateLimit>"
            if self.media2:
                told += (
                    f'<tr2:Profiles token="{name}&amp;1" fixed="true"><tr2:Name>{name}</tr2:Name><tr2:Configurations>'
                    f"<tr2:VideoEncoder {encoder}<tt:RateControl>{rate}<tt:BitrateLimit>{kbps}</tt:BitrateLimit>"
                    "</tt:RateControl><tt:Quality>3</tt:Quality></tr2:VideoEncoder></tr2:Configurations></tr2:Profiles>"
                )
            else:
                told += (
                    f'<trt:Profiles token="{name}&amp;1" fixed="true"><tt:Name>{name}</tt:Name>'
                    f"<tt:VideoEncoderConfiguration {encoder}<tt:Quality>3</tt:Quality><tt:RateControl>{rate}"
                    f"<tt:EncodingInterval>1</tt:EncodingInterval><tt:BitrateLimit>{kbps}</tt:BitrateLimit>"
                    "</tt:RateControl></tt:VideoEncoderConfiguration></trt:Profiles>"
                )
        kind = "tr2" if self.media2 else "trt"
        return f"<{kind}:GetProfilesResponse>{told}</{kind}:GetProfilesResponse>"

    def _uri(self, name: str, uri: str) -> str:
        if self.media2:
            return f"<tr2:{name}Response><tr2:Uri>{uri}</tr2:Uri></tr2:{name}Response>"
        return (
            f"<trt:{name}Response><trt:MediaUri><tt:Uri>{uri}</tt:Uri><tt:InvalidAfterConnect>false"
            "</tt:InvalidAfterConnect><tt:InvalidAfterReboot>false</tt:InvalidAfterReboot><tt:Timeout>PT0S</tt:Timeout>"
            f"</trt:MediaUri></trt:{name}Response>"
        )

    def on_GetStreamUri(self, asked: ET.Element) -> str:
        token = asked.findtext("{*}ProfileToken") or ""
        # Some cameras put the sign-in into the address; it must not be kept or shown.
        secret = escape(f"{USER}:in-the-address")
        return self._uri("GetStreamUri", f"rtsp://{secret}@127.0.0.1:554/{escape(token.partition('&')[0])}")

    def on_GetSnapshotUri(self, _asked: ET.Element) -> str:
        return self._uri("GetSnapshotUri", f"{self.xaddr('snapshot')}?size=full")

    # -- events

    def on_CreatePullPointSubscription(self, _asked: ET.Element) -> str:
        number = str(len(self.subscriptions) + 1)
        ends = self.now() + timedelta(seconds=60)
        self.subscriptions[number] = time.monotonic() + 60
        return (
            "<tev:CreatePullPointSubscriptionResponse><tev:SubscriptionReference>"
            f"{self._referred(number)}</tev:SubscriptionReference>"
            f"<wsnt:CurrentTime>{_iso(self.now())}</wsnt:CurrentTime>"
            f"<wsnt:TerminationTime>{_iso(ends)}</wsnt:TerminationTime></tev:CreatePullPointSubscriptionResponse>"
        )

    def _referred(self, number: str) -> str:
        if not self.by_reference:
            return f"<wsa5:Address>{self.xaddr('pull')}/{number}</wsa5:Address>"
        return (
            f"<wsa5:Address>{self.xaddr('pull')}</wsa5:Address><wsa5:ReferenceParameters>\n"
            f'<dom0:SubscriptionId xmlns:dom0="{AXIS}">{number}</dom0:SubscriptionId>\n</wsa5:ReferenceParameters>'
        )

    def _subscribed(self, name: str, asked: ET.Element, path: str) -> str:
        number = path.rpartition("/")[2]
        if self.subscriptions.get(number, 0.0) < time.monotonic():
            raise AttributeError("no such subscription")
        until = f"<wsnt:TerminationTime>{_iso(self.now() + timedelta(seconds=60))}</wsnt:TerminationTime>"
        now = f"<wsnt:CurrentTime>{_iso(self.now())}</wsnt:CurrentTime>"
        if name == "Renew":
            self.subscriptions[number] = time.monotonic() + 60
            return f"<wsnt:RenewResponse>{until}{now}</wsnt:RenewResponse>"
        if name == "Unsubscribe":
            del self.subscriptions[number]
            return "<wsnt:UnsubscribeResponse/>"
        wait_s = float((asked.findtext("{*}Timeout") or "PT1S")[2:-1])
        with self._waiting:
            self._waiting.wait_for(lambda: bool(self._events), wait_s)
            told = "".join(self._notice(*self._events.popleft()) for _ in range(len(self._events)))
        now, until = now.replace("wsnt:", "tev:"), until.replace("wsnt:", "tev:")
        return f"<tev:PullMessagesResponse>{now}{until}{told}</tev:PullMessagesResponse>"

    def _notice(self, topic: str, on: bool) -> str:
        return (
            '<wsnt:NotificationMessage><wsnt:Topic Dialect="http://www.onvif.org/ver10/tev/topicExpression/ConcreteSet">'
            f'{escape(topic)}</wsnt:Topic><wsnt:Message><tt:Message UtcTime="{_iso(self.now())}" '
            'PropertyOperation="Changed"><tt:Source><tt:SimpleItem Name="Source" Value="V1"/></tt:Source>'
            f'<tt:Data><tt:SimpleItem Name="State" Value="{str(on).lower()}"/></tt:Data></tt:Message></wsnt:Message>'
            "</wsnt:NotificationMessage>"
        )

    # -- discovery

    def _answer_probes(self) -> None:
        assert self._udp is not None
        while not self._left.is_set():
            try:
                question, asker = self._udp.recvfrom(65507)
            except TimeoutError:
                continue
            mark = re.search(rb"MessageID>([^<]+)<", question)
            if mark is None or b"NetworkVideoTransmitter" not in question:
                continue
            self._udp.sendto(self._match(mark[1].decode()), asker)
        self._udp.close()

    def _match(self, relates_to: str) -> bytes:
        return (
            '<?xml version="1.0" encoding="UTF-8"?><e:Envelope xmlns:e="http://www.w3.org/2003/05/soap-envelope" '
            'xmlns:w="http://schemas.xmlsoap.org/ws/2004/08/addressing" '
            'xmlns:d="http://schemas.xmlsoap.org/ws/2005/04/discovery" '
            'xmlns:dn="http://www.onvif.org/ver10/network/wsdl"><e:Header>'
            f"<w:MessageID>urn:uuid:00000000-0000-1000-8000-{self.port:012d}</w:MessageID>"
            f"<w:RelatesTo>{relates_to}</w:RelatesTo>"
            "<w:Action>http://schemas.xmlsoap.org/ws/2005/04/discovery/ProbeMatches</w:Action></e:Header>"
            "<e:Body><d:ProbeMatches><d:ProbeMatch><w:EndpointReference>"
            f"<w:Address>urn:uuid:camera-{self.port}</w:Address></w:EndpointReference>"
            "<d:Types>dn:NetworkVideoTransmitter</d:Types><d:Scopes>onvif://www.onvif.org/type/video_encoder "
            "onvif://www.onvif.org/hardware/SIM-2 onvif://www.onvif.org/name/Hall%20west "
            "onvif://www.onvif.org/location/school</d:Scopes>"
            f"<d:XAddrs>http://[fe80::1]/onvif/device_service {self.url}</d:XAddrs>"
            "<d:MetadataVersion>1</d:MetadataVersion></d:ProbeMatch></d:ProbeMatches></e:Body></e:Envelope>"
        ).encode()


def free_port(kind: socket.SocketKind = socket.SOCK_STREAM) -> int:
    """A port of 127.0.0.1 that nobody uses now."""
    with socket.socket(socket.AF_INET, kind) as wire:
        wire.bind(("127.0.0.1", 0))
        return int(wire.getsockname()[1])


def _iso(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"


def _moment(told: datetime) -> str:
    return (
        f"<tt:Time><tt:Hour>{told.hour}</tt:Hour><tt:Minute>{told.minute}</tt:Minute>"
        f"<tt:Second>{told.second}</tt:Second></tt:Time><tt:Date><tt:Year>{told.year}</tt:Year>"
        f"<tt:Month>{told.month}</tt:Month><tt:Day>{told.day}</tt:Day></tt:Date>"
    )


def _listening(port: int) -> socket.socket:
    wire = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    wire.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    wire.bind(("", port))
    wire.settimeout(0.05)
    member = struct.pack("4s4s", socket.inet_aton(GROUP), socket.inet_aton("127.0.0.1"))
    wire.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, member)
    return wire


def _handler(camera: Simulator) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_said: object) -> None:
            pass

        def date_time_string(self, timestamp: float | None = None) -> str:
            return super().date_time_string(int(camera.now().timestamp()) if timestamp is None else int(timestamp))

        def send(self, status: int, body: bytes, kind: str = "application/soap+xml; charset=utf-8") -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            if status == 401 and camera.sign_in == "digest":
                self.send_header("WWW-Authenticate", 'Basic realm="camera"')
                self.send_header("WWW-Authenticate", camera.challenge())
            self.end_headers()
            self.wfile.write(body)

        def envelope(self, status: int, content: str) -> None:
            self.send(
                status,
                f'<?xml version="1.0" encoding="UTF-8"?><s:Envelope {NS}><s:Header/><s:Body>{content}</s:Body>'
                "</s:Envelope>".encode(),
            )

        def fault(self, status: int, code: str, reason: str) -> None:
            self.envelope(
                status,
                "<s:Fault><s:Code><s:Value>s:Sender</s:Value><s:Subcode><s:Value>ter:"
                f'{code}</s:Value></s:Subcode></s:Code><s:Reason><s:Text xml:lang="en">{reason}</s:Text></s:Reason>'
                "</s:Fault>",
            )

        def do_GET(self) -> None:
            if "snapshot" in camera.instead:
                return camera.instead["snapshot"](self)
            given = self.headers.get("Authorization", "")
            if camera.sign_in == "digest" and not camera.trusts_digest("GET", self.path, given):
                return self.send(401, b"")
            return self.send(200, JPEG, "image/jpeg")

        def do_POST(self) -> None:
            root = ET.fromstring(self.rfile.read(int(self.headers["Content-Length"])))
            assert root.tag == "{http://www.w3.org/2003/05/soap-envelope}Envelope"
            body, header = root.find("{*}Body"), root.find("{*}Header")
            assert body is not None
            asked = body[0]
            name = asked.tag.rpartition("}")[2]
            camera.calls.append(name)
            if name in camera.instead:
                return camera.instead[name](self)
            is_open = name in OPEN and (camera.time_is_open or name != "GetSystemDateAndTime")
            if not is_open and not self.trusted(header):
                camera.refused.append(name)
                if camera.sign_in == "digest":
                    return self.send(401, b"")
                return self.fault(400, "NotAuthorized", "The sender is not authorized")
            if self.path.startswith("/onvif/pull") and not self.told(header).endswith(self.path):
                return self.fault(400, "InvalidArgVal", "no WS-Addressing")
            try:
                return self.envelope(200, camera.answer(asked, f"{self.path}{self.referred(header)}"))
            except AttributeError:
                return self.fault(500, "ActionNotSupported", f"{name} is not known")

        def referred(self, header: ET.Element | None) -> str:
            """The subscription that a header names, as the end of an address."""
            found = header.find(f"{{{AXIS}}}SubscriptionId") if header is not None else None
            given = found is not None and found.get("{http://www.w3.org/2005/08/addressing}IsReferenceParameter")
            return f"/{found.text}" if found is not None and given == "true" else ""

        def told(self, header: ET.Element | None) -> str:
            """Where WS-Addressing says the request goes."""
            return (header.findtext("{*}To") or "") if header is not None else ""

        def trusted(self, header: ET.Element | None) -> bool:
            if camera.sign_in == "digest":
                return camera.trusts_digest("POST", self.path, self.headers.get("Authorization", ""))
            return camera.sign_in == "none" or camera.trusts_token(header)

    return Handler


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--skew", type=float, default=0.0, help="seconds its clock is ahead")
    parser.add_argument("--sign-in", default="token", choices=["token", "digest", "none"])
    parser.add_argument("--zone", default="MSK-3")
    parser.add_argument("--discovery-port", type=int, default=0)
    told = parser.parse_args()
    with Simulator(told.skew, told.sign_in, zone=told.zone, discovery_port=told.discovery_port) as camera:
        print(camera.url, USER, PASSWORD, flush=True)
        threading.Event().wait()


if __name__ == "__main__":
    main()
