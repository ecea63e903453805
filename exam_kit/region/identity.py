"""The region's age identity: the secret key that opens what points encrypted to the region, and its public recipient.

The secret is kept where the region's other secrets are (`Secrets`) and appears nowhere else; who has the recipient can
only encrypt. Several may be kept: the first is the one whose recipient is given out, the others still open what was
encrypted to them. Without it the bags cannot be opened by anybody, so nothing here ever throws one away.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import pyrage
from pyrage import x25519

from exam_kit.archive.age_open import identities_in
from exam_kit.errors import StoreError, UsageError, m
from exam_kit.home import Home
from exam_kit.point import Secrets
from exam_kit.region.desk import RegionDesk
from exam_kit.store.durable import sync_folder

__all__ = ["copy_identities", "identities", "own_recipient", "recipient_file", "take_identities"]

KEPT_AS = "region:age"
CHANGED = "region.age_identity"


def identities(home: Home) -> list[x25519.Identity]:
    """The keys kept here, the one that is given out first; none when there are none.

    Raises:
        AccessDenied: the file with the secrets cannot be read.
        StoreError: what is kept is no key.
    """
    kept = Secrets(home).get(KEPT_AS) or ""
    try:
        return [x25519.Identity.from_str(line) for line in kept.split()]
    except pyrage.IdentityError:
        raise StoreError(
            m(
                "{place}: what is kept as the region's age identity is none. Give your copy of it: "
                "exam-kit region identity --from FILE",
                place=Secrets(home).place,
            )
        ) from None


def recipient_file(home: Home) -> Path:
    """The public recipient as it is given to the points."""
    return home.root / "region-age.pub"


def own_recipient(desk: RegionDesk, actor: str) -> str:
    """The recipient that is given out; where there is no identity yet, one is made and kept.

    Raises:
        UsageError: a recipient was given out here, and its secret key is not kept here any more.
        AccessDenied, StoreError: what is kept cannot be read.
    """
    kept = identities(desk.home)
    if not kept:
        if recipient_file(desk.home).exists():
            raise UsageError(
                m(
                    "{path}: was given out, and its secret key is not kept here, or the keyring is locked. Unlock the "
                    "keyring or give your copy: exam-kit region identity --from FILE. Only when there is no copy: move "
                    "this file away, make a new identity and give its recipient to every point; bags encrypted to the "
                    "old one stay closed.",
                    path=recipient_file(desk.home),
                )
            )
        kept = [x25519.Identity.generate()]
        _keep(desk, kept, actor, "made")
    elif not _published(desk.home, kept[0]):
        _publish(desk.home, kept[0])
    return str(kept[0].to_public())


def take_identities(desk: RegionDesk, path: Path, actor: str) -> str:
    """Keep the identities of a file that ``age-keygen`` or `copy_identities` wrote; its first one is given out.

    Those kept before stay, and open what was encrypted to them. The recipient that is given out now.

    Raises:
        ArchiveError: there is none in the file.
        AccessDenied, StoreError: what is kept cannot be read.
        OSError: the file cannot be read.
    """
    given = {str(one): one for one in identities_in(path)}
    before = identities(desk.home)
    both = list((given | {str(one): one for one in before}).values())
    if [str(one) for one in both] != [str(one) for one in before]:
        _keep(desk, both, actor, "taken")
    elif not _published(desk.home, both[0]):
        _publish(desk.home, both[0])
    return str(both[0].to_public())


def copy_identities(desk: RegionDesk, path: Path) -> int:
    """Write all identities to a new file as age's own tools read it, for a safe; how many there are.

    Raises:
        UsageError: there is none to copy, or something lies there already.
        OSError: it cannot be written there.
    """
    kept = identities(desk.home)
    if not kept:
        raise UsageError(
            m("There is no age identity here. Make one with 'exam-kit region identity', then copy it to a safe place.")
        )
    lines = [line for one in kept for line in (f"# public key: {one.to_public()}", str(one))]
    try:
        target = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0), 0o600)
    except FileExistsError:
        raise UsageError(m("{path}: is there already. Name a new file for the copy.", path=path)) from None
    try:
        with os.fdopen(target, "w", encoding="ascii", newline="\n") as file:
            file.write("\n".join(lines) + "\n")
            file.flush()
            os.fsync(file.fileno())
    except OSError:
        path.unlink(missing_ok=True)  # half a key looks like a copy and is none
        raise
    sync_folder(path.absolute().parent)
    return len(kept)


def _keep(desk: RegionDesk, kept: Sequence[x25519.Identity], actor: str, how: str) -> None:
    """The secret is durable before its recipient is told to anybody."""
    Secrets(desk.home).set(KEPT_AS, "\n".join(str(one) for one in kept))
    if [str(one) for one in identities(desk.home)] != [str(one) for one in kept]:
        raise StoreError(
            m(
                "{place}: does not give back what was kept there; no recipient is given out. Repair it, then try "
                "again.",
                place=Secrets(desk.home).place,
            )
        )
    _publish(desk.home, kept[0])
    desk.ledger.append(CHANGED, {"recipient": str(kept[0].to_public()), "how": how, "kept": len(kept)}, actor)


def _published(home: Home, identity: x25519.Identity) -> bool:
    path = recipient_file(home)
    return path.is_file() and path.read_text(encoding="ascii", errors="replace").strip() == str(identity.to_public())


def _publish(home: Home, identity: x25519.Identity) -> None:
    path = recipient_file(home)
    part = path.with_name(path.name + ".part")
    with part.open("w", encoding="ascii", newline="\n") as file:
        file.write(f"{identity.to_public()}\n")
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)
    sync_folder(path.parent)
