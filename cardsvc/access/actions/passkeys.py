"""Passkeys (WebAuthn Level 2): added by whoever is signed in, used to sign in. The user is always verified."""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit
from uuid import UUID

import webauthn
from sqlalchemy import delete, select
from sqlalchemy.orm import Session
from webauthn.helpers import base64url_to_bytes, parse_authentication_credential_json
from webauthn.helpers.cose import COSEAlgorithmIdentifier
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AttestationConveyancePreference,
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from cardsvc.access import queries
from cardsvc.access.actions.passwords import RandomBytes
from cardsvc.access.actions.sign_ins import SignedIn, open_for
from cardsvc.access.models import Passkey, SignIn
from cardsvc.access.queries import NotSignedIn, OwnPasskey, Principal
from cardsvc.access.rules import Kind, NoSuchPasskey, PasskeyNotAccepted, Way
from cardsvc.db import to_ms
from crypto.wire.ids import uuid7

PASSKEYS_MAX = 20
NAME_LETTERS_MAX = 60
CREDENTIAL_LETTERS_MAX = 20_000
TIMEOUT_MS = 120_000


@dataclass(frozen=True, slots=True)
class Site:
    """Where passkeys count: the origin, and the host of it that a browser keeps them for (`rp_id`)."""

    origin: str
    name: str

    @property
    def rp_id(self) -> str:
        return urlsplit(self.origin).hostname or ""

    @property
    def takes_passkeys(self) -> bool:
        """A browser keeps no passkeys for an address of numbers, and none without TLS but for `localhost`."""
        secure = self.origin.startswith("https://") or self.rp_id == "localhost"
        return secure and ":" not in self.rp_id and not self.rp_id.replace(".", "").isdigit()


def adding_options(session: Session, site: Site, asker: Principal, nonce: bytes) -> str:
    """What the browser's `navigator.credentials.create` takes, as JSON."""
    known = session.scalars(select(Passkey.credential_id).where(Passkey.subject_id == asker.subject_id))
    options = webauthn.generate_registration_options(
        rp_id=site.rp_id,
        rp_name=site.name,
        user_id=asker.subject_id.bytes,
        user_name=asker.username,
        user_display_name=asker.name,
        challenge=nonce,
        timeout=TIMEOUT_MS,
        attestation=AttestationConveyancePreference.NONE,
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED, user_verification=UserVerificationRequirement.REQUIRED
        ),
        exclude_credentials=[PublicKeyCredentialDescriptor(id=each) for each in known],
        # ES256 first: only such a passkey signs records too
        supported_pub_key_algs=[
            COSEAlgorithmIdentifier.ECDSA_SHA_256,
            COSEAlgorithmIdentifier.EDDSA,
            COSEAlgorithmIdentifier.RSASSA_PKCS1_v1_5_SHA_256,
        ],
    )
    return webauthn.options_to_json(options)


def add_passkey(
    session: Session,
    site: Site,
    asker: Principal,
    credential: str,
    *,
    nonce: bytes,
    name: str,
    now: datetime,
    random_bytes: RandomBytes,
) -> OwnPasskey:
    """Keep a passkey that was just made for this person, site and nonce. Raises: PasskeyNotAccepted."""
    try:
        made = webauthn.verify_registration_response(
            credential=credential,
            expected_challenge=nonce,
            expected_rp_id=site.rp_id,
            expected_origin=site.origin,
            require_user_verification=True,
        )
    except _UNACCEPTABLE as error:
        raise PasskeyNotAccepted from error
    taken = session.scalar(select(Passkey.id).where(Passkey.credential_id == made.credential_id))
    if taken is not None or len(queries.passkeys_of(session, asker.subject_id)) >= PASSKEYS_MAX:
        raise PasskeyNotAccepted
    row = Passkey(
        id=uuid7(to_ms(now), random_bytes(10)),
        kind=asker.kind.value,
        subject_id=asker.subject_id,
        credential_id=made.credential_id,
        public_key=made.credential_public_key,
        sign_count=made.sign_count,
        name=" ".join(name.split())[:NAME_LETTERS_MAX] or "Passkey",
        added_at=now,
    )
    session.add(row)
    session.flush()
    return OwnPasskey(row.id, row.name, row.added_at, None)


def remove_passkey(session: Session, subject_id: UUID, passkey_id: UUID) -> None:
    """It signs in no more, and the sign-ins that it opened end. Raises: NoSuchPasskey."""
    row = session.scalar(select(Passkey).where(Passkey.id == passkey_id, Passkey.subject_id == subject_id))
    if row is None:
        raise NoSuchPasskey
    session.execute(delete(SignIn).where(SignIn.key_id == credential_hash(row.credential_id)))
    session.delete(row)
    session.flush()


def signing_in_options(site: Site, nonce: bytes) -> str:
    """What the browser's `navigator.credentials.get` takes, as JSON. It names no passkey: the browser asks which."""
    return webauthn.options_to_json(
        webauthn.generate_authentication_options(
            rp_id=site.rp_id,
            challenge=nonce,
            timeout=TIMEOUT_MS,
            user_verification=UserVerificationRequirement.REQUIRED,
        )
    )


def sign_in_with_passkey(
    session: Session,
    site: Site,
    credential: str,
    now: datetime,
    *,
    nonce: bytes,
    way: Way,
    random_bytes: RandomBytes,
    allow_demo: bool = True,
) -> SignedIn:
    """Open a sign-in for whoever holds the passkey. One whose counter went back was copied, and is refused.

    `way` is completed with the passkey. Raises: PasskeyNotAccepted; DemoCredentialsRefused.
    """
    try:
        credential_id = base64url_to_bytes(parse_authentication_credential_json(credential).id)
        row = session.scalar(select(Passkey).where(Passkey.credential_id == credential_id))
        if row is None:
            raise PasskeyNotAccepted
        verified = webauthn.verify_authentication_response(
            credential=credential,
            expected_challenge=nonce,
            expected_rp_id=site.rp_id,
            expected_origin=site.origin,
            credential_public_key=row.public_key,
            credential_current_sign_count=row.sign_count,
            require_user_verification=True,
        )
    except _UNACCEPTABLE as error:
        raise PasskeyNotAccepted from error
    row.sign_count, row.used_at = verified.new_sign_count, now
    session.flush()
    way = Way(way.method, credential_hash(row.credential_id), way.address, way.agent)
    try:
        return open_for(
            session, Kind(row.kind), row.subject_id, now, way=way, random_bytes=random_bytes, allow_demo=allow_demo
        )
    except NotSignedIn as error:  # blocked since
        raise PasskeyNotAccepted from error


def credential_hash(credential_id: bytes) -> bytes:
    """The passkey's name in a sign-in's row."""
    return hashlib.sha256(credential_id).digest()


# What the library raises for answers that are wrong, or that are no answers at all.
_UNACCEPTABLE = (WebAuthnException, ValueError, KeyError, TypeError, AttributeError)
