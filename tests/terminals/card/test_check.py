import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from terminals import card
from terminals.card import DataObject, PivSession, Slot
from terminals.card.check import Check, Report
from terminals.card.commands import card as card_command
from tests.card_builders import CARD_ID, NOT_AFTER, NOT_BEFORE, PIN, CardAuthority, IssuedCard, chuid, secret
from tests.pcsc_fixtures import PcscSlot

NOW = datetime(2026, 11, 2, 8, 0, tzinfo=UTC)


def authority_certificate(key: ec.EllipticCurvePrivateKey | None = None) -> x509.Certificate:
    authority = CardAuthority()
    return (
        x509.CertificateBuilder()
        .subject_name(authority.name)
        .issuer_name(authority.name)
        .public_key((key or authority.key).public_key())
        .serial_number(1)
        .not_valid_before(NOT_BEFORE)
        .not_valid_after(NOT_AFTER)
        .sign(key or authority.key, hashes.SHA256())
    )


def check(inserted: card.SimulatedCard, pin: bytes | None = None, *authorities: x509.Certificate) -> Report:
    reader = card.LocalReader()
    reader.insert(inserted)
    with PivSession(reader.connect()) as session:
        return Check(session, NOW, authorities).run(secret(pin) if pin is not None else None)


def test_an_issued_card_passes_every_step(issued: IssuedCard) -> None:
    report = check(issued.card, PIN, authority_certificate())
    assert report.ok, report.verdict
    assert report.verdict == "This is a citizen card and it works."
    assert report.card_id == CARD_ID
    assert [step.name for step in report.steps][-1] == "signature (9C)"
    assert len(report.steps) == 7


def test_without_an_authority_the_issuer_is_named_but_not_believed(issued: IssuedCard) -> None:
    report = check(issued.card)
    issuer = next(step for step in report.steps if step.name == "issuer")
    assert "not checked" in issuer.detail


def test_a_blank_card_is_not_personalised() -> None:
    report = check(card.SimulatedCard.blank())
    assert (report.ok, report.code) == (False, "card_object_missing")
    assert "counter" in report.verdict


def test_another_authority_is_refused(issued: IssuedCard) -> None:
    other = authority_certificate(ec.derive_private_key(99, ec.SECP256R1()))
    report = check(issued.card, None, other)
    assert report.code == "card_check_failed"
    assert "not issued by" in report.verdict


def test_an_expired_card_is_refused(issued: IssuedCard) -> None:
    issued.card.state.objects[DataObject.CHUID.value] = chuid(expires="20261101")
    assert "expired on 2026-11-01" in check(issued.card).verdict


def test_a_certificate_of_another_card_is_refused(issued: IssuedCard) -> None:
    other = CardAuthority().certify(
        issued.public_keys[Slot.CARD_AUTHENTICATION],
        Slot.CARD_AUTHENTICATION,
        card_id=CARD_ID.__class__(int=1),
    )
    tag = DataObject.certificate(Slot.CARD_AUTHENTICATION).value
    issued.card.state.objects[tag] = card.encode_certificate(other)
    assert "belongs to another card" in check(issued.card).verdict


@pytest.mark.parametrize("der", [b"", b"not a certificate"])
def test_an_unreadable_certificate_is_refused(issued: IssuedCard, der: bytes) -> None:
    tag = DataObject.certificate(Slot.SIGNATURE).value
    issued.card.state.objects[tag] = card.encode_certificate(der)
    assert "cannot be read" in check(issued.card).verdict


def test_a_copy_of_the_data_without_the_key_is_refused(issued: IssuedCard) -> None:
    issued.card.state.keys[Slot.CARD_AUTHENTICATION] = 12345
    report = check(issued.card)
    assert report.code == "card_not_genuine"


def test_a_certificate_past_its_time_is_refused_by_its_own_reason(issued: IssuedCard) -> None:
    reader = card.LocalReader()
    reader.insert(issued.card)
    issued.card.state.objects[DataObject.CHUID.value] = chuid(expires="20401231")
    with PivSession(reader.connect()) as session:
        report = Check(session, NOT_AFTER + timedelta(days=1)).run()
    assert (report.ok, report.fault) == (False, "certificate_expired")


def test_a_list_that_names_the_card_refuses_it_and_a_stale_or_foreign_list_is_none(issued: IssuedCard) -> None:
    def report(*, serial: int, due: datetime) -> Report:
        authority = CardAuthority()
        revoked = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(NOT_BEFORE).build()
        found = (
            x509.CertificateRevocationListBuilder()
            .issuer_name(authority.name)
            .last_update(NOT_BEFORE)
            .next_update(due)
            .add_revoked_certificate(revoked)
            .sign(authority.key, hashes.SHA256())
        )
        reader = card.LocalReader()
        reader.insert(issued.card)
        with PivSession(reader.connect()) as session:
            return Check(session, NOW, [authority_certificate()], revocation_lists=[found]).run()

    assert report(serial=7, due=NOT_AFTER).ok
    assert report(serial=1000 + Slot.CARD_AUTHENTICATION, due=NOT_AFTER).fault == "certificate_revoked"
    assert report(serial=7, due=NOW - timedelta(days=1)).fault == "revocation_unknown"


def test_without_contact_only_presence_is_checked(issued: IssuedCard) -> None:
    reader = card.LocalReader(interface=card.Interface.CONTACTLESS)
    reader.insert(issued.card)
    with PivSession(reader.connect()) as session:
        report = Check(session, NOW, [authority_certificate()]).run()
    assert report.ok, report.verdict
    assert [slot for slot, _ in report.keys] == [Slot.CARD_AUTHENTICATION]


def test_a_wrong_pin_and_a_blocked_one_are_told_apart(issued: IssuedCard) -> None:
    assert check(issued.card, b"000000").code == "pin_rejected"
    issued.card.state.pin_tries_left = 0
    assert "blocked" in check(issued.card, PIN).verdict


def test_a_card_pulled_out_in_the_middle_is_a_verdict_too(issued: IssuedCard) -> None:
    reader = card.LocalReader()
    reader.insert(issued.card)
    session = PivSession(reader.connect())
    reader.remove()
    assert Check(session, NOW).run().code == "card_removed"


@pytest.mark.pcsc
def test_the_command_checks_the_card_in_the_reader(pcsc_slot: PcscSlot, issued: IssuedCard, tmp_path: Path) -> None:
    authority = tmp_path / "authority.pem"
    authority.write_bytes(authority_certificate().public_bytes(Encoding.PEM))
    pcsc_slot.insert(issued.card)
    arguments = ["check", "--reader", pcsc_slot.reader_name, "--authority", str(authority), "--sign-with-pin", "--json"]
    done = CliRunner().invoke(card_command, arguments, input=PIN.decode() + "\n")
    document = json.loads(done.output)
    assert done.exit_code == 0, document
    assert document["card_id"] == str(CARD_ID)
    assert [step["ok"] for step in document["steps"]] == [True] * 7
    plain = CliRunner().invoke(card_command, ["check", "--reader", pcsc_slot.reader_name])
    assert plain.exit_code == 0
    assert "This is a citizen card and it works." in plain.output


@pytest.mark.pcsc
def test_the_command_says_what_is_missing(pcsc_slot: PcscSlot) -> None:
    empty = CliRunner().invoke(card_command, ["check", "--reader", pcsc_slot.reader_name, "--wait", "0", "--json"])
    assert (empty.exit_code, json.loads(empty.output)["code"]) == (1, "no_card")
    other = CliRunner().invoke(card_command, ["check", "--reader", "ACR1252", "--json"])
    assert (other.exit_code, json.loads(other.output)["code"]) == (1, "reader_unavailable")
    listed = CliRunner().invoke(card_command, ["readers", "--json"])
    assert pcsc_slot.reader_name in [one["name"] for one in json.loads(listed.output)["readers"]]
