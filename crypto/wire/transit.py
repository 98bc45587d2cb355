"""Transit: the tap at a gate or on a bus."""

from dataclasses import dataclass
from typing import Annotated, ClassVar

from crypto.wire.body import CENTS, CURRENCY, Body, Tag, choice, integer, text
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
