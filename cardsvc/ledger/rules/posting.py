"""What the ledger decides, without a database: which drafts become entries, and on which accounts they land.

A *natural* balance is positive on the account's own side: what the city owns or spends (debit), what it owes, holds or
earns (credit).
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from uuid import UUID

from cardsvc.ledger.rules.chart import AccountKind, AccountPolicy
from cardsvc.ledger.rules.entries import Draft, Line, PostedLine, Reason, Refused
from cardsvc.money import AMOUNT_MAX

LINES_MIN = 2


@dataclass(frozen=True, slots=True)
class KnownAccount:
    """What a decision needs to know of an account; `balance_cents` is natural, and 0 on a derived one."""

    account_id: int
    kind: AccountKind
    policy: AccountPolicy
    currency: str
    floor_cents: int | None
    closed: bool
    balance_cents: int


@dataclass(frozen=True, slots=True)
class Known:
    """What the ledger held before the batch: accounts by code, ids of entries among those that the drafts name, and
    those of them that were reversed already.
    """

    accounts: Mapping[str, KnownAccount]
    entries: Collection[UUID] = frozenset()
    reversed: Collection[UUID] = frozenset()


def decide(drafts: Iterable[Draft], known: Known) -> list[tuple[PostedLine, ...] | Refused]:
    """Decide each draft in order, against what the earlier ones left: the first of two competing drafts wins."""
    running = _Running(known.accounts, set(known.entries), set(known.reversed))
    return [running.decide(draft) for draft in drafts]


@dataclass(slots=True)
class _Running:
    """The ledger as it stands after the drafts decided so far."""

    accounts: Mapping[str, KnownAccount]
    entries: set[UUID]
    reversed: set[UUID]
    balances: dict[str, int] = field(default_factory=dict)

    def decide(self, draft: Draft) -> tuple[PostedLine, ...] | Refused:
        refused = _flaw(draft) or self._conflict(draft) or self._unusable(draft)
        if refused is not None:
            return refused
        moved: dict[str, int] = {}
        lines: list[PostedLine] = []
        for line in draft.lines:
            drawn = self._draw(draft, line, moved)
            if isinstance(drawn, Refused):
                return drawn
            lines += drawn
        self.balances |= moved
        self.entries.add(draft.entry_id)
        if draft.reverses is not None:
            self.reversed.add(draft.reverses)
        return tuple(lines)

    def _conflict(self, draft: Draft) -> Refused | None:
        if draft.entry_id in self.entries:
            return Refused(draft.entry_id, Reason.DUPLICATE_ENTRY, f"Entry {draft.entry_id} is in the ledger already.")
        if draft.reverses is not None and draft.reverses not in self.entries:
            detail = f"Entry {draft.reverses}, to be reversed, is not in the ledger."
            return Refused(draft.entry_id, Reason.UNKNOWN_ENTRY, detail)
        if draft.reverses in self.reversed:
            return Refused(draft.entry_id, Reason.ALREADY_REVERSED, f"Entry {draft.reverses} was reversed already.")
        return None

    def _unusable(self, draft: Draft) -> Refused | None:
        """Every account that a draft names must be usable, also those that a draw may not reach."""
        accounts: list[tuple[str, KnownAccount]] = []
        for line in draft.lines:
            for code in (line.account, *line.then):
                account = self.accounts.get(code)
                if account is None:
                    return Refused(draft.entry_id, Reason.UNKNOWN_ACCOUNT, f"There is no account {code}.")
                accounts.append((code, account))
        for code, account in accounts:
            if account.closed:
                return Refused(draft.entry_id, Reason.ACCOUNT_CLOSED, f"Account {code} is closed.")
        for code, account in accounts:
            if account.currency != draft.currency:
                detail = f"Account {code} is kept in {account.currency}, the entry in {draft.currency}."
                return Refused(draft.entry_id, Reason.WRONG_CURRENCY, detail)
        return None

    def _draw(self, draft: Draft, line: Line, moved: dict[str, int]) -> list[PostedLine] | Refused:
        lines: list[PostedLine] = []
        rest = line.amount_cents
        for code in (line.account, *line.then):
            account = self.accounts[code]
            if account.policy is AccountPolicy.DERIVED:
                return [*lines, PostedLine(code, rest)]
            balance = moved.get(code, self.balances.get(code, account.balance_cents))
            taken = _bearable(account, balance, rest)
            if taken:
                moved[code] = balance + taken * account.kind.sign
                if not -AMOUNT_MAX <= moved[code] <= AMOUNT_MAX:
                    detail = f"The balance of account {code} would not fit in 64 bits."
                    return Refused(draft.entry_id, Reason.AMOUNT_OUT_OF_RANGE, detail)
                lines.append(PostedLine(code, taken))
            rest -= taken
            if not rest:
                return lines
        needed = abs(line.amount_cents)
        detail = f"Account {line.account} needs {needed} cents and has {needed - abs(rest)} to spend."
        return Refused(draft.entry_id, Reason.INSUFFICIENT_FUNDS, detail)


def _bearable(account: KnownAccount, balance: int, amount: int) -> int:
    """As much of `amount` as the account takes without passing its floor."""
    change = amount * account.kind.sign
    if change > 0 or account.floor_cents is None:
        return amount
    return -min(-change, max(0, balance - account.floor_cents)) * account.kind.sign


def _flaw(draft: Draft) -> Refused | None:
    """What is wrong with the draft by itself."""
    total = sum(line.amount_cents for line in draft.lines)
    if len(draft.lines) < LINES_MIN or total:
        detail = f"The {len(draft.lines)} lines must be two or more and sum to zero; they sum to {total} cents."
        return Refused(draft.entry_id, Reason.UNBALANCED, detail)
    # The debits together must fit, so that no database overflows on the way to a sum of zero.
    if sum(max(line.amount_cents, 0) for line in draft.lines) > AMOUNT_MAX or not all(
        line.amount_cents for line in draft.lines
    ):
        detail = "An amount is zero, or the entry's debits do not fit in 64 bits."
        return Refused(draft.entry_id, Reason.AMOUNT_OUT_OF_RANGE, detail)
    return None
