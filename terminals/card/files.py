"""Certificates and revocation lists from files, as people have them: PEM, DER, several in one, text around them."""

import re
from pathlib import Path
from typing import Final

from cryptography import x509

_BLOCK: Final = re.compile(rb"-----BEGIN ([A-Z0-9 ]+)-----.+?-----END \1-----", re.DOTALL)
_CERTIFICATE: Final = b"CERTIFICATE"
_LIST: Final = b"X509 CRL"


def read_certificates(path: Path) -> list[x509.Certificate]:
    """Raises: ValueError: there is none in the file."""
    data = path.read_bytes()
    found = [x509.load_pem_x509_certificate(block) for block in _blocks(data, _CERTIFICATE)]
    return found or [x509.load_der_x509_certificate(data)]


def read_revocation_lists(path: Path) -> list[x509.CertificateRevocationList]:
    """Raises: ValueError: there is none in the file."""
    data = path.read_bytes()
    found = [x509.load_pem_x509_crl(block) for block in _blocks(data, _LIST)]
    return found or [x509.load_der_x509_crl(data)]


def _blocks(data: bytes, kind: bytes) -> list[bytes]:
    return [found[0] for found in _BLOCK.finditer(data) if found[1] == kind]
