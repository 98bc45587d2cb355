"""The only file that knows every room: what each brings, what one shows of another. A feature is a few lines here."""

import functools
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import click
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from sqlalchemy.orm import Session

from cardsvc import (
    access,
    audit,
    benefits,
    cards,
    db,
    devices,
    evidence,
    finance,
    jobs,
    ledger,
    money,
    taxes,
    transactions,
    transit,
    wallets,
    web,
)
from cardsvc.access import api as access_api
from cardsvc.access import commands as access_commands
from cardsvc.access import pages as access_pages
from cardsvc.app import policy, records
from cardsvc.audit import api as audit_api
from cardsvc.audit import commands as audit_commands
from cardsvc.benefits import api as benefits_api
from cardsvc.cards import api as cards_api
from cardsvc.cards import commands as cards_commands
from cardsvc.cards import pages as cards_pages
from cardsvc.ceremony import commands as ceremony_commands
from cardsvc.clock import Clock, business_date
from cardsvc.devices import api as devices_api
from cardsvc.devices import commands as devices_commands
from cardsvc.devices import pages as devices_pages
from cardsvc.evidence import commands as evidence_commands
from cardsvc.finance import api as finance_api
from cardsvc.finance import commands as finance_commands
from cardsvc.finance import pages as finance_pages
from cardsvc.ledger import api as ledger_api
from cardsvc.ledger import commands as ledger_commands
from cardsvc.ledger import pages as ledger_pages
from cardsvc.residents import api as residents_api
from cardsvc.residents import commands as residents_commands
from cardsvc.residents import pages as residents_pages
from cardsvc.taxes import api as taxes_api
from cardsvc.taxes import pages as taxes_pages
from cardsvc.transactions import api as transactions_api
from cardsvc.transactions import commands as transactions_commands
from cardsvc.transactions.pages import disputes as dispute_pages
from cardsvc.transactions.pages import receipts as receipt_pages
from cardsvc.transit import api as transit_api
from cardsvc.transit import commands as transit_commands
from cardsvc.transit.board import api as board_api
from cardsvc.transit.board import pages as board_pages
from cardsvc.transit.claims import api as claims_api
from cardsvc.transit.claims import pages as claims_pages
from cardsvc.transit.passes import api as passes_api
from cardsvc.transit.passes import commands as passes_commands
from cardsvc.transit.passes import pages as passes_pages
from cardsvc.transit.riding import api as riding_api
from cardsvc.transit.riding import pages as riding_pages
from cardsvc.transit.settling import api as settling_api
from cardsvc.transit.settling import commands as settling_commands
from cardsvc.transit.settling import pages as settling_pages
from cardsvc.wallets import pages as wallets_pages
from cardsvc.witness import commands as witness_commands
from crypto.wire.finance import JournalEntry

PUBLISH_EVERY = timedelta(seconds=10)
SNAPSHOTS_EVERY = timedelta(seconds=10)
COSIGN_EVERY = timedelta(minutes=1)
FORGET_EVERY = timedelta(minutes=5)
EXPIRE_EVERY = timedelta(hours=1)
END_EVERY = timedelta(minutes=5)
TOP_UP_EVERY = timedelta(seconds=30)
DENY_EVERY = timedelta(minutes=1)
REVOKE_EVERY = timedelta(minutes=15)
_SERVICE = UUID(int=0)  # the actor of what the service does by itself

# ---------------------------------------------------------------------------------------------------- actions of two


def _published(session: Session) -> int:
    """How many leaves of the log a published checkpoint covers."""
    head = audit.newest(session)
    return 0 if head is None else head.tree_size


def _book(session: Session, record: JournalEntry, record_id: UUID, now: datetime) -> transactions.ItemResult:
    """Book what two people signed, in the transaction of the second signature."""
    desk = _desk(web.city())
    return transactions.act_as_service(session, record, record_id=record_id, desk=desk, now=now)


CLOSING = ledger.Surroundings((finance.left_open,), _published)
VOUCHER = finance.voucher_handler(_book)
ACTIONS = access.handlers_by_kind(
    transactions.DECIDING,
    transactions.ERASE,
    access.STAFF_ROLES,
    devices.telling_terminals(cards.BULK),
    cards.PRICE,
    cards.WAIVER,
    devices.RELEASE,
    ledger.CHART,
    *ledger.closing_handlers(CLOSING),
    VOUCHER,
    audit.RECOVER,
    transit.REFUNDING,
)
"""What two members of staff do together, by its kind."""


def _card_in_use(session: Session, card_id: UUID) -> bool:
    """The card is held until the unit ends: who stops it meanwhile waits, and then finds what was bound."""
    try:
        return cards.locked(session, card_id).state is cards.CardState.ACTIVE
    except cards.CardNotFound:
        return False


# ------------------------------------------------------------------------------------------------- the routes and pages


def blueprints() -> list[Any]:
    """Every room's routes, made once for each app."""
    return [
        access_api.blueprint,
        access_api.make_staff(_card_in_use),
        access_api.make_actions(ACTIONS),
        access_pages.blueprint,
        access_pages.card_blueprint,
        *access_pages.make_actions(ACTIONS),
        audit_api.blueprint,
        residents_api.make(wallets.open_wallets, _holdings, _device_names),
        residents_pages.make(_device_names),
        residents_pages.make_pairs(_holdings),
        cards_api.blueprint,
        cards_api.own_blueprint,
        cards_api.make_secrets(_counter_key),
        cards_pages.pages,
        devices_api.make(policy.SOURCES, transactions.clocks),
        devices_pages.make(transactions.clocks),
        dispute_pages.pages,
        devices_api.make_pki(),
        transactions_api.blueprint,
        receipt_pages.pages,
        benefits_api.blueprint,
        taxes_api.blueprint,
        taxes_pages.pages,
        *_transit_routes(),
        ledger_api.make(CLOSING),
        ledger_pages.make(CLOSING),
        *finance_api.blueprints(VOUCHER),
        finance_pages.pages,
        finance_pages.own_pages,
        wallets_pages.make(wallets_pages.PageSources(_card_line, _due_lines, _bill_lines)),
    ]


def _transit_routes() -> list[Any]:
    return [
        transit_api.blueprint,
        board_api.blueprint,
        board_pages.pages,
        claims_api.own_blueprint,
        claims_api.blueprint,
        claims_pages.own_pages,
        claims_pages.pages,
        settling_api.blueprint,
        settling_pages.pages,
        riding_api.own_blueprint,
        riding_api.blueprint,
        riding_pages.pages,
        passes_api.own_blueprint,
        passes_api.blueprint,
        passes_pages.pages,
    ]


def _counter_key(session: Session, terminal_id: UUID) -> EllipticCurvePublicKey | None:
    """The key of an enrolled counter; no other terminal is told a card's secrets."""
    device = devices.by_ids(session, [terminal_id]).get(terminal_id)
    if device is None or device.kind is not devices.DeviceKind.COUNTER:
        return None
    return device.public_key if device.status is devices.DeviceStatus.ENROLLED else None


def _card_line(session: Session, resident_id: UUID) -> wallets_pages.CardLine | None:
    card = cards.held_by(session, [resident_id]).get(resident_id)
    return None if card is None else wallets_pages.CardLine(card.state.value, card.expires_on)


def _due_lines(session: Session, resident_id: UUID, today: date) -> Sequence[wallets_pages.DueLine]:
    return [
        wallets_pages.DueLine(due.programme_name, due.cycle_label, due.amount_cents, due.claim_until)
        for due in benefits.due(session, resident_id, today)
    ]


def _bill_lines(session: Session, resident_id: UUID, _today: date) -> Sequence[wallets_pages.BillLine]:
    return [
        wallets_pages.BillLine(
            bill.number,
            f"Real property tax {bill.year}" + (f", quarter {bill.quarter}" if bill.quarter else ""),
            bill.total_cents,
            bill.due_on,
            f"/wallet/bills/{bill.id}",
        )
        for bill in taxes.open_bills(session, resident_id)
    ]


def _device_names(session: Session, device_ids: Sequence[UUID]) -> dict[UUID, str]:
    return {device_id: device.name for device_id, device in devices.by_ids(session, device_ids).items()}


def _card_ordered(session: Session, resident_id: UUID) -> bool:
    return any(card.state in cards.ORDERED for card in cards.of_resident(session, resident_id))


def _holdings(session: Session, resident_id: UUID, now: datetime) -> Sequence[str]:
    """What a resident's entry still has: merged into another one, nobody would find it there."""
    summary = wallets.summary(session, wallets.of_resident(session, resident_id).id)
    return [
        what
        for there, what in (
            (summary.balance_cents, f"{money.show(summary.balance_cents)} in the wallet"),
            (summary.owed_cents, f"{money.show(summary.owed_cents)} to repay"),
            (summary.held_cents, f"{money.show(summary.held_cents)} set aside"),
            (summary.purses, "money for a purpose"),
            (cards.held_by(session, [resident_id]), "a card in use"),
            (_card_ordered(session, resident_id), "a card order under way"),
            (benefits.due(session, resident_id, business_date(now)), "benefits to claim"),
            (taxes.open_bills(session, resident_id), "tax bills to pay"),
        )
        if there
    ]


GAUGES: tuple[web.Gauge, ...] = (
    web.Gauge("city_disputes_waiting", "Records that finance has to decide about", transactions.disputes_waiting),
    web.Gauge("city_claims_waiting", "Claims of riders that finance has to decide about", transit.claims_waiting),
    web.Gauge("city_terminals_missing", "Terminals of which records are missing for a day", devices.terminals_missing),
    web.Gauge("city_owing_waiting", "Cards that owe a fare and that gates do not refuse yet", devices.owing_waiting),
    web.Gauge("city_terminals_forked", "Terminals in service with two chains", devices.terminals_forked),
    web.Gauge("city_terminals_clock_off", "Terminals in service whose clock is off", transactions.clocks_off),
)
"""What /metrics tells beside the requests; each is asked when somebody asks."""

# ------------------------------------------------------------------------------------------- the accounts, jobs, checks


def open_base_accounts(city: web.City) -> None:
    """The chart and the accounts that every city begins with; opening them again changes nothing."""
    for begin in (ledger.adopt_packaged, finance.open_chart, taxes.open_accounts):
        db.run(city.engine, functools.partial(begin, now=city.clock.now()))


def periodic(city: web.City) -> list[jobs.Periodic | jobs.Errand]:
    """What a worker does again and again."""
    outside = audit.outside(city.settings)
    cosign = jobs.Errand(
        "ask the witnesses", COSIGN_EVERY, lambda now: audit.cosign(city.engine, city.vault, outside, now)
    )
    witnessing = [cosign] if outside.witnesses else []
    return [
        jobs.Periodic("forget expired sign-ins", FORGET_EVERY, access.forget_expired),
        jobs.Periodic("forget answered queries", FORGET_EVERY, transactions.forget_queries),
        jobs.Periodic(
            "expire cards", EXPIRE_EVERY, lambda session, now: cards.expire_due(session, by=_SERVICE, now=now)
        ),
        jobs.Periodic("publish the deny list", DENY_EVERY, devices.publish_deny_list),
        jobs.Periodic(
            "publish revocation lists",
            REVOKE_EVERY,
            lambda session, now: devices.publish_revocation_lists(session, city.vault, now),
        ),
        jobs.Periodic(
            "keep balances of the past", SNAPSHOTS_EVERY, lambda session, _now: ledger.take_snapshots(session)
        ),
        jobs.Periodic(
            "publish the log",
            PUBLISH_EVERY,
            lambda session, now: audit.publish(session, city.vault, now, city.settings.log_head),
        ),
        jobs.Periodic("end holds", END_EVERY, lambda session, now: finance.end_holds(session, _desk(city), now)),
        jobs.Periodic(
            "return purses", END_EVERY, lambda session, now: finance.return_purses(session, _desk(city), now)
        ),
        jobs.Periodic(
            "top wallets up", TOP_UP_EVERY, lambda session, now: finance.follow_mandates(session, _desk(city), now)
        ),
        *witnessing,
    ]


def _desk(city: web.City) -> transactions.Desk:
    return transactions.Desk(city.handlers.registry, city.vault, city.random_bytes)


JOBS: jobs.Handlers = {}
_CHECKS = (
    audit_commands.Check("books", lambda session, _city: ledger.check_books(session)),
    audit_commands.Check("imported, not proved", lambda session, _city: ledger.check_imports(session)),
    audit_commands.Check("periods", lambda session, _city: ledger.check_periods(session)),
    audit_commands.Check("assertions", lambda session, _city: ledger.check_assertions(session)),
    audit_commands.Check("transactions", lambda session, city: transactions.check_transactions(session, city.vault)),
    audit_commands.Check("erasures", lambda session, _city: transactions.check_erasures(session)),
    audit_commands.Check("actions", lambda session, _city: access.check_actions(session, access.roles_needed(ACTIONS))),
)


def permits() -> dict[int, evidence.Permit]:
    """What each kind of record needs to count, for whoever verifies the evidence."""
    return {
        kind: evidence.Permit(frozenset(handler.purposes), handler.device_kinds)
        for kind, handler in records.handlers().registry.items()
    }


def _audit() -> click.Group:
    group = audit_commands.make(_CHECKS, source=transactions.contents)
    for command in evidence_commands.make(permits()):
        group.add_command(command)
    return group


def _transit() -> click.Group:
    group = transit_commands.transit
    group.add_command(settling_commands.settlement)
    group.add_command(passes_commands.passes)
    return group


def commands(clock: Clock) -> dict[str, click.Command]:
    """The commands that rooms bring, under their names in `./city`."""
    return {
        "staff": access_commands.staff,
        "residents": residents_commands.make(wallets.open_wallets, _holdings),
        "cards": cards_commands.cards,
        "devices": devices_commands.make(transactions.clocks),
        "disputes": transactions_commands.disputes,
        "transit": _transit(),
        "finance": finance_commands.finance,
        "ledger": ledger_commands.make(CLOSING, audit.next_index),
        "vault": ceremony_commands.vault,
        "ceremony": ceremony_commands.ceremony,
        "log": audit_commands.make_log(witness_commands.make(clock), witness_commands.witness_key),
        "audit": _audit(),
    }
