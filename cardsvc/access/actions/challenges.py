"""Nonces: given to one browser or program, answered once, soon."""

import hashlib
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, func, insert, select
from sqlalchemy.orm import Session

from cardsvc.access.actions.passwords import RandomBytes
from cardsvc.access.models import Challenge
from cardsvc.access.rules import (
    BINDING_BYTES,
    CHALLENGE_VALIDITY,
    CHALLENGES_MAX,
    ChallengeGone,
    Purpose,
    TooManyFromHere,
)
from crypto.wire.login import NONCE_BYTES


@dataclass(frozen=True, slots=True)
class OpenChallenge:
    """`nonce` may go through other hands, to the program beside the reader; `binding` stays with whoever asked."""

    nonce: bytes
    binding: bytes = field(repr=False)
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class TakenChallenge:
    """A nonce that was waited for and is now used up; `subject_id` is whom it was given to, where that was said."""

    nonce: bytes
    subject_id: UUID | None


def open_challenge(
    session: Session,
    purpose: Purpose,
    now: datetime,
    *,
    random_bytes: RandomBytes,
    subject_id: UUID | None = None,
    address: str | None = None,
) -> OpenChallenge:
    """A fresh nonce. Raises: TooManyFromHere."""
    if address is not None:
        count = select(func.count()).where(Challenge.address == address, Challenge.expires_at > now)
        if session.scalars(count).one() >= CHALLENGES_MAX:
            raise TooManyFromHere
    made = OpenChallenge(random_bytes(NONCE_BYTES), random_bytes(BINDING_BYTES), now + CHALLENGE_VALIDITY)
    session.execute(
        insert(Challenge).values(
            binding_hash=_hash(made.binding),
            purpose=purpose.value,
            nonce=made.nonce,
            subject_id=subject_id,
            address=address,
            expires_at=made.expires_at,
        )
    )
    return made


def take_challenge(session: Session, purpose: Purpose, binding: bytes, now: datetime) -> TakenChallenge:
    """Use a nonce up. The caller commits this before it looks at the answer, so that no nonce is answered twice,
    rightly or wrongly. Raises: ChallengeGone.
    """
    taken = session.execute(
        delete(Challenge)
        .where(Challenge.binding_hash == _hash(binding), Challenge.purpose == purpose.value)
        .returning(Challenge.nonce, Challenge.subject_id, Challenge.expires_at)
    ).one_or_none()
    if taken is None or now >= taken.expires_at:
        raise ChallengeGone
    return TakenChallenge(taken.nonce, taken.subject_id)


def _hash(binding: bytes) -> bytes:
    return hashlib.sha256(binding).digest()
