"""The policy that terminals download: what they may do while there is no network."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from cardsvc import cards
from cardsvc.db import to_ms
from cardsvc.devices.models import PolicyNumberRow
from cardsvc.devices.rules import POLICY_VALIDITY
from cardsvc.vault import Vault
from crypto import cbor, pki
from crypto.wire.policy import FlatFare, OfflineLimits, Policy, sign_policy


@dataclass(frozen=True, slots=True)
class PolicySources:
    """What a policy says that other rooms know; app.py brings them together."""

    fares: Callable[[Session, datetime], tuple[FlatFare, ...]]
    tariff_version: Callable[[Session, datetime], int]
    limits: Callable[[Session, datetime], OfflineLimits]


def policy(session: Session, vault: Vault, sources: PolicySources, now: datetime) -> bytes:
    """The signed policy in force now, good for a day. Its number grows when, and only when, the content changed."""
    content = Policy(
        number=1,
        issued_at_ms=0,
        expires_at_ms=1,
        card_authorities=_authorities(vault, "card-ca"),
        terminal_authorities=_authorities(vault, "terminal-ca"),
        deny=cards.denied(session, now),
        limits=sources.limits(session, now),
        fares=sources.fares(session, now),
        tariff_version=sources.tariff_version(session, now),
        city_keys=vault.city_keys().format(),
    )
    issued = replace(
        content,
        number=_number(session, hashlib.sha256(cbor.encode(content.encode())).digest(), now),
        issued_at_ms=to_ms(now),
        expires_at_ms=to_ms(now + POLICY_VALIDITY),
    )
    return sign_policy(issued, vault.signer("policy"))


def _authorities(vault: Vault, name: Literal["card-ca", "terminal-ca"]) -> tuple[bytes, ...]:
    return (pki.to_der(vault.certificate(name)), pki.to_der(vault.certificate("root")))


def _number(session: Session, content_hash: bytes, now: datetime) -> int:
    upsert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    query = (
        select(PolicyNumberRow.number, PolicyNumberRow.content_hash).order_by(PolicyNumberRow.number.desc()).limit(1)
    )
    while True:
        latest = session.execute(query).one_or_none()
        if latest is not None and latest.content_hash == content_hash:
            return int(latest.number)
        number = int(latest.number) + 1 if latest is not None else 1
        new = upsert(PolicyNumberRow).values(number=number, content_hash=content_hash, first_issued_at=now)
        taken = session.execute(new.on_conflict_do_nothing().returning(PolicyNumberRow.number)).scalar_one_or_none()
        if taken is not None:
            return number
        # Another process gave this number out a moment ago; it has committed, so its content is what we read next.
