"""Reads of the wallets: whose they are, what is in them, what happened to it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from cardsvc import ledger, rows
from cardsvc.money import CURRENCY
from cardsvc.wallets import rules
from cardsvc.wallets.models import WalletRow

_CHUNK = 5000
_NEVER = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Wallet:
    """A resident's wallet; `is_open` is False once it was closed."""

    id: UUID
    resident_id: UUID
    opened_at: datetime
    is_open: bool


@dataclass(frozen=True, slots=True)
class Purse:
    """Money in the wallet, as its holder sees it: `name` "main" is for everything and for ever.

    It pays until `expires_at`, excluded; what is left then returns to where it came from. None: for ever.
    """

    name: str
    account: str
    balance_cents: int
    currency: str
    purpose: str = rules.ANY
    expires_at: datetime | None = None
    priority: int = 0

    def expired(self, at: datetime) -> bool:
        """Whether its time is over at that moment."""
        return self.expires_at is not None and at >= self.expires_at


@dataclass(frozen=True, slots=True)
class Summary:
    """What a holder asks first: `balance_cents` can be spent on anything, `owed_cents` is repaid by the next top-up.

    `purses` are further money, each for its purpose and time; `held_cents` are set aside and in neither.
    """

    wallet_id: UUID
    balance_cents: int
    owed_cents: int
    currency: str
    held_cents: int = 0
    purses: tuple[Purse, ...] = ()


@dataclass(frozen=True, slots=True)
class Part:
    """What an entry moved in one of the wallet's accounts: "main", a purse's name, or "" for what is held."""

    name: str
    amount_cents: int


@dataclass(frozen=True, slots=True)
class StatementLine:
    """An entry as the holder sees it: `amount_cents` of what can be spent, `parts` where it was in the wallet."""

    entry_id: UUID
    kind: ledger.EntryKind
    happened_at: datetime
    amount_cents: int
    balance_after: int
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class StatementPage:
    """As `ledger.StatementPage`, over all of the wallet's money that is not held."""

    opening: int
    lines: tuple[StatementLine, ...]
    closing: int
    next: str | None


def by_residents(session: Session, resident_ids: Sequence[UUID]) -> dict[UUID, Wallet]:
    """The wallet of each resident who has one."""
    table = WalletRow.__table__.c
    query = select(table.id, table.resident_id, table.opened_at, table.status)
    return {
        resident_id: Wallet(wallet_id, resident_id, opened_at, status == "open")
        for wallet_id, resident_id, opened_at, status in rows.matching(
            session, query, table.resident_id, set(resident_ids)
        )
    }


def of_resident(session: Session, resident_id: UUID) -> Wallet:
    """Raises: WalletNotFound."""
    found = by_residents(session, [resident_id]).get(resident_id)
    if found is None:
        raise rules.WalletNotFound
    return found


def by_ids(session: Session, wallet_ids: Sequence[UUID]) -> dict[UUID, Wallet]:
    """Those of the wallets that exist."""
    found: dict[UUID, Wallet] = {}
    wanted = list(set(wallet_ids))
    for start in range(0, len(wanted), _CHUNK):
        for row in session.scalars(select(WalletRow).where(WalletRow.id.in_(wanted[start : start + _CHUNK]))):
            found[row.id] = Wallet(row.id, row.resident_id, row.opened_at, row.status == "open")
    return found


def by_references(session: Session, references: Sequence[str]) -> dict[str, Wallet]:
    """The wallet that each of these top-up references names. One with a wrong check digit, and one that two wallets
    share, name none.
    """
    found: dict[str, Wallet] = {}
    for reference in set(references):
        if not rules.is_reference(reference):
            continue
        rows = session.scalars(select(WalletRow).where(WalletRow.id.between(*rules.ids_of(reference)))).all()
        if len(rows) == 1:
            [row] = rows
            found[reference] = Wallet(row.id, row.resident_id, row.opened_at, row.status == "open")
    return found


def owing(session: Session) -> tuple[UUID, ...]:
    """The residents who owe a fare now, in no order."""
    table = WalletRow.__table__.c
    wallet_ids = [rules.wallet_of_account(code) for code in ledger.in_debit(session, rules.EVERY_OWED_ACCOUNT)]
    found = rows.matching(session, select(table.resident_id), table.id, wallet_ids)
    return tuple(resident_id for (resident_id,) in found)


def purse_accounts(session: Session, wallet_ids: Sequence[UUID]) -> dict[UUID, tuple[ledger.PurseAccount, ...]]:
    """The purses of each of these wallets, empty where it has none: one statement for a whole batch of taps."""
    found = ledger.purses_of(session, [rules.owner(wallet_id) for wallet_id in wallet_ids])
    return {wallet_id: found.get(rules.owner(wallet_id), ()) for wallet_id in wallet_ids}


def spendable(session: Session, resident_ids: Sequence[UUID], purpose: str, at: datetime) -> dict[UUID, int]:
    """What each resident who has a wallet can pay with for the purpose at that moment, in cents: the purses for it and
    the main account; a debt is not taken off. As many statements for a thousand as for one.
    """
    wallet_of = by_residents(session, resident_ids)
    wallet_ids = [wallet.id for wallet in wallet_of.values()]
    purses_of = purse_accounts(session, wallet_ids)
    main = ledger.balances(session, [rules.main_account(wallet_id) for wallet_id in wallet_ids])
    found: dict[UUID, int] = {}
    for resident_id, wallet in wallet_of.items():
        held = ledger.purses.order(purses_of[wallet.id], purpose, at)
        found[resident_id] = main[rules.main_account(wallet.id)] + sum(purse.balance_cents for purse in held)
    return found


def purses(session: Session, wallet_id: UUID) -> tuple[Purse, ...]:
    """All that has money in the wallet: its purses, first what expires first, and at last the main account."""
    code = rules.main_account(wallet_id)
    return (*_purses(session, wallet_id), Purse("main", code, ledger.balances(session, [code])[code], CURRENCY))


def _purses(session: Session, wallet_id: UUID) -> tuple[Purse, ...]:
    """Those with money in them."""
    found = [
        Purse(
            account.name,
            account.code,
            account.balance_cents,
            CURRENCY,
            account.purse.purpose,
            account.purse.expires_at,
            account.purse.priority,
        )
        for account in purse_accounts(session, [wallet_id])[wallet_id]
        if account.balance_cents
    ]
    return tuple(sorted(found, key=lambda purse: (purse.expires_at or _NEVER, purse.name)))


def summary(session: Session, wallet_id: UUID) -> Summary:
    """What is in the wallet, what is set aside, and what its holder owes."""
    main, owed, held = rules.main_account(wallet_id), rules.owed_account(wallet_id), rules.held_account(wallet_id)
    cents = ledger.balances(session, [main, owed])
    held_cents = ledger.balances(session, [held])[held] if ledger.known_accounts(session, [held]) else 0
    return Summary(wallet_id, cents[main], cents[owed], CURRENCY, held_cents, _purses(session, wallet_id))


def holds(session: Session, wallet_id: UUID) -> tuple[ledger.HoldView, ...]:
    """What is set aside in the wallet, the oldest first."""
    return ledger.standing_holds(session, account=rules.held_account(wallet_id))


def statement(session: Session, wallet_id: UUID, *, after: str | None = None, limit: int = 50) -> StatementPage:
    """The entries of the holder's money, newest first; `after` is the `next` of the page before.

    Raises: ledger.InvalidCursor.
    """
    own = [purse.code for purse in purse_accounts(session, [wallet_id])[wallet_id]]
    counted = [rules.main_account(wallet_id), *own]
    page = ledger.joint_statement(session, counted, beside=[rules.held_account(wallet_id)], after=after, limit=limit)
    lines = tuple(
        StatementLine(
            line.entry_id,
            line.kind,
            line.happened_at,
            line.amount_cents,
            line.balance_after,
            tuple(Part(_name(part.account), part.amount_cents) for part in line.parts),
        )
        for line in page.lines
    )
    return StatementPage(page.opening, lines, page.closing, page.next)


def _name(account: str) -> str:
    if account.endswith(ledger.holds.HELD_SUFFIX):
        return ""
    return "main" if account.endswith(":main") else account.partition(":purse:")[2]
