"""Whose key it was then: the stated keys and the cards, and the rules by which a signature counts at its time."""

from dataclasses import dataclass, field
from typing import Any, Final

from cryptography import x509

from crypto import keys
from crypto.errors import CryptoError
from crypto.keys import PublicKey
from crypto.wire.transaction import Purpose

SLOT_OF: Final = {Purpose.PRESENCE: "9E", Purpose.CONSENT: "9C"}
BLOCKED: Final = frozenset({"suspended", "revoked", "expired", "destroyed"})


class NotTheirs(Exception):
    """The key does not count for this signature. The sentence says why."""


class Unknown(NotTheirs):
    """Nobody's key is called so; where a line of the keys could not be read, that says nothing."""


@dataclass(frozen=True, slots=True)
class Step:
    """A state of a card: when it began, and `at`, the moment that was written down for it."""

    began: int
    at: int
    state: str


@dataclass(frozen=True, slots=True)
class CardKey:
    """A key of a card. `history` are the card's states, oldest first; `steady_from` is when it became active for good,
    None where it ever left that state.
    """

    card_id: bytes
    resident_id: bytes
    slot: str
    active: bool
    not_after: int
    certificate: bytes
    history: tuple[Step, ...]
    steady_from: int | None


@dataclass(frozen=True, slots=True)
class Span:
    """That a key was somebody's from a moment until another (None: still). `holder` are hex digits; b"" the city's."""

    holder: bytes
    key: bytes
    from_ms: int
    until_ms: int | None
    detail: str


@dataclass(frozen=True, slots=True)
class Signing:
    """What the rules need of a transaction: whose names it is kept under, and its times. Ids are hex digits."""

    card_id: bytes
    resident_id: bytes
    staff_id: bytes
    happened_at: int
    recorded_at: int
    terminal_kind: str
    accepted: bool


@dataclass(slots=True)
class KeyBook:
    """Every key by its id. Small values only, so that it can be handed to a process; key objects are made on use.

    `whole`: every line of the keys could be read, so that a key that is not here is nobody's.
    """

    cards: dict[bytes, CardKey] = field(default_factory=dict)
    staff: dict[bytes, list[Span]] = field(default_factory=dict)
    service: dict[bytes, Span] = field(default_factory=dict)
    passkeys: dict[bytes, Span] = field(default_factory=dict)
    terminals: dict[bytes, Span] = field(default_factory=dict)  # by the terminal's id in hex digits
    whole: bool = True
    _loaded: dict[bytes, PublicKey] = field(default_factory=dict)

    def __getstate__(self) -> tuple[object, ...]:
        return self.cards, self.staff, self.service, self.passkeys, self.terminals, self.whole

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        self.cards, self.staff, self.service, self.passkeys, self.terminals, self.whole = state
        self._loaded = {}

    def signer(self, purpose: Purpose, kid: bytes, signing: Signing) -> PublicKey:
        """The key, when it is of whom the transaction is kept under and counted then. Raises: NotTheirs."""
        if purpose in SLOT_OF:
            return self._card(purpose, kid, signing)
        if purpose is Purpose.STAFF:
            spans = self.staff.get(kid, [])
            return self._of_spans(kid, [span for span in spans if span.holder == signing.staff_id], spans, signing)
        if purpose is Purpose.SERVICE and kid in self.service:
            if not covers(self.service[kid], signing.recorded_at):
                raise NotTheirs("the service's key that signed it had signed its last before")
            return self._load(kid, self.service[kid].key)
        raise Unknown("the key that signed it is not known")

    def _card(self, purpose: Purpose, kid: bytes, signing: Signing) -> PublicKey:
        card = self.cards.get(kid)
        if card is None:
            raise Unknown("the card key that signed it is not known")
        if (card.card_id, card.resident_id) != (signing.card_id, signing.resident_id):
            raise NotTheirs("it is kept under somebody else's name than whose card signed it")
        if card.slot != SLOT_OF[purpose]:
            raise NotTheirs(f"it is signed by the card's {card.slot}, which does not sign for this")
        if not card.active:
            raise NotTheirs("the key that signed it was never in force: its card was made again")
        if signing.accepted and not in_force(card, signing):
            raise NotTheirs("the card that signed it was not in force then")
        return self.card_key(kid, card)

    def card_key(self, kid: bytes, card: CardKey) -> PublicKey:
        """The key of a card that counts. Raises: NotTheirs."""
        loaded = self._loaded.get(kid)
        return loaded if loaded is not None else self._load_certified(kid, card.certificate)

    def _of_spans(self, kid: bytes, own: list[Span], all_: list[Span], signing: Signing) -> PublicKey:
        if not all_:
            raise Unknown("the key that signed it is not known")
        if not own:
            raise NotTheirs("it is kept under somebody else's name than who signed it")
        for span in own:
            if covers(span, signing.recorded_at):
                return self._load(kid, span.key)
        raise NotTheirs("the key that signed it was not theirs then")

    def passkey(self, kid: bytes, signing: Signing) -> tuple[Span, PublicKey]:
        """A resident's passkey, with the origin it counts at. Raises: NotTheirs."""
        span = self.passkeys.get(kid)
        if span is None:
            raise Unknown("the passkey that signed it is not known")
        if span.holder != signing.resident_id:
            raise NotTheirs("it is kept under somebody else's name than whose passkey signed it")
        if signing.accepted and signing.terminal_kind not in ("", "portal"):
            raise NotTheirs("a passkey counts only through the city's own pages")
        return span, self._load(kid, span.key)

    def terminal(self, terminal_id: bytes, recorded_at: int) -> tuple[Span, PublicKey]:
        """Raises: NotTheirs."""
        span = self.terminals.get(terminal_id)
        if span is None:
            raise Unknown("the terminal is not known")
        if not covers(span, recorded_at):
            raise NotTheirs("the terminal was not enrolled then")
        return span, self._load(terminal_id, span.key)

    def _load(self, kid: bytes, spki: bytes) -> PublicKey:
        if kid not in self._loaded:
            try:
                self._loaded[kid] = keys.load_spki(spki)
            except CryptoError as error:
                raise NotTheirs("the key that signed it cannot be read") from error
        return self._loaded[kid]

    def _load_certified(self, kid: bytes, certificate: bytes) -> PublicKey:
        try:
            key = x509.load_der_x509_certificate(certificate).public_key()
        except ValueError as error:
            raise NotTheirs("the certificate of the card that signed it cannot be read") from error
        if not keys.is_accepted(key):
            raise NotTheirs("the card's key is of a kind that does not count")
        self._loaded[kid] = key
        return key


def covers(span: Span, at_ms: int) -> bool:
    """Both ends count: what happened in one millisecond has no order."""
    return span.from_ms <= at_ms and (span.until_ms is None or at_ms <= span.until_ms)


def in_force(card: CardKey, signing: Signing) -> bool:
    """The rule of acceptance: an active card before its last day, and of a validator, which may have had no network,
    also what was tapped before the card was stopped.
    """
    if signing.happened_at >= card.not_after:
        return False
    if card.steady_from is not None and card.steady_from <= signing.recorded_at:
        return True
    return any(
        state == "active"
        or (signing.terminal_kind == "validator" and blocked is not None and signing.happened_at < blocked)
        for state, blocked in _states_at(card, signing.recorded_at)
    )


def _states_at(card: CardKey, at_ms: int) -> list[tuple[str, int | None]]:
    """Every state that the card was in during this millisecond, and since when it was blocked then."""
    found: list[tuple[str, int | None]] = []
    blocked: int | None = None
    for step in card.history:
        if step.began > at_ms:
            break
        if step.began < at_ms:
            found.clear()
        blocked = (step.at if blocked is None else blocked) if step.state in BLOCKED else None
        found.append((step.state, blocked))
    return found


def steady(history: tuple[Step, ...]) -> int | None:
    """Since when the card is active without having left that state; None where it did, or never was."""
    at = next((place for place, step in enumerate(history) if step.state == "active"), None)
    return history[at].began if at is not None and at == len(history) - 1 else None
