"""Our terminal code against cards we did not write: jcecard 0.1.0, a PIV card; and vicc's, which are none."""

import hashlib
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils

from terminals import card
from terminals.card import DataObject, ManagementAlgorithm, PivSession, Slot
from terminals.card.apdu import AID_PIV_RID
from terminals.card.check import Check
from tests.card_builders import CARD_ID, IssuedCard, personalise, secret
from tests.judges.environments import ROOT, judge_python
from tests.judging import require, require_file
from tests.pcsc_fixtures import PcscSlot

pytestmark = [pytest.mark.pcsc, pytest.mark.judge]

TDES = ManagementAlgorithm.TDES
BRIDGE = Path(__file__).parents[2] / "judges" / "jcecard_bridge.py"
VICC_LIBRARY = Path("/usr/lib/python3/site-packages/virtualsmartcard")  # where Debian puts it, on no path
DIGEST = hashlib.sha256(b"a record").digest()

# What that card does otherwise than the standard, and what our session makes of it. Each is asserted below.
DEVIATIONS = {
    "aid": "it knows only the five-byte AID: select falls back to it",
    "template": "its answer to SELECT has no 61 around it: the content is read",
    "9C twice": "it signs with 9C as often as wanted after one PIN: the session asks for the PIN itself",
    "verified": "it never says that the PIN is verified: the status shows the tries only",
    "tries": "three tries, not five: the session counts what the card says",
    "log out": "it does not know VERIFY with P1=FF: logging out is refused, closing the connection is what counts",
    "product": "it has no command for a new management key: refused at intake",
}


@contextmanager
def foreign(slot: PcscSlot, *options: str) -> Iterator[None]:
    process = subprocess.Popen(
        [judge_python("jcecard"), str(BRIDGE), str(slot.slot.port), *options],
        env=slot.environment | {"PYTHONPATH": str(ROOT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line == b"inserted\n", process.communicate()[1].decode()
        yield
    finally:
        process.communicate()
        slot.emptied()


@contextmanager
def selected(slot: PcscSlot) -> Iterator[PivSession]:
    assert slot.reader.wait_for_card(5)
    with PivSession(slot.reader.connect()) as session:
        session.select()
        yield session


def issue(session: PivSession) -> dict[Slot, bytes]:
    session.authenticate_management(card.factory_key(TDES), TDES)
    return personalise(session)


def test_a_foreign_card_is_issued_and_checked(pcsc_slot: PcscSlot) -> None:
    held = 0
    with foreign(pcsc_slot):
        assert pcsc_slot.reader.wait_for_card(5)
        with PivSession(pcsc_slot.reader.connect()) as session:
            assert session.select().aid == AID_PIV_RID
            held += 1
            with pytest.raises(card.WrongManagementKey):
                session.authenticate_management(bytes(24), TDES)
            with pytest.raises(card.NotAllowed):
                session.generate(Slot.CARD_AUTHENTICATION)
            held += 2
            certificates = issue(session)
            for slot in Slot:
                assert session.read_certificate(slot) == certificates[slot]
                held += 1
            assert session.read_chuid().guid == CARD_ID
            assert session.read_discovery() is None
            held += 2
            for length in (1, 255, 256, 1800):
                session.put_data(DataObject.SECURITY, bytes([length % 256]) * length)
                assert session.get_data(DataObject.SECURITY) == bytes([length % 256]) * length
                held += 1
            with pytest.raises(card.ObjectMissing):
                session.get_data(DataObject.PRINTED)
            with pytest.raises(card.ProductUnsupported):
                session.set_management_key(card.product_of(session.atr), bytes(24), TDES)
            held += 2
        with PivSession(pcsc_slot.reader.connect()) as session:
            report = Check(session, datetime(2026, 11, 2, tzinfo=UTC)).run(secret(b"123456"))
            assert report.ok, report.verdict
            assert len(report.steps) == 7
            held += 7
    assert held == 21


def test_a_foreign_cards_pin_counts_blocks_and_opens(pcsc_slot: PcscSlot) -> None:
    held = 0
    with foreign(pcsc_slot), selected(pcsc_slot) as session:
        for left in (2, 1):
            with pytest.raises(card.PinRejected) as refusal:
                session.verify_pin(secret(b"000000"))
            assert refusal.value.attempts_left == left
            held += 1
        with pytest.raises(card.LastPinTry):
            session.verify_pin(secret(b"000000"))
        assert session.pin_status() == card.PinStatus(verified=False, attempts_left=1)
        with pytest.raises(card.PinBlocked):
            session.verify_pin(secret(b"000000"), last_try=True)
        assert session.pin_status().blocked
        with pytest.raises(card.PinBlocked):
            session.verify_pin(secret(b"123456"))
        held += 5
        with pytest.raises(card.PukRejected) as wrong_puk:
            session.reset_retry_counter(secret(b"00000000"), secret(b"654321"))
        assert wrong_puk.value.attempts_left == 2
        session.reset_retry_counter(secret(b"12345678"), secret(b"654321"))
        session.verify_pin(secret(b"654321"))
        held += 3
        session.change_pin(secret(b"654321"), secret(b"11223344"))
        session.change_puk(secret(b"12345678"), secret(b"87654321"))
        session.verify_pin(secret(b"11223344"))
        assert session.pin_status() == card.PinStatus(verified=False, attempts_left=3)
        with pytest.raises(card.UnexpectedStatus):
            session.log_out()
        held += 5
        for left in (2, 1):
            with pytest.raises(card.PukRejected) as wrong_puk:
                session.change_puk(secret(b"00000000"), secret(b"11111111"))
            assert wrong_puk.value.attempts_left == left
            held += 1
        with pytest.raises(card.PukBlocked):
            session.reset_retry_counter(secret(b"00000000"), secret(b"111111"))
        held += 1
    assert held == 18


def test_a_foreign_cards_keys_sign_by_our_rules(pcsc_slot: PcscSlot) -> None:
    with foreign(pcsc_slot), selected(pcsc_slot) as session:
        session.authenticate_management(card.factory_key(TDES), TDES)
        keys = {slot: session.generate(slot) for slot in Slot}

        def signs(slot: Slot) -> None:
            signature = card.der_signature(session.sign_digest(slot, DIGEST))
            keys[slot].verify(signature, DIGEST, ec.ECDSA(utils.Prehashed(hashes.SHA256())))

        for _ in range(20):  # half of a card's signatures have a high s, and DER lengths vary
            signs(Slot.CARD_AUTHENTICATION)
        for slot in (Slot.AUTHENTICATION, Slot.SIGNATURE):
            with pytest.raises(card.NotAllowed):
                signs(slot)
        session.verify_pin(secret(b"123456"))
        signs(Slot.SIGNATURE)
        with pytest.raises(card.NotAllowed):
            signs(Slot.SIGNATURE)
        for _ in range(2):
            signs(Slot.AUTHENTICATION)
        with pytest.raises(card.CardNotGenuine):
            session.prove_possession(Slot.CARD_AUTHENTICATION, keys[Slot.SIGNATURE])
    with foreign(pcsc_slot), selected(pcsc_slot) as session, pytest.raises(card.KeyMissing):
        session.sign_digest(Slot.CARD_AUTHENTICATION, DIGEST)


def test_a_foreign_card_that_forges_its_signature_is_found(pcsc_slot: PcscSlot) -> None:
    with foreign(pcsc_slot, "forge"):
        with selected(pcsc_slot) as session:
            issue(session)
        with PivSession(pcsc_slot.reader.connect()) as session:
            report = Check(session, datetime(2026, 11, 2, tzinfo=UTC)).run()
    assert not report.ok
    assert report.code == "card_not_genuine"


def test_a_card_that_is_not_piv_is_no_citizen_card(pcsc_slot: PcscSlot) -> None:
    library = require_file(VICC_LIBRARY, "vsmartcard-vpicc")
    with subprocess.Popen(
        [
            *(judge_python("vicc"), require("vicc", "vsmartcard-vpicc")),
            *("--type", "iso7816", "--port", str(pcsc_slot.slot.port)),
        ],
        env=pcsc_slot.environment | {"PYTHONPATH": str(library)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        try:
            assert pcsc_slot.reader.wait_for_card(10), "vicc did not come up"
            with PivSession(pcsc_slot.reader.connect()) as session:
                report = Check(session, datetime(2026, 11, 2, tzinfo=UTC)).run()
        finally:
            process.kill()
            pcsc_slot.emptied()
    assert report.code == "not_a_piv_card"
    assert report.verdict == "This is not a citizen card; use the card the city issued."


def test_the_same_question_to_a_citizen_card_has_the_other_answer(pcsc_slot: PcscSlot, issued: IssuedCard) -> None:
    pcsc_slot.insert(issued.card)
    with PivSession(pcsc_slot.reader.connect()) as session:
        assert Check(session, datetime(2026, 11, 2, tzinfo=UTC)).run().ok
