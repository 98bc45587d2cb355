"""Which keys and signatures count on certificates and lists, and checking one. Everything else is refused by name.

RSA of 2048 to 8192 bits with SHA-2 (PKCS #1 1.5 or PSS), ECDSA on P-256, P-384 and P-521 with SHA-2, Ed25519. A key is
measured before anything is computed with it: a modulus or an exponent of any size can stand in a certificate.
"""

from typing import Protocol, TypeAlias

from cryptography.exceptions import InvalidSignature as LibraryInvalidSignature
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.x509.oid import ObjectIdentifier, SignatureAlgorithmOID

from crypto.errors import InvalidSignature, UntrustedCertificate

AcceptedKey: TypeAlias = rsa.RSAPublicKey | ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey

_RSA_BITS_MIN = 2048  # SP 800-57 Part 1, Table 2: 112 bits of strength
_RSA_BITS_MAX = 8192
_RSA_EXPONENT_MIN = 2**16  # FIPS 186-5 A.1.1
_RSA_EXPONENT_MAX = 2**32  # FIPS 186-5 allows 2^256, which nobody uses and which costs
_CURVES = (ec.SECP256R1, ec.SECP384R1, ec.SECP521R1)
_RSA_HASHES: dict[ObjectIdentifier, hashes.HashAlgorithm] = {
    SignatureAlgorithmOID.RSA_WITH_SHA256: hashes.SHA256(),
    SignatureAlgorithmOID.RSA_WITH_SHA384: hashes.SHA384(),
    SignatureAlgorithmOID.RSA_WITH_SHA512: hashes.SHA512(),
}
_ECDSA_HASHES: dict[ObjectIdentifier, hashes.HashAlgorithm] = {
    SignatureAlgorithmOID.ECDSA_WITH_SHA256: hashes.SHA256(),
    SignatureAlgorithmOID.ECDSA_WITH_SHA384: hashes.SHA384(),
    SignatureAlgorithmOID.ECDSA_WITH_SHA512: hashes.SHA512(),
}
_PSS_HASHES = (hashes.SHA256, hashes.SHA384, hashes.SHA512)


class Signed(Protocol):
    """What a certificate and a revocation list have in common."""

    @property
    def signature(self) -> bytes: ...
    @property
    def signature_algorithm_oid(self) -> ObjectIdentifier: ...
    @property
    def signature_hash_algorithm(self) -> hashes.HashAlgorithm | None: ...


def check_key(key: object) -> AcceptedKey:
    """Return the key when it is of a kind and strength that counts. Raises: UntrustedCertificate."""
    if isinstance(key, rsa.RSAPublicKey):
        if not _RSA_BITS_MIN <= key.key_size <= _RSA_BITS_MAX or key.key_size % 8:
            raise UntrustedCertificate(f"An RSA key of {key.key_size} bits does not count.")
        exponent = key.public_numbers().e
        if not _RSA_EXPONENT_MIN < exponent < _RSA_EXPONENT_MAX or exponent % 2 == 0:
            raise UntrustedCertificate("The exponent of the RSA key does not count.")
        return key
    if isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, _CURVES):
        return key
    if isinstance(key, ed25519.Ed25519PublicKey):
        return key
    raise UntrustedCertificate("A key of this kind does not count.")


def check_algorithm(signed: Signed) -> None:
    """Raises: UntrustedCertificate when the signature is of a kind that does not count, whatever the key."""
    oid = signed.signature_algorithm_oid
    if oid == SignatureAlgorithmOID.RSASSA_PSS:
        _pss_hash(signed)
    elif oid not in _RSA_HASHES and oid not in _ECDSA_HASHES and oid != SignatureAlgorithmOID.ED25519:
        raise UntrustedCertificate("A signature of this kind does not count.")


def check_signed(key: AcceptedKey, signed: Signed, content: bytes) -> None:
    """Raises: InvalidSignature, UntrustedCertificate."""
    check_algorithm(signed)
    oid = signed.signature_algorithm_oid
    try:
        if isinstance(key, rsa.RSAPublicKey) and oid in _RSA_HASHES:
            key.verify(signed.signature, content, padding.PKCS1v15(), _RSA_HASHES[oid])
        elif isinstance(key, rsa.RSAPublicKey) and oid == SignatureAlgorithmOID.RSASSA_PSS:
            digest = _pss_hash(signed)
            scheme = padding.PSS(padding.MGF1(digest), digest.digest_size)
            key.verify(signed.signature, content, scheme, digest)
        elif isinstance(key, ec.EllipticCurvePublicKey) and oid in _ECDSA_HASHES:
            key.verify(signed.signature, content, ec.ECDSA(_ECDSA_HASHES[oid]))
        elif isinstance(key, ed25519.Ed25519PublicKey) and oid == SignatureAlgorithmOID.ED25519:
            key.verify(signed.signature, content)
        else:
            raise InvalidSignature("The signature is of another kind than the issuer's key.")
    except (LibraryInvalidSignature, ValueError) as error:
        raise InvalidSignature("The signature was not made by the issuer's key.") from error


def _pss_hash(signed: Signed) -> hashes.HashAlgorithm:
    """The one hash of an RSA-PSS signature (RFC 8017 8.1): for the content, in the mask, and as long as the salt."""
    fault = UntrustedCertificate("An RSA-PSS signature with these parameters does not count.")
    try:
        digest = signed.signature_hash_algorithm
    except (ValueError, UnsupportedAlgorithm) as error:
        raise fault from error
    if not isinstance(digest, _PSS_HASHES):
        raise fault
    return digest
