"""Transit: the tap at a gate or on a bus, a fare that staff give back, and a pass that is bought."""

from dataclasses import dataclass
from datetime import date
from typing import Annotated, ClassVar
from uuid import UUID

from crypto.wire.body import CENTS, CURRENCY, DATE, IDENTIFIER, POSITIVE_CENTS, Body, Tag, choice, integer, text
from crypto.wire.kinds import Kind


@dataclass(frozen=True, slots=True)
class Tap(Body):
    """A card was presented. `fare_cents` is what the gate showed by its policy, 0 where it showed none.

    `direction` is "flat" where one tap is the whole ride (`fare_cents` is its fare), "in" where a ride begins (what is
    held until it ends) and "out" where it ends (0: the fare is worked out later). What is charged the tariff says.
    """

    KIND: ClassVar[int] = Kind.TAP
    network_id: Annotated[str, Tag(1, text(64))]
    stop_id: Annotated[str, Tag(2, text(64))]
    direction: Annotated[str, Tag(3, choice("in", "flat", "out"))]
    fare_cents: Annotated[int, Tag(4, CENTS)]
    currency: Annotated[str, Tag(5, CURRENCY)]
    tariff_version: Annotated[int, Tag(6, integer())]
    policy_number: Annotated[int, Tag(7, integer())]


@dataclass(frozen=True, slots=True)
class FareRefunded(Body):
    """A rider's claim is granted: `fare_cents` of the ride that began with the tap `ride_id` go back to the wallet.

    `subsidy_cents` is what the programme that paid a part of the ride gets back. `action_id` names what two people
    signed for it, where one may not decide alone; None where one may.
    """

    KIND: ClassVar[int] = Kind.FARE_REFUNDED
    staff_id: Annotated[UUID, Tag(1, IDENTIFIER)]
    claim_id: Annotated[UUID, Tag(2, IDENTIFIER)]
    wallet_id: Annotated[UUID, Tag(3, IDENTIFIER)]
    ride_id: Annotated[UUID, Tag(4, IDENTIFIER)]
    fare_cents: Annotated[int, Tag(5, POSITIVE_CENTS)]
    subsidy_cents: Annotated[int, Tag(6, CENTS)]
    currency: Annotated[str, Tag(7, CURRENCY)]
    reason: Annotated[str, Tag(8, text())]
    action_id: Annotated[UUID | None, Tag(9, IDENTIFIER)] = None


@dataclass(frozen=True, slots=True)
class PassBought(Body):
    """The holder of the card that signed, with PIN, or of the passkey buys a pass of this tariff from the wallet.

    `begins` is the fare day on which it begins to be good, `amount_cents` the price that the buyer was shown.
    """

    KIND: ClassVar[int] = Kind.PASS_BOUGHT
    pass_id: Annotated[str, Tag(1, text(64))]
    tariff_version: Annotated[int, Tag(2, integer())]
    begins: Annotated[date, Tag(3, DATE)]
    amount_cents: Annotated[int, Tag(4, POSITIVE_CENTS)]
    currency: Annotated[str, Tag(5, CURRENCY)]
