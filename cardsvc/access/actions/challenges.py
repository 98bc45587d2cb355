"""Nonces: given to one browser or program, answered once, soon."""

import hashlib
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, insert, select
from sqlalchemy.orm import Session

from cardsvc.access.actions.passwords import RandomBytes
from cardsvc.access.models import Challenge
from cardsvc.access.rules import (
    BINDING_BYTES,
    CHALLENGE_VALIDITY,
    CHALLENGES_MAX,
    ChallengeGone,
    Purpose,
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
    """A fresh nonce. Where too many wait for one address the oldest goes, because many people may stand behind one;
    what anybody asked for pushes out nothing that was given to a person.
    """
    if address is not None:
        kept = (
            select(Challenge.binding_hash)
            .where(Challenge.address == address, Challenge.subject_id == subject_id)
            .order_by(Challenge.expires_at.desc())
        )
        too_many = session.scalars(kept.offset(CHALLENGES_MAX - 1)).all()
        if too_many:
            session.execute(delete(Challenge).where(Challenge.binding_hash.in_(too_many)))
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


def waiting_challenge(session: Session, purpose: Purpose, binding: bytes, now: datetime) -> OpenChallenge | None:
    """The nonce that waits for this binding, when most of its time is left; whoever asks again goes on with it."""
    found = session.execute(
        select(Challenge.nonce, Challenge.expires_at).where(
            Challenge.binding_hash == _hash(binding),
            Challenge.purpose == purpose.value,
            Challenge.expires_at > now + CHALLENGE_VALIDITY / 2,
        )
    ).one_or_none()
    return None if found is None else OpenChallenge(found.nonce, binding, found.expires_at)


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
