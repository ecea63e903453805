"""What only a person can see."""

from __future__ import annotations

from exam_kit.checks.at import At
from exam_kit.checks.model import Fact
from exam_kit.checks.registry import probe


@probe("manual.confirm")
def confirm(at: At, *, roles: list[str] | None = None) -> Fact:
    """Waits for a person; `roles` names who may answer (empty: whoever runs or confirms checks)."""
    return Fact.pending(roles=roles or [], day=str(at.context.day.date) if at.context.day else "")
