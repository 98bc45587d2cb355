"""Deny lists and deltas: vectors that never change, and what must hold of every list."""

import hashlib
import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import cbor2
import pytest
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from hypothesis import given
from hypothesis import strategies as st

from crypto import keys
from crypto.errors import CryptoError, MalformedMessage
from crypto.wire import denylist, policy
from crypto.wire.citykeys import CityKeys
from crypto.wire.denylist import ENTRIES_MAX, DeltaDoesNotFit, DenyDelta, DenyList, content_hash, pack, unpack
from tests.testdata import vectors
from tests.vectors import make_denylist
from tests.vectors.make_wire import SERVICE

FILE = vectors("denylist-v1.json").read_text()
CONTENT = json.loads(FILE)
CITY = CityKeys.parse(CONTENT["city_keys"])
LIST_BEFORE = "e5805a56f6d04a7144abceb5a6be7b48dc9cfcf0adf35293eb78f61cf03ee788"
BASE_HASH_BEFORE = "372a4fc5cc0c566e280a692d113b10c01248c2374d7a60dc72f4acf902e565e7"


@dataclass(frozen=True)
class Case:
    name: str
    message: str
    error: str | None
    hex: str


CASES = [Case(**case) for case in CONTENT["cases"]]


def read_list(data: bytes) -> None:
    opened = denylist.open_list(data, CITY)
    assert all(opened.denies_card(UUID(bytes=entry)) for entry in unpack(opened.cards))
    assert all(map(opened.denies_key, unpack(opened.keys)))
    assert all(opened.owes(UUID(bytes=entry)) for entry in unpack(opened.owing))


def read_delta(data: bytes) -> None:
    delta = denylist.open_delta(data, CITY)
    newer = delta.apply(make_denylist.BASE)
    assert newer.hash() == delta.result_hash


def read_policy(data: bytes) -> None:
    assert policy.open_policy(data, CITY).deny_number == 9


READERS: dict[str, Callable[[bytes], None]] = {"list": read_list, "delta": read_delta, "policy": read_policy}


@pytest.mark.parametrize("case", CASES, ids=lambda case: str(case.name))
def test_each_message_is_read_or_refused_as_ever(case: Case) -> None:
    try:
        READERS[case.message](bytes.fromhex(case.hex))
        outcome = None
    except CryptoError as error:
        outcome = error.code
    assert outcome == case.error


def test_there_are_as_many_refusals_as_messages_of_every_kind() -> None:
    read = Counter(case.message for case in CASES if case.error is None)
    refused = Counter(case.message for case in CASES if case.error is not None)
    assert set(read) == set(refused) == set(READERS)
    assert all(refused[message] >= read[message] for message in read)
    assert len({case.name for case in CASES}) == len(CASES) == 67


def test_todays_code_makes_the_same_bytes() -> None:
    assert make_denylist.document() == FILE


def test_what_was_published_before_there_were_cards_that_owe_is_read_as_it_was() -> None:
    """No hash and no byte of a list on which nobody owes a fare is another one than before."""
    found = {case.name: case.hex for case in CASES}
    assert hashlib.sha256(found["list of cards and keys"].encode()).hexdigest() == LIST_BEFORE
    assert CONTENT["base"]["hash"] == BASE_HASH_BEFORE
    assert denylist.open_list(bytes.fromhex(found["list of cards and keys"]), CITY).owing == b""


def test_a_reader_with_plain_libraries_follows_a_delta() -> None:
    """cbor2 and cryptography alone, following FORMATS.md: nothing of ours takes part."""
    found = {case.name: bytes.fromhex(case.hex) for case in CASES}
    key = keys.load_point(bytes.fromhex(CONTENT["keys"]["service"]))

    def verified(name: str, aad: bytes) -> dict[int, Any]:
        tagged = cbor2.loads(found[name])
        protected, _, payload, signature = tagged.value
        signed = cbor2.dumps(["Signature1", protected, aad, payload])
        assert isinstance(key, EllipticCurvePublicKey)
        key.verify(keys.raw_to_der(signature), signed, keys._SHA256)
        _, version, content = cbor2.loads(payload)
        assert version == 1
        return dict(content)

    base = verified("list of cards and keys", b"city.denylist.v1")
    delta = verified("delta with every change", b"city.denydelta.v1")
    newer = verified("list that two people signed for", b"city.denylist.v1")
    for packed, added, removed in ((3, 6, 7), (4, 8, 9)):
        before, plus, minus, after = base[packed], delta[added], delta[removed], newer[packed]
        entries = (set(unpack(before)) - set(unpack(minus))) | set(unpack(plus))
        assert b"".join(sorted(entries)) == after
    assert delta[5] == newer[2]


# ------------------------------------------------------------------------------------------------------ every list


ENTRY = st.integers(0, 40).map(lambda number: number.to_bytes(16, "big"))
ENTRIES = st.frozensets(ENTRY)


def delta_between(older: DenyList, newer: DenyList) -> DenyDelta:
    def parts(before: bytes, after: bytes) -> tuple[bytes, bytes]:
        old, new = set(unpack(before)), set(unpack(after))
        return pack(new - old), pack(old - new)

    added_cards, removed_cards = parts(older.cards, newer.cards)
    added_keys, removed_keys = parts(older.keys, newer.keys)
    added_owing, removed_owing = parts(older.owing, newer.owing)
    return DenyDelta(
        base_number=older.number,
        base_hash=older.hash(),
        number=newer.number,
        result_hash=newer.hash(),
        issued_at_ms=newer.issued_at_ms,
        added_cards=added_cards,
        removed_cards=removed_cards,
        added_keys=added_keys,
        removed_keys=removed_keys,
        added_owing=added_owing,
        removed_owing=removed_owing,
    )


PARTS = st.tuples(ENTRIES, ENTRIES, ENTRIES)


def list_of(number: int, parts: tuple[frozenset[bytes], frozenset[bytes], frozenset[bytes]]) -> DenyList:
    cards, key_ids, owing = map(pack, parts)
    return DenyList(number, number * 1_000, cards, key_ids, owing=owing)


@given(PARTS, PARTS)
def test_a_delta_leads_from_any_list_to_any_other(
    before: tuple[frozenset[bytes], frozenset[bytes], frozenset[bytes]],
    after: tuple[frozenset[bytes], frozenset[bytes], frozenset[bytes]],
) -> None:
    older, newer = list_of(3, before), list_of(5, after)
    assert denylist.open_list(denylist.sign_list(newer, SERVICE), CITY) == newer
    assert delta_between(older, newer).apply(older) == newer


@given(ENTRIES, ENTRIES, ENTRIES)
def test_a_delta_fits_its_own_base_alone(
    cards: frozenset[bytes], cards_then: frozenset[bytes], other: frozenset[bytes]
) -> None:
    older, newer = DenyList(3, 1_000, pack(cards), b""), DenyList(4, 2_000, pack(cards_then), b"")
    elsewhere = DenyList(3, 1_000, pack(other), b"")
    if elsewhere != older:
        with pytest.raises(DeltaDoesNotFit):
            delta_between(older, newer).apply(elsewhere)
    with pytest.raises(DeltaDoesNotFit):
        delta_between(older, newer).apply(newer)


@given(ENTRIES, ENTRY)
def test_what_is_on_the_list_is_denied_and_nothing_else(entries: frozenset[bytes], asked: bytes) -> None:
    held = DenyList(1, 0, pack(entries), pack(entries), owing=pack(entries))
    assert held.denies_card(UUID(bytes=asked)) == (asked in entries)
    assert held.denies_key(asked) == (asked in entries)
    assert held.owes(UUID(bytes=asked)) == (asked in entries)
    assert not held.denies_key(asked[:-1])
    assert not held.denies_key(b"\xff" * 16)
    assert not held.denies_key(bytes(15))


def test_a_card_that_owes_is_not_denied() -> None:
    held = DenyList(1, 0, bytes(16), b"", owing=(1).to_bytes(16, "big"))
    assert (held.denies_card(UUID(int=1)), held.owes(UUID(int=1)), held.owes(UUID(int=0))) == (False, True, False)


def test_the_number_is_part_of_the_hash() -> None:
    assert content_hash(1, b"", b"") != content_hash(2, b"", b"")
    one = bytes(16)
    assert len({content_hash(1, one, b""), content_hash(1, b"", one), content_hash(1, b"", b"", one)}) == 3


def test_a_list_has_an_end() -> None:
    full = b"".join(number.to_bytes(16, "big") for number in range(ENTRIES_MAX))
    signed = denylist.sign_list(DenyList(1, 0, full, b""), SERVICE)
    assert denylist.open_list(signed, CITY).denies_card(UUID(int=ENTRIES_MAX - 1))
    with pytest.raises(MalformedMessage, match="at most"):
        DenyList(1, 0, full, bytes(16))
    with pytest.raises(MalformedMessage, match="at most"):
        DenyList(1, 0, full, b"", owing=bytes(16))
    with pytest.raises(MalformedMessage, match="at most"):
        DenyList(1, 0, full + ENTRIES_MAX.to_bytes(16, "big"), b"")
