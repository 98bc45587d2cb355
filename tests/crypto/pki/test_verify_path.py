"""One bad path a rule, each a good path with one thing changed, and each refused for that reason."""

from collections.abc import Iterable
from datetime import timedelta
from ipaddress import IPv4Address, IPv4Network

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID, ObjectIdentifier

from crypto.errors import UntrustedCertificate
from crypto.pki import EKU_CONTENT_SIGNING, PathRules, der, verify_path
from crypto.pki.files import load_foreign
from tests.crypto.authorities import NOW as CITY_NOW
from tests.crypto.authorities import Tree
from tests.crypto.pki.forge import CA_USAGE, END, MIDDLE, NOW, ROOT, START, Extras, Issuer, anchor, key, name

POLICIES = [ObjectIdentifier(f"1.3.6.1.4.1.99999.{number}") for number in range(3)]
NOT_CA = x509.BasicConstraints(ca=False, path_length=None)
USAGE_WITHOUT_CERTS = x509.KeyUsage(True, False, False, False, False, False, True, False, False)
DIRECT = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH])


def refused(
    reason: str,
    *,
    leaf: Extras = (),
    middle: Extras = (),
    root: Extras = (),
    rules: PathRules | None = None,
    purpose: ObjectIdentifier | None = None,
) -> None:
    with pytest.raises(UntrustedCertificate, match=reason):
        holds(leaf=leaf, middle=middle, root=root, rules=rules, purpose=purpose)


def holds(
    *,
    leaf: Extras = (),
    middle: Extras = (),
    root: Extras = (),
    rules: PathRules | None = None,
    purpose: ObjectIdentifier | None = None,
) -> None:
    above = [ROOT.authority(MIDDLE, middle)]
    verify_path(MIDDLE.leaf(leaf), above, [anchor(root)], NOW, rules=rules, purpose=purpose)


def names(*items: x509.GeneralName) -> tuple[x509.ExtensionType, bool]:
    return x509.SubjectAlternativeName(items), False


def under(permitted: Iterable[x509.GeneralName] | None, excluded: Iterable[x509.GeneralName] | None = None) -> Extras:
    return [(x509.NameConstraints(permitted, excluded), True)]


def policies(*items: ObjectIdentifier) -> tuple[x509.ExtensionType, bool]:
    return x509.CertificatePolicies([x509.PolicyInformation(item, None) for item in items]), False


def test_a_plain_path_holds() -> None:
    holds()


def test_the_citys_own_certificates_hold() -> None:
    tree = Tree()
    verified = verify_path(tree.content_signer, [tree.authority], [tree.root], CITY_NOW, purpose=EKU_CONTENT_SIGNING)
    assert len(verified.path) == 3


def test_an_issuer_that_is_no_authority() -> None:
    refused("not an authority's", middle=[(NOT_CA, True), (USAGE_WITHOUT_CERTS, True)])
    refused("may not sign certificates", middle=[(USAGE_WITHOUT_CERTS, True)])


def test_a_leaf_that_says_it_signs_certificates() -> None:
    refused("yet is no authority's", leaf=[(CA_USAGE, True)])


def test_critical_extensions_that_nobody_here_understands() -> None:
    unknown = x509.UnrecognizedExtension(ObjectIdentifier("1.3.6.1.4.1.99999.9"), b"\x05\x00")
    holds(leaf=[(unknown, False)], middle=[(unknown, False)])
    refused("not understood", leaf=[(unknown, True)])
    refused("not understood", middle=[(unknown, True)])
    refused("not understood", leaf=[(x509.SubjectKeyIdentifier(bytes(20)), True)])


def test_times_are_inclusive_and_of_every_certificate() -> None:
    leaf, middle, root = MIDDLE.leaf(), ROOT.authority(MIDDLE, until=NOW), anchor()
    verify_path(leaf, [middle], [root], NOW + timedelta(milliseconds=999))
    verify_path(leaf, [middle], [root], START)
    for at in (NOW + timedelta(seconds=1), START - timedelta(milliseconds=1), END + timedelta(days=1)):
        with pytest.raises(UntrustedCertificate, match="expired"):
            verify_path(leaf, [middle], [root], at)


def test_path_lengths_count_those_that_are_not_self_issued() -> None:
    none_below = [(x509.BasicConstraints(ca=True, path_length=0), True)]
    refused("that many authorities", root=none_below)
    renewed = Issuer(MIDDLE.name, 22)
    above = [ROOT.authority(MIDDLE, none_below), MIDDLE.authority(renewed)]
    verify_path(renewed.leaf(), above, [anchor()], NOW)


def test_names_outside_what_is_permitted() -> None:
    host, other = x509.DNSName("a.city.example"), x509.DNSName("a.other.example")
    inside = under([x509.DNSName("city.example")])
    holds(middle=inside, leaf=[names(host)])
    refused("not permitted", middle=inside, leaf=[names(other)])
    refused("not permitted", middle=inside, leaf=[names(host, other)])
    refused("not permitted", middle=inside, leaf=[names(x509.DNSName("xcity.example"))])
    refused("not permitted", root=inside, middle=under([other]), leaf=[names(other)])
    refused("not permitted", middle=inside, leaf=[names(x509.DNSName("*.example"))])
    refused("malformed", middle=under([x509.DNSName(".city.example")]), leaf=[names(host)])


def test_names_inside_what_is_excluded() -> None:
    away = under(None, [x509.DNSName("b.city.example"), x509.IPAddress(IPv4Network("10.0.0.0/8"))])
    holds(middle=away, leaf=[names(x509.DNSName("a.city.example"), x509.IPAddress(IPv4Address("11.0.0.1")))])
    refused("excludes", middle=away, leaf=[names(x509.DNSName("b.city.example"))])
    refused("excludes", middle=away, leaf=[names(x509.DNSName("*.city.example"))])
    refused("excludes", middle=away, leaf=[names(x509.IPAddress(IPv4Address("10.1.2.3")))])
    of_mail = under(None, [x509.RFC822Name("city.example")])
    refused("excludes", middle=of_mail, leaf=[names(x509.RFC822Name("x@city.example"))])
    holds(middle=of_mail, leaf=[names(x509.RFC822Name("x@a.city.example"))])
    of_uris = under(None, [x509.UniformResourceIdentifier(".city.example")])
    refused("excludes", middle=of_uris, leaf=[names(x509.UniformResourceIdentifier("https://a.city.example/x"))])
    refused("excludes", middle=of_uris, leaf=[names(x509.UniformResourceIdentifier("urn:uuid:none"))])
    of_subjects = under(None, [x509.DirectoryName(name("LEAF "))])
    refused("excludes", middle=of_subjects)


def test_a_kind_of_name_that_is_not_compared_is_refused_where_it_is_constrained() -> None:
    other = x509.OtherName(POLICIES[0], b"\x05\x00")
    holds(leaf=[names(other)])
    refused("not permitted", middle=under([other]), leaf=[names(other)])
    holds(middle=under([other]))


def test_a_subtree_with_a_minimum_is_not_read_as_one_without() -> None:
    base = der.encode(0x82, b"city.example")
    subtree = der.encode(der.SEQUENCE, base, der.encode(0x80, b"\x05"))
    value = der.encode(der.SEQUENCE, der.encode(0xA0, subtree))
    refused("name constraints", middle=[(x509.UnrecognizedExtension(x509.NameConstraints.oid, value), True)])


def test_policies_that_are_asked_for() -> None:
    first, second, third = POLICIES
    asked = PathRules(policies=frozenset({first}), require_policy=True)
    holds(middle=[policies(first, second)], leaf=[policies(first)], rules=asked)
    refused("none of the policies", middle=[policies(second)], leaf=[policies(second)], rules=asked)
    refused("has none", middle=[policies(first)], rules=asked)
    explicit = (x509.PolicyConstraints(0, None), True)
    refused("has none", middle=[explicit, policies(first)], leaf=[policies(third)])


def test_purposes_are_named_by_the_leaf_and_not_ruled_out_above() -> None:
    client, server = ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH
    holds(leaf=[(DIRECT, False)], purpose=client)
    refused("not meant", leaf=[(DIRECT, False)], purpose=server)
    refused("not meant", purpose=client)
    rules = PathRules(not_ruled_out=client)
    holds(rules=rules)
    holds(leaf=[(DIRECT, False)], rules=rules)
    refused("limited to other purposes", middle=[(x509.ExtendedKeyUsage([server]), False)], rules=rules)
    refused("limited to other purposes", leaf=[(x509.ExtendedKeyUsage([server]), False)], rules=rules)
    only_server = x509.ExtendedKeyUsage([server])
    refused("limited to other purposes", leaf=[(DIRECT, False)], middle=[(only_server, False)], purpose=client)


def test_names_that_are_asked_for() -> None:
    def asked(wanted: x509.GeneralName) -> PathRules:
        return PathRules(name=wanted)

    leaf = [names(x509.DNSName("*.city.example"), x509.RFC822Name("A@City.example"))]
    holds(leaf=leaf, rules=asked(x509.DNSName("WWW.city.example")))
    holds(leaf=leaf, rules=asked(x509.RFC822Name("A@city.EXAMPLE")))
    for wanted in ("city.example", "a.b.city.example", "leaf", "*.city.example"):
        refused("does not bear", leaf=leaf, rules=asked(x509.DNSName(wanted)))
    refused("does not bear", leaf=leaf, rules=asked(x509.RFC822Name("a@city.example")))


def test_issuer_names_are_compared_by_their_text_and_not_by_their_bytes() -> None:
    """RFC 5280 7.1: case, blanks and string types differ, the name is one."""
    spelled = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, " MIDDLE ", x509.name._ASN1Type.PrintableString)])
    verify_path(Issuer(spelled, MIDDLE.number).leaf(), [ROOT.authority(MIDDLE)], [anchor()], NOW)


@pytest.mark.parametrize(
    "serial", [b"\x00", b"\xff", b"\x80" + bytes(18), b"\x00\x80" + bytes(19), b"\x7f" + bytes(20)]
)
def test_a_serial_number_that_is_not_positive_or_of_more_than_twenty_bytes(serial: bytes) -> None:
    content, *rest = der.read_all(der.read_only(ROOT.leaf().public_bytes(Encoding.DER), der.SEQUENCE).content)
    elements = [element.raw for element in der.read_all(content.content)]
    elements[1] = der.encode(der.INTEGER, serial)
    parts = [der.encode(der.SEQUENCE, *elements), *(element.raw for element in rest)]
    with pytest.raises(UntrustedCertificate, match="serial number"):
        verify_path(load_foreign(der.encode(der.SEQUENCE, *parts)), [], [anchor()], NOW)


def test_a_signature_over_sha_1_or_by_another_key() -> None:
    builder = (
        x509.CertificateBuilder()
        .subject_name(name("leaf"))
        .issuer_name(ROOT.name)
        .public_key(key(9).public_key())
        .serial_number(5)
        .not_valid_before(START)
        .not_valid_after(END)
    )
    with pytest.raises(UntrustedCertificate, match="kind"):
        verify_path(builder.sign(ROOT.key, hashes.SHA224()), [], [anchor()], NOW)
    impostor = Issuer(ROOT.name, 66)
    with pytest.raises(UntrustedCertificate):
        verify_path(impostor.leaf(), [], [anchor()], NOW)


def test_what_section_4_asks_of_issuers_can_be_overlooked() -> None:
    builder = (
        x509.CertificateBuilder()
        .subject_name(name("leaf"))
        .issuer_name(ROOT.name)
        .public_key(key(9).public_key())
        .serial_number(5)
        .not_valid_before(START)
        .not_valid_after(END)
    )
    bare = builder.add_extension(NOT_CA, critical=False).sign(ROOT.key, hashes.SHA256())
    with pytest.raises(UntrustedCertificate, match="does not name its issuer's key"):
        verify_path(bare, [], [anchor()], NOW)
    verify_path(bare, [], [anchor()], NOW, rules=PathRules(conforming=False))
