"""A history that is lost for good: two people say so, and the log goes on under another name.

The log's old name has signed heads that nobody can continue, and must never sign another that contradicts them. So
what comes after the restored database is another log to everybody who watches: its name ends in the time of the
recovery. The old name's checkpoints and receipts verify as before.
"""

from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from cardsvc import access
from cardsvc.audit.actions.growing import publish
from cardsvc.audit.actions.keeping import check_kept, keep, read_kept
from cardsvc.audit.models import LogRecoveryRow
from cardsvc.audit.queries import OFFICERS, RECOVERY_KIND, Checkpoint, newest, next_index, origin, reader
from cardsvc.audit.rules import KeptHeadMissing, KeptHeadUnreadable, LogBehindCheckpoint, LostHeadKnown, NothingLost
from cardsvc.vault import RandomBytes, Vault
from crypto import tlog


def propose_recovery(
    session: Session,
    vault: Vault,
    kept: Path,
    *,
    reason: str,
    same_log: bool,
    by: UUID,
    now: datetime,
    random_bytes: RandomBytes,
) -> access.ActionView:
    """What two people sign: where the log stands, which head is given up, why, and how the log is called from now on.

    `same_log`: the file was lost and nothing else; the name stays. Raises: NothingLost, LostHeadKnown.
    """
    lost = _lost(session, vault, kept)
    if same_log and lost:
        raise LostHeadKnown(tlog.Checkpoint.decode(tlog.split_note(lost)[0]).size)
    size = next_index(session)
    name = origin(session, vault) if same_log else f"{vault.log_origin}/{now:%Y%m%d%H%M%S}"
    payload = {"origin": name, "tree_size": size, "root": _root(session, size), "lost": lost, "reason": reason}
    summary = f"Continue the log at {size} leaves as {name}, giving up what was signed after it: {reason}"
    return access.propose(session, RECOVER, payload, summary[:400], by=by, now=now, random_bytes=random_bytes)


def finish_recovery(session: Session, vault: Vault, kept: Path, now: datetime) -> Checkpoint:
    """After the second signature is committed: keep what this database signed last, and sign under the new name.

    If we stop before it, the given-up head is still in the file; it is known as given up, and the next publication does
    the same.
    """
    last = newest(session)
    if last is None:
        kept.unlink(missing_ok=True)
    else:
        keep(kept, last.note)
    return publish(session, vault, now, kept)


def _lost(session: Session, vault: Vault, kept: Path) -> str:
    """The kept head that cannot be continued; "" where the file itself is what is lost. Raises: NothingLost."""
    try:
        check_kept(session, vault, kept)
    except (KeptHeadMissing, KeptHeadUnreadable):
        return ""
    except LogBehindCheckpoint:
        return read_kept(kept) or ""
    raise NothingLost


def _root(session: Session, size: int) -> bytes:
    return tlog.Tree(reader(session), size).root()


def _run(session: Session, payload: dict[str, Any], action: access.ActionView, now: datetime) -> None:
    size = next_index(session)
    if (size, _root(session, size)) != (payload["tree_size"], payload["root"]):
        raise LogBehindCheckpoint(payload["tree_size"], size)  # it grew, or was exchanged, since the first signature
    session.execute(sa.insert(LogRecoveryRow).values(action_id=action.id, recovered_at=now, **payload))


RECOVER = access.ActionHandler(RECOVERY_KIND, OFFICERS, OFFICERS, _run)
"""Proposed by `./city log recover` alone, where the database, the kept head and the two people are."""
