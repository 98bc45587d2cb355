"""A bill paid in a browser: the passkey signs the record's hash, once, for one record, at this city's address."""

import base64
import hashlib
import html
import json
import re
from datetime import timedelta

import cbor2
import pytest
from flask import Flask

from cardsvc import access, taxes
from crypto import keys
from crypto.keys import Ed25519Signer
from crypto.wire.taxes import TaxPayment
from crypto.wire.transaction import Purpose, Record, Transaction, record_hash
from tests.passkeys import SoftPasskey, authenticator, unpadded
from tests.surfing import resident, words
from tests.town import Town


class Payer:
    """A resident with a bill, a wallet and a passkey, at the bill's page."""

    def __init__(self, town: Town, app: Flask, *, counter: int = 0) -> None:
        self.town, self.person = town, town.rich_person()
        [self.bill] = town.bills("100.00", person=self.person)
        self.passkey = SoftPasskey(self.person.resident_id, counter=counter)
        self.surfer = resident(town, app, self.person)
        self.passkey.register(town.city)  # after the password: a new password deletes passkeys
        self.path = f"/wallet/bills/{self.bill.id}"

    def record(self) -> bytes:
        """What the page asks the passkey to sign."""
        page = self.surfer.get(self.path)
        found = re.search(r'name="record" value="([^"]*)"', page)
        assert found is not None, page
        return base64.urlsafe_b64decode(html.unescape(found[1]))

    def pay(self, record: bytes, answer: str) -> tuple[int, str]:
        sent = self.surfer.post(self.path, record=base64.urlsafe_b64encode(record).decode(), credential=answer)
        return sent.status_code, words(sent.text)


@pytest.fixture
def payer(town: Town, app: Flask) -> Payer:
    return Payer(town, app)


def test_a_bill_is_paid_with_a_passkey_and_proved(payer: Payer) -> None:
    record = payer.record()
    status, _ = payer.pay(record, payer.passkey.answer(record))
    assert status in {302, 303}
    assert "Official receipt RPT-2026-0000001" in payer.surfer.read(payer.path)
    assert payer.town.balance(payer.person) == 10_000_00 - 101_00
    made = Record.decode(record)
    receipt = payer.town.client.get(f"/v1/receipts/{made.record_id}")
    assert receipt.status_code == 200
    assert payer.town.check().transactions >= 1


def test_the_same_page_sent_twice_pays_once(payer: Payer) -> None:
    record = payer.record()
    answer = payer.passkey.answer(record)
    assert [payer.pay(record, answer)[0] for _ in range(3)].count(409) == 0
    assert payer.town.balance(payer.person) == 10_000_00 - 101_00
    payer.town.check()


def test_pages_that_were_never_signed_leave_no_gap(payer: Payer) -> None:
    payer.record()
    one, two = payer.record(), payer.record()
    assert record_hash(one) != record_hash(two)
    payer.pay(two, payer.passkey.answer(two))
    assert (payer.town.count("device_missing"), payer.town.count("device_fork")) == (0, 0)


def refused(payer: Payer, record: bytes, answer: str, says: str = "passkey") -> None:
    status, text = payer.pay(record, answer)
    assert (status, says in text) == (409, True), text
    assert payer.town.balance(payer.person) == 10_000_00
    assert payer.town.count("passkey_key") == 0


def test_what_is_no_assertion_about_this_record_pays_nothing(payer: Payer) -> None:
    record, other = payer.record(), payer.record()
    passkey = payer.passkey
    refused(payer, record, passkey.answer(other))
    refused(payer, record, passkey.answer(record, origin="https://evil.example"))
    refused(payer, record, passkey.answer(record, type="webauthn.create"))
    refused(payer, record, passkey.answer(record, crossOrigin=True))
    for answer in ("", "{}", "[]", "null", '{"id": 1}', "x" * 30_000):
        refused(payer, record, answer)
    digest = hashlib.sha256(record).digest()
    for data in (authenticator(flags=0x01), authenticator(rp_id="evil.example"), authenticator(flags=0x45)):
        _, client, _ = passkey.parts(digest)
        refused(payer, record, passkey.wrapped(data, client, passkey.sign(data, client)))
    stranger = SoftPasskey(payer.person.resident_id)
    refused(payer, record, stranger.answer(record))
    payer.town.check()


def test_a_passkey_of_somebody_else_pays_nothing(payer: Payer) -> None:
    ben = payer.town.rich_person()
    his = SoftPasskey(ben.resident_id, credential_id=b"another-credential")
    his.register(payer.town.city)
    record = payer.record()
    refused(payer, record, his.answer(record))
    staff = SoftPasskey(payer.person.resident_id, credential_id=b"of-staff")
    staff.register(payer.town.city, kind="staff")
    refused(payer, record, staff.answer(record))


def test_a_counter_that_does_not_grow_is_a_copy(town: Town, app: Flask) -> None:
    payer = Payer(town, app, counter=7)
    record = payer.record()
    refused(payer, record, payer.passkey.answer(record))
    payer.passkey.counter = 8
    assert payer.pay(record, payer.passkey.answer(record))[0] != 409


def test_a_page_that_waited_too_long_signs_nothing(payer: Payer) -> None:
    record = payer.record()
    payer.town.clock.advance(timedelta(minutes=10, milliseconds=1))
    refused(payer, record, payer.passkey.answer(record), "too old to sign")


def test_a_record_that_the_page_did_not_make_is_refused(payer: Payer) -> None:
    made = Record.decode(payer.record())
    at = made.at_ms
    for changed in (
        Record(made.kind, made.record_id, payer.town.kiosk().device_id, 0, made.previous, at, made.body),
        Record(made.kind, made.record_id, made.terminal_id, 1, made.previous, at, made.body),
        Record(made.kind, made.record_id, made.terminal_id, 0, b"x" * 32, at, made.body),
        Record(made.kind, made.record_id, made.terminal_id, 0, made.previous, at + 1, made.body),
    ):
        encoded = changed.encode()
        refused(payer, encoded, payer.passkey.answer(encoded), "too old to sign")
    refused(payer, b"garbage", payer.passkey.answer(b"garbage"), "too old to sign")


def test_a_passkey_that_was_removed_pays_no_more_and_what_it_paid_stays_proved(payer: Payer) -> None:
    record = payer.record()
    payer.pay(record, payer.passkey.answer(record))
    [own] = payer.town.run(lambda session: access.passkeys_of(session, payer.person.resident_id))
    payer.town.run(lambda session: access.remove_passkey(session, payer.person.resident_id, own.id))
    payer.town.check()
    [bill] = payer.town.bills("5.00", person=payer.person, prefix="C")
    assert "Add a passkey" in payer.surfer.read(f"/wallet/bills/{bill.id}")
    kid = keys.key_id(payer.passkey.signer.public_key)
    assert payer.town.run(lambda session: access.passkeys_by_key(session, [kid])) == {}
    kept = payer.town.run(lambda session: access.passkeys_by_key(session, [kid], removed_too=True))
    assert kept[kid].resident_id == payer.person.resident_id


def test_a_passkey_of_another_algorithm_cannot_pay(town: Town, app: Flask) -> None:
    ana = town.rich_person()
    [bill] = town.bills("5.00", person=ana)
    public = keys.spki(Ed25519Signer.generate().public_key)[-32:]
    edwards = cbor2.dumps({1: 1, 3: -8, -1: 6, -2: public})
    surfer = resident(town, app, ana)
    SoftPasskey(ana.resident_id).register(town.city, public_key=edwards)
    page = surfer.read(f"/wallet/bills/{bill.id}")
    assert "To pay here you need a passkey that can sign." in page


def test_ones_own_bills_only_are_shown(payer: Payer, app: Flask) -> None:
    [others] = payer.town.bills("7.00", prefix="O")
    payer.surfer.get(f"/wallet/bills/{others.id}", 404)
    ben = resident(payer.town, app, payer.town.person())
    ben.get(payer.path, 404)


def test_a_wallet_that_is_short_is_told_so(town: Town, app: Flask) -> None:
    payer = Payer(town, app)
    [dear] = town.bills("99,000.00", person=payer.person, prefix="D")
    payer.path = f"/wallet/bills/{dear.id}"
    record = payer.record()
    status, text = payer.pay(record, payer.passkey.answer(record))
    assert status == 409
    assert "There is a problem" in text
    assert town.run(lambda session: taxes.bill(session, dear.number)) == dear
    town.check()


def test_a_terminal_cannot_bring_a_passkeys_signature(payer: Payer) -> None:
    """A kiosk that tricked somebody into signing its own record gets nothing for it."""
    record = payer.record()
    assert payer.pay(record, payer.passkey.answer(record))[0] != 409  # so its key is known
    [bill] = payer.town.bills("5.00", person=payer.person, prefix="C")
    kiosk = payer.town.kiosk()
    made = kiosk.record(TaxPayment(bill.id, bill.total_cents, "PHP")).encode()
    now, site = payer.town.clock.now(), access.Site("http://localhost", "Maharlika City")
    signed = payer.town.run(
        lambda session: access.sign_with_passkey(
            session, site, payer.person.resident_id, made, payer.passkey.answer(made), now
        )
    )
    assert signed.purpose is Purpose.PASSKEY
    [result] = kiosk.send([Transaction(made, (signed,)).encode()])
    assert (result.outcome, result.reason) == ("rejected", "not_permitted")
    payer.town.check()


def test_the_page_asks_the_browser_for_this_record(payer: Payer) -> None:
    page = payer.surfer.get(payer.path)
    options = json.loads(html.unescape(re.search(r'data-options="([^"]*)"', page)[1]))  # type: ignore[index]
    assert options["userVerification"] == "required"
    assert options["rpId"] == "localhost"
    assert [each["id"] for each in options["allowCredentials"]] == [unpadded(payer.passkey.credential_id)]
    assert len(options["challenge"]) == 43
