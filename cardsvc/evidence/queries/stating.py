"""Whose keys there are, as the city states it: every key that may have signed, whose it was, from when until when."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from cryptography import x509
from sqlalchemy.orm import Session

from cardsvc.db import Base, to_ms
from cardsvc.evidence.rules.lines import hexed
from cardsvc.vault import KeyName, Vault
from crypto import keys, pki
from crypto.wire.evidence import KeyStatement, KeyUse, sign_statement


@dataclass(frozen=True, slots=True)
class Stated:
    """A key to be stated; `certificate` lies beside where the key has one that an authority signed."""

    statement: KeyStatement
    certificate: bytes | None = None


def statements(session: Session, vault: Vault, now_ms: int) -> Iterator[tuple[str, ...]]:
    """The fields of every line of `keys.tsv`, signed now: the tables say whose keys they are, the signature says so of
    this moment. What a table was made to say before, no signature made now can tell.
    """
    signer = vault.signer("receipt")
    for stated in _all(session, vault, now_ms):
        key_id = keys.key_id(_key_of(stated.statement))
        yield key_id.hex(), sign_statement(stated.statement, signer).hex(), hexed(stated.certificate)


def _key_of(statement: KeyStatement) -> keys.PublicKey:
    if statement.use in (KeyUse.CARD_AUTHORITY, KeyUse.TERMINAL_AUTHORITY):
        key = pki.load_certificate(statement.key).public_key()
        assert keys.is_accepted(key)
        return key
    return keys.load_spki(statement.key)


def _all(session: Session, vault: Vault, now_ms: int) -> Iterator[Stated]:
    for certificate in vault.certificates("card-ca"):
        yield Stated(_authority(KeyUse.CARD_AUTHORITY, certificate, now_ms))
    for certificate in vault.certificates("terminal-ca"):
        yield Stated(_authority(KeyUse.TERMINAL_AUTHORITY, certificate, now_ms))
    until = _portals_left(session)
    for one in vault.register.of(KeyName.SERVICE):
        spki = keys.spki(vault.signer("service", one.number).public_key)
        span: dict[str, Any] = {"from_ms": one.made_at_ms, "until_ms": until.get(spki)}
        yield Stated(KeyStatement(use=KeyUse.SERVICE.value, key=spki, issued_at_ms=now_ms, **span))
    yield from _terminals(session, now_ms)
    yield from _staff(session, now_ms)
    yield from _passkeys(session, now_ms)


def _portals_left(session: Session) -> dict[bytes, int]:
    """When each service key's own portal was revoked, by the key: with that the key signs no more."""
    table = Base.metadata.tables["device"]
    left = sa.select(table.c.public_key, table.c.revoked_at)
    rows = session.execute(left.where(table.c.kind == "portal", table.c.revoked_at.is_not(None)))
    return {row.public_key: to_ms(row.revoked_at) for row in rows}


def _authority(use: KeyUse, certificate: x509.Certificate, now_ms: int) -> KeyStatement:
    from_ms = to_ms(certificate.not_valid_before_utc)
    return KeyStatement(use=use.value, key=pki.to_der(certificate), issued_at_ms=now_ms, from_ms=from_ms)


def _terminals(session: Session, now_ms: int) -> Iterator[Stated]:
    table = Base.metadata.tables["device"]
    for row in session.execute(sa.select(table).order_by(table.c.enrolled_at, table.c.id)):
        yield Stated(
            KeyStatement(
                use=KeyUse.TERMINAL.value,
                key=row.public_key,
                issued_at_ms=now_ms,
                from_ms=to_ms(row.enrolled_at),
                until_ms=None if row.revoked_at is None else to_ms(row.revoked_at),
                holder_id=row.id,
                detail=row.kind,
            ),
            row.certificate,
        )


def _staff(session: Session, now_ms: int) -> Iterator[Stated]:
    """Each member's own key, and the 9C of each card while it was bound to them."""
    staff, card = Base.metadata.tables["staff"], Base.metadata.tables["staff_card"]
    for row in session.execute(sa.select(staff).order_by(staff.c.created_at, staff.c.id)):
        yield Stated(_staff_key(row.id, row.public_key, to_ms(row.created_at), None, "own", now_ms))
    for row in session.execute(sa.select(card).order_by(card.c.bound_at, card.c.id)):
        until = None if row.unbound_at is None else to_ms(row.unbound_at)
        yield Stated(_staff_key(row.staff_id, row.signature_key, to_ms(row.bound_at), until, "card", now_ms))


def _passkeys(session: Session, now_ms: int) -> Iterator[Stated]:
    """Every passkey that signed a record, those that were removed since too; `detail` is the origin it counts at."""
    table = Base.metadata.tables["passkey_key"]
    for row in session.execute(sa.select(table).order_by(table.c.kept_at, table.c.key_id)):
        facts: dict[str, Any] = {"from_ms": to_ms(row.kept_at), "holder_id": row.resident_id, "detail": row.origin}
        yield Stated(KeyStatement(use=KeyUse.PASSKEY.value, key=row.public_key, issued_at_ms=now_ms, **facts))


def _staff_key(
    staff_id: UUID, key: bytes, from_ms: int, until_ms: int | None, detail: str, now_ms: int
) -> KeyStatement:
    facts: dict[str, Any] = {"until_ms": until_ms, "holder_id": staff_id, "detail": detail}
    return KeyStatement(use=KeyUse.STAFF.value, key=key, issued_at_ms=now_ms, from_ms=from_ms, **facts)
