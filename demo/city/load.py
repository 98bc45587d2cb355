"""Loading the demo city: everything through the service's own verbs and API, at the clock of the day it happened."""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final
from uuid import UUID

from cardsvc import access, benefits, db, residents, taxes, transit, web
from cardsvc import app as service
from cardsvc.clock import MANILA, FixedClock
from cardsvc.settings import Settings
from demo.city import money, month, register
from demo.city.cast import ADMIN, CLERK, OFFICER, TREASURER
from demo.city.desk import DemoLoadError, Desk
from demo.city.machines import SoftCard, SoftTerminal
from demo.city.people import Person, people

DAYS: Final = 30
WEEK: Final = 7
FEED: Final = Path(__file__).parent / "gtfs"
_STOPS: Final = ("ayala", "buendia", "pier-guadalupe")
_NETWORKS: Final = ("bus", "bus", "ferry")
_SCALE_MAX: Final = 20

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Summary:
    residents: int
    bills: int
    accepted: int
    declined: int
    statements: int


def is_loaded(city: web.City) -> bool:
    """Whether this city has staff already: then nothing is loaded into it."""
    return bool(db.run(city.engine, access.all_staff, read_only=True))


def load(settings: Settings, *, seed: int, count: int, today: datetime, say: Say) -> Summary:
    """Make a demo city that ends yesterday evening. The city must be empty."""
    start = datetime.combine(today.astimezone(MANILA).date(), datetime.min.time(), MANILA) - timedelta(days=DAYS)
    clock = FixedClock(start.replace(hour=7))
    chance = random.Random(f"city:{seed}")
    city = service.init_city(settings, clock=clock, random_bytes=chance.randbytes)
    if is_loaded(city):
        raise DemoLoadError("This city has staff already; the demo city is loaded into an empty one only.")
    made = people(seed, count, start.date())
    say(f"{count} residents with wallets and cards")
    registered, cards, terminals = _register(city, made, seed, clock)
    desk = Desk(service.app_of(city), clock, random.Random(f"desk:{seed}"))
    say(f"{money.BILL_COUNT} property tax bills, {len(money.PROGRAMMES)} programmes, a tariff")
    played = _prepare(city, desk, made, registered, cards, terminals, seed)
    payouts = money.payouts(made, start.date(), seed)
    for number in range(DAYS):
        morning = start + timedelta(days=number, hours=7)
        desk.new_day(morning)
        for payout in (p for p in payouts if p.day == number):
            _open_cycle(city, played, payout, [resident.id for resident in registered])
        month.play_day(played, number, morning)
        if number % WEEK == WEEK - 1 or number == DAYS - 1:
            month.send_statement(played, WEEK)
        say(f"day {number + 1} of {DAYS}")
    accepted = played.outcomes.get("accepted", 0)
    declined = sum(count for name, count in played.outcomes.items() if name != "accepted" and " " not in name)
    return Summary(count, money.BILL_COUNT, accepted, declined, played.account.statements)


def _register(
    city: web.City, made: Sequence[Person], seed: int, clock: FixedClock
) -> tuple[list[residents.Resident], list[SoftCard], list[SoftTerminal]]:
    now = clock.now()
    with db.unit_of_work(city.engine) as session:
        staff = register.add_staff(session, city, now)
        clerk, officer, admin = staff[CLERK.username], staff[OFFICER.username], staff[ADMIN.username]
        registered = register.register(session, city, made, by=clerk, now=now)
        cards = register.issue(session, city, registered, seed=seed, by=clerk, approver=officer, now=now)
        terminals = register.enrol_terminals(session, city, seed=seed, by=admin, now=now)
    return registered, cards, terminals


def _prepare(
    city: web.City,
    desk: Desk,
    made: Sequence[Person],
    registered: Sequence[residents.Resident],
    cards: Sequence[SoftCard],
    terminals: Sequence[SoftTerminal],
    seed: int,
) -> month.Month:
    now = desk.clock.now()
    feed = {path.name: path.read_bytes() for path in sorted(FEED.glob("*.txt"))}
    with db.unit_of_work(city.engine) as session:
        tariff = transit.import_feed(session, feed, valid_from=now, by=UUID(int=0), now=now)
    roll = money.tax_roll(made, [resident.number for resident in registered], seed)
    desk.call("POST", "/v1/taxes/bills", TREASURER, data=roll, content_type="text/csv")
    account = money.Account(0, [])
    money.fund(desk, account)
    rides = {}
    validators = [terminal for terminal in terminals if terminal.kind == "validator"]
    for terminal, network, stop in zip(validators, _NETWORKS, _STOPS, strict=True):
        fare = transit.flat_fare(tariff, network, tariff.default_category)
        assert fare is not None
        rides[terminal.name] = month.Ride(network, stop, fare.amount_cents, tariff.version)
    scale = max(1, min(_SCALE_MAX, len(cards) // 1000))
    played = month.Month(desk, terminals, cards, account, rides, random.Random(f"month:{seed}"), scale)
    played.loaded.extend(cards[:5])
    played.bills.extend(_bills(city, cards))
    return played


def _bills(city: web.City, cards: Sequence[SoftCard]) -> list[tuple[SoftCard, UUID, int]]:
    """The linked bills of the first residents, as their holders would pay them."""
    found: list[tuple[SoftCard, UUID, int]] = []
    with db.unit_of_work(city.engine, read_only=True) as session:
        for card in cards[:400]:
            found += [(card, b.id, b.total_cents) for b in taxes.open_bills(session, card.resident_id)]
    return found


def _open_cycle(city: web.City, played: month.Month, payout: money.Payout, ids: Sequence[UUID]) -> None:
    money.open_cycle(played.desk, payout, ids)
    today = played.desk.clock.now().date()
    with db.unit_of_work(city.engine, read_only=True) as session:
        for number, cents in payout.amounts:
            for due in benefits.due(session, ids[number], today):
                if due.cycle_label == payout.label and due.amount_cents == cents:
                    played.claims.append((played.cards[number], due.entitlement_id, cents))
