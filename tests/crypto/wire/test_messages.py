from dataclasses import replace
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto import cbor, keys
from crypto.errors import CryptoError, InvalidSignature, MalformedMessage
from crypto.keys import SoftwareSigner
from crypto.wire import batch, query
from crypto.wire.batch import Batch
from crypto.wire.ids import unix_ms, uuid7
from crypto.wire.query import Query, SignedQuery
from crypto.wire.reasons import Reason
from crypto.wire.transaction import (
    NO_PREVIOUS,
    RECORD_PURPOSES,
    Purpose,
    Record,
    Transaction,
    authorisation_from_card,
    authorise,
    card_digest,
    verify_authorisation,
)
from crypto.wire.transit import Tap
from crypto.wire.wallets import BalanceQuery, CashTopUp

CARD, TERMINAL = SoftwareSigner.from_secret(1), SoftwareSigner.from_secret(2)
TERMINAL_ID = UUID("018f3c5e-7c00-7abc-8def-0123456789ab")
TAP = Tap("loop", "ayala", "flat", 1_500, "PHP", 1, 1)

times = st.integers(0, 253_402_300_799_999)
ids = st.builds(uuid7, st.integers(0, 2**48 - 1), st.binary(min_size=10, max_size=10))
names = st.text(st.characters(categories=["L", "N", "P"]), min_size=1, max_size=64)
numbers = st.integers(0, 2**63 - 1)
taps = st.builds(
    Tap, names, names, st.sampled_from(["in", "flat", "out"]), st.integers(0, 10**15), st.just("PHP"), numbers, numbers
)
records = st.builds(
    Record.of,
    taps,
    record_id=ids,
    terminal_id=st.uuids(),
    sequence=numbers,
    previous=st.binary(min_size=32, max_size=32),
    at_ms=times,
)


def record(*, sequence: int = 1) -> Record:
    return Record.of(
        TAP,
        record_id=uuid7(1_780_000_000_000, bytes(10)),
        terminal_id=TERMINAL_ID,
        sequence=sequence,
        previous=NO_PREVIOUS,
        at_ms=1_780_000_000_000,
    )


@given(records)
def test_a_record_comes_back_as_it_was(item: Record) -> None:
    data = item.encode()
    assert Record.decode(data) == item
    assert Tap.decode(item).to_bytes() == item.body


@given(records, records)
def test_two_records_never_share_bytes_or_hash(first: Record, second: Record) -> None:
    assert (first == second) == (first.encode() == second.encode()) == (first.hash() == second.hash())


@given(records, st.data())
def test_a_changed_record_is_refused_or_another_record(item: Record, data: st.DataObject) -> None:
    changed = bytearray(item.encode())
    changed[data.draw(st.integers(0, len(changed) - 1))] ^= data.draw(st.integers(1, 255))
    try:
        other = Record.decode(bytes(changed))
        Tap.decode(other)
    except CryptoError:
        return
    assert other != item
    assert other.encode() == bytes(changed)


@given(st.binary(max_size=200))
def test_garbage_is_refused_and_never_crashes(data: bytes) -> None:
    for read in (Record.decode, Transaction.decode, Query.decode, SignedQuery.decode, batch.peek_terminal):
        with pytest.raises(CryptoError):
            read(data)


def test_a_signature_counts_for_its_purpose_and_record_alone() -> None:
    """The matrix: each purpose refused in each other place."""
    data = record().encode()
    for purpose in RECORD_PURPOSES | {Purpose.QUERY}:
        authorisation = authorise(data, purpose, CARD)
        assert verify_authorisation(data, authorisation, CARD.public_key) == data
        for other in set(Purpose) - {purpose}:
            with pytest.raises(InvalidSignature):
                verify_authorisation(data, replace(authorisation, purpose=other), CARD.public_key)
        with pytest.raises(InvalidSignature):
            verify_authorisation(record(sequence=2).encode(), authorisation, CARD.public_key)
        with pytest.raises(InvalidSignature):
            verify_authorisation(data, authorisation, TERMINAL.public_key)


def test_purposes_have_external_data_of_their_own() -> None:
    aads = [purpose.aad for purpose in Purpose] + [batch.AAD, query.AAD]
    assert len(set(aads)) == len(aads)
    assert Purpose.PRESENCE.aad == b"city.presence.v1"


def test_a_card_signs_a_digest_and_the_terminal_makes_the_authorisation() -> None:
    data = record().encode()
    digest = card_digest(data, Purpose.PRESENCE)
    # what a card does: it signs 32 bytes without knowing what they are
    der = CARD._private_key.sign(digest, keys._PREHASHED)
    raw = keys.normalise(keys.der_to_raw(der))
    authorisation = authorisation_from_card(data, Purpose.PRESENCE, CARD.public_key, raw)
    assert authorisation.kid == keys.key_id(CARD.public_key)
    assert verify_authorisation(data, authorisation, CARD.public_key) == data
    with pytest.raises(InvalidSignature):
        authorisation_from_card(data, Purpose.CONSENT, CARD.public_key, raw)
    with pytest.raises(InvalidSignature):
        authorisation_from_card(data, Purpose.PRESENCE, TERMINAL.public_key, raw)


def test_one_bad_item_does_not_spoil_a_batch() -> None:
    data = record().encode()
    good = Transaction(data, (authorise(data, Purpose.PRESENCE, CARD),)).encode()
    sent = Batch(uuid7(1, bytes(10)), TERMINAL_ID, 1, 1, (good, b"garbage", b"", good[:-1]))
    opened = batch.open_batch(batch.sign_batch(sent, TERMINAL), TERMINAL.public_key)
    assert opened == sent
    assert Transaction.decode(opened.items[0]).record_bytes == data
    for item in opened.items[1:]:
        with pytest.raises(MalformedMessage):
            Transaction.decode(item)


def test_a_full_batch_fits_and_one_item_more_does_not() -> None:
    data = record().encode()
    item = Transaction(data, (authorise(data, Purpose.PRESENCE, CARD),)).encode()
    sent = Batch(uuid7(1, bytes(10)), TERMINAL_ID, 1, 1, (item,) * batch.ITEMS_MAX)
    assert batch.open_batch(batch.sign_batch(sent, TERMINAL), TERMINAL.public_key) == sent
    with pytest.raises(MalformedMessage, match="at most 4096 items"):
        replace(sent, items=(item,) * (batch.ITEMS_MAX + 1))
    with pytest.raises(MalformedMessage, match="bytes"):
        batch.sign_batch(replace(sent, items=(bytes(batch.BYTES_MAX),)), TERMINAL)
    with pytest.raises(MalformedMessage, match="bytes"):
        batch.open_batch(bytes(batch.BYTES_MAX + 1), TERMINAL.public_key)


def test_a_forged_terminal_is_found_out() -> None:
    forged = batch.sign_batch(Batch(uuid7(1, bytes(10)), TERMINAL_ID, 1, 1, ()), CARD)
    assert batch.peek_terminal(forged) == TERMINAL_ID  # it says so
    with pytest.raises(InvalidSignature):
        batch.open_batch(forged, TERMINAL.public_key)


def test_a_query_is_never_a_record_nor_a_record_a_query() -> None:
    made = Query.of(BalanceQuery(), query_id=uuid7(1, bytes(10)), terminal_id=TERMINAL_ID, nonce=bytes(32), at_ms=1)
    with pytest.raises(MalformedMessage, match=r"is not a city\.record"):
        Record.decode(made.encode())
    with pytest.raises(MalformedMessage, match=r"is not a city\.query"):
        Query.decode(record().encode())
    signed = SignedQuery(made.encode(), (authorise(made.encode(), Purpose.QUERY, CARD),))
    with pytest.raises(MalformedMessage):
        Transaction.decode(signed.encode())
    assert query.open_query(query.sign_query(signed, TERMINAL), TERMINAL.public_key) == signed


def test_a_body_is_read_only_as_its_own_kind() -> None:
    with pytest.raises(MalformedMessage, match="is no CashTopUp"):
        CashTopUp.decode(record())
    with pytest.raises(MalformedMessage):
        Tap.decode(replace(record(), kind=1))


def test_a_value_that_could_not_be_read_back_cannot_be_made() -> None:
    with pytest.raises(MalformedMessage, match="amount_cents: must be a whole number from 1"):
        CashTopUp(0, "PHP", TERMINAL_ID)
    with pytest.raises(MalformedMessage, match="currency"):
        CashTopUp(1, "peso", TERMINAL_ID)
    with pytest.raises(MalformedMessage, match="shift_id"):
        CashTopUp(1, "PHP", str(TERMINAL_ID))  # type: ignore[arg-type]
    with pytest.raises(MalformedMessage):
        record(sequence=-1)
    with pytest.raises(MalformedMessage, match="body"):
        replace(record(), body=bytes(10_000)).encode()
    with pytest.raises(MalformedMessage, match="map"):
        replace(record(), body=cbor.encode([1])).encode()


def test_a_record_chain_hangs_together_by_hashes() -> None:
    first = record()
    second = replace(record(sequence=2), previous=first.hash())
    assert Record.decode(second.encode()).previous == first.hash()


@given(st.integers(0, 2**48 - 1), st.binary(min_size=10, max_size=10))
def test_an_id_is_a_uuid_of_version_7_that_tells_its_time(at_ms: int, random_bytes: bytes) -> None:
    made = uuid7(at_ms, random_bytes)
    assert (made.version, made.variant) == (7, "specified in RFC 4122")
    assert unix_ms(made) == at_ms


def test_ids_of_the_standards_example() -> None:
    # RFC 9562 A.6
    random_bytes = (0x0CC3 << 64 | 0x18C4DC0C0C07398F).to_bytes(10, "big")
    assert uuid7(0x017F22E279B0, random_bytes) == UUID("017F22E2-79B0-7CC3-98C4-DC0C0C07398F")


@pytest.mark.parametrize(("at_ms", "size"), [(-1, 10), (2**48, 10), (0, 9), (0, 11)])
def test_an_id_needs_a_time_of_48_bits_and_ten_bytes(at_ms: int, size: int) -> None:
    with pytest.raises(ValueError, match=r"48 bits|10 random bytes"):
        uuid7(at_ms, bytes(size))


def test_reasons_keep_their_words_and_their_precedence() -> None:
    assert ", ".join(Reason) == (
        "malformed, unknown_kind, wrong_terminal, record_id_conflict, unknown_key, missing_authorisation, "
        "invalid_signature, card_not_active, too_old, from_the_future, not_permitted, unknown_wallet, "
        "unknown_reference, wrong_amount, already_done, account_closed, period_closed, balance_asserted, "
        "hold_ended, hold_exceeded, purse_expired, insufficient_funds"
    )
