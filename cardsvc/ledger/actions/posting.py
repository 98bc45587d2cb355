"""Posting batches of drafts: whole sets, never row by row."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from cardsvc.db import to_ms
from cardsvc.ledger.actions import holds
from cardsvc.ledger.actions.accounts import lock
from cardsvc.ledger.actions.writing import Piece, write_balances, write_entries, write_postings
from cardsvc.ledger.queries import known
from cardsvc.ledger.rules import Draft, Posted, PostedLine, Refused, Running, begin, decide_next, entry_hash

_PIECE = 512  # drafts decided between two handfuls for the database; small ones would cost calls, large ones waiting


def post(
    session: Session, drafts: Sequence[Draft], *, first_seq: int, recorded_at: datetime, dry_run: bool = False
) -> list[Posted | Refused]:
    """Post what can be posted; one answer per draft, in order, each decided against what the earlier ones left.

    Item i takes place `first_seq + i` in the log, refused ones too: the caller writes their leaves. The id of an entry
    already there is refused as a duplicate: to give the first answer again is the room `transactions`' duty.
    With `dry_run` the answers are the same and nothing is written.
    """
    lock(session)
    state = known(session, drafts, recorded_at)
    recorded_at_ms = to_ms(recorded_at)
    running = begin(state)
    answers: dict[int, Posted | Refused] = {}
    pieces = _decide(drafts, running, first_seq, answers)
    if dry_run:
        written: Iterator[Piece] = pieces
    else:
        # While the database takes some lines, the next are decided; while it takes the entries, they are hashed.
        written = write_entries(session, list(write_postings(session, pieces, state.accounts)), recorded_at_ms)
    for piece in written:
        for draft, seq, lines in piece:
            answers[seq] = Posted(draft.entry_id, seq, lines, _hash(draft, lines, recorded_at_ms))
    if not dry_run:
        write_balances(session, running.balances, state.accounts)
        posted = [draft for seq, draft in enumerate(drafts, first_seq) if isinstance(answers[seq], Posted)]
        holds.move(session, [draft for draft in posted if draft.hold is not None], state.holds, recorded_at)
    return [answers[seq] for seq in range(first_seq, first_seq + len(drafts))]


def _decide(
    drafts: Sequence[Draft], running: Running, first_seq: int, refused: dict[int, Posted | Refused]
) -> Iterator[Piece]:
    """Those that become entries, in pieces; the others are noted in `refused`."""
    for start in range(0, len(drafts), _PIECE):
        piece: Piece = []
        for seq, draft in enumerate(drafts[start : start + _PIECE], first_seq + start):
            decision = decide_next(draft, running)
            if isinstance(decision, Refused):
                refused[seq] = decision
            else:
                piece.append((draft, seq, decision))
        yield piece


def _hash(draft: Draft, lines: Sequence[PostedLine], recorded_at_ms: int) -> bytes:
    return entry_hash(
        entry_id=draft.entry_id,
        kind=draft.kind.value,
        currency=draft.currency,
        happened_at_ms=to_ms(draft.happened_at),
        recorded_at_ms=recorded_at_ms,
        rule=draft.rule,
        reverses=draft.reverses,
        lines=lines,
        booked_on=draft.booked_on,
        metadata=draft.metadata,
    )
