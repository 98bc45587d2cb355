"""The authorities' certificate revocation lists (RFC 5280 5): for whoever checks our certificates with other programs.

Our own terminals go by the deny list. A list says of a suspended card that it is on hold, because only what is on hold
may leave a list again (5.3.1); of anything else it tells no reason.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from cryptography import x509
from sqlalchemy import delete
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from cardsvc import cards
from cardsvc.devices import queries
from cardsvc.devices.models import RevocationListRow
from cardsvc.devices.queries import RevocationList
from cardsvc.devices.rules import REVOCATION_VALIDITY
from cardsvc.vault import KeyName, Vault
from crypto import cbor, pki

Authority = Literal["card-ca", "terminal-ca"]
AUTHORITIES: tuple[Authority, ...] = ("card-ca", "terminal-ca")


@dataclass(frozen=True, slots=True)
class _Stopped:
    """A certificate that counts no more. `at` is None where it never counted."""

    key_id: bytes
    at: datetime | None
    hold: bool


def publish_revocation_lists(session: Session, vault: Vault, now: datetime) -> None:
    """Make a new list for every authority that still counts: where what is revoked changed, and at half of its time."""
    for authority in AUTHORITIES:
        for generation in vault.register.of(KeyName(authority)):
            publish_revocation_list(session, vault, authority, generation.number, now)


def publish_revocation_list(
    session: Session, vault: Vault, authority: Authority, generation: int | None, now: datetime
) -> RevocationList:
    """The list of one generation of an authority (None: the one that signs now), made anew where it is time to."""
    issuer = vault.certificate(authority, generation)
    stopped = _stopped(session, authority, now)
    content_hash = hashlib.sha256(cbor.encode([[one.key_id, one.hold] for one in stopped])).digest()
    at = now.replace(microsecond=0)  # RFC 5280 5.1.2.4: times are whole seconds
    while True:
        newest = queries.revocation_list(session, subject_key_id(issuer))
        if newest and newest.content_hash == content_hash and now < newest.this_update + REVOCATION_VALIDITY / 2:
            return newest
        made = RevocationList(
            number=newest.number + 1 if newest else 1,
            this_update=at,
            next_update=min(at + REVOCATION_VALIDITY, issuer.not_valid_after_utc),
            content_hash=content_hash,
            der=b"",
        )
        signer = vault.signer(authority, generation)
        der = pki.create_crl(
            _entries(session, authority, stopped, issuer),
            issuer=issuer,
            signer=signer,
            number=made.number,
            this_update=made.this_update,
            next_update=made.next_update,
        )
        if _store(session, subject_key_id(issuer), made, der):
            return RevocationList(made.number, made.this_update, made.next_update, content_hash, der)


def usable_revocation_list(
    session: Session, vault: Vault, authority: Authority, generation: int | None, now: datetime
) -> RevocationList | None:
    """The newest list, if it still counts, without writing anything."""
    newest = queries.revocation_list(session, subject_key_id(vault.certificate(authority, generation)))
    return newest if newest and now < newest.next_update else None


def subject_key_id(certificate: x509.Certificate) -> bytes:
    """RFC 5280 4.2.1.2; every authority of ours has one."""
    return certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest


def _stopped(session: Session, authority: Authority, now: datetime) -> tuple[_Stopped, ...]:
    if authority == "card-ca":
        return tuple(_Stopped(one.key_id, one.at, one.hold) for one in cards.stopped_keys(session, now))
    return tuple(_Stopped(one.key_id, one.revoked_at, hold=False) for one in queries.revoked(session))


def _entries(
    session: Session, authority: Authority, stopped: tuple[_Stopped, ...], issuer: x509.Certificate
) -> Iterator[pki.Revoked]:
    """Those that this issuer certified; one that never counted is revoked from its first moment on."""
    read = cards.certificates if authority == "card-ca" else queries.certificates
    found = read(session, [one.key_id for one in stopped])
    for one in stopped:
        certificate = pki.load_certificate(found[one.key_id])
        if _authority_key_id(certificate) != subject_key_id(issuer):
            continue
        at = (one.at or certificate.not_valid_before_utc).replace(microsecond=0)
        yield pki.Revoked(certificate.serial_number, at, x509.ReasonFlags.certificate_hold if one.hold else None)


def _authority_key_id(certificate: x509.Certificate) -> bytes | None:
    return certificate.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value.key_identifier


def _store(session: Session, authority: bytes, made: RevocationList, der: bytes) -> bool:
    """Whether the number was free. What came before is not needed any more: a list is whole."""
    upsert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    new = upsert(RevocationListRow).values(
        authority=authority,
        number=made.number,
        this_update=made.this_update,
        next_update=made.next_update,
        content_hash=made.content_hash,
        der=der,
    )
    taken = session.execute(new.on_conflict_do_nothing().returning(RevocationListRow.number)).scalar_one_or_none()
    if taken is None:
        return False  # another process made this list a moment ago; it has committed, so it is what we read next
    older = (RevocationListRow.authority == authority) & (RevocationListRow.number < made.number)
    session.execute(delete(RevocationListRow).where(older))
    return True
