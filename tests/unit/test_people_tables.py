"""Duty, tables taken in and given out, and the papers of the register."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import date, timedelta

import pytest
from openpyxl import load_workbook
from pypdf import PdfReader

from exam_kit.clock import FakeClock
from exam_kit.errors import AccessDenied, RefusedEntry
from exam_kit.forms.briefings import COLUMNS as BRIEFING_COLUMNS
from exam_kit.forms.briefings import briefings_pdf
from exam_kit.forms.duty_roster import COLUMNS as ROSTER_COLUMNS
from exam_kit.forms.duty_roster import duty_roster_pdf
from exam_kit.forms.familiarisation import COLUMNS as SHEET_COLUMNS
from exam_kit.forms.familiarisation import familiarisation_pdf
from exam_kit.forms.people_list import people_csv, people_xlsx
from exam_kit.i18n import LANGUAGES, translate
from exam_kit.journal.people import Amends, People, PersonDraft
from exam_kit.journal.people_card import RecordKind
from exam_kit.journal.people_duty import duty_warnings, on_duty
from exam_kit.journal.people_import import parse_date, read_people, take_people
from exam_kit.journal.people_profile import load_people_profile
from exam_kit.point import Point
from exam_kit.store import Account, Head, Ledger, Role, Store

SPECIALIST = Account("spec", "Специалист Т. Т.", Role.SPECIALIST, "технический специалист", "ru")
HEAD = Account("head", "Руководитель Р. Р.", Role.HEAD_OF_POINT, "руководитель ППЭ", "ru")
MEMBER = Account("gek", "Член К. К.", Role.COMMISSION_MEMBER, "член ГЭК", "ru")
TODAY = date(2026, 5, 28)
AT = Head(124, "0123456789abcdef" * 4)


@pytest.fixture
def people(store: Store, ledger: Ledger, point: Point, clock: FakeClock) -> People:
    with store.transaction() as connection:
        for one in (SPECIALIST, HEAD, MEMBER):
            connection.execute(
                "INSERT INTO account (login, name, role, post, pin_hash, language) VALUES (?, ?, ?, ?, 'x', 'ru')",
                (one.login, one.name, one.role.value, one.post),
            )
    return People(ledger, point, load_people_profile(), clock)


def entered(people: People, name: str, role: Role, *, briefed: bool = True, login: str = "") -> int:
    number = people.add(PersonDraft(name, role, "", login), HEAD).number
    people.appoint(number, f"{number}-к", TODAY, "Председатель П. П.", HEAD)
    for needed in people.profile.needed(role) if briefed else ():
        people.brief(number, needed.code, TODAY, HEAD.name, HEAD)
    return number


def warned(people: People) -> list[str]:
    return [str(one) for one in duty_warnings(people.register(), TODAY, people.profile)]


def test_a_day_without_enough_people_is_warned_of(people: People) -> None:
    assert "nobody is entered" in warned(people)[0]
    specialist = entered(people, "Первый", Role.SPECIALIST, briefed=False)
    one, two = (entered(people, name, Role.COMMISSION_MEMBER) for name in ("Второй", "Третий"))
    head = entered(people, "Четвёртый", Role.HEAD_OF_POINT)
    people.roster(TODAY, [one], HEAD)
    said = warned(people)
    assert [text.split(":")[1].strip() for text in said] == [
        "technical specialist", "head of the exam point", "commission member",
    ]  # fmt: skip
    assert said[2].endswith("commission member: 1 of 2. Put more people on duty, or tell the commission.")
    people.roster(TODAY, [two, one, head, specialist, specialist], MEMBER)
    assert [card.name for card in on_duty(people.register(), TODAY)] == ["Первый", "Четвёртый", "Второй", "Третий"]
    (unfit,) = warned(people)
    assert "Первый: briefing not given" in unfit
    for needed in people.profile.needed(Role.SPECIALIST):
        people.brief(specialist, needed.code, TODAY, HEAD.name, HEAD)
    assert warned(people) == []


@pytest.mark.parametrize("text", ["28.05.2026", "28/05/2026", " 2026-05-28 ", "28.5.2026"])
def test_a_date_is_read_as_people_write_it(text: str) -> None:
    assert parse_date(text) == TODAY


@pytest.mark.parametrize(
    "text", ["", "31.02.2026", "28.05.26", "завтра", "2026.05.28", "01.01.0001", "9999-12-31", "1.1.9" + "9" * 30]
)
def test_what_is_no_date_is_refused(text: str) -> None:
    with pytest.raises(RefusedEntry, match="not a date"):
        parse_date(text)


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_given_out_can_be_taken_in_again(people: People, point: Point, language: str) -> None:
    entered(people, "=ЗЛО()", Role.SPECIALIST, login="spec")
    entered(people, "Образцов; И.", Role.COMMISSION_MEMBER)
    table = people_csv(point, people.register().people, people.profile, language)
    assert b"'=" in table, "a spreadsheet must not take a name for a formula"
    rows = read_people(table, people.profile)
    assert [(row.person.name, row.person.role, row.person.login) for row in rows] == [
        ("=ЗЛО()", Role.SPECIALIST, "spec"),
        ("Образцов; И.", Role.COMMISSION_MEMBER, ""),
    ]
    assert (rows[0].order, rows[0].date, rows[0].agreed) == ("1-к", TODAY, "Председатель П. П.")
    assert rows[0].briefings["labour_protection"] == (TODAY, HEAD.name, date(2026, 11, 28))


def test_a_table_is_taken_in_whole(people: People) -> None:
    table = "ФИО,Роль,Учётная запись,Приказ о назначении №,Дата приказа о назначении,охрана труда,"
    table += "охрана труда: кто провёл\n"
    table += "Специалист Т. Т.,технический специалист,spec,12-к,20.05.2026,21.05.2026,Руководитель Р. Р.\n,,,,,,\n"
    table += "Член К. К.,Член ГЭК,,,,,\n"
    assert take_people(people, read_people(table.encode("utf-8-sig"), people.profile), HEAD) == 2
    first, second = people.register().people
    briefing = first.last(RecordKind.BRIEFED)
    assert briefing is not None
    assert (first.login, briefing.until, second.role) == ("spec", date(2026, 11, 21), Role.COMMISSION_MEMBER)


def test_every_bad_row_is_named_and_nothing_is_half_taken(people: People, ledger: Ledger) -> None:
    table = "name;role;order;date\nПервый;specialist;1;20.05.2026\nВторой;king;;\nТретий;specialist;;20.05.2026\n"
    table += "Четвёртый;specialist;1;31.02.2026\nПятый;specialist;1;20.05.2026;лишнее\n"
    with pytest.raises(RefusedEntry) as refusal:
        read_people(table.encode(), people.profile)
    assert [str(one).split(":")[0] for one in refusal.value.details] == ["row 3", "row 4", "row 5", "row 6"]
    head = ledger.head()
    good = "name;role;order;date\nПервый;specialist;1;20.05.2026\nПервый;specialist;;\n;specialist;;\n"
    good += "Второй;specialist;1;29.05.2026\n"
    with pytest.raises(RefusedEntry) as refusal:
        take_people(people, read_people(good.encode(), people.profile), HEAD)
    assert [str(one).split(":")[0] for one in refusal.value.details] == ["row 3", "row 4", "row 5"]
    assert (people.register().people, ledger.head()) == ([], head)
    with pytest.raises(AccessDenied):
        take_people(people, read_people(b"name;role\nA;specialist\n", people.profile), SPECIALIST)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "empty"),
        (b"\xff\xfe\x00", "UTF-8"),
        ("имя;роль\nА;Б\n".encode("cp1251"), "UTF-8"),
        (b"name;post\nA;B\n", "head of the table"),
        (b"name;role;name\n", "head of the table"),
        (b"name;role;shoe size\n", "head of the table"),
        (b'name;role\n"A;specialist\n', "not a CSV table"),
        (b"name;role\n" + b"A;specialist\n" * 2001, "more than"),
        (b"x" * 1_000_001, "larger"),
    ],
)
def test_a_file_that_is_no_such_table_is_refused_with_the_reason(people: People, content: bytes, said: str) -> None:
    with pytest.raises(RefusedEntry, match=said):
        read_people(content, people.profile)


@pytest.fixture
def papers(people: People, point: Point, clock: FakeClock) -> dict[str, tuple[dict[str, str], Callable[[str], bytes]]]:
    """Each paper of the register: its columns, and how it is made."""
    first = entered(people, "Первый П. П.", Role.SPECIALIST, login="spec")
    (appointment, *_rest) = people.get(first).records
    people.appoint(first, "99-к", TODAY, "", HEAD, amends=Amends(appointment.seq, "опечатка"))
    people.receive(first, SPECIALIST)
    second = entered(people, "Второй В. В.", Role.SPECIALIST, briefed=False)
    people.admit(second, "замена заболевшему", MEMBER)
    third = entered(people, "Третий Т. Т.", Role.COMMISSION_MEMBER)
    people.dismiss(third, "13-к", TODAY, HEAD)
    people.roster(TODAY, [first, third], HEAD)
    register, made = people.register(), clock.now()
    return {
        "sheet": (
            SHEET_COLUMNS,
            lambda language: familiarisation_pdf(point, register.people, language, AT, made_at=made),
        ),
        "briefings": (
            BRIEFING_COLUMNS,
            lambda language: briefings_pdf(point, register.people, people.profile, language, AT, made_at=made),
        ),
        "roster": (
            ROSTER_COLUMNS,
            lambda language: duty_roster_pdf(
                point, point.days, register, people.profile, language, AT, made_at=made
            ),
        ),
    }  # fmt: skip


def squeezed(text: str) -> str:
    return "".join(text.replace("-", "").replace("\u00ad", "").replace("\u200b", "").split())


@pytest.mark.parametrize("name", ["sheet", "briefings", "roster"])
@pytest.mark.parametrize("language", LANGUAGES)
def test_papers_have_their_columns_and_the_same_bytes_each_time(
    papers: dict[str, tuple[dict[str, str], Callable[[str], bytes]]], name: str, language: str
) -> None:
    columns, make = papers[name]
    pdf = make(language)
    assert pdf == make(language)
    text = squeezed(" ".join(page.extract_text() for page in PdfReader(io.BytesIO(pdf)).pages))
    for title in columns.values():
        assert squeezed(translate(title, language)) in text
    assert squeezed("Первый П. П.") in text


def test_papers_say_what_the_screen_says(
    papers: dict[str, tuple[dict[str, str], Callable[[str], bytes]]],
) -> None:
    def text(name: str) -> str:
        pages = PdfReader(io.BytesIO(papers[name][1]("ru"))).pages
        return squeezed(" ".join(page.extract_text() for page in pages))

    assert squeezed("99-к") in text("sheet"), "a correction"
    assert squeezed("вместо записи") in text("sheet"), "and what it put right"
    assert squeezed("13-к") in text("sheet"), "a dismissal"
    assert squeezed("замена заболевшему") in text("briefings")
    assert squeezed("нет на 28.05.2026") in text("briefings")
    assert squeezed("освобождён(а) от обязанностей") in text("roster")
    assert squeezed("член ГЭК — 0 из 2") in text("roster"), "somebody dismissed does not count"


def test_the_workbook_holds_text_only(people: People, point: Point) -> None:
    entered(people, "=1+1", Role.SPECIALIST)
    book = load_workbook(io.BytesIO(people_xlsx(point, people.register().people, people.profile, "en")))
    sheet = book["People"]
    assert [cell.value for cell in sheet[1]][:4] == ["№", "Full name", "Post", "Role"]
    assert (sheet["B2"].value, sheet["B2"].data_type) == ("=1+1", "s")


def test_an_admission_is_for_its_day_only(people: People, clock: FakeClock) -> None:
    number = entered(people, "Первый", Role.SPECIALIST, briefed=False)
    people.admit(number, "замена", MEMBER)
    people.roster(TODAY, [number], HEAD)
    assert not any("briefing" in text for text in warned(people))
    clock.advance(timedelta(days=1).total_seconds())
    people.admit(number, "ещё раз", MEMBER)
    assert len(people.get(number).standing(RecordKind.ADMITTED)) == 2
