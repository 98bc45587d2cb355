"""Money is set aside for somebody, taken in parts, given back."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import ClassVar, Final
from uuid import UUID

from sqlalchemy.orm import Session

from cardsvc import ledger, transactions, wallets
from cardsvc.db import from_ms
from cardsvc.finance import rules
from cardsvc.finance.handler.common import NOT_THE_SIGNER, OTHER_CURRENCY, signer
from cardsvc.finance.rules.vouchers import REVERSAL_ALONE_CENTS_MAX
from cardsvc.money import CURRENCY
from cardsvc.transactions import Item, Plan, Reason, Rejected
from crypto.wire import wallets as wire
from crypto.wire.transaction import Purpose
from crypto.wire.wallets import HoldCaptured, HoldPlaced, HoldReleased

PLACERS: Final = frozenset({"finance", "treasurer"})
"""Who sets a resident's money aside without the resident's card: with a reason, and for a time."""
LONGEST: Final = timedelta(days=366)

_NO_WALLET = Rejected(Reason.UNKNOWN_WALLET, "There is no such wallet. Look the resident up again.")
_CLOSED = Rejected(Reason.ACCOUNT_CLOSED, "This wallet is closed: nothing can be set aside in it.")
_OTHERS_WALLET = Rejected(Reason.NOT_PERMITTED, "The card that signed is not of this wallet's holder.")
_NO_HOLD = Rejected(Reason.UNKNOWN_REFERENCE, "There is no such hold. Look at the wallet's holds again.")
_ENDED = Rejected(Reason.HOLD_ENDED, "This hold has ended: nothing is held any more.")
_NOT_THEIRS = Rejected(Reason.NOT_PERMITTED, "Only staff of the beneficiary may do this.")
_BAD_LIMIT = Rejected(Reason.WRONG_AMOUNT, "The most that may be taken is not less than what is held.")
_STAFF_LIMIT = Rejected(
    Reason.NOT_PERMITTED, "What staff set aside is all that may be taken of it: only the holder agrees to more."
)
_SAME_PERSON = Rejected(
    Reason.NOT_PERMITTED, "Who set this sum aside may not take it too: another member of staff takes it."
)
_BAD_END = Rejected(
    Reason.NOT_PERMITTED,
    f"Choose an end of the hold within the next {LONGEST.days} days; staff must choose one.",
)


def ledger_purpose(word: str) -> str:
    """A purpose of the wire in the ledger's words."""
    return wallets.ANY if word == wire.ANY else word


def _act(item: Item, rule: str) -> ledger.holds.Act:
    return ledger.holds.Act(item.record.record_id, item.happened_at, rule, CURRENCY)


class HoldPlacing:
    """The holder agrees with card and PIN, or staff say why: money is set aside, in the order of spending."""

    body: ClassVar[type[HoldPlaced]] = HoldPlaced
    purposes: ClassVar[frozenset[Purpose]] = frozenset({Purpose.CONSENT, Purpose.STAFF})
    device_kinds: ClassVar[frozenset[str]] = frozenset({"kiosk", "counter", "portal"})
    roles: ClassVar[frozenset[str]] = frozenset()  # a holder has none; `_who` looks at those of staff

    def subject(self, _item: Item, /) -> None:
        """Holds do not compete but for the money, and the ledger sees to that."""

    def plan(self, session: Session, items: Sequence[Item], now: datetime, /) -> list[Plan | Rejected]:
        bodies = [item.says(HoldPlaced) for item in items]
        found = wallets.by_ids(session, [body.wallet_id for body in bodies])
        purses = wallets.purse_accounts(session, list(found))
        accounts = ledger.known_accounts(session, [body.beneficiary for body in bodies])
        plans: list[Plan | Rejected] = []
        for item, body in zip(items, bodies, strict=True):
            wallet = found.get(body.wallet_id)
            if wallet is None:
                plans.append(_NO_WALLET)
                continue
            known = body.beneficiary in accounts
            refusal = _who(item, body, wallet) or _for_whom(body, known=known) or _terms(item, body, now)
            plans.append(refusal or _place(item, body, purses[wallet.id]))
        return plans

    def settle(self, session: Session, done: Sequence[tuple[Item, ledger.Posted]], now: datetime, /) -> None:
        """The entry is all there is to it; the ledger keeps the hold."""


def _who(item: Item, body: HoldPlaced, wallet: wallets.Wallet) -> Rejected | None:
    if body.staff_id != signer(item):
        return NOT_THE_SIGNER
    if item.staff is not None and not item.staff.roles & PLACERS:
        return Rejected(Reason.NOT_PERMITTED, f"Only {' or '.join(sorted(PLACERS))} staff may set money aside.")
    if item.staff is None and item.resident_id != wallet.resident_id:
        return _OTHERS_WALLET
    return None if wallet.is_open else _CLOSED


def _for_whom(body: HoldPlaced, *, known: bool) -> Rejected | None:
    beneficiary = rules.beneficiary(body.beneficiary)
    if beneficiary is None or not known:
        return Rejected(Reason.UNKNOWN_REFERENCE, f"Money cannot be held for {body.beneficiary}. Choose a beneficiary.")
    if not beneficiary.takes(body.purpose):
        return Rejected(Reason.NOT_PERMITTED, f"Money for {body.purpose} cannot be held for {body.beneficiary}.")
    return None


def _terms(item: Item, body: HoldPlaced, now: datetime) -> Rejected | None:
    if body.currency != CURRENCY:
        return OTHER_CURRENCY
    if 0 < body.limit_cents < body.amount_cents:
        return _BAD_LIMIT
    if item.staff is not None and body.limit_cents > body.amount_cents:
        return _STAFF_LIMIT
    if not body.expires_at_ms:
        return None if item.staff is None else _BAD_END
    return None if now < from_ms(body.expires_at_ms) <= now + LONGEST else _BAD_END


def _place(item: Item, body: HoldPlaced, purses: Sequence[ledger.PurseAccount]) -> Plan:
    purpose = ledger_purpose(body.purpose)
    until = from_ms(body.expires_at_ms) if body.expires_at_ms else None
    terms = ledger.holds.Terms(body.beneficiary, purpose, body.limit_cents or body.amount_cents, until)
    draft = ledger.holds.place(
        _act(item, "holds/place/1"),
        terms,
        held=wallets.held_account(body.wallet_id),
        sources=wallets.sources(body.wallet_id, purses, purpose, item.happened_at),
        amount_cents=body.amount_cents,
    )
    return Plan(draft, body.amount_cents, opens=(wallets.held_spec(body.wallet_id),))


class HoldCapturing:
    """Staff of the beneficiary take what is due to it."""

    body: ClassVar[type[HoldCaptured]] = HoldCaptured
    purposes: ClassVar[frozenset[Purpose]] = frozenset({Purpose.STAFF})
    device_kinds: ClassVar[frozenset[str]] = frozenset({"portal", "counter"})
    roles: ClassVar[frozenset[str]] = rules.BENEFICIARIES_ROLES

    def subject(self, item: Item, /) -> UUID:
        return item.says(HoldCaptured).hold_id

    def plan(self, session: Session, items: Sequence[Item], now: datetime, /) -> list[Plan | Rejected]:
        known = ledger.known_holds(session, [item.says(HoldCaptured).hold_id for item in items], now)
        parts = ledger.hold_parts(session, known.values())
        wallet_of = {hold.hold_id: wallets.wallet_of_account(hold.account) for hold in known.values()}
        purses = wallets.purse_accounts(session, list(wallet_of.values()))
        placed = transactions.stored_many(session, list(known))
        plans: list[Plan | Rejected] = []
        for item in items:
            body = item.says(HoldCaptured)
            hold = known.get(body.hold_id)
            refusal = _NO_HOLD if hold is None else _may_end(item, hold, body.staff_id, body.currency)
            by = placed[body.hold_id].staff_id if body.hold_id in placed else None
            if by is not None and by == body.staff_id and body.amount_cents > REVERSAL_ALONE_CENTS_MAX:
                refusal = refusal or _SAME_PERSON
            if hold is None or refusal is not None:
                plans.append(refusal or _NO_HOLD)
                continue
            wallet_id = wallet_of[hold.hold_id]
            draft = ledger.holds.capture(
                _act(item, "holds/capture/1"),
                hold,
                parts[hold.hold_id],
                amount_cents=body.amount_cents,
                final=body.final,
                sources=wallets.sources(wallet_id, purses[wallet_id], hold.terms.purpose, item.happened_at),
            )
            plans.append(Plan(draft, body.amount_cents))
        return plans

    def settle(self, session: Session, done: Sequence[tuple[Item, ledger.Posted]], now: datetime, /) -> None:
        """The entry is all there is to it; the ledger keeps the hold."""


def _may_end(item: Item, hold: ledger.KnownHold, staff_id: UUID | None, currency: str) -> Rejected | None:
    """Whether who signed may take from the hold or give it back."""
    beneficiary = rules.beneficiary(hold.terms.beneficiary)
    if staff_id != signer(item):
        return NOT_THE_SIGNER
    if item.staff is not None and (beneficiary is None or not item.staff.roles & beneficiary.roles):
        return _NOT_THEIRS
    if currency != CURRENCY:
        return OTHER_CURRENCY
    return _ENDED if hold.ended else None


class HoldReleasing:
    """Staff of the beneficiary give a hold back; when its time is over the service does."""

    body: ClassVar[type[HoldReleased]] = HoldReleased
    purposes: ClassVar[frozenset[Purpose]] = frozenset({Purpose.STAFF, Purpose.SERVICE})
    device_kinds: ClassVar[frozenset[str]] = frozenset({"portal", "counter"})
    roles: ClassVar[frozenset[str]] = frozenset()  # the service has none; `_may_end` looks at those of staff

    def subject(self, item: Item, /) -> UUID:
        return item.says(HoldReleased).hold_id

    def plan(self, session: Session, items: Sequence[Item], now: datetime, /) -> list[Plan | Rejected]:
        known = ledger.known_holds(session, [item.says(HoldReleased).hold_id for item in items], now)
        parts = ledger.hold_parts(session, known.values())
        plans: list[Plan | Rejected] = []
        for item in items:
            body = item.says(HoldReleased)
            hold = known.get(body.hold_id)
            if hold is None:
                plans.append(_NO_HOLD)
                continue
            refusal = _may_end(item, hold, body.staff_id, body.currency) or _whole(item, hold, body)
            rule = "holds/expire/1" if item.staff is None else "holds/release/1"
            plans.append(
                refusal or Plan(ledger.holds.release(_act(item, rule), hold, parts[hold.hold_id]), body.amount_cents)
            )
        return plans

    def settle(self, session: Session, done: Sequence[tuple[Item, ledger.Posted]], now: datetime, /) -> None:
        """The entry is all there is to it; the ledger keeps the hold."""


def _whole(item: Item, hold: ledger.KnownHold, body: HoldReleased) -> Rejected | None:
    if item.staff is None and not hold.over:
        return Rejected(Reason.NOT_PERMITTED, "The hold's time is not over.")
    if body.amount_cents != hold.left_cents:
        return Rejected(Reason.WRONG_AMOUNT, f"{hold.left_cents} cents are left of the hold: all of it goes back.")
    return None
