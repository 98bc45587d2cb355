"""Every reason for which a record is refused, their precedence, and what a refusal leaves behind."""

from datetime import timedelta
from uuid import UUID

import pytest

from cardsvc import access, cards, ledger, wallets
from cardsvc.cards import RevocationReason
from crypto import cbor, cose
from crypto.keys import SoftwareSigner
from crypto.pki import CardSlot
from crypto.wire.body import Body
from crypto.wire.finance import ShiftOpened
from crypto.wire.transaction import Authorisation, Purpose, Record, Transaction, authorise
from crypto.wire.wallets import CashTopUp
from tests import builders
from tests.builders import OFFICER
from tests.town import BUS_CENTS, Person, Result, Terminal, Town, claim, pay, tap, top_up

P = Purpose.PRESENCE
STRANGER = SoftwareSigner.from_secret(4711)


@pytest.fixture
def validator(town: Town) -> Terminal:
    town.tariff()
    return town.validator()


def refused(town: Town, result: Result, reason: str) -> None:
    """Refused for this reason, under a signature: it is in the log and has a receipt that says so."""
    assert (result.outcome, result.reason) == ("rejected", reason), result
    assert result.detail is not None
    assert result.detail.endswith(".")
    receipt = town.verified(result)
    assert (receipt.outcome, receipt.reason, receipt.entry_hash) == ("rejected", reason, None)


def nobodys(town: Town, result: Result, reason: str) -> None:
    """Refused for this reason, and nobody can be held to it: no leaf, no receipt, a note for the auditor."""
    assert (result.outcome, result.reason, result.receipt) == ("rejected", reason, None), result
    assert result.detail is not None
    with town.city.engine.connect() as connection:
        noted = connection.exec_driver_sql("SELECT reason FROM refused_item").scalars().all()
    assert reason in noted


def test_items_that_cannot_be_read_spoil_only_themselves(town: Town, validator: Terminal) -> None:
    ana = town.person()
    record_id, good = validator.make(tap(), ana.signs(P))
    whole = cbor.decode(good, depth_max=8)
    assert isinstance(whole, list)
    assert isinstance(whole[0], bytes)
    stretched = good.replace(whole[0][:1], b"\x98" + whole[0][:1], 1)
    long_integer = cbor.encode([b"\x82\x18\x01\x02", []])  # inside: 1 in two bytes
    items = [b"", b"\xff", b"not cbor at all", good + b"\x00", stretched, long_integer, cbor.encode({1: 2}), good]
    *bad, last = validator.send(items)
    for result in bad:
        nobodys(town, result, "malformed")
        assert result.record_id is None
    assert (last.outcome, last.record_id) == ("accepted", record_id)
    assert town.count("refused_item") == len(bad)
    town.check()


def test_a_record_whose_body_is_wrong_is_malformed(town: Town, validator: Terminal) -> None:
    ana = town.person()
    contents: tuple[dict[cbor.Key, cbor.Value], ...] = (
        {1: "bus"},
        {**tap().encode(), 99: 1},
        {**tap().encode(), 4: -1},
    )
    for content in contents:
        record = validator.record(tap())
        wrong = Record(
            record.kind,
            record.record_id,
            record.terminal_id,
            record.sequence,
            record.previous,
            record.at_ms,
            cbor.encode(content),
        ).encode()
        [result] = validator.send([Transaction(wrong, (ana.signs(P)(wrong),)).encode()])
        nobodys(town, result, "malformed")
        assert result.record_id == record.record_id


def test_a_signature_that_encloses_its_record_is_malformed(town: Town, validator: Terminal) -> None:
    ana = town.person()
    record = validator.record(tap()).encode()
    message = cose.sign1(record, ana.card.keys.signers[CardSlot.CARD_AUTH], kid=b"k", external_aad=P.aad)
    [result] = validator.send([Transaction(record, (Authorisation(P, message),)).encode()])
    nobodys(town, result, "malformed")


def test_an_unknown_kind_asks_for_an_update(town: Town, validator: Terminal) -> None:
    class Strange(Body):
        KIND = 9999

        def to_bytes(self) -> bytes:
            return cbor.encode({})

    result = validator.send_one(Strange(), town.person().signs(P))
    nobodys(town, result, "unknown_kind")
    assert result.detail is not None
    assert "Update the terminal" in result.detail


def test_a_record_of_another_terminal_is_refused_and_does_not_use_up_its_id(town: Town, validator: Terminal) -> None:
    ana, other = town.person(), town.validator()
    record_id, item = other.make(tap(), ana.signs(P))
    nobodys(town, validator.send([item])[0], "wrong_terminal")
    [mine] = other.send([item])
    assert (mine.outcome, mine.record_id, mine.replayed) == ("accepted", record_id, False)
    nobodys(town, validator.send([item])[0], "wrong_terminal")
    town.check()


def test_the_same_id_with_other_content_conflicts(town: Town, validator: Terminal) -> None:
    ana = town.person()
    record_id, one = validator.make(tap(), ana.signs(P))
    _, two = validator.make(tap(), ana.signs(P), record_id=record_id)
    first, conflict = validator.send([one, two])
    assert first.outcome == "accepted"
    nobodys(town, conflict, "record_id_conflict")
    nobodys(town, validator.send([two])[0], "record_id_conflict")
    assert town.owed(ana) == BUS_CENTS
    town.check()


def test_a_key_the_city_does_not_know_and_a_wrong_signature_do_not_use_up_the_id(
    town: Town, validator: Terminal
) -> None:
    ana = town.person()
    record = validator.record(tap()).encode()
    stranger = authorise(record, P, STRANGER)
    forged = authorise(record, P, STRANGER, kid=ana.kid(CardSlot.CARD_AUTH))
    nobodys(town, validator.send([Transaction(record, (stranger,)).encode()])[0], "unknown_key")
    nobodys(town, validator.send([Transaction(record, (forged,)).encode()])[0], "invalid_signature")
    assert (town.count("transaction"), town.count("refused_item")) == (0, 2)
    assert validator.send([Transaction(record, (ana.signs(P)(record),)).encode()])[0].outcome == "accepted"
    town.check()


def test_the_same_refused_item_is_noted_once(town: Town, validator: Terminal) -> None:
    _, item = validator.make(tap(), lambda record: authorise(record, P, STRANGER))
    validator.send([item, item])
    validator.send([item])
    assert town.count("refused_item") == 1


def test_each_purpose_takes_its_own_key(town: Town, validator: Terminal) -> None:
    ana, kiosk = town.person(), town.kiosk()
    entitlement = town.cycle(ana)[ana.resident_id]
    # a claim with presence only; a claim for which 9E was made to say consent; a tap with 9C
    nobodys(town, kiosk.send_one(claim(entitlement), ana.signs(P)), "missing_authorisation")
    made = ana.signs(Purpose.CONSENT, CardSlot.CARD_AUTH)
    nobodys(town, kiosk.send_one(claim(entitlement), made), "unknown_key")
    nobodys(town, validator.send_one(tap(), ana.signs(P, CardSlot.SIGNATURE)), "unknown_key")
    nobodys(town, validator.send_one(tap(), ana.signs(Purpose.CONSENT)), "missing_authorisation")
    nobodys(town, validator.send_one(tap()), "missing_authorisation")
    nobodys(town, validator.send_one(tap(), ana.signs(P), ana.signs(P)), "missing_authorisation")
    nobodys(town, validator.send_one(tap(), ana.signs(P), ana.signs(Purpose.CONSENT)), "missing_authorisation")


def test_a_signature_for_one_purpose_is_none_for_another(town: Town, validator: Terminal) -> None:
    ana, kiosk = town.person(), town.kiosk()
    entitlement = town.cycle(ana)[ana.resident_id]

    def consent_relabelled(record: bytes) -> Authorisation:
        return Authorisation(P, ana.signs(Purpose.CONSENT, CardSlot.CARD_AUTH)(record).cose)

    nobodys(town, validator.send_one(tap(), consent_relabelled), "invalid_signature")

    def signs_as_presence(record: bytes) -> Authorisation:
        return Authorisation(Purpose.CONSENT, ana.signs(P, CardSlot.SIGNATURE)(record).cose)

    nobodys(town, kiosk.send_one(claim(entitlement), signs_as_presence), "invalid_signature")


def test_blocked_staff_sign_nothing_and_what_they_signed_before_stays_proved(town: Town) -> None:
    counter, _ = town.till()
    signs = town.staff_signs("cashier")
    record = counter.record(ShiftOpened(town.staff("cashier").id, 100_00, "PHP")).encode()
    signed = signs(record)
    town.run(lambda session: access.block_staff(session, town.staff("cashier").id))
    nobodys(town, counter.send([Transaction(record, (signed,)).encode()])[0], "unknown_key")
    town.check()


def test_a_suspended_card_and_a_revoked_one_do_nothing(town: Town) -> None:
    ana, kiosk = town.person(), town.kiosk()
    entitlement = town.cycle(ana)[ana.resident_id]
    card_id, now = ana.card.card_id, town.clock.now()
    town.run(lambda session: cards.suspend(session, card_id, by=OFFICER, reason="Lost for now", now=now))
    town.clock.advance(timedelta(minutes=1))
    refused(town, kiosk.send_one(claim(entitlement), ana.signs(Purpose.CONSENT)), "card_not_active")
    town.run(
        lambda session: cards.resume(
            session, card_id, by=OFFICER, reason="Found", holder_has_it=True, now=town.clock.now()
        )
    )
    assert kiosk.send_one(claim(entitlement), ana.signs(Purpose.CONSENT)).outcome == "accepted"
    reason = RevocationReason.LOST
    town.run(lambda session: cards.revoke(session, card_id, by=OFFICER, reason=reason, now=town.clock.now()))
    refused(town, kiosk.send_one(claim(entitlement), ana.signs(Purpose.CONSENT)), "card_not_active")
    town.check()


def test_a_tap_from_before_the_block_is_honoured_and_one_from_after_is_not(town: Town, validator: Terminal) -> None:
    ana = town.person()
    before = town.clock.now()
    town.clock.advance(timedelta(hours=1))
    reason, blocked = RevocationReason.STOLEN, town.clock.now()
    town.run(lambda session: cards.revoke(session, ana.card.card_id, by=OFFICER, reason=reason, now=blocked))
    town.clock.advance(timedelta(hours=1))
    validator.add(tap(), ana.signs(P), at=before)
    validator.add(tap(), ana.signs(P), at=blocked)
    honoured, late = validator.send()
    assert honoured.outcome == "accepted"
    refused(town, late, "card_not_active")
    town.check()


def test_an_expired_card_does_nothing(town: Town, validator: Terminal) -> None:
    ana = town.person()
    town.clock.advance(timedelta(days=366 * 5))
    refused(town, validator.send_one(tap(), ana.signs(P)), "card_not_active")


def test_records_too_old_or_from_the_future_are_refused(town: Town, validator: Terminal) -> None:
    ana = town.person()
    town.clock.advance(timedelta(days=40))
    now, step = town.clock.now(), timedelta(milliseconds=1)
    for at in (now - timedelta(days=30), now + timedelta(minutes=5)):
        assert validator.send_one(tap(), ana.signs(P), at=at).outcome == "accepted"
    refused(town, validator.send_one(tap(), ana.signs(P), at=now - timedelta(days=30) - step), "too_old")
    refused(town, validator.send_one(tap(), ana.signs(P), at=now + timedelta(minutes=5) + step), "from_the_future")


def test_a_terminal_sends_only_what_its_kind_may(town: Town, validator: Terminal) -> None:
    ana = town.person()
    [bill] = town.bills("100.00")
    result = validator.send_one(pay(bill), ana.signs(Purpose.CONSENT))
    refused(town, result, "not_permitted")
    assert result.detail == "A terminal of kind validator may not send this. Use one of kind counter, kiosk."
    refused(town, town.kiosk().send_one(tap(), ana.signs(P)), "not_permitted")


def test_staff_sign_only_what_their_roles_allow_and_only_as_themselves(town: Town) -> None:
    counter = town.counter()
    clerk = ShiftOpened(town.staff("clerk").id, 100_00, "PHP")
    refused(town, counter.send_one(clerk, town.staff_signs("clerk")), "not_permitted")
    refused(town, counter.send_one(clerk, town.staff_signs("cashier")), "not_permitted")


def test_a_holder_without_a_wallet_is_told_so(town: Town, validator: Terminal) -> None:
    now = town.clock.now()
    resident = town.run(lambda session: builders.make_resident(session, now))
    card = town.run(lambda session: builders.make_card(session, town.city.vault, resident.id, now))
    ben = Person(resident.id, resident.number, UUID(int=1), card)
    [bill] = town.bills("100.00")
    refused(town, validator.send_one(tap(), ben.signs(P)), "unknown_wallet")
    refused(town, town.kiosk().send_one(pay(bill), ben.signs(Purpose.CONSENT)), "unknown_wallet")
    counter, shift_id = town.till()
    refused(town, counter.send_one(top_up(shift_id, 1_00), ben.signs(P)), "unknown_wallet")


def test_what_a_record_names_must_be_there(town: Town, validator: Terminal) -> None:
    ana = town.person()
    consent = ana.signs(Purpose.CONSENT)
    refused(town, validator.send_one(tap(network="metro"), ana.signs(P)), "unknown_reference")
    refused(town, validator.send_one(tap(tariff=7), ana.signs(P)), "unknown_reference")
    refused(town, town.kiosk().send_one(claim(UUID(int=5)), consent), "unknown_reference")
    refused(town, town.counter().send_one(top_up(UUID(int=5), 1_00), ana.signs(P)), "unknown_reference")


def test_an_amount_must_be_what_is_due(town: Town, validator: Terminal) -> None:
    ana, kiosk = town.person(), town.kiosk()
    consent = ana.signs(Purpose.CONSENT)
    entitlement = town.cycle(ana)[ana.resident_id]
    [bill] = town.bills("100.00")
    refused(town, validator.send_one(tap(currency="USD"), ana.signs(P)), "wrong_amount")
    refused(town, kiosk.send_one(claim(entitlement, 500_01), consent), "wrong_amount")
    short = type(pay(bill))(bill.id, bill.total_cents - 1, "PHP")
    refused(town, kiosk.send_one(short, consent), "wrong_amount")
    counter, shift_id = town.till()
    refused(town, counter.send_one(CashTopUp(1_00, "USD", shift_id), ana.signs(P)), "wrong_amount")
    town.check()


def test_what_is_done_is_not_done_again(town: Town, validator: Terminal) -> None:
    ana, kiosk = town.person(), town.kiosk()
    consent = ana.signs(Purpose.CONSENT)
    entitlement = town.cycle(ana, cents=2_000_00)[ana.resident_id]
    [bill] = town.bills("100.00")
    kiosk.send_one(claim(entitlement, 2_000_00), consent)
    refused(town, kiosk.send_one(claim(entitlement, 2_000_00), consent), "already_done")
    assert kiosk.send_one(pay(bill), consent).outcome == "accepted"
    refused(town, kiosk.send_one(pay(bill), consent), "already_done")
    at = town.clock.now()
    assert validator.send_one(tap(), ana.signs(P), at=at).outcome == "accepted"
    refused(town, validator.send_one(tap(), ana.signs(P), at=at), "already_done")
    town.check()


def test_money_that_is_not_there_is_not_spent(town: Town) -> None:
    ana = town.rich_person(50_00)
    [bill] = town.bills("100.00")
    refused(town, town.kiosk().send_one(pay(bill), ana.signs(Purpose.CONSENT)), "insufficient_funds")
    assert town.balance(ana) == 50_00
    town.check()


def test_a_closed_account_takes_nothing(town: Town) -> None:
    counter, shift_id = town.till()
    ana = town.person()
    main = wallets.main_account(ana.wallet_id)
    town.run(lambda session: ledger.close_account(session, main, town.clock.now()))
    refused(town, counter.send_one(top_up(shift_id, 1_00), ana.signs(P)), "account_closed")
    town.check()
