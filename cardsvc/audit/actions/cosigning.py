"""Asking the witnesses: to sign the newest head, and at start what they signed last.

Never within a session that writes: whoever waits for somebody else's machine must hold no lock meanwhile.
"""

import urllib.error
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from hashlib import sha256
from http.client import HTTPException
from pathlib import Path

from sqlalchemy import Engine
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from cardsvc import db
from cardsvc.audit.actions.keeping import check_continues, check_kept, keep
from cardsvc.audit.actions.outside import Outside
from cardsvc.audit.models import CosignatureRow
from cardsvc.audit.queries import SHARD, Checkpoint, consistency, cosigned, last_cosigned, newest, origin
from cardsvc.audit.rules import KeptHeadMissing, KeptHeadUnreadable, LogBehindCheckpoint
from cardsvc.vault import Vault
from crypto import tlog
from crypto.errors import CryptoError
from crypto.tlog.witnessing import SIZE_TYPE, AddCheckpoint, decode_size

ANSWER_SECONDS = 10
_ANSWER_BYTES_MAX = 256 * 1024
_OK, _NOT_FOUND, _CONFLICT = 200, 404, 409


class State(StrEnum):
    COSIGNED = "cosigned"
    HELD = "held"  # it signed this head before
    AHEAD = "ahead"  # it says that it has signed a larger tree than ours
    REFUSED = "refused"
    UNREACHABLE = "unreachable"


@dataclass(frozen=True, slots=True)
class Asked:
    """What became of asking one witness; `size` is what it has signed, as far as it said."""

    name: str
    state: State
    size: int
    detail: str


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    content_type: str
    text: str


def cosign(engine: Engine, vault: Vault, outside: Outside, now: datetime) -> list[Asked]:
    """Let every witness that has an address sign the newest head; what it signs is stored. Repeatable at any time.

    Raises: LogBehindCheckpoint when a witness shows a head of this log that the stored log does not continue: it is
    kept from then on, and nothing is signed any more.
    """
    policy = outside.witnesses
    with db.unit_of_work(engine, read_only=True) as session:
        head, name = newest(session), origin(session, vault)
    if policy is None or head is None or head.note.partition("\n")[0] != name:  # a new name has signed nothing yet
        return []
    asked = [_submit(engine, head, witness, now) for witness in policy.witnesses.values() if witness.url]
    if any(one.state in {State.AHEAD, State.REFUSED} for one in asked):
        _keep_contradiction(engine, vault, outside.kept, seen_heads(engine, vault, outside))
    return asked


def _submit(engine: Engine, head: Checkpoint, witness: tlog.TrustedWitness, now: datetime) -> Asked:
    vkey = witness.verifier.format()
    with db.unit_of_work(engine, read_only=True) as session:
        if any(one.vkey == vkey for one in cosigned(session, head.tree_size)):
            return Asked(witness.name, State.HELD, head.tree_size, "")
        old = last_cosigned(session, vkey)
    state, detail = State.REFUSED, "it answered without a signature of its own"
    try:
        answer = _add_checkpoint(engine, head, witness, old)
        if answer.status == _CONFLICT and answer.content_type == SIZE_TYPE:
            old = decode_size(answer.text)
            if old > head.tree_size:
                return Asked(witness.name, State.AHEAD, old, f"it has signed a tree of {old} leaves")
            answer = _add_checkpoint(engine, head, witness, old)
        if answer.status != _OK:
            detail = f"{answer.status}: {answer.text.strip()[:200]}"
        elif found := tlog.cosignatures(head.note + answer.text, [witness.verifier]):
            db.run(engine, lambda session: _store(session, head.tree_size, found[0], now))
            return Asked(witness.name, State.COSIGNED, head.tree_size, "")
    except (OSError, HTTPException, ValueError) as error:
        state, detail = State.UNREACHABLE, str(error)[:200]
    except CryptoError as error:
        detail = str(error)
    return Asked(witness.name, state, old, detail)


def _add_checkpoint(engine: Engine, head: Checkpoint, witness: tlog.TrustedWitness, old: int) -> _Answer:
    with db.unit_of_work(engine, read_only=True) as session:
        proof = consistency(session, old, head.tree_size) if 0 < old < head.tree_size else []
    body = AddCheckpoint(old, tuple(proof), head.note).encode()
    return _ask(f"{witness.url}/add-checkpoint", body)


def _store(session: Session, tree_size: int, found: tlog.Cosignature, now: datetime) -> None:
    insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    row = {"vkey": found.verifier.format(), "line": found.line, "signed_at": now}
    session.execute(insert(CosignatureRow).values(shard=SHARD, tree_size=tree_size, **row).on_conflict_do_nothing())


# ------------------------------------------------------------------------------------------------------------ at start


@dataclass(frozen=True, slots=True)
class Seen:
    """A head of this log that a witness shows with its signature."""

    witness: tlog.TrustedWitness
    note: str


def seen_heads(engine: Engine, vault: Vault, outside: Outside) -> list[Seen]:
    """What the witnesses signed last of this log, verified. Who does not answer, or has nothing, is passed over."""
    if outside.witnesses is None:
        return []
    with db.unit_of_work(engine, read_only=True) as session:
        name = origin(session, vault)
    verifiers = [tlog.NoteVerifier(name, verifier.public_key) for verifier in vault.city_keys().logs]
    place = sha256(name.encode()).hexdigest()  # C2SP tlog-witness, monitor retrieval
    found: list[Seen] = []
    for witness in outside.witnesses.witnesses.values():
        if witness.url is None:
            continue
        try:
            answer = _ask(f"{witness.url}/{place}/checkpoint")
            if answer.status == _OK:
                tlog.open_checkpoint(answer.text, verifiers)
                if tlog.cosignatures(answer.text, [witness.verifier]):
                    found.append(Seen(witness, answer.text))
        except (OSError, HTTPException, ValueError, CryptoError):
            continue
    return found


def check_start(engine: Engine, vault: Vault, outside: Outside) -> list[Seen]:
    """That the log may be continued: it goes on from the kept head, and from what the witnesses have seen.

    A kept head that is lost or unreadable is made anew where enough witnesses show heads that the log continues.
    Returns what the witnesses showed. Raises: LogBehindCheckpoint, KeptHeadMissing, KeptHeadUnreadable.
    """
    heads = seen_heads(engine, vault, outside)
    _keep_contradiction(engine, vault, outside.kept, heads)
    policy = outside.witnesses
    with db.unit_of_work(engine, read_only=True) as session:
        try:
            check_kept(session, vault, outside.kept)
        except (KeptHeadMissing, KeptHeadUnreadable):
            last = newest(session)
            vouched = policy is not None and heads and policy.is_met([one.witness.verifier for one in heads])
            if last is None or not vouched:
                raise
            keep(outside.kept, last.note)
    return heads


def _keep_contradiction(engine: Engine, vault: Vault, kept: Path, heads: Sequence[Seen]) -> None:
    """A head that the stored log does not continue is evidence: keep it, so that nothing is signed beside it.

    Raises: LogBehindCheckpoint.
    """
    for seen in heads:
        try:
            with db.unit_of_work(engine, read_only=True) as session:
                check_continues(session, vault, seen.note)
        except LogBehindCheckpoint:
            keep(kept, seen.note)
            raise


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A witness is where the file says."""

    def redirect_request(self, *_: object) -> None:
        return None


_OPENER = urllib.request.build_opener(_NoRedirect)


def _ask(url: str, body: bytes | None = None) -> _Answer:
    request = urllib.request.Request(url, data=body, headers={"User-Agent": "city-log"})  # noqa: S310 - http(s) alone
    try:
        with _OPENER.open(request, timeout=ANSWER_SECONDS) as answer:
            return _Answer(answer.status, answer.headers.get_content_type(), _text(answer.read(_ANSWER_BYTES_MAX)))
    except urllib.error.HTTPError as error:
        with error:
            return _Answer(error.code, error.headers.get_content_type(), _text(error.read(_ANSWER_BYTES_MAX)))


def _text(data: bytes) -> str:
    return data.decode("utf-8")
