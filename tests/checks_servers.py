"""Real little servers on loopback: of time, of the web, of printers, silent ones and garbled ones."""

from __future__ import annotations

import ipaddress
import socket
import ssl
import struct
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from exam_kit.checks.probes.clock import NTP_EPOCH


@contextmanager
def time_server(off_s: float, spoil: Callable[[bytearray], bytes] = bytes) -> Iterator[str]:
    """An SNTP server whose clock is `off_s` ahead; `spoil` changes its answer, and sends none when that is empty."""
    line = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    line.bind(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                question, asker = line.recvfrom(512)
            except OSError:
                return
            now = int((time.time() + off_s + NTP_EPOCH) * 2**32)
            answer = bytearray(struct.pack("!BBbb12x8s8sQQ", 0x24, 2, 6, -20, bytes(8), question[40:48], now, now))
            if reply := spoil(answer):
                line.sendto(reply, asker)

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield f"127.0.0.1:{line.getsockname()[1]}"
    finally:
        line.close()


def _listen(talk: Callable[[socket.socket], None], listener: socket.socket) -> None:
    def serve() -> None:
        while True:
            try:
                line, _asker = listener.accept()
            except OSError:
                return
            threading.Thread(target=answer, args=(line,), daemon=True).start()

    def answer(line: socket.socket) -> None:
        with closing(line):
            try:
                talk(line)
            except OSError:
                return  # the other side has gone

    threading.Thread(target=serve, daemon=True).start()


@contextmanager
def portal(answer: bytes, delay_s: float = 0.0) -> Iterator[str]:
    """Answers any question with these bytes; with none it stays silent."""
    done = threading.Event()
    listener = socket.create_server(("127.0.0.1", 0))

    def talk(line: socket.socket) -> None:
        if not line.recv(4096):
            return
        done.wait(delay_s if answer else 30)
        line.sendall(answer)

    _listen(talk, listener)
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/"
    finally:
        done.set()
        listener.close()


@contextmanager
def http_server(*, status: int = 200, body: bytes = b"", date: datetime | None = None) -> Iterator[str]:
    """A web server that reads each question to its end and gives always the same answer; `date` is what it tells."""
    listener = socket.create_server(("127.0.0.1", 0))
    dated = f"Date: {format_datetime(date.astimezone(UTC), usegmt=True)}\r\n" if date else ""
    head = f"HTTP/1.1 {status} Said\r\n{dated}Content-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode()

    def talk(line: socket.socket) -> None:
        asked = b""
        while b"\r\n\r\n" not in asked and (more := line.recv(4096)):
            asked += more
        line.sendall(head + (b"" if asked.startswith(b"HEAD") else body))
        line.shutdown(socket.SHUT_WR)
        while line.recv(4096):
            pass  # what is left of the question; closing before it is read would take the answer back

    _listen(talk, listener)
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        listener.close()


@contextmanager
def tls_server() -> Iterator[tuple[str, str]]:
    """(file of the authority's certificate, http://HOST:PORT): a TLS server whose authority is "Exam authority"."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Exam authority")])
    now = datetime.now(UTC)
    host = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=900))
        .add_extension(host, False)
        .add_extension(x509.BasicConstraints(True, None), True)
        .sign(key, hashes.SHA256())
    )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "authority.pem"
        secret = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM) + secret)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(path)
        listener = socket.create_server(("127.0.0.1", 0))

        def talk(line: socket.socket) -> None:
            with context.wrap_socket(line, server_side=True) as secure:
                secure.recv(16)

        _listen(talk, listener)
        try:
            yield str(path), f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            listener.close()


def ipp_answer(state: int, toner: int, reason: str) -> bytes:
    """What a printer answers to Get-Printer-Attributes (RFC 8010)."""

    def field(tag: int, name: str, value: bytes) -> bytes:
        return struct.pack("!BH", tag, len(name)) + name.encode() + struct.pack("!H", len(value)) + value

    return (
        struct.pack("!BBHi", 1, 1, 0, 1)
        + b"\x01"
        + field(0x47, "attributes-charset", b"utf-8")
        + b"\x04"
        + field(0x23, "printer-state", struct.pack("!i", state))
        + field(0x44, "printer-state-reasons", reason.encode())
        + field(0x42, "marker-types", b"toner")
        + field(0x42, "", b"waste-toner")
        + field(0x21, "marker-levels", struct.pack("!i", toner))
        + field(0x21, "", struct.pack("!i", 1))
        + field(0x41, "printer-make-and-model", b"Test Laser")
        + b"\x03"
    )
