"""The facial image object of a PIV card: a picture in a CBEFF structure (SP 800-76-2, 9) that the issuer signed.

Inside, the picture stands in a face record of INCITS 385 with one image and no feature points.
"""

import struct
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

from cryptography import x509

from crypto.errors import MalformedMessage, UntrustedCertificate
from crypto.keys import Signer
from crypto.pki import cms, der
from crypto.pki.chuid import FOREIGN_FASC_N

IMAGE_BYTES_MAX: Final = 11_000  # the container holds 12,710 bytes with everything around the picture
_BIOMETRIC_OBJECT = "2.16.840.1.101.3.6.2"  # FIPS 201-3, id-PIV-biometricObject
_FASC_N = "2.16.840.1.101.3.6.6"  # FIPS 201-3, pivFASC-N
_ENTRY_UUID = "1.3.6.1.1.16.4"  # RFC 4530 2.4
_JPEG_START = b"\xff\xd8\xff"
CREATOR_MAX: Final = 6  # ASCII letters
_CREATOR_BYTES = 18
_TAG, _END = 0xBC, 0xFE
_SIDE_MAX = 0xFFFF
# SP 800-76-2, Table 14: version, signed and not encrypted
_HEADER_VERSION, _SIGNED = 0x03, 0x0D
_OWNER, _FACE_FORMAT = 0x001B, 0x0501  # INCITS M1, face
_FACE = b"\x00\x00\x02"
_PROCESSED = 0x20  # intermediate data
_QUALITY_NOT_TRIED = -2
_HEADER = struct.Struct(">BBIHHH8s8s8s3sBb18s25s4x")
_RECORD = struct.Struct(">4s4sIH")
_FACE_INFORMATION = struct.Struct(">IHBBB3sH3s3s")
_IMAGE_INFORMATION = struct.Struct(">BBHHBBHH")
_TOKEN_FRONTAL, _JPEG, _SRGB = 1, 0, 1


@dataclass(frozen=True, slots=True)
class Face:
    """A JPEG and its size in pixels, taken at `taken_at`; it stands for the card until `valid_to`."""

    jpeg: bytes
    width: int
    height: int
    taken_at: datetime
    valid_to: datetime
    creator: str


def face_object(face: Face, card_id: UUID, signer: Signer, certificate: x509.Certificate) -> bytes:
    """The content of 5FC108 (inside its tag 53), signed by the content signer.

    Raises: MalformedMessage for a picture that does not fit, UntrustedCertificate when the signer is another's.
    """
    if not face.jpeg.startswith(_JPEG_START) or len(face.jpeg) > IMAGE_BYTES_MAX:
        raise MalformedMessage(f"The picture for the card is a JPEG of at most {IMAGE_BYTES_MAX} bytes.")
    if not (0 < face.width <= _SIDE_MAX and 0 < face.height <= _SIDE_MAX) or len(face.creator) > CREATOR_MAX:
        raise MalformedMessage("The picture's size or its maker's name does not fit.")
    if signer.public_key != certificate.public_key():
        raise UntrustedCertificate("The signer does not hold the key of the content signer's certificate.")
    record = _record(face)
    attributes = {
        _FASC_N: der.encode(der.OCTET_STRING, FOREIGN_FASC_N),
        _ENTRY_UUID: der.encode(der.OCTET_STRING, card_id.bytes),  # SP 800-73-5 Part 1, 3.4.1
    }
    # The signature's length stands in what is signed, and a signature's length varies by a few bytes: another blank
    # behind the maker's name makes another signature.
    length = 0
    for _ in range(_CREATOR_BYTES - len(face.creator)):
        signed = _header(face, len(record), length) + record
        signature = cms.sign(signed, _BIOMETRIC_OBJECT, certificate, signer, attributes)
        if len(signature) == length:
            return der.encode(_TAG, signed + signature) + der.encode(_END)
        length, face = len(signature), replace(face, creator=face.creator + " ")
    raise MalformedMessage("The picture could not be signed. Try once more.")


def _header(face: Face, record_length: int, signature_length: int) -> bytes:
    return _HEADER.pack(
        _HEADER_VERSION,
        _SIGNED,
        record_length,
        signature_length,
        _OWNER,
        _FACE_FORMAT,
        _time(face.taken_at),
        _time(face.taken_at),
        _time(face.valid_to),
        _FACE,
        _PROCESSED,
        _QUALITY_NOT_TRIED,
        face.creator.encode("ascii"),
        FOREIGN_FASC_N,
    )


def _record(face: Face) -> bytes:
    """INCITS 385-2004, 5.4 to 5.7."""
    image = _IMAGE_INFORMATION.pack(_TOKEN_FRONTAL, _JPEG, face.width, face.height, _SRGB, 0, 0, 0)
    block_length = _FACE_INFORMATION.size + len(image) + len(face.jpeg)
    information = _FACE_INFORMATION.pack(block_length, 0, 0, 0, 0, bytes(3), 0, bytes(3), bytes(3))
    head = _RECORD.pack(b"FAC\0", b"010\0", _RECORD.size + block_length, 1)
    return head + information + image + face.jpeg


def _time(at: datetime) -> bytes:
    """SP 800-76-2, Table 14: a byte for each two digits of YYYYMMDDhhmmss, then the letter Z."""
    at = at.astimezone(UTC)
    return bytes((at.year // 100, at.year % 100, at.month, at.day, at.hour, at.minute, at.second)) + b"Z"
