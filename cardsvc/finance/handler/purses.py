"""Money for a purpose: into a purse, and what is left of it back when its time is over."""

import re
from collections.abc import Sequence
from datetime import datetime
from typing import ClassVar, Final
from uuid import UUID

from sqlalchemy.orm import Session

from cardsvc import ledger, wallets
from cardsvc.db import from_ms
from cardsvc.finance.handler.common import NOT_THE_SIGNER, OTHER_CURRENCY, draft, signer
from cardsvc.finance.handler.holds import ledger_purpose
from cardsvc.money import CURRENCY
from cardsvc.transactions import Item, Plan, Reason, Rejected
from crypto.wire.transaction import Purpose
from crypto.wire.wallets import PurseExpired, PurseFunded

PURSE_CENTS_MAX: Final = 50_000_00
"""What one funding may put into a purse: it bounds what one stolen signature can give away."""
SOURCES: Final = re.compile(r"benefits:[A-Z0-9]{2,20}:fund")
"""A programme's fund, which cannot be overdrawn. What is left when the purse expires returns there."""

_NO_WALLET = Rejected(Reason.UNKNOWN_WALLET, "There is no such wallet. Look the resident up again.")
_CLOSED = Rejected(Reason.ACCOUNT_CLOSED, "This wallet is closed: nothing can be put into it.")
_OVER = Rejected(Reason.NOT_PERMITTED, "The purse's time would be over already. Choose a later end.")
_TOO_MUCH = Rejected(Reason.WRONG_AMOUNT, "One funding of a purse is at most PHP 50,000.")
_TAKEN = Rejected(
    Reason.ALREADY_DONE, "A purse of this name has another purpose, end or source. Choose another name for this one."
)


class PurseFunding:
    """The treasurer puts a programme's money into a resident's purse, which opens when it is first funded."""

    body: ClassVar[type[PurseFunded]] = PurseFunded
    purposes: ClassVar[frozenset[Purpose]] = frozenset({Purpose.STAFF})
    device_kinds: ClassVar[frozenset[str]] = frozenset({"portal"})
    roles: ClassVar[frozenset[str]] = frozenset({"treasurer"})

    def subject(self, item: Item, /) -> tuple[UUID, str]:
        body = item.says(PurseFunded)
        return body.wallet_id, body.name

    def plan(self, session: Session, items: Sequence[Item], now: datetime, /) -> list[Plan | Rejected]:
        bodies = [item.says(PurseFunded) for item in items]
        found = wallets.by_ids(session, [body.wallet_id for body in bodies])
        purses = wallets.purse_accounts(session, list(found))
        funds = ledger.known_accounts(session, [body.source for body in bodies])
        plans: list[Plan | Rejected] = []
        for item, body in zip(items, bodies, strict=True):
            wallet = found.get(body.wallet_id)
            if wallet is None or not wallet.is_open:
                plans.append(_NO_WALLET if wallet is None else _CLOSED)
                continue
            refusal = _wrong(item, body, now, fund=body.source in funds)
            plans.append(refusal or _fund(item, body, purses[wallet.id]))
        return plans

    def settle(self, session: Session, done: Sequence[tuple[Item, ledger.Posted]], now: datetime, /) -> None:
        """The entry is all there is to it."""


def _wrong(item: Item, body: PurseFunded, now: datetime, *, fund: bool) -> Rejected | None:
    if body.staff_id != signer(item):
        return NOT_THE_SIGNER
    if not SOURCES.fullmatch(body.source) or not fund:
        return Rejected(Reason.UNKNOWN_REFERENCE, f"Purses are not funded from {body.source}. Use a programme's fund.")
    if body.currency != CURRENCY:
        return OTHER_CURRENCY
    if body.amount_cents > PURSE_CENTS_MAX:
        return _TOO_MUCH
    return _OVER if body.expires_at_ms and from_ms(body.expires_at_ms) <= now else None


def _fund(item: Item, body: PurseFunded, present: Sequence[ledger.PurseAccount]) -> Plan | Rejected:
    expires_at = from_ms(body.expires_at_ms) if body.expires_at_ms else None
    returns_to = None if expires_at is None else body.source
    purse = ledger.Purse(ledger_purpose(body.purpose), expires_at, body.priority, returns_to)
    spec = wallets.purse_spec(body.wallet_id, body.name, purse)
    if any(account.code == spec.code and account.purse != purse for account in present):
        return _TAKEN
    lines = ledger.Line(body.source, body.amount_cents), ledger.Line(spec.code, -body.amount_cents)
    entry = draft(item, ledger.EntryKind.PURSE_FUNDED, "purses/fund/1", body.currency, *lines)
    return Plan(entry, body.amount_cents, opens=(spec,))


class PurseExpiring:
    """The service returns what is left of a purse to where it came from."""

    body: ClassVar[type[PurseExpired]] = PurseExpired
    purposes: ClassVar[frozenset[Purpose]] = frozenset({Purpose.SERVICE})
    device_kinds: ClassVar[frozenset[str]] = frozenset({"portal"})
    roles: ClassVar[frozenset[str]] = frozenset()

    def subject(self, item: Item, /) -> tuple[UUID, str]:
        body = item.says(PurseExpired)
        return body.wallet_id, body.name

    def plan(self, session: Session, items: Sequence[Item], now: datetime, /) -> list[Plan | Rejected]:
        purses = wallets.purse_accounts(session, [item.says(PurseExpired).wallet_id for item in items])
        plans: list[Plan | Rejected] = []
        for item in items:
            body = item.says(PurseExpired)
            account = next((one for one in purses[body.wallet_id] if one.name == body.name), None)
            if account is None:
                plans.append(Rejected(Reason.UNKNOWN_REFERENCE, "There is no such purse."))
            elif account.purse.expires_at is None or now < account.purse.expires_at:
                plans.append(Rejected(Reason.NOT_PERMITTED, "The purse's time is not over."))
            elif body.amount_cents != account.balance_cents:
                plans.append(Rejected(Reason.WRONG_AMOUNT, f"{account.balance_cents} cents are left in the purse."))
            else:
                plans.append(_return(item, body, account))
        return plans

    def settle(self, session: Session, done: Sequence[tuple[Item, ledger.Posted]], now: datetime, /) -> None:
        """The entry is all there is to it."""


def _return(item: Item, body: PurseExpired, account: ledger.PurseAccount) -> Plan:
    assert account.purse.returns_to is not None
    lines = ledger.Line(account.code, body.amount_cents), ledger.Line(account.purse.returns_to, -body.amount_cents)
    entry = draft(item, ledger.EntryKind.PURSE_EXPIRED, "purses/expire/1", body.currency, *lines)
    return Plan(entry, body.amount_cents)
