"""How long a search among the solutions takes: ``python -m bench.solutions [--solutions 5000]``.

A base of that size is mixed from the shipped cases, in three languages each; then queries in the three languages are
asked, short ones, long ones and every beginning of one that is being typed. Each search opens the index anew, as a
screen does. Prints the time to make the index, and median, 95th percentile and the slowest of the searches, in ms.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import random
import statistics
import tempfile
import time
from pathlib import Path

from exam_kit.journal.solution import Shelf, Solution
from exam_kit.journal.solution_base import base_shelf
from exam_kit.journal.solution_content import Content, Wording
from exam_kit.journal.solution_index import SolutionIndex
from exam_kit.journal.solution_search import search

TYPED = "принтер в аудитории зажевал бумагу"
QUERIES = (
    "камеры не пишут", "нет электричества", "ключ не скачивается", "токены не определяются", "полосы на сканах",
    "завис компьютер у участника", "часы отстают", "не видно парту", "карты памяти переполнены", "вирусы на флешке",
    "cameras stopped recording", "paper jammed in the printers", "clocks are slow", "virus on a flash drive",
    "kameras neraksta", "pazuda elektrība", "printeri nedrukā", "pulksteņi atpaliek", "atmiņas kartes pilnas",
    "камра не пишит", "zzz", '" OR NEAR( *',
    "Сегодня в 9:12 в аудитории 0005 камера перестала писать, изображение пропало, коммутатор завис, питание от "
    "розетки есть, сообщили руководителю, станция печати тоже не отвечает, принтер мигает",
    *(TYPED[:length] for length in range(1, len(TYPED) + 1)),
)  # fmt: skip


def shelf_of(count: int) -> Shelf:
    """The shipped solutions and mixtures of them, `count` together; the same at every run."""
    chance, base = random.Random(1), list(base_shelf().solutions.values())
    found = {one.id: one for one in base}
    for number in range(1, count - len(base) + 1):
        first, second, third = chance.sample(base, 3)
        texts = {
            language: Wording(
                f"{first.content.texts[language].symptom} {chance.randint(1, 17):04}",
                second.content.texts[language].cause,
                tuple(chance.sample(third.content.texts[language].steps, 3)),
            )
            for language in ("ru", "en", "lv")
        }
        name = f"77-0001/2026/{number}"
        found[name] = Solution(name, "77-0001", Content(first.content.category, texts), 1, dt.date(2026, 5, 28))
    return Shelf(found, "bench")


def measured(count: int, rounds: int) -> dict[str, float]:
    """Seconds to make the index; ms of the searches."""
    shelf = shelf_of(count)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "solutions.fts"
        begun = time.perf_counter()
        search(shelf, SolutionIndex(path), TYPED)
        made_s = time.perf_counter() - begun
        took = []
        for _round in range(rounds):
            for query in QUERIES:
                begun = time.perf_counter()
                search(shelf, SolutionIndex(path), query, "cctv_lost", limit=3)
                took.append((time.perf_counter() - begun) * 1000)
        took.sort()
        return {
            "solutions": len(shelf.solutions),
            "index_made_s": round(made_s, 2),
            "index_bytes": path.stat().st_size,
            "searches": len(took),
            "median_ms": round(statistics.median(took), 2),
            "p95_ms": round(took[int(len(took) * 0.95)], 2),
            "slowest_ms": round(took[-1], 2),
        }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--solutions", type=int, default=5000)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    print(json.dumps(measured(options.solutions, options.rounds), indent=2))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
