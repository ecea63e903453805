"""Attacks on a bag: what is done to it, and with which words and exit code it must be refused."""

from __future__ import annotations

import os
import socket
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass

from exam_kit.archive.bag import PUBLIC_KEY, SIGNATURE
from exam_kit.archive.bag_lists import MOST_INFO_BYTES
from exam_kit.archive.bag_tree import MOST_FILES
from tests.bag_forger import COVERAGE, INFO, LEDGER, MANIFEST, Forger

CHANGED, MISSING, UNEXPECTED, REFUSED = 20, 21, 22, 23
NOBODY, HOLDER, OWN = "no key", "the point's key", "a key of his own"


@dataclass(frozen=True)
class Attack:
    """`seals` says with which key the forger signs afterwards; `given` whether the checker has the point's key."""

    name: str
    do: Callable[[Forger], None]
    code: int
    said: str
    seals: str = HOLDER
    given: bool = True
    relists: bool = False
    long: bool = False
    chain: str = ""


def run(attack: Attack, forger: Forger) -> None:
    """Do it, and seal the bag again as the attack says."""
    attack.do(forger)
    if attack.relists:
        forger.relist()
    if attack.seals == HOLDER:
        forger.reseal(forger.own.key)
    elif attack.seals == OWN:
        forger.reseal(forger.own_key())
    else:
        forger.reseal(None)


def _listed(path: str) -> Callable[[Forger], None]:
    return lambda forger: forger.list_file(path)


def _lines(count: int) -> Callable[[Forger], None]:
    def do(forger: Forger) -> None:
        with (forger.bag / MANIFEST).open("a", encoding="utf-8", newline="\n") as manifest:
            for start in range(0, count, 100_000):
                ends = min(start + 100_000, count)
                manifest.write("".join(f"{'0' * 64}  data/{number}\n" for number in range(start, ends)))

    return do


def _with(path: str, content: Callable[[bytes], bytes]) -> Callable[[Forger], None]:
    return lambda forger: forger.write(path, content((forger.bag / path).read_bytes()))


def _swap(forger: Forger) -> None:
    forger.write(forger.video, next(forger.other.bag.rglob("*.mp4")).read_bytes())


def _hole(size: int) -> Callable[[Forger], None]:
    def do(forger: Forger) -> None:
        with (forger.bag / forger.video).open("r+b") as video:
            video.truncate(size)

    return do


def _hard_link(forger: Forger) -> None:
    video = forger.bag / forger.video
    video.unlink()
    os.link(forger.outside / "secret.mp4", video)


def _hard_link_more(forger: Forger) -> None:
    os.link(forger.outside / "secret.mp4", forger.bag / "data" / "leak.mp4")


def _same_name(forger: Forger) -> None:
    forger.write("data/LEDGER.jsonl", b"x")


def _other_form(forger: Forger) -> None:
    name = next(path.name for path in (forger.bag / "data" / "documents").iterdir() if "ё" in path.name)
    forger.write(f"data/documents/{unicodedata.normalize('NFD', name)}", b"x")


def _socket(forger: Forger) -> None:
    here = os.open(".", os.O_RDONLY)
    with socket.socket(socket.AF_UNIX) as made:  # the path is too long for a socket's address: bind from its folder
        os.chdir(forger.bag / "data")
        made.bind("s.mp4")
        os.fchdir(here)
    os.close(here)


def _folders(forger: Forger) -> None:
    for number in range(2 * MOST_FILES + 1):
        (forger.bag / "data" / str(number)).mkdir()


def _cut(ledger: bytes) -> bytes:
    lines = ledger.splitlines(keepends=True)
    return b"".join(lines[: len(lines) // 2])


def _replaced_key(forger: Forger) -> None:
    forger.write(LEDGER, forger.other.ledger)


NO_KEY = Attack("a recording changed, lists recomputed", _swap, CHANGED, "does not fit", NOBODY, relists=True)

ATTACKS = (
    Attack("path leads out", _listed("data/../../../../etc/hostname"), REFUSED, "leads out of the bag"),
    Attack("path leads out, encoded", _listed("data/%2e%2e/%2e%2e/etc/hostname"), REFUSED, "encoded in a way"),
    Attack("path leads out, encoded twice", _listed("data/%252e%252e/x"), MISSING, "is missing"),
    Attack("path is absolute", _listed("/etc/hostname"), REFUSED, "absolute path"),
    Attack("path has a drive letter", _listed("C:/Windows/win.ini"), REFUSED, "absolute path"),
    Attack("path with backslashes", _listed("data/..\\..\\secret"), REFUSED, "leads out of the bag"),
    Attack("path of a server", _listed("\\\\server\\share\\x"), REFUSED, "leads out of the bag"),
    Attack("path of a home", _listed("~root/.profile"), REFUSED, "absolute path"),
    Attack("path not plain", _listed("data//twice"), REFUSED, "not in its plain form"),
    Attack("path with NUL", _listed("data/a\0b.mp4"), REFUSED, "data/a\\u0000b.mp4"),
    Attack("path with a line end", _listed("data/a%0Ab.mp4"), REFUSED, "cannot be seen"),
    Attack("path with a terminal's command", _listed("data/\x1b[2Ja.mp4"), REFUSED, "data/\\u001b[2Ja.mp4"),
    Attack("path turned around", _listed("data/\u202e4pm.exe"), REFUSED, "data/\\u202e4pm.exe"),
    Attack("path of a hidden stream", _listed("data/x.mp4:hidden"), REFUSED, "on Windows"),
    Attack("path of a device", _listed("data/con.mp4"), REFUSED, "on Windows"),
    Attack("path in the wrong list", _listed("coverage.json"), REFUSED, "wrong manifest"),
    Attack("listed twice by case", _listed("data/LEDGER.jsonl"), REFUSED, "stands twice"),
    Attack(
        "listed twice by case, Cyrillic", _listed("data/documents/АКТ приёма-передачи.pdf"), REFUSED, "stands twice"
    ),
    Attack(
        "listed twice by Unicode form",
        _listed(unicodedata.normalize("NFD", "data/documents/акт приёма-передачи.pdf")),
        REFUSED,
        "stands twice",
    ),
    Attack("there twice by case", _same_name, REFUSED, "stands twice"),
    Attack("there twice by Unicode form", _other_form, REFUSED, "stands twice"),
    Attack("link to a file outside", lambda f: (f.bag / "data/l.mp4").symlink_to(f.outside), REFUSED, "symbolic link"),
    Attack("link to a folder outside", lambda f: (f.bag / "data/l").symlink_to(f.outside), REFUSED, "symbolic link"),
    Attack("a pipe", lambda f: os.mkfifo(f.bag / "data/p.mp4"), REFUSED, "neither a file nor a folder"),
    Attack("a socket", _socket, REFUSED, "neither a file nor a folder"),
    Attack("a recording that is a hard link", _hard_link, CHANGED, "was changed", NOBODY),
    Attack("one more hard link", _hard_link_more, UNEXPECTED, "does not belong", NOBODY),
    Attack("a hollow file larger than the carrier", _hole(8 << 40), REFUSED, "hollow", NOBODY),
    Attack("a hollow recording", _hole(2 << 30), CHANGED, "was changed", NOBODY),
    Attack("a list that is too long", _lines(MOST_FILES), REFUSED, "more than"),
    Attack("a list of 10 million lines", _lines(10_000_000), REFUSED, "far too large", long=True),
    Attack("a line of 1 MB", _listed("data/" + "x" * 1_000_000), REFUSED, "too long"),
    Attack("300,000 folders", _folders, REFUSED, "more than", long=True),
    Attack("huge tags", _with(INFO, lambda old: old + b"X: y\n" * MOST_INFO_BYTES), REFUSED, "far too large"),
    Attack("a huge tag value", _with(INFO, lambda old: old + b"X: " + b"y" * 60_000 + b"\n"), REFUSED, "far too large"),
    Attack(
        "many values in coverage", _with(COVERAGE, lambda _: b"[" + b"[]," * 16_000_000 + b"[]]"), 0, "WHOLE", long=True
    ),
    Attack("deep coverage", _with(COVERAGE, lambda _: b"[" * 1_000_000), 0, "WHOLE"),
    Attack("coverage with markup", _with(COVERAGE, lambda old: old.replace(b"COR1-1", b"<script>")), 0, "WHOLE"),
    Attack("a file of another point", _swap, CHANGED, "the ledger never saw", relists=True, chain="broken"),
    NO_KEY,
    Attack("the same, signed anew", _swap, CHANGED, "another key than the point's", OWN, relists=True),
    Attack("the same, point's key not at hand", _swap, CHANGED, "another key", OWN, given=False, relists=True),
    Attack("another point's ledger", _replaced_key, CHANGED, "another key", relists=True, chain="broken"),
    Attack("the ledger cut short", _with(LEDGER, _cut), CHANGED, "signed end", relists=True, chain="broken"),
    Attack("a ledger of one line", _with(LEDGER, lambda _: b"x" * (8 << 20)), CHANGED, "too long", relists=True),
    Attack("a deep ledger", _with(LEDGER, lambda _: b"[" * (1 << 20)), CHANGED, "is not a ledger export", relists=True),
    Attack("no ledger at all", lambda f: (f.bag / LEDGER).unlink(), MISSING, "ledger.jsonl: is missing", relists=True),
    Attack("garbage for a signature", _with(SIGNATURE, lambda _: b"x" * 64), CHANGED, "does not fit", NOBODY),
    Attack("an empty signature", _with(SIGNATURE, lambda _: b""), CHANGED, "does not fit", NOBODY),
    Attack(
        "the signature of another bag",
        lambda f: f.write(SIGNATURE, (f.other.bag / SIGNATURE).read_bytes()),
        CHANGED,
        "does not fit",
        NOBODY,
    ),
    Attack(
        "the key replaced", lambda f: f.write(PUBLIC_KEY, f.other.key.public.pem()), CHANGED, "does not fit", NOBODY
    ),
    Attack(
        "the key replaced, point's key not at hand",
        lambda f: f.write(PUBLIC_KEY, f.other.key.public.pem()),
        CHANGED,
        "does not fit",
        NOBODY,
        given=False,
    ),
    Attack(
        "a key that is none",
        lambda f: f.write(PUBLIC_KEY, b"x" * 9_000),
        CHANGED,
        "no Ed25519 public key",
        NOBODY,
        given=False,
    ),
    Attack("another version", lambda f: f.write("bagit.txt", b"BagIt-Version: 9.9\n"), CHANGED, "does not declare"),
    Attack(
        "names that command a terminal",
        lambda f: f.write("data/\x1b]0;x\x07\u202e<b>", b""),
        UNEXPECTED,
        "\\u001b]0;x\\u0007\\u202e",
    ),
    Attack("the list gone", lambda f: (f.bag / MANIFEST).unlink(), CHANGED, "is missing", chain="unknown"),
)
