"""Top-up references: they follow from the wallet, and a slip of the pen names nobody."""

from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from cardsvc import wallets
from cardsvc.wallets import rules
from tests.town import Town

WALLET = UUID("018f3c5e-7c00-7abc-8def-0123456789ad")


def test_a_reference_has_the_check_digits_of_iso_11649() -> None:
    assert wallets.reference_of(WALLET) == "RF76067KRQKW01XB"
    assert wallets.spaced("RF76067KRQKW01XB") == "RF76 067K RQKW 01XB"
    # the standard's own example has letters and digits of another length: the arithmetic is the same
    assert rules.references._rest("539007547034RF18") == 1


@given(st.uuids())
def test_a_reference_leads_back_to_the_ids_it_can_be_of(wallet_id: UUID) -> None:
    reference = wallets.reference_of(wallet_id)
    least, greatest = rules.ids_of(reference)
    assert rules.is_reference(reference)
    assert least <= wallet_id <= greatest


@given(st.uuids(), st.integers(2, 15), st.sampled_from("0123456789ABCDEFGHJKMNPQRSTVWXYZ"))
def test_one_wrong_character_is_noticed(wallet_id: UUID, place: int, letter: str) -> None:
    reference = wallets.reference_of(wallet_id)
    wrong = reference[:place] + letter + reference[place + 1 :]
    if reference[place].isdigit() == letter.isdigit():
        assert (wrong == reference) == rules.is_reference(wrong)
    elif rules.is_reference(wrong):
        # a letter counts as two digits and moves all before it: one in 97 of these slips stays unnoticed (ISO 7064),
        # and it is never this wallet that it names
        least, greatest = rules.ids_of(wrong)
        assert not least <= wallet_id <= greatest


def test_a_line_carries_a_reference_wherever_the_bank_puts_it() -> None:
    for texts in (
        ["RF76067KRQKW01XB"],
        ["NOTE 1", "top-up rf76 067k rqkw 01xb, Maria"],
        ["RF76067KRQKW01XB", "RF76 067K RQKW 01XB"],
        ["RF 76 067K RQKW 01XB"],
    ):
        assert wallets.carried(texts) == "RF76067KRQKW01XB", texts


def test_a_line_without_one_carries_none() -> None:
    for text in ("", "DEP-0001", "SURF 2026", "RF", "WRF76067KRQKW01XB", "RFID TAGS"):
        assert wallets.carried([text]) is None, text


def test_two_references_and_a_mistyped_one_are_told_and_name_nobody() -> None:
    for texts in (["RF76067KRQKW01XB RF18539007547034"], ["RF76067KRQKW01X"], ["RF7606 7KRQKW01XB99"]):
        told = wallets.carried(texts)
        assert told is not None, texts
        assert not rules.is_reference(told)
        assert len(told) <= 64


def test_a_wallet_is_found_by_its_reference_alone(town: Town) -> None:
    person = town.person()
    reference = wallets.reference_of(person.wallet_id)
    stranger = wallets.reference_of(WALLET)
    wrong = reference[:-1] + ("0" if reference[-1] != "0" else "1")
    found = town.run(lambda session: wallets.by_references(session, [reference, stranger, wrong]))
    assert {key: wallet.id for key, wallet in found.items()} == {reference: person.wallet_id}
