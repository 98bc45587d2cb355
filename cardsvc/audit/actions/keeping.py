"""The last signed head outside the database: what a restored backup cannot take back with it.

One file in the city's home. It is written before the commit of the head that it keeps: whatever anybody can have seen
is in it. The leaves under the head were committed before, so a head that is in the file and not in the database is
still one that the database continues.
"""

from pathlib import Path

from sqlalchemy.orm import Session

from cardsvc.audit.queries import city_keys, newest, next_index, origins, reader, recoveries
from cardsvc.audit.rules import KeptHeadMissing, KeptHeadUnreadable, LogBehindCheckpoint
from cardsvc.vault import Vault, write_durably
from crypto import tlog
from crypto.errors import CryptoError

_NOTE_BYTES_MAX = 256 * 1024


def read_kept(kept: Path) -> str | None:
    """The kept note; None where there is no file. Raises: KeptHeadUnreadable."""
    try:
        with kept.open("rb") as file:
            return file.read(_NOTE_BYTES_MAX).decode()
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise KeptHeadUnreadable(str(kept), str(error)) from error


def keep(kept: Path, note: str) -> None:
    """Make this the kept head: on the disk before we return, and the one before it in its place until then."""
    kept.parent.mkdir(parents=True, exist_ok=True)
    write_durably(kept, note.encode())


def check_kept(session: Session, vault: Vault, kept: Path) -> None:
    """That the stored log continues the head outside it.

    Raises: KeptHeadMissing, KeptHeadUnreadable, LogBehindCheckpoint.
    """
    note = read_kept(kept)
    last = newest(session)
    if note is None:
        if last is not None:
            raise KeptHeadMissing(str(kept))
    elif last is None or note != last.note:
        try:
            check_continues(session, vault, note)
        except CryptoError as error:
            raise KeptHeadUnreadable(str(kept), str(error)) from error


def check_continues(session: Session, vault: Vault, note: str) -> tlog.Checkpoint:
    """The head of the note, which the city's log signed at some time and which the stored log continues.

    A head that two people gave up counts as continued. Raises: LogBehindCheckpoint; CryptoError for what is no head of
    this log.
    """
    head = _open(session, vault, note)
    if note not in {one.lost for one in recoveries(session)}:
        stored = next_index(session)
        known = head.origin in origins(session, vault)
        if not known or head.size > stored or tlog.Tree(reader(session), head.size).root() != head.root:
            raise LogBehindCheckpoint(head.size, stored)
    return head


def _open(session: Session, vault: Vault, note: str) -> tlog.Checkpoint:
    """Also under a name that this database does not know yet, because it is older than the change of the name."""
    verifiers = city_keys(session, vault).logs
    said = tlog.Checkpoint.decode(tlog.split_note(note)[0]).origin
    if said.startswith(f"{vault.log_origin}/"):
        verifiers = tuple(tlog.NoteVerifier(said, verifier.public_key) for verifier in verifiers)
    return tlog.open_checkpoint(note, verifiers)
