"""Loading the demo city: everything through the service's own verbs and API, at the clock of the day it happened."""

import random
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Final
from uuid import UUID

from cardsvc import access, benefits, db, devices, residents, taxes, transit, web
from cardsvc import app as service
from cardsvc.clock import MANILA, FixedClock
from cardsvc.errors import CityError, ErrorKind
from cardsvc.settings import CHEAP, Settings
from demo.cast import ADMIN, CLERK, OFFICER, TREASURER, write_note
from demo.city import holders, money, month, register
from demo.city.desk import Desk, InProcess
from demo.city.holders import HOLDERS, HeldCard
from demo.city.machines import SoftCard, SoftTerminal
from demo.city.people import Person, people
from demo.office import Office

DAYS: Final = 30
WEEK: Final = 7
FEED: Final = Path(__file__).parent / "gtfs"
_STOPS: Final = ("ayala", "buendia", "pier-guadalupe")
_NETWORKS: Final = ("bus", "bus", "ferry")
_SCALE_MAX: Final = 20
_PAYERS: Final = 400

Say = Callable[[str], None]


class CityNotEmpty(CityError):
    code = "city_not_empty"
    kind = ErrorKind.PRECONDITION

    def __init__(self) -> None:
        super().__init__(
            "This city has staff or residents already; the demo city goes into an empty one. Choose another CITY_HOME."
        )


class NoDemoInProduction(CityError):
    code = "no_demo_in_production"
    kind = ErrorKind.FORBIDDEN

    def __init__(self) -> None:
        super().__init__("CITY_ENV is production: no demo data, no demo credentials. Nothing was loaded.")


@dataclass(frozen=True, slots=True)
class Summary:
    residents: int
    bills: int
    accepted: int
    declined: int
    statements: int

    def to_json(self) -> dict[str, int]:
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Population:
    """Who lives here. `people` and `registered` are in one order, the holders first; `cards` are the others'."""

    people: Sequence[Person]
    registered: Sequence[residents.Resident]
    cards: Sequence[SoftCard]
    terminals: Sequence[SoftTerminal]


def is_empty(city: web.City) -> bool:
    """Whether nobody works or lives here yet."""
    with db.unit_of_work(city.engine, read_only=True) as session:
        if access.all_staff(session):
            return False
        try:
            residents.find_by_number(session, residents.number_of(1))
        except residents.ResidentNotFound:
            return True
        return False


def load(settings: Settings, *, seed: int, count: int, today: datetime, say: Say, days: int = DAYS) -> Summary:
    """Make a demo city of `count` residents whose history of so many days ended yesterday evening.

    Raises: NoDemoInProduction, CityNotEmpty: nothing was changed.
    """
    if settings.is_production:
        raise NoDemoInProduction
    start = datetime.combine(today.astimezone(MANILA).date(), datetime.min.time(), MANILA) - timedelta(days=days)
    clock = FixedClock(start.replace(hour=7))
    service.init_city(settings, clock=clock).engine.dispose()  # its keys are nobody's to repeat
    city = service.build_city(settings, clock=clock, random_bytes=random.Random(f"city:{seed}").randbytes)
    try:
        if not is_empty(city):
            raise CityNotEmpty
        summary = _live(city, clock, start.date(), seed=seed, count=count, days=days, say=say)
        write_note(settings.home)
        return summary
    finally:
        city.engine.dispose()


def _live(city: web.City, clock: FixedClock, first: date, *, seed: int, count: int, days: int, say: Say) -> Summary:
    """People, cards, money, and so many days from the first on."""
    clock_start = clock.now()
    made = [holder.person for holder in HOLDERS] + people(seed, count - len(HOLDERS), first)
    say(f"{count} residents with wallets and cards")
    population = _settle(city, made, seed, clock)
    app = service.app_of(city)
    held = holders.make_cards(
        InProcess(app),
        city.settings.home,
        _invite_counter(city, clock.now()),
        [resident.id for resident in population.registered[: len(HOLDERS)]],
        seed=seed,
    )
    desk = Desk(Office(InProcess(app)), clock, random.Random(f"desk:{seed}"))
    payouts = money.payouts(made, first, seed)
    say(f"{money.BILL_COUNT} property tax bills, {len(money.PROGRAMMES)} programmes, a tariff")
    played = _prepare(city, desk, population, held, payouts, seed)
    for number in range(days):
        morning = clock_start + timedelta(days=number)
        desk.new_day(morning)
        for payout in (p for p in payouts if p.day == number):
            _open_cycle(city, played, payout, population.registered)
        month.play_day(played, number, morning)
        if number % WEEK == WEEK - 1 or number == days - 1:
            month.send_statement(played, WEEK)
        say(f"day {number + 1} of {days}")
    accepted = played.outcomes.pop("accepted")
    return Summary(count, money.BILL_COUNT, accepted, played.outcomes.total(), played.account.statements)


def _invite_counter(city: web.City, now: datetime) -> str:
    """A code for the counter that makes the holders' cards."""
    kind = devices.DeviceKind.COUNTER
    return db.run(
        city.engine,
        lambda session: devices.invite(
            session, kind, f"The demo {kind}", by=UUID(int=0), now=now, random_bytes=city.random_bytes
        ),
    )


def _settle(city: web.City, made: Sequence[Person], seed: int, clock: FixedClock) -> Population:
    """Staff, residents, cards and terminals, all or nothing."""
    now = clock.now()
    with db.unit_of_work(city.engine) as session:
        staff = register.add_staff(session, city, now)
        clerk, officer, admin = staff[CLERK.username], staff[OFFICER.username], staff[ADMIN.username]
        registered = register.register(session, city, made, by=clerk, now=now)
        others = registered[len(HOLDERS) :]
        cards = register.issue(session, city, others, seed=seed, by=clerk, approver=officer, now=now)
        terminals = register.enrol_terminals(session, city, seed=seed, by=admin, now=now)
        for holder, resident in zip(HOLDERS, registered, strict=False):
            if holder.signs_in:
                access.set_resident_password(
                    session,
                    resident.id,
                    holder.name,
                    holder.password,
                    now,
                    random_bytes=city.random_bytes,
                    cost=CHEAP,
                    demo=True,
                )
    return Population(made, registered, cards, terminals)


def _prepare(
    city: web.City,
    desk: Desk,
    population: Population,
    held: Sequence[HeldCard],
    payouts: Sequence[money.Payout],
    seed: int,
) -> month.Month:
    """A tariff, bills and money: the city on the evening before its first day."""
    tariff = _import_tariff(city, desk)
    numbers = [resident.number for resident in population.registered]
    roll = money.tax_roll(population.people, numbers, seed, desk.today().year)
    desk.office.call("POST", "/v1/taxes/bills", TREASURER, data=roll, content_type="text/csv")
    account = money.Account(0, [])
    money.fund(desk, account, payouts)
    money.price_cards(desk)
    rides = {}
    validators = [terminal for terminal in population.terminals if terminal.kind == "validator"]
    for terminal, network, stop in zip(validators, _NETWORKS, _STOPS, strict=True):
        fare = transit.flat_fare(tariff, network, tariff.default_category)
        assert fare is not None
        rides[terminal.name] = month.Ride(network, stop, fare.amount_cents, tariff.version)
    cards = population.cards
    scale = max(1, min(_SCALE_MAX, len(cards) // 1000))
    chance = random.Random(f"month:{seed}")
    played = month.Month(desk, population.terminals, cards, held, account, rides, chance, scale)
    played.loaded.extend(cards[:5])
    played.bills.extend(_bills(city, cards))
    return played


def _import_tariff(city: web.City, desk: Desk) -> transit.Tariff:
    now = desk.clock.now()
    feed = {path.name: path.read_bytes() for path in sorted(FEED.glob("*.txt"))}
    with db.unit_of_work(city.engine) as session:
        return transit.import_feed(session, feed, valid_from=now, by=UUID(int=0), now=now)


def _bills(city: web.City, cards: Sequence[SoftCard]) -> list[tuple[SoftCard, UUID, int]]:
    """The linked bills of the first residents, as their holders would pay them."""
    found: list[tuple[SoftCard, UUID, int]] = []
    with db.unit_of_work(city.engine, read_only=True) as session:
        for card in cards[:_PAYERS]:
            found += [(card, b.id, b.total_cents) for b in taxes.open_bills(session, card.resident_id)]
    return found


def _open_cycle(
    city: web.City, played: month.Month, payout: money.Payout, registered: Sequence[residents.Resident]
) -> None:
    """Open the cycle; what the holders of demo cards may claim is left for them to claim at the kiosk."""
    money.open_cycle(played.desk, payout, [resident.id for resident in registered])
    with db.unit_of_work(city.engine, read_only=True) as session:
        for number, cents in payout.amounts:
            if number < len(HOLDERS):
                continue
            for due in benefits.due(session, registered[number].id, played.desk.today()):
                if due.cycle_label == payout.label and due.amount_cents == cents:
                    played.claims.append((played.cards[number - len(HOLDERS)], due.entitlement_id, cents))
