"""Asserting a balance: somebody signs off what an account held at the end of a day, from a statement or a count."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from cardsvc.db import to_ms
from cardsvc.ledger.actions.accounts import lock
from cardsvc.ledger.models import AssertionWithdrawal, BalanceAssertion
from cardsvc.ledger.queries.asserting import AssertionView, assertion, balance_on
from cardsvc.ledger.rules import day_of_books
from cardsvc.ledger.rules.errors import AssertionWithdrawn, InvalidAssertion, KeyReused, UnknownAssertion
from cardsvc.money import AMOUNT_MAX
from crypto.wire.ids import uuid7

SETTLING = timedelta(hours=1)
"""How long after its end a day can be asserted: what was on its way at midnight is in the books by then."""


def assert_balance(
    session: Session,
    code: str,
    day: date,
    balance_cents: int,
    *,
    document: str,
    by: UUID,
    now: datetime,
    random_bytes: Callable[[int], bytes],
    key: UUID | None = None,
) -> AssertionView:
    """Keep that the account held `balance_cents` (natural) at the end of the day, and whether the books agree.

    Kept either way: a balance that did not hold is what somebody must look at. One that held is not changed any more.
    Asked again under its `key`, which becomes its id, the same is told again.
    Raises: UnknownAccount; InvalidAssertion for a day that is not over, or a document without words; KeyReused.
    """
    lock(session)
    before = None if key is None else assertion(session, key)
    if before is not None:
        said = before.account_code, before.day, before.asserted_cents, before.document, before.asserted_by
        if said != (code, day, balance_cents, document, by):
            raise KeyReused
        return before
    if day >= date.max or now < day_of_books(day)[1] + SETTLING:
        raise InvalidAssertion(f"{day} can be asserted an hour after it is over: until then it may still change")
    if not document.strip() or len(document) > _DOCUMENT_LETTERS or not document.isprintable():
        raise InvalidAssertion("Name the bank statement or the count that says so, in a line")
    if not -AMOUNT_MAX <= balance_cents <= AMOUNT_MAX:
        raise InvalidAssertion("The balance does not fit in 64 bits")
    found_cents = balance_on(session, code, day)
    assertion_id = key or uuid7(to_ms(now), random_bytes(10))
    session.execute(
        sa.insert(BalanceAssertion).values(
            id=assertion_id,
            account_code=code,
            day=day,
            asserted_cents=balance_cents,
            found_cents=found_cents,
            held=found_cents == balance_cents,
            document=document,
            asserted_by=by,
            asserted_at=now,
        )
    )
    return _found(session, assertion_id)


_DOCUMENT_LETTERS = 200


def withdraw_assertion(
    session: Session, assertion_id: UUID, *, reason: str, by: UUID, now: datetime, key: UUID | None = None
) -> AssertionView:
    """Let the balance be changed again. The assertion is kept, with who withdrew it and why. Asked again under its
    `key`, the same is told again.

    Raises: UnknownAssertion, AssertionWithdrawn, InvalidAssertion without a reason, KeyReused.
    """
    lock(session)
    found = assertion(session, assertion_id)
    if found is None:
        raise UnknownAssertion
    asked = sa.select(AssertionWithdrawal).where(AssertionWithdrawal.request_id == key)
    before = None if key is None else session.scalar(asked)
    if before is not None:
        if (before.assertion_id, before.reason, before.withdrawn_by) != (assertion_id, reason, by):
            raise KeyReused
        return found
    if found.withdrawn_at is not None:
        raise AssertionWithdrawn
    if not reason.strip() or len(reason) > _DOCUMENT_LETTERS or not reason.isprintable():
        raise InvalidAssertion("Say in a line why it is withdrawn")
    row = {"assertion_id": assertion_id, "reason": reason, "withdrawn_by": by, "withdrawn_at": now}
    session.execute(sa.insert(AssertionWithdrawal).values(**row, request_id=key))
    return _found(session, assertion_id)


def _found(session: Session, assertion_id: UUID) -> AssertionView:
    found = assertion(session, assertion_id)
    assert found is not None
    return found
