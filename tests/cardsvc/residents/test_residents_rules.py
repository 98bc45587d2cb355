"""Numbers, names and registrations, decided without a database."""

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from cardsvc.residents.rules import (
    InvalidRegistration,
    InvalidResidentNumber,
    Registration,
    Sex,
    check_digit,
    checked,
    number_of,
    parse_number,
    person_key,
    search_text,
)

NOW = datetime(2026, 11, 2, tzinfo=UTC)
MARIA = Registration("Dela Cruz", "María Luísa", "Santos", date(1985, 6, 1), Sex.FEMALE, "BR-07", "12 Mabini St.")


def test_a_number_reads_as_it_was_printed() -> None:
    assert number_of(123) == "MK-000123-4"
    assert parse_number(" mk 000123 4".replace(" ", "")) == "MK-000123-4"
    assert parse_number("mk-000123-4 ") == "MK-000123-4"


def test_the_check_digit_is_damms() -> None:
    assert check_digit("572") == 4  # the example of Damm's thesis


def test_every_wrong_digit_and_every_swap_of_neighbours_is_found() -> None:
    for serial in (1, 123, 98765, 1234567):
        number = number_of(serial)
        digits = number.removeprefix("MK-").replace("-", "")
        wrong = {digits[:i] + str(d) + digits[i + 1 :] for i in range(len(digits)) for d in range(10)}
        wrong |= {digits[:i] + digits[i + 1] + digits[i] + digits[i + 2 :] for i in range(len(digits) - 1)}
        for typed in wrong - {digits}:
            with pytest.raises(InvalidResidentNumber):
                parse_number(f"MK-{typed[:-1]}-{typed[-1]}")


@pytest.mark.parametrize("text", ["", "MK", "MK-123-4", "XX-000123-4", "MK-00012\N{ARABIC-INDIC DIGIT THREE}-4", "4"])
def test_what_is_no_number_is_refused(text: str) -> None:
    with pytest.raises(InvalidResidentNumber):
        parse_number(text)


@pytest.mark.parametrize(
    ("family", "given"),
    [
        ("DELA CRUZ", "Maria Luisa"),
        ("De la Cruz", "maria  luisa"),
        ("Delacruz", "María-Luísa"),
        ("dela cruz", "MARIALUISA"),
    ],
)
def test_a_person_is_the_same_however_the_name_is_written(family: str, given: str) -> None:
    assert person_key(replace(MARIA, family_name=family, given_name=given)) == person_key(MARIA)


def test_another_birth_date_or_middle_name_is_another_person() -> None:
    assert person_key(replace(MARIA, birth_date=date(1985, 6, 2))) != person_key(MARIA)
    assert person_key(replace(MARIA, middle_name="Reyes")) != person_key(MARIA)


def test_every_word_of_the_names_can_be_searched_by_its_beginning() -> None:
    assert search_text(MARIA) == " dela cruz maria luisa santos"


def test_a_registration_is_trimmed_and_its_mobile_number_made_international() -> None:
    written = replace(MARIA, family_name=" Dela  Cruz ", middle_name=" ", barangay_code="br-07", mobile="0917 123-4567")
    clean = checked(written, NOW)
    assert (clean.family_name, clean.middle_name) == ("Dela Cruz", None)
    assert (clean.barangay_code, clean.mobile) == ("BR-07", "+639171234567")


def test_every_wrong_field_is_named_at_once() -> None:
    wrong = Registration("", "?!", "x" * 101, date(1850, 1, 1), Sex.MALE, "no such code", " ", "123")
    with pytest.raises(InvalidRegistration) as refused:
        checked(wrong, NOW)
    assert set(refused.value.fields) == {
        "family_name",
        "given_name",
        "middle_name",
        "birth_date",
        "barangay_code",
        "address",
        "mobile",
    }


def test_a_child_born_this_morning_in_manila_can_be_registered() -> None:
    before_midnight_utc = datetime(2026, 11, 1, 20, tzinfo=UTC)
    assert checked(replace(MARIA, birth_date=date(2026, 11, 2)), before_midnight_utc).birth_date == date(2026, 11, 2)
    with pytest.raises(InvalidRegistration):
        checked(replace(MARIA, birth_date=date(2026, 11, 3)), before_midnight_utc)
