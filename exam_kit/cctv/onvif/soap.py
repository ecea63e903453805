"""Envelopes of SOAP 1.2 with a UsernameToken, and answers read so that no document can do harm."""

from __future__ import annotations

import base64
import hashlib
import os
import uuid
import xml.etree.ElementTree as ET  # a document type is refused below, so there are no entities to expand
from datetime import UTC, datetime
from xml.sax.saxutils import escape

__all__ = ["Fault", "NotOnvif", "echoed", "envelope", "opened", "printable", "text", "token"]

NAMESPACES = (
    'xmlns:s="http://www.w3.org/2003/05/soap-envelope" xmlns:a="http://www.w3.org/2005/08/addressing" '
    'xmlns:tds="http://www.onvif.org/ver10/device/wsdl" xmlns:trt="http://www.onvif.org/ver10/media/wsdl" '
    'xmlns:tr2="http://www.onvif.org/ver20/media/wsdl" xmlns:tev="http://www.onvif.org/ver10/events/wsdl" '
    'xmlns:tt="http://www.onvif.org/ver10/schema" xmlns:wsnt="http://docs.oasis-open.org/wsn/b-2"'
)
WSA = "http://www.w3.org/2005/08/addressing"
WSS = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss"
MOST_DEPTH = 64
REFUSED = ("NotAuthorized", "FailedAuthentication", "InvalidSecurity", "InvalidSecurityToken", "FailedCheck")


class NotOnvif(ValueError):
    """What came is no answer of ONVIF; its text says why, in a few words for a log."""


class Fault(Exception):
    """The camera says no. `codes` are its codes without their prefixes, outermost first."""

    def __init__(self, codes: tuple[str, ...], reason: str) -> None:
        super().__init__(reason)
        self.codes, self.reason = codes, reason

    @property
    def refused(self) -> bool:
        """It is about the sign-in."""
        return any(code in REFUSED for code in self.codes)


class _Builder(ET.TreeBuilder):
    """Refuses what a SOAP answer never has: a document type (entities that grow or read files), bottomless nesting."""

    def __init__(self) -> None:
        super().__init__()
        self._depth = 0

    def doctype(self, *_declared: str | None) -> None:
        raise NotOnvif("a document type declaration")

    def start(self, tag: str, attributes: dict[str, str]) -> ET.Element:
        self._depth += 1
        if self._depth > MOST_DEPTH:
            raise NotOnvif("nested too deep")
        return super().start(tag, attributes)

    def end(self, tag: str) -> ET.Element:
        self._depth -= 1
        return super().end(tag)


def token(user: str, password: str, created: datetime) -> str:
    """A UsernameToken with a digest; `created` is the camera's time, whose seconds it compares with its own clock."""
    nonce = os.urandom(16)
    moment = f"{created.astimezone(UTC):%Y-%m-%dT%H:%M:%S}.{created.microsecond // 1000:03d}Z"
    digest = hashlib.sha1(nonce + moment.encode() + password.encode(), usedforsecurity=False).digest()
    return (
        f'<Security s:mustUnderstand="1" xmlns="{WSS}-wssecurity-secext-1.0.xsd"><UsernameToken>'
        f"<Username>{escape(user)}</Username>"
        f'<Password Type="{WSS}-username-token-profile-1.0#PasswordDigest">{_printed(digest)}</Password>'
        f'<Nonce EncodingType="{WSS}-soap-message-security-1.0#Base64Binary">{_printed(nonce)}</Nonce>'
        f'<Created xmlns="{WSS}-wssecurity-utility-1.0.xsd">{moment}</Created></UsernameToken></Security>'
    )


def _printed(data: bytes) -> str:
    return base64.b64encode(data).decode()


def echoed(reference: ET.Element | None) -> str:
    """A subscription's ReferenceParameters as headers, by which some cameras know it again (Axis tells its number there
    and not in its address; WS-Addressing 1.0, SOAP Binding, 3.4)."""
    told = [] if reference is None else list(reference)
    for one in told:
        one.set(f"{{{WSA}}}IsReferenceParameter", "true")
        one.tail = None
    return "".join(ET.tostring(one, encoding="unicode") for one in told)


def envelope(body: str, *, security: str = "", to: str = "", action: str = "", reference: str = "") -> bytes:
    """A request; with `to` it carries WS-Addressing, which subscriptions are found by, and `reference` (`echoed`)."""
    addressing = (
        f'<a:Action s:mustUnderstand="1">{escape(action)}</a:Action><a:MessageID>urn:uuid:{uuid.uuid4()}</a:MessageID>'
        f'<a:To s:mustUnderstand="1">{escape(to)}</a:To>{reference}'
        if to
        else ""
    )
    return (
        f'<?xml version="1.0" encoding="UTF-8"?><s:Envelope {NAMESPACES}><s:Header>{addressing}{security}</s:Header>'
        f"<s:Body>{body}</s:Body></s:Envelope>"
    ).encode()


def opened(document: bytes) -> ET.Element:
    """What stands in the body of an answer.

    Raises:
        NotOnvif: it is not well formed, has a document type, or is no envelope.
        Fault: the camera answers with one.
    """
    parser = ET.XMLParser(target=_Builder())  # noqa: S314 - see _Builder
    try:
        parser.feed(document)
        root = parser.close()
    except ET.ParseError:
        raise NotOnvif("XML that is not well formed") from None
    except NotOnvif:
        raise
    except (LookupError, ValueError):  # a ValueError is an encoding that Python knows and expat does not
        raise NotOnvif("an unknown encoding") from None
    body = root.find("{*}Body") if root.tag.endswith("}Envelope") else None
    content = next(iter(body), None) if body is not None else None
    if content is None:
        raise NotOnvif("no SOAP envelope")
    if content.tag.endswith("}Fault"):
        raise _fault(content)
    return content


def text(element: ET.Element | None, path: str, most: int = 300) -> str:
    """The trimmed text at `path`, its names without namespaces ("Date/Year"); "" where there is none."""
    found = element.find("/".join("{*}" + name for name in path.split("/"))) if element is not None else None
    return printable(found.text or "", most) if found is not None else ""


def printable(said: str, most: int = 300) -> str:
    """Foreign text made safe to keep and show: one line, no control characters, not longer than `most`."""
    return "".join(sign if sign.isprintable() else " " for sign in said.strip())[:most]


def _fault(content: ET.Element) -> Fault:
    """SOAP 1.2 tells Code/Value and Reason/Text, SOAP 1.1 faultcode and faultstring."""
    values = [found.text or "" for found in content.findall(".//{*}Value")] or [text(content, "faultcode")]
    reason = text(content, "Reason/Text") or text(content, "faultstring")
    return Fault(tuple(printable(value.rpartition(":")[2], 60) for value in values if value), printable(reason, 200))
