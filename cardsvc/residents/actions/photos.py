"""The photo that a clerk compares with the face in front of them."""

import hashlib
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, insert, select, update
from sqlalchemy.orm import Session

from cardsvc.residents.models import ResidentPhotoRow, ResidentRow
from cardsvc.residents.queries import find
from cardsvc.residents.rules import Photo, read_photo


def store_photo(session: Session, resident_id: UUID, content: bytes, *, by: UUID, now: datetime) -> Photo:
    """Keep this photo of the resident instead of any before, without what a camera writes beside the picture.

    Who replaced which photo, and when, stays on record; the older picture itself does not. The same one again changes
    nothing. Raises: ResidentNotFound, InvalidPhoto.
    """
    resident = find(session, resident_id)
    photo = read_photo(content)
    session.execute(select(ResidentRow.id).where(ResidentRow.id == resident.id).with_for_update())
    digest, mine = hashlib.sha256(photo.content).digest(), ResidentPhotoRow.resident_id == resident.id
    last = session.scalar(select(func.max(ResidentPhotoRow.number)).where(mine)) or 0
    newest = select(ResidentPhotoRow.content_hash).where(mine, ResidentPhotoRow.number == last)
    if session.scalar(newest) == digest:
        return photo
    erased = update(ResidentPhotoRow).where(mine, ResidentPhotoRow.content.is_not(None)).values(content=None)
    session.execute(erased)
    session.execute(
        insert(ResidentPhotoRow).values(
            resident_id=resident.id,
            number=last + 1,
            media_type=photo.media_type,
            width=photo.width,
            height=photo.height,
            content_hash=digest,
            content=photo.content,
            stored_at=now,
            stored_by=by,
        )
    )
    return photo
