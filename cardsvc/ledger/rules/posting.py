"""What the ledger decides, without a database: which drafts become entries, and on which accounts they land.

A *natural* balance is positive on the account's own side: what the city owns or spends (debit), what it owes, holds or
earns (credit).
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import pairwise
from typing import Final, NamedTuple
from uuid import UUID

from cardsvc.ledger.rules import asserting, holds, periods
from cardsvc.ledger.rules.chart import AccountKind, AccountPolicy
from cardsvc.ledger.rules.entries import (
    METADATA_MAX,
    METADATA_TEXT_MAX,
    Draft,
    EntryKind,
    Line,
    PostedLine,
    Reason,
    Refused,
)
from cardsvc.ledger.rules.holds import HELD_SUFFIX, KnownHold
from cardsvc.money import AMOUNT_MAX

LINES_MIN = 2

# What is left of an expired purse still goes back where it came from, and a mistake about one is still corrected.
_MOVES_EXPIRED: Final = frozenset({EntryKind.PURSE_EXPIRED, EntryKind.REVERSAL, EntryKind.JOURNAL_ENTRY})


class KnownAccount(NamedTuple):
    """What a decision needs to know of an account; `balance_cents` is natural, and 0 on a derived one.

    A tuple, because a batch makes thousands of them.
    """

    account_id: int
    kind: AccountKind
    policy: AccountPolicy
    currency: str
    floor_cents: int | None
    closed: bool
    balance_cents: int
    expires_at: datetime | None = None  # of a purse

    def expired(self, draft: Draft) -> bool:
        """Whether the purse's time was over when it happened."""
        return self.expires_at is not None and draft.happened_at >= self.expires_at and draft.kind not in _MOVES_EXPIRED


@dataclass(frozen=True, slots=True)
class Known:
    """What the ledger held before the batch, of what the drafts name: accounts by code, ids of entries, and those of
    them that were reversed already. `today` is the accounting date of a draft without one of its own; `books` says
    which months are closed, `asserted` until which day an account's balance was signed off, `holds` what is held.
    """

    accounts: Mapping[str, KnownAccount]
    entries: Collection[UUID] = frozenset()
    reversed: Collection[UUID] = frozenset()
    today: date = date.min
    books: periods.Books = periods.OPEN_BOOKS
    asserted: Mapping[str, date] = field(default_factory=dict)
    holds: Mapping[UUID, KnownHold] = field(default_factory=dict)


@dataclass(slots=True)
class Running:
    """The ledger as it stands after the drafts decided so far."""

    known: Known
    entries: set[int]  # as numbers: a UUID hashes and compares in Python
    reversed: set[UUID]
    balances: dict[str, int] = field(default_factory=dict)
    holds: dict[UUID, KnownHold] = field(default_factory=dict)
    holding: bool = False  # whether any draft names an account of held money: hardly any batch does
    dated: bool = False  # whether any month is closed, so that it matters where a draft is booked


Check = Callable[[Draft, Running], Refused | None]


def decide(drafts: Iterable[Draft], known: Known) -> list[tuple[PostedLine, ...] | Refused]:
    """Decide each draft in order, against what the earlier ones left: the first of two competing drafts wins."""
    running = begin(known)
    return [decide_next(draft, running) for draft in drafts]


def begin(known: Known) -> Running:
    """The ledger before the first draft of a batch."""
    holding = any(code.endswith(HELD_SUFFIX) for code in known.accounts)
    dated = known.books != periods.OPEN_BOOKS
    return Running(
        known, {entry_id.int for entry_id in known.entries}, set(known.reversed), {}, dict(known.holds), holding, dated
    )


def decide_next(draft: Draft, running: Running) -> tuple[PostedLine, ...] | Refused:
    """Decide the batch's next draft; one that is not refused moves what is `running`."""
    return decide_plain(draft, running) or decide_any(draft, running)


def decide_any(draft: Draft, running: Running) -> tuple[PostedLine, ...] | Refused:
    for check in CHECKS:
        refused = check(draft, running)
        if refused is not None:
            return refused
    moved: dict[str, int] = {}
    lines: list[PostedLine] = []
    for line in draft.lines:
        refused = _draw(draft, line, running, moved, lines)
        if refused is not None:
            return refused
    running.balances.update(moved)
    running.entries.add(draft.entry_id.int)
    if draft.reverses is not None:
        running.reversed.add(draft.reverses)
    if draft.hold is not None:
        running.holds[draft.hold.hold_id] = holds.after(draft, running.holds.get(draft.hold.hold_id))
    return tuple(lines)


def decide_plain(draft: Draft, running: Running) -> tuple[PostedLine, ...] | None:
    """The answer for a draft like nearly all of them: nothing about it is special, and its accounts can bear it. In one
    pass, because the long way takes five times as long; None wherever that one might come to another answer.
    """
    if (
        draft.entry_id.int in running.entries
        or draft.metadata
        or draft.reverses is not None
        or draft.booked_on is not None
        or draft.hold is not None
        or running.holding
        or (
            running.dated
            and (draft.kind in periods.OFFICE or periods.check(draft, running.known.books, running.known.today))
        )
    ):
        return None
    accounts, balances, currency = running.known.accounts, running.balances, draft.currency
    posted: list[PostedLine] = []
    moved: list[tuple[str, int]] = []
    total = 0
    for code, cents, then in draft.lines:
        account = accounts.get(code)
        if (
            account is None
            or not -_PLAIN_MAX < cents < _PLAIN_MAX
            or not cents
            or _names_unusable(then, draft, accounts)
        ):
            return None
        _, kind, policy, kept_in, floor_cents, closed, balance, expires_at = account
        if closed or kept_in != currency or expires_at is not None:
            return None
        total += cents
        posted.append(_new(PostedLine, (code, cents)))
        if policy is _CHECKED:
            change = cents if kind is _ASSET or kind is _EXPENSE else -cents
            after = balances.get(code, balance) + change
            if not -_PLAIN_MAX < after < _PLAIN_MAX or (change < 0 and floor_cents is not None and after < floor_cents):
                return None
            moved.append((code, after))
    count = len(posted)
    # an account named twice would have to see what its first line left
    if total or not LINES_MIN <= count <= _PLAIN_LINES_MAX or (len(moved) > 1 and len(dict(moved)) < len(moved)):
        return None
    balances.update(moved)
    running.entries.add(draft.entry_id.int)
    return tuple(posted)


def _names_unusable(then: tuple[str, ...], draft: Draft, accounts: Mapping[str, KnownAccount]) -> bool:
    """The long way refuses a draft that names such an account, also where its draw would not reach it."""
    for code in then:
        account = accounts.get(code)
        if account is None or account.closed or account.currency != draft.currency:
            return True
    return False


_new = tuple.__new__  # what a tuple's own constructor comes to, without a call in Python for each line
_CHECKED, _ASSET, _EXPENSE = AccountPolicy.CHECKED, AccountKind.ASSET, AccountKind.EXPENSE
_PLAIN_LINES_MAX = 16
_PLAIN_MAX = AMOUNT_MAX // _PLAIN_LINES_MAX  # so that no sum of a plain draft leaves 64 bits


# ---------------------------------------------------------------------------------------------- checks, each a question


def _unbalanced(draft: Draft, _running: Running) -> Refused | None:
    total = 0
    for line in draft.lines:
        total += line.amount_cents
    if total or len(draft.lines) < LINES_MIN:
        detail = f"The {len(draft.lines)} lines must be two or more and sum to zero; they sum to {total} cents."
        return Refused(draft.entry_id, Reason.UNBALANCED, detail)
    return None


def _bad_metadata(draft: Draft, _running: Running) -> Refused | None:
    if not draft.metadata:
        return None
    problem = ""
    if len(draft.metadata) > METADATA_MAX:
        problem = f"has {len(draft.metadata)} pairs; at most {METADATA_MAX} are kept"
    elif not all(_is_text(text) for pair in draft.metadata for text in pair):
        problem = f"has a text that is empty, longer than {METADATA_TEXT_MAX} characters, or not printable"
    elif any(key >= following for (key, _), (following, _) in pairwise(draft.metadata)):
        problem = "must have each key once, in their order"
    return Refused(draft.entry_id, Reason.INVALID_METADATA, f"The metadata {problem}.") if problem else None


def _is_text(text: str) -> bool:
    return 0 < len(text) <= METADATA_TEXT_MAX and text.isprintable()


def _out_of_range(draft: Draft, _running: Running) -> Refused | None:
    debits = 0
    for line in draft.lines:
        if line.amount_cents > 0:
            debits += line.amount_cents
        elif not line.amount_cents:
            return Refused(draft.entry_id, Reason.AMOUNT_OUT_OF_RANGE, "An amount is zero.")
    # The debits together must fit, so that no database overflows on the way to a sum of zero.
    if debits > AMOUNT_MAX:
        return Refused(draft.entry_id, Reason.AMOUNT_OUT_OF_RANGE, "The entry's debits do not fit in 64 bits.")
    return None


def _repeated(draft: Draft, running: Running) -> Refused | None:
    if draft.entry_id.int in running.entries:
        return Refused(draft.entry_id, Reason.DUPLICATE_ENTRY, f"Entry {draft.entry_id} is in the ledger already.")
    return None


def _not_reversible(draft: Draft, running: Running) -> Refused | None:
    if draft.reverses is None:
        return None
    if draft.reverses.int not in running.entries:
        detail = f"Entry {draft.reverses}, to be reversed, is not in the ledger."
        return Refused(draft.entry_id, Reason.UNKNOWN_ENTRY, detail)
    if draft.reverses in running.reversed:
        return Refused(draft.entry_id, Reason.ALREADY_REVERSED, f"Entry {draft.reverses} was reversed already.")
    return None


def _unusable(draft: Draft, running: Running) -> Refused | None:
    """Every account that a draft names must be usable, also those that a draw may not reach."""
    accounts = running.known.accounts
    for line in draft.lines:
        for code in (line.account, *line.then) if line.then else (line.account,):
            account = accounts.get(code)
            if account is None or account.closed or account.currency != draft.currency:
                return _why_unusable(draft, accounts)
    return None


def _why_unusable(draft: Draft, accounts: Mapping[str, KnownAccount]) -> Refused:
    """The reason that comes first, of whichever account."""
    codes = [code for line in draft.lines for code in (line.account, *line.then)]
    for code in codes:
        if code not in accounts:
            return Refused(draft.entry_id, Reason.UNKNOWN_ACCOUNT, f"There is no account {code}.")
    for code in codes:
        if accounts[code].closed:
            return Refused(draft.entry_id, Reason.ACCOUNT_CLOSED, f"Account {code} is closed.")
    code = next(code for code in codes if accounts[code].currency != draft.currency)
    detail = f"Account {code} is kept in {accounts[code].currency}, the entry in {draft.currency}."
    return Refused(draft.entry_id, Reason.WRONG_CURRENCY, detail)


def _period_closed(draft: Draft, running: Running) -> Refused | None:
    return periods.check(draft, running.known.books, running.known.today)


def _signed_off(draft: Draft, running: Running) -> Refused | None:
    return asserting.check(draft, running.known.asserted)


def _not_held(draft: Draft, running: Running) -> Refused | None:
    if draft.hold is None:
        return holds.check(draft, None) if running.holding else None
    return holds.check(draft, running.holds.get(draft.hold.hold_id))


def _expired(draft: Draft, running: Running) -> Refused | None:
    """An expired purse neither takes nor gives: a draw passes it by, and where nothing else is named, it is refused."""
    accounts = running.known.accounts
    for line in draft.lines:
        if accounts[line.account].expires_at is None:
            continue
        if all(accounts[code].expired(draft) for code in (line.account, *line.then)):
            detail = f"The time of purse {line.account} was over when this happened."
            return Refused(draft.entry_id, Reason.PURSE_EXPIRED, detail)
    return None


# In the order of `Reason`: the first that has an answer gives it. Want of funds comes last, with the drawing itself.
CHECKS: Final[tuple[Check, ...]] = (
    _unbalanced,
    _bad_metadata,
    _out_of_range,
    _repeated,
    _not_reversible,
    _unusable,
    _period_closed,
    _signed_off,
    _not_held,
    _expired,
)


# ------------------------------------------------------------------------------------------------------------- drawing


def _draw(draft: Draft, line: Line, running: Running, moved: dict[str, int], lines: list[PostedLine]) -> Refused | None:
    """Put the line on its account, and what that does not bear on the next in its chain; `lines` and `moved` grow."""
    rest = line.amount_cents
    for code in (line.account, *line.then) if line.then else (line.account,):
        account = running.known.accounts[code]
        if account.policy is AccountPolicy.DERIVED:
            lines.append(PostedLine(code, rest))
            return None
        if account.expires_at is not None and account.expired(draft):
            continue
        balance = moved.get(code)
        if balance is None:
            balance = running.balances.get(code, account.balance_cents)
        taken = _bearable(account, balance, rest)
        if taken:
            after = balance + taken * account.kind.sign
            if not -AMOUNT_MAX <= after <= AMOUNT_MAX:
                detail = f"The balance of account {code} would not fit in 64 bits."
                return Refused(draft.entry_id, Reason.AMOUNT_OUT_OF_RANGE, detail)
            moved[code] = after
            lines.append(PostedLine(code, taken))
            rest -= taken
        if not rest:
            return None
    needed = abs(line.amount_cents)
    detail = f"Account {line.account} needs {needed} cents and has {needed - abs(rest)} to spend."
    return Refused(draft.entry_id, Reason.INSUFFICIENT_FUNDS, detail)


def _bearable(account: KnownAccount, balance: int, amount: int) -> int:
    """As much of `amount` as the account takes without passing its floor."""
    change = amount * account.kind.sign
    if change > 0 or account.floor_cents is None:
        return amount
    return -min(-change, max(0, balance - account.floor_cents)) * account.kind.sign
