"""The trial balance, and down from each total: the account's statement, the entry, who signed for it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from flask import Response, render_template, request, url_for
from flask_babel import get_locale

from cardsvc import ledger, web
from cardsvc.access import guard
from cardsvc.clock import business_date
from cardsvc.finance.pages.asking import READERS, asked_basis, asked_day, asked_fund, pages

LINES_SHOWN: Final = 100
_SEQ_DIGITS: Final = 18


@dataclass(frozen=True, slots=True)
class FundTable:
    """A fund's lines and totals; the two are equal, or the books are wrong."""

    fund: ledger.Fund
    lines: tuple[ledger.TrialBalanceLine, ...]
    debit_cents: int
    credit_cents: int


@pages.route("/finance/trial-balance")
@guard.requires(*READERS)
def trial_balance() -> str:
    """Debits and credits by fund: now, on a day, or at a place of the log."""
    session = web.session()
    day, at, by_account, fund = asked_day("on"), _asked_place(), _asked_by_account(), asked_fund()
    balance = ledger.trial_balance(session, by_account=by_account, fund=fund, at=at, booked_by=day)
    tables = [_table(one, balance) for one in ledger.Fund]
    return render_template(
        "finance/trial.html",
        day=day,
        today=business_date(web.now()),
        at=at,
        fund=fund,
        by_account=by_account,
        difference_cents=balance.difference_cents,
        tables=[table for table in tables if table.lines],
        titles=ledger.titles(session, {line.code for line in balance.lines}, str(get_locale())),
        last_seq=ledger.last_place(session),
        csv_url=url_for("finance_pages.trial_balance_csv", **_again(request.args.to_dict())),
    )


@pages.route("/finance/trial-balance.csv")
@guard.requires(*READERS)
def trial_balance_csv() -> Response:
    """The same as a file, with the day or the place in its name."""
    day, at, fund = asked_day("on"), _asked_place(), asked_fund()
    balance = ledger.trial_balance(web.session(), by_account=_asked_by_account(), fund=fund, at=at, booked_by=day)
    when = f"at-{at}" if at is not None else (day or business_date(web.now())).isoformat()
    name = f"trial-balance-{fund.value if fund else 'all'}-{when}.csv"
    return Response(
        "".join(ledger.trial_balance_csv(balance)),
        content_type="text/csv; charset=utf-8; header=present",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


@pages.route("/finance/accounts/<path:code>")
@guard.requires(*READERS)
def account(code: str) -> str:
    """An account's statement, newest first: of some days, or all of it."""
    first, last = asked_day("from"), asked_day("to")
    span = None if first is None and last is None else ledger.Span(first, last, asked_basis())
    after = request.args.get("after") or None
    page = ledger.statement(web.session(), code, span=span, after=after, limit=LINES_SHOWN, newest_first=True)
    kept = _again(request.args.to_dict())
    next_url = url_for("finance_pages.account", code=code, **{**kept, "after": page.next}) if page.next else ""
    return render_template(
        "finance/account.html",
        code=code,
        page=page,
        first=first,
        last=last,
        by=asked_basis(),
        next_url=next_url,
    )


@pages.route("/finance/accounts")
@guard.requires(*READERS)
def accounts() -> str:
    """The accounts behind a control account, with their balances."""
    control = request.args.get("control", "")
    day, at = asked_day("on"), _asked_place()
    balance = ledger.trial_balance(web.session(), by_account=True, at=at, booked_by=day)
    lines = [line for line in balance.lines if ledger.control_code(line.code) == control and line.accounts]
    return render_template("finance/accounts.html", control=control, lines=_first(lines), count=len(lines))


@pages.route("/finance/entries/<uuid:entry_id>")
@guard.requires(*READERS)
def entry(entry_id: UUID) -> str:
    """One entry: its lines, its dates, what it says, and the way to its receipt."""
    session = web.session()
    found = ledger.entry(session, entry_id)
    back = ledger.reversal_of(session, entry_id)
    return render_template(
        "finance/entry.html",
        entry=found,
        booked_on=found.booked_on or business_date(found.recorded_at),
        reversed_by=None if back is None else back.entry_id,
        receipt_url=url_for("receipt_pages.show", record_id=entry_id) if found.seq >= 0 else "",
    )


def _table(fund: ledger.Fund, balance: ledger.TrialBalance) -> FundTable:
    lines = tuple(line for line in balance.lines if line.fund is fund)
    return FundTable(fund, lines, sum(line.debit_cents for line in lines), sum(line.credit_cents for line in lines))


def _first(lines: Sequence[ledger.TrialBalanceLine]) -> Sequence[ledger.TrialBalanceLine]:
    """The largest ones: a page of three hundred thousand wallets is read by nobody."""
    return sorted(lines, key=lambda line: -(line.debit_cents + line.credit_cents))[:LINES_SHOWN]


def _asked_place() -> int | None:
    text = request.args.get("at", "")
    return int(text) if text.isdecimal() and text.isascii() and len(text) <= _SEQ_DIGITS else None


def _asked_by_account() -> bool:
    return request.args.get("accounts") == "each"


def _again(args: dict[str, str]) -> dict[str, Any]:
    return {name: value for name, value in args.items() if name in ("on", "at", "fund", "accounts", "from", "to", "by")}
