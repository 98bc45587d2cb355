"""Version 1 of every message, from a file that never changes."""

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

import cbor2
import pytest

from crypto import cose, keys
from crypto.errors import CryptoError
from crypto.wire import batch, policy, query, receipt
from crypto.wire.benefits import Claim, CycleApproved, EntitlementsQuery
from crypto.wire.body import Body
from crypto.wire.citykeys import CityKeys
from crypto.wire.disputes import DisputeSettled
from crypto.wire.finance import (
    BankDeposit,
    BankTransfer,
    CardPaid,
    CashWithdrawal,
    Funding,
    JournalEntry,
    ShiftClosed,
    ShiftOpened,
    TransferAssigned,
)
from crypto.wire.kinds import Kind
from crypto.wire.query import Query
from crypto.wire.taxes import BillsQuery, TaxPayment
from crypto.wire.transaction import Purpose, Record, Reversal, Transaction, verify_authorisation
from crypto.wire.transit import FareRefunded, PassBought, Tap
from crypto.wire.wallets import (
    AutoTopUp,
    BalanceQuery,
    CashTopUp,
    HoldCaptured,
    HoldPlaced,
    HoldReleased,
    PurseExpired,
    PurseFunded,
)
from tests.testdata import vectors
from tests.vectors import make_wire

FILE = vectors("wire-v1.json").read_text()
CONTENT = json.loads(FILE)
CARD, TERMINAL, SERVICE = (
    keys.load_point(bytes.fromhex(CONTENT["keys"][name])) for name in ("card", "terminal", "service")
)
CITY = CityKeys.parse(CONTENT["city_keys"])


@dataclass(frozen=True)
class Case:
    name: str
    message: str
    error: str | None
    hex: str


CASES = [Case(**case) for case in CONTENT["cases"]]
BODIES: dict[int, type[Body]] = {
    kind.KIND: kind
    for kind in (
        CashTopUp, ShiftOpened, ShiftClosed, Tap, CycleApproved, Claim, TaxPayment, BankDeposit, Funding,
        CashWithdrawal, JournalEntry, Reversal, HoldPlaced, HoldCaptured, HoldReleased, PurseFunded, PurseExpired,
        DisputeSettled, BalanceQuery, EntitlementsQuery, BillsQuery, FareRefunded,
        BankTransfer, TransferAssigned, AutoTopUp, PassBought, CardPaid,
    )
}  # fmt: skip


def read_record(data: bytes) -> None:
    record = Record.decode(data)
    content = BODIES[record.kind].decode(record)
    assert content.to_bytes() == record.body
    assert record.encode() == data


def read_transaction(data: bytes) -> None:
    transaction = Transaction.decode(data)
    for item in transaction.authorisations:
        key = {Purpose.PRESENCE: CARD, Purpose.CONSENT: CARD, Purpose.STAFF: SERVICE}.get(item.purpose)
        assert key or item.kid == keys.key_id(CITY.logs[0].public_key)
        verify_authorisation(transaction.record_bytes, item, key or CITY.logs[0].public_key)
    read_record(transaction.record_bytes)
    assert transaction.encode() == data


def read_batch(data: bytes) -> None:
    opened = batch.open_batch(data, TERMINAL)
    assert opened.terminal_id == batch.peek_terminal(data)
    if opened.items:
        read_transaction(opened.items[0])


def read_query(data: bytes) -> None:
    signed = query.open_query(data, TERMINAL)
    asked = Query.decode(signed.query_bytes)
    assert asked.terminal_id == query.peek_terminal(data)
    for item in signed.authorisations:
        verify_authorisation(signed.query_bytes, item, CARD)
    assert BODIES[asked.kind].decode(asked).to_bytes() == asked.body


def read_receipt(data: bytes) -> None:
    assert receipt.verify_receipt(data, CITY) == receipt.peek_receipt(data)


def read_policy(data: bytes) -> None:
    assert policy.open_policy(data, CITY).city_keys == CITY.format()


READERS: dict[str, Callable[[bytes], None]] = {
    "record": read_record,
    "transaction": read_transaction,
    "batch": read_batch,
    "query": read_query,
    "receipt": read_receipt,
    "policy": read_policy,
}


def outcome(case: Case) -> str | None:
    try:
        READERS[case.message](bytes.fromhex(case.hex))
    except CryptoError as error:
        return error.code
    return None


@pytest.mark.parametrize("case", CASES, ids=lambda case: str(case.name))
def test_each_message_is_read_or_refused_as_ever(case: Case) -> None:
    assert outcome(case) == case.error


def test_there_are_as_many_refusals_as_messages_of_every_kind() -> None:
    read = Counter(case.message for case in CASES if case.error is None)
    refused = Counter(case.message for case in CASES if case.error is not None)
    assert set(read) == set(refused) == set(READERS)
    assert all(refused[message] >= read[message] for message in read)
    assert len({case.name for case in CASES}) == len(CASES) == 172


def test_every_kind_that_is_not_reserved_has_a_vector() -> None:
    assert set(BODIES) == set(Kind) - {Kind.LINE_MATCHED}
    recorded = {Record.decode(bytes.fromhex(c.hex)).kind for c in CASES if c.message == "record" and c.error is None}
    assert recorded == {kind for kind in BODIES if kind < Kind.BALANCE_QUERY}


def test_todays_code_makes_the_same_bytes() -> None:
    assert make_wire.document() == FILE


def test_a_reader_with_plain_libraries_verifies_a_batch_and_what_is_in_it() -> None:
    """cbor2 and cryptography alone, following FORMATS.md: nothing of ours takes part."""
    data = next(bytes.fromhex(case.hex) for case in CASES if case.name.startswith("batch with a bad item"))

    def verified(message: bytes, key: keys.PublicKey, aad: bytes, detached: bytes | None = None) -> bytes:
        tagged = cbor2.loads(message)
        protected, _, payload, signature = tagged.value
        signed = cbor2.dumps(["Signature1", protected, aad, payload if detached is None else detached])
        assert tagged.tag == 18
        key.verify(keys.raw_to_der(signature), signed, keys._SHA256)  # type: ignore[call-arg]
        return bytes(payload if detached is None else detached)

    domain, version, _, terminal_id, _, policy_number, items = cbor2.loads(
        verified(data, TERMINAL, b"city.terminal.v1")
    )
    record_bytes, ((purpose, signature),) = cbor2.loads(items[0])
    verified(signature, CARD, b"city.presence.v1", record_bytes)
    record = cbor2.loads(record_bytes)
    assert (domain, version, policy_number, purpose) == ("city.batch", 1, 7, 1)
    assert record[:3] == ["city.record", 1, 10]
    assert record[4] == terminal_id
    assert record[8] == {1: "makati-loop", 2: "ayala", 3: "flat", 4: 1500, 5: "PHP", 6: 1, 7: 7}
    assert cose.parse(signature).kid == keys.key_id(CARD)
