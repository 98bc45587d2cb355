"""The tap: genuine card, policy, deny list, duplicate, ceilings; then signed, stored, and only then the gate."""

from collections import OrderedDict
from collections.abc import Callable
from typing import Final
from uuid import UUID

from crypto.errors import CryptoError
from crypto.wire.policy import Policy
from crypto.wire.transit import Tap
from terminals.card import CardError, CardNotGenuine, PivSession, Slot
from terminals.outbox import OutboxError, Stored
from terminals.settings import day_start_ms
from terminals.station import (
    CityCard,
    ForeignCard,
    Station,
    StationError,
    Uploaded,
    card_of,
    limits_at,
    presence,
)
from terminals.validator.rules import TapRefused, check_ceilings, earlier_tap, fare_at
from terminals.validator.values import EarlierTap, Outcome, Place, TapResult

_CACHE_MAX: Final = 10_000  # certificates of about 600 bytes
_REFUSALS: Final = (CardError, StationError, OutboxError, CryptoError, TapRefused)


class Validator:
    """One gate. Works without a network for as long as the policy is in force; `sync` when there is one.

    `open_gate` is called once for each accepted tap, after its record is on disk. If we stop before the record is
    stored, nothing happened; if we stop between the record and the gate, the ride is charged and uploaded, and the
    rider asks the staff: the record says so. The gate never opens for a ride that is not stored.
    """

    def __init__(self, station: Station, place: Place, open_gate: Callable[[TapResult], None]) -> None:
        self._station = station
        self._place = place
        self._open_gate = open_gate
        self._certificates: OrderedDict[bytes, bytes] = OrderedDict()

    def tap(self, session: PivSession, hint: bytes | None = None) -> TapResult:
        """Take a tap. What is wrong comes back as a value, with a code and a sentence.

        `hint` is what the reader knows before any command (a contactless card's UID). It only picks a certificate seen
        before, and so saves reading it: SELECT and GENERAL AUTHENTICATE are then the whole tap. The signature decides,
        and no refusal stands on a hint.
        """
        try:
            result = self._tap(session, hint)
        except _REFUSALS as error:
            return TapResult(Outcome.REFUSED, error.code, str(error))
        if result.outcome is Outcome.ACCEPTED:
            self._open_gate(result)
        return result

    def sync(self) -> Uploaded:
        """Upload the taps and fetch the policy. Raises: ServiceUnreachable, ServiceRefused, as `Station.sync`."""
        return self._station.sync()

    def _tap(self, session: PivSession, hint: bytes | None) -> TapResult:
        policy = self._station.policy()
        session.select()
        guessed = self._certificates.get(hint) if hint else None
        if hint and guessed:
            result = self._by_guess(session, policy, guessed)
            if result:
                self._certificates.move_to_end(hint)
                return result
            del self._certificates[hint]
        certificate = session.read_certificate(Slot.CARD_AUTHENTICATION)
        result = self._decide(session, policy, card_of(certificate, policy, self._station.now_ms()))
        if hint and result.outcome is Outcome.ACCEPTED:
            self._remember(hint, certificate)
        return result

    def _by_guess(self, session: PivSession, policy: Policy, certificate: bytes) -> TapResult | None:
        """An accepted tap of the card that the hint suggests; None when it may be another card, or is refused."""
        try:
            result = self._decide(session, policy, card_of(certificate, policy, self._station.now_ms()))
        except (CardNotGenuine, ForeignCard, StationError, TapRefused):
            return None
        return result if result.outcome is Outcome.ACCEPTED else None

    def _decide(self, session: PivSession, policy: Policy, card: CityCard) -> TapResult:
        now_ms = self._station.now_ms()
        self._station.check_not_denied(card)
        window_start = min(day_start_ms(now_ms), now_ms - self._place.duplicate_ms)
        taps = self._taps_since(card.card_id, window_start)
        earlier = earlier_tap(taps, now_ms, self._place)
        if earlier:
            return _again(earlier, card)
        fare = fare_at(policy, self._place)
        check_ceilings(fare, [tap for tap in taps if tap.at_ms >= day_start_ms(now_ms)], limits_at(policy, now_ms))
        content = Tap(
            network_id=self._place.network_id,
            stop_id=self._place.stop_id,
            direction="flat",
            fare_cents=fare.amount_cents,
            currency=fare.currency,
            tariff_version=policy.tariff_version,
            policy_number=policy.number,
        )
        stored = self._station.outbox.append(
            content, at_ms=now_ms, authorise=presence(session, card), subject=card.card_id
        )
        return TapResult(
            Outcome.ACCEPTED,
            Outcome.ACCEPTED,
            "Thank you. Please go through.",
            stored.record_id,
            card.card_id,
            fare.amount_cents,
            fare.currency,
        )

    def _taps_since(self, card_id: UUID, since_ms: int) -> tuple[EarlierTap, ...]:
        return tuple(_earlier(stored) for stored in self._station.outbox.of_subject(Tap.KIND, card_id, since_ms))

    def _remember(self, hint: bytes, certificate: bytes) -> None:
        self._certificates[hint] = certificate
        if len(self._certificates) > _CACHE_MAX:
            self._certificates.popitem(last=False)


def _earlier(stored: Stored) -> EarlierTap:
    tap = Tap.decode(stored.record)
    return EarlierTap(stored.record_id, stored.record.at_ms, tap.fare_cents, tap.currency)


def _again(earlier: EarlierTap, card: CityCard) -> TapResult:
    return TapResult(
        Outcome.AGAIN,
        Outcome.AGAIN,
        "This card was just taken; one tap is enough.",
        earlier.record_id,
        card.card_id,
        earlier.fare_cents,
        earlier.currency,
    )
