"""What is signed for one place counts in no other: a matrix of everything that a key of a card, of staff or of the
service ever signs. The same key signs everything here, which is more than any real key does.
"""

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

import pytest

from cardsvc import cards
from crypto import cose, keys
from crypto.errors import CryptoError, InvalidSignature
from crypto.keys import SoftwareSigner
from crypto.pki import CardSlot
from crypto.wire import action, batch, denylist, login, personalisation, pin_reset, policy, query, receipt
from crypto.wire.action import Action
from crypto.wire.batch import Batch
from crypto.wire.ids import uuid7
from crypto.wire.login import CardBinding, Login
from crypto.wire.personalisation import CardSecret, SecretRequest
from crypto.wire.query import Query, SignedQuery
from crypto.wire.transaction import NO_PREVIOUS, Authorisation, Purpose, Record, verify_authorisation
from crypto.wire.wallets import BalanceQuery, CashTopUp

KEY = SoftwareSigner.from_secret(77)
POINT = keys.point(KEY.public_key)
AT_MS = 1_780_000_000_000
ID, OTHER = uuid7(AT_MS, bytes(10)), UUID(int=9)
NONCE = bytes(range(32))
ORIGIN = "https://card.example.ph"

RECORD = Record.of(
    CashTopUp(5_000, "PHP", OTHER), record_id=ID, terminal_id=OTHER, sequence=1, previous=NO_PREVIOUS, at_ms=AT_MS
).encode()
QUERY = Query.of(BalanceQuery(), query_id=ID, terminal_id=OTHER, nonce=NONCE, at_ms=AT_MS).encode()
ACTION = Action(ID, "staff.roles", {"staff_id": str(OTHER)}, "Give a role", OTHER, AT_MS, AT_MS + 1).encode()
LOGIN = Login.of(ORIGIN, NONCE)
BINDING = CardBinding(OTHER, ID, NONCE, POINT, POINT)
REQUEST = SecretRequest(CardSecret.PUK, OTHER, ID, 1, POINT).encode()
BATCH = cose.parse(batch.sign_batch(Batch(ID, OTHER, AT_MS, 7, (RECORD,)), KEY)).payload or b""


@dataclass(frozen=True)
class Place:
    """Where something signed is taken: what is signed there, under which external data, and who reads it."""

    name: str
    payload: bytes
    aad: bytes
    read: Callable[[bytes], object]
    verify: Callable[[bytes], object]  # given 64 bytes over this place's own payload


def _cose(signature: bytes) -> bytes:
    return cose.assemble(None, signature, kid=keys.key_id(KEY.public_key))


def _authorised(purpose: Purpose, payload: bytes, read: Callable[[bytes], object]) -> Place:
    return Place(
        purpose.name.lower(),
        payload,
        purpose.aad,
        read,
        lambda signature: verify_authorisation(payload, Authorisation(purpose, _cose(signature)), KEY.public_key),
    )


def _read_batch(payload: bytes) -> None:
    batch.open_batch(cose.sign1(payload, KEY, kid=b"k", external_aad=batch.AAD), KEY.public_key)


def _made_anew(statement: bytes) -> Callable[[bytes], object]:
    def read(data: bytes) -> None:
        if data != statement:
            raise InvalidSignature("The statement is made anew by the service, never read.")

    return read


def _statement(name: str, statement: bytes) -> Place:
    """What a card's key signs while it is made and handed over: a statement of its own, in no COSE envelope."""

    return Place(
        name, statement, b"", _made_anew(statement), lambda signature: keys.verify(KEY.public_key, statement, signature)
    )


PLACES = (
    *(_authorised(purpose, RECORD, Record.decode) for purpose in Purpose if purpose is not Purpose.QUERY),
    _authorised(Purpose.QUERY, QUERY, Query.decode),
    Place("action", ACTION, action.AAD, Action.decode,
          lambda signature: action.verify_action(ACTION, _cose(signature), KEY.public_key)),
    Place("login", LOGIN.encode(), login.AAD, Login.decode,
          lambda signature: login.verify_login(LOGIN, signature, KEY.public_key)),
    Place("staff card", BINDING.encode(), login.BINDING_AAD, _made_anew(BINDING.encode()),
          lambda signature: keys.verify(KEY.public_key, BINDING.to_be_signed(), signature)),
    Place("batch", BATCH, batch.AAD, _read_batch,
          lambda signature: batch.open_batch(cose.assemble(BATCH, signature, kid=b"k"), KEY.public_key)),
    Place("card's secret", REQUEST, personalisation.REQUEST_AAD, SecretRequest.decode,
          lambda signature: personalisation.open_request(cose.assemble(REQUEST, signature, kid=b"k"), KEY.public_key)),
    Place("query as sent", SignedQuery(QUERY, ()).encode(), query.AAD, SignedQuery.decode,
          lambda signature: query.open_query(
              cose.assemble(SignedQuery(QUERY, ()).encode(), signature, kid=b"k"), KEY.public_key)),
    _statement("possession", cards.possession_statement(OTHER, CardSlot.AUTHENTICATION, NONCE, POINT)),
    _statement("read back", cards.readback_statement(OTHER, NONCE)),
    _statement("handover", cards.handover_statement(OTHER, NONCE)),
    _statement("pin reset", pin_reset.statement(SecretRequest.decode(REQUEST))),
    _statement("presence at the counter", cards.presence_statement(OTHER, NONCE)),
)  # fmt: skip
PAIRS = list(itertools.permutations(PLACES, 2))


def sign(place: Place, payload: bytes | None = None) -> bytes:
    """What the key makes for this place, over its own payload or another's."""
    data = place.payload if payload is None else payload
    return KEY.sign(cose.to_be_signed(data, external_aad=place.aad) if place.aad else data)


@pytest.mark.parametrize("place", PLACES, ids=lambda place: place.name)
def test_a_signature_counts_where_it_was_made_for(place: Place) -> None:
    place.verify(sign(place))


@pytest.mark.parametrize(("made_for", "used_as"), PAIRS, ids=lambda place: place.name)
def test_a_signature_counts_nowhere_else(made_for: Place, used_as: Place) -> None:
    with pytest.raises(CryptoError):
        used_as.verify(sign(made_for))


@pytest.mark.parametrize(("made_for", "used_as"), PAIRS, ids=lambda place: place.name)
def test_not_even_over_the_bytes_of_the_other_place(made_for: Place, used_as: Place) -> None:
    """Somebody who can have any bytes signed for one place gains nothing in another."""
    if not made_for.aad and not used_as.aad:
        return  # statements name their domain in their bytes, which only the two who know the challenge write
    with pytest.raises(CryptoError):
        used_as.verify(sign(made_for, used_as.payload))


@pytest.mark.parametrize(("written_for", "read_as"), PAIRS, ids=lambda place: place.name)
def test_what_is_written_for_one_place_is_not_read_in_another(written_for: Place, read_as: Place) -> None:
    if written_for.payload == read_as.payload:  # one record, signed for several purposes
        return
    with pytest.raises(CryptoError):
        read_as.read(written_for.payload)


def test_every_external_data_is_its_own() -> None:
    all_of_them = [
        *(purpose.aad for purpose in Purpose), action.AAD, login.AAD, login.BINDING_AAD, batch.AAD, query.AAD,
        personalisation.REQUEST_AAD, receipt.AAD, policy.AAD, denylist.LIST_AAD, denylist.DELTA_AAD,
    ]  # fmt: skip
    assert len(set(all_of_them)) == len(all_of_them)


@pytest.mark.parametrize(
    "origin",
    ["https://card.example.ph/", "https://card.example.ph/x", "HTTPS://card.example.ph", "https://Card.example.ph",
     "https://card.example.ph:443", "http://card.example.ph:80", "ftp://card.example.ph", "card.example.ph", "",
     "https://user@card.example.ph", "https://card.example.ph?x", "https://card.example.ph#x"],
)  # fmt: skip
def test_an_origin_has_one_spelling(origin: str) -> None:
    with pytest.raises(CryptoError):
        Login.of(origin, NONCE)


@pytest.mark.parametrize("origin", ["http://127.0.0.1:8080", "https://[::1]:8443", "https://card.example.ph:8443"])
def test_ports_and_addresses_are_part_of_an_origin(origin: str) -> None:
    assert Login.of(origin, NONCE) != Login.of("https://card.example.ph", NONCE)


@pytest.mark.parametrize("size", [0, 31, 33])
def test_a_nonce_has_256_bits(size: int) -> None:
    with pytest.raises(CryptoError):
        Login.of(ORIGIN, bytes(size))


@pytest.mark.parametrize("data", [RECORD, QUERY, LOGIN.encode(), BINDING.encode(), BATCH, b"", bytes(32)])
def test_a_card_is_asked_to_sign_no_digest_of_what_is_no_action(data: bytes) -> None:
    with pytest.raises(CryptoError):
        action.card_digest(data)
