"""The 9C of a staff member's card signs records in their name, as long as the card stands for them."""

from collections.abc import Callable

import pytest

from cardsvc import access, web
from crypto.pki import CardSlot
from crypto.wire.finance import ShiftOpened
from crypto.wire.transaction import Authorisation, Purpose, authorise
from tests.builders import SoftwareCard
from tests.signing_in import Desk, make_card
from tests.town import FLOAT_CENTS, Town


def signs(card: SoftwareCard, slot: CardSlot, purpose: Purpose = Purpose.STAFF) -> Callable[[bytes], Authorisation]:
    return lambda record_bytes: authorise(record_bytes, purpose, card.keys.signers[slot])


@pytest.fixture
def desk(town: Town) -> Desk:
    return Desk(town.city, town.client)


@pytest.fixture
def card(town: Town, desk: Desk, city: web.City) -> SoftwareCard:
    """The cashier's card, in a city whose vault has cash."""
    town.fund()
    town.withdraw()
    made = make_card(city)
    assert desk.bind(town.staff("cashier"), made).status_code == 201
    return made


def opened(town: Town) -> ShiftOpened:
    return ShiftOpened(town.staff("cashier").id, FLOAT_CENTS, "PHP")


def test_a_shift_is_opened_with_the_cashiers_card(town: Town, card: SoftwareCard) -> None:
    result = town.counter().send_one(opened(town), signs(card, CardSlot.SIGNATURE))
    assert result.outcome == "accepted", result


@pytest.mark.parametrize("slot", [CardSlot.AUTHENTICATION, CardSlot.CARD_AUTH])
def test_what_signs_in_signs_no_record(town: Town, card: SoftwareCard, slot: CardSlot) -> None:
    result = town.counter().send_one(opened(town), signs(card, slot))
    assert (result.outcome, result.reason) == ("rejected", "unknown_key")


def test_the_holders_consent_is_no_signature_of_staff(town: Town, card: SoftwareCard) -> None:
    result = town.counter().send_one(opened(town), signs(card, CardSlot.SIGNATURE, Purpose.CONSENT))
    assert result.outcome == "rejected"


def test_a_card_that_was_taken_away_signs_nothing_more_and_what_it_signed_stays(town: Town, card: SoftwareCard) -> None:
    counter = town.counter()
    assert counter.send_one(opened(town), signs(card, CardSlot.SIGNATURE)).outcome == "accepted"
    kid = card.keys.kid(CardSlot.SIGNATURE)
    town.run(lambda session: access.block_keys(session, [kid], town.clock.now()))
    assert town.run(lambda session: access.staff_by_key(session, [kid])) == {}
    assert kid in town.run(lambda session: access.staff_by_key(session, [kid], blocked_too=True))
    result = town.counter().send_one(opened(town), signs(card, CardSlot.SIGNATURE))
    assert (result.outcome, result.reason) == ("rejected", "unknown_key")
