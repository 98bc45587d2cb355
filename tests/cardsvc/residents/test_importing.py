"""Taking a register in from a file: all of it or nobody, once, and no person twice."""

import csv
from datetime import datetime
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import func, select

from cardsvc import db, residents, web
from cardsvc.residents import actions, queries
from cardsvc.residents.commands import taking
from cardsvc.residents.models import ResidentBlockRow
from cardsvc.residents.rules import Layout, Outcome
from tests.builders import make_staff
from tests.cardsvc.residents.conftest import HEADING, Above, Shell

ANA = "Abad,Ana,Santos,1990-01-02,F,BR-01,1 Rizal St.,"
JOSE = "Abad,Jose,Cruz,1971-11-22,m,BR-05,77 Luna St.,09171234567"
COUNTS = ("registered", "known", "merged", "review", "refused")


def counts(told: dict[str, Any]) -> tuple[int, ...]:
    return tuple(told[name] for name in COUNTS)


def errors(told: dict[str, Any]) -> list[tuple[int, str, str]]:
    return [(error["line"], error["column"], error["code"]) for error in told["errors"]]


def test_a_file_is_taken_in_whole(shell: Shell) -> None:
    code, told = shell.take(HEADING, ANA, JOSE)
    assert (code, counts(told)) == (0, (2, 0, 0, 0, 0))
    assert [one.full_name for one in shell.people().values()] == ["Ana Santos Abad", "Jose Cruz Abad"]
    assert len(shell.above.registered) == 2


def test_the_same_file_again_changes_nothing(shell: Shell) -> None:
    _, first = shell.take(HEADING, ANA, JOSE)
    code, again = shell.take(HEADING, ANA, JOSE, name="renamed.csv")
    assert (code, again["already_imported"], again["import_id"]) == (0, True, first["import_id"])
    assert counts(again) == counts(first)
    assert len(shell.people()) == len(shell.above.registered) == 2


def test_a_file_with_one_more_person_registers_that_one(shell: Shell) -> None:
    shell.take(HEADING, ANA)
    code, told = shell.take(HEADING, ANA, JOSE)
    assert (code, counts(told)) == (0, (1, 1, 0, 0, 0))


def test_one_wrong_row_keeps_everybody_out_and_every_fault_has_its_place(shell: Shell) -> None:
    lines = (
        "Abad,,,1991-13-02,M,BR-01,,",
        "Abad,Joy,,1991-01-02,Q,B,x,",
        "Abad,Joy",
        'Abad,"J\aoy",,1991-01-02,F,B,x,',
    )
    code, told = shell.take(HEADING, ANA, *lines)
    assert (code, told["registered"], told["refused"], told["import_id"]) == (1, 0, 4, None)
    assert set(errors(told)) == {
        (3, "birth_date", "bad_date"),
        (3, "given_name", "invalid_given_name"),
        (3, "address", "invalid_address"),
        (4, "sex", "bad_sex"),
        (5, "", "wrong_number_of_columns"),
        (6, "given_name", "unprintable"),
    }
    assert all(error["sentence"].endswith(".") for error in told["errors"])
    assert shell.people() == {}


def test_good_rows_are_taken_in_when_asked_and_the_mended_file_adds_the_rest(shell: Shell) -> None:
    code, told = shell.take(HEADING, ANA, JOSE.replace("1971", "2171"), options=["--accept-good-rows"])
    assert (code, counts(told)) == (0, (1, 0, 0, 0, 1))
    code, told = shell.take(HEADING, ANA, JOSE)
    assert (code, counts(told)) == (0, (1, 1, 0, 0, 0))


def test_the_errors_are_written_as_csv(shell: Shell) -> None:
    file = shell.folder / "errors.csv"
    shell.take(HEADING, ANA, "Abad,Joy,,1991-01-02,Q,B,x,", options=["--errors", str(file)])
    with file.open(encoding="utf-8", newline="") as lines:
        (row,) = csv.DictReader(lines)
    assert (row["line"], row["column"], row["code"]) == ("3", "sex", "bad_sex")


def test_a_dry_run_says_what_would_be_and_writes_nothing(shell: Shell) -> None:
    shell.take(HEADING, ANA)
    twin = "Abad,Anna,Santos,1990-01-02,F,BR-01,1 Rizal St.,"
    code, told = shell.take(HEADING, ANA, JOSE, JOSE, twin, options=["--dry-run"])
    assert (code, told["dry_run"], counts(told)) == (0, True, (1, 2, 0, 1, 0))
    assert len(shell.people()) == 1
    assert counts(shell.take(HEADING, ANA, JOSE, JOSE, twin)[1]) == (1, 2, 0, 1, 0)


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "empty_file"),
        (b"a,b\n1,2\n", "column_missing"),
        (HEADING.encode() + b"\n", "no_rows"),
        (HEADING.encode() + b",sex\nAbad,Ana,,1990-01-02,F,B,x,,F\n", "column_twice"),
        (HEADING.encode() + b'\n"unclosed', "not_csv"),
        (HEADING.encode() + b"\nPe\xf1a,Ana,,1990-01-02,F,B,x,\n", "not_text"),
        (HEADING.encode("utf-16"), "not_text"),
        (HEADING.encode() + b"\rPena,Ana,,1990-01-02,F,B,x,\r", "not_csv"),
        (HEADING.encode() + b"\n" + b"x" * 200_000, "line_too_long"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_whole(shell: Shell, content: bytes, code: str) -> None:
    exit_code, told = shell.take_bytes(content, "--accept-good-rows")
    assert (exit_code, [error["code"] for error in told["errors"]]) == (1, [code])
    assert shell.people() == {}


def test_rows_before_the_place_where_a_file_breaks_stay_out_too(shell: Shell) -> None:
    code, told = shell.take_bytes(f"{HEADING}\n{ANA}\n".encode() + b"Pe\xf1a,Ana", "--accept-good-rows")
    assert (code, errors(told)) == (1, [(3, "", "not_text")])
    assert shell.people() == {}


def test_other_encodings_delimiters_dates_and_headings_are_read_when_they_are_named(shell: Shell) -> None:
    heading = "Apelyido;First Name;DOB;Kasarian;Barangay;Tirahan;Contact"
    content = f"{heading}\nPeña;Íñigo;22/11/1971;lalaki;br-05;7 Luna St.;0917 123 4567\n".encode("windows-1252")
    named = ["--map", "Kasarian=sex", "--map", "Tirahan=address", "--map", "Contact=mobile"]
    options = [*named, "--encoding", "windows-1252", "--dates", "DD/MM/YYYY"]
    code, told = shell.take_bytes(content, *options)
    assert (code, told["errors"]) == (0, [])
    (made,) = shell.people().values()
    assert (made.full_name, made.birth_date.isoformat(), made.sex, made.barangay_code, made.mobile) == (
        "Íñigo Peña",
        "1971-11-22",
        "M",
        "BR-05",
        "+639171234567",
    )


def test_a_byte_order_mark_lines_of_windows_and_cells_of_two_lines_do_no_harm(shell: Shell) -> None:
    text = f'\ufeff{HEADING},note\r\n\r\nAbad,Ana,,1990-01-02,F,BR-01,"1 Rizal\r\nSt.",,x\r\nAbad,Jo,,1990,F,B,x,,\r\n'
    code, told = shell.take_bytes(text.encode(), "--accept-good-rows")
    assert (code, told["ignored_columns"], errors(told)) == (0, ["note"], [(5, "birth_date", "bad_date")])
    assert next(iter(shell.people().values())).address == "1 Rizal St."


def test_a_second_entry_is_merged_and_says_why(shell: Shell) -> None:
    shell.take(HEADING, "Dela Peña,Ma. Luisa,Santos,1985-06-01,F,BR-07,12 Mabini St.,")
    code, told = shell.take(HEADING, "De la Pena,Maria Luisa,Santo,1985-06-01,F,BR-07,12 Mabini Street,")
    assert (code, counts(told)) == (0, (0, 0, 1, 0, 0))
    (first,) = shell.people().values()  # both numbers lead to the one who was there
    entry = db.run(shell.city.engine, lambda s: queries.entry_by_number(s, residents.number_of(2)), read_only=True)
    assert (entry.status, entry.merged_into) == (residents.ResidentStatus.MERGED, first.id)
    (step,) = db.run(shell.city.engine, lambda session: queries.merges(session, entry.id), read_only=True)
    assert step.comparison is not None
    assert step.comparison.score == sum(reason.weight for reason in step.comparison.why)
    assert {(reason.field, reason.agreement.value) for reason in step.comparison.why} >= {
        ("family_name", "equal"),
        ("given_name", "equal"),
        ("middle_name", "near"),
    }


def test_who_may_be_somebody_is_registered_and_waits(shell: Shell) -> None:
    shell.take(HEADING, ANA)
    _, told = shell.take(HEADING, "Abad,Ana,Santos,1990-02-01,F,BR-09,88 Quezon Ave.,")
    assert counts(told) == (0, 0, 0, 1, 0)
    _, waiting = shell.run("pairs")
    (pair,) = waiting["pairs"]
    assert {one["number"] for one in pair["residents"]} == set(shell.people())
    assert {"field": "birth_date", "agreement": "near", "weight": 70, "note": ""} in pair["why"]


def test_an_interrupted_import_goes_on_where_it_stopped(city: web.City, shell: Shell, above: Above) -> None:
    file = shell.folder / "people.csv"
    file.write_text(f"{HEADING}\n{ANA}\n{JOSE}")
    order = taking.Order(file, Layout(), UUID(int=0))
    checked = taking.check_file(city, order, lambda _what, _count: None)
    now = city.clock.now()

    def half(session: Any) -> queries.Import:
        begun = actions.begin_import(
            session, checked.file_hash, "people.csv", by=order.by, now=now, random_bytes=city.random_bytes
        )
        rows = next(taking.parts(city, order))[:1]
        return actions.import_rows(
            session,
            begun.id,
            rows,
            thresholds=city.settings.dedupe,
            by=order.by,
            now=now,
            random_bytes=city.random_bytes,
            on_registered=above,
        )

    assert db.run(city.engine, half).line_done == 2
    code, told = shell.run("import", str(file))
    assert (code, told["already_imported"], counts(told)) == (0, False, (2, 0, 0, 0, 0))
    assert len(above.registered) == 2
    outcomes = db.run(
        city.engine, lambda s: queries.imported(s, UUID(told["import_id"]), list(Outcome)), read_only=True
    )
    assert [(one.line, one.outcome) for one in outcomes] == [(2, Outcome.REGISTERED), (3, Outcome.REGISTERED)]


def test_people_from_before_entries_were_compared_are_found_too(shell: Shell) -> None:
    shell.take(HEADING, ANA)
    with db.unit_of_work(shell.city.engine) as session:
        session.connection().exec_driver_sql("DELETE FROM resident_block")
    _, dry = shell.take(HEADING, ANA, JOSE, options=["--dry-run"])
    _, told = shell.take(HEADING, ANA, JOSE)
    assert counts(dry) == counts(told) == (1, 1, 0, 0, 0)


def test_the_keys_of_a_whole_register_can_be_made_again(shell: Shell) -> None:
    shell.take(HEADING, ANA)
    with db.unit_of_work(shell.city.engine) as session:
        keys = session.scalar(select(func.count()).select_from(ResidentBlockRow))
        session.connection().exec_driver_sql("DELETE FROM resident_block")
    while db.run(shell.city.engine, residents.index_register):
        pass
    with db.unit_of_work(shell.city.engine, read_only=True) as session:
        assert session.scalar(select(func.count()).select_from(ResidentBlockRow)) == keys


def test_who_takes_a_file_in_is_named(city: web.City, shell: Shell) -> None:
    now: datetime = city.clock.now()
    clerk = db.run(city.engine, lambda session: make_staff(session, now, "clerk"))
    shell.take(HEADING, ANA, options=["--by", clerk.username])
    assert next(iter(shell.people().values())).registered_by == clerk.id


def test_residents_are_found_from_the_command_line(shell: Shell) -> None:
    shell.take(HEADING, ANA, JOSE)
    assert [one["name"] for one in shell.run("find", "abad ana")[1]["residents"]] == ["Ana Santos Abad"]
    assert shell.run("find", "nobody")[1] == {"residents": []}
