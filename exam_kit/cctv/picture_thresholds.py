"""Where a good picture ends: the numbers, all from the profile."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields

from exam_kit.errors import UsageError, m

__all__ = ["SHIPPED", "Thresholds"]


@dataclass(frozen=True)
class Thresholds:
    """Where good ends. Every number comes from the profile's table ``[picture]``; grey levels run 0–255."""

    black_mean: float
    """black: mean below this…"""
    black_std: float
    """…and standard deviation below this"""
    dark_mean: float
    """too dark: mean below this"""
    flat_share: float
    """covered: at least this share of flat cells…"""
    flat_rise: float
    """…or this much more of them than in the approved picture"""
    hidden_share: float
    """covered in part: this share of the approved picture's parts have lost nearly all their edges and gained none"""
    glare_p95: float
    """flat and with the 95th percentile at least this: blinded, not covered"""
    glare_mean: float
    """blinded: mean at least this, whatever is left of the scene"""
    sharpness: float
    """blurred, where there is no approved picture: sharpness below this"""
    sharpness_ratio: float
    """blurred: sharpness below this share of the approved picture's"""
    frozen_s: float
    """frozen: byte-identical frames for this long"""
    still_difference: float
    """almost still: mean difference between keyframes below this…"""
    still_s: float
    """…for this long (a remark, not a fault: an empty room is still too)"""
    moved_shift: float
    """moved: shifted by more than this share of the width…"""
    moved_scale: float
    """…or larger or smaller by more than this share…"""
    moved_turn_deg: float
    """…or turned by more than this…"""
    moved_gain: float
    """…and undoing it brings back at least this share of the edges"""
    lost_retention: float
    """scene changed: less than this share of the approved picture's edges is in place, and no movement explains it"""
    caption_kept: float
    """no caption: less than this share of the approved picture's caption has letters now"""
    stalled_s: float
    """stalled: no packets for this long; the recorder then connects anew"""
    alarm_bursts: float
    """persistence: so many judgements must agree…"""
    of_bursts: float
    """…of the last so many"""
    reference_days: float
    """an approved picture older than this is a remark"""
    walk_step: float
    """walk test: a cell of the picture moved when its grey level changed by at least this…"""
    walk_share: float
    """…and this share of the cells moved together, twice running"""
    walk_s: float
    """walk test: time per camera"""

    @classmethod
    def from_mapping(cls, table: Mapping[str, object]) -> Thresholds:
        """Thresholds from a profile's table: every field by its name, a finite number, not negative; nothing else.

        Raises:
            UsageError: `details` lists every missing, unknown or unusable key.
        """
        names = [field.name for field in fields(cls)]
        details = [
            m("{key}: not a threshold; remove it or correct the name", key=key) for key in table if key not in names
        ]
        values: dict[str, float] = {}
        for name in names:
            value = table.get(name)
            if name not in table:
                details.append(m("{key}: missing; add it with a number", key=name))
            elif isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < float("inf"):
                details.append(
                    m("{key}: {value} cannot be used; give a number that is not negative", key=name, value=value)
                )
            else:
                values[name] = float(value)
        if not details and not 1 <= values["alarm_bursts"] <= values["of_bursts"]:
            details.append(m("alarm_bursts: give a number from 1 to of_bursts"))
        if details:
            raise UsageError(m("Picture thresholds have mistakes. Correct the profile's table [picture]."), details)
        return cls(**values)


SHIPPED: dict[str, float] = {
    "black_mean": 20, "black_std": 8, "dark_mean": 40,
    "flat_share": 0.85, "flat_rise": 0.25, "hidden_share": 0.27, "glare_p95": 250, "glare_mean": 230,
    "sharpness": 0.2, "sharpness_ratio": 0.5,
    "frozen_s": 10, "still_difference": 0.1, "still_s": 60,
    "moved_shift": 0.02, "moved_scale": 0.05, "moved_turn_deg": 1.5, "moved_gain": 0.10, "lost_retention": 0.25,
    "caption_kept": 0.3, "stalled_s": 3, "alarm_bursts": 2, "of_bursts": 3, "reference_days": 2,
    "walk_step": 10, "walk_share": 0.006, "walk_s": 60,
}  # fmt: skip
"""Measured on footage, not taken from a rule; the shipped profiles copy them, and a profile's own table wins."""
