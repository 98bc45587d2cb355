"""The policy that terminals download: what they may do while there is no network."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from sqlalchemy import func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from cardsvc import audit
from cardsvc.db import to_ms
from cardsvc.devices.actions.denials import current_deny_number, next_number, publish_deny_list
from cardsvc.devices.models import PolicyNumberRow
from cardsvc.devices.rules import POLICY_VALIDITY
from cardsvc.vault import Vault
from crypto import cbor, pki
from crypto.wire.policy import FlatFare, OfflineLimits, Policy, sign_policy

_NUMBERING_LOCK = 0x706F6C69  # any fixed number: PostgreSQL's advisory locks have no names


@dataclass(frozen=True, slots=True)
class PolicySources:
    """What a policy says that other rooms know; app.py brings them together."""

    fares: Callable[[Session, datetime], tuple[FlatFare, ...]]
    tariff_version: Callable[[Session, datetime], int]
    limits: Callable[[Session, datetime], OfflineLimits]
    holds: Callable[[Session, datetime], tuple[FlatFare, ...]] = lambda _session, _now: ()


def policy(session: Session, vault: Vault, sources: PolicySources, now: datetime) -> bytes:
    """The signed policy in force now, good for four days. Its number grows when, and only when, the content changed."""
    content = _content(session, vault, sources, publish_deny_list(session, now), now)
    return _signed(content, _number(session, content, now), vault, now)


def numbered_policy(session: Session, vault: Vault, sources: PolicySources, now: datetime) -> bytes | None:
    """The same without writing anything; None where the content or the deny list changed and has no number yet."""
    deny_number = current_deny_number(session, now)
    if deny_number is None:
        return None
    content = _content(session, vault, sources, deny_number, now)
    latest = _latest(session)
    return _signed(content, latest[0], vault, now) if latest and latest[1] == _hash(content) else None


def _content(session: Session, vault: Vault, sources: PolicySources, deny_number: int, now: datetime) -> Policy:
    return Policy(
        number=1,
        issued_at_ms=0,
        expires_at_ms=1,
        card_authorities=_authorities(vault, "card-ca"),
        terminal_authorities=_authorities(vault, "terminal-ca"),
        deny=(),
        limits=sources.limits(session, now),
        fares=sources.fares(session, now),
        tariff_version=sources.tariff_version(session, now),
        city_keys=audit.city_keys(session, vault).format(),
        deny_number=deny_number,
        holds=sources.holds(session, now),
    )


def _hash(content: Policy) -> bytes:
    return hashlib.sha256(cbor.encode(content.encode())).digest()


def _signed(content: Policy, number: int, vault: Vault, now: datetime) -> bytes:
    issued = replace(content, number=number, issued_at_ms=to_ms(now), expires_at_ms=to_ms(now + POLICY_VALIDITY))
    return sign_policy(issued, vault.signer("policy"))


def _authorities(vault: Vault, name: Literal["card-ca", "terminal-ca"]) -> tuple[bytes, ...]:
    return tuple(pki.to_der(one) for one in (*vault.certificates(name), *vault.certificates("root")))


def _latest(session: Session) -> tuple[int, bytes, datetime] | None:
    columns = (PolicyNumberRow.number, PolicyNumberRow.content_hash, PolicyNumberRow.first_issued_at)
    row = session.execute(select(*columns).order_by(PolicyNumberRow.number.desc()).limit(1)).one_or_none()
    return None if row is None else (row.number, row.content_hash, row.first_issued_at)


def _number(session: Session, content: Policy, now: datetime) -> int:
    content_hash = _hash(content)
    on_postgresql = session.get_bind().dialect.name == "postgresql"
    upsert = postgresql.insert if on_postgresql else sqlite.insert
    if on_postgresql and (found := _latest(session)) is not None and found[1] != content_hash:
        session.execute(select(func.pg_advisory_xact_lock(_NUMBERING_LOCK)))  # numbers are no more the next one
    while True:
        latest = _latest(session)
        if latest is not None and latest[1] == content_hash:
            return latest[0]
        number = next_number((latest[0], latest[2]) if latest else None, now)
        new = upsert(PolicyNumberRow).values(
            number=number, content_hash=content_hash, first_issued_at=now, deny_number=content.deny_number
        )
        taken = session.execute(new.on_conflict_do_nothing().returning(PolicyNumberRow.number)).scalar_one_or_none()
        if taken is not None:
            return number
        # Another process gave this number out a moment ago; it has committed, so its content is what we read next.
