"""Nobody is shown before it is written down who is shown them, to whom and why."""

from collections.abc import Sequence
from uuid import UUID

from flask import request
from sqlalchemy.orm import Session

from cardsvc import db, web
from cardsvc.access import guard
from cardsvc.residents import actions

READERS = ("clerk", "card_officer")
WHOLE_ENTRY = ("name", "number", "birth_date", "sex", "barangay_code", "address", "mobile", "status")
_READING = frozenset({"GET", "HEAD"})


def note(resident_ids: Sequence[UUID], purpose: str, fields: Sequence[str]) -> None:
    """Note that whoever asks is shown these residents. Call it before they are.

    A request that only reads may not write, so there it is a unit of its own. If we stop after it, somebody is noted
    who saw nothing; the other way round nobody would know.
    """
    by, now = guard.principal().subject_id, web.now()

    def work(session: Session) -> None:
        actions.note_looks(session, resident_ids, actor=by, purpose=purpose, fields=fields, now=now)

    if request.method in _READING:
        db.run(web.city().engine, work)
    else:
        work(web.session())
