"""Receiving station results over the local network: off unless a person starts it, one file at a time.

It takes exactly the file that a stick would bring and nothing else. It answers whoever reaches the port, so it bounds
everything: the size, the time a caller may take, the number of calls a minute; and a refusal is written to the log
only, for the ledger must not be filled by strangers.
"""

from __future__ import annotations

import hashlib
import json
import logging
import socket
import ssl
import threading
import time
from collections import deque
from collections.abc import Callable
from datetime import timedelta
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from exam_kit.checks.station_file import MAX_BYTES
from exam_kit.checks.station_intake import Taken
from exam_kit.checks.station_send import NAME_HEADER, PATH
from exam_kit.checks.station_sticks import ResultRefused
from exam_kit.checks.wording import in_all
from exam_kit.clock import Clock
from exam_kit.errors import ExamKitError, PortTaken, m

__all__ = ["Receiver", "receiver_certificate", "receiver_fingerprint"]

log = logging.getLogger(__name__)

CALL_S = 20.0
"""A caller's whole time, from the first byte of TLS to the answer."""
CALLS_A_MINUTE = 30
_YEARS = 10

TakeFile = Callable[[bytes, str], Taken]


def receiver_certificate(keys: Path, clock: Clock) -> Path:
    """The PEM file with the receiver's key and self-signed certificate, made on first use, readable by its owner only.

    Sticks carry its fingerprint: a new one would be a stranger to those made before.
    """
    path = keys / "station-receiver.pem"
    if path.exists():
        return path
    private = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Exam Kit")])
    now = clock.now()
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(private.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=365 * _YEARS))
        .sign(private, hashes.SHA256())
    )
    pem = private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ) + certificate.public_bytes(serialization.Encoding.PEM)
    keys.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    part.touch(mode=0o600)
    part.write_bytes(pem)
    part.replace(path)
    return path


def receiver_fingerprint(pem: Path) -> str:
    """SHA-256 of the certificate, 64 hex digits."""
    certificate = x509.load_pem_x509_certificate(pem.read_bytes())
    return hashlib.sha256(certificate.public_bytes(serialization.Encoding.DER)).hexdigest()


class Receiver(HTTPServer):
    """An HTTPS server for `POST /station-result`. One call at a time: the next one waits in the system's queue.

    Raises:
        PortTaken: the address or port cannot be had.
    """

    request_queue_size = 8

    def __init__(self, address: str, port: int, pem: Path, take: TakeFile) -> None:
        self.take_file = take
        self._calls: deque[float] = deque()
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.minimum_version = ssl.TLSVersion.TLSv1_2
        self._context.load_cert_chain(pem)
        if ":" in address:
            self.address_family = socket.AF_INET6
        try:
            super().__init__((address, port), _Handler)
        except OSError as problem:
            raise PortTaken(
                m(
                    "{address}:{port}: cannot listen there ({reason}). Give an address of this computer and a free "
                    "port.",
                    address=address,
                    port=port,
                    reason=problem.strerror or str(problem),
                )
            ) from problem

    @property
    def port(self) -> int:
        return int(self.server_address[1])

    def may_call(self) -> bool:
        """Counts a call; false when there were too many in the last minute."""
        now = time.monotonic()
        while self._calls and self._calls[0] < now - 60:
            self._calls.popleft()
        if len(self._calls) >= CALLS_A_MINUTE:
            return False
        self._calls.append(now)
        return True

    def finish_request(self, request: Any, client_address: Any) -> None:
        """One call, cut off when its time is up, so that nobody holds the receiver by keeping still."""
        timer = threading.Timer(CALL_S, _cut, (request,))
        timer.daemon = True
        timer.start()
        try:
            request.settimeout(CALL_S)
            with self._context.wrap_socket(request, server_side=True, do_handshake_on_connect=False) as line:
                timer.cancel()
                timer = threading.Timer(CALL_S, _cut, (line,))
                timer.daemon = True
                timer.start()
                line.do_handshake()
                super().finish_request(line, client_address)
        except OSError as problem:  # also every fault of TLS
            log.info("station receiver: a call from %s ended: %s", client_address[0], problem)
        finally:
            timer.cancel()


def _cut(line: socket.socket) -> None:
    try:
        socket.socket.shutdown(line, socket.SHUT_RDWR)
    except OSError as problem:
        log.debug("station receiver: already closed: %s", problem)


class _Handler(BaseHTTPRequestHandler):
    server: Receiver
    timeout = CALL_S
    server_version = "ExamKit"
    sys_version = ""

    def do_POST(self) -> None:
        said = self.headers.get("Content-Length", "")
        length = int(said) if said.isascii() and said.isdigit() else None
        # Read before answering, where it is not too much: a caller still sending would see a broken line, no answer.
        data = self.rfile.read(length) if length is not None and length <= MAX_BYTES else b""
        if not self.server.may_call():
            self._answer(HTTPStatus.TOO_MANY_REQUESTS, {"refused": "too_many"})
        elif self.path != PATH:
            self._answer(HTTPStatus.NOT_FOUND, {"refused": "path"})
        elif length is None:
            self._answer(HTTPStatus.LENGTH_REQUIRED, {"refused": "length"})
        elif length > MAX_BYTES:
            self._answer(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, {"refused": "too_large"})
        else:
            self._take(data, length)

    def _take(self, data: bytes, length: int) -> None:
        if len(data) != length:
            self._answer(HTTPStatus.BAD_REQUEST, {"refused": "cut_short"})
            return
        name = Path(unquote(self.headers.get(NAME_HEADER, ""))).name[:120] or "—"
        try:
            taken = self.server.take_file(data, name)
        except ResultRefused as refused:
            text = in_all(refused.text)
            self._answer(HTTPStatus.UNPROCESSABLE_ENTITY, {"refused": refused.reason.value, "text": text})
        except ExamKitError as problem:
            log.warning("station receiver: %s", problem)
            self._answer(HTTPStatus.INTERNAL_SERVER_ERROR, {"refused": "not_kept"})
        else:
            self._answer(HTTPStatus.OK, {"taken": taken.run.id, "station": taken.station})

    def _answer(self, status: HTTPStatus, told: dict[str, Any]) -> None:
        body = json.dumps(told, ensure_ascii=False).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)
        self.close_connection = True

    def log_message(self, format: str, *args: Any) -> None:
        log.info("station receiver: %s %s", self.client_address[0], format % args)
