"""From a batch's bytes to items whose signatures verified: nothing here asks a database or a clock."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from cardsvc import access, cards
from cardsvc.transactions.rules.values import CardRef, DeviceRef, Item, PasskeyRef, Rejected, StaffRef
from crypto import cose
from crypto.errors import CryptoError, InvalidSignature, MalformedMessage
from crypto.keys import PublicKey
from crypto.pki import CardSlot
from crypto.wire.body import Body
from crypto.wire.passkey import Assertion, verify_assertion
from crypto.wire.reasons import Reason
from crypto.wire.transaction import Authorisation, Purpose, Record, Transaction, record_hash, verify_authorisation

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
Signer = cards.CardKey | access.StaffKey | access.PasskeyKey | PublicKey
"""Whose key it is; the service's own needs no name."""
_SLOT = {Purpose.PRESENCE: CardSlot.CARD_AUTH, Purpose.CONSENT: CardSlot.SIGNATURE}


@dataclass(frozen=True, slots=True)
class Received:
    """An item as it arrived; `kids` name the keys of its authorisations. `record` is None where it could not be read,
    and `refusal` says why; with a record, `refusal` says that it is another terminal's.
    """

    position: int
    item_hash: bytes
    transaction: Transaction | None
    record: Record | None
    record_hash: bytes
    kids: tuple[bytes, ...]
    refusal: Rejected | None


@dataclass(frozen=True, slots=True)
class Keys:
    """The public keys that the batch's key ids name, as far as the city knows them."""

    cards: Mapping[bytes, cards.CardKey]
    staff: Mapping[bytes, access.StaffKey]
    service: Mapping[bytes, PublicKey]
    passkeys: Mapping[bytes, access.PasskeyKey]


def read(items: Sequence[bytes], terminal_id: UUID) -> list[Received]:
    """Take every item apart; one that cannot be read spoils only itself."""
    return [_read(position, data, terminal_id) for position, data in enumerate(items)]


def _read(position: int, data: bytes, terminal_id: UUID) -> Received:
    item_hash = hashlib.sha256(data).digest()
    try:
        transaction = Transaction.decode(data)
        record = Record.decode(transaction.record_bytes)
        kids = tuple(_kid(authorisation) for authorisation in transaction.authorisations)
    except CryptoError as error:
        return Received(position, item_hash, None, None, b"", (), Rejected(Reason.MALFORMED, str(error)))
    refusal = None
    if record.terminal_id != terminal_id:
        refusal = Rejected(
            Reason.WRONG_TERMINAL, "The record names another terminal than the one that signed the batch."
        )
    return Received(position, item_hash, transaction, record, record_hash(transaction.record_bytes), kids, refusal)


def _kid(authorisation: Authorisation) -> bytes:
    if authorisation.purpose is Purpose.PASSKEY:
        return authorisation.kid
    message = cose.parse(authorisation.cose)
    if message.payload is not None:
        raise MalformedMessage("A signature encloses what it signs; here it must stand beside it.")
    return message.kid


def authenticate(
    received: Received, *, device: DeviceRef, keys: Keys, purposes: frozenset[Purpose], body: type[Body]
) -> tuple[Item, cards.CardKey | None] | Rejected:
    """The item, with the card key that signed it, when one of the wanted authorisations is there and verifies."""
    assert received.transaction is not None
    assert received.record is not None
    try:
        content = body.decode(received.record)
    except CryptoError as error:
        return Rejected(Reason.MALFORMED, str(error))
    if received.refusal is not None:
        return received.refusal
    signers = _signers(received.transaction, received.kids, keys, purposes)
    if isinstance(signers, Rejected):
        return signers
    for authorisation, signer in zip(received.transaction.authorisations, signers, strict=True):
        try:
            _verify(received.transaction.record_bytes, authorisation, signer)
        except InvalidSignature as error:
            return Rejected(Reason.INVALID_SIGNATURE, str(error))
        except CryptoError as error:
            return Rejected(Reason.MALFORMED, str(error))
    card = next((signer for signer in signers if isinstance(signer, cards.CardKey)), None)
    member = next((signer for signer in signers if isinstance(signer, access.StaffKey)), None)
    happened_at = _EPOCH + timedelta(milliseconds=received.record.at_ms)
    ref = None if card is None else CardRef(card.card_id, card.resident_id)
    staff = None if member is None else StaffRef(member.staff_id, frozenset(member.roles))
    passkey = _passkey(received.transaction, signers)
    return Item(received.record, content, received.record_hash, device, ref, staff, happened_at, passkey), card


def _verify(record_bytes: bytes, authorisation: Authorisation, signer: Signer) -> None:
    if isinstance(signer, access.PasskeyKey):
        verify_assertion(record_bytes, authorisation.cose, signer.public_key, origin=signer.origin)
    else:
        verify_authorisation(record_bytes, authorisation, _public(signer))


def _passkey(transaction: Transaction, signers: Sequence[Signer]) -> PasskeyRef | None:
    for authorisation, signer in zip(transaction.authorisations, signers, strict=True):
        if isinstance(signer, access.PasskeyKey):
            counter = Assertion.decode(authorisation.cose).counter
            return PasskeyRef(signer.key_id, signer.resident_id, counter)
    return None


def _signers(
    transaction: Transaction, kids: Sequence[bytes], keys: Keys, purposes: frozenset[Purpose]
) -> list[Signer] | Rejected:
    """Whose keys the authorisations name, one each, when they are all there and of one card."""
    signers: list[Signer] = []
    cards_met: set[UUID] = set()
    for authorisation, kid in zip(transaction.authorisations, kids, strict=True):
        found = _find(authorisation.purpose, kid, keys)
        if isinstance(found, cards.CardKey):
            cards_met.add(found.card_id)
        if found is None or len(cards_met) > 1:
            name = authorisation.purpose.name.lower()
            return Rejected(Reason.UNKNOWN_KEY, f"The {name} key is not one of this city's, or not for this use.")
        signers.append(found)
    given = [authorisation.purpose for authorisation in transaction.authorisations]
    if len(given) != 1 or given[0] not in purposes:
        wanted = " or ".join(sorted(p.name.lower() for p in purposes))
        return Rejected(Reason.MISSING_AUTHORISATION, f"This kind of record needs exactly one signature: {wanted}.")
    return signers


def _find(purpose: Purpose, kid: bytes, keys: Keys) -> Signer | None:
    """The key its id names, if it may sign for that purpose: a 9E key never consents, a staff key is no card."""
    if purpose in _SLOT:
        card = keys.cards.get(kid)
        return card if card is not None and card.slot == _SLOT[purpose] else None
    if purpose is Purpose.STAFF:
        return keys.staff.get(kid)
    if purpose is Purpose.SERVICE:
        return keys.service.get(kid)
    if purpose is Purpose.PASSKEY:
        return keys.passkeys.get(kid)
    return None


def _public(found: Signer) -> PublicKey:
    return found.public_key if isinstance(found, cards.CardKey | access.StaffKey | access.PasskeyKey) else found
