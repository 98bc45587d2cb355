# mypy: ignore-errors
# ruff: noqa: T201, ANN001 - one story told in steps; what it handles has no types here
"""Yubico's own PivSession against the card in a reader. Runs in that judge's own environment, as a process.

    python yubikit_session.py READER [plant]

Prints one line for each step that held, and ends with 1 at the first that did not. Starts from a blank card with an
AES-192 management key. With `plant` the last step compares with a certificate nobody issued: it must fail, or the steps
prove nothing.
"""

import datetime as dt
import sys

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from smartcard.System import readers
from ykman.pcsc import ScardSmartCardConnection
from yubikit.core import InvalidPinError, NotSupportedError
from yubikit.core.smartcard import SW, ApduError
from yubikit.piv import KEY_TYPE, MANAGEMENT_KEY_TYPE, OBJECT_ID, PIN_POLICY, SLOT, PivSession

FACTORY_KEY = bytes(range(1, 9)) * 3
NEW_KEY = bytes(range(50, 82))
MESSAGE = b"what is signed"
SLOTS = (SLOT.AUTHENTICATION, SLOT.SIGNATURE, SLOT.CARD_AUTH)


def step(name: str) -> None:
    print(f"held: {name}", flush=True)


def expect(condition: bool, name: str) -> None:
    if not condition:
        sys.exit(f"did not hold: {name}")
    step(name)


def refused(name: str, kind, action, check=lambda _error: True) -> None:
    try:
        action()
    except kind as error:
        expect(check(error), name)
    else:
        sys.exit(f"was not refused: {name}")


def certificate_for(public_key) -> x509.Certificate:
    issuer = ec.derive_private_key(31, ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "judge")])
    start = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(public_key).serial_number(5)
    builder = builder.not_valid_before(start).not_valid_after(start + dt.timedelta(days=900))
    return builder.sign(issuer, hashes.SHA256())


def sign(piv: PivSession, slot: SLOT, public_key) -> None:
    signature = piv.sign(slot, KEY_TYPE.ECCP256, MESSAGE, hashes.SHA256())
    public_key.verify(signature, MESSAGE, ec.ECDSA(hashes.SHA256()))


def denied(error: Exception) -> bool:
    return getattr(error, "sw", None) == SW.SECURITY_CONDITION_NOT_SATISFIED


def facts(piv: PivSession) -> None:
    expect(str(piv.version) == "5.4.3", "version")
    expect(piv.get_serial() == 1, "serial number")
    expect(piv.management_key_type is MANAGEMENT_KEY_TYPE.AES192, "management key type from metadata")
    expect(piv.get_management_key_metadata().default_value, "factory management key known as such")
    expect(piv.get_pin_metadata().default_value, "factory PIN known as such")
    expect(piv.get_pin_metadata().attempts_remaining == 5, "PIN tries in metadata")
    expect(piv.get_puk_metadata().total_attempts == 5, "PUK tries in metadata")
    expect(piv.get_pin_attempts() == 5, "PIN tries from an empty VERIFY")


def management(piv: PivSession) -> None:
    refused("GENERATE without 9B", ApduError, lambda: piv.generate_key(SLOT.CARD_AUTH, KEY_TYPE.ECCP256), denied)
    refused("PUT DATA without 9B", ApduError, lambda: piv.put_object(OBJECT_ID.CHUID, b"x"), denied)
    refused("wrong 9B", ApduError, lambda: piv.authenticate(bytes(24)), denied)
    piv.authenticate(FACTORY_KEY)
    step("mutual authentication with AES-192")
    piv.set_management_key(MANAGEMENT_KEY_TYPE.AES256, NEW_KEY)
    piv.authenticate(NEW_KEY)
    step("management key replaced by AES-256")


def generation(piv: PivSession) -> dict[SLOT, ec.EllipticCurvePublicKey]:
    keys = {slot: piv.generate_key(slot, KEY_TYPE.ECCP256) for slot in SLOTS}
    expect(len({key.public_numbers() for key in keys.values()}) == 3, "three keys made")
    refused(
        "P-384 is not in the profile",
        (ApduError, NotSupportedError),
        lambda: piv.generate_key(SLOT.CARD_AUTH, KEY_TYPE.ECCP384),
        lambda error: getattr(error, "sw", SW.INCORRECT_PARAMETERS) == SW.INCORRECT_PARAMETERS,
    )
    for slot in SLOTS:
        expect(piv.get_slot_metadata(slot).public_key == keys[slot], f"public key of {slot:x} in metadata")
    expect(piv.get_slot_metadata(SLOT.SIGNATURE).pin_policy is PIN_POLICY.ALWAYS, "9C wants the PIN always")
    return keys


def objects(piv: PivSession, keys: dict[SLOT, ec.EllipticCurvePublicKey]) -> dict[SLOT, x509.Certificate]:
    certificates = {slot: certificate_for(key) for slot, key in keys.items()}
    for slot, certificate in certificates.items():
        piv.put_certificate(slot, certificate)
        expect(piv.get_certificate(slot) == certificate, f"certificate of {slot:x} written and read")
    for length in (1, 255, 256, 3000):
        piv.put_object(OBJECT_ID.SECURITY, bytes([length % 256]) * length)
        expect(piv.get_object(OBJECT_ID.SECURITY) == bytes([length % 256]) * length, f"object of {length} bytes")
    refused(
        "too long an object",
        ApduError,
        lambda: piv.put_object(OBJECT_ID.SECURITY, bytes(4097)),
        lambda error: error.sw == SW.NO_SPACE,
    )
    piv.put_object(OBJECT_ID.SECURITY, None)
    missing = lambda error: error.sw == SW.FILE_NOT_FOUND  # noqa: E731
    refused("a deleted object", ApduError, lambda: piv.get_object(OBJECT_ID.SECURITY), missing)
    return certificates


def signatures(piv: PivSession, keys: dict[SLOT, ec.EllipticCurvePublicKey]) -> None:
    sign(piv, SLOT.CARD_AUTH, keys[SLOT.CARD_AUTH])
    step("9E signs without PIN")
    refused("9A without PIN", ApduError, lambda: sign(piv, SLOT.AUTHENTICATION, keys[SLOT.AUTHENTICATION]), denied)
    refused("wrong PIN", InvalidPinError, lambda: piv.verify_pin("000000"), lambda error: error.attempts_remaining == 4)
    piv.verify_pin("123456")
    sign(piv, SLOT.SIGNATURE, keys[SLOT.SIGNATURE])
    step("9C signs after the PIN")
    refused("9C a second time", ApduError, lambda: sign(piv, SLOT.SIGNATURE, keys[SLOT.SIGNATURE]), denied)
    for _ in range(2):
        sign(piv, SLOT.AUTHENTICATION, keys[SLOT.AUTHENTICATION])
    step("9A signs twice on one PIN")


def secrets(piv: PivSession) -> None:
    piv.change_pin("123456", "11223344")
    piv.change_puk("12345678", "87654321")
    piv.verify_pin("11223344")
    step("PIN and PUK changed")
    for left in (4, 3, 2, 1, 0):
        refused(
            "", InvalidPinError, lambda: piv.verify_pin("000000"), lambda e, left=left: e.attempts_remaining == left
        )
    expect(piv.get_pin_attempts() == 0, "PIN blocked after five wrong ones")
    piv.unblock_pin("87654321", "654321")
    piv.verify_pin("654321")
    step("PIN opened with the PUK")


def main(reader_name: str, *, plant: bool) -> None:
    reader = next(reader for reader in readers() if reader.name == reader_name)
    connection = ScardSmartCardConnection(reader.createConnection())
    piv = PivSession(connection)
    facts(piv)
    management(piv)
    keys = generation(piv)
    certificates = objects(piv, keys)
    signatures(piv, keys)
    secrets(piv)
    wanted = certificate_for(ec.derive_private_key(8, ec.SECP256R1()).public_key()) if plant else certificates[SLOTS[2]]
    expect(piv.get_certificate(SLOT.CARD_AUTH) == wanted, "the certificate is the one issued")
    connection.close()


if __name__ == "__main__":
    main(sys.argv[1], plant="plant" in sys.argv)
