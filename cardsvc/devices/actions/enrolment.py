"""Bringing a terminal in, and taking it out of service."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from sqlalchemy import func, insert, select, update
from sqlalchemy.orm import Session

from cardsvc.db import to_ms
from cardsvc.devices import queries
from cardsvc.devices.models import DeviceEventRow, DeviceInviteRow, DeviceRow
from cardsvc.devices.queries import Device
from cardsvc.devices.rules import (
    CERTIFICATE_VALIDITY,
    CLOCK_LEEWAY,
    CODE_BYTES,
    INVITE_VALIDITY,
    DeviceKind,
    DeviceStatus,
    InvalidInvite,
    TerminalKeyInUse,
    code_hash,
    code_of,
    proven_key,
)
from cardsvc.vault import Vault
from crypto import keys, pki
from crypto.wire.ids import RANDOM_BYTES, uuid7

RandomBytes = Callable[[int], bytes]
_SERIAL_BYTES = 16
PORTAL_NAME = "the service's own portal"


@dataclass(frozen=True, slots=True)
class Enrolment:
    """What a terminal gets: its id, and its certificate (DER) by the city's terminal authority."""

    device_id: UUID
    certificate: bytes


def invite(session: Session, kind: DeviceKind, name: str, *, by: UUID, now: datetime, random_bytes: RandomBytes) -> str:
    """A code with which one terminal may enrol within a week. It is shown once: only its hash stays."""
    code = code_of(random_bytes(CODE_BYTES))
    session.execute(
        insert(DeviceInviteRow).values(
            code_hash=code_hash(code),
            kind=kind.value,
            name=name,
            invited_by=by,
            invited_at=now,
            expires_at=now + INVITE_VALIDITY,
        )
    )
    return code


def enrol(
    session: Session,
    vault: Vault,
    code: str,
    public_key: bytes,
    proof: bytes,
    *,
    now: datetime,
    random_bytes: RandomBytes,
) -> Enrolment:
    """Take a terminal in. `public_key` is its SPKI, `proof` its signature over the enrolment statement.

    The same code with the same key again gives the same enrolment: the first answer may have been lost.
    Raises: InvalidTerminalKey, InvalidEnrolmentProof, InvalidInvite, TerminalKeyInUse.
    """
    key = proven_key(code, public_key, proof)
    query = select(DeviceInviteRow).where(DeviceInviteRow.code_hash == code_hash(code)).with_for_update()
    invited = session.execute(query.execution_options(populate_existing=True)).scalar_one_or_none()
    if invited is None:
        raise InvalidInvite
    if invited.device_id is not None:
        return _again(session, invited.device_id, public_key)
    if now > invited.expires_at:
        raise InvalidInvite
    if queries.by_key_id(session, keys.key_id(key)) is not None:
        raise TerminalKeyInUse
    device_id = uuid7(to_ms(now), random_bytes(RANDOM_BYTES))
    certificate = _certificate(vault, key, device_id, now, random_bytes)
    _insert(session, device_id, DeviceKind(invited.kind), invited.name, key, certificate, invited.invited_by, now)
    session.execute(
        update(DeviceInviteRow)
        .where(DeviceInviteRow.code_hash == invited.code_hash)
        .values(used_at=now, device_id=device_id)
    )
    return Enrolment(device_id, certificate)


def portal(session: Session, public_key: EllipticCurvePublicKey, now: datetime) -> Device:
    """The service's own place among the terminals, made when first asked for; `public_key` is the service's.

    With a new key comes a new place: the one of the key before is revoked, and what it sent stays.
    """
    key_id = keys.key_id(public_key)
    found = queries.by_key_id(session, key_id)
    if found is not None:
        return found
    before = session.scalar(
        select(DeviceRow.id).where(
            DeviceRow.kind == DeviceKind.PORTAL.value, DeviceRow.status == DeviceStatus.ENROLLED.value
        )
    )
    if before is not None:
        revoke(session, before, by=None, reason="the service has a new key", now=now)
    device_id = UUID(bytes=key_id, version=5)  # a name-based id: whoever makes the row first makes the same one
    _insert(session, device_id, DeviceKind.PORTAL, PORTAL_NAME, public_key, None, None, now)
    return queries.find(session, device_id)


def revoke(session: Session, device_id: UUID, *, by: UUID | None, reason: str, now: datetime) -> Device:
    """Take a terminal out of service for good; what it sent stays. Again: nothing changes. Raises: DeviceNotFound."""
    device = queries.find(session, device_id)
    if device.status is DeviceStatus.REVOKED:
        return device
    session.execute(
        update(DeviceRow).where(DeviceRow.id == device_id).values(status=DeviceStatus.REVOKED.value, revoked_at=now)
    )
    _write_event(session, device_id, DeviceStatus.REVOKED, by, now, reason)
    return queries.find(session, device_id)


def _again(session: Session, device_id: UUID, public_key: bytes) -> Enrolment:
    row = session.execute(
        select(DeviceRow.public_key, DeviceRow.certificate, DeviceRow.status).where(DeviceRow.id == device_id)
    ).one()
    if row.public_key != public_key or row.status != DeviceStatus.ENROLLED or row.certificate is None:
        raise InvalidInvite
    return Enrolment(device_id, row.certificate)


def _certificate(
    vault: Vault, key: EllipticCurvePublicKey, device_id: UUID, now: datetime, random_bytes: RandomBytes
) -> bytes:
    vault = vault.snapshot()  # the certificate with its own key, even while the authority is changed
    authority = vault.certificate("terminal-ca")
    at = now.replace(microsecond=0)
    return pki.to_der(
        pki.create_terminal_certificate(
            key,
            device_id,
            issuer=authority,
            signer=vault.signer("terminal-ca"),
            # a positive number of always the same length (RFC 5280 4.1.2.2)
            serial=int.from_bytes(random_bytes(_SERIAL_BYTES), "big") >> 1 | 1 << 8 * _SERIAL_BYTES - 2,
            not_before=max(at - CLOCK_LEEWAY, authority.not_valid_before_utc),
            not_after=min(at + CERTIFICATE_VALIDITY, authority.not_valid_after_utc),
        )
    )


def _insert(
    session: Session,
    device_id: UUID,
    kind: DeviceKind,
    name: str,
    key: EllipticCurvePublicKey,
    certificate: bytes | None,
    invited_by: UUID | None,
    now: datetime,
) -> None:
    session.execute(
        insert(DeviceRow).values(
            id=device_id,
            kind=kind.value,
            name=name,
            public_key=keys.spki(key),
            key_id=keys.key_id(key),
            certificate=certificate,
            status=DeviceStatus.ENROLLED.value,
            invited_by=invited_by,
            enrolled_at=now,
            last_sequence=0,
        )
    )
    _write_event(session, device_id, DeviceStatus.ENROLLED, invited_by, now, None)


def _write_event(
    session: Session, device_id: UUID, status: DeviceStatus, actor: UUID | None, now: datetime, reason: str | None
) -> None:
    written = select(func.count()).select_from(DeviceEventRow).where(DeviceEventRow.device_id == device_id)
    number = session.execute(written).scalar_one() + 1
    session.execute(
        insert(DeviceEventRow).values(
            device_id=device_id, number=number, status=status.value, actor=actor, at=now, reason=reason
        )
    )
