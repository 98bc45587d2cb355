"""Of several faults the first in crypto/wire/reasons.py is stated: every pair that one record can have at once."""

import itertools
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from uuid import UUID

import pytest

from cardsvc import cards, ledger, wallets
from cardsvc.cards import RevocationReason
from cardsvc.transactions import Reason
from crypto import cbor
from crypto.keys import SoftwareSigner
from crypto.wire.reasons import DISPUTED, NOBODYS, TRANSIENT
from crypto.wire.taxes import TaxPayment
from crypto.wire.transaction import Authorisation, Purpose, Transaction, authorise
from tests import builders
from tests.builders import OFFICER
from tests.town import Person, Terminal, Town

C = Purpose.CONSENT
STRANGER = SoftwareSigner.from_secret(4711)


@dataclass
class Attempt:
    """A payment of a bill in the making, with what is wrong with it so far."""

    town: Town
    payer: Person
    terminal: Terminal
    sender: Terminal
    body: TaxPayment
    record_id: UUID
    at_ms: int | None = None
    kind: int = TaxPayment.KIND
    spoilt: bool = False
    signs: Callable[[bytes], Authorisation] | None = None

    def send(self) -> str | None:
        made = self.terminal.record(self.body, record_id=self.record_id)
        record = replace(made, kind=self.kind, at_ms=made.at_ms if self.at_ms is None else self.at_ms)
        if self.spoilt:
            record = replace(record, body=cbor.encode({1: 2}))
        encoded = record.encode()
        signatures = (self.signs or self.payer.signs(C))(encoded)
        [result] = self.sender.send([Transaction(encoded, (signatures,)).encode()])
        return result.reason


Fault = Callable[[Attempt], None]


def malformed(one: Attempt) -> None:
    one.spoilt = True


def unknown_kind(one: Attempt) -> None:
    one.kind = 9999


def wrong_terminal(one: Attempt) -> None:
    one.sender = one.town.kiosk()


def record_id_conflict(one: Attempt) -> None:
    """Another record of the same kiosk took the id."""
    [other] = one.town.bills("1.00", prefix="X")
    ben = one.town.rich_person()
    body = TaxPayment(other.id, other.total_cents, "PHP")
    assert one.town.kiosk().send_one(body, ben.signs(C), record_id=one.record_id).outcome == "accepted"


def unknown_key(one: Attempt) -> None:
    one.signs = lambda record: authorise(record, C, STRANGER)


def missing_authorisation(one: Attempt) -> None:
    one.signs = one.payer.signs(Purpose.PRESENCE)


def invalid_signature(one: Attempt) -> None:
    kid = one.payer.signs(C)(b"").kid
    one.signs = lambda record: authorise(record, C, STRANGER, kid=kid)


def card_not_active(one: Attempt) -> None:
    now, card_id = one.town.clock.now(), one.payer.card.card_id
    one.town.run(lambda session: cards.revoke(session, card_id, by=OFFICER, reason=RevocationReason.LOST, now=now))


def too_old(one: Attempt) -> None:
    one.at_ms = builders_ms(one.town) - 31 * 24 * 3600 * 1000


def from_the_future(one: Attempt) -> None:
    one.at_ms = builders_ms(one.town) + 3600 * 1000


def builders_ms(town: Town) -> int:
    return int(town.clock.now().timestamp()) * 1000


def not_permitted(one: Attempt) -> None:
    """A validator may not send it; the record is the validator's own."""
    one.terminal = one.sender = one.town.validator()


def unknown_wallet(one: Attempt) -> None:
    now, town = one.town.clock.now(), one.town
    resident = town.run(lambda session: builders.make_resident(session, now))
    card = town.run(lambda session: builders.make_card(session, town.city.vault, resident.id, now))
    one.payer = Person(resident.id, resident.number, UUID(int=1), card)


def unknown_reference(one: Attempt) -> None:
    one.body = replace(one.body, bill_id=UUID(int=7))


def wrong_amount(one: Attempt) -> None:
    one.body = replace(one.body, amount_cents=one.body.amount_cents + 1)


def already_done(one: Attempt) -> None:
    ben = one.town.rich_person()
    whole = TaxPayment(one.body.bill_id, 101_00, "PHP")
    assert one.town.kiosk().send_one(whole, ben.signs(C)).outcome == "accepted"


def insufficient_funds(one: Attempt) -> None:
    one.payer = one.town.person()


def account_closed(one: Attempt) -> None:
    """A wallet is closed when it is empty."""
    one.payer = one.town.person()
    main, now = wallets.main_account(one.payer.wallet_id), one.town.clock.now()
    one.town.run(lambda session: ledger.close_account(session, main, now))


FAULTS: dict[Reason, Fault] = {
    Reason.MALFORMED: malformed,
    Reason.UNKNOWN_KIND: unknown_kind,
    Reason.WRONG_TERMINAL: wrong_terminal,
    Reason.RECORD_ID_CONFLICT: record_id_conflict,
    Reason.UNKNOWN_KEY: unknown_key,
    Reason.MISSING_AUTHORISATION: missing_authorisation,
    Reason.INVALID_SIGNATURE: invalid_signature,
    Reason.CARD_NOT_ACTIVE: card_not_active,
    Reason.TOO_OLD: too_old,
    Reason.FROM_THE_FUTURE: from_the_future,
    Reason.NOT_PERMITTED: not_permitted,
    Reason.UNKNOWN_WALLET: unknown_wallet,
    Reason.UNKNOWN_REFERENCE: unknown_reference,
    Reason.WRONG_AMOUNT: wrong_amount,
    Reason.ALREADY_DONE: already_done,
    Reason.INSUFFICIENT_FUNDS: insufficient_funds,
    Reason.ACCOUNT_CLOSED: account_closed,
}
"""One way of each. What only the ledger says of periods, holds and purses is tested where these are."""
R = Reason
EXCLUDING = (
    {R.MALFORMED, R.UNKNOWN_KIND},  # a body is wrong by its kind: of an unknown one nobody can say
    {R.TOO_OLD, R.FROM_THE_FUTURE},
    {R.UNKNOWN_KEY, R.MISSING_AUTHORISATION, R.INVALID_SIGNATURE},  # one authorisation has one of these faults here
    {R.WRONG_TERMINAL, R.NOT_PERMITTED},  # the way we make the second, the record is the sender's own
    {R.UNKNOWN_REFERENCE, R.WRONG_AMOUNT},  # of no bill no amount is wrong
    {R.UNKNOWN_REFERENCE, R.ALREADY_DONE},
    {R.UNKNOWN_WALLET, R.INSUFFICIENT_FUNDS},  # without a wallet nothing is in it
    {R.UNKNOWN_WALLET, R.ACCOUNT_CLOSED},
)


def can_coincide(one: Reason, other: Reason) -> bool:
    return not any({one, other} <= group for group in EXCLUDING)


PAIRS = [pair for pair in itertools.combinations(FAULTS, 2) if can_coincide(*pair)]
_ORDER = list(Reason)
# What makes another thing wrong comes last: a payer who was replaced must be the one whose card is then revoked.
_MAKING = [R.UNKNOWN_WALLET, R.INSUFFICIENT_FUNDS, R.ACCOUNT_CLOSED, R.NOT_PERMITTED, R.WRONG_TERMINAL]


@pytest.fixture
def backend() -> str:
    """The order is the service's, not the database's."""
    return "sqlite"


@pytest.fixture
def attempt(town: Town) -> Attempt:
    [bill] = town.bills("100.00")
    kiosk = town.kiosk()
    body = TaxPayment(bill.id, bill.total_cents, "PHP")
    return Attempt(town, town.rich_person(), kiosk, kiosk, body, town.key())


def test_without_a_fault_it_is_accepted(attempt: Attempt) -> None:
    assert attempt.send() is None


@pytest.mark.parametrize("reason", FAULTS, ids=str)
def test_each_fault_alone_is_stated(attempt: Attempt, reason: Reason) -> None:
    FAULTS[reason](attempt)
    assert attempt.send() == reason


@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: f"{pair[0]} before {pair[1]}")
def test_of_two_faults_the_first_is_stated(attempt: Attempt, pair: tuple[Reason, Reason]) -> None:
    for reason in sorted(pair, key=lambda reason: _MAKING.index(reason) if reason in _MAKING else len(_MAKING)):
        FAULTS[reason](attempt)
    assert attempt.send() == min(pair, key=_ORDER.index)


def test_every_reason_says_whether_it_is_final() -> None:
    assert TRANSIENT < NOBODYS < set(Reason)
    assert not DISPUTED & NOBODYS
    first_authenticated = _ORDER.index(R.CARD_NOT_ACTIVE)
    assert set(_ORDER[:first_authenticated]) == NOBODYS


def test_what_is_transient_may_be_taken_later_and_what_is_final_is_not(town: Town, attempt: Attempt) -> None:
    """The same bytes again: an unknown key says false to `final`, a refusal under a signature true, for ever."""
    answers = []
    for fault in (unknown_key, wrong_amount):
        fault(attempt)
        made = attempt.terminal.record(attempt.body).encode()
        item = Transaction(made, ((attempt.signs or attempt.payer.signs(C))(made),)).encode()
        raw = attempt.terminal.batch([item])
        [answer] = town.client.post("/v1/transactions", data=raw).get_json()["results"]
        answers.append((answer["reason"], answer["final"]))
        attempt.signs = None
    assert answers == [("unknown_key", False), ("wrong_amount", True)]
    town.clock.advance(timedelta(hours=1))
