"""Taking signed batches in: verify, decide, post, log and keep, all in the caller's one database transaction.

If we stop before the commit, nothing happened and the terminal sends the batch again. If we stop after it, the answer
is lost but not the work: the same batch again finds its records stored and gets the first answers.
"""

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar
from uuid import UUID

from sqlalchemy.orm import Session

from cardsvc import access, audit, cards, devices, ledger
from cardsvc.errors import CityError, ErrorKind
from cardsvc.transactions import queries, rules
from cardsvc.transactions.actions import disputes, storage
from cardsvc.transactions.handler import Handler, Registry
from cardsvc.transactions.queries import Known
from cardsvc.transactions.rules import DeviceRef, Item, Plan, Reason, Rejected
from cardsvc.vault import Vault
from crypto import keys as crypto_keys
from crypto.wire import batch as wire_batch
from crypto.wire.batch import Batch
from crypto.wire.transaction import Purpose, Transaction


class UnknownTerminal(CityError):
    code: ClassVar[str] = "unknown_terminal"
    kind: ClassVar[ErrorKind] = ErrorKind.UNAUTHENTICATED

    def __init__(self) -> None:
        super().__init__("This city has not enrolled that terminal. Ask the administrator for an enrolment code.")


class TerminalRevoked(CityError):
    code: ClassVar[str] = "terminal_revoked"
    kind: ClassVar[ErrorKind] = ErrorKind.FORBIDDEN

    def __init__(self) -> None:
        super().__init__("This terminal was taken out of service. Bring it to the administrator; its records are kept.")


@dataclass(frozen=True, slots=True)
class Desk:
    """What accepting needs besides the database: who handles which kind, the city's keys, fresh salts."""

    registry: Registry
    vault: Vault
    random_bytes: Callable[[int], bytes]


@dataclass(frozen=True, slots=True)
class ItemResult:
    """What became of one item. `record_id` is None where it could not be read; `replayed`: it was known before."""

    record_id: UUID | None
    outcome: str
    reason: Reason | None
    detail: str | None
    replayed: bool
    leaf_index: int | None


@dataclass(frozen=True, slots=True)
class BatchAnswer:
    batch_id: UUID
    device_id: UUID
    results: tuple[ItemResult, ...]


@dataclass(slots=True)
class _Work:
    """The batch on its way through: each position ends with a verdict."""

    batch: Batch
    raw: bytes
    device: DeviceRef
    received: list[rules.Received]
    now: datetime
    verdicts: dict[int, Plan | Rejected]
    items: dict[int, Item]
    plans: dict[int, Plan]
    posted: dict[int, ledger.Posted]
    replays: dict[int, Known]
    earlier: dict[int, int]  # position -> position of the same record earlier in this batch


def accept(session: Session, raw: bytes, *, desk: Desk, now: datetime) -> BatchAnswer:
    """Accept a terminal's signed batch; every item gets its own result, in order.

    Raises: UnknownTerminal, TerminalRevoked, MalformedMessage, InvalidSignature, BatchIdConflict - then nothing was
    accepted and nothing was written.
    """
    work = _open(session, raw, now)
    _find_replays(session, work)
    judged = _authenticate(session, work, desk)
    ledger.lock(session)
    judged = _as_they_are_now(session, work, judged)
    _sort_out(work, judged, _find_replays(session, work), desk.registry)
    leaf_index = _post(session, work, desk.registry)
    _record(session, work, leaf_index, desk)
    return BatchAnswer(work.batch.batch_id, work.device.id, _results(work, leaf_index))


def _open(session: Session, raw: bytes, now: datetime) -> _Work:
    terminal_id = wire_batch.peek_terminal(raw)
    device = devices.by_ids(session, [terminal_id]).get(terminal_id)
    if device is None:
        raise UnknownTerminal
    batch = wire_batch.open_batch(raw, device.public_key)
    if device.status != "enrolled":
        raise TerminalRevoked
    ref = DeviceRef(device.id, device.kind)
    return _Work(batch, raw, ref, rules.read(batch.items, terminal_id), now, {}, {}, {}, {}, {}, {})


_Judged = dict[int, tuple[Item, cards.CardKey | None] | Rejected]


def _authenticate(session: Session, work: _Work, desk: Desk) -> _Judged:
    """Verify all signatures before the lock is taken: this is where a batch spends its time."""
    readable = [r for r in work.received if r.transaction is not None and r.position not in work.replays]
    keys = _keys(session, readable, desk.vault)
    judged: _Judged = {r.position: r.refusal for r in work.received if r.refusal is not None}
    for received in readable:
        assert received.record is not None
        handler = desk.registry.get(received.record.kind)
        if handler is None:
            judged[received.position] = Rejected(
                Reason.UNKNOWN_KIND, f"This city knows no record of kind {received.record.kind}. Update the terminal."
            )
            continue
        judged[received.position] = rules.authenticate(
            received, device=work.device, keys=keys, purposes=handler.purposes, body=handler.body
        )
    return judged


def _keys(session: Session, readable: Sequence[rules.Received], vault: Vault) -> rules.Keys:
    wanted: dict[Purpose, set[bytes]] = {purpose: set() for purpose in Purpose}
    for received in readable:
        assert received.transaction is not None
        for authorisation, kid in zip(received.transaction.authorisations, received.kids, strict=True):
            wanted[authorisation.purpose].add(kid)
    return rules.Keys(
        cards=cards.keys_by_id(session, sorted(wanted[Purpose.PRESENCE] | wanted[Purpose.CONSENT])),
        staff=access.staff_by_key(session, sorted(wanted[Purpose.STAFF])),
        service={crypto_keys.key_id(key): key for key in vault.public_keys("service")},
        passkeys=access.passkeys_by_key(session, sorted(wanted[Purpose.PASSKEY])),
    )


def _as_they_are_now(session: Session, work: _Work, judged: _Judged) -> _Judged:
    """The same verdicts with the states that hold under the lock: a block that was committed while the signatures were
    verified counts. Raises: TerminalRevoked.
    """
    if devices.by_ids(session, [work.device.id])[work.device.id].status != "enrolled":
        raise TerminalRevoked
    kids = {kid for r in work.received if isinstance(judged.get(r.position), tuple) for kid in r.kids}
    fresh = {(key.card_id, key.slot): key for key in cards.keys_by_id(session, sorted(kids)).values()}
    return {
        position: verdict
        if isinstance(verdict, Rejected) or verdict[1] is None
        else (verdict[0], fresh.get((verdict[1].card_id, verdict[1].slot), verdict[1]))
        for position, verdict in judged.items()
    }


_ID_TAKEN = Rejected(Reason.RECORD_ID_CONFLICT, "Another record has this id already. Make a new record with a new id.")


def _find_replays(session: Session, work: _Work) -> dict[UUID, Known]:
    """Note the items that were answered before; returns what is stored under the other items' ids.

    Asked before the signatures, so that a batch sent again costs none of them, and again under the lock.
    """
    own = [r for r in work.received if r.refusal is None and r.position not in work.replays]
    known = queries.known(session, [r.record.record_id for r in own if r.record is not None])
    for received in own:
        before = None if received.record is None else known.get(received.record.record_id)
        if before is not None and before.record_hash == received.record_hash:
            work.replays[received.position] = before
    return known


def _sort_out(work: _Work, judged: _Judged, known: Mapping[UUID, Known], registry: Registry) -> None:
    """Tell the doubled, the refused and the permitted apart. Only an authenticated record takes its id."""
    seen: dict[UUID, int] = {}
    for received in work.received:
        position = received.position
        if position in work.replays:
            continue
        verdict = judged[position]
        if received.record is not None and received.refusal is None:
            record_id = received.record.record_id
            first = seen.get(record_id)
            if first is not None and work.received[first].record_hash == received.record_hash:
                work.earlier[position] = first
                continue
            if first is not None or record_id in known:
                verdict = rules.first_fault(_ID_TAKEN, verdict) if isinstance(verdict, Rejected) else _ID_TAKEN
        if isinstance(verdict, Rejected):
            work.verdicts[position] = verdict
            continue
        item, card = verdict
        seen[item.record.record_id] = position
        work.items[position] = item
        refusal = _refusal(item, card, registry, work.now)
        if refusal is not None:
            work.verdicts[position] = refusal


def _refusal(item: Item, card: cards.CardKey | None, registry: Registry, now: datetime) -> Rejected | None:
    handler = registry[item.record.kind]
    return (
        rules.check_card(card, item)
        or rules.check_time(item.happened_at, now)
        or rules.check_permission(item, device_kinds=handler.device_kinds, roles=handler.roles)
    )


def _post(session: Session, work: _Work, registry: Registry) -> dict[int, int]:
    """Plan, post and settle run by run; returns the leaf index of every authenticated item."""
    leaf_index: dict[int, int] = {}
    index = audit.next_index(session)
    for kind, run in _runs(work, registry):
        planned = _plan(session, work, registry[kind], run)
        if not planned:
            continue
        ledger.open_accounts(session, [spec for plan in planned.values() for spec in plan.opens], work.now)
        drafts = [plan.draft for plan in planned.values()]
        answers = ledger.post(session, drafts, first_seq=index, recorded_at=work.now)
        done: list[tuple[Item, ledger.Posted]] = []
        for position, answer in zip(planned, answers, strict=True):
            leaf_index[position] = index
            index += 1
            if isinstance(answer, ledger.Refused):
                work.verdicts[position] = rules.from_ledger(answer)
            else:
                work.posted[position] = answer
                done.append((work.items[position], answer))
        if done:
            registry[kind].settle(session, done, work.now)
    refused = [position for position in sorted(work.items) if position not in leaf_index]
    return leaf_index | {position: index + offset for offset, position in enumerate(refused)}


def _runs(work: _Work, registry: Registry) -> Iterator[tuple[int, list[int]]]:
    """The permitted items in batch order, cut into stretches that can be planned at once, each with its kind.

    A stretch is of one kind: a shift that opens is there for the top-ups that follow it in the same batch. And it has
    each subject once: of two claims for one entitlement the second sees what became of the first. A thousand taps are
    still one statement each of reading, posting and settling.
    """
    run: list[int] = []
    kind = 0
    taken: set[Hashable] = set()
    for position in sorted(work.items.keys() - work.verdicts.keys()):
        item = work.items[position]
        subject = registry[item.record.kind].subject(item)
        if run and (item.record.kind != kind or (subject is not None and subject in taken)):
            yield kind, run
            run, taken = [], set()
        kind = item.record.kind
        run.append(position)
        taken.add(subject)
    if run:
        yield kind, run


def _plan(session: Session, work: _Work, handler: Handler, positions: list[int]) -> dict[int, Plan]:
    answers = handler.plan(session, [work.items[position] for position in positions], work.now)
    work.verdicts.update(zip(positions, answers, strict=True))
    planned = {p: answer for p, answer in zip(positions, answers, strict=True) if isinstance(answer, Plan)}
    work.plans.update(planned)
    return planned


def _record(session: Session, work: _Work, leaf_index: Mapping[int, int], desk: Desk) -> None:
    """Give every authenticated item its leaf, and keep all of it."""
    numbers = storage.draw_numbers(session, {p: work.plans[p].official_series for p in sorted(work.posted)})
    outcomes = [
        storage.Outcome(
            item=work.items[position],
            transaction=_transaction(work, position),
            refusal=_rejected(work.verdicts[position]),
            posted=work.posted.get(position),
            amount_cents=work.plans[position].amount_cents if position in work.plans else None,
            currency=work.plans[position].draft.currency if position in work.plans else None,
            official_number=numbers.get(position),
            leaf_index=index,
        )
        for position, index in sorted(leaf_index.items(), key=lambda pair: pair[1])
    ]
    if outcomes:
        storage.keep_batch(session, work.batch, work.raw, len(outcomes), work.now)
        storage.keep(session, outcomes, batch_id=work.batch.batch_id, now=work.now)
        disputes.enter(session, [(o.item, o.refusal) for o in outcomes if o.refusal is not None], now=work.now)
        audit.append(session, [storage.leaf(outcome, desk.random_bytes(32)) for outcome in outcomes])
    storage.keep_refused(session, _nobodys(work), work.device.id, work.batch.batch_id, work.now)
    records = [(item.record, item.record_hash) for _, item in sorted(work.items.items())]
    links = [(record.sequence, record.record_id, record.previous, digest) for record, digest in records]
    devices.track(session, work.device.id, links, work.now)


def _transaction(work: _Work, position: int) -> Transaction:
    transaction = work.received[position].transaction
    assert transaction is not None
    return transaction


def _rejected(verdict: Plan | Rejected) -> Rejected | None:
    return verdict if isinstance(verdict, Rejected) else None


def _nobodys(work: _Work) -> list[tuple[rules.Received, Rejected]]:
    """The refused items that no authenticated key stands behind."""
    return [
        (work.received[position], verdict)
        for position, verdict in sorted(work.verdicts.items())
        if position not in work.items and isinstance(verdict, Rejected)
    ]


def _results(work: _Work, leaf_index: Mapping[int, int]) -> tuple[ItemResult, ...]:
    results: list[ItemResult] = []
    for received in work.received:
        position = received.position
        record_id = None if received.record is None else received.record.record_id
        if position in work.replays:
            known = work.replays[position]
            reason = None if known.reason is None else Reason(known.reason)
            results.append(ItemResult(record_id, known.outcome, reason, known.detail, True, known.leaf_index))
        elif position in work.earlier:
            first = results[work.earlier[position]]
            results.append(ItemResult(record_id, first.outcome, first.reason, first.detail, True, first.leaf_index))
        elif isinstance(verdict := work.verdicts[position], Rejected):
            index = leaf_index.get(position)
            results.append(ItemResult(record_id, "rejected", verdict.reason, verdict.detail, False, index))
        else:
            results.append(ItemResult(record_id, "accepted", None, None, False, leaf_index[position]))
    return tuple(results)
