"""The policy: what terminals download, signed by the city, and act within while there is no network.

Evolution: append only (see `crypto.wire.body`); what a terminal must not overlook is version 2.
"""

from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

from crypto import cbor, cose, keys
from crypto.errors import MalformedMessage
from crypto.keys import Signer
from crypto.wire import header
from crypto.wire.body import (
    CENTS,
    CURRENCY,
    IDENTIFIER,
    TIME_MS,
    Tag,
    Tagged,
    document,
    integer,
    many,
    nested,
    octets,
    text,
)
from crypto.wire.citykeys import TEXT_MAX, CityKeys

DOMAIN = "city.policy"
AAD = b"city.policy.v1"
_CERTIFICATE = octets(1, 4096)
_DENY_MAX = 200_000
_FARES_MAX = 10_000
_ITEMS_MAX = _DENY_MAX + 2 * 5 * _FARES_MAX + 1000


@dataclass(frozen=True, slots=True)
class OfflineLimits(Tagged):
    """What a validator may accept without asking: together they bound the city's loss.

    The age of a terminal's news is the time since its policy was issued: so long nobody told it of a denied card. From
    `age_warning_ms` on it warns its staff, from `age_lower_ms` on the lower ceilings hold, after `policy_age_ms_max` it
    stops. 0 means that there is no such step. What
    one terminal takes of all cards in a day ends at `device_day_cents_max`; 0 for no such limit.
    """

    tap_cents_max: Annotated[int, Tag(1, CENTS)]
    card_day_cents_max: Annotated[int, Tag(2, CENTS)]
    card_day_taps_max: Annotated[int, Tag(3, integer())]
    policy_age_ms_max: Annotated[int, Tag(4, integer())]
    age_warning_ms: Annotated[int, Tag(5, integer())] = 0
    age_lower_ms: Annotated[int, Tag(6, integer())] = 0
    lower_tap_cents_max: Annotated[int, Tag(7, CENTS)] = 0
    lower_card_day_cents_max: Annotated[int, Tag(8, CENTS)] = 0
    device_day_cents_max: Annotated[int, Tag(9, CENTS)] = 0

    def __post_init__(self) -> None:
        super(OfflineLimits, self).__post_init__()
        steps = [age for age in (self.age_warning_ms, self.age_lower_ms) if age]
        if steps != sorted(steps) or max(steps, default=0) > self.policy_age_ms_max:
            raise MalformedMessage("A terminal warns first, then lowers its ceilings, then stops.")
        if self.lower_tap_cents_max > self.tap_cents_max or self.lower_card_day_cents_max > self.card_day_cents_max:
            raise MalformedMessage("The lower ceilings are not above the others.")
        if not self.age_lower_ms and (self.lower_tap_cents_max or self.lower_card_day_cents_max):
            raise MalformedMessage("Lower ceilings come with the age from which they hold.")


@dataclass(frozen=True, slots=True)
class FlatFare(Tagged):
    """One ride on a network for one category of riders; among `holds`, what is held for it until it ends."""

    network_id: Annotated[str, Tag(1, text(64))]
    rider_category: Annotated[str, Tag(2, text(64))]
    amount_cents: Annotated[int, Tag(3, CENTS)]
    currency: Annotated[str, Tag(4, CURRENCY)]


@dataclass(frozen=True, slots=True)
class Policy(Tagged):
    """`number` only grows. `deny` lists the ids of cards that must not be accepted, ascending, each once; where
    `deny_number` is not 0 it names the least deny list that a terminal must hold (`crypto.wire.denylist`) instead.

    `fares` are paid by one tap; `holds` are what is held when a ride begins, where a second tap ends it.
    `card_authorities` and `terminal_authorities` are DER certificates to pin; `city_keys` is the text of `CityKeys`.
    """

    number: Annotated[int, Tag(1, integer(1))]
    issued_at_ms: Annotated[int, Tag(2, TIME_MS)]
    expires_at_ms: Annotated[int, Tag(3, TIME_MS)]
    card_authorities: Annotated[tuple[bytes, ...], Tag(4, many(_CERTIFICATE, 32))]
    terminal_authorities: Annotated[tuple[bytes, ...], Tag(5, many(_CERTIFICATE, 32))]
    deny: Annotated[tuple[UUID, ...], Tag(6, many(IDENTIFIER, _DENY_MAX))]
    limits: Annotated[OfflineLimits, Tag(7, nested(OfflineLimits))]
    fares: Annotated[tuple[FlatFare, ...], Tag(8, many(nested(FlatFare), _FARES_MAX))]
    tariff_version: Annotated[int, Tag(9, integer())]
    city_keys: Annotated[str, Tag(10, document(TEXT_MAX))]
    deny_number: Annotated[int, Tag(11, integer())] = 0
    holds: Annotated[tuple[FlatFare, ...], Tag(12, many(nested(FlatFare), _FARES_MAX))] = ()

    def __post_init__(self) -> None:
        super(Policy, self).__post_init__()
        if self.expires_at_ms <= self.issued_at_ms:
            raise MalformedMessage("A policy expires after it is issued.")
        if any(first.bytes >= second.bytes for first, second in zip(self.deny, self.deny[1:], strict=False)):
            raise MalformedMessage("The deny list of a policy is ascending and names each card once.")


def sign_policy(policy: Policy, signer: Signer) -> bytes:
    """The policy as terminals download it."""
    payload = cbor.encode([DOMAIN, header.VERSION, policy.encode()])
    return cose.sign1(payload, signer, kid=keys.key_id(signer.public_key), external_aad=AAD)


def open_policy(data: bytes, city_keys: CityKeys) -> Policy:
    """Return the policy that the city signed. Whether it is still in force is for the caller, who knows the time.

    Raises: MalformedMessage, UnknownVersion, InvalidSignature.
    """
    key = city_keys.policy_key(cose.parse(data).kid)
    # read after its signature, so its length is the city's own choice
    (content,) = header.read(cose.verify1(data, key, external_aad=AAD), DOMAIN, 1, items_max=_ITEMS_MAX)
    return Policy.from_map(content)
