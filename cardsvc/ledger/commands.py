"""The books from the command line."""

import dataclasses
import json
import sys
from collections.abc import Callable

import click

from cardsvc import db, web
from cardsvc.ledger import queries
from cardsvc.money import show


@click.group()
def ledger() -> None:
    """The books: trial balance, export."""


@ledger.command("trial-balance")
@click.option("--by-account", is_flag=True, help="Every account by itself, not the many of a kind together.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_obj
def trial_balance(open_city: Callable[[], web.City], by_account: bool, as_json: bool) -> None:
    """Every account's debit or credit balance; exit 0 only when they sum to zero."""
    balance = db.run(
        open_city().engine, lambda session: queries.trial_balance(session, by_account=by_account), read_only=True
    )
    if as_json:
        click.echo(json.dumps(dataclasses.asdict(balance)))
    else:
        for line in balance.lines:
            debit = show(line.debit_cents) if line.debit_cents else ""
            credit = show(line.credit_cents) if line.credit_cents else ""
            click.echo(f"{line.code:<48} {line.fund:<8} {debit:>20} {credit:>20}")
        click.echo(f"difference: {show(balance.difference_cents)}")
    sys.exit(1 if balance.difference_cents else 0)


@ledger.group()
def export() -> None:
    """The journal in the words of other programs."""


@export.command()
@click.pass_obj
def hledger(open_city: Callable[[], web.City]) -> None:
    """Write the whole journal for hledger to standard output."""
    with db.unit_of_work(open_city().engine, read_only=True) as session:
        for text in queries.hledger_journal(session):
            click.echo(text, nl=False)
