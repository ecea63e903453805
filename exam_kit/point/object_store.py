"""An object store that copies may go to, as `point.toml` names it. Its keys are never here: see `Secrets`."""

from __future__ import annotations

from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import Field, field_validator
from pydantic_core import PydanticCustomError

from exam_kit.i18n import N_
from exam_kit.point.part import SAID, Part

__all__ = ["ObjectStore"]


class ObjectStore(Part):
    """An S3-compatible store. Copies lie in `bucket` under `prefix`, one folder for each bag.

    `retention` asks the store to refuse deletion until the bag's keep-until date; it is used only where
    `exam-kit store probe` has shown that the store does. `ca` is a PEM file with the authority of the store's
    certificate, where that is the region's own. Files up to `part_mb` go as one object, larger ones in such parts.
    """

    name: Annotated[str, Field(pattern=r"^[a-z0-9-]{1,32}$")]
    endpoint: str
    region: Annotated[str, Field(pattern=r"^[A-Za-z0-9-]{1,32}$")] = "us-east-1"
    bucket: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$")]
    prefix: str = Field(default="", max_length=200)
    addressing: Literal["path", "virtual", "auto"] = "path"
    retention: Literal["none", "governance", "compliance"] = "none"
    ca: str | None = Field(default=None, min_length=1)
    part_mb: int = Field(default=32, ge=5, le=512)
    threads: int = Field(default=4, ge=1, le=16)

    @field_validator("endpoint")
    @classmethod
    def _address(cls, url: str) -> str:
        try:
            parts = urlsplit(url)
            plain = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
        except ValueError:  # a port that is no number, a bracket that is not closed
            plain = False
        if not plain or "@" in url or parts.query or parts.fragment or parts.path.strip("/"):
            raise PydanticCustomError(
                SAID,
                N_("the store's address is https://HOST or https://HOST:PORT, with no keys and no bucket in it"),
            )
        return url.rstrip("/")

    @field_validator("prefix")
    @classmethod
    def _folder(cls, prefix: str) -> str:
        plain = prefix.strip("/")
        if any(part in ("", ".", "..") for part in plain.split("/") if plain) or any(ord(sign) < 32 for sign in plain):
            raise PydanticCustomError(SAID, N_("a prefix is one or more names with / between them, such as ege/2026"))
        return plain

    @property
    def secret_names(self) -> tuple[str, str]:
        """Under which names the access key and its secret are kept."""
        return f"store:{self.name}:access-key", f"store:{self.name}:secret-key"

    def key_of(self, path: str) -> str:
        """The object's key for a path under the prefix."""
        return f"{self.prefix}/{path}" if self.prefix else path
