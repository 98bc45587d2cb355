"""From a batch's bytes to items whose signatures verified: nothing here asks a database or a clock."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import NamedTuple
from uuid import UUID

from cardsvc import access, cards
from cardsvc.transactions.rules.values import CardRef, DeviceRef, Item, PasskeyRef, Rejected, StaffRef
from crypto import cbor, cose
from crypto.errors import CryptoError, InvalidSignature, MalformedMessage
from crypto.keys import PublicKey, algorithm_of, refusal_of
from crypto.pki import CardSlot
from crypto.verifying import Verifier
from crypto.wire import usual as wire_usual
from crypto.wire.body import Body
from crypto.wire.passkey import Assertion, verify_assertion
from crypto.wire.reasons import Reason
from crypto.wire.transaction import Authorisation, Purpose, Record, Transaction, record_hash

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
Signer = cards.CardKey | access.StaffKey | access.PasskeyKey | PublicKey
"""Whose key it is; the service's own needs no name."""
_AADS = {purpose: purpose.aad for purpose in Purpose}
_SLOT = {Purpose.PRESENCE: CardSlot.CARD_AUTH, Purpose.CONSENT: CardSlot.SIGNATURE}


@dataclass(frozen=True, slots=True)
class Received:
    """An item as it arrived; `signed` are its authorisations taken apart (None: a passkey's), `kids` name their keys.
    `record` is None where it could not be read, and `refusal` says why; with a record, `refusal` says that it is
    another terminal's.
    """

    position: int
    data: bytes
    transaction: Transaction | None
    record: Record | None
    record_hash: bytes
    kids: tuple[bytes, ...]
    signed: tuple[cose.Sign1 | None, ...]
    refusal: Rejected | None

    @property
    def item_hash(self) -> bytes:
        return hashlib.sha256(self.data).digest()

    @property
    def record_bytes(self) -> bytes:
        """Of an item that could be read."""
        assert self.transaction is not None
        return self.transaction.record_bytes

    @property
    def authorisations(self) -> bytes:
        """The encoded authorisations of an item that could be read: what stands behind the record."""
        # an array of two (RFC 8949 3.1), and a value has one encoding
        return self.data[1 + len(cbor.byte_string(self.record_bytes)) :]


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


_FOREIGN = Rejected(Reason.WRONG_TERMINAL, "The record names another terminal than the one that signed the batch.")


def _read(position: int, data: bytes, terminal_id: UUID) -> Received:
    usual = wire_usual.read(data)
    if usual is not None:
        transaction, record, digest = usual.transaction, usual.record, usual.record_hash
        kids: tuple[bytes, ...] = (usual.signed.kid,)
        signed: tuple[cose.Sign1 | None, ...] = (usual.signed,)
    else:
        try:
            transaction = Transaction.decode(data)
            record = Record.decode(transaction.record_bytes)
            taken = [_take_apart(authorisation) for authorisation in transaction.authorisations]
        except CryptoError as error:
            return Received(position, data, None, None, b"", (), (), Rejected(Reason.MALFORMED, str(error)))
        digest = record_hash(transaction.record_bytes)
        kids, signed = tuple(kid for kid, _ in taken), tuple(message for _, message in taken)
    refusal = _FOREIGN if record.terminal_id != terminal_id else None
    return Received(position, data, transaction, record, digest, kids, signed, refusal)


def _take_apart(authorisation: Authorisation) -> tuple[bytes, cose.Sign1 | None]:
    if authorisation.purpose is Purpose.PASSKEY:
        return authorisation.kid, None
    message = cose.parse(authorisation.cose)
    if message.payload is not None:
        raise MalformedMessage("A signature encloses what it signs; here it must stand beside it.")
    return message.kid, message


@dataclass(frozen=True, slots=True)
class Claim:
    """An item as its authorisation has it, with the card key that it names. It counts when `signature` is the key's
    over `message`; where `message` is None that is known already.
    """

    item: Item
    card: cards.CardKey | None
    key_id: bytes
    public_key: PublicKey
    message: bytes | None
    signature: bytes


def claim(
    received: Received, *, device: DeviceRef, keys: Keys, purposes: frozenset[Purpose], body: type[Body]
) -> Claim | Rejected:
    """What the item claims, when its body can be read and one of the wanted authorisations is there, of a known key."""
    assert received.transaction is not None
    assert received.record is not None
    record, transaction = received.record, received.transaction
    try:
        content = _decode(body.decode, record.kind, record.body)
    except CryptoError as error:
        return Rejected(Reason.MALFORMED, str(error))
    if received.refusal is not None:
        return received.refusal
    signers = _signers(transaction, received.kids, keys, purposes)
    if isinstance(signers, Rejected):
        return signers
    [signer], [authorisation], [message], [kid] = signers, transaction.authorisations, received.signed, received.kids
    card = signer if isinstance(signer, cards.CardKey) else None
    ref = None if card is None else CardRef(card.card_id, card.resident_id)
    staff = StaffRef(signer.staff_id, frozenset(signer.roles)) if isinstance(signer, access.StaffKey) else None
    happened_at = _EPOCH + timedelta(milliseconds=record.at_ms)
    item = Item(record, content, received.record_hash, device, ref, staff, happened_at)
    claimed = Claim(item, card, kid, _public(signer), None, b"")
    if message is None:
        return _by_passkey(claimed, transaction.record_bytes, authorisation, signer)
    if message.algorithm is not algorithm_of(claimed.public_key):
        return Rejected(Reason.INVALID_SIGNATURE, cose.OTHER_ALGORITHM)
    aad = _AADS[authorisation.purpose]
    signed = cose.to_be_signed(transaction.record_bytes, external_aad=aad, algorithm=message.algorithm)
    return Claim(item, card, kid, claimed.public_key, signed, message.signature)


def _by_passkey(claimed: Claim, record_bytes: bytes, authorisation: Authorisation, signer: Signer) -> Claim | Rejected:
    assert isinstance(signer, access.PasskeyKey)
    try:
        verify_assertion(record_bytes, authorisation.cose, signer.public_key, origin=signer.origin)
    except InvalidSignature as error:
        return Rejected(Reason.INVALID_SIGNATURE, str(error))
    except CryptoError as error:
        return Rejected(Reason.MALFORMED, str(error))
    counter = Assertion.decode(authorisation.cose).counter
    passkey = PasskeyRef(signer.key_id, signer.resident_id, counter)
    return replace(claimed, item=replace(claimed.item, passkey=passkey))


class _Content(NamedTuple):
    kind: int
    body: bytes


@lru_cache(maxsize=4096)
def _decode(body: Callable[[_Content], Body], kind: int, content: bytes) -> Body:
    """The body as a value. A gate's taps say the same all day, so each is read once; values never change."""
    return body(_Content(kind, content))


def verify(claims: Sequence[Claim], verifier: Verifier) -> list[Rejected | None]:
    """Which of the claims do not stand, each where its claim is."""
    open_ = [place for place, one in enumerate(claims) if one.message is not None]
    verdicts = verifier.verdicts(
        [claims[place].public_key for place in open_],
        [claims[place].message or b"" for place in open_],
        [claims[place].signature for place in open_],
    )
    refused: list[Rejected | None] = [None] * len(claims)
    for place, verdict in zip(open_, verdicts, strict=True):
        if not verdict:
            refused[place] = Rejected(
                Reason.INVALID_SIGNATURE, str(refusal_of(claims[place].public_key, claims[place].signature))
            )
    return refused


def now_standing(
    claimed: Claim,
    keys: Mapping[bytes, cards.CardKey],
    staff: Mapping[bytes, access.StaffKey],
    passkeys: Mapping[bytes, access.PasskeyKey],
) -> Claim | Rejected:
    """The claim, where its key is still somebody's; a member of staff with the roles of now. What became of a card
    is in `keys`.
    """
    if claimed.card is not None:
        return claimed if claimed.key_id in keys else _gone("card")
    if claimed.item.staff is not None:
        member = staff.get(claimed.key_id)
        if member is None:
            return _gone("staff")
        return replace(claimed, item=replace(claimed.item, staff=StaffRef(member.staff_id, frozenset(member.roles))))
    if claimed.item.passkey is not None and claimed.key_id not in passkeys:
        return _gone("passkey")
    return claimed


def _gone(name: str) -> Rejected:
    return Rejected(Reason.UNKNOWN_KEY, f"The {name} key is not one of this city's, or not for this use.")


def _signers(
    transaction: Transaction, kids: Sequence[bytes], keys: Keys, purposes: frozenset[Purpose]
) -> list[Signer] | Rejected:
    """Whose keys the authorisations name, one each, when they are all there and of one card."""
    if len(kids) == 1 and (purpose := transaction.authorisations[0].purpose) in purposes:
        only = _find(purpose, kids[0], keys)
        if only is not None:
            return [only]
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
