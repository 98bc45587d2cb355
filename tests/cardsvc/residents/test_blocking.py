"""Who is compared with whom: few, however many there are."""

from dataclasses import replace

from cardsvc.residents.rules import BLOCK_MAX, keys
from cardsvc.residents.rules.matching import facts_from
from tests.cardsvc.residents.conftest import HEADING, Shell

MARIA = facts_from(
    family_name="Dela Cruz",
    given_name="Maria Luisa",
    middle_name="Santos",
    birth_date="19850601",
    sex="F",
    place="BR-07",
    address="12 Mabini St.",
    mobile="+639171234567",
)


def test_an_entry_has_eight_keys_at_most() -> None:
    assert len(keys(MARIA)) == 8


def test_one_mistake_leaves_keys_to_be_found_by() -> None:
    for wrong in (
        replace(MARIA, family_name="mariano"),
        replace(MARIA, given_name="rosa"),
        replace(MARIA, family_name=MARIA.given_name, given_name=MARIA.family_name),
        replace(MARIA, birth_date="19850106"),
        replace(MARIA, birth_date="19760212"),
        replace(MARIA, sex="M"),
        replace(MARIA, address="", mobile=""),
        replace(MARIA, middle_name=""),
    ):
        assert len(keys(MARIA) & keys(wrong)) >= 2, wrong


def test_a_key_that_a_whole_purok_shares_is_not_followed(shell: Shell) -> None:
    """Ana has moved, and her names and birth date are written otherwise: only the mobile leads to her."""
    ana = "Abad,Ana,,1990-01-02,F,BR-90,1 Rizal St.,09171234567"
    again = "Abal,Ana,,1975-12-30,F,BR-90,Purok 5,09171234567"
    others = [
        f"{chr(66 + n % 20)}o{'gkrs' * (n // 20)},Ivo,,{1930 + n}-05-05,M,BR-1,Purok,09171234567" for n in range(60)
    ]
    assert shell.take(HEADING, ana)[1]["registered"] == 1
    assert shell.take(HEADING, again, options=["--dry-run"])[1]["review"] == 1
    shell.take(HEADING, *others)
    assert len(others) > BLOCK_MAX
    assert shell.take(HEADING, again, options=["--dry-run"])[1]["review"] == 0
