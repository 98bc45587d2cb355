"""The photo that a clerk compares with the face in front of them."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, insert
from sqlalchemy.orm import Session

from cardsvc.residents.models import ResidentPhotoRow
from cardsvc.residents.queries import find
from cardsvc.residents.rules import Photo, read_photo


def store_photo(session: Session, resident_id: UUID, content: bytes, *, by: UUID, now: datetime) -> Photo:
    """Keep this photo of the resident instead of any before. Raises: ResidentNotFound, InvalidPhoto."""
    resident = find(session, resident_id)
    photo = read_photo(content)
    session.execute(delete(ResidentPhotoRow).where(ResidentPhotoRow.resident_id == resident.id))
    session.execute(
        insert(ResidentPhotoRow).values(
            resident_id=resident.id,
            media_type=photo.media_type,
            width=photo.width,
            height=photo.height,
            content=photo.content,
            stored_at=now,
            stored_by=by,
        )
    )
    return photo
