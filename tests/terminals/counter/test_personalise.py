"""Making a card at a counter: the real service, a real card, and a card pulled out at every APDU."""

import secrets
from enum import Enum
from uuid import UUID

import pytest

from cardsvc.vault import Vault
from crypto import pki
from crypto.pki import CardSlot
from crypto.wire.pin_reset import derived_puk
from terminals.card import (
    CardRemoved,
    CardSettings,
    DataObject,
    Interface,
    ManagementAlgorithm,
    NotAllowed,
    NotAPivCard,
    PivSession,
    ProductUnsupported,
    SimulatedCard,
    Slot,
    WrongManagementKey,
)
from terminals.client import ServiceRefused, ServiceUnreachable
from terminals.counter import MadeCard, Personalisation, PinsDiffer, Step
from terminals.station import AnotherCard
from tests.terminals.city import CountingConnection, inserted, session
from tests.terminals.service import PIN, CityService


class Tear(Enum):
    BEFORE = "before the card did it"
    AFTER = "after the card did it, the answer lost"


class TornConnection(CountingConnection):
    """The card leaves at APDU `at`, counted from 1."""

    def __init__(self, card: SimulatedCard, at: int, tear: Tear) -> None:
        super().__init__(inserted(card).connect())
        self._at, self._tear = at, tear

    def transmit(self, frame: bytes | bytearray) -> bytes:
        if self.sent + 1 < self._at:
            return CountingConnection.transmit(self, frame)
        if self._tear is Tear.AFTER:
            CountingConnection.transmit(self, frame)
        raise CardRemoved


def work(office: CityService, card_id: UUID) -> Personalisation:
    return Personalisation(office.clerk, card_id, office.counter, random_bytes=secrets.token_bytes)


def make(office: CityService, card: SimulatedCard, card_id: UUID) -> MadeCard:
    return work(office, card_id).make(session(card))


def hand_over(office: CityService, card: SimulatedCard, made: MadeCard) -> str:
    done = work(office, made.card_id).hand_over(session(card), made, bytearray(PIN), bytearray(PIN))
    return done.state


def state(office: CityService, card_id: UUID) -> str:
    return office.clerk.card(card_id).state


def check_issued(office: CityService, card: SimulatedCard, card_id: UUID, vault: Vault) -> None:
    """The card proves by itself that it is the card that the service calls active."""
    assert state(office, card_id) == "active"
    with session(card) as opened:
        opened.select()
        for slot in Slot:
            certificate = pki.load_certificate(opened.read_certificate(slot))
            purpose = CardSlot(int(slot)).purpose
            verified = pki.verify_chain(certificate, [vault.certificate("card-ca")], office.clock.now(), purpose)
            if slot is not Slot.CARD_AUTHENTICATION:
                opened.verify_pin(bytearray(PIN))
            opened.prove_possession(slot, verified.public_key)
            assert verified.bearer_id in (card_id, None)
        chuid = pki.verify_chuid(opened.get_data(DataObject.CHUID), [vault.certificate("card-ca")], office.clock.now())
        assert chuid.guid == card_id


def test_a_blank_card_becomes_an_active_one(office: CityService, vault: Vault) -> None:
    card, card_id, steps = SimulatedCard.blank(), office.approved_card(), list[Step]()
    job = Personalisation(office.clerk, card_id, office.counter, random_bytes=secrets.token_bytes, watch=steps.append)
    made = job.make(session(card))
    assert state(office, card_id) == "ready"
    pin, again = bytearray(PIN), bytearray(PIN)
    assert job.hand_over(session(card), made, pin, again).state == "active"
    assert steps == list(Step)
    assert not any(pin + again + made.puk)
    check_issued(office, card, card_id, vault)


def test_nothing_of_the_factory_is_left_on_an_issued_card(office: CityService) -> None:
    card, card_id = SimulatedCard.blank(), office.approved_card()
    hand_over(office, card, make(office, card, card_id))
    management_key = card.state.management_key
    assert card.state.management_algorithm is ManagementAlgorithm.AES128
    assert card.state.puk == bytes(derived_puk(management_key))
    assert card.state.pin == PIN


@pytest.mark.parametrize("algorithm", list(ManagementAlgorithm))
def test_a_factory_key_of_any_kind_is_accepted_to_be_replaced(
    office: CityService, algorithm: ManagementAlgorithm
) -> None:
    card, card_id = SimulatedCard.blank(algorithm=algorithm), office.approved_card()
    make(office, card, card_id)
    assert state(office, card_id) == "ready"


@pytest.mark.parametrize("tear", list(Tear))
def test_a_card_torn_at_any_apdu_is_not_issued_and_the_same_call_again_completes_it(
    office: CityService, tear: Tear
) -> None:
    whole = CountingConnection(inserted(SimulatedCard.blank()).connect())
    work(office, office.approved_card()).make(PivSession(whole))
    for at in range(1, whole.sent + 1):
        card, card_id = SimulatedCard.blank(), office.approved_card()
        with pytest.raises(CardRemoved):
            work(office, card_id).make(PivSession(TornConnection(card, at, tear)))
        assert state(office, card_id) == "personalising" or at == 1, at
        made = make(office, card, card_id)
        assert state(office, card_id) == "ready", at
        assert made.puk == card.state.puk


@pytest.mark.parametrize("tear", list(Tear))
def test_a_card_torn_again_and_again_at_one_place_still_completes(office: CityService, tear: Tear) -> None:
    for at in (4, 5, 6, 7, 8, 9, 10, 11):
        card, card_id = SimulatedCard.blank(), office.approved_card()
        for _ in range(3):
            with pytest.raises(CardRemoved):
                work(office, card_id).make(PivSession(TornConnection(card, at, tear)))
        make(office, card, card_id)
        assert state(office, card_id) == "ready"


@pytest.mark.parametrize("tear", list(Tear))
def test_a_handover_torn_at_any_apdu_is_not_active_and_the_same_call_again_completes_it(
    office: CityService, vault: Vault, tear: Tear
) -> None:
    card, card_id = SimulatedCard.blank(), office.approved_card()
    made = make(office, card, card_id)
    at, torn = 0, True
    while torn:
        at += 1
        connection = TornConnection(card, at, tear)
        try:
            work(office, card_id).hand_over(PivSession(connection), made, bytearray(PIN), bytearray(PIN))
            torn = False
        except CardRemoved:
            assert state(office, card_id) == "ready"
    assert at > 10
    check_issued(office, card, card_id, vault)


@pytest.mark.parametrize("lost", ["lose_request", "lose_answer"])
def test_a_call_lost_on_the_way_is_mended_by_the_same_call_again(office: CityService, lost: str) -> None:
    for step in range(1, 5):  # history, begin, certify, readback
        card, card_id = SimulatedCard.blank(), office.approved_card()
        setattr(office.send, lost, office.send.sent + step)
        with pytest.raises(ServiceUnreachable):
            make(office, card, card_id)
        make(office, card, card_id)
        assert state(office, card_id) == "ready"


@pytest.mark.parametrize("lost", ["lose_request", "lose_answer"])
def test_a_handover_lost_on_the_way_is_mended_by_the_same_call_again(
    office: CityService, vault: Vault, lost: str
) -> None:
    card, card_id = SimulatedCard.blank(), office.approved_card()
    made = make(office, card, card_id)
    setattr(office.send, lost, office.send.sent + 1)
    with pytest.raises(ServiceUnreachable):
        hand_over(office, card, made)
    assert hand_over(office, card, made) == "active"
    check_issued(office, card, card_id, vault)


def test_two_different_pins_are_refused_before_the_card_is_touched(office: CityService) -> None:
    card, card_id = SimulatedCard.blank(), office.approved_card()
    made = make(office, card, card_id)
    first, second = bytearray(PIN), bytearray(b"111111")
    connection = CountingConnection(inserted(card).connect())
    with pytest.raises(PinsDiffer):
        work(office, card_id).hand_over(PivSession(connection), made, first, second)
    assert connection.sent == 0
    assert not any(first + second)


def test_another_card_is_not_handed_over(office: CityService) -> None:
    first, second = SimulatedCard.blank(), SimulatedCard.blank()
    made = make(office, first, office.approved_card())
    make(office, second, office.approved_card())
    with pytest.raises(AnotherCard):
        hand_over(office, second, made)


def test_somebody_elses_card_is_not_made_over(office: CityService, vault: Vault) -> None:
    card, first, second = SimulatedCard.blank(), office.approved_card(), office.approved_card()
    hand_over(office, card, make(office, card, first))
    with pytest.raises(WrongManagementKey):
        make(office, card, second)
    check_issued(office, card, first, vault)


def test_a_card_with_an_unknown_management_key_is_refused_untouched(office: CityService) -> None:
    card = SimulatedCard.blank()
    card.state.management_key = bytes(24)
    before = card.state.copy()
    with pytest.raises(WrongManagementKey):
        make(office, card, office.approved_card())
    assert card.state == before


def test_a_product_that_cannot_change_its_management_key_is_refused_untouched(office: CityService) -> None:
    class AnotherAtr(CountingConnection):
        @property
        def atr(self) -> bytes:
            return bytes.fromhex("3B8001")

    card = SimulatedCard.blank()
    before = card.state.copy()
    with pytest.raises(ProductUnsupported):
        work(office, office.approved_card()).make(PivSession(AnotherAtr(inserted(card).connect())))
    assert card.state == before


def test_a_card_is_not_made_over_the_contactless_interface(office: CityService) -> None:
    with pytest.raises(NotAllowed):
        work(office, office.approved_card()).make(session(SimulatedCard.blank(), Interface.CONTACTLESS))


def test_a_card_that_is_no_piv_card_is_refused_before_the_service_hears_of_it(office: CityService) -> None:
    class NoPiv(CountingConnection):
        def transmit(self, frame: bytes | bytearray) -> bytes:
            assert frame
            return bytes.fromhex("6A82")

    card_id = office.approved_card()
    with pytest.raises(NotAPivCard):
        work(office, card_id).make(PivSession(NoPiv(inserted(SimulatedCard.blank()).connect())))
    assert state(office, card_id) == "approved"


def test_a_card_nobody_approved_is_not_made(office: CityService) -> None:
    card, card_id = SimulatedCard.blank(), office.approved_card()
    hand_over(office, card, make(office, card, card_id))
    with pytest.raises(ServiceRefused) as refused:
        make(office, SimulatedCard.blank(), card_id)
    assert refused.value.code == "invalid_card_move"


def test_the_puk_follows_from_the_management_key_alone() -> None:
    assert derived_puk(bytes(16)) == derived_puk(bytes(16))
    assert derived_puk(bytes(16)) != derived_puk(b"\x01" + bytes(15))
    assert derived_puk(bytes(16)).isdigit()
    assert len(derived_puk(bytes(16))) == 8


def test_a_card_with_little_memory_is_refused_and_never_called_ready(office: CityService) -> None:
    small = SimulatedCard.blank(CardSettings(object_length_max=300))
    card_id = office.approved_card()
    with pytest.raises(Exception, match="no room") as refused:
        make(office, small, card_id)
    assert getattr(refused.value, "code", "") == "card_full"
    assert state(office, card_id) == "personalising"
