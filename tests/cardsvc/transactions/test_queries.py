"""Signed queries over HTTP: answered once, to the card that asked, through the terminal that it names."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from cardsvc import cards, db, devices, transactions, wallets
from crypto.cose import sign1
from crypto.keys import SoftwareSigner
from crypto.pki import CardSlot
from crypto.wire.benefits import EntitlementsQuery
from crypto.wire.body import Body
from crypto.wire.query import Query, SignedQuery, sign_query
from crypto.wire.taxes import BillsQuery
from crypto.wire.transaction import Authorisation, Purpose, authorise
from crypto.wire.wallets import BalanceQuery
from tests.builders import OFFICER
from tests.town import Person, Terminal, Town

STRANGER = SoftwareSigner.from_secret(4712)


@pytest.fixture
def kiosk(town: Town) -> Terminal:
    return town.kiosk()


def asked(
    kiosk: Terminal,
    content: Body,
    *signs: Callable[[bytes], Authorisation],
    signer: SoftwareSigner | None = None,
    ago: timedelta = timedelta(),
) -> bytes:
    town = kiosk.town
    query = Query.of(
        content,
        query_id=town.key(),
        terminal_id=kiosk.device_id,
        nonce=town.city.random_bytes(32),
        at_ms=db.to_ms(town.clock.now() - ago),
    )
    encoded = query.encode()
    signed = SignedQuery(encoded, tuple(sign(encoded) for sign in signs))
    return sign_query(signed, signer or kiosk.enrolled.signer)


def card(person: Person, slot: CardSlot = CardSlot.CARD_AUTH) -> Callable[[bytes], Authorisation]:
    return lambda encoded: authorise(encoded, Purpose.QUERY, person.card.keys.signers[slot])


def answer(town: Town, raw: bytes, status: int = 200) -> Any:
    found = town.client.post("/v1/queries", data=raw, content_type="application/cbor")
    assert found.status_code == status, found.text
    return found.get_json()


def refused(town: Town, raw: bytes, status: int, code: str) -> None:
    problem = answer(town, raw, status)
    assert problem["code"] == code
    assert problem["detail"].endswith(".")


def test_a_card_learns_what_is_in_its_wallet_what_it_can_claim_and_what_it_owes(town: Town, kiosk: Terminal) -> None:
    ana = town.rich_person(123_45)
    entitlement = town.cycle(ana)[ana.resident_id]
    [bill] = town.bills("100.00", person=ana)
    sections = answer(town, asked(kiosk, BalanceQuery(), card(ana)))["sections"]
    assert sections["wallet"] == {
        "initials": "M. D.",
        "balance_cents": 123_45,
        "owed_cents": 0,
        "held_cents": 0,
        "purses": [],
        "currency": "PHP",
        "top_up_reference": wallets.spaced(wallets.reference_of(ana.wallet_id)),
        "top_up_mandates": [],
    }
    assert [due["entitlement_id"] for due in sections["benefits"]] == [str(entitlement)]
    assert [owed["bill_id"] for owed in sections["taxes"]] == [str(bill.id)]
    assert set(answer(town, asked(kiosk, EntitlementsQuery(), card(ana)))["sections"]) == {"benefits"}
    assert set(answer(town, asked(kiosk, BillsQuery(), card(ana, CardSlot.SIGNATURE)))["sections"]) == {"taxes"}


def test_a_query_is_answered_once(town: Town, kiosk: Terminal) -> None:
    raw = asked(kiosk, BalanceQuery(), card(town.person()))
    answer(town, raw)
    refused(town, raw, 403, "replayed_query")
    town.clock.advance(timedelta(minutes=4))
    refused(town, raw, 403, "replayed_query")
    town.clock.advance(timedelta(minutes=2))
    refused(town, raw, 403, "stale_query")


def test_queries_are_forgotten_only_when_they_are_stale(town: Town, kiosk: Terminal) -> None:
    raw = asked(kiosk, BalanceQuery(), card(town.person()))
    answer(town, raw)
    for minutes, left in ((5, 1), (20, 0)):
        town.clock.advance(timedelta(minutes=minutes))
        town.run(lambda session: transactions.forget_queries(session, town.clock.now()))
        assert town.count("seen_query") == left
    refused(town, raw, 403, "stale_query")


def test_a_query_from_a_wrong_clock_is_stale(town: Town, kiosk: Terminal) -> None:
    ana = town.person()
    for ago in (timedelta(minutes=6), timedelta(minutes=-6)):
        refused(town, asked(kiosk, BalanceQuery(), card(ana), ago=ago), 403, "stale_query")
    assert town.count("seen_query") == 0


def test_a_key_that_is_no_card_of_the_city_learns_nothing(town: Town, kiosk: Terminal) -> None:
    ana = town.person()
    refused(town, asked(kiosk, BalanceQuery(), card(ana, CardSlot.AUTHENTICATION)), 403, "unknown_key")

    def stranger(encoded: bytes) -> Authorisation:
        return authorise(encoded, Purpose.QUERY, STRANGER)

    def forged(encoded: bytes) -> Authorisation:
        return authorise(encoded, Purpose.QUERY, STRANGER, kid=ana.kid(CardSlot.CARD_AUTH))

    refused(town, asked(kiosk, BalanceQuery(), stranger), 403, "unknown_key")
    refused(town, asked(kiosk, BalanceQuery(), forged), 422, "invalid_signature")
    refused(town, asked(kiosk, BalanceQuery()), 403, "missing_authorisation")
    refused(town, asked(kiosk, BalanceQuery(), card(ana), card(ana)), 403, "missing_authorisation")
    refused(town, asked(kiosk, BalanceQuery(), ana.signs(Purpose.PRESENCE)), 422, "malformed")


def test_a_suspended_card_learns_nothing(town: Town, kiosk: Terminal) -> None:
    ana, now = town.person(), town.clock.now()
    town.run(lambda session: cards.suspend(session, ana.card.card_id, by=OFFICER, reason="Lost for now", now=now))
    refused(town, asked(kiosk, BalanceQuery(), card(ana)), 403, "card_not_active")


def test_only_the_terminal_that_the_query_names_may_send_it(town: Town, kiosk: Terminal) -> None:
    ana, other = town.person(), town.kiosk()
    raw = asked(kiosk, BalanceQuery(), card(ana), signer=other.enrolled.signer)
    refused(town, raw, 422, "invalid_signature")
    ghost = Terminal(town, type(other.enrolled)(UUID(int=3), other.enrolled.kind, other.enrolled.signer, b""))
    refused(town, asked(ghost, BalanceQuery(), card(ana)), 401, "unknown_terminal")
    town.run(lambda session: devices.revoke(session, other.device_id, by=OFFICER, reason="Old", now=town.clock.now()))
    refused(town, asked(other, BalanceQuery(), card(ana)), 403, "terminal_revoked")


def test_a_query_is_no_record_and_a_batch_no_query(town: Town, kiosk: Terminal) -> None:
    ana = town.person()
    raw = asked(kiosk, BalanceQuery(), card(ana))
    problem = town.client.post("/v1/transactions", data=raw)
    assert (problem.status_code, problem.get_json()["code"]) == (422, "malformed")
    refused(town, kiosk.batch([]), 422, "malformed")
    refused(town, sign1(b"", kiosk.enrolled.signer, kid=b"k"), 422, "malformed")


def test_an_unknown_question_asks_for_an_update_and_may_be_asked_again(town: Town, kiosk: Terminal) -> None:
    class Strange(Body):
        KIND = 199

        def to_bytes(self) -> bytes:
            return BalanceQuery().to_bytes()

    refused(town, asked(kiosk, Strange(), card(town.person())), 403, "unknown_kind")
    assert town.count("seen_query") == 0
