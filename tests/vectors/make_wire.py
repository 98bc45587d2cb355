"""Makes wire-v1.json: for every message of version 1 what must always be read, and as many that must always be refused.

Run `python -m tests.vectors.make_wire` only to add cases; a case that was published never changes. Invalid messages are
put together with cbor2 and signed where a signature is not the fault, so that exactly one thing is wrong.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

import cbor2

from crypto import cose, keys, tlog
from crypto.keys import Ed25519Signer, SoftwareSigner
from crypto.tlog import Checkpoint, NoteSigner, Tree
from crypto.wire import batch, policy, query, receipt
from crypto.wire.batch import Batch
from crypto.wire.body import Body
from crypto.wire.citykeys import CityKeys
from crypto.wire.finance import BankTransfer, CardPaid, TransferAssigned
from crypto.wire.ids import uuid7
from crypto.wire.policy import FlatFare, OfflineLimits, Policy
from crypto.wire.query import Query, SignedQuery
from crypto.wire.receipt import Receipt
from crypto.wire.transaction import NO_PREVIOUS, Purpose, Record, Transaction, authorise
from crypto.wire.transit import PassBought, Tap
from crypto.wire.wallets import AutoTopUp, HoldCaptured, HoldPlaced, HoldReleased, PurseExpired, PurseFunded
from tests.testdata import vectors
from tests.vectors.wire_bodies import (
    AGREED,
    AT_MS,
    BODIES,
    HASH,
    LATER,
    QUERIES,
    REFUNDED,
    STAFF_ID,
    TERMINAL_ID,
    VOUCHER,
    WAITING,
)
from tests.vectors.wire_faults import HEADERS, RECORDS, Change, changed, put, put_in

CARD, TERMINAL, SERVICE = (SoftwareSigner.from_secret(number) for number in (1001, 1002, 1003))
LOG = NoteSigner("city.example/log", Ed25519Signer.from_secret(1004))
CITY = CityKeys((SERVICE.public_key,), (LOG.verifier,), (SERVICE.public_key,))


@dataclass(frozen=True)
class Case:
    """`error` is the code of the refusal, None where the message must be read."""

    name: str
    message: str
    data: bytes
    error: str | None = None


def record_id(number: int) -> UUID:
    return uuid7(AT_MS, number.to_bytes(10, "big"))


def record_of(body: Body, number: int = 1) -> Record:
    times = {"sequence": number, "at_ms": AT_MS}
    return Record.of(body, record_id=record_id(number), terminal_id=TERMINAL_ID, previous=NO_PREVIOUS, **times)


TAP = record_of(BODIES[3])
TRANSACTION = Transaction(TAP.encode(), (authorise(TAP.encode(), Purpose.PRESENCE, CARD),))
BATCH = Batch(record_id(900), TERMINAL_ID, AT_MS, 7, (TRANSACTION.encode(), b"not a transaction"))


def query_of(body: Body, number: int = 1) -> SignedQuery:
    made = Query.of(body, query_id=record_id(number), terminal_id=TERMINAL_ID, nonce=HASH, at_ms=AT_MS)
    return SignedQuery(made.encode(), (authorise(made.encode(), Purpose.QUERY, CARD),))


def receipt_of(record: Record, *, reason: str | None = None) -> Receipt:
    accepted = reason is None
    outcome, entry_hash = ("accepted", HASH) if accepted else ("rejected", None)
    opened = receipt.commitment(HASH, record.record_id, record.hash(), outcome, reason, entry_hash)
    leaves = [tlog.leaf_hash(b"%d" % number) for number in range(5)]
    leaves[3] = tlog.leaf_hash(receipt.leaf_data(opened))
    tree = Tree(lambda _level, index: leaves[index], len(leaves))
    return Receipt(
        record_id=record.record_id,
        record_hash=record.hash(),
        outcome=outcome,
        reason=reason,
        kind=record.kind,
        amount_cents=1_500 if accepted else None,
        currency="PHP" if accepted else None,
        entry_hash=entry_hash,
        recorded_at_ms=AT_MS + 1_000,
        official_number="OR-2026-000001" if accepted else None,
        salt=HASH,
        leaf_index=3,
        tree_size=len(leaves),
        inclusion_proof=tree.inclusion_proof(3),
        checkpoint=tlog.sign_checkpoint(Checkpoint(LOG.name, len(leaves), tree.root()), [LOG]),
    )


POLICY = Policy(
    number=7,
    issued_at_ms=AT_MS,
    expires_at_ms=AT_MS + 86_400_000,
    card_authorities=(b"\x30\x00",),
    terminal_authorities=(b"\x30\x01\x00",),
    deny=(TERMINAL_ID, STAFF_ID),
    limits=OfflineLimits(5_000, 20_000, 20, 86_400_000),
    fares=(FlatFare("makati-loop", "regular", 1_500, "PHP"), FlatFare("makati-loop", "senior", 1_200, "PHP")),
    tariff_version=1,
    city_keys=CITY.format(),
)


HOLDS = (FlatFare("metro", "regular", 3_500, "PHP"),)
OUT = Tap("metro", "buendia", "out", 0, "PHP", 1, 7)


def valid() -> Iterator[Case]:
    for number, body in enumerate(BODIES, start=1):
        yield Case(f"record {type(body).__name__}", "record", record_of(body, number).encode())
    yield Case("record Reversal at an effective date", "record", record_of(LATER).encode())
    yield Case("record JournalEntry that reverses another", "record", record_of(VOUCHER).encode())
    yield Case("record DisputeSettled that two agreed on", "record", record_of(AGREED).encode())
    yield Case("record FareRefunded that two agreed on", "record", record_of(REFUNDED).encode())
    yield Case("record BankTransfer that names no wallet", "record", record_of(WAITING).encode())
    yield Case("record of a tap at the end of a ride", "record", record_of(OUT).encode())
    yield Case("record of a tap at its end that shows a fare", "record", changed(TAP.encode(), put_in(8, 3, "out")))
    two = (authorise(TAP.encode(), Purpose.STAFF, SERVICE), authorise(TAP.encode(), Purpose.SERVICE, LOG.signer))
    yield Case("transaction with the card's presence", "transaction", TRANSACTION.encode())
    yield Case("transaction with two authorisations", "transaction", replace(TRANSACTION, authorisations=two).encode())
    yield Case("transaction without authorisations", "transaction", replace(TRANSACTION, authorisations=()).encode())
    yield Case("batch with a bad item, which stays the item's fault", "batch", batch.sign_batch(BATCH, TERMINAL))
    yield Case("batch without items", "batch", batch.sign_batch(replace(BATCH, items=()), TERMINAL))
    for number, body in enumerate(QUERIES, start=1):
        yield Case(f"query {type(body).__name__}", "query", query.sign_query(query_of(body, number), TERMINAL))
    yield Case("receipt of an accepted tap", "receipt", receipt.sign_receipt(receipt_of(TAP), SERVICE))
    rejected = receipt_of(TAP, reason="insufficient_funds")
    yield Case("receipt of a rejected tap", "receipt", receipt.sign_receipt(rejected, SERVICE))
    yield Case("policy", "policy", policy.sign_policy(POLICY, SERVICE))
    empty = replace(POLICY, card_authorities=(), terminal_authorities=(), deny=(), fares=())
    yield Case("policy without lists", "policy", policy.sign_policy(empty, SERVICE))
    yield Case("policy with holds", "policy", policy.sign_policy(replace(POLICY, holds=HOLDS), SERVICE))
    device = replace(POLICY, limits=replace(POLICY.limits, device_day_cents_max=2_000_000))
    yield Case("policy with a limit of each device", "policy", policy.sign_policy(device, SERVICE))


def invalid_records() -> Iterator[Case]:
    data = TAP.encode()
    for name, (change, error) in RECORDS.items():
        yield Case(f"record {name}", "record", changed(data, change), error)
    zero = changed(record_of(BODIES[0]).encode(), put_in(8, 1, 0))
    yield from _invalid_money()
    yield from _invalid_vouchers()
    yield Case("record of a top-up of nothing", "record", zero, "malformed")
    yield Case("record with leftovers", "record", data + b"\x00", "malformed")
    yield Case("record cut short", "record", data[:-1], "malformed")
    yield Case(
        "record with a longer integer", "record", data.replace(b"\x01\x0a\x50", b"\x18\x01\x0a\x50"), "malformed"
    )
    yield Case("record as an indefinite array", "record", b"\x9f" + data[1:] + b"\xff", "malformed")
    body = TAP.encode()[-len(TAP.body) :]
    twice = data[: -len(body)] + bytes((body[0] + 1,)) + body[1:] + b"\x07\x07"
    yield Case("record with a field twice", "record", twice, "malformed")


def _invalid_money() -> Iterator[Case]:
    """Records of holds and purses."""
    of = {type(body): record_of(body).encode() for body in BODIES}
    changes: dict[str, tuple[type[Body], Change]] = {
        "of a hold for a purpose nobody knows": (HoldPlaced, put_in(8, 5, "food")),
        "of a hold of nothing": (HoldPlaced, put_in(8, 2, 0)),
        "of a hold with a limit of nothing written out": (HoldPlaced, put_in(8, 8, 0)),
        "of a capture with a default written out": (HoldCaptured, put_in(8, 5, False)),
        "of a capture that is final by a number": (HoldCaptured, put_in(8, 5, 1)),
        "of a release of less than nothing": (HoldReleased, put_in(8, 2, -1)),
        "of a purse with a name in capital letters": (PurseFunded, put_in(8, 3, "Rides")),
        "of a purse with a priority beyond the last": (PurseFunded, put_in(8, 9, 1001)),
        "of an expired purse without a name": (PurseExpired, put_in(8, 2, "")),
        "of a transfer of nothing": (BankTransfer, put_in(8, 3, 0)),
        "of a transfer with a line of 31 bytes": (BankTransfer, put_in(8, 2, bytes(31))),
        "of a transfer with an empty reference": (BankTransfer, put_in(8, 5, "")),
        "of a transfer for no wallet, written out": (BankTransfer, put_in(8, 6, None)),
        "of an automatic top-up of nothing": (AutoTopUp, put_in(8, 4, 0)),
        "of an automatic top-up from a purse in capitals": (AutoTopUp, put_in(8, 3, "Family")),
        "of an assigned transfer without a reason": (TransferAssigned, put_in(8, 6, "")),
        "of a pass for nothing": (PassBought, put_in(8, 4, 0)),
        "of a pass without a name": (PassBought, put_in(8, 1, "")),
        "of a pass that begins with a text": (PassBought, put_in(8, 3, "2026-11-23")),
        "of a card for nothing": (CardPaid, put_in(8, 4, 0)),
        "of a card that is a text": (CardPaid, put_in(8, 3, "card")),
    }
    for name, (kind, change) in changes.items():
        yield Case(f"record {name}", "record", changed(of[kind], change), "malformed")


def _invalid_vouchers() -> Iterator[Case]:
    """Records of journal entries, and of reversals at an effective date."""
    voucher, later = record_of(VOUCHER).encode(), record_of(LATER).encode()
    line = {1: "cash:vault", 2: 1}
    changes: dict[str, tuple[bytes, Change]] = {
        "of a voucher of a fund nobody knows": (voucher, put_in(8, 3, "barangay")),
        "of a voucher with a text as date": (voucher, put_in(8, 4, "2026-10-31")),
        "of a voucher before 1970": (voucher, put_in(8, 4, -1)),
        "of a voucher after the year 9999": (voucher, put_in(8, 4, 2_932_897)),
        "of a voucher without particulars": (voucher, put_in(8, 6, "")),
        "of a voucher with 51 lines": (voucher, put_in(8, 8, [line] * 51)),
        "of a voucher with a line that is a text": (voucher, put_in(8, 8, ["cash:vault 1"])),
        "of a voucher with a line without amount": (voucher, put_in(8, 8, [{1: "cash:vault"}])),
        "of a voucher with a line beyond the limit": (voucher, put_in(8, 8, [line | {2: -(10**15) - 1}])),
        "of a voucher that reverses nothing, written out": (voucher, put_in(8, 9, None)),
        "of a reversal with a float as date": (later, put_in(8, 3, 1.5)),
        "of a reversal without a date, written out": (later, put_in(8, 3, None)),
    }
    for name, (data, change) in changes.items():
        yield Case(f"record {name}", "record", changed(data, change), "malformed")


def invalid_transactions() -> Iterator[Case]:
    data = TRANSACTION.encode()
    purposes = {"for a purpose that is reserved": 5, "for a query": 6, "for purpose 0": 0, "for purpose true": True}
    for name, purpose in purposes.items():
        yield Case(f"transaction {name}", "transaction", changed(data, _reason_for(purpose)), "malformed")
    many = changed(data, lambda parts: parts[1].extend(parts[1] * 8))
    yield Case("transaction with nine authorisations", "transaction", many, "malformed")
    yield Case("transaction with leftovers", "transaction", data + b"\x00", "malformed")
    yield Case("transaction with the record as a map", "transaction", changed(data, put(0, {})), "malformed")
    consent = changed(data, _reason_for(Purpose.CONSENT.value))
    yield Case("transaction whose presence is passed off as consent", "transaction", consent, "invalid_signature")
    other = replace(TRANSACTION, record_bytes=record_of(BODIES[0]).encode()).encode()
    yield Case("transaction with the signature of another", "transaction", other, "invalid_signature")
    yield Case("transaction with a high s", "transaction", changed(data, _raise_s), "invalid_signature")


def _reason_for(purpose: Any) -> Change:
    return lambda parts: parts[1][0].__setitem__(0, purpose)


def _raise_s(parts: list[Any]) -> None:
    item = cose.parse(parts[1][0][1])
    s = keys.ORDER - int.from_bytes(item.signature[32:], "big")
    parts[1][0][1] = cose.assemble(None, item.signature[:32] + s.to_bytes(32, "big"), kid=item.kid)


def _signed(payload: bytes, signer: SoftwareSigner, aad: bytes) -> bytes:
    return cose.sign1(payload, signer, kid=keys.key_id(signer.public_key), external_aad=aad)


def _payload(message: bytes) -> bytes:
    payload = cose.parse(message).payload
    assert payload is not None
    return payload


def invalid_batches() -> Iterator[Case]:
    message = batch.sign_batch(BATCH, TERMINAL)
    payload = _payload(message)
    changes = {**HEADERS, "with a number as item": (put(6, [1]), "malformed")}
    for name, (change, error) in changes.items():
        yield Case(f"batch {name}", "batch", _signed(changed(payload, change), TERMINAL, batch.AAD), error)
    yield Case("batch signed by a card", "batch", _signed(payload, CARD, batch.AAD), "invalid_signature")
    yield Case("batch signed as a query", "batch", _signed(payload, TERMINAL, query.AAD), "invalid_signature")
    many = cbor2.dumps([*cbor2.loads(payload)[:-1], [b""] * 4097])
    yield Case("batch with 4,097 items", "batch", _signed(many, TERMINAL, batch.AAD), "malformed")


def invalid_queries() -> Iterator[Case]:
    signed = query_of(QUERIES[0])
    for name, (change, error) in {**HEADERS, "with a nonce of 31 bytes": (put(5, bytes(31)), "malformed")}.items():
        other = replace(signed, query_bytes=changed(signed.query_bytes, change))
        yield Case(f"query {name}", "query", query.sign_query(other, TERMINAL), error)
    presence = changed(signed.encode(), _reason_for(Purpose.PRESENCE.value))
    yield Case("query with a presence", "query", _signed(presence, TERMINAL, query.AAD), "malformed")
    as_query = replace(signed, query_bytes=TAP.encode())
    yield Case("query that is a record", "query", query.sign_query(as_query, TERMINAL), "malformed")
    yield Case("query signed as a batch", "query", _signed(signed.encode(), TERMINAL, batch.AAD), "invalid_signature")


def invalid_receipts() -> Iterator[Case]:
    good = receipt_of(TAP)
    payload = _payload(receipt.sign_receipt(good, SERVICE))
    changes: dict[str, tuple[Change, str]] = {
        **HEADERS,
        "with a reason although accepted": (put_in(2, 4, "too_old"), "malformed"),
        "with an amount but no currency": (lambda parts: parts[2].pop(7), "malformed"),
        "with a default written out": (put_in(2, 4, None), "malformed"),
        "with another amount's entry": (put_in(2, 8, bytes(32)), "invalid_proof"),
        "with another salt": (put_in(2, 11, bytes(32)), "invalid_proof"),
        "with another leaf": (put_in(2, 12, 2), "invalid_proof"),
        "with another size": (put_in(2, 13, 6), "malformed"),
        "with a cut proof": (lambda parts: parts[2][14].pop(), "invalid_proof"),
        "with a changed checkpoint": (
            lambda parts: put_in(2, 15, parts[2][15].replace("5", "6", 1))(parts),
            "invalid_signature",
        ),
    }
    for name, (change, error) in changes.items():
        yield Case(f"receipt {name}", "receipt", _signed(changed(payload, change), SERVICE, receipt.AAD), error)
    yield Case("receipt signed by a terminal", "receipt", _signed(payload, TERMINAL, receipt.AAD), "invalid_signature")
    yield Case("receipt signed as a policy", "receipt", _signed(payload, SERVICE, policy.AAD), "invalid_signature")


_LIMITS = {1: 5_000, 2: 20_000, 3: 20, 4: 86_400_000}


def invalid_policies() -> Iterator[Case]:
    payload = _payload(policy.sign_policy(POLICY, SERVICE))
    hold = {1: "metro", 2: "regular", 3: 3_500, 4: "PHP"}
    changes: dict[str, tuple[Change, str]] = {
        **HEADERS,
        "with number 0": (put_in(2, 1, 0), "malformed"),
        "that expires before it is issued": (put_in(2, 3, AT_MS), "malformed"),
        "with a deny list out of order": (put_in(2, 6, [STAFF_ID.bytes, TERMINAL_ID.bytes]), "malformed"),
        "with a card denied twice": (put_in(2, 6, [STAFF_ID.bytes, STAFF_ID.bytes]), "malformed"),
        "with a limit missing": (lambda parts: parts[2][7].pop(4), "malformed"),
        "with no limit of a device, written out": (put_in(2, 7, _LIMITS | {9: 0}), "malformed"),
        "with no holds, written out": (put_in(2, 12, []), "malformed"),
        "with a hold of less than nothing": (put_in(2, 12, [hold | {3: -1}]), "malformed"),
    }
    for name, (change, error) in changes.items():
        yield Case(f"policy {name}", "policy", _signed(changed(payload, change), SERVICE, policy.AAD), error)
    yield Case("policy signed by a terminal", "policy", _signed(payload, TERMINAL, policy.AAD), "invalid_signature")


def invalid() -> Iterator[Case]:
    for maker in (invalid_records, invalid_transactions, invalid_batches, invalid_queries):
        yield from maker()
    yield from invalid_receipts()
    yield from invalid_policies()


def document() -> str:
    """The file's text, one case a line."""
    public = {"card": CARD, "terminal": TERMINAL, "service": SERVICE}
    header = {
        "version": 1,
        "keys": {name: keys.point(signer.public_key).hex() for name, signer in public.items()},
        "city_keys": CITY.format(),
    }
    cases = [
        json.dumps({"name": case.name, "message": case.message, "error": case.error, "hex": case.data.hex()})
        for case in (*valid(), *invalid())
    ]
    return json.dumps(header)[:-1] + ',\n"cases": [\n' + ",\n".join(cases) + "\n]}\n"


if __name__ == "__main__":
    vectors("wire-v1.json").write_text(document())
