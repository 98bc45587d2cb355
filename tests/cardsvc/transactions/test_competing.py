"""Records that compete, and records with several faults: who wins, and what is stated."""

import functools
import hashlib
from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

import pytest

from cardsvc import cards
from crypto import cbor
from crypto.keys import SoftwareSigner
from crypto.pki import CardSlot
from crypto.wire.benefits import CycleApproved
from crypto.wire.transaction import Authorisation, Purpose, authorise
from tests.builders import OFFICER
from tests.town import Terminal, Town, claim, pay, tap

P = Purpose.PRESENCE
STRANGER = SoftwareSigner.from_secret(4711)


@pytest.fixture
def validator(town: Town) -> Terminal:
    town.tariff()
    return town.validator()


def test_of_two_claims_in_one_batch_the_first_wins(town: Town) -> None:
    ana, kiosk = town.person(), town.kiosk()
    entitlement = town.cycle(ana)[ana.resident_id]
    kiosk.add(claim(entitlement), ana.signs(Purpose.CONSENT))
    kiosk.add(claim(entitlement), ana.signs(Purpose.CONSENT))
    one, two = kiosk.send()
    assert one.outcome == "accepted"
    assert (two.outcome, two.reason) == ("rejected", "already_done")
    assert town.balance(ana) == 500_00
    town.check()


def test_who_cannot_pay_does_not_keep_the_next_from_paying(town: Town) -> None:
    poor, rich, kiosk = town.person(), town.rich_person(), town.kiosk()
    [bill] = town.bills("100.00")
    kiosk.add(pay(bill), poor.signs(Purpose.CONSENT))
    kiosk.add(pay(bill), rich.signs(Purpose.CONSENT))
    kiosk.add(pay(bill), rich.signs(Purpose.CONSENT))
    first, second, third = kiosk.send()
    assert first.reason == "insufficient_funds"
    assert (second.outcome, town.verified(second).official_number) == ("accepted", "RPT-2026-0000001")
    assert third.reason == "already_done"
    town.check()


def test_a_wrong_signer_does_not_keep_the_right_one_from_approving(town: Town) -> None:
    ana, counter = town.person(), town.counter()
    town.post("/v1/benefits/programmes", {"code": "RICE", "name": "Rice"}, "benefits_officer", status=201)
    town.fund(500_00, "benefits:RICE:fund")
    cycle = town.draft(ana)
    listed = cbor.encode([[ana.resident_id.bytes, 500_00]])
    approver = town.staff("benefits_approver").id
    say = functools.partial(CycleApproved, cycle_id=UUID(cycle["id"]), count=1, total_cents=500_00, currency="PHP")
    digest = hashlib.sha256(listed).digest()
    signs = town.staff_signs("benefits_approver")
    counter.add(say(staff_id=OFFICER, list_hash=digest), signs)
    counter.add(say(staff_id=approver, list_hash=bytes(32)), signs)
    counter.add(say(staff_id=approver, list_hash=digest), signs)
    counter.add(say(staff_id=approver, list_hash=digest), signs)
    assert [result.reason for result in counter.send()] == ["not_permitted", "wrong_amount", None, "already_done"]
    town.check()


_LATER = timedelta(minutes=6)


def test_of_several_faults_the_first_in_the_list_is_stated(town: Town, validator: Terminal) -> None:
    """From a record with every fault, one is mended at a time; what is stated moves down the list."""
    ana, kiosk, now = town.person(), town.kiosk(), town.clock.now()
    entitlement = town.cycle(ana)[ana.resident_id]
    kiosk.send_one(claim(entitlement), ana.signs(Purpose.CONSENT))
    town.run(lambda session: cards.suspend(session, ana.card.card_id, by=OFFICER, reason="To see the order", now=now))
    taken, _ = validator.make(tap(), ana.signs(P), at=now - timedelta(hours=1))
    assert validator.send_one(tap(), ana.signs(P), at=now - timedelta(hours=1), record_id=taken).outcome == "accepted"

    def stated(
        *signs: Callable[[bytes], Authorisation],
        sender: Terminal = validator,
        maker: Terminal = validator,
        record_id: UUID | None = None,
        late: bool = True,
        cents: int = 1,
        entitled: UUID = entitlement,
    ) -> str | None:
        at = town.clock.now() + (_LATER if late else timedelta())
        _, item = maker.make(claim(entitled, cents), *signs, at=at, record_id=record_id)
        return sender.send([item])[0].reason

    def stranger(record: bytes) -> Authorisation:
        return authorise(record, P, STRANGER)

    def forged(record: bytes) -> Authorisation:
        return authorise(record, Purpose.CONSENT, STRANGER, kid=ana.kid(CardSlot.SIGNATURE))

    consent, presence = ana.signs(Purpose.CONSENT), ana.signs(P)
    assert stated(stranger, presence, maker=kiosk, record_id=taken) == "wrong_terminal"
    assert stated(stranger, presence, record_id=taken) == "record_id_conflict"
    assert stated(presence, stranger) == "unknown_key"
    assert stated(presence, forged) == "missing_authorisation"
    assert stated(forged) == "invalid_signature"
    assert stated(consent) == "card_not_active"
    town.run(
        lambda session: cards.resume(
            session, ana.card.card_id, by=OFFICER, reason="Seen", holder_has_it=True, now=town.clock.now()
        )
    )
    assert stated(consent) == "from_the_future"
    assert stated(consent, late=False) == "not_permitted"
    to_kiosk = functools.partial(stated, consent, sender=kiosk, maker=kiosk, late=False)
    assert to_kiosk(entitled=UUID(int=9)) == "unknown_reference"
    assert to_kiosk() == "wrong_amount"
    assert to_kiosk(cents=500_00) == "already_done"
    town.check()
