"""Lists as they were published: of what no terminal may accept, of cards that owe a fare, of revoked certificates."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import exists, func, or_, select
from sqlalchemy.orm import Session, aliased

from cardsvc import cards, wallets
from cardsvc.devices.models import DenyChangeRow, DenyHeldRow, DenyListRow, DenyOwingRow, RevocationListRow
from cardsvc.devices.rules import Change
from crypto.wire.denylist import pack, unpack


@dataclass(frozen=True, slots=True)
class PublishedList:
    """A deny list that was published; its entries are asked for apart. `action_id` as in `DenyList`."""

    number: int
    issued_at: datetime
    content_hash: bytes
    action_id: UUID | None


@dataclass(frozen=True, slots=True)
class RevocationList:
    """An authority's certificate revocation list, DER."""

    number: int
    this_update: datetime
    next_update: datetime
    content_hash: bytes
    der: bytes


CARD, KEY = "card", "key"
"""What an entry of the deny list names."""
_LIST_COLUMNS = (DenyListRow.number, DenyListRow.issued_at, DenyListRow.content_hash, DenyListRow.action_id)


def newest_deny_list(session: Session) -> PublishedList | None:
    """None before the first was published."""
    row = session.execute(select(*_LIST_COLUMNS).order_by(DenyListRow.number.desc()).limit(1)).one_or_none()
    return None if row is None else PublishedList(*row)


def deny_list(session: Session, number: int) -> PublishedList | None:
    """The list of this number; None where no list has it: numbers grow by more than one."""
    row = session.execute(select(*_LIST_COLUMNS).where(DenyListRow.number == number)).one_or_none()
    return None if row is None else PublishedList(*row)


def deny_reason(session: Session, after: int, until: int) -> UUID | None:
    """What two people signed last for a list after one number up to another; None where nobody did."""
    query = select(DenyListRow.action_id).where(
        DenyListRow.number > after, DenyListRow.number <= until, DenyListRow.action_id.is_not(None)
    )
    return session.scalars(query.order_by(DenyListRow.number.desc()).limit(1)).one_or_none()


def deny_entries(session: Session, kind: str, number: int) -> bytes:
    """The entries of one kind on the list of that number, packed: those whose last change until then denied them."""
    later = aliased(DenyChangeRow)
    query = select(DenyChangeRow.entry).where(
        DenyChangeRow.kind == kind,
        DenyChangeRow.number <= number,
        DenyChangeRow.denied,
        ~exists().where(
            later.kind == DenyChangeRow.kind,
            later.entry == DenyChangeRow.entry,
            later.number > DenyChangeRow.number,
            later.number <= number,
        ),
    )
    return pack(session.scalars(query))


def deny_changes(session: Session, kind: str, after: int, until: int) -> list[Change]:
    """What changed on the lists after one number up to another, oldest first."""
    query = (
        select(DenyChangeRow.entry, DenyChangeRow.denied)
        .where(DenyChangeRow.kind == kind, DenyChangeRow.number > after, DenyChangeRow.number <= until)
        .order_by(DenyChangeRow.number)
    )
    return [Change(entry, denied) for entry, denied in session.execute(query)]


def denied_lately(session: Session, since: datetime) -> int:
    """Cards that came onto the list since then without two people's signatures; those of the first list count not."""
    query = select(func.coalesce(func.sum(DenyListRow.cards_added), 0)).where(
        DenyListRow.issued_at > since, DenyListRow.action_id.is_(None), DenyListRow.number > 1
    )
    return int(session.execute(query).scalar_one())


def held_back(session: Session) -> frozenset[bytes]:
    """Ids of denied cards that two people must sign for before terminals hear of them."""
    return frozenset(session.scalars(select(DenyHeldRow.card_id)))


def revocation_list(session: Session, authority: bytes) -> RevocationList | None:
    """The newest list of the authority with this subject key identifier."""
    columns = tuple(getattr(RevocationListRow, name) for name in RevocationList.__slots__)
    query = select(*columns).where(RevocationListRow.authority == authority)
    row = session.execute(query.order_by(RevocationListRow.number.desc()).limit(1)).one_or_none()
    return None if row is None else RevocationList(*row)


# ------------------------------------------------------------------------------------------------ cards that owe a fare


def owing_now(session: Session, now: datetime) -> frozenset[bytes]:
    """Ids of the good cards whose holders owe a fare, whatever the newest list says."""
    return frozenset(cards.active_ids(session, wallets.owing(session), now))


def owing_entries(session: Session, number: int) -> bytes:
    """The cards that owe on the list of that number, packed. Of lists older than `rules.OWING_KEPT` it is not known."""
    row = DenyOwingRow
    query = select(row.card_id).where(row.number <= number, or_(row.until_number.is_(None), row.until_number > number))
    return pack(session.scalars(query))


def owing_lately(session: Session, since: datetime) -> int:
    """How many cards came onto the list since then because they owe."""
    query = select(func.count()).select_from(DenyOwingRow).join(DenyListRow, DenyListRow.number == DenyOwingRow.number)
    return session.execute(query.where(DenyListRow.issued_at > since, DenyListRow.number > 1)).scalar_one()


def owing_waiting(session: Session, now: datetime) -> int:
    """How many cards owe a fare and are not on the newest list: the last minute's, or more than an hour may bring."""
    newest = newest_deny_list(session)
    there = frozenset(unpack(owing_entries(session, newest.number))) if newest else frozenset[bytes]()
    return len(owing_now(session, now) - there)


def number_at(session: Session, at: datetime) -> int:
    """The highest number of a list that was issued at that time or earlier; 0 where there is none."""
    return session.scalars(select(func.max(DenyListRow.number)).where(DenyListRow.issued_at <= at)).one() or 0
