"""What of the object store can be proved without one."""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from exam_kit.archive.s3 import Keys, StoreFault, Wire, keep_report, kept_report, keys_of
from exam_kit.archive.s3.arriving import Arriving
from exam_kit.archive.s3.bag_send import send_bag
from exam_kit.archive.s3.course import Course, File
from exam_kit.archive.s3.faults import fault_of, problems
from exam_kit.archive.s3.probe_record import QUESTIONS, Answer, ProbeReport, place_of, trust_in
from exam_kit.archive.s3.proof import Trust, composite
from exam_kit.archive.s3.uploads import Arrived, Part, Uploads
from exam_kit.archive.s3.wire import _signed_body_only
from exam_kit.archive.sink import CopyTask
from exam_kit.clock import FakeClock
from exam_kit.errors import ArchiveError, PointInvalid, m
from exam_kit.home import Home
from exam_kit.point import ObjectStore, Point, Secrets, read_point
from exam_kit.store import Ledger, Store
from tests.archive_day import archive, record
from tests.conftest import POINT_TOML

STORE = ObjectStore(name="region", endpoint="https://s3.example.ru", bucket="ege-2026", prefix="/ппэ/0001/")
SAID = {name: Answer("yes") for name in QUESTIONS}


def store_toml(**changes: str) -> str:
    values = {"name": '"region"', "endpoint": '"https://s3.example.ru"', "bucket": '"ege-2026"', **changes}
    return POINT_TOML + "\n[[store]]\n" + "\n".join(f"{key} = {value}" for key, value in values.items()) + "\n"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"endpoint": '"s3.example.ru"'}, "with no keys and no bucket"),
        ({"endpoint": '"https://AKIA:secret@s3.example.ru"'}, "with no keys and no bucket"),
        ({"endpoint": '"https://s3.example.ru/bucket"'}, "with no keys and no bucket"),
        ({"endpoint": '"https://s3.example.ru:port"'}, "with no keys and no bucket"),
        ({"prefix": '"a/../b"'}, "with / between them"),
        ({"bucket": '"Имя"'}, "does not have the form"),
        ({"retention": '"forever"'}, "must be one of"),
        ({"part_mb": "4"}, "at least 5"),
        ({"secret_key": '"x"'}, "no such key"),
    ],
)
def test_a_store_in_point_toml_is_validated_like_the_rest(changes: dict[str, str], words: str) -> None:
    with pytest.raises(PointInvalid) as told:
        read_point(store_toml(**changes))
    assert words in told.value.text("en")
    assert "region" in told.value.text("en")
    assert "AKIA" not in told.value.text("en")


def test_two_stores_of_one_name_are_a_mistake() -> None:
    twice = store_toml() + store_toml().removeprefix(POINT_TOML)
    with pytest.raises(PointInvalid) as told:
        read_point(twice)
    assert "store: name 'region' stands more than once" in told.value.text("en")
    assert read_point(store_toml()).object_store("region").key_of("a") == "a"
    assert STORE.key_of("bag/a") == "ппэ/0001/bag/a"


def test_the_keys_are_asked_for_where_there_are_none_and_never_shown(tmp_path: Path) -> None:
    secrets = Secrets(Home.at(tmp_path), file_only=True)
    with pytest.raises(StoreFault, match="exam-kit store key region"):
        keys_of(STORE, secrets)
    for name, value in zip(STORE.secret_names, ("AKIA1234", "s3cr3t-key"), strict=True):
        secrets.set(name, value)
    keys = keys_of(STORE, secrets)
    assert (keys.access, keys.secret) == ("AKIA1234", "s3cr3t-key")
    wire = Wire(STORE, keys)
    shown = repr(keys) + repr(wire) + repr(vars(wire))
    assert "AKIA1234" not in shown
    assert "s3cr3t-key" not in shown


@pytest.mark.parametrize(
    ("code", "status", "kind", "words"),
    [
        ("InvalidAccessKeyId", 403, "keys", "does not know the access key"),
        ("SignatureDoesNotMatch", 403, "signature", "does not accept the secret key"),
        ("NoSuchBucket", 404, "bucket", "there is no bucket ege-2026"),
        ("RequestTimeTooSkewed", 403, "clock", "clock"),
        ("QuotaExceeded", 403, "full", "quota"),
        ("", 507, "full", "quota"),
        ("SlowDown", 503, "busy", "overloaded"),
        ("XAmzContentSHA256Mismatch", 400, "damaged", "other than they are sent"),
        ("Whatever", 418, "other", "exam-kit store probe region"),
    ],
)
def test_what_a_store_refuses_is_one_sentence(code: str, status: int, kind: str, words: str) -> None:
    from botocore.exceptions import ClientError

    error = {"Code": code, "Message": "AWSAccessKeyId=AKIA1234", "AWSAccessKeyId": "AKIA1234"}
    problem = ClientError({"Error": error, "ResponseMetadata": {"HTTPStatusCode": status}}, "PutObject")
    fault = fault_of(problem, store=STORE.name, endpoint=STORE.endpoint, bucket=STORE.bucket)
    assert fault.kind == kind
    for language in ("en", "ru", "lv"):
        assert "region" in fault.text(language)
        assert "AKIA" not in fault.text(language)
    assert words in fault.text("en")


def test_a_certificate_nobody_vouches_for_is_told_apart_from_a_dead_line() -> None:
    from botocore.exceptions import EndpointConnectionError, SSLError

    words: dict[str, Any] = {"store": "region", "endpoint": STORE.endpoint, "bucket": STORE.bucket}
    untrusted = SSLError(endpoint_url=STORE.endpoint, error=Exception("CERTIFICATE_VERIFY_FAILED"))
    assert fault_of(untrusted, **words).kind == "tls"
    assert fault_of(EndpointConnectionError(endpoint_url=STORE.endpoint), **words).kind == "network"


def test_a_body_never_leaves_without_its_hash_in_the_signature() -> None:
    def request(said: Any) -> Any:
        return SimpleNamespace(headers={"X-Amz-Content-SHA256": said} if said else {})

    _signed_body_only(request(hashlib.sha256(b"x").hexdigest().encode()))
    for said in ("UNSIGNED-PAYLOAD", b"STREAMING-UNSIGNED-PAYLOAD-TRAILER", None):
        with pytest.raises(ValueError, match="signature does not cover"):
            _signed_body_only(request(said))


def test_uploads_are_remembered_for_one_place_and_one_content_only(tmp_path: Path) -> None:
    path = tmp_path / "store" / "uploads.db"
    uploads = Uploads(path, "https://a/b")
    uploads.begin("k", 10, "f" * 64, "id-1", 5)
    uploads.part("k", Part(1, "a" * 64, '"e"', 5))
    uploads.close()
    uploads = Uploads(path, "https://a/b")
    assert uploads.begun("k", 10, "f" * 64) == ("id-1", 5)
    assert uploads.begun("k", 10, "0" * 64) is None
    assert uploads.parts("k") == {1: Part(1, "a" * 64, '"e"', 5)}
    assert uploads.upload_ids() == {"id-1"}
    elsewhere = Uploads(path, "https://a/c")
    assert elsewhere.begun("k", 10, "f" * 64) is None
    assert elsewhere.parts("k") == {}
    arrived = Arrived(10, "f" * 64, '"e-2"', "x-2", "downloaded", "")
    uploads.arrive("k", arrived)
    assert uploads.arrived("k") == arrived
    assert uploads.begun("k", 10, "f" * 64) is None
    assert uploads.parts("k") == {}
    uploads.close()
    elsewhere.close()


def test_the_hash_over_parts_is_what_s3_makes_of_them() -> None:
    parts = [hashlib.sha256(b"a").hexdigest(), hashlib.sha256(b"b").hexdigest()]
    assert composite(parts) == "5aAf7hTg7VxIcU8iGA8lrYNltT+XefedxKPX6Tlj+Uo=-2"


def test_a_probe_is_kept_and_counts_for_the_store_it_asked_only(tmp_path: Path) -> None:
    home = Home.at(tmp_path)
    assert trust_in(home, STORE) == Trust()
    keep_report(home, ProbeReport("region", place_of(STORE), "2026-05-01T00:00:00Z", "none", SAID))
    kept = kept_report(home, STORE)
    assert kept is not None
    assert kept.trust == Trust(sha256=True, parts_sha256=True, lock=True)
    other = STORE.model_copy(update={"bucket": "another"})
    assert trust_in(home, other) == Trust()
    (tmp_path / "store" / "probes" / "region.json").write_text("[]", encoding="utf-8")
    assert trust_in(home, STORE) == Trust()


@pytest.mark.parametrize(
    ("question", "retention", "exit_code"),
    [
        ("keeps_sha256", "none", 0),
        ("lock_holds", "none", 0),
        ("lock_holds", "compliance", 80),
        ("refuses_flipped_body", "none", 80),
        ("multipart", "none", 80),
    ],
)
def test_what_is_lacking_decides_the_exit_code(question: str, retention: str, exit_code: int) -> None:
    for answer in ("no", "unknown"):
        report = ProbeReport("region", "p", "at", retention, {**SAID, question: Answer(answer, "200")})
        assert report.exit_code == exit_code
        assert ("NOT fit for copies." in report.text("en")) is (exit_code != 0)
    assert ProbeReport("region", "p", "at", retention, SAID).exit_code == 0


def test_the_package_is_loaded_without_boto3() -> None:
    import subprocess

    check = "import sys, exam_kit.archive.s3, exam_kit.cli.stores; sys.exit('boto3' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", check]).returncode == 0


def test_keys_do_not_leave_by_their_own_words() -> None:
    assert repr(Keys("AKIA", "secret")) == "Keys()"


def test_an_answer_that_is_none_and_broken_tls_are_a_line_that_fails() -> None:
    from botocore.parsers import ResponseParserError
    from urllib3.exceptions import SSLError

    words: dict[str, Any] = {"store": "region", "endpoint": STORE.endpoint, "bucket": STORE.bucket}
    for problem in (ResponseParserError("<html>AKIA</html>"), SSLError("bad record mac")):
        assert isinstance(problem, problems())
        fault = fault_of(problem, **words)
        assert fault.kind == "network" and "AKIA" not in fault.text("en")


def test_parts_of_another_file_prove_nothing(tmp_path: Path) -> None:
    uploads = Uploads(tmp_path / "uploads.db", "place")
    uploads.begin("k", 10, "f" * 64, "id-1", 10)
    uploads.part("k", Part(1, "a" * 64, '"e"', 10))
    course = Course(Wire(STORE, Keys("a", "b")), uploads, Trust(parts_sha256=True), None, lambda: False)
    same, other = (CopyTask("k", tmp_path, 10, digit * 64) for digit in "f0")
    assert Arriving(course)._known_composite(File(same, "k")) == composite(["a" * 64])
    assert Arriving(course)._known_composite(File(other, "k")) == ""
    uploads.close()


@pytest.mark.parametrize(
    ("kept", "size", "etag", "lies"),
    [("a", 5, "a", True), ("a", 5, "b", False), ("a", 6, "a", False), ("", 5, "", False)],
)
def test_what_a_listing_does_not_tell_is_no_proof(kept: str, size: int, etag: str, lies: bool) -> None:
    assert Arrived(5, "ab" * 32, kept, "", "downloaded", "").lies(size, etag) is lies


def test_a_database_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    uploads = Uploads(tmp_path / "uploads.db", "place")
    uploads._db.executescript("DROP TABLE part; DROP TABLE upload; DROP TABLE arrived")
    asks = (lambda: uploads.parts("k"), lambda: uploads.arrived("k"), uploads.upload_ids, lambda: uploads.forget("k"))
    for ask in asks:
        with pytest.raises(ArchiveError, match="state of uploads"):
            ask()
    uploads.close()


def test_cancelled_before_the_store_has_answered(
    home: Home, store: Store, ledger: Ledger, point: Point, clock: FakeClock, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    record(store, ledger, home, count=1)
    bag = archive(store, ledger, home, point, tmp_path / "drive", clock).bag
    assert bag is not None

    def silent(_wire: Wire, _operation: str, **_arguments: Any) -> Any:
        raise StoreFault("network", "ConnectTimeout", m("{store}: no answer", store="region"))

    monkeypatch.setattr(Wire, "once", silent)
    result = send_bag(bag, Wire(STORE, Keys("a", "b")), home, clock, cancelled=lambda: True)
    assert (result.state, result.files) == ("cancelled", 0)
