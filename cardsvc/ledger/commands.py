"""The books from the command line."""

import dataclasses
import json
import sys
from collections.abc import Callable
from datetime import datetime
from typing import TextIO

import click

from cardsvc import db, web
from cardsvc.ledger import queries
from cardsvc.ledger.rules import Fund, Span
from cardsvc.ledger.rules.foreign import Tool
from cardsvc.ledger.rules.periods import last_day
from cardsvc.money import show

_DAY = click.DateTime(["%Y-%m-%d"])


@click.group()
def ledger() -> None:
    """The books: trial balance, export."""


@ledger.command("trial-balance")
@click.option("--by-account", is_flag=True, help="Every account by itself, not the many of a kind together.")
@click.option("--fund", type=click.Choice([fund.value for fund in Fund]), help="Only this fund.")
@click.option("--at", type=int, help="After this place of the log; without it, now.")
@click.option("--on", "booked_by", type=_DAY, help="Of everything booked on this day or earlier.")
@click.option("--from-entries", is_flag=True, help="Sum every posting anew instead of taking kept balances.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_obj
def trial_balance(
    open_city: Callable[[], web.City],
    by_account: bool,
    fund: str | None,
    at: int | None,
    booked_by: datetime | None,
    from_entries: bool,
    as_json: bool,
) -> None:
    """Every account's debit or credit balance, by fund; exit 0 only when they sum to zero."""
    if at is not None and booked_by is not None:
        raise click.UsageError("Give --at or --on, not both.")
    balance = db.run(
        open_city().engine,
        lambda session: queries.trial_balance(
            session,
            by_account=by_account,
            fund=None if fund is None else Fund(fund),
            at=at,
            booked_by=None if booked_by is None else booked_by.date(),
            from_entries=from_entries,
        ),
        read_only=True,
    )
    if as_json:
        click.echo(json.dumps(dataclasses.asdict(balance), default=str))
    else:
        for line in balance.lines:
            debit = show(line.debit_cents) if line.debit_cents else ""
            credit = show(line.credit_cents) if line.credit_cents else ""
            click.echo(f"{line.code:<48} {line.fund:<8} {debit:>20} {credit:>20}")
        click.echo(f"difference: {show(balance.difference_cents)}")
    sys.exit(1 if balance.difference_cents else 0)


@ledger.command()
@click.argument("tool", type=click.Choice([*(tool.value for tool in Tool), "csv"]))
@click.option("--month", help="Only this month of books: YYYY-MM.")
@click.option("--from", "first", type=_DAY, help="Only from this accounting date on.")
@click.option("--to", "last", type=_DAY, help="Only up to this accounting date.")
@click.option("--fund", type=click.Choice([fund.value for fund in Fund]), help="Only this fund's lines.")
@click.option("--out", type=click.File("w", encoding="utf-8", lazy=True), default="-", help="A file; standard output.")
@click.pass_obj
def export(
    open_city: Callable[[], web.City],
    tool: str,
    month: str | None,
    first: datetime | None,
    last: datetime | None,
    fund: str | None,
    out: TextIO,
) -> None:
    """Write the journal in the words of another program, or as CSV, by accounting date."""
    chosen = None if fund is None else Fund(fund)
    span = _span(month, first, last)
    with db.unit_of_work(open_city().engine, read_only=True) as session:
        if tool == "csv":
            pages = queries.csv_journal(session, span=span, fund=chosen)
        else:
            pages = queries.journal(session, Tool(tool), span=span, fund=chosen)
        out.writelines(pages)


def _span(month: str | None, first: datetime | None, last: datetime | None) -> Span | None:
    if month is not None and (first is not None or last is not None):
        raise click.UsageError("Give --month, or --from and --to, not both.")
    if month is not None:
        end = last_day(month)
        return Span(end.replace(day=1), end)
    if first is None and last is None:
        return None
    return Span(None if first is None else first.date(), None if last is None else last.date())
