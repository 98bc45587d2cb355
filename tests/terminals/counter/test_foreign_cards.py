"""Personalisation on cards of other makers: each is opened, made, handed over, or refused untouched with its reason."""

import secrets
from dataclasses import replace
from uuid import UUID

import pytest

from cardsvc.vault import Vault
from crypto import pki
from crypto.pki import CardSlot
from terminals.card import (
    CardError,
    Condition,
    DataObject,
    ManagementAlgorithm,
    NoPlace,
    NoPuk,
    NoRoom,
    NotAllowed,
    PinRefused,
    ProductUnsupported,
    PukRejected,
    Slot,
    UnexpectedStatus,
    WriteFailed,
    WrongManagementKey,
)
from terminals.card.apdu import SW
from terminals.counter import Intake, KeyState, MadeCard, Personalisation, PukState
from tests.foreign_cards import (
    FIVE_BYTE_AID,
    NIST_STRICT,
    OPEN_FIPS,
    OPEN_FIPS_NO_PUK,
    PIV_APPLET,
    PIV_APPLET_3DES,
    ForeignCard,
    Habits,
)
from tests.terminals.city import session
from tests.terminals.service import PIN, CityService

AES128, AES192, AES256, TDES = (
    ManagementAlgorithm.AES128,
    ManagementAlgorithm.AES192,
    ManagementAlgorithm.AES256,
    ManagementAlgorithm.TDES,
)
BATCH_KEY = bytes(range(32, 64))
UNNAMED = Intake()


def batch(algorithm: ManagementAlgorithm) -> Intake:
    """The key of a batch whose maker knows no command to replace it."""
    return Intake(BATCH_KEY[: algorithm.key_length])


def of_batch(habits: Habits, algorithm: ManagementAlgorithm) -> ForeignCard:
    return ForeignCard.fresh(habits, algorithm, BATCH_KEY[: algorithm.key_length])


def job(office: CityService, card_id: UUID, intake: Intake) -> Personalisation:
    return Personalisation(office.clerk, card_id, office.counter, random_bytes=secrets.token_bytes, intake=intake)


def issue(office: CityService, vault: Vault, card: ForeignCard, intake: Intake = UNNAMED) -> MadeCard:
    """Made, handed over, and checked by what the card itself proves afterwards."""
    card_id = office.approved_card()
    work = job(office, card_id, intake)
    made = work.make(session(card))
    assert work.hand_over(session(card), made, bytearray(PIN), bytearray(PIN)).state == "active"
    with session(card) as opened:
        opened.select()
        for slot in Slot:
            certificate = pki.load_certificate(opened.read_certificate(slot))
            purpose = CardSlot(int(slot)).purpose
            verified = pki.verify_chain(certificate, [vault.certificate("card-ca")], office.clock.now(), purpose)
            if slot is not Slot.CARD_AUTHENTICATION:
                opened.verify_pin(bytearray(PIN))
            opened.prove_possession(slot, verified.public_key)
        assert opened.read_chuid().guid == card_id
    return made


def refused(office: CityService, card: ForeignCard, intake: Intake = UNNAMED) -> CardError:
    """Why, and that the service does not call the card ready."""
    card_id = office.approved_card()
    with pytest.raises(CardError) as caught:
        job(office, card_id, intake).make(session(card))
    assert office.clerk.card(card_id).state in ("approved", "personalising")
    return caught.value


# --- opened and given a key of their own ---


@pytest.mark.parametrize("algorithm", [TDES, AES192])
def test_a_piv_applet_gets_a_key_of_its_own(office: CityService, vault: Vault, algorithm: ManagementAlgorithm) -> None:
    card = ForeignCard.fresh(PIV_APPLET, algorithm)
    made = issue(office, vault, card)
    assert (made.key, made.puk_state, made.algorithm, made.left_out) == (
        KeyState.DIVERSIFIED,
        PukState.DERIVED,
        AES128,
        (),
    )
    assert made.product == "PivApplet v0.9.0/REaD"
    assert card.state.management_algorithm is AES128


def test_a_card_that_knows_only_3des_gets_a_3des_key_of_its_own(office: CityService, vault: Vault) -> None:
    card = ForeignCard.fresh(PIV_APPLET_3DES)
    made = issue(office, vault, card)
    assert (made.key, made.algorithm) == (KeyState.DIVERSIFIED, TDES)
    assert card.state.management_key != BATCH_KEY[:24]


def test_and_after_a_tear_it_is_found_again(office: CityService) -> None:
    card, card_id = ForeignCard.fresh(PIV_APPLET_3DES), office.approved_card()
    job(office, card_id, UNNAMED).make(session(card))
    assert job(office, card_id, UNNAMED).make(session(card)).algorithm is TDES


def test_production_gives_no_card_a_3des_key(office: CityService) -> None:
    assert isinstance(refused(office, ForeignCard.fresh(PIV_APPLET_3DES), Intake(production=True)), ProductUnsupported)


def test_no_key_is_tried_that_the_card_has_no_algorithm_for(office: CityService, vault: Vault) -> None:
    card = ForeignCard.fresh(PIV_APPLET, AES256)
    issue(office, vault, card)
    assert card.proofs == 2  # the factory's, and the new one


# --- opened, and their key kept ---


@pytest.mark.parametrize("algorithm", list(ManagementAlgorithm))
def test_a_card_without_a_key_command_keeps_a_named_key_and_says_so(
    office: CityService, vault: Vault, algorithm: ManagementAlgorithm
) -> None:
    card = of_batch(FIVE_BYTE_AID, algorithm)
    made = issue(office, vault, card, batch(algorithm))
    assert (made.key, made.algorithm, made.puk_state) == (KeyState.KEPT, algorithm, PukState.DERIVED)
    assert card.state.management_key == BATCH_KEY[: algorithm.key_length]


@pytest.mark.parametrize("intake", [Intake(), Intake(BATCH_KEY[:24], production=True)])
def test_without_a_named_key_or_in_production_it_is_refused_untouched(office: CityService, intake: Intake) -> None:
    key = intake.management_key or ForeignCard.fresh(FIVE_BYTE_AID).state.management_key
    card = ForeignCard.fresh(FIVE_BYTE_AID, TDES, key)
    before = card.state.copy()
    assert isinstance(refused(office, card, intake), ProductUnsupported)
    assert card.state == before


@pytest.mark.parametrize("algorithm", [TDES, AES128])
def test_a_card_that_refuses_mutual_authentication_is_opened_by_external(
    office: CityService, vault: Vault, algorithm: ManagementAlgorithm
) -> None:
    made = issue(office, vault, of_batch(OPEN_FIPS, algorithm), batch(algorithm))
    assert made.key is KeyState.KEPT
    assert made.product == "OpenFIPS201"
    # its discovery object is its own and another, so nothing vouches for the city's
    assert set(made.left_out) <= {DataObject.DISCOVERY, DataObject.SECURITY}


def test_a_card_that_wants_to_be_asked_for_its_response_is_asked(office: CityService, vault: Vault) -> None:
    made = issue(office, vault, of_batch(NIST_STRICT, AES128), batch(AES128))
    assert (made.key, made.puk_state) == (KeyState.KEPT, PukState.KEPT)


# --- PIN and PUK ---


def test_production_refuses_a_card_whose_puk_cannot_be_changed(office: CityService) -> None:
    card = ForeignCard.fresh(replace(NIST_STRICT, key_command=True, version=bytes((5, 4, 3))), AES128)
    assert isinstance(refused(office, card, Intake(production=True)), NoPuk)


def test_a_card_without_a_puk_goes_from_its_first_pin_to_the_holders(office: CityService, vault: Vault) -> None:
    card = of_batch(OPEN_FIPS_NO_PUK, AES128)
    made = issue(office, vault, card, batch(AES128))
    assert made.puk_state is PukState.NONE
    assert card.state.pin == PIN


def test_and_a_handover_lost_after_the_pin_was_changed_is_completed(office: CityService) -> None:
    card, card_id = of_batch(OPEN_FIPS_NO_PUK, AES128), office.approved_card()
    work = job(office, card_id, batch(AES128))
    made = work.make(session(card))
    with session(card) as opened:
        opened.select()
        opened.change_pin(bytearray(b"123456"), bytearray(PIN))
    assert work.hand_over(session(card), made, bytearray(PIN), bytearray(PIN)).state == "active"


def test_a_puk_of_the_batchs_own_is_named(office: CityService) -> None:
    card, card_id = ForeignCard.fresh(PIV_APPLET), office.approved_card()
    card.state.puk = b"24682468"
    with pytest.raises(PukRejected) as refusal:
        job(office, card_id, UNNAMED).make(session(card))
    assert refusal.value.attempts_left == 3  # two were tried
    made = job(office, card_id, Intake(puk=b"24682468")).make(session(card))
    assert card.state.puk == made.puk


def test_the_last_puk_try_is_never_taken(office: CityService) -> None:
    card = ForeignCard.fresh(PIV_APPLET)
    card.state.puk, card.state.puk_tries_left = b"24682468", 2
    assert isinstance(refused(office, card), PukRejected)
    assert card.state.puk_tries_left == 1


def test_a_pin_that_the_card_finds_too_simple_is_the_holders_to_change(office: CityService) -> None:
    card, card_id = of_batch(OPEN_FIPS, AES128), office.approved_card()
    work = job(office, card_id, batch(AES128))
    made = work.make(session(card))
    with pytest.raises(PinRefused):
        work.hand_over(session(card), made, bytearray(b"111111"), bytearray(b"111111"))
    assert work.hand_over(session(card), made, bytearray(PIN), bytearray(PIN)).state == "active"


# --- refused with their reason ---


@pytest.mark.parametrize("sw", [SW.NOT_SUPPORTED, SW.NOT_ALLOWED_NOW])
def test_a_contactless_position_that_only_the_card_knows_of_is_said(office: CityService, sw: int) -> None:
    error = refused(office, ForeignCard.fresh(replace(PIV_APPLET, administration=sw, puk_reset=sw)))
    assert isinstance(error, NotAllowed)
    assert error.condition is Condition.CONTACT
    assert "contact reader" in str(error)


def test_a_card_that_never_lets_9b_be_asked_is_in_the_wrong_place(office: CityService) -> None:
    card = ForeignCard.fresh(replace(PIV_APPLET, mutual=SW.NOT_SUPPORTED, wrong_algorithm=SW.NOT_SUPPORTED), AES256)
    card.state.management_key = bytes(32)
    error = refused(office, card)
    assert isinstance(error, NotAllowed | WrongManagementKey)


@pytest.mark.parametrize(
    ("sw", "kind"),
    [
        (SW.NO_MEMORY, NoRoom),
        (SW.MEMORY_FAILURE, WriteFailed),
        (SW.NOT_FOUND, NoPlace),
        (SW.NO_SUCH_KEY, NoPlace),
        (SW.NO_DIAGNOSIS, UnexpectedStatus),
        (SW.CONDITIONS_NOT_SATISFIED, UnexpectedStatus),
        (SW.STATE_UNCHANGED, UnexpectedStatus),
        (0x6F60, UnexpectedStatus),
        (0x6312, UnexpectedStatus),
    ],
)
def test_each_way_to_refuse_an_object_has_its_error(office: CityService, sw: int, kind: type[Exception]) -> None:
    error = refused(office, ForeignCard.fresh(replace(PIV_APPLET, put=sw)))
    assert type(error) is kind
    assert str(error).endswith(".")


def test_what_the_card_has_no_place_for_is_left_out_and_said(office: CityService, vault: Vault) -> None:
    assert PIV_APPLET.places is None
    needed = {DataObject.CHUID.value, *(DataObject.certificate(slot).value for slot in Slot)}
    made = issue(office, vault, ForeignCard.fresh(replace(PIV_APPLET, places=frozenset(needed))))
    assert DataObject.CAPABILITIES in made.left_out


def test_a_card_with_no_place_for_a_certificate_is_refused(office: CityService) -> None:
    card = ForeignCard.fresh(replace(PIV_APPLET, places=frozenset({DataObject.CHUID.value}), no_place=SW.NOT_FOUND))
    assert isinstance(refused(office, card), NoPlace)
