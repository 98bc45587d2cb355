"""The short way of reading an item says what the long way says, or nothing."""

import dataclasses
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto import cbor, cose
from crypto.errors import CryptoError
from crypto.keys import SoftwareSigner
from crypto.wire import usual
from crypto.wire.ids import uuid7
from crypto.wire.transaction import Authorisation, Purpose, Record, Transaction, authorise, record_hash
from crypto.wire.transit import Tap

SIGNER = SoftwareSigner.from_secret(11)
TERMINAL = uuid7(1, bytes(10))


def item(
    *, at_ms: int = 1_793_577_600_000, sequence: int = 7, purpose: Purpose = Purpose.PRESENCE, stop: str = "ayala"
) -> bytes:
    tap = Tap("bus", stop, "flat", 13_00, "PHP", 1, 1)
    record_id = uuid7(at_ms, random.Random(sequence).randbytes(10))
    record = Record.of(
        tap, record_id=record_id, terminal_id=TERMINAL, sequence=sequence, previous=bytes(32), at_ms=at_ms
    )
    encoded = record.encode()
    return Transaction(encoded, (authorise(encoded, purpose, SIGNER),)).encode()


def long_way(data: bytes) -> usual.Usual:
    transaction = Transaction.decode(data)
    record = Record.decode(transaction.record_bytes)
    [authorisation] = transaction.authorisations
    message = cose.parse(authorisation.cose)
    assert message.payload is None
    return usual.Usual(transaction, record, record_hash(transaction.record_bytes), message)


@given(
    sequence=st.integers(0, 2**63 - 1) | st.sampled_from([0, 23, 24, 255, 256, 65_535, 65_536, 2**32 - 1, 2**32]),
    at_ms=st.integers(2**32, 253_402_300_799_999),
    purpose=st.sampled_from([Purpose.PRESENCE, Purpose.CONSENT, Purpose.STAFF, Purpose.SERVICE]),
    stop=st.text("abcñ", min_size=1, max_size=64),
)
def test_every_usual_item_is_read_the_short_way_as_the_long_one_reads_it(
    sequence: int, at_ms: int, purpose: Purpose, stop: str
) -> None:
    data = item(sequence=sequence, at_ms=at_ms, purpose=purpose, stop=stop)
    assert usual.read(data) == long_way(data)


@given(place=st.integers(0, 10_000), bit=st.integers(0, 7), sequence=st.sampled_from([5, 300, 70_000, 2**40]))
def test_no_changed_bit_makes_the_short_way_say_what_the_long_one_does_not(place: int, bit: int, sequence: int) -> None:
    data = bytearray(item(sequence=sequence))
    data[place % len(data)] ^= 1 << bit
    agrees(bytes(data))


@given(cut=st.integers(0, 400), more=st.binary(max_size=3))
def test_cut_and_lengthened_items_are_no_usual_ones(cut: int, more: bytes) -> None:
    data = item()
    agrees(data[: cut % len(data)] + more)
    agrees(data + more)


def agrees(data: bytes) -> None:
    """What the short way reads, the long way reads too, and the same."""
    read = usual.read(data)
    if read is not None:
        assert read == long_way(data)


def _with(**changes: object) -> bytes:
    """An item whose record has other parts than a record may have."""
    parts = cbor.decode(Transaction.decode(item()).record_bytes)
    assert isinstance(parts, list)
    names = ("domain", "version", "kind", "record_id", "terminal_id", "sequence", "previous", "at_ms", "body")
    made = cbor.encode([changes.get(name, part) for name, part in zip(names, parts, strict=True)])  # type: ignore[misc]
    return Transaction(made, (authorise(made, Purpose.PRESENCE, SIGNER),)).encode()


@pytest.mark.parametrize(
    "data",
    [
        _with(kind=0),
        _with(kind=2**16),
        _with(sequence=2**63),
        _with(version=2),
        _with(domain="city.batch.."[:11]),
        _with(record_id=bytes(16)),
        _with(terminal_id=bytes(15)),
        _with(previous=bytes(31)),
        _with(at_ms=2**60),
        _with(at_ms=5),
        _with(body=[1]),
        _with(body={1: {2: {3: {4: {5: {6: {7: {8: {9: 1}}}}}}}}}),
    ],
)
def test_what_no_record_may_say_is_left_to_the_long_way(data: bytes) -> None:
    assert usual.read(data) is None


def test_two_authorisations_an_enclosed_record_and_another_algorithm_are_left_to_the_long_way() -> None:
    transaction = Transaction.decode(item())
    [one] = transaction.authorisations
    enclosed = Authorisation(one.purpose, cose.sign1(b"x", SIGNER, kid=bytes(16)))
    for authorisations in ((), (one, one), (enclosed,)):
        assert usual.read(dataclasses.replace(transaction, authorisations=authorisations).encode()) is None


def test_a_body_that_is_not_in_its_one_encoding_is_left_to_the_long_way() -> None:
    data = item()
    at = data.index(b"\xa7\x01")
    spoiled = data[:at] + b"\xa7\x02\x65ayala\x01\x63bus" + data[at + 13 :]
    assert len(spoiled) == len(data)
    assert usual.read(spoiled) is None
    with pytest.raises(CryptoError):
        long_way(spoiled)
