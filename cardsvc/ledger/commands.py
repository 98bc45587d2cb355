"""The books from the command line."""

import dataclasses
import json
import sys
from collections.abc import Callable
from datetime import datetime
from typing import TextIO
from uuid import UUID

import click
from sqlalchemy.orm import Session

from cardsvc import access, db, web
from cardsvc.ledger import queries
from cardsvc.ledger.actions import chart as adopting
from cardsvc.ledger.actions import importing
from cardsvc.ledger.actions import periods as closing
from cardsvc.ledger.actions.chart import CHART, FINANCE
from cardsvc.ledger.queries import asserting as asserted
from cardsvc.ledger.queries import chart as charts
from cardsvc.ledger.queries import periods
from cardsvc.ledger.queries.moving import whole_books
from cardsvc.ledger.rules import Fund, Span, city_date
from cardsvc.ledger.rules.errors import NoChart
from cardsvc.ledger.rules.foreign import Tool
from cardsvc.ledger.rules.periods import last_day
from cardsvc.ledger.schemas import AssertionsSchema, ChartSchema, PeriodsSchema
from cardsvc.money import show
from crypto.wire.ids import uuid7

_DAY = click.DateTime(["%Y-%m-%d"])


@click.group()
def ledger() -> None:
    """The books: trial balance, export, chart of accounts, months, balances signed off."""


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
@click.argument("tool", type=click.Choice([*(tool.value for tool in Tool), "csv", "books"]))
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
    """Write the journal in the words of another program, or as CSV, by accounting date.

    `books` is everything the ledger keeps, in the form that `ledger import` takes in elsewhere.
    """
    if tool == "books" and (month or first or last or fund):
        raise click.UsageError("The books are written whole: without month, days or fund.")
    chosen = None if fund is None else Fund(fund)
    span = _span(month, first, last)
    with db.unit_of_work(open_city().engine, read_only=True) as session:
        if tool == "books":
            pages = whole_books(session)
        elif tool == "csv":
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


# ------------------------------------------------------------------------------------------------- chart of accounts


@ledger.group()
def chart() -> None:
    """The chart of accounts: which accounts there can be, by version."""


@chart.command("show")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_obj
def show_chart(open_city: Callable[[], web.City], as_json: bool) -> None:
    """Print the chart in force as a document that can be changed and adopted, and its versions on standard error."""
    with db.unit_of_work(open_city().engine, read_only=True) as session:
        versions = charts.history(session)
    if not versions:
        raise NoChart
    if as_json:
        click.echo(json.dumps(ChartSchema().dump({"document": versions[0].document, "versions": versions})))
        return
    click.echo(versions[0].document, nl=False)
    for version in versions:
        who = f"by two (action {version.action_id})" if version.action_id else "with the software"
        click.echo(f"version {version.number}, adopted {version.adopted_at:%Y-%m-%d %H:%M} UTC {who}", err=True)


@chart.command("check")
@click.argument("file", type=click.File("r", encoding="utf-8"))
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_obj
def check_chart(open_city: Callable[[], web.City], file: TextIO, as_json: bool) -> None:
    """What adopting the chart in FILE would change; exit 0 only when it could be adopted."""
    text = file.read()
    found = db.run(open_city().engine, lambda session: adopting.check_chart(session, text), read_only=True)
    click.echo(json.dumps(dataclasses.asdict(found)) if as_json else f"Adopting it would {found}.")


_BY = click.option("--by", "first", required=True, help="User name of who proposes it (finance or treasurer).")
_SECOND = click.option("--second", required=True, help="User name of who signs it, too: another person.")
_JSON = click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")


@chart.command("adopt")
@click.argument("file", type=click.File("r", encoding="utf-8"))
@_BY
@_SECOND
@_JSON
@click.pass_obj
def adopt_chart(open_city: Callable[[], web.City], file: TextIO, first: str, second: str, as_json: bool) -> None:
    """Adopt the chart in FILE. Two people sign, each with the password. It may add, retitle, retire; it never changes
    what a pattern is that has accounts.
    """
    city, text = open_city(), file.read()

    def propose(session: Session, by: UUID, now: datetime) -> access.ActionView:
        return adopting.propose_chart(session, text, by=by, now=now, random_bytes=city.random_bytes)

    _say(sign_by_two(city, CHART, propose, (first, second)), as_json)


# ------------------------------------------------------------------------------------------------------------- months


def make(around: closing.Surroundings, log_size: Callable[[Session], int] = lambda _session: 0) -> click.Group:
    """The whole group. `around` is what closing a month must know of other rooms, `log_size` how long the log is."""
    close, reopen = closing.handlers(around)

    @ledger.group("period")
    def period() -> None:
        """Months of books: open, soft closed (adjustments only), closed."""

    period.add_command(list_periods)
    period.add_command(soft_close)

    @period.command("close")
    @click.argument("month")
    @_BY
    @_SECOND
    @_JSON
    @click.pass_obj
    def close_month(open_city: Callable[[], web.City], month: str, first: str, second: str, as_json: bool) -> None:
        """Close MONTH (YYYY-MM) and seal its trial balance: nothing is booked into it any more. Two people sign, each
        with the password. What stands against it is said at once.
        """
        _say(_sign_month(open_city(), close, {"month": month}, (first, second)), as_json)

    @period.command("reopen")
    @click.argument("month")
    @click.option("--reason", required=True, help="Why, for whoever looks later.")
    @_BY
    @_SECOND
    @_JSON
    @click.pass_obj
    def reopen_month(
        open_city: Callable[[], web.City], month: str, reason: str, first: str, second: str, as_json: bool
    ) -> None:
        """Reopen the last closed MONTH one step: for adjustments, then to everything. Two people sign."""
        _say(_sign_month(open_city(), reopen, {"month": month, "reason": reason}, (first, second)), as_json)

    @ledger.command("import")
    @click.argument("file", type=click.File("r", encoding="utf-8"))
    @click.option("--by", required=True, help="User name of the treasurer who takes the books in and signs for it.")
    @click.option("--dry-run", is_flag=True, help="Say what would be taken in, or what is wrong; take nothing.")
    @_JSON
    @click.pass_obj
    def import_(open_city: Callable[[], web.City], file: TextIO, by: str, dry_run: bool, as_json: bool) -> None:
        """Take in whole books (`ledger export books`) into a city that has none. They stay marked as imported, for
        nothing here proves them. The same text again changes nothing.
        """
        _import(open_city(), file.readlines(), by, log_size, dry_run=dry_run, as_json=as_json)

    return ledger


def _import(
    city: web.City, lines: list[str], by: str, log_size: Callable[[Session], int], *, dry_run: bool, as_json: bool
) -> None:
    password, now = click.prompt(f"Password of {by}", hide_input=True, err=True), city.clock.now()

    def work(session: Session) -> importing.Taken:
        member = access.find_staff(session, by)
        access.check_own_password(session, member.id, password, now)
        if access.Role.TREASURER not in member.roles:
            raise access.NotYourAction(frozenset({access.Role.TREASURER}))
        return importing.import_books(
            session,
            lines,
            log_size=log_size(session),
            by=member.id,
            sign=lambda statement: access.sign_action_as(session, member.id, password, statement),
            action_id=uuid7(db.to_ms(now), city.random_bytes(10)),
            now=now,
            dry_run=dry_run,
        )

    taken = db.run(city.engine, work)
    if as_json:
        said = {"accounts": taken.accounts, "entries": taken.entries, "again": taken.again, "dry_run": dry_run}
        click.echo(json.dumps({"content_hash": taken.content_hash.hex(), **said}))
        return
    how = "were here already" if taken.again else "would be taken in" if dry_run else "were taken in, not proved"
    click.echo(f"{taken.entries:,} entries in {taken.accounts:,} accounts {how}.")


@click.command("list")
@_JSON
@click.pass_obj
def list_periods(open_city: Callable[[], web.City], as_json: bool) -> None:
    """Every month of books with its state, the newest first."""
    city = open_city()
    today = city_date(city.clock.now())
    months = db.run(city.engine, lambda session: periods.periods(session, today), read_only=True)
    if as_json:
        click.echo(json.dumps(PeriodsSchema().dump({"periods": months})))
        return
    for month in months:
        done = ", ".join(f"{event.verb} {event.done_at:%Y-%m-%d}" for event in month.events)
        click.echo(f"{month.month}  {month.state:<12}  {done}".rstrip())


@click.command("soft-close")
@click.argument("month")
@click.option("--by", required=True, help="User name of who does it (finance or treasurer).")
@_JSON
@click.pass_obj
def soft_close(open_city: Callable[[], web.City], month: str, by: str, as_json: bool) -> None:
    """Let MONTH (YYYY-MM) take adjustments only. One officer is enough, with the password."""
    city = open_city()
    password, now = click.prompt(f"Password of {by}", hide_input=True, err=True), city.clock.now()

    def work(session: Session) -> None:
        member = access.find_staff(session, by)
        access.check_own_password(session, member.id, password, now)
        if not FINANCE & member.roles:
            raise access.NotYourAction(FINANCE)
        closing.soft_close(session, month, by=member.id, now=now)

    db.run(city.engine, work)
    click.echo(json.dumps({"month": month, "state": "soft_closed"}) if as_json else f"{month} takes adjustments only.")


def _sign_month(
    city: web.City, handler: access.ActionHandler, payload: dict[str, str], names: tuple[str, str]
) -> access.ActionView:
    def propose(session: Session, by: UUID, now: datetime) -> access.ActionView:
        return closing.propose(session, handler, payload, by=by, now=now, random_bytes=city.random_bytes)

    return sign_by_two(city, handler, propose, names)


def sign_by_two(
    city: web.City,
    handler: access.ActionHandler,
    propose: Callable[[Session, UUID, datetime], access.ActionView],
    names: tuple[str, str],
) -> access.ActionView:
    """What `propose` writes down, signed by both with their passwords, all of it or nothing."""
    passwords = [click.prompt(f"Password of {name}", hide_input=True, err=True) for name in names]
    now = city.clock.now()

    def work(session: Session) -> access.ActionView:
        people = [access.find_staff(session, name).id for name in names]
        action = propose(session, people[0], now)
        for person, password in zip(people, passwords, strict=True):
            access.check_own_password(session, person, password, now)
            signature = access.sign_action_as(session, person, password, action.action_bytes)
            handlers = access.handlers_by_kind(handler)
            action = access.sign_action(session, handlers, action.id, by=person, signature=signature, now=now)
        return action

    return db.run(city.engine, work)


def _say(action: access.ActionView, as_json: bool) -> None:
    said = {"action_id": str(action.id), "summary": action.summary, "state": action.state.value}
    click.echo(json.dumps(said) if as_json else f"Done: {action.summary}")


# --------------------------------------------------------------------------------------------------------- assertions


@ledger.command("assertions")
@click.option("--account", help="Only of this account.")
@click.option(
    "--failed", is_flag=True, help="Only those that did not hold and are not settled; exit 1 when there are any."
)
@_JSON
@click.pass_obj
def assertions(open_city: Callable[[], web.City], account: str | None, failed: bool, as_json: bool) -> None:
    """Balances that somebody signed off, the newest first; they are made at /finance/assertions."""
    with db.unit_of_work(open_city().engine, read_only=True) as session:
        found = asserted.open_failures(session) if failed else asserted.assertions(session, account=account)
    found = [one for one in found if account in (None, one.account_code)]
    if as_json:
        click.echo(json.dumps(AssertionsSchema().dump({"assertions": found})))
    else:
        for one in found:
            how = "withdrawn" if one.withdrawn_at else "held" if one.held else "did not hold"
            click.echo(f"{one.day}  {one.account_code:<40} {show(one.asserted_cents):>18}  {how:<12}  {one.document}")
    sys.exit(1 if failed and found else 0)
