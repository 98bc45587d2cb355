"""The photo of a resident. Whoever shows it notes the look (`note_look`)."""

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from cardsvc.residents.models import ResidentPhotoRow
from cardsvc.residents.rules import Photo


def photo(session: Session, resident_id: UUID) -> Photo | None:
    """The resident's photo, None where there is none."""
    query = select(
        ResidentPhotoRow.media_type, ResidentPhotoRow.width, ResidentPhotoRow.height, ResidentPhotoRow.content
    ).where(ResidentPhotoRow.resident_id == resident_id, ResidentPhotoRow.content.is_not(None))
    row = session.execute(query).one_or_none()
    return None if row is None else Photo(row.media_type, row.width, row.height, row.content)
