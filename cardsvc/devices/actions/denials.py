"""The deny list as it is published: numbered when it changes, signed when it is asked for."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import delete, func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from cardsvc import access, cards, db
from cardsvc.db import Base, to_ms
from cardsvc.devices import queries
from cardsvc.devices.actions import owing
from cardsvc.devices.models import DenyChangeRow, DenyHeldRow, DenyListRow
from cardsvc.devices.queries import CARD, KEY, PublishedList
from cardsvc.devices.rules import BREAKER, OWING_KEPT, Breaker, DenyListFull, HeldChanged, NoDeltaFrom, net
from cardsvc.vault import Vault
from crypto.wire.denylist import (
    ENTRIES_MAX,
    DenyDelta,
    DenyList,
    content_hash,
    pack,
    sign_delta,
    sign_list,
    unpack,
)

_CHUNK = 5000
_SECOND = timedelta(seconds=1)
_PUBLISHER_LOCK = 0x64656E79  # one at a time publishes; any fixed number, PostgreSQL's advisory locks have no names


@dataclass(frozen=True, slots=True)
class _Entries:
    """What is on a list, each entry sixteen bytes."""

    cards: frozenset[bytes]
    keys: frozenset[bytes]
    owing: frozenset[bytes]

    def hash(self, number: int) -> bytes:
        return content_hash(number, pack(self.cards), pack(self.keys), pack(self.owing))


def publish_deny_list(
    session: Session,
    now: datetime,
    *,
    action_id: UUID | None = None,
    release: bool = False,
    breaker: Breaker = BREAKER,
) -> int:
    """Bring the list to what the cards and the debts say, and return its number; it grows when, and only when, the list
    changes.

    Cards that would come onto it in too great a number at once are held back, and the rest is published: until two
    people sign for it or the cards are let go. `action_id` is what two people signed: then nothing new is held back,
    and with `release` nothing at all. The service refuses held cards as any denied one; only terminals without a
    network do not know of them. The very first list is taken as it is. Cards that owe a fare come onto it at a pace
    (`actions.owing`) and are never held back.

    Raises: DenyListFull; nothing changed.
    """
    while True:
        newest = queries.newest_deny_list(session)
        denied, key_ids = _denied(session, now), frozenset(cards.denied_key_ids(session, now))
        held = _release(session) if release else _held(session, denied)
        owe = owing.wanted(session, newest, breaker, now, ENTRIES_MAX - len(denied - held) - len(key_ids))
        if newest and _Entries(denied - held, key_ids, owe).hash(newest.number) == newest.content_hash:
            return newest.number
        before = _entries(session, newest)
        if newest and action_id is None:
            held |= _hold(session, denied - held - before.cards, breaker, now)
        number = _publish(session, newest, before, _Entries(denied - held, key_ids, owe), now, action_id)
        if number is not None:
            return number
        # Another process published this number a moment ago; it has committed, so its list is what we read next.


def current_deny_number(session: Session, now: datetime) -> int | None:
    """The newest list's number without writing anything; None where the list has to be published anew.

    A debt alone never has to be: it waits for `publish_deny_list`, which a worker calls each minute. So a city in which
    somebody comes to owe each second has a list a minute, and who asks for the policy reads no balance.
    """
    newest = queries.newest_deny_list(session)
    if newest is None:
        return None
    held = queries.held_back(session)
    denied = b"".join(
        card_id for card_id in cards.denied_ids(session, now) if card_id not in held
    )  # in order, as packed
    owe = queries.owing_entries(session, newest.number)
    wanted = content_hash(newest.number, denied, b"".join(cards.denied_key_ids(session, now)), owe)
    return newest.number if wanted == newest.content_hash else None


def signed_deny_list(session: Session, vault: Vault) -> tuple[PublishedList, bytes]:
    """The newest list, and the whole of it signed. Raises: NoDeltaFrom: none was published yet."""
    newest = queries.newest_deny_list(session)
    if newest is None:
        raise NoDeltaFrom
    content = DenyList(
        number=newest.number,
        issued_at_ms=to_ms(newest.issued_at),
        cards=queries.deny_entries(session, CARD, newest.number),
        keys=queries.deny_entries(session, KEY, newest.number),
        action_id=newest.action_id,
        owing=queries.owing_entries(session, newest.number),
    )
    return newest, sign_list(content, vault.signer("policy"))


def signed_deny_delta(session: Session, vault: Vault, base_number: int) -> bytes:
    """From that list to the newest one, signed. It carries what two people signed for any list on the way: a terminal
    that missed that list holds nothing back for want of a reason.

    Raises: NoDeltaFrom: there is no such list, it is the newest or too old (`OWING_KEPT`), or the whole list is the
    shorter answer.
    """
    newest = queries.newest_deny_list(session)
    if newest is None or not 0 < base_number < newest.number:
        raise NoDeltaFrom
    base = queries.deny_list(session, base_number)
    if base is None or base.issued_at <= newest.issued_at - OWING_KEPT:
        raise NoDeltaFrom  # nobody published it, or a database that was given up did; or who owed then is forgotten
    span = (base.number, newest.number)
    added_cards, removed_cards = net(queries.deny_changes(session, CARD, *span))
    added_keys, removed_keys = net(queries.deny_changes(session, KEY, *span))
    owed, owe = owing.on_list(session, base), owing.on_list(session, newest)
    changes = len(added_cards) + len(removed_cards) + len(added_keys) + len(removed_keys) + len(owed ^ owe)
    if changes > ENTRIES_MAX:
        raise NoDeltaFrom
    delta = DenyDelta(
        base_number=base.number,
        base_hash=base.content_hash,
        number=newest.number,
        result_hash=newest.content_hash,
        issued_at_ms=to_ms(newest.issued_at),
        added_cards=pack(added_cards),
        removed_cards=pack(removed_cards),
        added_keys=pack(added_keys),
        removed_keys=pack(removed_keys),
        action_id=queries.deny_reason(session, *span),
        added_owing=pack(owe - owed),
        removed_owing=pack(owed - owe),
    )
    return sign_delta(delta, vault.signer("policy"))


def _denied(session: Session, now: datetime) -> frozenset[bytes]:
    return frozenset(cards.denied_ids(session, now))


def _entries(session: Session, newest: PublishedList | None) -> _Entries:
    if newest is None:
        return _Entries(frozenset(), frozenset(), frozenset())
    denied, key_ids = (frozenset(unpack(queries.deny_entries(session, kind, newest.number))) for kind in (CARD, KEY))
    return _Entries(denied, key_ids, owing.on_list(session, newest))


def _held(session: Session, denied: frozenset[bytes]) -> frozenset[bytes]:
    """What is held back of what is denied; a card that was let go meanwhile is held no more."""
    held = queries.held_back(session)
    gone = sorted(held - denied)
    for start in range(0, len(gone), _CHUNK):
        session.execute(delete(DenyHeldRow).where(DenyHeldRow.card_id.in_(gone[start : start + _CHUNK])))
    return held & denied


def _hold(session: Session, new: frozenset[bytes], breaker: Breaker, now: datetime) -> frozenset[bytes]:
    """Those of the new ones that are to be held back from now on: all or none."""
    lately = queries.denied_lately(session, now - breaker.window)
    if not breaker.trips(len(new), lately, cards.count_in_use(session)):
        return frozenset()
    rows = [{"card_id": card_id, "held_at": now} for card_id in sorted(new)]
    session.execute(_upsert(session)(DenyHeldRow).on_conflict_do_nothing(), rows)
    return new


def _release(session: Session) -> frozenset[bytes]:
    session.execute(delete(DenyHeldRow))
    return frozenset()


def _publish(
    session: Session,
    newest: PublishedList | None,
    before: _Entries,
    wanted: _Entries,
    now: datetime,
    action_id: UUID | None,
) -> int | None:
    """The number of the list with these entries; None where another process took that number first."""
    if len(wanted.cards) + len(wanted.keys) > ENTRIES_MAX:
        raise DenyListFull(ENTRIES_MAX)
    if newest and before == wanted:
        return newest.number
    if session.get_bind().dialect.name == "postgresql":
        session.execute(select(func.pg_advisory_xact_lock(_PUBLISHER_LOCK)))
        if queries.newest_deny_list(session) != newest:
            return None
    number = next_number((newest.number, newest.issued_at) if newest else None, now)
    new = _upsert(session)(DenyListRow).values(
        number=number,
        issued_at=now,
        content_hash=wanted.hash(number),
        cards_added=len(wanted.cards - before.cards),
        action_id=action_id,
    )
    taken = session.execute(new.on_conflict_do_nothing().returning(DenyListRow.number)).scalar_one_or_none()
    if taken is None:
        return None
    for kind, old, now_there in ((CARD, before.cards, wanted.cards), (KEY, before.keys, wanted.keys)):
        _write_changes(session, kind, number, now_there - old, denied=True)
        _write_changes(session, kind, number, old - now_there, denied=False)
    owing.write(session, number, before.owing, wanted.owing, now)
    return number


def next_number(last: tuple[int, datetime] | None, now: datetime) -> int:
    """One more than the last number, and one more for each second since it was given.

    After an older database is restored, what it does not know any more had numbers too, and terminals hold them. What
    is numbered now is above them all, unless there were more of them than seconds since the last.
    """
    if last is None:
        return 1
    number, given_at = last
    return number + 1 + max(0, (now - given_at) // _SECOND)


def _upsert(session: Session) -> Callable[[type[Base]], Any]:
    return postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert


def _write_changes(session: Session, kind: str, number: int, entries: frozenset[bytes], *, denied: bool) -> None:
    count = len(entries)
    db.insert_columns(
        session,
        DenyChangeRow.__table__,
        {"kind": [kind] * count, "entry": sorted(entries), "number": [number] * count, "denied": [denied] * count},
    )


def held_list(session: Session) -> tuple[int, str]:
    """How many cards are held back, and which: SHA-256 over their packed ids, in hex."""
    held = queries.held_back(session)
    return len(held), hashlib.sha256(pack(held)).hexdigest()


def _check_held(session: Session, payload: Mapping[str, Any]) -> int:
    count, list_hash = held_list(session)
    if not count or payload != {"held": count, "list_hash": list_hash}:
        raise HeldChanged
    return count


def _run_release(session: Session, payload: dict[str, Any], action: access.ActionView, now: datetime) -> None:
    _check_held(session, payload)
    publish_deny_list(session, now, action_id=action.id, release=True)


def _describe_release(session: Session, payload: dict[str, Any]) -> str:
    count = _check_held(session, payload)
    return f"Tell all terminals to refuse the {count} cards that were denied at once and are held back."


_OFFICERS = frozenset({access.Role.CARD_OFFICER, access.Role.ADMIN})
RELEASE = access.ActionHandler("denials.release", _OFFICERS, _OFFICERS, _run_release, _describe_release)
"""Two people let what is held back go out to the terminals. The payload names it, as `held_list` says it."""


def telling_terminals(handler: access.ActionHandler) -> access.ActionHandler:
    """The same action of two, and the cards that it denies go onto the list at once, however many they are.

    What came to be denied without it, before it, is judged by itself.
    """

    def run(session: Session, payload: dict[str, Any], action: access.ActionView, now: datetime) -> None:
        publish_deny_list(session, now)
        handler.run(session, payload, action, now)
        publish_deny_list(session, now, action_id=action.id)

    return replace(handler, run=run)
