"""The keys of residents' passkeys that sign records."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from cardsvc.access.models import Passkey
from cardsvc.access.models import PasskeyKey as Row
from cardsvc.access.rules import Kind
from crypto import keys
from crypto.keys import PublicKey


@dataclass(frozen=True, slots=True)
class PasskeyKey:
    """A resident's passkey as records name it: its key, and the one origin where what it signs counts."""

    key_id: bytes
    credential_id: bytes
    resident_id: UUID
    public_key: PublicKey
    origin: str


def passkeys_by_key(
    session: Session, key_ids: Sequence[bytes], *, removed_too: bool = False
) -> dict[bytes, PasskeyKey]:
    """The passkeys among `key_ids` that sign for a resident now. `removed_too`: also those that were taken away since,
    because what they signed stays signed.
    """
    if not key_ids:
        return {}
    query = select(Row).where(Row.key_id.in_(key_ids))
    if not removed_too:
        query = query.where(
            exists().where(
                Passkey.credential_id == Row.credential_id,
                Passkey.subject_id == Row.resident_id,
                Passkey.kind == Kind.RESIDENT.value,
            )
        )
    return {
        row.key_id: PasskeyKey(
            row.key_id, row.credential_id, row.resident_id, keys.load_spki(row.public_key), row.origin
        )
        for row in session.scalars(query)
    }
