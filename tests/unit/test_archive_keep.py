"""What was delivered, how long it is kept, and that nothing goes before its time or by one person's hand."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from exam_kit.archive.deletion import SignedPin, carry_out, order_deletion
from exam_kit.archive.delivered import deliveries, recordings_delivered, take_receipt
from exam_kit.archive.keep import holds, kept_days, lift_hold, set_hold
from exam_kit.archive.receipt import Receipt, write_receipt
from exam_kit.cctv.segments import DELETED, segments
from exam_kit.cli import main
from exam_kit.clock import FakeClock
from exam_kit.errors import AccessDenied, ArchiveError, ExamKitError, RefusedEntry
from exam_kit.home import Home
from exam_kit.point import Point, Zone, read_point
from exam_kit.store import Account, Accounts, Entry, Ledger, Role, Store, open_store
from exam_kit.store.keys import SigningKey
from tests.archive_day import DAY, KEEP, archive, record
from tests.conftest import POINT_TOML

LATER = dt.date(2027, 3, 2)
ANNA, BORIS = SignedPin("anna", "135790"), SignedPin("boris", "246801")
PEOPLE = {
    "anna": Account("anna", "Альфа Первая Образцова", Role.REGIONAL_ADMIN, "РЦОИ", "ru"),
    "boris": Account("boris", "Бета Второй Образцов", Role.REGIONAL_ADMIN, "РЦОИ", "ru"),
    "twin": Account("twin", "альфа первая образцова ", Role.REGIONAL_ADMIN, "РЦОИ", "ru"),
    "tech": Account("tech", "Дельта Пятый Образцов", Role.SPECIALIST, "", "ru"),
}
PINS = {"anna": "135790", "boris": "246801", "twin": "112358", "tech": "271828"}


@pytest.fixture
def region(tmp_path: Path) -> SigningKey:
    return SigningKey.load_or_create(tmp_path / "region")


@pytest.fixture
def point(home: Home, region: SigningKey) -> Point:
    (home.keys / "region.pub").write_bytes(region.public.pem())
    text = POINT_TOML + '[region_centre]\nkey = "keys/region.pub"\n'
    home.point_file.write_text(text, encoding="utf-8")
    return read_point(text)


@pytest.fixture
def accounts(store: Store, ledger: Ledger, clock: FakeClock) -> Accounts:
    made = Accounts(store, ledger, clock)
    for login, account in PEOPLE.items():
        made.create(account, PINS[login], actor="agent")
    return made


@pytest.fixture
def receipt(
    home: Home, store: Store, ledger: Ledger, point: Point, clock: FakeClock, tmp_path: Path
) -> Iterator[Receipt]:
    """What the region would say of the corridors' and the entrance's bag; a room's footage is in no bag."""
    record(store, ledger, home, cameras=("COR1-1", "ENTR-1", "R1-1"))
    clock.advance(3600)
    made = archive(store, ledger, home, point, tmp_path / "stick", clock)
    assert made.bag is not None
    yield Receipt(
        "77", "0001", DAY, made.bag.name, made.bag_hash, made.copy, clock.now(), "taken", 6, made.bytes, 6.0, 6.0, 500.0
    )


def order(
    ledger: Ledger,
    home: Home,
    accounts: Accounts,
    today: dt.date = LATER,
    people: tuple[SignedPin, SignedPin] = (ANNA, BORIS),
) -> Entry:
    return order_deletion(ledger, home, accounts, KEEP, DAY, today, people, "срок истёк", "12-п")


def there(home: Home) -> list[str]:
    return sorted(path.name.split("_")[4] for path in home.footage.rglob("*.mp4"))


def test_a_receipt_is_taken_in_once_and_stands_in_the_ledger(
    receipt: Receipt, region: SigningKey, ledger: Ledger, home: Home, point: Point, store: Store
) -> None:
    data = write_receipt(region, receipt)
    assert recordings_delivered(store, ledger) == frozenset()
    delivery, new = take_receipt(ledger, home, point, data, "tech")
    again, twice = take_receipt(ledger, home, point, data, "tech")
    assert (new, twice, delivery) == (True, False, again)
    [entry] = ledger.entries(["archive.received"])
    assert entry.body["receipt"].encode() == data
    assert deliveries(ledger, DAY) == [delivery]
    assert len(recordings_delivered(store, ledger)) == 6


def test_receipts_that_are_foreign_changed_or_about_another_bag_are_refused_with_the_reason(
    receipt: Receipt, region: SigningKey, ledger: Ledger, home: Home, point: Point, tmp_path: Path
) -> None:
    data = write_receipt(region, receipt)
    other = SigningKey.load_or_create(tmp_path / "other")
    for wrong, said in (
        (write_receipt(other, receipt), "another key|made with the key"),
        (data.replace(b'"copy": 1', b'"copy": 2'), "was changed"),
        (write_receipt(region, replace(receipt, point="0002")), "is of the point 77-0002"),
        (write_receipt(region, replace(receipt, bag_hash="cd" * 32)), "not the bag that was sealed here"),
        (write_receipt(region, replace(receipt, bag_hash="cd" * 32, bag="77_0001_x")), "no such bag"),
        (write_receipt(region, replace(receipt, copy=2)), "Ask the region for it anew"),
        (b"{}", "no receipt"),
    ):
        with pytest.raises(ArchiveError, match=said):
            take_receipt(ledger, home, point, wrong, "tech")
    with pytest.raises(ArchiveError, match="not known here"):
        take_receipt(ledger, home, read_point(POINT_TOML), data, "tech")
    (home.keys / "region.pub").write_text("no key")
    with pytest.raises(ArchiveError, match="not a readable Ed25519"):
        take_receipt(ledger, home, point, data, "tech")
    assert deliveries(ledger) == []


def test_nothing_goes_before_its_date_undelivered_or_under_a_hold(
    receipt: Receipt, region: SigningKey, ledger: Ledger, home: Home, point: Point, store: Store, accounts: Accounts
) -> None:
    with pytest.raises(ArchiveError) as refused:
        order(ledger, home, accounts)
    assert [str(line) for line in refused.value.details] == ["kept: no receipt of the region: 9"]
    take_receipt(ledger, home, point, write_receipt(region, receipt), "tech")
    with pytest.raises(ArchiveError) as refused:
        order(ledger, home, accounts, dt.date(2027, 3, 1))
    assert [str(line) for line in refused.value.details] == ["kept: the date is not past: 9"]
    held = set_hold(ledger, point, PEOPLE["anna"], DAY, (), "запрос суда", "7")
    with pytest.raises(ArchiveError, match="nothing may be deleted"):
        order(ledger, home, accounts)
    [day] = kept_days(store, ledger, KEEP, LATER)
    assert (day.until, day.files, [hold.number for hold in day.holds]) == (
        dt.date(2027, 3, 1),
        {"held": 9},
        [held.number],
    )
    lift_hold(ledger, PEOPLE["anna"], held.number, "суд окончен", "9")
    assert [hold.stands for hold in holds(ledger)] == [False]
    assert kept_days(store, ledger, KEEP, LATER)[0].files == {"free": 6, "undelivered": 3}
    assert kept_days(store, ledger, None, LATER)[0].files == {"no_rule": 9}
    assert len(there(home)) == 9


def test_it_takes_two_different_people_with_the_right_and_their_own_pins(
    receipt: Receipt, region: SigningKey, ledger: Ledger, home: Home, point: Point, accounts: Accounts
) -> None:
    take_receipt(ledger, home, point, write_receipt(region, receipt), "tech")
    for second, said in (
        (ANNA, "two different people"),
        (SignedPin("Anna ", "135790"), "two different people"),
        (SignedPin("twin", "112358"), "two different people"),
        (SignedPin("boris", "000000"), "do not fit"),
        (SignedPin("tech", "271828"), "does not have this right"),
    ):
        with pytest.raises(AccessDenied, match=said):
            order(ledger, home, accounts, people=(ANNA, second))
    assert not list(ledger.entries(["footage.deletion_ordered"]))
    assert "135790" not in repr(ANNA)


def test_what_was_ordered_goes_the_index_stays_and_the_ledger_has_both_ends(
    receipt: Receipt,
    region: SigningKey,
    ledger: Ledger,
    home: Home,
    point: Point,
    store: Store,
    accounts: Accounts,
    clock: FakeClock,
    tmp_path: Path,
) -> None:
    take_receipt(ledger, home, point, write_receipt(region, receipt), "tech")
    ordered = order(ledger, home, accounts)
    done = carry_out(ledger, home, accounts, KEEP, ordered.seq, LATER)
    assert done is not None and (done.files, done.left) == (6, 0)
    assert there(home) == ["R1-1"] * 3
    rows = [one for one in segments(store) if one.reason == DELETED]
    assert len(rows) == 6 and all(one.sha256 and one.bytes for one in rows)
    [entry] = ledger.entries(["footage.deleted"])
    assert entry.body["list"] == entry.body["gone"] == ordered.body["list"]
    kept = (home.reports / "deletions" / f"{ordered.body['list']}.jsonl").read_bytes()
    assert hashlib.sha256(kept).hexdigest() == ordered.body["list"]
    with pytest.raises(ArchiveError, match="carried out before"):
        carry_out(ledger, home, accounts, KEEP, ordered.seq, LATER)
    with pytest.raises(ArchiveError, match="no closed recording"):
        archive(store, ledger, home, point, tmp_path / "stick", clock, zones=[Zone.CORRIDOR])


def test_a_hold_that_comes_in_the_middle_saves_the_rest(
    receipt: Receipt,
    region: SigningKey,
    ledger: Ledger,
    home: Home,
    point: Point,
    store: Store,
    accounts: Accounts,
) -> None:
    take_receipt(ledger, home, point, write_receipt(region, receipt), "tech")
    ordered = order(ledger, home, accounts)

    def hold(done: int, _all: int) -> None:
        if done == 2:
            set_hold(ledger, point, PEOPLE["boris"], DAY, (), "запрос суда", "7")

    done = carry_out(ledger, home, accounts, KEEP, ordered.seq, LATER, progress=hold)
    assert done is not None and (done.files, done.left) == (2, 4)
    assert len(there(home)) == 7
    assert kept_days(store, ledger, KEEP, LATER)[0].files == {"deleted": 2, "held": 7}
    [entry] = ledger.entries(["footage.deleted"])
    assert len(entry.body["left"]) == 4 and entry.body["gone"] != entry.body["list"]


def test_footage_on_a_disk_that_is_not_there_is_not_called_deleted(
    receipt: Receipt, region: SigningKey, ledger: Ledger, home: Home, point: Point, accounts: Accounts
) -> None:
    take_receipt(ledger, home, point, write_receipt(region, receipt), "tech")
    ordered = order(ledger, home, accounts)
    home.footage.rename(home.root / "unplugged")
    home.footage.mkdir()
    done = carry_out(ledger, home, accounts, KEEP, ordered.seq, LATER)
    assert done is not None and (done.files, done.left) == (0, 6)


def test_the_list_that_was_changed_deletes_nothing(
    receipt: Receipt, region: SigningKey, ledger: Ledger, home: Home, point: Point, accounts: Accounts
) -> None:
    take_receipt(ledger, home, point, write_receipt(region, receipt), "tech")
    ordered = order(ledger, home, accounts)
    [listed] = (home.reports / "deletions").iterdir()
    listed.write_bytes(listed.read_bytes() + listed.read_bytes().splitlines(keepends=True)[0])
    with pytest.raises(ArchiveError, match="not the list that was ordered"):
        carry_out(ledger, home, accounts, KEEP, ordered.seq, LATER)
    with pytest.raises(ArchiveError, match="two people did not order it"):
        carry_out(ledger, home, accounts, KEEP, ordered.seq + 1, LATER)
    assert len(there(home)) == 9


def test_killed_in_the_middle_the_next_run_ends_it_and_the_record_fits(
    receipt: Receipt, region: SigningKey, ledger: Ledger, home: Home, point: Point, store: Store, accounts: Accounts
) -> None:
    take_receipt(ledger, home, point, write_receipt(region, receipt), "tech")
    ordered = order(ledger, home, accounts)
    store.close()
    killed = subprocess.run([sys.executable, "-m", __name__, str(home.root), str(ordered.seq)], check=False)
    assert killed.returncode == -signal.SIGKILL
    assert len(there(home)) == 6 and not list(ledger.entries(["footage.deleted"]))
    set_hold(ledger, point, PEOPLE["boris"], DAY, ("ENTR-1",), "запрос суда", "7")
    done = carry_out(ledger, home, accounts, KEEP, ordered.seq, LATER)
    assert done is not None and (done.files, done.left) == (3, 3)
    gone = {one.path for one in segments(store) if one.reason == DELETED}
    assert gone == {one.path for one in segments(store) if not one.file(home).exists()} and len(gone) == 3
    assert not [one for one in segments(store) if one.reason == "deleting"]
    [entry] = ledger.entries(["footage.deleted"])
    listed = (home.reports / "deletions" / f"{ordered.body['list']}.jsonl").read_text(encoding="utf-8").splitlines()
    lines = "".join(line + "\n" for line in listed if json.loads(line)["path"] in gone)
    assert entry.body["gone"] == hashlib.sha256(lines.encode()).hexdigest()


def test_a_hold_wants_a_reason_an_order_and_the_right(ledger: Ledger, point: Point) -> None:
    with pytest.raises(RefusedEntry, match="number of the order"):
        set_hold(ledger, point, PEOPLE["anna"], DAY, (), "запрос суда", " ")
    with pytest.raises(AccessDenied, match="legal hold"):
        set_hold(ledger, point, PEOPLE["tech"], DAY, (), "запрос суда", "7")
    with pytest.raises(RefusedEntry, match="no such camera"):
        set_hold(ledger, point, PEOPLE["anna"], DAY, ("X-9",), "запрос суда", "7")
    held = set_hold(ledger, point, PEOPLE["anna"], DAY, ("COR1-1",), "запрос суда", "7")
    for number, who in ((held.number + 1, "anna"), (held.number, "tech")):
        with pytest.raises(ExamKitError):
            lift_hold(ledger, PEOPLE[who], number, "суд окончен", "9")
    assert [hold.stands for hold in holds(ledger)] == [True]


def test_the_command_line_takes_a_receipt_in_and_says_what_is_kept(
    receipt: Receipt,
    region: SigningKey,
    home: Home,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("EXAM_KIT_HOME", str(home.root))
    file = tmp_path / "bag.receipt.json"
    file.write_bytes(write_receipt(region, receipt))
    assert main(["--language", "en", "receipt", str(file)]) == 0
    assert "delivered" in capsys.readouterr().out
    file.write_bytes(b"{}")
    assert main(["--language", "en", "receipt", str(file)]) == ArchiveError.exit_code
    capsys.readouterr()
    assert main(["keep", "--json"]) == 0
    [day] = json.loads(capsys.readouterr().out)["days"]
    assert (day["day"], day["keep_until"], sum(day["files"].values())) == (str(DAY), "2027-03-01", 9)


def die_in_the_middle(root: str, number: str) -> None:
    """Carry the order out in this process, and be killed after the third file."""
    home = Home.at(Path(root))
    store = open_store(home)
    ledger = Ledger(store, home)

    def stop(done: int, _all: int) -> None:
        if done == 3:
            signal.raise_signal(signal.SIGKILL)

    carry_out(ledger, home, Accounts(store, ledger), KEEP, int(number), LATER, progress=stop)


if __name__ == "__main__":
    die_in_the_middle(sys.argv[1], sys.argv[2])
