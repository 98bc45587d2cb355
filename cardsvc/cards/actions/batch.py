"""Many cards at once: the same proofs as at the counter, set-based writes, all cards or none.

For what was made elsewhere (a personalisation bureau, the demo city). The challenges are not drawn but derived from the
vault for each card id: whoever makes the cards asks for them first, and an id is issued once, so no proof counts twice.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from cardsvc import residents
from cardsvc.cards.actions.issuing import Press
from cardsvc.cards.actions.moves import RandomBytes
from cardsvc.cards.models import CardEventRow, CardKeyRow, CardRow
from cardsvc.cards.rules import (
    CHALLENGE_BYTES,
    DEFAULT_PRODUCT,
    HELD,
    ORDERED,
    ActiveCardExists,
    CardState,
    InvalidCardId,
    InvalidHandover,
    InvalidReadback,
    InvalidReport,
    KeyProof,
    ManagementKeyState,
    ProvenKey,
    ResidentNotEligible,
    ReusedKey,
    check_approver,
    expiry,
    handover_statement,
    not_after,
    product,
    prove,
    readback_statement,
    slot_name,
)
from cardsvc.db import insert_columns
from cardsvc.errors import CityError
from cardsvc.residents import ResidentNotFound, ResidentStatus
from cardsvc.vault import Vault
from crypto import keys
from crypto.errors import InvalidSignature
from crypto.pki import CardSlot

_CHUNK = 5000
_GUID_VERSION = 4
_LIFE = (
    CardState.REQUESTED,
    CardState.APPROVED,
    CardState.PERSONALISING,
    CardState.READY,
    CardState.ACTIVE,
)


@dataclass(frozen=True, slots=True)
class BatchChallenges:
    """What the keys of a card made elsewhere sign: `possession` when made, `readback` when the card is finished."""

    possession: bytes
    readback: bytes


@dataclass(frozen=True, slots=True)
class IssueReport:
    """A card made elsewhere, with every proof that the counter would have asked for."""

    card_id: UUID
    resident_id: UUID
    proofs: tuple[KeyProof, ...]
    readback: bytes
    handover: bytes
    product_name: str = DEFAULT_PRODUCT


@dataclass(frozen=True, slots=True)
class IssuedCard:
    """A card that is now active. Certificates are DER."""

    card_id: UUID
    resident_id: UUID
    certificates: Mapping[CardSlot, bytes]
    chuid: bytes


@dataclass(frozen=True, slots=True)
class _Proven:
    report: IssueReport
    keys: tuple[ProvenKey, ...]
    challenges: BatchChallenges


def batch_challenges(vault: Vault, card_id: UUID) -> BatchChallenges:
    """The challenges for the card that will have this id (a UUIDv4 of the caller's making)."""
    return BatchChallenges(
        vault.derive("card-batch-possession", card_id.bytes, CHALLENGE_BYTES),
        vault.derive("card-batch-readback", card_id.bytes, CHALLENGE_BYTES),
    )


def issue_many(
    session: Session,
    vault: Vault,
    reports: Sequence[IssueReport],
    *,
    by: UUID,
    approver: UUID,
    now: datetime,
    random_bytes: RandomBytes,
) -> list[IssuedCard]:
    """Take finished cards in as active, in order: all of them, or none.

    Raises: SameApprover; InvalidReport whose `fields` name every report at fault and why.
    """
    check_approver(by, approver)
    wrong: dict[str, list[str]] = {}
    proven: list[_Proven] = []
    refuse = _Refusals(session, reports)
    for row, report in enumerate(reports, start=1):
        try:
            refuse.check(report)
            one = _prove(vault, report)
            refuse.check_keys(one.keys)
        except CityError as error:
            wrong[f"row {row}"] = [f"{error.code}: {error}"]
        else:
            proven.append(one)
    wrong |= _seen_before(session, proven, reports)
    if wrong:
        raise InvalidReport(wrong)
    expires_on = expiry(now)
    press = Press.of(vault)
    issued = [_issue(press, one, expires_on, now, random_bytes) for one in proven]
    _write_cards(session, proven, issued, expires_on, by, approver, now, press.authority_id)
    _write_keys(session, proven, issued, expires_on)
    _write_events(session, issued, by, approver, now)
    return issued


class _Refusals:
    """What the register, the cards in use and the batch itself say against a report."""

    def __init__(self, session: Session, reports: Sequence[IssueReport]) -> None:
        resident_ids = [report.resident_id for report in reports]
        self._residents = residents.find_many(session, resident_ids)
        busy = CardRow.state.in_([state.value for state in HELD | ORDERED])
        self._served = _found(session, CardRow.resident_id, resident_ids, busy)
        self._cards = _found(session, CardRow.id, [report.card_id for report in reports])
        self._keys: set[bytes] = set()

    def check(self, report: IssueReport) -> None:
        resident = self._residents.get(report.resident_id)
        if resident is None:
            raise ResidentNotFound
        if resident.status != ResidentStatus.ACTIVE:
            raise ResidentNotEligible(resident.number, resident.status)
        if report.resident_id in self._served:
            raise ActiveCardExists
        if report.card_id.version != _GUID_VERSION or report.card_id in self._cards:
            raise InvalidCardId
        product(report.product_name)
        self._served.add(report.resident_id)
        self._cards.add(report.card_id)

    def check_keys(self, proven: Iterable[ProvenKey]) -> None:
        for key in proven:
            if key.key_id in self._keys:
                raise ReusedKey(slot_name(key.slot))
            self._keys.add(key.key_id)


def _found(
    session: Session, column: InstrumentedAttribute[Any], values: Sequence[Any], *where: ColumnElement[bool]
) -> set[Any]:
    """Which of the values the column holds."""
    found: set[Any] = set()
    for start in range(0, len(values), _CHUNK):
        found |= set(session.scalars(select(column).where(column.in_(values[start : start + _CHUNK]), *where)))
    return found


def _prove(vault: Vault, report: IssueReport) -> _Proven:
    challenges = batch_challenges(vault, report.card_id)
    proven = prove(report.card_id, challenges.possession, report.proofs)
    by_slot = {key.slot: key.public_key for key in proven}
    for slot, statement, signature, failure in (
        (CardSlot.CARD_AUTH, readback_statement, report.readback, InvalidReadback),
        (CardSlot.SIGNATURE, handover_statement, report.handover, InvalidHandover),
    ):
        try:
            keys.verify(by_slot[slot], statement(report.card_id, challenges.readback), signature)
        except InvalidSignature as error:
            raise failure from error
    return _Proven(report, proven, challenges)


def _seen_before(session: Session, proven: Sequence[_Proven], reports: Sequence[IssueReport]) -> dict[str, list[str]]:
    seen = _found(session, CardKeyRow.key_id, [key.key_id for one in proven for key in one.keys])
    if not seen:
        return {}
    rows = {report.card_id: row for row, report in enumerate(reports, start=1)}
    wrong: dict[str, list[str]] = {}
    for one in proven:
        for key in one.keys:
            if key.key_id in seen:
                error = ReusedKey(slot_name(key.slot))
                wrong[f"row {rows[one.report.card_id]}"] = [f"{error.code}: {error}"]
    return wrong


def _issue(press: Press, one: _Proven, expires_on: date, now: datetime, random_bytes: RandomBytes) -> IssuedCard:
    card_id = one.report.card_id
    return IssuedCard(
        card_id,
        one.report.resident_id,
        press.certificates(card_id, one.keys, expires_on, now=now, random_bytes=random_bytes),
        press.chuid(card_id, expires_on),
    )


def _write_cards(
    session: Session,
    proven: Sequence[_Proven],
    issued: Sequence[IssuedCard],
    expires_on: date,
    by: UUID,
    approver: UUID,
    now: datetime,
    authority: bytes,
) -> None:
    count = len(issued)
    columns: dict[str, Sequence[object]] = {
        "id": [card.card_id for card in issued],
        "resident_id": [card.resident_id for card in issued],
        "state": [CardState.ACTIVE.value] * count,
        "product": [one.report.product_name for one in proven],
        "attempt": [1] * count,
        "challenge": [one.challenges.possession for one in proven],
        "readback_challenge": [one.challenges.readback for one in proven],
        "expires_on": [expires_on] * count,
        "chuid": [card.chuid for card in issued],
        "state_since": [now] * count,
        "authority": [authority] * count,
        "management_key": [ManagementKeyState.DIVERSIFIED.value] * count,
    }
    for step, actor in (("requested", by), ("approved", approver), ("personalised", by), ("handed_over", by)):
        columns[f"{step}_by"] = [actor] * count
        columns[f"{step}_at"] = [now] * count
    insert_columns(session, CardRow.__table__, columns)


def _write_keys(session: Session, proven: Sequence[_Proven], issued: Sequence[IssuedCard], expires_on: date) -> None:
    made = [(card, key) for one, card in zip(proven, issued, strict=True) for key in one.keys]
    columns: dict[str, Sequence[object]] = {
        "key_id": [key.key_id for _, key in made],
        "card_id": [card.card_id for card, _ in made],
        "attempt": [1] * len(made),
        "slot": [slot_name(key.slot) for _, key in made],
        "public_key": [key.spki for _, key in made],
        "certificate": [card.certificates[key.slot] for card, key in made],
        "not_after": [not_after(expires_on)] * len(made),
        "active": [True] * len(made),
    }
    insert_columns(session, CardKeyRow.__table__, columns)


def _write_events(session: Session, issued: Sequence[IssuedCard], by: UUID, approver: UUID, now: datetime) -> None:
    steps = list(enumerate(zip((None, *_LIFE), _LIFE, strict=False), start=1))
    columns: dict[str, Sequence[object]] = {
        "card_id": [card.card_id for card in issued for _ in steps],
        "number": [number for number, _ in steps] * len(issued),
        "from_state": [before.value if before else None for _, (before, _) in steps] * len(issued),
        "to_state": [after.value for _, (_, after) in steps] * len(issued),
        "actor": [approver if after is CardState.APPROVED else by for _, (_, after) in steps] * len(issued),
        "at": [now] * (len(steps) * len(issued)),
        "reason": ["taken in with a batch"] * (len(steps) * len(issued)),
    }
    insert_columns(session, CardEventRow.__table__, columns)
