"""Sending a station's result to the laptop over the local network: the same file, to one certificate only."""

from __future__ import annotations

import hashlib
import hmac
import http.client
import json
import ssl
from urllib.parse import quote, urlsplit

from exam_kit.errors import ExamKitError, Message, UsageError, m
from exam_kit.i18n import _, current_language

__all__ = ["NAME_HEADER", "PATH", "SendFailed", "send"]

PATH = "/station-result"
NAME_HEADER = "X-File-Name"
TIMEOUT_S = 15.0


class SendFailed(ExamKitError):
    """The laptop was not reached, is not the point's, or did not take the file."""

    exit_code = 70

    def __init__(self, message: Message, reason: str) -> None:
        super().__init__(message)
        self.reason = reason


def send(data: bytes, url: str, fingerprint: str, *, name: str) -> str:
    """Send the file; what the laptop answered, in words.

    `fingerprint` is the SHA-256 of the laptop's certificate, as the stick was told. Nothing is sent to any other.

    Raises:
        UsageError: `url` is not https://ADDRESS[:PORT]/.
        SendFailed: with the reason; the file stays on the stick.
    """
    parts = urlsplit(url)
    if parts.scheme != "https" or not parts.hostname:
        raise UsageError(m("{url}: is not the laptop's address. Write https://ADDRESS:PORT/.", url=url))
    # Who the laptop is says the fingerprint, not a name or an authority: a school's network has neither.
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    line = http.client.HTTPSConnection(parts.hostname, parts.port or 443, timeout=TIMEOUT_S, context=context)
    try:
        line.connect()
        shown = line.sock.getpeercert(binary_form=True) or b"" if isinstance(line.sock, ssl.SSLSocket) else b""
        if not hmac.compare_digest(hashlib.sha256(shown).hexdigest(), fingerprint.lower()):
            raise SendFailed(
                m(
                    "{url}: whoever answers there is not this point's laptop. Nothing was sent; bring the stick.",
                    url=url,
                ),
                "certificate",
            )
        line.request("POST", PATH, body=data, headers={NAME_HEADER: quote(name), "Content-Type": "text/plain"})
        answer = line.getresponse()
        status, told = answer.status, json.loads(answer.read(100_000))
    except (OSError, http.client.HTTPException, ValueError) as problem:
        raise SendFailed(
            m(
                "{url}: the laptop did not answer ({reason}). The file stays on the stick: bring it there.",
                url=url,
                reason=str(problem) or type(problem).__name__,
            ),
            "unreachable",
        ) from problem
    finally:
        line.close()
    if status == http.client.OK:
        return _("The laptop has taken the result in.")
    texts = told.get("text") if isinstance(told, dict) else None
    said = texts.get(current_language(), "") if isinstance(texts, dict) else ""
    raise SendFailed(
        m("{url}: the laptop did not take the file ({status}). {reason}", url=url, status=status, reason=said),
        str(told.get("refused", status)) if isinstance(told, dict) else str(status),
    )
