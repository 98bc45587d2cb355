"""The security object of a PIV card (SP 800-73-5 Part 1, 3.1.7): the hashes of its objects, signed by the issuer.

It is an LDS security object (ICAO Doc 9303-10, 4.6.2.3) and a map from its data groups to the card's containers.
"""

import hashlib
import hmac
from collections.abc import Mapping
from datetime import datetime
from typing import Final

from cryptography import x509

from crypto.errors import InvalidSignature, MalformedMessage, UntrustedCertificate
from crypto.keys import Signer
from crypto.pki import cms, der
from crypto.pki.signed_data import check_signed_data, read_signed_data

# SP 800-73-5 Part 1, Table 2 and Table 3: the tag by which an object is read, and its container
CONTAINERS: Final[Mapping[int, int]] = {
    0x5FC107: 0xDB00,  # card capability container
    0x5FC102: 0x3000,  # CHUID
    0x5FC103: 0x6010,  # fingerprints
    0x5FC108: 0x6030,  # facial image
    0x5FC109: 0x3001,  # printed information
    0x7E: 0x6050,  # discovery
    0x5FC10C: 0x6060,  # key history
    0x5FC121: 0x1015,  # iris images
    0x7F61: 0x1016,  # biometric information templates
    0x5FC123: 0x1018,  # pairing code reference data
    # certificates are signed themselves and need not stand here; a foreign card may name them
    0x5FC105: 0x0101,
    0x5FC101: 0x0500,
    0x5FC10A: 0x0100,
    0x5FC10B: 0x0102,
    0x5FC122: 0x1017,
}
_TAGS: Final = {container: tag for tag, container in CONTAINERS.items()}
_LDS_SECURITY_OBJECT = "2.23.136.1.1.1"  # ICAO Doc 9303-10, 4.6.2.3
_LDS_SECURITY_OBJECT_OLD = "1.3.27.1.1.1"  # as cards made to earlier editions have it
_SHA256 = "2.16.840.1.101.3.4.2.1"
_HASH_NAMES: Final = {_SHA256: "sha256", "2.16.840.1.101.3.4.2.2": "sha384", "2.16.840.1.101.3.4.2.3": "sha512"}
_MAP, _SIGNATURE, _END = 0xBA, 0xBB, 0xFE
_ENTRY_BYTES = 3
_GROUPS_MIN, _GROUPS_MAX = 2, 16


def security_object(objects: Mapping[int, bytes], signer: Signer, certificate: x509.Certificate, at: datetime) -> bytes:
    """The content of 5FC106 (inside its tag 53) over two objects or more, by their tags (0x5FC107, 0x7E ...).

    An object is what stands inside its tag 53, the discovery object what stands inside its 7E. `certificate` is the
    content signer's, the one that signs the CHUID: the CMS names it and does not contain it.

    Raises: MalformedMessage for an object that has no place in the map, UntrustedCertificate when the signer's
    certificate does not count at `at` or is of another key.
    """
    if not _GROUPS_MIN <= len(objects) <= _GROUPS_MAX or not objects.keys() <= CONTAINERS.keys():
        raise MalformedMessage("A security object is over 2 to 16 objects of the card.")
    if not certificate.not_valid_before_utc <= at <= certificate.not_valid_after_utc:
        raise UntrustedCertificate("The content signer's certificate is not yet valid, or has expired.")
    if signer.public_key != certificate.public_key():
        raise UntrustedCertificate("The signer does not hold the key of the content signer's certificate.")
    groups = list(enumerate(sorted(objects, key=CONTAINERS.__getitem__), start=1))
    mapping = b"".join(bytes((number,)) + CONTAINERS[tag].to_bytes(2, "big") for number, tag in groups)
    values = (
        der.encode(
            der.SEQUENCE, der.integer(number), der.encode(der.OCTET_STRING, hashlib.sha256(objects[tag]).digest())
        )
        for number, tag in groups
    )
    content = der.encode(
        der.SEQUENCE,
        der.integer(0),  # version without LDS version information
        der.encode(der.SEQUENCE, der.oid(_SHA256)),  # RFC 5754 2.2: parameters absent
        der.encode(der.SEQUENCE, *values),
    )
    signature = cms.sign_enclosed(content, _LDS_SECURITY_OBJECT, certificate, signer)
    return der.encode(_MAP, mapping) + der.encode(_SIGNATURE, signature) + der.encode(_END)


def check_security_object(data: bytes, objects: Mapping[int, bytes], certificate: x509.Certificate) -> frozenset[int]:
    """Return the tags that the security object names, when `certificate` (the CHUID's signer) signed it.

    Each given object that it names must have the signed hash; one that it names and that is not given is not looked at.
    Whether it names what it must is the caller's: objects without a signature of their own. A foreign card's too.

    Raises: MalformedMessage, InvalidSignature, UntrustedCertificate for a weak key.
    """
    mapping, signature = _split(data)
    signed = read_signed_data(signature)
    if signed.content is None or signed.content_type not in (_LDS_SECURITY_OBJECT, _LDS_SECURITY_OBJECT_OLD):
        raise MalformedMessage("The security object does not contain an LDS security object.")
    check_signed_data(signed, signed.content, certificate)
    name, hashed = _read_hashes(signed.content)
    if hashed.keys() != mapping.keys():
        raise InvalidSignature("The map of the security object is not of the data groups that were signed.")
    tags = {_TAGS[container]: number for number, container in mapping.items() if container in _TAGS}
    for tag, content in objects.items():
        number = tags.get(tag)
        if number is not None and not hmac.compare_digest(hashlib.new(name, content).digest(), hashed[number]):
            raise InvalidSignature(f"The object {tag:X} was changed after the security object was signed.")
    return frozenset(tags)


def _split(data: bytes) -> tuple[dict[int, int], bytes]:
    match der.read_all(data):
        case [mapping, signature, *end] if mapping.tag == _MAP and signature.tag == _SIGNATURE:
            if any(element.tag != _END or element.content for element in end) or len(end) > 1:
                raise MalformedMessage("The security object has more elements than it may.")
        case _:
            raise MalformedMessage("The security object lacks its map or its signature.")
    content = mapping.content
    entries = [content[at : at + _ENTRY_BYTES] for at in range(0, len(content), _ENTRY_BYTES)]
    found = {entry[0]: int.from_bytes(entry[1:], "big") for entry in entries if len(entry) == _ENTRY_BYTES}
    if len(found) != len(entries) or len(set(found.values())) != len(found) or len(found) > _GROUPS_MAX:
        raise MalformedMessage("The map of the security object is malformed or names something twice.")
    return found, signature.content


def _read_hashes(content: bytes) -> tuple[str, dict[int, bytes]]:
    match der.read_all(der.read_only(content, der.SEQUENCE).content):
        case [version, algorithm, groups, *_] if version.tag == der.INTEGER and groups.tag == der.SEQUENCE:
            name = _HASH_NAMES.get(der.dotted(der.read(algorithm.content)[0]))
            pairs = [der.read_all(group.content) for group in der.read_all(groups.content)]
        case _:
            raise MalformedMessage("The LDS security object is malformed.")
    if name is None:
        raise InvalidSignature("The security object's hash does not count.")
    hashed: dict[int, bytes] = {}
    for pair in pairs:
        match pair:
            case [number, value] if number.tag == der.INTEGER and value.tag == der.OCTET_STRING:
                hashed[int.from_bytes(number.content, "big")] = value.content
    if len(hashed) != len(pairs):
        raise MalformedMessage("The LDS security object is malformed or repeats a data group.")
    return name, hashed
