"""What a store refuses or fails at, as one kind and one sentence. No text of the store's or the library's is passed
on: both may quote keys and signatures."""

from __future__ import annotations

from typing import Any

from exam_kit.errors import ArchiveError, Message, m
from exam_kit.i18n import N_

__all__ = ["OF_ONE_OBJECT", "PASSING", "StoreFault", "fault_of", "no_keys", "no_lock", "occupied", "problems"]

PASSING = frozenset({"network", "busy", "damaged"})
"""Kinds worth another try: the line was down, the store was busy, bytes arrived other than they were sent."""

OF_ONE_OBJECT = frozenset({"exists", "missing"})
"""Kinds that the next object need not have: this one was replaced or removed while it was read."""

_CODES = {
    "InvalidAccessKeyId": "keys",
    "SignatureDoesNotMatch": "signature",
    "InvalidSecurity": "keys",
    "AuthorizationHeaderMalformed": "region",
    "AccessDenied": "denied",
    "AllAccessDisabled": "denied",
    "AccountProblem": "denied",
    "NoSuchBucket": "bucket",
    "InvalidBucketName": "bucket",
    "PermanentRedirect": "region",
    "TemporaryRedirect": "region",
    "RequestTimeTooSkewed": "clock",
    "RequestExpired": "clock",
    "QuotaExceeded": "full",
    "ServiceQuotaExceeded": "full",
    "ServiceQuotaExceededException": "full",
    "XMinioStorageFull": "full",
    "InsufficientStorage": "full",
    "TooManyBuckets": "full",
    "EntityTooLarge": "too_large",
    "NoSuchKey": "missing",
    "NoSuchUpload": "no_upload",
    "NoSuchVersion": "missing",
    "PreconditionFailed": "exists",
    "ConditionalRequestConflict": "busy",
    "BadDigest": "damaged",
    "InvalidDigest": "damaged",
    "XAmzContentSHA256Mismatch": "damaged",
    "XAmzContentChecksumMismatch": "damaged",
    "IncompleteBody": "damaged",
    "InvalidPart": "parts",
    "InvalidPartOrder": "parts",
    "EntityTooSmall": "parts",
    "RequestTimeout": "busy",
    "SlowDown": "busy",
    "ServiceUnavailable": "busy",
    "InternalError": "busy",
    "OperationAborted": "busy",
    "NotImplemented": "unknown_to_store",
    "MethodNotAllowed": "unknown_to_store",
    "InvalidRetentionPeriod": "lock",
    "ObjectLocked": "lock",
}
_STATUS = {401: "keys", 403: "denied", 404: "missing", 408: "busy", 412: "exists", 413: "too_large", 429: "busy"}
_STATUS |= {400: "refused", 405: "unknown_to_store", 409: "busy", 501: "unknown_to_store", 507: "full"}

_SAID = {
    "keys": N_("{store}: the store does not know the access key. Give the keys anew: {give_keys}"),
    "signature": N_("{store}: the store does not accept the secret key. Give the keys anew: {give_keys}"),
    "denied": N_(
        "{store}: the keys may not do this in bucket {bucket} ({code}). Ask who runs the store for the right to list, "
        "read and write there."
    ),
    "region": N_("{store}: the store expects another region or address ({code}). Correct 'region' in {settings}."),
    "bucket": N_("{store}: there is no bucket {bucket}. Correct 'bucket' in {settings}, or have it made."),
    "clock": N_(
        "{store}: this computer's clock and the store's differ too much. Set the clock right, then start again; it "
        "goes on where it stopped."
    ),
    "full": N_("{store}: the store is full or its quota is used up. Have room made, then start again."),
    "too_large": N_("{store}: the store does not take objects or parts of this size. Make 'part_mb' smaller."),
    "network": N_(
        "{store}: {endpoint} does not answer ({code}). Check the network and the address, then start again; it goes on "
        "where it stopped."
    ),
    "tls": N_(
        "{store}: the certificate of {endpoint} is not to be trusted ({code}). Check the address and the clock; where "
        "the region has an authority of its own, name its file under 'ca' in {settings}."
    ),
    "busy": N_("{store}: the store is overloaded or failing ({code}). Start again later; it goes on where it stopped."),
    "damaged": N_(
        "{store}: bytes arrive at the store other than they are sent ({code}). Something on the way changes them: use "
        "another network."
    ),
    "exists": N_("{store}: another object lies there under this name ({code})."),
    "missing": N_("{store}: the object is not there ({code})."),
    "unknown_to_store": N_("{store}: the store does not know this operation ({code})."),
    "lock": N_(
        "{store}: the store refuses the retention ({code}). Have object lock switched on for bucket {bucket}, or take "
        "'retention' out of point.toml."
    ),
}
_ELSE = N_("{store}: the store refuses ({code}). Ask who runs it, or look with: exam-kit store probe {store}")
_ELSE_REGION = N_("{store}: the store refuses ({code}). Ask who runs it.")


class StoreFault(ArchiveError):
    """The store refused or failed; `kind` says how, `code` is the store's own short word."""

    def __init__(self, kind: str, code: str, message: Message) -> None:
        super().__init__(message)
        self.kind = kind
        self.code = code


def problems() -> tuple[type[Exception], ...]:
    """What a request can raise; asked for when something was raised, for boto3 is loaded late."""
    from botocore import exceptions as boto
    from botocore.parsers import ResponseParserError
    from urllib3.exceptions import HTTPError

    # The last two botocore lets through: an answer that is no XML, and TLS that breaks while a body is read.
    return boto.ClientError, boto.BotoCoreError, OSError, ResponseParserError, HTTPError


def no_keys(store: str, *, region: bool = False) -> StoreFault:
    """None were given yet."""
    said = m("{store}: has no keys yet. Give them with: {give_keys}", store=store, give_keys=_give_keys(store, region))
    return StoreFault("keys", "", said)


def _give_keys(store: str, region: bool) -> str:
    return f"exam-kit region store-key {store}" if region else f"exam-kit store key {store}"


def fault_of(problem: Exception, *, store: str, endpoint: str, bucket: str, region: bool = False) -> StoreFault:
    """The fault behind one of these `problems`; the way out is a region's with `region`, else a point's."""
    from botocore import exceptions as boto
    from botocore.parsers import ResponseParserError
    from urllib3.exceptions import HTTPError

    if isinstance(problem, boto.ClientError):
        kind, code = _refusal(problem.response)
    elif isinstance(problem, boto.SSLError):
        kind, code = ("tls", "TLS") if "CERTIFICATE" in str(problem).upper() else ("network", "TLS")
    elif isinstance(
        problem,
        boto.HTTPClientError
        | boto.ConnectionError
        | boto.ResponseStreamingError
        | boto.IncompleteReadError
        | ResponseParserError
        | HTTPError,
    ):
        kind, code = "network", type(problem).__name__.removesuffix("Error")
    elif isinstance(problem, OSError):
        kind, code = "network", problem.strerror or type(problem).__name__
    else:
        kind, code = "other", type(problem).__name__
    words = {"store": store, "endpoint": endpoint, "bucket": bucket, "code": code}
    words["settings"] = "region.toml" if region else "point.toml"
    words["give_keys"] = _give_keys(store, region)
    return StoreFault(kind, code, Message(_SAID.get(kind, _ELSE_REGION if region else _ELSE), words))


def _refusal(response: dict[str, Any]) -> tuple[str, str]:
    code = str(response.get("Error", {}).get("Code", ""))[:60]
    status = int(response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
    if code in _CODES:
        return _CODES[code], code
    shown = code if code and not code.isdigit() else str(status)
    return _STATUS.get(status, "busy" if status >= 500 else "other"), shown


def occupied(store: str, path: str) -> Message:
    return m(
        "{file}: in {store} lies another object under this name; it is not overwritten. Find out whose it is, or send "
        "under another prefix.",
        file=path,
        store=store,
    )


def no_lock(store: str) -> StoreFault:
    """Asked for, and nobody has shown that this store holds it."""
    return StoreFault(
        "lock",
        "",
        m(
            "{store}: a retention is asked for, and it is not proved that the store holds it. Run exam-kit store probe "
            "{store}; where it says that nothing is locked, take 'retention' out of point.toml.",
            store=store,
        ),
    )
