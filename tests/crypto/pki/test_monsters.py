"""Certificates made to keep a validator busy for ever. Each ends at once, in a refusal that says what was too much."""

import itertools
from ipaddress import IPv4Network

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID, ObjectIdentifier

from crypto.errors import CryptoError, MalformedMessage, TooMuchWork, UntrustedCertificate
from crypto.pki import Limits, PathRules, der, load_certificate, verify_path
from crypto.pki.files import load_foreign
from tests.crypto.pki.forge import CA_USAGE, MIDDLE, NOW, ROOT, Issuer, anchor, key, name

NAMES = 1_500


def mesh(size: int) -> tuple[list[Issuer], list[x509.Certificate]]:
    """Authorities that have all certified each other."""
    issuers = [Issuer(name(f"authority {number}"), 100 + number) for number in range(size)]
    return issuers, [above.authority(below) for above, below in itertools.permutations(issuers, 2)]


def no_room() -> list[tuple[x509.ExtensionType, bool]]:
    return [(x509.BasicConstraints(ca=True, path_length=0), True)]


def test_authorities_that_certify_each_other_and_nobody_else_lead_nowhere() -> None:
    issuers, crossed = mesh(12)
    with pytest.raises(UntrustedCertificate, match="does not lead to a trust anchor"):
        verify_path(issuers[0].leaf(), crossed, [anchor()], NOW)


def test_a_mesh_in_which_every_path_is_bad_is_left_when_the_budget_is_spent() -> None:
    """The root may have one authority below it, each path but one has more; and that one's leaf is another's."""
    issuers, crossed = mesh(12)
    crossed.append(ROOT.authority(issuers[0], no_room()))
    with pytest.raises(TooMuchWork):
        verify_path(issuers[5].leaf(), crossed, [anchor(no_room())], NOW)


def test_a_mesh_with_a_good_path_is_no_harm() -> None:
    issuers, crossed = mesh(12)
    crossed.append(ROOT.authority(issuers[0]))
    root = anchor()
    assert verify_path(issuers[5].leaf(), crossed, [root], NOW).path[-1] == root


def test_a_loop_of_one_authority_under_two_keys_ends() -> None:
    one, two = Issuer(name("same"), 51), Issuer(name("same"), 52)
    with pytest.raises(UntrustedCertificate):
        verify_path(one.leaf(), [one.authority(two), two.authority(one)], [anchor()], NOW)


@pytest.mark.parametrize("same_key", [True, False])
def test_a_hundred_renewals_of_one_authority_are_not_all_tried(same_key: bool) -> None:
    numbers = [2] * 100 if same_key else list(range(2, 102))
    chain = [Issuer(name("again"), number) for number in numbers]
    renewals = [
        above.certify(below.name, below.key.public_key(), authority=True, serial=2**64 + serial)
        for serial, (above, below) in enumerate(itertools.pairwise(chain))
    ]
    without_key_ids = Issuer(name("again"), 9_999)
    with pytest.raises(UntrustedCertificate):
        verify_path(without_key_ids.leaf(), [*renewals, ROOT.authority(chain[0])], [anchor()], NOW)


def test_more_certificates_than_anybody_needs_are_not_searched() -> None:
    with pytest.raises(TooMuchWork, match="256"):
        verify_path(ROOT.leaf(), [MIDDLE.leaf()] * 10_000, [anchor()], NOW)


def test_a_hundred_certificates_with_the_issuers_name_and_bad_signatures_cost_no_more_than_the_budget() -> None:
    """All claim to be the authority above the leaf; none has its key, and key identifiers can be copied."""
    claimed = x509.SubjectKeyIdentifier.from_public_key(MIDDLE.key.public_key())
    crowd = [
        ROOT.certify(MIDDLE.name, key(1_000 + number).public_key(), [(claimed, False)], authority=True)
        for number in range(200)
    ]
    with pytest.raises(TooMuchWork, match="signature"):
        verify_path(MIDDLE.leaf(), crowd, [anchor()], NOW)


def test_thousands_of_names_under_thousands_of_constraints_are_not_compared() -> None:
    permitted = [x509.DNSName(f"p{number}.example") for number in range(NAMES)]
    excluded = [x509.DNSName(f"x{number}.example") for number in range(NAMES)]
    root = anchor([(x509.NameConstraints([*permitted, x509.DNSName("example")], excluded), True)])
    leaf = ROOT.leaf([(x509.SubjectAlternativeName(permitted), False)])
    with pytest.raises(TooMuchWork, match="constraints"):
        verify_path(leaf, [], [root], NOW)


def test_a_few_names_under_thousands_of_constraints_are() -> None:
    excluded = [x509.IPAddress(IPv4Network((number << 16, 16))) for number in range(NAMES)]
    root = anchor([(x509.NameConstraints(None, excluded), True)])
    verify_path(ROOT.leaf([(x509.SubjectAlternativeName([x509.DNSName("a.example")]), False)]), [], [root], NOW)


def test_thousands_of_mail_addresses_in_a_subject_are_not_compared() -> None:
    subject = x509.Name([x509.NameAttribute(NameOID.EMAIL_ADDRESS, f"a{number}@b.example") for number in range(1_500)])
    permitted = [x509.RFC822Name(f"p{number}.example") for number in range(NAMES)]
    root = anchor([(x509.NameConstraints(permitted, None), True)])
    with pytest.raises((TooMuchWork, UntrustedCertificate)):
        verify_path(ROOT.certify(subject, key(9).public_key()), [], [root], NOW)


def test_a_certificate_of_more_than_64_kib_is_not_read() -> None:
    names = x509.SubjectAlternativeName([x509.DNSName(f"host{number}.example") for number in range(20_000)])
    with pytest.raises(UntrustedCertificate, match="65536"):
        verify_path(ROOT.leaf([(names, False)]), [], [anchor()], NOW)
    large = ROOT.certify(MIDDLE.name, MIDDLE.key.public_key(), [(names, False)], authority=True)
    with pytest.raises(UntrustedCertificate, match="anchor"):
        verify_path(MIDDLE.leaf(), [large], [anchor()], NOW)


def test_hundreds_of_extensions_are_not_looked_at() -> None:
    extras = [
        (x509.UnrecognizedExtension(ObjectIdentifier(f"1.3.6.1.4.1.99999.{number}"), b"\x05\x00"), False)
        for number in range(300)
    ]
    with pytest.raises(UntrustedCertificate, match="64 extensions"):
        verify_path(ROOT.leaf(extras), [], [anchor()], NOW)


@pytest.mark.parametrize(
    ("bits", "exponent"),
    [
        (1024, 65_537),
        (2047, 65_537),
        (16_384, 65_537),
        (200_000, 65_537),
        (4096, 3),
        (4096, 2**2_000 + 1),
        (2048, 2**33),
    ],
)
def test_rsa_keys_of_any_size_and_exponent_are_measured_before_they_are_used(bits: int, exponent: int) -> None:
    """The key stands in an authority, so that a signature would be checked with it."""
    modulus = (1 << bits) - 1
    try:
        monster = rsa.RSAPublicNumbers(exponent, modulus).public_key()
    except ValueError:  # the library makes no such key; somebody else's does
        certificate = with_rsa_key(bits, exponent)
    else:
        certificate = ROOT.certify(MIDDLE.name, monster, authority=True)
    with pytest.raises(CryptoError):
        verify_path(certificate, [], [anchor()], NOW)
    with pytest.raises(UntrustedCertificate):
        verify_path(MIDDLE.leaf(), [certificate], [anchor()], NOW)


def with_rsa_key(bits: int, exponent: int) -> x509.Certificate:
    """A certificate whose key is replaced; its signature is no longer good, but the key is met first."""
    certificate = ROOT.certify(MIDDLE.name, rsa.RSAPublicNumbers(65_537, (1 << 2048) - 1).public_key(), authority=True)
    numbers = der.encode(der.SEQUENCE, der.integer((1 << bits) - 1), der.integer(exponent))
    algorithm = der.encode(der.SEQUENCE, der.oid("1.2.840.113549.1.1.1"), der.encode(der.NULL))
    content, *rest = der.read_all(der.read_only(certificate.public_bytes(Encoding.DER), der.SEQUENCE).content)
    elements = [element.raw for element in der.read_all(content.content)]
    elements[6] = der.encode(der.SEQUENCE, algorithm, der.encode(0x03, b"\x00", numbers))
    return load_foreign(
        der.encode(der.SEQUENCE, der.encode(der.SEQUENCE, *elements), *(element.raw for element in rest))
    )


def test_policies_that_map_to_each_other_on_every_level_stay_few() -> None:
    """A tree of them would have 60 to the power of 7 nodes (CVE-2023-0464); the graph has 60 a level."""
    policies = [ObjectIdentifier(f"1.3.6.1.4.1.99999.{number}") for number in range(60)]
    stated = x509.CertificatePolicies([x509.PolicyInformation(item, None) for item in policies])
    pairs = b"".join(
        der.encode(der.SEQUENCE, der.oid(item.dotted_string), der.oid(policies[(at + step) % 60].dotted_string))
        for at, item in enumerate(policies)
        for step in (1,)
    )
    mapped = x509.UnrecognizedExtension(ObjectIdentifier("2.5.29.33"), der.encode(der.SEQUENCE, pairs))
    chain = [ROOT, *(Issuer(name(f"level {number}"), 200 + number) for number in range(8))]
    above = [upper.authority(lower, [(stated, False), (mapped, True)]) for upper, lower in itertools.pairwise(chain)]
    leaf = chain[-1].leaf([(stated, False)])
    verified = verify_path(leaf, above, [anchor()], NOW, rules=PathRules(require_policy=True))
    assert verified.policies == set(policies)


def test_more_policies_than_anybody_has_are_refused() -> None:
    policies = [x509.PolicyInformation(ObjectIdentifier(f"1.3.6.1.4.1.99999.{at}"), None) for at in range(65)]
    with pytest.raises(UntrustedCertificate, match="64 policies"):
        verify_path(ROOT.leaf([(x509.CertificatePolicies(policies), False)]), [], [anchor()], NOW)


def test_sequences_inside_sequences_do_not_exhaust_the_stack() -> None:
    nested = b"\x05\x00"
    for _ in range(5_000):
        nested = der.encode(der.SEQUENCE, nested)
    with pytest.raises(MalformedMessage):
        load_certificate(nested)
    deep = x509.UnrecognizedExtension(ObjectIdentifier("1.3.6.1.4.1.99999.1"), nested)
    verify_path(ROOT.leaf([(deep, False)]), [], [anchor()], NOW)
    constraints = x509.UnrecognizedExtension(x509.NameConstraints.oid, nested)
    with pytest.raises(UntrustedCertificate):
        verify_path(ROOT.certify(MIDDLE.name, key(2).public_key(), [(constraints, True)]), [], [anchor()], NOW)


def test_a_path_longer_than_the_limit_is_refused_and_one_as_long_is_not() -> None:
    chain = [ROOT, *(Issuer(name(f"level {number}"), 300 + number) for number in range(9))]
    above = [upper.authority(lower) for upper, lower in itertools.pairwise(chain)]
    verify_path(chain[8].leaf(), above, [anchor()], NOW)
    with pytest.raises(UntrustedCertificate, match="8 authorities"):
        verify_path(chain[9].leaf(), above, [anchor()], NOW)
    verify_path(chain[9].leaf(), above, [anchor()], NOW, rules=PathRules(limits=Limits(depth=9)))


def test_more_revocation_lists_than_anybody_has_are_not_read() -> None:
    with pytest.raises(TooMuchWork, match="64"):
        verify_path(ROOT.leaf(), [], [anchor()], NOW, crls=[b""] * 65)
    with pytest.raises(TooMuchWork, match="bytes"):
        verify_path(ROOT.leaf(), [], [anchor()], NOW, crls=[bytes(2**24 + 1)])


def test_the_usage_of_the_monsters_is_that_of_a_good_authority() -> None:
    """Control: without the monstrous part, the same certificates make a good path."""
    assert CA_USAGE.key_cert_sign
    verify_path(MIDDLE.leaf(), [ROOT.authority(MIDDLE)], [anchor()], NOW)
