"""Certificates and revocation lists as they come in files: DER, or PEM with text around it. Nothing is verified."""

import base64
import binascii
import re
import warnings

from cryptography import x509

from crypto.errors import MalformedMessage
from crypto.pki.certificates import UNREADABLE

FILE_BYTES_MAX = 2**24
_BLOCKS_MAX = 1_000
_BLOCK = re.compile(rb"-----BEGIN ([A-Z0-9 ]+)-----([^-]*)-----END \1-----")
CERTIFICATE, LIST = b"CERTIFICATE", b"X509 CRL"


def blocks(data: bytes, kind: bytes) -> list[bytes]:
    """The DER of each block of that kind, or the data itself when it is no PEM. Raises: MalformedMessage."""
    if len(data) > FILE_BYTES_MAX:
        raise MalformedMessage(f"The file is larger than {FILE_BYTES_MAX} bytes; it is some other file.")
    if b"-----BEGIN " not in data:
        return [data]
    found = []
    for match in _BLOCK.finditer(data):
        if match[1] == kind or match[1] == b"TRUSTED " + kind:
            found.append(_decode(match[2]))
        if len(found) > _BLOCKS_MAX:
            raise MalformedMessage(f"The file holds more than {_BLOCKS_MAX} blocks.")
    return found


def load_foreign(data: bytes) -> x509.Certificate:
    """Anybody's certificate, also one whose serial number is none; `verify_path` says what counts.

    Raises: MalformedMessage.
    """
    try:
        with warnings.catch_warnings(action="ignore"):
            return x509.load_der_x509_certificate(data)
    except UNREADABLE as error:
        raise MalformedMessage(f"The bytes are not a certificate: {error}") from error


def _decode(text: bytes) -> bytes:
    try:
        return base64.b64decode(b"".join(text.split()), validate=True)
    except (binascii.Error, ValueError) as error:
        raise MalformedMessage("A PEM block of the file is not base64.") from error
