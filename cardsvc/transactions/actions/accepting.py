"""Taking signed batches in: decide, post, log and keep, all in the caller's one database transaction.

If we stop before the commit, nothing happened and the terminal sends the batch again. If we stop after it, the answer
is lost but not the work: the same batch again finds its records stored and gets the first answers.

Several batches may be accepted together. Their items are decided one after the other as if each batch had come alone;
what is read and written is read and written once for all of them. A batch that cannot be accepted spoils only itself.
"""

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from cardsvc import access, audit, cards, devices, ledger
from cardsvc.errors import CityError
from cardsvc.transactions import queries, rules
from cardsvc.transactions.actions import dating, disputes, storage
from cardsvc.transactions.actions.opening import (
    Desk,
    Opened,
    TerminalRevoked,
    check_item,
    find_replays,
    known,
    open_batch,
)
from cardsvc.transactions.actions.storage import BatchIdConflict, Outcome
from cardsvc.transactions.handler import Foreseeing, Handler, Registry
from cardsvc.transactions.queries import Known
from cardsvc.transactions.rules import Claim, Item, Plan, Reason, Received, Rejected
from crypto.errors import CryptoError

Refusal = CityError | CryptoError
"""Why a whole batch was not accepted."""


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


Place = tuple[int, int]
"""Where an item stands: the number of its batch in the group, and its position in there."""


@dataclass(slots=True)
class _Work:
    """The batches on their way through, and each item's verdict by its place; dicts keep the order of the places."""

    opened: Sequence[Opened]
    now: datetime
    failed: dict[int, Refusal] = field(default_factory=dict)
    verdicts: dict[Place, Plan | Rejected] = field(default_factory=dict)
    items: dict[Place, Item] = field(default_factory=dict)
    plans: dict[Place, Plan] = field(default_factory=dict)
    posted: dict[Place, ledger.Posted] = field(default_factory=dict)
    replays: dict[Place, Known] = field(default_factory=dict)
    earlier: dict[Place, Place] = field(default_factory=dict)  # the same record, earlier in this batch or group
    kept: set[UUID] = field(default_factory=set)  # batches whose bytes were there before
    outcomes: list[Outcome] = field(default_factory=list)  # in the order of the log
    leaf_index: dict[Place, int] = field(default_factory=dict)


def accept(session: Session, raw: bytes, *, desk: Desk, now: datetime) -> BatchAnswer:
    """Accept a terminal's signed batch; every item gets its own result, in order.

    Raises: UnknownTerminal, TerminalRevoked, MalformedMessage, InvalidSignature, BatchIdConflict - then nothing was
    accepted and nothing was written.
    """
    [answer] = accept_many(session, [raw], desk=desk, now=now)
    if isinstance(answer, Exception):
        raise answer
    return answer


def accept_many(session: Session, raws: Sequence[bytes], *, desk: Desk, now: datetime) -> list[BatchAnswer | Refusal]:
    """Accept several batches in one database transaction: what `accept` would answer to each in turn, or raise."""
    answers: dict[int, BatchAnswer | Refusal] = {}
    opened: dict[int, Opened] = {}
    for number, raw in enumerate(raws):
        try:
            opened[number] = open_batch(session, raw, desk=desk)
        except (CityError, CryptoError) as error:
            answers[number] = error
    answers |= zip(opened, accept_opened(session, list(opened.values()), desk=desk, now=now), strict=True)
    return [answers[number] for number in range(len(raws))]


def accept_opened(
    session: Session, opened: Sequence[Opened], *, desk: Desk, now: datetime
) -> list[BatchAnswer | Refusal]:
    """Accept batches that were opened before, perhaps in another database transaction."""
    ledger.lock(session)
    work = _Work(opened, now)
    claims, keys = _as_they_are_now(session, work)
    _sort_out(session, work, claims, desk.registry, keys)
    _open_books(session, work)
    _post(session, work, desk.registry)
    _refuse(session, work)
    _record(session, work, desk)
    return [_answer(work, number) for number in range(len(opened))]


_Verdict = Claim | Rejected


def _as_they_are_now(session: Session, work: _Work) -> tuple[dict[Place, _Verdict], dict[bytes, cards.CardKey]]:
    """What stands of each claim with the states that hold under the lock, and those of the cards: a block that was
    committed while signatures were verified counts, and so does a terminal's revocation, which fails its batch.
    """
    stations = devices.by_ids(session, list({one.device.id for one in work.opened}))
    claims: dict[Place, _Verdict] = {}
    for number, one in enumerate(work.opened):
        if stations[one.device.id].status != "enrolled":
            work.failed[number] = TerminalRevoked()
        else:
            claims.update({(number, position): claim for position, claim in one.claims.items()})
            claims.update({(number, position): refusal for position, refusal in one.refused.items()})
    stated = [claim for claim in claims.values() if isinstance(claim, Claim)]
    keys = cards.keys_by_id(session, [claim.key_id for claim in stated if claim.card is not None])
    staff = access.staff_by_key(session, sorted({claim.key_id for claim in stated if claim.item.staff is not None}))
    passkeys = access.passkeys_by_key(
        session, sorted({claim.key_id for claim in stated if claim.item.passkey is not None})
    )
    for place, claim in claims.items():
        if isinstance(claim, Claim):
            claims[place] = rules.now_standing(claim, keys, staff, passkeys)
    return claims, keys


_ID_TAKEN = Rejected(Reason.RECORD_ID_CONFLICT, "Another record has this id already. Make a new record with a new id.")


def _sort_out(
    session: Session,
    work: _Work,
    claims: Mapping[Place, _Verdict],
    registry: Registry,
    keys: Mapping[bytes, cards.CardKey],
) -> None:
    """Tell the doubled, the refused and the permitted apart. Only an authenticated record takes its id."""
    live = [(number, one) for number, one in enumerate(work.opened) if number not in work.failed]
    # asked again under the lock: who sent the same meanwhile was first
    stored = known(session, [r for _, one in live for r in one.received if r.position not in one.replays])
    kept = storage.kept_batches(session, [one.batch.batch_id for _, one in live])
    work.kept.update(kept)
    seen: dict[bytes, Place] = {}
    for number, one in live:
        before = one.replays | find_replays(one.received, stored)
        found = _sort_batch(work, number, before, claims, stored, seen)
        if found and kept.setdefault(one.batch.batch_id, one.raw) != one.raw:
            work.failed[number] = BatchIdConflict(one.batch.batch_id)
            _forget(work, number)
            continue
        for place, claim in found.items():
            seen[claim.item.record.record_id.bytes] = place
            work.items[place] = claim.item
            card = None if claim.card is None else keys[claim.key_id]
            refusal = rules.check_card(card, claim.item) or check_item(
                claim.item, registry[claim.item.record.kind], work.now
            )
            if refusal is not None:
                work.verdicts[place] = refusal


def _sort_batch(
    work: _Work,
    number: int,
    before: Mapping[int, Known],
    claims: Mapping[Place, _Verdict],
    stored: Mapping[bytes, Known],
    seen: Mapping[bytes, Place],
) -> dict[Place, Claim]:
    """Note what is told already of one batch's items; returns the authenticated rest, which takes its ids."""
    taken: dict[bytes, Place] = {}
    found: dict[Place, Claim] = {}
    for received in work.opened[number].received:
        place = number, received.position
        if received.position in before:
            work.replays[place] = before[received.position]
            continue
        verdict = claims[place]
        if received.record is not None and received.refusal is None:
            record_id = received.record.record_id.bytes
            first = taken.get(record_id) or seen.get(record_id)
            if first is not None and _at(work, first).record_hash == received.record_hash:
                work.earlier[place] = first
                continue
            if first is not None or record_id in stored:
                verdict = rules.first_fault(_ID_TAKEN, verdict) if isinstance(verdict, Rejected) else _ID_TAKEN
        if isinstance(verdict, Rejected):
            work.verdicts[place] = verdict
        else:
            taken[verdict.item.record.record_id.bytes] = place
            found[place] = verdict
    return found


def _forget(work: _Work, number: int) -> None:
    """Nothing was told of a batch that is not accepted."""
    for told in (work.verdicts, work.replays, work.earlier):
        for place in [place for place in told if place[0] == number]:
            del told[place]


def _at(work: _Work, place: Place) -> Received:
    return work.opened[place[0]].received[place[1]]


def _open_books(session: Session, work: _Work) -> None:
    """Keep the batches that bring something new, before their items."""
    counts: dict[int, int] = {}
    for number, _ in work.items:
        counts[number] = counts.get(number, 0) + 1
    new = [(work.opened[number], count) for number, count in counts.items()]
    storage.keep_batches(
        session, [(one.batch, one.raw, count) for one, count in new if one.batch.batch_id not in work.kept], work.now
    )


def _post(session: Session, work: _Work, registry: Registry) -> None:
    """Plan, post, settle and keep run by run: what comes later in a group finds what came before."""
    index = audit.next_index(session)
    for kind, run in _runs(work, registry):
        planned = _plan(session, work, registry[kind], run)
        if not planned:
            continue
        opens = [spec for plan in planned.values() for spec in plan.opens]
        if opens:
            ledger.open_accounts(session, opens, work.now)
        drafts = [plan.draft for plan in planned.values()]
        answers = dating.post(session, drafts, first_seq=index, recorded_at=work.now)
        done: list[tuple[Item, ledger.Posted]] = []
        for place, answer in zip(planned, answers, strict=True):
            work.leaf_index[place] = index
            index += 1
            if isinstance(answer, ledger.Refused):
                work.verdicts[place] = rules.from_ledger(answer)
            else:
                work.posted[place] = answer
                done.append((work.items[place], answer))
        if done:
            registry[kind].settle(session, done, work.now)
        _keep(session, work, list(planned))


def _runs(work: _Work, registry: Registry) -> Iterator[tuple[int, list[Place]]]:
    """The permitted items in order, cut into stretches that can be planned at once, each with its kind.

    A stretch is of one kind: a shift that opens is there for the top-ups that follow it in the same batch. And it has
    each subject once: of two claims for one entitlement the second sees what became of the first. A thousand taps are
    still one statement each of reading, posting and settling.
    """
    run: list[Place] = []
    kind = 0
    taken: set[Hashable] = set()
    for place, item in work.items.items():
        if place in work.verdicts:
            continue
        subject = registry[item.record.kind].subject(item)
        if run and (item.record.kind != kind or (subject is not None and subject in taken)):
            yield kind, run
            run, taken = [], set()
        kind = item.record.kind
        run.append(place)
        taken.add(subject)
    if run:
        yield kind, run


def _plan(session: Session, work: _Work, handler: Handler, places: list[Place]) -> dict[Place, Plan]:
    items = [work.items[place] for place in places]
    kind = items[0].record.kind
    batches = [work.opened[number] for number in sorted({number for number, _ in places})]
    foreseen = [one.foreseen[kind] for one in batches if kind in one.foreseen]
    if foreseen and isinstance(handler, Foreseeing):
        answers = handler.plan_foreseen(session, items, foreseen, work.now)
    else:
        answers = handler.plan(session, items, work.now)
    work.verdicts.update(zip(places, answers, strict=True))
    planned = {p: answer for p, answer in zip(places, answers, strict=True) if isinstance(answer, Plan)}
    work.plans.update(planned)
    return planned


def _refuse(session: Session, work: _Work) -> None:
    """The authenticated items that were never posted take the places in the log behind all others."""
    refused = [place for place in work.items if place not in work.leaf_index]
    if refused:
        index = audit.next_index(session) + len(work.leaf_index)
        work.leaf_index.update({place: index + offset for offset, place in enumerate(refused)})
        _keep(session, work, refused)


def _keep(session: Session, work: _Work, places: Sequence[Place]) -> None:
    """Write down what became of these items."""
    numbers = storage.draw_numbers(session, {p: work.plans[p].official_series for p in places if p in work.posted})
    outcomes: list[Outcome] = []
    for place in places:
        received, plan, verdict = _at(work, place), work.plans.get(place), work.verdicts[place]
        outcomes.append(
            Outcome(
                item=work.items[place],
                record_bytes=received.record_bytes,
                authorisations=received.authorisations,
                batch_id=work.opened[place[0]].batch.batch_id,
                refusal=verdict if isinstance(verdict, Rejected) else None,
                posted=work.posted.get(place),
                amount_cents=None if plan is None else plan.amount_cents,
                currency=None if plan is None else plan.draft.currency,
                official_number=numbers.get(place),
                leaf_index=work.leaf_index[place],
            )
        )
    storage.keep(session, outcomes, now=work.now)
    work.outcomes += outcomes


def _record(session: Session, work: _Work, desk: Desk) -> None:
    """Give every authenticated item its leaf; note what nobody can be held to; follow the terminals' chains."""
    if work.outcomes:
        salts = desk.random_bytes(32 * len(work.outcomes))
        leaves = [
            storage.leaf(outcome, salts[32 * number : 32 * number + 32]) for number, outcome in enumerate(work.outcomes)
        ]
        audit.append(session, leaves)
    disputed: dict[int, list[tuple[Item, Rejected]]] = {}
    nobodys: dict[int, list[tuple[Received, Rejected]]] = {}
    for place, verdict in work.verdicts.items():
        if isinstance(verdict, Rejected):
            item = work.items.get(place)
            if item is None:  # no authenticated key stands behind it
                nobodys.setdefault(place[0], []).append((_at(work, place), verdict))
            else:
                disputed.setdefault(place[0], []).append((item, verdict))
    for refused in disputed.values():
        disputes.enter(session, refused, now=work.now)
    for number, unheld in nobodys.items():
        one = work.opened[number]
        storage.keep_refused(session, unheld, one.device.id, one.batch.batch_id, work.now)
    links: dict[UUID, list[devices.Link]] = {}
    for item in work.items.values():
        record = item.record
        link = record.sequence, record.record_id, record.previous, item.record_hash
        links.setdefault(item.device.id, []).append(link)
    devices.track_many(session, links, work.now, placed=queries.placed)


def _answer(work: _Work, number: int) -> BatchAnswer | Refusal:
    if number in work.failed:
        return work.failed[number]
    one = work.opened[number]
    results = tuple(_result(work, (number, received.position)) for received in one.received)
    return BatchAnswer(one.batch.batch_id, one.device.id, results)


def _result(work: _Work, place: Place) -> ItemResult:
    record = _at(work, place).record
    record_id = None if record is None else record.record_id
    if place in work.replays:
        before = work.replays[place]
        reason = None if before.reason is None else Reason(before.reason)
        return ItemResult(record_id, before.outcome, reason, before.detail, True, before.leaf_index)
    if place in work.earlier:
        return replace(_result(work, work.earlier[place]), replayed=True)
    verdict = work.verdicts[place]
    if isinstance(verdict, Rejected):
        return ItemResult(record_id, "rejected", verdict.reason, verdict.detail, False, work.leaf_index.get(place))
    return ItemResult(record_id, "accepted", None, None, False, work.leaf_index[place])
