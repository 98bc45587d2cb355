"""The tap: genuine card, policy, deny list, duplicate, debt, ceilings; then signed, stored, and only then the gate."""

import sqlite3
from collections import OrderedDict
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Final

from crypto.errors import CryptoError
from crypto.wire.policy import Policy
from crypto.wire.transit import Tap
from terminals.card import CardError, CardNotGenuine, PivSession, Slot
from terminals.outbox import OutboxError, StoredElsewhere
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
from terminals.validator.rules import (
    TapRefused,
    check_ceilings,
    check_device,
    check_nothing_owed,
    check_pass_back,
    earlier_tap,
    fare_at,
    ride_now,
)
from terminals.validator.taken import Taken
from terminals.validator.values import BALANCE_MS, KEPT_MS, EarlierTap, Mode, Outcome, Place, TapResult

_CACHE_MAX: Final = 10_000  # certificates of about 600 bytes
_REFUSALS: Final = (CardError, StationError, OutboxError, CryptoError, TapRefused)
_WORDS: Final = {
    Mode.FLAT: "Thank you. Please go through.",
    Mode.IN: "Your ride begins. Please tap again where you get off.",
    Mode.OUT: "Your ride is closed. Thank you.",
}


class Validator:
    """One gate. Works without a network for as long as the policy is in force; `sync` when there is one.

    `open_gate` is called once for each accepted tap, after its record is on disk. If we stop before the record is
    stored, nothing happened; if we stop between the record and the gate, the ride is charged and uploaded, and the
    rider asks the staff: the record says so. The gate never opens for a ride that is not stored.

    `siblings` are the outboxes of the other gates of this line, where they are at hand: a ride that began there ends
    here, and nobody comes in twice.
    """

    def __init__(
        self,
        station: Station,
        place: Place,
        open_gate: Callable[[TapResult], None],
        *,
        siblings: Sequence[StoredElsewhere] = (),
    ) -> None:
        self._station = station
        self._place = place
        self._open_gate = open_gate
        self._taken = Taken(station.outbox, siblings)
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
            return TapResult(Outcome.REFUSED, error.code, str(error), mode=self._place.mode)
        result = self._with_balance(result)
        if result.outcome is Outcome.ACCEPTED:
            self._open_gate(result)
        return result

    def now_ms(self) -> int:
        return self._station.now_ms()

    def sync(self) -> Uploaded:
        """Upload the taps and fetch the policy. Raises: ServiceUnreachable, ServiceRefused, as `Station.sync`."""
        return self._station.sync()

    def _tap(self, session: PivSession, hint: bytes | None) -> TapResult:
        self._station.outbox.check_room()  # before the card is asked for anything: a full disk takes nobody's time
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
        now_ms, place = self._station.now_ms(), self._place
        self._station.check_not_denied(card)
        ride_start = now_ms - max(place.duplicate_ms, place.pass_back_ms, place.ride_ms)
        taps = self._taken.here(card.card_id, min(day_start_ms(now_ms), ride_start))
        earlier = earlier_tap(taps, now_ms, place)
        if earlier:
            return _again(earlier, card)
        check_nothing_owed(self._station.owes(card), place)
        line = (*taps, *self._beside(card, ride_start))
        check_pass_back(line, now_ms, place)
        fare, limits = fare_at(policy, place), limits_at(policy, now_ms)
        check_ceilings(fare, place, [tap for tap in taps if tap.at_ms >= day_start_ms(now_ms)], limits)
        check_device(fare, place, self._taken.today_cents(now_ms), limits)
        content = Tap(
            network_id=place.network_id,
            stop_id=place.stop_id,
            direction=place.mode.value,
            fare_cents=fare.amount_cents,
            currency=fare.currency,
            tariff_version=policy.tariff_version,
            policy_number=policy.number,
        )
        stored = self._station.outbox.append(
            content, at_ms=now_ms, authorise=presence(session, card), subject=card.card_id
        )
        ride = ride_now(line, now_ms, place) if place.mode is Mode.OUT else None
        return TapResult(
            Outcome.ACCEPTED,
            Outcome.ACCEPTED,
            _WORDS[place.mode],
            stored.record_id,
            card.card_id,
            fare.amount_cents,
            fare.currency,
            place.mode,
            ride.fare_cents if ride else fare.amount_cents if place.mode is Mode.IN else 0,
        )

    def _with_balance(self, result: TapResult) -> TapResult:
        """A balance that cannot be read is none: nobody is kept out for it, and the ride is stored already."""
        if result.card_id is None:
            return result
        with suppress(OutboxError, sqlite3.Error):
            since_ms = self._station.now_ms() - BALANCE_MS
            return replace(result, balance=self._station.outbox.balance(Tap.KIND, result.card_id, since_ms))
        return result

    def _beside(self, card: CityCard, since_ms: int) -> Sequence[EarlierTap]:
        """A sibling that cannot be read keeps nobody out: what it knows bounds no loss."""
        if self._place.mode is Mode.FLAT:
            return ()
        try:
            return self._taken.beside(card.card_id, since_ms)
        except OutboxError:
            return ()

    def _remember(self, hint: bytes, certificate: bytes) -> None:
        self._certificates[hint] = certificate
        if len(self._certificates) > _CACHE_MAX:
            self._certificates.popitem(last=False)


def forget_settled(station: Station) -> int:
    """Delete some of the taps that nothing here asks for any more; how many. The city has them, and their receipts.

    Raises: OutboxError, sqlite3.Error; no tap is missed for it, and the next time does what this one did not.
    """
    return station.forget(Tap.KIND, KEPT_MS)


def _again(earlier: EarlierTap, card: CityCard) -> TapResult:
    return TapResult(
        Outcome.AGAIN,
        Outcome.AGAIN,
        "This card was just taken; one tap is enough.",
        earlier.record_id,
        card.card_id,
        earlier.fare_cents,
        earlier.currency,
        earlier.mode,
        earlier.fare_cents if earlier.mode is Mode.IN else 0,
    )
