"""The security object of a PIV card (SP 800-73-5 Part 1, 3.1.7): the hashes of its unsigned objects, signed."""

from collections.abc import Mapping
from datetime import datetime

from cryptography import x509

from crypto.keys import Signer


def security_object(objects: Mapping[int, bytes], signer: Signer, certificate: x509.Certificate, at: datetime) -> bytes:
    """The content of 5FC106 (inside its tag 53) over other objects, by their tags (0x5FC107, 0x7E ...).

    An object is what stands inside its tag 53, the discovery object what stands inside its 7E. `certificate` is the
    content signer's, the one that signs the CHUID: the CMS names it and does not contain it.

    Raises: MalformedMessage for an object that has no place in the map, UntrustedCertificate when the signer's
    certificate does not count at `at` or is of another key.
    """
    raise NotImplementedError


def check_security_object(data: bytes, objects: Mapping[int, bytes], certificate: x509.Certificate) -> frozenset[int]:
    """Return the tags that the security object vouches for, when `certificate` (the CHUID's signer) signed it.

    Each given object whose tag is mapped must have the signed hash; one that the map names and that is not given is not
    looked at. A foreign card's too.

    Raises: MalformedMessage, InvalidSignature.
    """
    raise NotImplementedError
