"""What every part of `point.toml` has in common."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

__all__ = ["SAID", "Part"]

SAID = "said"
"""Type of an error whose text is one of ours, to be translated where it is shown."""


class Part(BaseModel):
    """Common to every part of the file: unknown keys are mistakes, nothing changes after loading."""

    model_config = ConfigDict(extra="forbid", frozen=True)
