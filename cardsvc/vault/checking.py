"""Whether a vault is whole: every key that is here signs, every certificate stands under its issuer."""

from cryptography import x509
from cryptography.exceptions import InvalidSignature as LibraryInvalidSignature

from cardsvc.errors import CityError, ErrorKind
from cardsvc.vault.certifying import ISSUER_OF
from cardsvc.vault.keeping import Vault
from cardsvc.vault.names import CERTIFIED, KeyName
from crypto import keys
from crypto.errors import CryptoError

_PROBE = b"city.vault.check.v1"


class KeyDoesNotWork(CityError):
    """A key of the vault does not sign, or signs what does not verify."""

    code = "vault_key_does_not_work"
    kind = ErrorKind.UNAVAILABLE

    def __init__(self, name: str, number: int, trouble: str) -> None:
        super().__init__(f"Generation {number} of {name} does not work: {trouble}")


class CertificateDoesNotFit(CityError):
    """A certificate was not issued by any generation of its issuer, or outlives it."""

    code = "vault_certificate_does_not_fit"
    kind = ErrorKind.UNAVAILABLE

    def __init__(self, name: str, number: int) -> None:
        super().__init__(f"The certificate of generation {number} of {name} does not stand under its issuer's.")


def check(vault: Vault) -> int:
    """Let every key sign, verify it, and every certificate under its issuer; how many keys there are.

    A root that is kept apart does not sign here. Raises: KeyDoesNotWork, CertificateDoesNotFit; VaultChanged, and what
    the store raises.
    """
    count = 0
    for name in KeyName:
        for one in vault.register.of(name):
            key, _ = vault.public_half(name, one.number)
            count += 1
            if one.apart:
                continue
            try:
                keys.verify(key, _PROBE, vault.any_signer(name, one.number).sign(_PROBE))
            except CryptoError as error:
                raise KeyDoesNotWork(name, one.number, str(error)) from error
    for certified in CERTIFIED:
        for one in vault.register.of(KeyName(certified)):
            issuers = vault.certificates(ISSUER_OF.get(certified, certified))
            certificate = vault.certificate(certified, one.number)
            if not any(_stands_under(certificate, issuer) for issuer in issuers):
                raise CertificateDoesNotFit(certified, one.number)
    return count


def _stands_under(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, LibraryInvalidSignature):
        return False
    return certificate.not_valid_after_utc <= issuer.not_valid_after_utc
