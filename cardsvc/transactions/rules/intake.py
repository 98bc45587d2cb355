"""From a batch's bytes to items whose signatures verified: nothing here asks a database or a clock."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from cardsvc import access, cards
from cardsvc.transactions.rules.values import CardRef, DeviceRef, Item, Rejected, StaffRef
from crypto.errors import CryptoError, InvalidSignature
from crypto.keys import PublicKey
from crypto.pki import CardSlot
from crypto.wire.body import Body
from crypto.wire.reasons import Reason
from crypto.wire.transaction import Authorisation, Purpose, Record, Transaction, record_hash, verify_authorisation

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SLOT = {Purpose.PRESENCE: CardSlot.CARD_AUTH, Purpose.CONSENT: CardSlot.SIGNATURE}


@dataclass(frozen=True, slots=True)
class Received:
    """An item as it arrived. `record` is None where it could not be read; `refusal` then says why."""

    position: int
    item_hash: bytes
    transaction: Transaction | None
    record: Record | None
    record_hash: bytes
    refusal: Rejected | None


@dataclass(frozen=True, slots=True)
class Keys:
    """The public keys that the batch's key ids name, as far as the city knows them."""

    cards: Mapping[bytes, cards.CardKey]
    staff: Mapping[bytes, access.StaffKey]
    service: Mapping[bytes, PublicKey]


def read(items: Sequence[bytes], terminal_id: UUID) -> list[Received]:
    """Take every item apart; one that cannot be read spoils only itself."""
    return [_read(position, data, terminal_id) for position, data in enumerate(items)]


def _read(position: int, data: bytes, terminal_id: UUID) -> Received:
    item_hash = hashlib.sha256(data).digest()
    try:
        transaction = Transaction.decode(data)
        record = Record.decode(transaction.record_bytes)
        for authorisation in transaction.authorisations:
            _ = authorisation.kid
    except CryptoError as error:
        return Received(position, item_hash, None, None, b"", Rejected(Reason.MALFORMED, str(error)))
    refusal = None
    if record.terminal_id != terminal_id:
        refusal = Rejected(
            Reason.WRONG_TERMINAL, "The record names another terminal than the one that signed the batch."
        )
    return Received(position, item_hash, transaction, record, record_hash(transaction.record_bytes), refusal)


def authenticate(
    received: Received, *, device: DeviceRef, keys: Keys, purposes: frozenset[Purpose], body: type[Body]
) -> tuple[Item, cards.CardKey | None] | Rejected:
    """The item, with the card key that signed it, when exactly the wanted authorisations are there and verify."""
    assert received.transaction is not None
    assert received.record is not None
    given = received.transaction.authorisations
    if len(given) != len(purposes) or {a.purpose for a in given} != purposes:
        wanted = ", ".join(sorted(p.name.lower() for p in purposes))
        return Rejected(Reason.MISSING_AUTHORISATION, f"This kind of record needs exactly these signatures: {wanted}.")
    card: cards.CardKey | None = None
    staff: StaffRef | None = None
    for authorisation in given:
        found = _find(authorisation, keys)
        if found is None or _of_another_card(found, card):
            name = authorisation.purpose.name.lower()
            return Rejected(Reason.UNKNOWN_KEY, f"The {name} key is not one of this city's.")
        try:
            verify_authorisation(received.transaction.record_bytes, authorisation, _public(found))
        except InvalidSignature as error:
            return Rejected(Reason.INVALID_SIGNATURE, str(error))
        except CryptoError as error:
            return Rejected(Reason.MALFORMED, str(error))
        if isinstance(found, cards.CardKey):
            card = found
        elif isinstance(found, access.StaffKey):
            staff = StaffRef(found.staff_id, frozenset(found.roles))
    try:
        content = body.decode(received.record)
    except CryptoError as error:
        return Rejected(Reason.MALFORMED, str(error))
    happened_at = _EPOCH + timedelta(milliseconds=received.record.at_ms)
    ref = None if card is None else CardRef(card.card_id, card.resident_id)
    return Item(received.record, content, received.record_hash, device, ref, staff, happened_at), card


def _of_another_card(found: cards.CardKey | access.StaffKey | PublicKey, card: cards.CardKey | None) -> bool:
    return isinstance(found, cards.CardKey) and card is not None and card.card_id != found.card_id


def _find(authorisation: Authorisation, keys: Keys) -> cards.CardKey | access.StaffKey | PublicKey | None:
    """The key its id names, if it may sign for that purpose: a 9E key never consents, a staff key is no card."""
    if authorisation.purpose in _SLOT:
        card = keys.cards.get(authorisation.kid)
        return card if card is not None and card.slot == _SLOT[authorisation.purpose] else None
    if authorisation.purpose is Purpose.STAFF:
        return keys.staff.get(authorisation.kid)
    if authorisation.purpose is Purpose.SERVICE:
        return keys.service.get(authorisation.kid)
    return None


def _public(found: cards.CardKey | access.StaffKey | PublicKey) -> PublicKey:
    return found.public_key if isinstance(found, cards.CardKey | access.StaffKey) else found
