"""What the log is called, now and before, and the keys that verify it under each name."""

from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from cardsvc import access
from cardsvc.audit.models import LogRecoveryRow
from cardsvc.vault import Vault
from crypto.tlog import NoteSigner, NoteVerifier
from crypto.wire.citykeys import CityKeys

OFFICERS = frozenset({access.Role.ADMIN, access.Role.AUDITOR})
RECOVERY_KIND = "log.recover"
_SIGNED = ("origin", "tree_size", "root", "lost", "reason")


@dataclass(frozen=True, slots=True)
class Recovery:
    """What two people stated about a lost history. `lost` is the head that was given up; "" where none is known."""

    action_id: UUID
    origin: str
    tree_size: int
    root: bytes
    lost: str
    reason: str
    recovered_at: datetime


def recoveries(session: Session) -> list[Recovery]:
    """The oldest first; nearly always none. Each is what two people signed: a row alone gives no head up.

    Raises: access.UnprovedAction.
    """
    table = LogRecoveryRow.__table__
    found = [Recovery(*row) for row in session.execute(sa.select(table).order_by(table.c.recovered_at))]
    for one in found:
        signed = access.proved_payload(session, one.action_id, RECOVERY_KIND, (OFFICERS, OFFICERS))
        if any(signed.get(name) != getattr(one, name) for name in _SIGNED):
            raise access.UnprovedAction(one.action_id, "the log was continued otherwise than two people signed")
    return found


def origin(session: Session, vault: Vault) -> str:
    """The name under which the log is signed now."""
    return origins(session, vault)[-1]


def origins(session: Session, vault: Vault) -> list[str]:
    """Every name that the log has had, the present one last."""
    return list(dict.fromkeys([vault.log_origin, *(one.origin for one in recoveries(session))]))


def note_signers(session: Session, vault: Vault) -> list[NoteSigner]:
    """All who sign a checkpoint now."""
    name = origin(session, vault)
    return [replace(signer, name=name) for signer in vault.note_signers()]


def city_keys(session: Session, vault: Vault) -> CityKeys:
    """The city's public keys, with the log's under every name that it has had."""
    keys = vault.city_keys()
    names = origins(session, vault)
    logs = tuple(NoteVerifier(name, verifier.public_key) for name in names for verifier in keys.logs)
    return replace(keys, logs=logs)
