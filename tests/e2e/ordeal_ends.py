"""An archive killed (SIGKILL) after each single step of its rows, ledger, names and sendings, and started again.

::

    python -m tests.e2e.ordeal_ends HOME PLACE [--most N] [--only STEP …]

HOME has a recorded day of which nothing is archived and one recording is damaged; PLACE is a folder or ``s3://STORE``
of its point.toml. For each step the home is put back as it was, a child is killed just after it, and a second one takes
the order up.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shutil
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from exam_kit.archive import job_seal, verify_bag
from exam_kit.archive.act import Document, HandoverAct
from exam_kit.archive.bag import MANIFEST
from exam_kit.archive.bag_lists import read_list
from exam_kit.archive.copy_journal import CopyJournal
from exam_kit.archive.job_rows import JobRows
from exam_kit.archive.kept_papers import kept_act
from exam_kit.archive.s3 import store_copy, verify_in_store
from exam_kit.archive.s3.uploads import Uploads
from exam_kit.archive.sink import FolderSink
from exam_kit.archive.stores import store_of
from exam_kit.home import Home
from exam_kit.store import Ledger, open_store
from tests.s3.direct import archive_to, wire_of

__all__ = ["step_by_step"]

NUMBER = 9
"""Of the order."""
STEPS: tuple[tuple[Any, str], ...] = (
    (JobRows, "open"),
    (JobRows, "begun_at"),
    (JobRows, "new_at"),
    (JobRows, "plan"),
    (JobRows, "acknowledge"),
    (JobRows, "mark"),
    (JobRows, "state"),  # inside the entry's transaction, before it is committed
    (Ledger, "append"),
    (CopyJournal, "verified"),
    (CopyJournal, "sealed"),
    (FolderSink, "accept"),
    (Uploads, "arrive"),
    (Path, "rename"),
    (job_seal, "sweep"),
    (job_seal, "keep_papers"),
    (job_seal, "seal"),
    (job_seal, "seal_encrypted"),
    (job_seal, "verify_bag"),
    (store_copy, "send_files"),
    (store_copy, "verify_in_store"),
    (store_copy, "keep_evidence"),
    (shutil, "rmtree"),
)


def step_by_step(
    home: Home, place: Path | str, said: Callable[[str], None], most: int = 1000, only: Sequence[str] = ()
) -> tuple[int, list[str]]:
    """How often a run was cut off, and what was promised and not kept. Each step (`only` these) is cut off `most` times
    at most: the first time it is done, the second time and so on."""
    kept, broken, cuts = home.root.with_name("kept"), list[str](), 0
    shutil.copytree(home.root, kept)
    for owner, name in (step for step in STEPS if not only or step[1] in only):
        for time in range(1, most + 1):
            cut = _cut(home, place, owner, name, time)
            if cut:
                wrong = _after_the_cut(home)
                if _forked(lambda: _archived(home, place)) != 0:
                    wrong.append("the order was not taken up to its end")
                wrong += _at_the_end(home, place)
                line = f"{getattr(owner, '__name__', owner)}.{name}, time {time}"
                said(f"{line}: {'; '.join(wrong) or 'whole'}")
                broken += [f"{line}: {one}" for one in wrong]
                cuts += 1
            _put_back(home, kept, place)
            if not cut:
                break
    return cuts, broken


def _cut(home: Home, place: Path | str, owner: Any, name: str, time: int) -> bool:
    """Whether a child was killed just after it had done this step for the `time`-th time; else it came to its end."""

    def work() -> None:
        count, really = 0, getattr(owner, name)

        def stepped(*arguments: Any, **more: Any) -> Any:
            nonlocal count
            answer = really(*arguments, **more)
            count += 1
            if count == time:
                os.kill(os.getpid(), signal.SIGKILL)
            return answer

        setattr(owner, name, stepped)
        _archived(home, place)

    code = _forked(work)
    assert code in (0, -signal.SIGKILL), code
    return code != 0


def _forked(work: Callable[[], None]) -> int:
    """What a child that does `work` ends with; a killed one with the signal's number below nought."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            work()
            code = 0
        except Exception as problem:  # noqa: BLE001 - a child may not go on with what its parent does
            print(f"{type(problem).__name__}: {problem}", file=sys.stderr, flush=True)
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def _archived(home: Home, place: Path | str) -> None:
    result = archive_to(home, [place], NUMBER, documents=_papers)
    assert result.state == "finished", result.state


def _papers(act: HandoverAct) -> list[Document]:
    return [Document("act.pdf", f"%PDF {act.number} {act.copy} {act.made_at} {act.ledger_head}".encode())]


def _after_the_cut(home: Home) -> list[str]:
    """What the rows and the ledger say is so."""
    wrong = []
    store = open_store(home)
    ledger = Ledger(store, home)
    finished = {str(entry.body["job"]) for entry in ledger.entries(["archive.finished"])}
    for row in store.query("SELECT id, state, bag FROM archive_job"):
        if (row["state"] == "finished") != (row["id"] in finished):
            wrong.append(f"{row['id']}: its row says {row['state']}, the ledger finished {sorted(finished)}")
        if store_of(row["bag"]):
            continue
        bag = Path(row["bag"])
        lies = bag if bag.exists() else bag.with_name(bag.name + ".part")
        if row["state"] == "finished" and not verify_bag(bag, key=ledger.public_key).whole:
            wrong.append(f"{bag}: finished, and is not whole")
        files = store.query("SELECT path, sha256 FROM archive_file WHERE job = ? AND state = 'verified'", (row["id"],))
        if not bag.name.startswith("sealed-"):
            wrong += [
                f"{file['path']}: verified, and is not there as it was"
                for file in files
                if not (lies / file["path"]).is_file()
                or hashlib.sha256((lies / file["path"]).read_bytes()).hexdigest() != file["sha256"]
            ]
    store.close()
    return wrong


def _at_the_end(home: Home, place: Path | str) -> list[str]:
    """One copy, number 1, whole, known to the ledger once; its act is kept here; nothing is left lying about."""
    store = open_store(home)
    ledger = Ledger(store, home)
    finished = [dict(entry.body) for entry in ledger.entries(["archive.finished"])]
    rows = store.query("SELECT id, state, bag FROM archive_job")
    key = ledger.public_key
    store.close()
    if len(finished) != 1 or [row["state"] for row in rows] != ["finished"]:
        return [f"the ledger finished {len(finished)}, the rows say {[row['state'] for row in rows]}"]
    (body,), wrong, bag = finished, [], str(rows[0]["bag"])
    if (body["copy"], body["files"], body["failed"]) != (1, 3, 1):
        wrong.append(f"copy {body['copy']} with {body['files']} files, {body['failed']} failed")
    lies = body.get("sealed_hash", body["bag_hash"])
    if store_of(bag):
        report = verify_in_store(wire_of(home), bag.rpartition("/")[2], home, key=key, download=True)
    else:
        report = verify_bag(Path(bag), key=key)
        if len(left := sorted(one.name for one in Path(bag).parent.iterdir())) != 1:
            wrong.append(f"there lie {left}")
    if not report.whole or report.bag_hash != lies:
        wrong.append(f"the bag is {report.outcome}, {report.bag_hash} for {lies}")
    if left := [str(one) for one in (home.store.parent / "sending").glob("*/*")]:
        wrong.append(f"left: {left}")
    act = kept_act(home, str(rows[0]["id"]))
    if act is None:
        wrong.append("no act is kept")
    elif not report.encrypted and _listed(home, bag, "data/documents/act.pdf") != _sha256(act):
        wrong.append("the act that is kept is not the one in the bag")
    return wrong


def _listed(home: Home, bag: str, path: str) -> str:
    if store_of(bag):
        wire = wire_of(home)
        key = wire.store.key_of(f"{bag.rpartition('/')[2]}/{MANIFEST}")
        found = next(one for one in wire.listing(key))
        lists = home.root.with_name("lists")
        lists.write_bytes(b"".join(wire.read(key, found[1], found[2])))
    else:
        lists = Path(bag) / MANIFEST
    with lists.open("rb") as source:
        return read_list(source, MANIFEST, payload=True)[path]


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _put_back(home: Home, kept: Path, place: Path | str) -> None:
    shutil.rmtree(home.root)
    shutil.copytree(kept, home.root)
    if isinstance(place, Path):
        for one in place.iterdir():
            shutil.rmtree(one)
        return
    wire = wire_of(home)
    for key, _size, _etag in list(wire.listing("")):
        wire.call("delete_object", Key=key)


def main(words: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.e2e.ordeal_ends")
    parser.add_argument("home", type=Path)
    parser.add_argument("place")
    parser.add_argument("--most", type=int, default=1000, metavar="N", help="times that each step is cut off")
    parser.add_argument(
        "--only", nargs="+", default=(), choices=sorted({name for _owner, name in STEPS}), metavar="STEP"
    )
    options = parser.parse_args(words)
    place = options.place if store_of(options.place) else Path(options.place)
    home = Home.at(options.home)
    cuts, broken = step_by_step(home, place, lambda line: print(line, file=sys.stderr), options.most, options.only)
    print(json.dumps({"cuts": cuts, "broken": broken}, ensure_ascii=False))
    return int(bool(broken))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
