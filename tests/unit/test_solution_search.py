"""What is found when somebody types: inflected, in three languages, whatever the text, whatever became of the index."""

from __future__ import annotations

import datetime as dt
import sqlite3
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.solutions import QUERIES, measured
from exam_kit.journal.numbering import RowRef
from exam_kit.journal.solution import Shelf, Solution, Tally, Told, Verdict
from exam_kit.journal.solution_base import base_shelf
from exam_kit.journal.solution_content import Content, Wording
from exam_kit.journal.solution_index import SolutionIndex
from exam_kit.journal.solution_search import helpfulness, search
from exam_kit.journal.solution_stems import folded_words, index_stems, query_stems

FOUND_FIRST = [
    ("камеры не пишут", "cctv_not_recording"),
    ("КАМЕРА НЕ ПИШЕТ!!!", "cctv_not_recording"),
    ("камра не писала", "cctv_not_recording"),
    ("изображение с камеры пропало", "cctv_not_recording"),
    ("нет электричества", "mains_failure"),
    ("выбило автомат, ибп пищит", "mains_failure"),
    ("интернет пропал, портал не видит камер", "stream_lost"),
    ("трансляции нет", "stream_lost"),
    ("ключ не скачался", "key_missing"),
    ("токены не определяются", "token_fails"),
    ("принтеру зажевало бумагу", "printer_fails"),
    ("станцией печати не пользуемся, зависла станция печати", "print_station_fails"),
    ("зажёвывает бланки", "scanner_fails"),
    ("зажевывает бланк", "scanner_fails"),
    ("завис компьютер у участника", "computer_station_hangs"),
    ("мышка не работает", "computer_station_hangs"),
    ("часы отстают", "wrong_clock"),
    ("часовые пояса", "wrong_clock"),
    ("не видно парту", "wrong_view"),
    ("картах памяти нет места", "card_full"),
    ("пломбу сорвали, карты нет", "card_pulled"),
    ("вирусы на флешке", "virus_alarm"),
    ("Windows сама перезагрузилась", "forced_update"),
    ("задымление, эвакуировали", "fire_evacuation"),
    ("cameras stopped recording", "cctv_not_recording"),
    ("the power was cut", "mains_failure"),
    ("streams lost", "stream_lost"),
    ("key cannot be downloaded", "key_missing"),
    ("paper jams", "printer_fails"),
    ("clocks are slow", "wrong_clock"),
    ("blind spots", "wrong_view"),
    ("virus on flash drives", "virus_alarm"),
    ("kameras neraksta", "cctv_not_recording"),
    ("KAMERAS NEIERAKSTIJA", "cctv_not_recording"),
    ("pazuda elektrība", "mains_failure"),
    ("pazudusi elektriba", "mains_failure"),
    ("straumes nav", "stream_lost"),
    ("atslēgu nevar lejupielādēt", "key_missing"),
    ("marķierierīces netiek atpazītas", "token_fails"),
    ("printeri nedrukā", "printer_fails"),
    ("iestrēga papīrs", "printer_fails"),
    ("skeneriem svītras", "scanner_fails"),
    ("pulksteņi atpaliek", "wrong_clock"),
    ("atmiņas kartes pilnas", "card_full"),
    ("dūmi gaitenī", "fire_evacuation"),
]


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> SolutionIndex:
    return SolutionIndex(tmp_path_factory.mktemp("index") / "solutions.fts")


@pytest.mark.parametrize(("typed", "expected"), FOUND_FIRST)
def test_the_shipped_cases_are_found_as_people_say_it(index: SolutionIndex, typed: str, expected: str) -> None:
    hits = search(base_shelf(), index, typed)
    assert hits, typed
    assert hits[0].solution.id == f"base/{expected}"


@pytest.mark.parametrize(
    ("forms", "language"),
    [
        ("камера камеры камер камерами камерой", "ru"),
        ("пишет пишут пишется пишем", "ru"),
        ("запись записи записью записывает записывают записала", "ru"),
        ("завис зависла зависает зависание", "ru"),
        ("включается включили включить включена включение", "ru"),
        ("замена замену заменить заменили", "ru"),
        ("ещё зажёвывает зажевывает зажевывают", "ru"),
        ("kamera kameras kamerām kameru", "lv"),
        ("printeris printera printerim printeri", "lv"),
        ("pulkstenis pulksteņa pulksteni", "lv"),
        ("atslēga atslēgas atslēgu atslega", "lv"),
        ("recording recorded records record", "en"),
        ("stopped stopping stops stop", "en"),
    ],
)
def test_forms_of_a_word_have_one_stem(forms: str, language: str) -> None:
    words = [word for word in folded_words(forms) if word != "еще"]
    assert len({index_stems(word, language)[0] for word in words}) == 1, [index_stems(w, language) for w in words]
    for word in words:
        assert index_stems(word, language)[0] in query_stems(word)


def test_a_changing_consonant_is_looked_for_both_ways(index: SolutionIndex) -> None:
    assert set(index_stems("писала", "ru")) <= set(query_stems("пишет"))
    assert set(index_stems("отказало", "ru")) <= set(query_stems("откажет"))


def test_й_is_kept_and_latvian_marks_fall() -> None:
    words = folded_words("Сканирующий ЁЖ Ģimene ŪDENS ﬁle Ⅳ №5")
    assert words == ["сканирующий", "еж", "gimene", "udens", "file", "iv", "no5"]


@pytest.mark.parametrize(
    "typed",
    [
        '"', '""', "'", "камера OR", "AND", "NOT камера", "NEAR(камера, 5)", "symptom:камера", "{symptom} : камера",
        "камера*", "*", "^камера", "-камера", "камера + пишет", "(((", ")", "\\", "\x00камера", "%", "🙂",
        "📷 не пишет",
        "\ud800", "а" * 100_000, "камера " * 5_000, "; DROP TABLE words; --", "\u202eкамера", "ไฟฟ้า", "电源", " \n\t",
    ],
)  # fmt: skip
def test_any_text_can_be_looked_for(index: SolutionIndex, typed: str) -> None:
    hits = search(base_shelf(), index, typed)
    if "камера" in typed.casefold() and "\ud800" not in typed:
        assert hits
    # It is as good as before afterwards.
    assert search(base_shelf(), index, "принтер")[0].solution.id == "base/printer_fails"


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=80))
def test_nothing_that_is_typed_breaks_the_search(typed: str) -> None:
    search(base_shelf(), SolutionIndex(None), typed, limit=3)


def shelf_of(*solutions: Solution) -> Shelf:
    return Shelf({one.id: one for one in solutions}, "test")


def solution(number: int, symptom: str, category: str = "cctv_lost", **more: object) -> Solution:
    content = Content(category, {"ru": Wording(symptom, "", ("Заменить кабель",))})
    made = Solution(f"77-0001/2026/{number}", "77-0001", content, 1, dt.date(2026, 5, 28))
    return replace(made, **more)  # type: ignore[arg-type]


def helped(times: int, category: str, not_helped: int = 0) -> dict[RowRef, Verdict]:
    said = [True] * times + [False] * not_helped
    return {RowRef(2026, n): Verdict(good, category, n) for n, good in enumerate(said, 1)}


def names(shelf: Shelf, text: str, category: str | None = None) -> list[str]:
    return [hit.solution.id[-1] for hit in search(shelf, SolutionIndex(None), text, category)]


def test_of_equal_matches_the_one_that_helped_more_comes_first() -> None:
    first, second, third = (solution(n, "Камера мигает") for n in (1, 2, 3))
    shelf = shelf_of(
        replace(first, verdicts=helped(0, "cctv_lost", 3)), second, replace(third, verdicts=helped(2, "cctv_lost"))
    )
    assert names(shelf, "мигает камера", "cctv_lost") == ["3", "2", "1"]
    assert names(shelf, "", "cctv_lost") == ["3", "2", "1"]


def test_help_counts_in_its_own_category_and_others_count_half() -> None:
    here = replace(solution(1, "x"), verdicts=helped(4, "cctv_lost"))
    as_of = dt.datetime(2026, 5, 28, tzinfo=dt.UTC)
    there = replace(solution(2, "x"), elsewhere={"77-0002": Told(as_of, {"cctv_lost": Tally(4, 0)})})
    assert helpfulness(here, "cctv_lost") > helpfulness(there, "cctv_lost") > helpfulness(solution(3, "x"), "cctv_lost")
    assert helpfulness(here, "mains_failure") == 1.0


def test_the_category_moves_a_solution_up_but_does_not_hide_the_others() -> None:
    shelf = shelf_of(solution(1, "Мигает лампа", "other"), solution(2, "Мигает лампа", "mains_failure"))
    assert names(shelf, "лампа мигает", "mains_failure") == ["2", "1"]
    assert names(shelf, "лампа мигает", "other") == ["1", "2"]


def test_only_a_category_when_it_is_asked_for(index: SolutionIndex) -> None:
    shelf = base_shelf()
    hits = search(shelf, index, "станция", "virus_or_update", only=True)
    assert hits
    assert {hit.solution.content.category for hit in hits} == {"virus_or_update"}
    assert search(shelf, index, "станция", "no_such", only=True) == []


def test_what_is_withdrawn_is_not_found() -> None:
    shelf = shelf_of(replace(solution(1, "Камера мигает"), withdrawn=True))
    assert names(shelf, "камера") == []
    assert names(shelf, "", "cctv_lost") == []


def _dropped(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("DROP TABLE words")
    connection.close()


def _emptied(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("DELETE FROM words_data")
    connection.close()


def _scribbled(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[4096:] = b"\xa5" * (len(content) - 4096)
    path.write_bytes(content)


def _of_another_format(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE told SET value = '0 old'")
        connection.execute("ALTER TABLE held ADD COLUMN more")
    connection.close()


@pytest.mark.parametrize(
    "spoil",
    [
        _dropped,
        _emptied,
        _scribbled,
        _of_another_format,
        lambda path: path.unlink(),
        lambda path: path.write_bytes(b""),
        lambda path: path.write_bytes(b"no database at all" * 1000),
        lambda path: path.write_bytes(path.read_bytes()[:5000]),
    ],
)
def test_a_spoilt_index_is_made_anew_by_itself(tmp_path: Path, spoil: Callable[[Path], object]) -> None:
    path = tmp_path / "solutions.fts"
    shelf = base_shelf()
    assert search(shelf, SolutionIndex(path), "принтер")
    spoil(path)
    assert search(shelf, SolutionIndex(path), "принтер")[0].solution.id == "base/printer_fails"
    assert search(shelf, SolutionIndex(path), "токен")[0].solution.id == "base/token_fails"


def test_a_folder_that_cannot_be_written_does_not_keep_from_finding(tmp_path: Path) -> None:
    path = tmp_path / "not there" / "solutions.fts"
    assert search(base_shelf(), SolutionIndex(path), "принтер")
    taken = tmp_path / "a folder"
    (taken / "inside").mkdir(parents=True)
    assert search(base_shelf(), SolutionIndex(taken), "принтер")


def test_the_index_follows_what_is_written_and_withdrawn(tmp_path: Path) -> None:
    path = tmp_path / "solutions.fts"
    first = solution(1, "Камера мигает")
    assert names_at(path, Shelf({first.id: first}, "1"), "мигает") == ["1"]
    revised = replace(first, content=solution(1, "Камера жужжит").content)
    second = solution(2, "Камера мигает")
    shelf = Shelf({first.id: revised, second.id: second}, "2")
    assert names_at(path, shelf, "мигает") == ["2"]
    assert names_at(path, shelf, "жужжит") == ["1"]
    assert names_at(path, Shelf({}, "3"), "мигает") == []


def test_the_benchmark_asks_all_its_queries() -> None:
    told = measured(60, 1)
    assert (told["solutions"], told["searches"]) == (60, len(QUERIES))


def names_at(path: Path, shelf: Shelf, text: str) -> list[str]:
    return [hit.solution.id[-1] for hit in search(shelf, SolutionIndex(path), text)]
