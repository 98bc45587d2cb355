import subprocess
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key

from crypto.errors import InvalidSignature, MalformedMessage, UntrustedCertificate
from crypto.keys import SoftwareSigner
from crypto.pki import CardSlot, PathRules, Revoked, check_crl, create_crl, verify_path
from tests import judging
from tests.crypto.authorities import NOW, Tree, years

TREE = Tree()
AUTHORITY, ROOT = TREE.authority, TREE.root
CARD = TREE.card(CardSlot.CARD_AUTH)
TODAY = NOW.replace(hour=0)
REASON = x509.ReasonFlags
LOST = Revoked(CARD.serial_number, TODAY - timedelta(days=2), REASON.key_compromise)
OTHER = Revoked(2**64 + 99, TODAY - timedelta(days=1))


def made(*revoked: Revoked, number: int = 7, base: int | None = None) -> bytes:
    return create_crl(
        revoked,
        issuer=AUTHORITY,
        signer=TREE.authority_key,
        number=number,
        this_update=TODAY,
        next_update=TODAY + timedelta(days=1),
        base_number=base,
    )


def root_list(*revoked: Revoked) -> bytes:
    until = TODAY + timedelta(days=1)
    return create_crl(revoked, issuer=ROOT, signer=TREE.root_key, number=1, this_update=TODAY, next_update=until)


def test_a_list_says_what_it_was_made_of() -> None:
    crl = check_crl(made(LOST, OTHER), AUTHORITY, NOW)
    assert (crl.number, crl.base_number, crl.this_update, crl.issuer) == (7, None, TODAY, AUTHORITY)
    assert dict(crl.entries) == {LOST.serial: LOST, OTHER.serial: OTHER}


def test_the_same_list_has_the_same_bytes_whatever_the_order() -> None:
    assert made(LOST, OTHER) == made(OTHER, LOST)


def test_an_empty_list_is_a_list() -> None:
    assert dict(check_crl(made(), AUTHORITY, NOW).entries) == {}


def test_a_delta_names_its_base() -> None:
    crl = check_crl(made(OTHER, number=9, base=7), AUTHORITY, NOW)
    assert (crl.number, crl.base_number) == (9, 7)


def test_a_fifty_year_list_changes_to_the_long_form_of_time() -> None:
    late = datetime(2051, 1, 1, tzinfo=UTC)
    data = create_crl(
        [Revoked(5, late)], issuer=AUTHORITY, signer=TREE.authority_key, number=1, this_update=TODAY, next_update=late
    )
    crl = check_crl(data, AUTHORITY, NOW)
    assert (crl.next_update, crl.entries[5].at) == (late, late)


def test_a_fresh_list_revokes_and_a_delta_revokes_and_takes_back() -> None:
    def holds(*lists: bytes) -> bool:
        try:
            verify_path(CARD, [AUTHORITY], [ROOT], NOW, crls=[root_list(), *lists])
        except UntrustedCertificate as error:
            return "revoked" not in str(error)
        return True

    assert holds(made(OTHER))
    assert not holds(made(OTHER, LOST))
    assert not holds(made(OTHER), made(LOST, number=8, base=7))
    held = replace(LOST, reason=REASON.certificate_hold)
    released = replace(LOST, reason=REASON.remove_from_crl)
    assert holds(made(held), made(released, number=8, base=7))
    assert not holds(made(held), made(released, number=5, base=4)), "an older delta takes nothing back"
    assert not holds(made(held, number=7), made(released, number=12, base=9)), "it builds on a list that is not here"


def test_of_two_whole_lists_the_newer_counts() -> None:
    with pytest.raises(UntrustedCertificate, match="revoked"):
        verify_path(CARD, [AUTHORITY], [ROOT], NOW, crls=[made(), made(LOST, number=8), root_list()])


def test_with_lists_each_certificate_of_the_path_must_be_covered() -> None:
    with pytest.raises(UntrustedCertificate, match="No revocation list covers"):
        verify_path(CARD, [AUTHORITY], [ROOT], NOW, crls=[made()])
    with pytest.raises(UntrustedCertificate, match="a newer one is due"):
        verify_path(CARD, [AUTHORITY], [ROOT], NOW + timedelta(days=2), crls=[made(), root_list()])
    assert verify_path(CARD, [AUTHORITY], [ROOT], NOW, crls=[made(), root_list()]).revocation_checked
    assert not verify_path(CARD, [AUTHORITY], [ROOT], NOW).revocation_checked


def test_a_revoked_authority_takes_its_cards_with_it() -> None:
    fallen = Revoked(AUTHORITY.serial_number, TODAY, REASON.ca_compromise)
    with pytest.raises(UntrustedCertificate, match="revoked"):
        verify_path(CARD, [AUTHORITY], [ROOT], NOW, crls=[made(), root_list(fallen)], rules=PathRules())


def test_a_list_of_another_key_or_changed_or_stale_is_refused() -> None:
    data = made(LOST)
    with pytest.raises(UntrustedCertificate, match="another issuer's"):
        check_crl(data, ROOT, NOW)
    with pytest.raises(InvalidSignature):
        check_crl(data[:-1] + bytes((data[-1] ^ 1,)), AUTHORITY, NOW)
    for at in (TODAY - timedelta(seconds=1), TODAY + timedelta(days=1, seconds=1)):
        with pytest.raises(UntrustedCertificate, match="newer one is due"):
            check_crl(data, AUTHORITY, at)
    with pytest.raises(MalformedMessage):
        check_crl(data + b"\0", AUTHORITY, NOW)
    with pytest.raises(MalformedMessage, match="more than"):
        check_crl(bytes(2**23 + 1), AUTHORITY, NOW)


def foreign(*extensions: tuple[x509.ExtensionType, bool], entry: x509.ExtensionType | None = None) -> bytes:
    """A list of the library's making, with a good number unless another is given."""
    revoked = x509.RevokedCertificateBuilder().serial_number(1).revocation_date(TODAY)
    if entry is not None:
        revoked = revoked.add_extension(entry, critical=True)
    builder = x509.CertificateRevocationListBuilder(AUTHORITY.subject, TODAY, TODAY + timedelta(days=1))
    for value, critical in extensions:
        builder = builder.add_extension(value, critical)
    crl = builder.add_revoked_certificate(revoked.build()).sign(private(TREE.authority_key), hashes.SHA256())
    return crl.public_bytes(Encoding.DER)


def private(signer: SoftwareSigner) -> ec.EllipticCurvePrivateKey:
    return signer._private_key


NUMBER = (x509.CRLNumber(3), False)
PARTIAL = x509.IssuingDistributionPoint(
    full_name=None,
    relative_name=None,
    only_contains_user_certs=True,
    only_contains_ca_certs=False,
    only_some_reasons=None,
    indirect_crl=False,
    only_contains_attribute_certs=False,
)
UNKNOWN = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.3.6.1.4.1.99999.1"), b"\x05\x00")


def test_a_partial_or_unnumbered_list_or_one_that_is_not_understood_is_refused() -> None:
    check_crl(foreign(NUMBER, (UNKNOWN, False)), AUTHORITY, NOW)
    for data in (
        foreign(),
        foreign((x509.CRLNumber(3), True)),
        foreign(NUMBER, (PARTIAL, True)),
        foreign(NUMBER, (UNKNOWN, True)),
        foreign(NUMBER, (x509.DeltaCRLIndicator(2), False)),
        foreign(NUMBER, entry=UNKNOWN),
        foreign(NUMBER, entry=x509.CertificateIssuer([x509.DirectoryName(ROOT.subject)])),
        foreign(NUMBER, (x509.AuthorityKeyIdentifier(bytes(20), None, None), False)),
    ):
        with pytest.raises(UntrustedCertificate):
            check_crl(data, AUTHORITY, NOW)


def test_a_foreign_list_without_a_number_can_be_taken_and_a_delta_cannot() -> None:
    assert check_crl(foreign(), AUTHORITY, NOW, conforming=False).number == 0
    with pytest.raises(UntrustedCertificate, match="no number"):
        check_crl(foreign((x509.DeltaCRLIndicator(2), True)), AUTHORITY, NOW, conforming=False)


def test_a_card_signs_no_lists() -> None:
    with pytest.raises(UntrustedCertificate, match="may not sign"):
        create_crl([], issuer=CARD, signer=TREE.card_key, number=1, this_update=TODAY, next_update=TODAY + timedelta(1))


def test_a_list_that_could_not_be_accepted_is_not_made() -> None:
    with pytest.raises(UntrustedCertificate, match="does not hold"):
        create_crl([], issuer=AUTHORITY, signer=TREE.root_key, number=1, this_update=TODAY, next_update=years(9))
    for number, base in ((-1, None), (2**160, None), (3, 3), (3, -1)):
        with pytest.raises(MalformedMessage, match="number"):
            made(number=number, base=base)
    with pytest.raises(MalformedMessage, match="twice"):
        made(LOST, LOST)
    with pytest.raises(MalformedMessage, match="Only a delta"):
        made(replace(LOST, reason=REASON.remove_from_crl))
    for serial in (0, -1, 2**160):
        with pytest.raises(MalformedMessage, match="serial number"):
            made(replace(LOST, serial=serial))
    for at in (TODAY.replace(tzinfo=None), TODAY.replace(microsecond=1)):
        with pytest.raises(MalformedMessage, match="whole seconds"):
            made(replace(LOST, at=at))


@pytest.mark.judge
def test_openssl_reads_the_list_and_refuses_the_revoked_card(tmp_path: Path) -> None:
    openssl = judging.require("openssl")
    trusted = b"".join(item.public_bytes(Encoding.PEM) for item in (ROOT, AUTHORITY))
    (tmp_path / "pinned.pem").write_bytes(trusted)
    (tmp_path / "card.pem").write_bytes(CARD.public_bytes(Encoding.PEM))

    def verify(*lists: bytes) -> str:
        pem = b"".join(x509.load_der_x509_crl(data).public_bytes(Encoding.PEM) for data in lists)
        (tmp_path / "lists.pem").write_bytes(pem)
        options = "-crl_check_all -CAfile pinned.pem -CRLfile lists.pem -attime"
        command = [openssl, "verify", *options.split(), str(int(NOW.timestamp())), "card.pem"]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
        return "OK" if done.returncode == 0 else done.stderr

    assert verify(made(OTHER), root_list()) == "OK"
    assert "certificate revoked" in verify(made(OTHER, LOST), root_list())
    assert "unable to get certificate CRL" in verify(root_list())


@pytest.mark.parametrize("critical", [True, False])
@pytest.mark.parametrize(
    "scope",
    [
        x509.IssuingDistributionPoint(None, None, False, True, None, False, False),
        x509.IssuingDistributionPoint(None, None, False, False, frozenset([REASON.key_compromise]), False, False),
        x509.IssuingDistributionPoint(None, None, False, False, None, True, False),
    ],
    ids=["authorities only", "some reasons", "indirect"],
)
def test_a_list_of_a_part_is_never_taken_for_the_whole(scope: x509.IssuingDistributionPoint, critical: bool) -> None:
    key = load_pem_private_key(TREE.authority_key.to_pem(), None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    crl = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(AUTHORITY.subject)
        .last_update(TODAY)
        .next_update(TODAY + timedelta(days=1))
        .add_extension(x509.CRLNumber(1), critical=False)
        .add_extension(scope, critical=critical)
        .sign(key, hashes.SHA256())
    )
    with pytest.raises(UntrustedCertificate, match="part of the certificates"):
        check_crl(crl.public_bytes(Encoding.DER), AUTHORITY, NOW)
