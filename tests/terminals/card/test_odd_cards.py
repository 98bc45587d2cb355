"""What a session makes of status words that our own card never sends: each a clear error, and no try lost silently."""

from dataclasses import replace

import pytest

from terminals import card
from terminals.card import DataObject, LocalReader, ManagementAlgorithm, PivSession, Slot
from terminals.card.apdu import SW, meaning
from tests.card_builders import Recorder, secret
from tests.foreign_cards import FIVE_BYTE_AID, OPEN_FIPS, OPEN_FIPS_NO_PUK, PIV_APPLET, ForeignCard, Habits

TDES = ManagementAlgorithm.TDES


def opened(habits: Habits, algorithm: ManagementAlgorithm = TDES) -> tuple[PivSession, ForeignCard]:
    foreign = ForeignCard.fresh(habits, algorithm)
    reader = LocalReader()
    reader.insert(foreign)
    session = PivSession(reader.connect())
    session.select()
    return session, foreign


def answering(sw: int) -> PivSession:
    return PivSession(Recorder(lambda _frame: sw.to_bytes(2)))


def test_a_wrong_pin_without_a_number_is_followed_by_the_question_how_many_are_left() -> None:
    session, foreign = opened(replace(PIV_APPLET, wrong_pin=0x6300))
    with pytest.raises(card.PinRejected) as refusal:
        session.verify_pin(secret(b"000000"))
    assert refusal.value.attempts_left == 4 == foreign.state.pin_tries_left


def test_a_card_that_never_says_how_many_are_left_is_not_asked_twice_and_says_so() -> None:
    session, foreign = opened(FIVE_BYTE_AID)
    assert session.pin_status() == card.PinStatus(verified=False, attempts_left=None)
    with pytest.raises(card.PinRejected) as refusal:
        session.verify_pin(secret(b"000000"))
    assert refusal.value.attempts_left is None
    assert "does not say" in str(refusal.value)
    assert foreign.state.pin_tries_left == 4


def test_an_empty_object_said_with_success_is_a_missing_one() -> None:
    with pytest.raises(card.ObjectMissing):
        answering(SW.DONE).get_data(DataObject.CHUID)


def test_a_card_without_a_pin_is_another_product() -> None:
    with pytest.raises(card.NoPin):
        answering(SW.NO_SUCH_KEY).pin_status()


def test_a_card_without_a_puk_says_so() -> None:
    session, _ = opened(OPEN_FIPS_NO_PUK)
    with pytest.raises(card.NoPuk):
        session.change_puk(secret(b"12345678"), secret(b"87654321"))


def test_a_new_pin_against_the_cards_rules_is_refused_as_that() -> None:
    session, _ = opened(OPEN_FIPS)
    with pytest.raises(card.PinRefused):
        session.change_pin(secret(b"123456"), secret(b"111111"))


@pytest.mark.parametrize("algorithm", list(ManagementAlgorithm))
def test_a_wrong_algorithm_is_found_out_before_anything_is_proven(algorithm: ManagementAlgorithm) -> None:
    session, foreign = opened(PIV_APPLET)
    if algorithm is TDES:
        session.authenticate_management(card.factory_key(TDES), TDES)
        return
    with pytest.raises(card.WrongManagementAlgorithm):
        session.authenticate_management(bytes(algorithm.key_length), algorithm)
    assert foreign.proofs == 0


def test_a_card_that_counts_wrong_management_keys_is_believed() -> None:
    session, _ = opened(replace(PIV_APPLET, wrong_proof=0x63C2))
    with pytest.raises(card.WrongManagementKey) as refusal:
        session.authenticate_management(bytes(range(24)), TDES)
    assert refusal.value.attempts_left == 2


@pytest.mark.parametrize("sw", [0x6400, 0x6581, 0x6983, 0x6984, 0x6985, 0x6A80, 0x6A84, 0x6F00, 0x6F63, 0x6FFF, 0x1234])
def test_any_word_to_a_signature_is_an_error_of_ours(sw: int) -> None:
    with pytest.raises(card.CardError) as refusal:
        answering(sw).sign_digest(Slot.CARD_AUTHENTICATION, bytes(32))
    assert str(refusal.value).endswith(".")


@pytest.mark.parametrize(
    ("sw", "says"),
    [
        (0x6581, "memory"),
        (0x63C3, "tries"),
        (0x6312, "did not verify"),
        (0x6F60, "no precise diagnosis"),
        (0x6999, "not allowed"),
        (0x6A99, "wrong parameters"),
        (0x1234, "unknown"),
    ],
)
def test_every_word_has_a_meaning(sw: int, says: str) -> None:
    assert says in meaning(sw)


def test_products_are_found_by_what_the_card_answers_not_by_its_atr() -> None:
    for habits, name, can in ((PIV_APPLET, "PivApplet", True), (OPEN_FIPS, "OpenFIPS201", False)):
        session, _ = opened(habits)
        product = session.product()
        assert product.name.startswith(name)
        assert product.can_replace is can
    session, _ = opened(FIVE_BYTE_AID)  # answers the version command, and has no command for a key
    session.authenticate_management(card.factory_key(TDES), TDES)
    with pytest.raises(card.ProductUnsupported):
        session.set_management_key(session.product(), bytes(24), TDES)
