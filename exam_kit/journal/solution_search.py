"""Which solutions fit what is being described: by their words, by the case, and by how often they helped in it."""

from __future__ import annotations

from dataclasses import dataclass

from exam_kit.journal.solution import Shelf, Solution, Tally
from exam_kit.journal.solution_index import SolutionIndex

__all__ = ["LOOKED_AT", "Hit", "helpfulness", "search"]

LOOKED_AT = 60
"""How many matches are weighed by how they helped; what matches worse than these fits too badly to be saved by it."""

SAME_CASE = 1.3
"""How much more a solution of the same category counts than an equal match of another."""

WORTH_SHOWING = 0.25
"""What weighs less than this part of the best is left out: it shares a word, not the trouble."""

OTHERS_COUNT = 0.5
"""What other points counted weighs half of what this one saw itself."""


@dataclass(frozen=True)
class Hit:
    """A solution that fits, and how well: greater is better, comparable within one search only."""

    solution: Solution
    weight: float


def helpfulness(solution: Solution, category: str | None) -> float:
    """From 0.5 (never helped) over 1.0 (nobody has said) to 1.5 (always has): Laplace's rule of succession."""
    own, other = solution.own_tally(category), solution.other_tally(category)
    helped = own.helped + OTHERS_COUNT * other.helped
    not_helped = own.not_helped + OTHERS_COUNT * other.not_helped
    return 0.5 + (helped + 1) / (helped + not_helped + 2)


def search(
    shelf: Shelf, index: SolutionIndex, text: str, category: str | None = None, *, only: bool = False, limit: int = 20
) -> list[Hit]:
    """The solutions that fit `text`, best first; without a text those of `category`, the most helpful first.

    `category` weighs more what belongs to it; with `only` nothing else is found. Any text is allowed.
    """
    if not text.strip():
        return _of_category(shelf, category, limit)
    findable = shelf.findable
    within = [name for name, content in findable.items() if content.category == category] if only else []
    if only and not within:
        return []
    matches = index.find(text, shelf.stamp, findable, LOOKED_AT, within)
    hits = [
        Hit(shelf.solutions[name], match * _case(shelf.solutions[name], category))
        for name, match in matches
        if name in findable
    ]
    hits.sort(key=lambda hit: -hit.weight)
    best = hits[0].weight if hits else 0.0
    return [hit for hit in hits if hit.weight >= best * WORTH_SHOWING][:limit]


def _case(solution: Solution, category: str | None) -> float:
    same = SAME_CASE if category and solution.content.category == category else 1.0
    return same * helpfulness(solution, category)


def _of_category(shelf: Shelf, category: str | None, limit: int) -> list[Hit]:
    hits = [
        Hit(one, helpfulness(one, category))
        for one in shelf.solutions.values()
        if not one.withdrawn and category in (None, one.content.category)
    ]
    return sorted(hits, key=lambda hit: (-hit.weight, -sum(_said(hit.solution, category)), hit.solution.id))[:limit]


def _said(solution: Solution, category: str | None) -> Tally:
    return solution.own_tally(category).plus(solution.other_tally(category))
