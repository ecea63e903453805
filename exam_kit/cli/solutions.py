"""`exam-kit solutions search | export | import`: what helped, found at the terminal and taken from point to point."""

from __future__ import annotations

import argparse
from collections import Counter
from pathlib import Path
from typing import Any

from exam_kit.cli.words import Desk, add_json, answer, at_the_terminal
from exam_kit.errors import RefusedEntry, m
from exam_kit.i18n import _, current_language
from exam_kit.journal.categories import load_categories
from exam_kit.journal.solution_file import MOST_BYTES
from exam_kit.journal.solution_import import FATE_LABELS, Fate, Plan, export, plan_import, take
from exam_kit.journal.solution_index import SolutionIndex
from exam_kit.journal.solution_search import Hit, search
from exam_kit.journal.solutions import Solutions

__all__ = ["add_commands"]

SHOWN = 5


def add_commands(commands: Any) -> None:
    solutions = commands.add_parser("solutions", help=_("the base of solutions: search, export, import"))
    acts = solutions.add_subparsers(title=_("commands"), required=True, metavar="COMMAND")
    found = acts.add_parser("search", help=_("find solutions by what is happening, in any words"))
    found.add_argument("text", nargs="+", metavar="TEXT")
    found.add_argument("--category", help=_("weigh solutions of this category of incidents more"))
    found.add_argument("--most", type=int, default=SHOWN, metavar="N", help=_("how many at most (default: 5)"))
    add_json(found)
    found.set_defaults(run=_search)
    out = acts.add_parser("export", help=_("write this point's solutions and what helped how often to a file"))
    out.add_argument("file", type=Path, metavar="FILE")
    add_json(out)
    out.set_defaults(run=_export)
    taken = acts.add_parser("import", help=_("take over the solutions of another point's file, all or nothing"))
    taken.add_argument("file", type=Path, metavar="FILE")
    taken.add_argument("--look", action="store_true", help=_("only say what it would bring"))
    add_json(taken)
    taken.set_defaults(run=_import)


def _book(desk: Desk) -> Solutions:
    return Solutions(desk.ledger, desk.point, desk.clock, load_categories(desk.home))


def _search(options: argparse.Namespace) -> int:
    desk = Desk.open()
    book = _book(desk)
    hits = search(
        book.shelf, SolutionIndex.of(desk.home), " ".join(options.text), options.category, limit=max(1, options.most)
    )
    language = current_language()
    answer(
        options,
        [_as_dict(hit, language) for hit in hits],
        "\n\n".join(_as_text(book, hit, language) for hit in hits) or _("Nothing fits. Say it in other words."),
    )
    return 0


def _as_dict(hit: Hit, language: str) -> dict[str, Any]:
    solution = hit.solution
    written_in, wording = solution.content.shown(language)
    return {
        "id": solution.id,
        "origin": solution.origin,
        "category": solution.content.category,
        "language": written_in,
        **wording.as_dict(),
        "helped": solution.own_tally()._asdict(),
        "helped_elsewhere": solution.other_tally()._asdict(),
        "weight": round(hit.weight, 4),
    }


def _as_text(book: Solutions, hit: Hit, language: str) -> str:
    solution = hit.solution
    written_in, wording = solution.content.shown(language)
    own, other = solution.own_tally(), solution.other_tally()
    head = f"{solution.id} · {book.categories.label(solution.content.category, language)}"
    if written_in != language:
        head += f" · {written_in}"
    told = _("helped here {helped}, did not help {not_helped}; elsewhere {helped_there} and {not_there}").format(
        helped=own.helped, not_helped=own.not_helped, helped_there=other.helped, not_there=other.not_helped
    )
    cause = [_("Cause: {cause}").format(cause=wording.cause)] if wording.cause else []
    steps = [f"  {number}. {step}" for number, step in enumerate(wording.steps, 1)]
    return "\n".join([head, wording.symptom, *cause, *steps, told])


def _export(options: argparse.Namespace) -> int:
    desk = Desk.open()
    book = _book(desk)
    raw = export(book)
    if options.file.exists():
        raise RefusedEntry(m("{path}: is there already. Name a new file.", path=options.file))
    options.file.write_bytes(raw)
    count = sum(not one.shipped and not one.withdrawn for one in book.shelf.solutions.values())
    text = _("{file}: solutions written: {count}")
    answer(options, {"file": str(options.file), "solutions": count}, text.format(file=options.file, count=count))
    return 0


def _import(options: argparse.Namespace) -> int:
    desk = Desk.open()
    book = _book(desk)
    with options.file.open("rb") as source:
        raw = source.read(MOST_BYTES + 1)
    name = options.file.name
    plan = plan_import(book, raw, name) if options.look else take(book, raw, name, at_the_terminal())
    answer(options, _plan_dict(plan), _plan_text(plan, looked=options.look))
    return 0


def _plan_dict(plan: Plan) -> dict[str, Any]:
    rows = [
        {"id": row.incoming.id, "fate": row.fate.value, "standing": row.standing.id if row.standing else None}
        for row in plan.rows
    ]
    return {"from": plan.file.point, "solutions": rows, "counts": len(plan.counts), "changes": plan.changes}


def _plan_text(plan: Plan, *, looked: bool) -> str:
    counts = Counter(row.fate for row in plan.rows)
    lines = [f"  {_(FATE_LABELS[fate])}: {counts[fate]}" for fate in Fate if counts[fate]]
    lines += [f"  {_(FATE_LABELS[Fate.CONFLICT])}: {row.incoming.id}" for row in plan.of(Fate.CONFLICT)]
    lines.append("  " + _("counts of other points: {count}").format(count=len(plan.counts)))
    said = _("It would bring:") if looked else _("Taken over:")
    return "\n".join([said if plan.changes else _("Nothing new in it."), *lines])
