"""Cards that stand for staff: bound with proofs of both keys, used to sign in, taken away when the card is stopped."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from cryptography import x509
from sqlalchemy import delete, or_, select, update
from sqlalchemy.orm import Session

from cardsvc.access import queries
from cardsvc.access.actions.passwords import RandomBytes
from cardsvc.access.actions.sign_ins import SignedIn, open_for
from cardsvc.access.models import SignIn, Staff, StaffCard
from cardsvc.access.queries import ACTIVE, RELEASED, BoundCard
from cardsvc.access.rules import (
    BindingNotProven,
    CardBoundAlready,
    CardIsNobodys,
    CardWasAnothers,
    Kind,
    NoSuchBinding,
    StaffId,
    VerifiedCard,
    Way,
)
from cardsvc.db import to_ms
from crypto import keys, pki
from crypto.errors import CryptoError
from crypto.pki import CertificatePurpose, VerifiedCertificate
from crypto.wire.ids import uuid7
from crypto.wire.login import CardBinding

CardInUse = Callable[[Session, UUID], bool]
"""Whether the card of this id is active, and held so until the unit ends. Cards stand above: wiring hands it in."""


@dataclass(frozen=True, slots=True)
class CardProof:
    """Both certificates of a card (DER), and each key's signature of the `CardBinding` statement (64 bytes)."""

    sign_in_certificate: bytes
    signature_certificate: bytes
    sign_in_proof: bytes
    signature_proof: bytes


def bind_card(
    session: Session,
    staff_id: StaffId,
    proof: CardProof,
    *,
    nonce: bytes,
    authorities: Sequence[x509.Certificate],
    card_in_use: CardInUse,
    by: UUID,
    now: datetime,
    random_bytes: RandomBytes,
) -> BoundCard:
    """From now on the card stands for the staff member: 9A signs them in, 9C signs for them.

    A card once bound is never another's: what it signed before stays the signature of who had it.
    Raises: BindingNotProven; CardBoundAlready; CardWasAnothers; NoSuchBinding when nobody of this id works here.
    """
    member = queries.staff(session, staff_id)
    if member is None or not member.is_active:
        raise NoSuchBinding
    sign_in, signature = _prove(staff_id, proof, nonce, authorities, now)
    assert sign_in.bearer_id is not None
    if not card_in_use(session, sign_in.bearer_id):
        raise BindingNotProven("The card is not in use in this city. Bind an active card.")
    ids = [keys.key_id(one.public_key) for one in (sign_in, signature)]
    _check_free(session, staff_id, ids)
    session.add(
        StaffCard(
            id=uuid7(to_ms(now), random_bytes(10)),
            staff_id=staff_id,
            card_id=sign_in.bearer_id,
            sign_in_key_id=ids[0],
            sign_in_key=keys.spki(sign_in.public_key),
            signature_key_id=ids[1],
            signature_key=keys.spki(signature.public_key),
            bound_by=by,
            bound_at=now,
        )
    )
    session.flush()
    return queries.cards_of_staff(session, staff_id)[0]


def _check_free(session: Session, staff_id: StaffId, key_ids: Sequence[bytes]) -> None:
    of_these = or_(StaffCard.sign_in_key_id.in_(key_ids), StaffCard.signature_key_id.in_(key_ids))
    had = session.execute(select(StaffCard.staff_id, StaffCard.unbound_at).where(of_these)).all()
    if any(row.unbound_at is None for row in had):
        raise CardBoundAlready
    if any(row.staff_id != staff_id for row in had):
        raise CardWasAnothers


def unbind_card(session: Session, staff_id: UUID, binding_id: UUID, now: datetime, *, by_admin: bool) -> None:
    """Take a card away from a staff member. With `by_admin` their password signs in again where cards had ended that,
    also when the card was stopped before. Raises: NoSuchBinding.
    """
    theirs = queries.cards_of_staff(session, staff_id, unbound_too=True)
    bound = next((one for one in theirs if one.id == binding_id), None)
    if bound is None or (bound.unbound_at is not None and (not by_admin or bound.unbound_why == RELEASED)):
        raise NoSuchBinding
    if bound.unbound_at is None:
        block_keys(session, [bound.sign_in_key_id], now, why=RELEASED if by_admin else "given back")
        return
    session.execute(update(StaffCard).where(StaffCard.id == binding_id).values(unbound_why=RELEASED))


def sign_in_with_card(
    session: Session,
    card: VerifiedCard,
    now: datetime,
    *,
    way: Way,
    random_bytes: RandomBytes,
    allow_demo: bool = True,
) -> SignedIn:
    """Open a sign-in for the staff member whose card it is. Raises: CardIsNobodys, also for whoever is blocked."""
    found = session.scalar(
        select(StaffCard.staff_id)
        .join(Staff, Staff.id == StaffCard.staff_id)
        .where(
            StaffCard.sign_in_key_id == card.key_id,
            StaffCard.card_id == card.card_id,
            StaffCard.unbound_at.is_(None),
            Staff.status == ACTIVE,
        )
    )
    if found is None:
        raise CardIsNobodys
    return open_for(session, Kind.STAFF, found, now, way=way, random_bytes=random_bytes, allow_demo=allow_demo)


def block_keys(session: Session, key_ids: Iterable[bytes], now: datetime, *, why: str = "card stopped") -> int:
    """The cards of these keys stand for no staff member any more, and sign-ins made with them end. How many they were.

    `cards` calls it for every card it suspends or revokes, with any of the card's keys, for one card or a hundred
    thousand: staff cards are few, so the few are looked up among the many. A card that is resumed is bound again.
    """
    stopped = frozenset(key_ids)
    bound = session.execute(
        select(StaffCard.id, StaffCard.sign_in_key_id, StaffCard.signature_key_id).where(StaffCard.unbound_at.is_(None))
    ).all()
    found = [row for row in bound if row.sign_in_key_id in stopped or row.signature_key_id in stopped]
    if found:
        session.execute(
            update(StaffCard)
            .where(StaffCard.id.in_([row.id for row in found]))
            .values(unbound_at=now, unbound_why=why)
            .execution_options(synchronize_session=False)
        )
        session.execute(delete(SignIn).where(SignIn.key_id.in_([row.sign_in_key_id for row in found])))
    return len(found)


def _prove(
    staff_id: StaffId, proof: CardProof, nonce: bytes, authorities: Sequence[x509.Certificate], now: datetime
) -> tuple[VerifiedCertificate, VerifiedCertificate]:
    try:
        sign_in, signature = (
            pki.verify_chain(pki.load_certificate(certificate), authorities, now, purpose)
            for certificate, purpose in (
                (proof.sign_in_certificate, CertificatePurpose.CARD_AUTHENTICATION),
                (proof.signature_certificate, CertificatePurpose.CARD_SIGNATURE),
            )
        )
        if sign_in.bearer_id is None or sign_in.bearer_id != signature.bearer_id:
            raise BindingNotProven("The two certificates are not of one card.")
        points = keys.point(sign_in.public_key), keys.point(signature.public_key)
        statement = CardBinding(staff_id, sign_in.bearer_id, nonce, *points).to_be_signed()
        keys.verify(sign_in.public_key, statement, proof.sign_in_proof)
        keys.verify(signature.public_key, statement, proof.signature_proof)
    except CryptoError as error:
        raise BindingNotProven(f"The card's proof does not hold: {error}") from error
    return sign_in, signature
