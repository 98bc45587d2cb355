"""A resident signs a record with a passkey: an assertion whose challenge is the record's hash."""

import json
from datetime import datetime
from uuid import UUID

import webauthn
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey
from sqlalchemy import insert, select
from sqlalchemy.orm import Session
from webauthn.helpers import base64url_to_bytes, parse_authentication_credential_json
from webauthn.helpers.cose import COSEAlgorithmIdentifier
from webauthn.helpers.decode_credential_public_key import DecodedEC2PublicKey, decode_credential_public_key
from webauthn.helpers.decoded_public_key_to_cryptography import decoded_public_key_to_cryptography
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import PublicKeyCredentialDescriptor, UserVerificationRequirement

from cardsvc.access.actions.passkeys import TIMEOUT_MS, Site
from cardsvc.access.models import Passkey, PasskeyKey
from cardsvc.access.rules import Kind, NoSigningPasskey, PasskeyNotAccepted
from crypto import keys
from crypto.errors import CryptoError
from crypto.wire.passkey import assertion_from_browser, challenge_of, verify_assertion
from crypto.wire.transaction import Authorisation, Purpose

BYTES_MAX = 20_000


def record_options(session: Session, site: Site, resident_id: UUID, record_bytes: bytes) -> str:
    """What the browser's `navigator.credentials.get` takes so that one of the resident's passkeys signs the record.

    Raises: NoSigningPasskey.
    """
    rows = session.scalars(
        select(Passkey).where(Passkey.subject_id == resident_id, Passkey.kind == Kind.RESIDENT.value)
    )
    usable = [row.credential_id for row in rows if _p256(row.public_key) is not None]
    if not usable:
        raise NoSigningPasskey
    return webauthn.options_to_json(
        webauthn.generate_authentication_options(
            rp_id=site.rp_id,
            challenge=challenge_of(record_bytes),
            timeout=TIMEOUT_MS,
            user_verification=UserVerificationRequirement.REQUIRED,
            allow_credentials=[PublicKeyCredentialDescriptor(id=each) for each in usable],
        )
    )


def sign_with_passkey(
    session: Session, site: Site, resident_id: UUID, record_bytes: bytes, credential: str, now: datetime
) -> Authorisation:
    """The authorisation made of the browser's answer, verified before it is returned. The key is kept for good, because
    what it signed stays proved; the counter must have grown where there is one (WebAuthn 6.1.1).

    Raises: PasskeyNotAccepted.
    """
    if len(credential) > BYTES_MAX:
        raise PasskeyNotAccepted
    try:
        answer = parse_authentication_credential_json(json.loads(credential))
        row = session.scalar(select(Passkey).where(Passkey.credential_id == base64url_to_bytes(answer.id)))
        if row is None or (row.kind, row.subject_id) != (Kind.RESIDENT.value, resident_id):
            raise PasskeyNotAccepted
        public_key = _p256(row.public_key)
        handle = answer.response.user_handle
        if public_key is None or (handle is not None and handle != resident_id.bytes):
            raise PasskeyNotAccepted
        assertion = assertion_from_browser(
            public_key,
            authenticator_data=answer.response.authenticator_data,
            client_data=answer.response.client_data_json,
            der_signature=answer.response.signature,
        )
        verify_assertion(record_bytes, assertion.encode(), public_key, origin=site.origin)
    except (WebAuthnException, CryptoError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise PasskeyNotAccepted from error
    if (assertion.counter or row.sign_count) and assertion.counter <= row.sign_count:
        raise PasskeyNotAccepted  # a copy of the passkey signed elsewhere
    row.sign_count, row.used_at = assertion.counter, now
    session.flush()
    _keep_key(session, assertion.kid, row, public_key, site.origin, now)
    return Authorisation(Purpose.PASSKEY, assertion.encode())


def _keep_key(
    session: Session, key_id: bytes, row: Passkey, public_key: EllipticCurvePublicKey, origin: str, now: datetime
) -> None:
    kept = session.execute(select(PasskeyKey.origin).where(PasskeyKey.key_id == key_id)).one_or_none()
    if kept is None:
        session.execute(
            insert(PasskeyKey).values(
                key_id=key_id,
                credential_id=row.credential_id,
                public_key=keys.spki(public_key),
                resident_id=row.subject_id,
                origin=origin,
                kept_at=now,
            )
        )
    elif kept.origin != origin:
        raise PasskeyNotAccepted  # the city moved to another address: a passkey is one address's


def _p256(cose_key: bytes) -> EllipticCurvePublicKey | None:
    """The key, where it is for ES256; authenticators offer others too, and those sign in but sign no record."""
    try:
        decoded = decode_credential_public_key(cose_key)
        if not isinstance(decoded, DecodedEC2PublicKey) or decoded.alg != COSEAlgorithmIdentifier.ECDSA_SHA_256:
            return None
        made = decoded_public_key_to_cryptography(decoded)
    except (WebAuthnException, ValueError):
        return None
    return made if isinstance(made, EllipticCurvePublicKey) and isinstance(made.curve, SECP256R1) else None
