"""The key the ledger's checkpoints are signed with: Ed25519, made once at set-up."""

from __future__ import annotations

import hashlib
import os
import threading
from pathlib import Path

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from exam_kit.errors import StoreError, m
from exam_kit.store.durable import sync_folder

__all__ = ["SigningKey", "VerifyKey", "fingerprint"]

_PRIVATE, _PUBLIC = "ledger.key", "ledger.pub"


def fingerprint(public: Ed25519PublicKey) -> str:
    """First 16 hex digits of the SHA-256 of the raw public key."""
    raw = public.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    return hashlib.sha256(raw).hexdigest()[:16]


class VerifyKey:
    """A public key: can check a signature, cannot make one."""

    def __init__(self, public: Ed25519PublicKey) -> None:
        self._public = public
        self.fingerprint = fingerprint(public)

    @classmethod
    def load(cls, path: Path) -> VerifyKey:
        """The key in a PEM file.

        Raises:
            StoreError: no such file, or not an Ed25519 public key.
        """
        try:
            return cls.from_pem(path.read_bytes())
        except (OSError, ValueError) as problem:
            raise StoreError(
                m(
                    "{path}: no readable Ed25519 public key ({reason}). Give the point's ledger.pub with --key.",
                    path=path,
                    reason=problem,
                )
            ) from problem

    @classmethod
    def from_pem(cls, pem: bytes) -> VerifyKey:
        """ValueError when `pem` is not an Ed25519 public key."""
        try:
            key = serialization.load_pem_public_key(pem)
        except UnsupportedAlgorithm as problem:
            raise ValueError(str(problem)) from problem
        if not isinstance(key, Ed25519PublicKey):
            raise ValueError("not an Ed25519 key")  # noqa: TRY004 - callers handle one kind of bad key
        return cls(key)

    def pem(self) -> bytes:
        return self._public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)

    def holds(self, message: bytes, signature: bytes) -> bool:
        """True when `signature` was made over `message` with this key's other half."""
        try:
            self._public.verify(signature, message)
        except InvalidSignature:
            return False
        return True


class SigningKey:
    """The private half. It stays in `keys/`, readable by its owner only."""

    def __init__(self, private: Ed25519PrivateKey) -> None:
        self._private = private
        self.public = VerifyKey(private.public_key())

    @classmethod
    def load_or_create(cls, folder: Path) -> SigningKey:
        """The key in `folder`, made on first use.

        Raises:
            StoreError: the file is there and is not a key.
        """
        path = folder / _PRIVATE
        if not path.exists():
            folder.mkdir(parents=True, exist_ok=True)
            cls(Ed25519PrivateKey.generate())._save(folder)
        try:
            key = serialization.load_pem_private_key(path.read_bytes(), password=None)
        except (OSError, ValueError) as problem:
            raise StoreError(
                m(
                    "{path}: the signing key cannot be read ({reason}). Restore it from the backup; do not delete it: "
                    "checkpoints made with it could no longer be continued.",
                    path=path,
                    reason=problem,
                )
            ) from problem
        if not isinstance(key, Ed25519PrivateKey):
            raise StoreError(m("{path}: is not an Ed25519 key. Restore it from the backup.", path=path))
        found = cls(key)
        found._publish(folder)
        return found

    def _save(self, folder: Path) -> None:
        pem = self._private.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        temporary = folder / f".{_PRIVATE}.{os.getpid()}"
        handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as target:
            target.write(pem)
            target.flush()
            os.fsync(target.fileno())
        try:
            # A link fails where the name exists: of two processes that start together, one key wins.
            os.link(temporary, folder / _PRIVATE)
        except FileExistsError:
            return
        except OSError:
            # FAT and exFAT have no links.
            if not (folder / _PRIVATE).exists():
                temporary.replace(folder / _PRIVATE)
        finally:
            temporary.unlink(missing_ok=True)
        sync_folder(folder)

    def _publish(self, folder: Path) -> None:
        """Keep the public half beside the key, also when the power went between the two.

        Another key in its place is left there: that is for the doctor and the checks to find.
        """
        path = folder / _PUBLIC
        if path.exists() and path.stat().st_size:
            return
        temporary = folder / f".{_PUBLIC}.{os.getpid()}-{threading.get_ident()}"
        with temporary.open("wb") as target:
            target.write(self.public.pem())
            target.flush()
            os.fsync(target.fileno())
        temporary.replace(path)
        sync_folder(folder)

    def sign(self, message: bytes) -> bytes:
        """64 bytes."""
        return self._private.sign(message)
