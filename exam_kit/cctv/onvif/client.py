"""Calls to one camera, signed with the camera's own time: one whose clock is wrong refuses the right time."""

from __future__ import annotations

import time
import xml.etree.ElementTree as ET  # only elements that `soap.opened` made
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from exam_kit.cctv.onvif.clock import CameraClock, Reading, narrowed, read_clock, setting
from exam_kit.cctv.onvif.soap import Fault, NotOnvif, envelope, opened, printable, token
from exam_kit.cctv.onvif.wire import MOST_BYTES, Address, Answer, Digest, OnvifError, exchange, garbled
from exam_kit.clock import Clock, SystemClock
from exam_kit.errors import m

__all__ = ["OnvifCamera"]

TIMEOUT_S = 5.0
MOVED_S = 1.0
"""A refused sign-in is tried again only if the camera's clock turns out to be this far from where we thought."""
REFUSED = (401, 403)
GET_TIME = "<tds:GetSystemDateAndTime/>"


class OnvifCamera:
    """One camera at one address. Not for two threads at once. Every method raises `OnvifError`.

    `timeout_s` bounds every single call from its first byte to its last.
    """

    def __init__(
        self,
        url: str,
        user: str | None = None,
        password: str | None = None,
        *,
        clock: Clock | None = None,
        timeout_s: float = TIMEOUT_S,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """ValueError when `url` is not an address of HTTP."""
        self.address = Address.parse(url)
        self.timeout_s = timeout_s
        self._user, self._password = user, password or ""
        self._digest = Digest(user, self._password) if user else None
        self._clock = clock or SystemClock()
        self._sleep = sleep
        self._ahead_s: float | None = None
        self.services: dict[str, Address] | None = None
        """Where it offers what, once it was asked (`device.service`)."""

    def __repr__(self) -> str:
        return f"OnvifCamera({self.address})"

    # -- its clock

    def clock(self, *, samples: int = 4) -> CameraClock:
        """How far the camera's clock is from ours. It tells whole seconds; each sample after the first halves what is
        left open and waits up to a second for the right moment."""
        reading = self._read()
        ahead = reading.bounds
        for _more in range(samples - 1):
            self._sleep(_until(self._wall() + (ahead[0] + ahead[1]) / 2 + reading.travelled_s / 2))
            reading = self._read()
            ahead = narrowed(ahead, reading.bounds)
        self._ahead_s = (ahead[0] + ahead[1]) / 2
        return reading.clock(ahead, self._clock.now())

    def set_clock(self, *, zone: str | None = None, daylight: bool | None = None) -> CameraClock:
        """Set the camera's clock to ours, and read it back. Who may order this, and when, is for the caller to judge.

        `zone` is a POSIX time zone ("MSK-3"); the camera's own is kept where it is None. Its keeping of time by NTP,
        if it did so, ends.
        """
        before = self._read()
        self._ahead_s = sum(before.bounds) / 2
        self._sleep(_until(self._wall() + before.travelled_s / 2))
        whole = datetime.fromtimestamp(round(self._wall() + before.travelled_s / 2), UTC)
        self.call(self.address, setting(whole, zone or before.zone, before.daylight if daylight is None else daylight))
        self._ahead_s = None
        return self.clock()

    def _read(self) -> Reading:
        answer, content = self._asked(self.address, envelope(GET_TIME), self.timeout_s)
        if isinstance(content, Fault) and content.refused and self._user:
            # Against the standard it wants a sign-in for this as well: its web server tells about what time it has.
            told = _told(answer.headers.get("Date") or "")
            self._ahead_s = told - answer.came_s if told is not None else 0.0
            answer, content = self._asked(self.address, self._signed(GET_TIME), self.timeout_s)
        try:
            return read_clock(self._fine(content), answer.sent_s, answer.came_s)
        except ValueError as problem:
            raise self._garbled(problem) from None

    # -- calls

    def call(
        self,
        address: Address,
        body: str,
        *,
        action: str = "",
        reference: str = "",
        timeout_s: float | None = None,
    ) -> ET.Element:
        """One signed call; what its answer's body holds. `action` brings WS-Addressing with it, with `reference`."""
        limit = self.timeout_s if timeout_s is None else timeout_s
        if self._user and self._ahead_s is None:
            self._ahead_s = sum(self._read().bounds) / 2
        _answer, content = self._asked(address, self._signed(body, address, action, reference), limit)
        if isinstance(content, Fault) and content.refused and self._user:
            thought = self._ahead_s or 0.0
            self._ahead_s = sum(self._read().bounds) / 2
            # A wrong password is not tried twice: cameras lock out.
            if abs(self._ahead_s - thought) > MOVED_S:
                _answer, content = self._asked(address, self._signed(body, address, action, reference), limit)
        return self._fine(content)

    def fetch(self, address: Address, most_bytes: int) -> bytes:
        """What lies at one of the camera's addresses, such as a snapshot."""
        answer = self._exchange(address, "GET", None, {}, self.timeout_s, most_bytes)
        if answer.status in REFUSED:
            raise self._refused()
        if answer.status != 200:
            raise self._fault(Fault((), f"HTTP {answer.status}"))
        return answer.body

    def here(self, url: str) -> Address:
        """An address the camera names, on the host we asked: behind address translation it names one of its own, and a
        sign-in is meant for no other host.

        Raises:
            OnvifError: it is no address at all.
        """
        try:
            told = Address.parse(url)
        except ValueError as problem:
            raise self._garbled(problem) from None
        mine = self.address
        # Asked by TLS, a camera often still names its open address.
        weaker = mine.scheme == "https" and told.scheme == "http"
        return Address(mine.scheme, mine.host, mine.port, told.path) if told.host != mine.host or weaker else told

    def _signed(self, body: str, address: Address | None = None, action: str = "", reference: str = "") -> bytes:
        to = str(address) if address is not None and action else ""
        by_http = self._digest is not None and self._digest.ready
        if not self._user or by_http:
            return envelope(body, to=to, action=action, reference=reference)
        created = datetime.fromtimestamp(self._wall() + (self._ahead_s or 0.0), UTC)
        security = token(self._user, self._password, created)
        return envelope(body, security=security, to=to, action=action, reference=reference)

    def _asked(self, address: Address, document: bytes, timeout_s: float) -> tuple[Answer, ET.Element | Fault]:
        headers = {"Content-Type": 'application/soap+xml; charset="utf-8"'}
        answer = self._exchange(address, "POST", document, headers, timeout_s, MOST_BYTES)
        try:
            return answer, opened(answer.body)
        except Fault as fault:
            return answer, fault
        except NotOnvif as problem:
            if answer.status in REFUSED:
                return answer, Fault(("NotAuthorized",), "")
            if answer.status >= 400:
                return answer, Fault((), f"HTTP {answer.status}")
            raise self._garbled(problem) from None

    def _exchange(
        self, address: Address, method: str, body: bytes | None, headers: dict[str, str], timeout_s: float, most: int
    ) -> Answer:
        """One request, and once more with an answer to the challenge it may meet."""
        for _try in range(2):
            if self._digest is not None and self._digest.ready:
                headers = {**headers, "Authorization": self._digest.header(method, address.path)}
            answer = exchange(address, method, body, headers, timeout_s=timeout_s, wall=self._wall, most_bytes=most)
            if answer.status != 401 or self._digest is None or not self._digest.take(answer.headers):
                break
        return answer

    def _wall(self) -> float:
        return self._clock.now().timestamp()

    # -- what goes wrong

    def _fine(self, content: ET.Element | Fault) -> ET.Element:
        if isinstance(content, Fault):
            raise self._refused() if content.refused else self._fault(content)
        return content

    def _refused(self) -> OnvifError:
        if not self._user:
            return OnvifError(
                "unauthorised",
                m(
                    "{place}: the camera answers by ONVIF only to a user. Write the name under 'user' in point.toml "
                    "and give the password with 'exam-kit camera password'.",
                    place=self.address.place,
                ),
            )
        return OnvifError(
            "unauthorised",
            m(
                "{place}: the camera refuses the sign-in of '{user}' by ONVIF. Give the right password with 'exam-kit "
                "camera password'; many cameras keep ONVIF users apart, to be made in the camera's own settings.",
                place=self.address.place,
                user=self._user,
            ),
        )

    def _fault(self, fault: Fault) -> OnvifError:
        reason = fault.reason or ", ".join(fault.codes) or "—"
        if self._password:
            reason = reason.replace(self._password, "•••")
        return OnvifError(
            "fault",
            m(
                "{place}: the camera does not do what it was asked by ONVIF ({reason}). Its firmware may not know it: "
                "look for it in the camera's own settings.",
                place=self.address.place,
                reason=reason,
            ),
        )

    def _garbled(self, problem: Exception) -> OnvifError:
        return garbled(self.address, printable(str(problem), 100))


def _until(there: float) -> float:
    """Seconds until the next whole second of a clock that will show `there` when a request sent now arrives."""
    return -there % 1.0


def _told(said: str) -> float | None:
    """Seconds since the epoch that an HTTP date names; None where it names none."""
    try:
        return parsedate_to_datetime(said).timestamp()
    except ValueError:
        return None
