"""A small city in motion: people with cards, terminals with keys, staff who sign, all through the service's own doors.

Every test of records that move money stands on it. Records and batches are made here as a real terminal makes them, so
that a test can also make them wrong.
"""

import base64
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID

from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from cardsvc import access, audit, benefits, db, devices, ledger, taxes, transactions, transit, wallets, web
from cardsvc.clock import FixedClock, business_date
from crypto.pki import CardSlot
from crypto.wire.batch import Batch, sign_batch
from crypto.wire.benefits import Claim
from crypto.wire.body import Body
from crypto.wire.finance import ShiftClosed, ShiftOpened
from crypto.wire.ids import uuid7
from crypto.wire.receipt import CityKeys, Receipt, verify_receipt
from crypto.wire.taxes import TaxPayment
from crypto.wire.transaction import NO_PREVIOUS, Authorisation, Purpose, Record, Transaction, authorise
from crypto.wire.transit import Tap
from crypto.wire.wallets import CashTopUp
from tests import builders
from tests.builders import PASSWORD, SoftwareCard, SoftwareTerminal

T = TypeVar("T")
FEED = Path(__file__).parents[1] / "demo" / "city" / "gtfs"
BUS_CENTS = 13_00
"""What a ride on the network "bus" costs by the demo city's feed."""
FLOAT_CENTS = 1_000_00
_SLOTS = {Purpose.PRESENCE: CardSlot.CARD_AUTH, Purpose.CONSENT: CardSlot.SIGNATURE}


@dataclass(frozen=True, slots=True)
class Person:
    """A resident with a wallet and an active card."""

    resident_id: UUID
    number: str
    wallet_id: UUID
    card: SoftwareCard

    def signs(self, purpose: Purpose, slot: CardSlot | None = None) -> Callable[[bytes], Authorisation]:
        """What the card in a reader does: 9E for presence, 9C for consent, unless told to use another key."""
        signer = self.card.keys.signers[slot or _SLOTS[purpose]]
        return lambda record_bytes: authorise(record_bytes, purpose, signer)

    def kid(self, slot: CardSlot) -> bytes:
        return self.card.keys.kid(slot)


@dataclass(frozen=True, slots=True)
class Result:
    """The API's answer to one item."""

    record_id: UUID | None
    outcome: str
    reason: str | None
    detail: str | None
    replayed: bool
    receipt: bytes | None


@dataclass(slots=True)
class Terminal:
    """An enrolled terminal that keeps its chain, and what it has not sent yet."""

    town: "Town"
    enrolled: SoftwareTerminal
    sequence: int = 0
    previous: bytes = NO_PREVIOUS
    waiting: list[bytes] = field(default_factory=list)

    @property
    def device_id(self) -> UUID:
        return self.enrolled.device_id

    def record(self, body: Body, *, at: datetime | None = None, record_id: UUID | None = None) -> Record:
        """The next record of the chain, signed by nobody."""
        self.sequence += 1
        # the town's clock stands still; a terminal's records are milliseconds apart
        at_ms = db.to_ms(self.town.clock.now()) + self.sequence if at is None else db.to_ms(at)
        made = Record.of(
            body,
            record_id=record_id or uuid7(at_ms, self.town.city.random_bytes(10)),
            terminal_id=self.device_id,
            sequence=self.sequence,
            previous=self.previous,
            at_ms=at_ms,
        )
        self.previous = made.hash()
        return made

    def make(
        self,
        body: Body,
        *signs: Callable[[bytes], Authorisation],
        at: datetime | None = None,
        record_id: UUID | None = None,
    ) -> tuple[UUID, bytes]:
        """A record with its authorisations, not put among those that wait: its id and its bytes."""
        record = self.record(body, at=at, record_id=record_id)
        encoded = record.encode()
        return record.record_id, Transaction(encoded, tuple(sign(encoded) for sign in signs)).encode()

    def add(
        self,
        body: Body,
        *signs: Callable[[bytes], Authorisation],
        at: datetime | None = None,
        record_id: UUID | None = None,
    ) -> UUID:
        """Make a record and keep it for the next batch."""
        made, item = self.make(body, *signs, at=at, record_id=record_id)
        self.waiting.append(item)
        return made

    def batch(self, items: Sequence[bytes] | None = None, *, batch_id: UUID | None = None) -> bytes:
        """A signed batch of these items, or of all that wait; then nothing waits."""
        if items is None:
            items, self.waiting = self.waiting, []
        at_ms = db.to_ms(self.town.clock.now())
        batch_id = batch_id or uuid7(at_ms, self.town.city.random_bytes(10))
        return sign_batch(Batch(batch_id, self.device_id, at_ms, 0, tuple(items)), self.enrolled.signer)

    def send(self, items: Sequence[bytes] | None = None) -> list[Result]:
        return self.town.send(self.batch(items))

    def send_one(
        self,
        body: Body,
        *signs: Callable[[bytes], Authorisation],
        at: datetime | None = None,
        record_id: UUID | None = None,
    ) -> Result:
        """A batch of one record."""
        _, item = self.make(body, *signs, at=at, record_id=record_id)
        [result] = self.send([item])
        return result


@dataclass(slots=True)
class Town:
    """The city and everybody in it. `clock` moves when a test moves it."""

    city: web.City
    client: FlaskClient
    clock: FixedClock
    members: dict[str, access.StaffMember] = field(default_factory=dict)
    _tokens: dict[str, tuple[datetime, dict[str, str]]] = field(default_factory=dict)

    def run(self, work: Callable[[Session], T]) -> T:
        return db.run(self.city.engine, work)

    def person(self) -> Person:
        now = self.clock.now()

        def work(session: Session) -> Person:
            resident = builders.make_resident(session, now)
            wallet = wallets.open_wallets(session, [resident.id], now)[resident.id]
            card = builders.make_card(session, self.city.vault, resident.id, now)
            return Person(resident.id, resident.number, wallet.id, card)

        return self.run(work)

    def terminal(self, kind: devices.DeviceKind) -> Terminal:
        made = partial(builders.make_device, vault=self.city.vault, now=self.clock.now(), kind=kind)
        return Terminal(self, self.run(made))

    def counter(self) -> Terminal:
        return self.terminal(devices.DeviceKind.COUNTER)

    def kiosk(self) -> Terminal:
        return self.terminal(devices.DeviceKind.KIOSK)

    def validator(self) -> Terminal:
        return self.terminal(devices.DeviceKind.VALIDATOR)

    def staff(self, *roles: str) -> access.StaffMember:
        """The staff member of these roles, the same one each time."""
        name = "-".join(roles)
        if name not in self.members:
            self.members[name] = self.run(lambda session: builders.make_staff(session, self.clock.now(), *roles))
        return self.members[name]

    def staff_signs(self, *roles: str) -> Callable[[bytes], Authorisation]:
        member = self.staff(*roles)

        def sign(record_bytes: bytes) -> Authorisation:
            signed = self.run(lambda session: access.sign_as(session, member.id, PASSWORD, record_bytes))
            return Authorisation(Purpose.STAFF, signed)

        return sign

    def token(self, *roles: str) -> dict[str, str]:
        """The header of the staff member of these roles, signed in at this moment of the clock."""
        held = self._tokens.get("-".join(roles))
        if held is not None and held[0] == self.clock.now():
            return held[1]
        given = {"username": self.staff(*roles).username, "password": PASSWORD}
        answer = self.client.post("/v1/sign-in", json=given)
        assert answer.status_code == 201, answer.text
        header = {"Authorization": f"Bearer {answer.get_json()['token']}"}
        self._tokens["-".join(roles)] = self.clock.now(), header
        return header

    def post(self, path: str, body: Any, *roles: str, key: UUID | str | None = None, status: int = 200) -> Any:
        """A JSON POST by the staff member of these roles; money carries `key`."""
        headers = self.token(*roles) | ({} if key is None else {"Idempotency-Key": str(key)})
        answer = self.client.post(path, json=body, headers=headers)
        assert answer.status_code == status, answer.text
        return answer.get_json()

    def act(self, path: str, role: str, **body: Any) -> Any:
        """A signed act of a member of staff, with a fresh key."""
        return self.post(path, body | {"password": PASSWORD}, role, key=self.key())

    def key(self) -> UUID:
        """A fresh record id."""
        return uuid7(db.to_ms(self.clock.now()), self.city.random_bytes(10))

    def send(self, raw: bytes) -> list[Result]:
        """Upload a batch that is taken; the result of each item."""
        answer = self.client.post("/v1/transactions", data=raw, content_type="application/cbor")
        assert answer.status_code == 200, answer.text
        return [_result(result) for result in answer.get_json()["results"]]

    def keys(self) -> CityKeys:
        """The city's public keys, as anybody gets them."""
        return CityKeys.parse(self.client.get("/v1/keys").text)

    def verified(self, result: Result) -> Receipt:
        """The receipt of a result, verified offline with nothing but the city's keys."""
        assert result.receipt is not None, result
        return verify_receipt(result.receipt, self.keys())

    def fund(self, cents: int = 1_000_000_00, account: str = "equity:general", reference: str = "FUND") -> None:
        """Money at the bank."""
        given = {"amount_cents": cents, "currency": "PHP", "reference": reference, "account_code": account}
        assert self.act("/v1/finance/funding", "treasurer", **given)["outcome"] == "accepted"

    def withdraw(self, cents: int = 50_000_00, reference: str = "CASH") -> None:
        """Cash from the bank into the vault."""
        given = {"amount_cents": cents, "currency": "PHP", "reference": reference}
        assert self.act("/v1/finance/withdrawals", "treasurer", **given)["outcome"] == "accepted"

    def open_shift(self, counter: Terminal) -> UUID:
        """A cashier at this counter, with a float; the shift's id."""
        body = ShiftOpened(self.staff("cashier").id, FLOAT_CENTS, "PHP")
        result = counter.send_one(body, self.staff_signs("cashier"))
        assert result.outcome == "accepted", result
        assert result.record_id is not None
        return result.record_id

    def close_shift(self, counter: Terminal, shift_id: UUID, counted_cents: int) -> Result:
        body = ShiftClosed(self.staff("cashier").id, shift_id, counted_cents, "PHP")
        return counter.send_one(body, self.staff_signs("cashier"))

    def till(self) -> tuple[Terminal, UUID]:
        """A counter with an open shift, in a city with money; the counter and the shift."""
        if not self.balance_of("cash:vault")[0]:
            self.fund()
            self.withdraw()
        counter = self.counter()
        return counter, self.open_shift(counter)

    def rich_person(self, cents: int = 10_000_00, till: tuple[Terminal, UUID] | None = None) -> Person:
        """Somebody who paid this much in at a counter."""
        counter, shift_id = till or self.till()
        person = self.person()
        result = counter.send_one(top_up(shift_id, cents), person.signs(Purpose.PRESENCE))
        assert result.outcome == "accepted", result
        return person

    def balance(self, person: Person) -> int:
        return self.run(lambda session: wallets.summary(session, person.wallet_id)).balance_cents

    def owed(self, person: Person) -> int:
        return self.run(lambda session: wallets.summary(session, person.wallet_id)).owed_cents

    def balance_of(self, *codes: str) -> list[int]:
        found = self.run(lambda session: ledger.balances(session, codes))
        return [found[code] for code in codes]

    def tariff(self, *, duplicate_window: int = 0, capped: bool = True) -> transit.Tariff:
        """The demo city's fares, in force. A card may be taken again at once, for the town's clock stands still; by the
        demo city's own settings it is the same tap within 30 seconds. Not `capped`, every ride costs its whole fare.
        """
        feed = {path.name: path.read_bytes() for path in sorted(FEED.glob("*.txt"))}
        if not capped:
            del feed["x_caps.txt"]
        settings = feed["x_settings.txt"].replace(b",30,", f",{duplicate_window},".encode())
        feed["x_settings.txt"] = settings
        now = self.clock.now()
        return self.run(lambda session: transit.import_feed(session, feed, valid_from=now, by=builders.CLERK, now=now))

    def cycle(self, *people: Person, cents: int = 500_00, code: str = "RICE") -> dict[UUID, UUID]:
        """An approved cycle that pays each of these people; their entitlements, by resident."""
        self.post("/v1/benefits/programmes", {"code": code, "name": "Rice for all"}, "benefits_officer", status=201)
        self.fund(cents * len(people), f"benefits:{code}:fund", f"F-{code}")
        cycle = self.draft(*people, cents=cents, code=code)
        approved = self.act(f"/v1/benefits/cycles/{cycle['id']}/approval", "benefits_approver")
        assert approved["outcome"] == "accepted", approved
        return self.entitlements(*people)

    def draft(
        self, *people: Person, cents: int = 500_00, code: str = "RICE", label: str = "November", status: int = 201
    ) -> Any:
        """A drafted cycle that pays each of these people."""
        draft = {
            "programme": code,
            "label": label,
            "claim_until": (self.today() + timedelta(days=10)).isoformat(),
            "count": len(people),
            "total_cents": cents * len(people),
            "lines": [{"resident_id": str(person.resident_id), "amount_cents": cents} for person in people],
        }
        return self.post("/v1/benefits/cycles", draft, "benefits_officer", status=status)

    def entitlements(self, *people: Person) -> dict[UUID, UUID]:
        """What each can claim first."""

        def work(session: Session) -> dict[UUID, UUID]:
            return {
                person.resident_id: benefits.due(session, person.resident_id, self.today())[0].entitlement_id
                for person in people
            }

        return self.run(work)

    def bills(self, *pesos: str, person: Person | None = None, prefix: str = "B") -> list[taxes.Bill]:
        """Open bills of these amounts of basic tax, and one peso for the education fund."""
        rows = [
            f'{prefix}-{number},TD-{number},Owner,{person.number if person else ""},2026,,"{basic}",1.00,2026-12-31'
            for number, basic in enumerate(pesos)
        ]
        data = "\n".join([",".join(taxes.COLUMNS), *rows]).encode()
        answer = self.client.post("/v1/taxes/bills", data=data, headers=self.token("treasurer"))
        assert answer.status_code == 200, answer.text
        numbers = [f"{prefix}-{number}" for number in range(len(pesos))]
        found = self.run(lambda session: [taxes.bill(session, number) for number in numbers])
        return [bill for bill in found if bill is not None]

    def today(self) -> date:
        return business_date(self.clock.now())

    def check(self) -> transactions.TransactionsChecked:
        """Everything that can be proved, proved."""

        def work(session: Session) -> transactions.TransactionsChecked:
            ledger.check_books(session)
            audit.check_log(session, self.city.vault.city_keys().logs, source=transactions.contents)
            return transactions.check_transactions(session, self.city.vault)

        return db.run(self.city.engine, work, read_only=True)

    def count(self, table: str) -> int:
        """How many rows a table has."""
        with self.city.engine.connect() as connection:
            return int(connection.exec_driver_sql(f'SELECT count(*) FROM "{table}"').scalar_one())


def _result(answer: dict[str, Any]) -> Result:
    receipt = answer["receipt"]
    return Result(
        None if answer["record_id"] is None else UUID(answer["record_id"]),
        answer["outcome"],
        answer["reason"],
        answer["detail"],
        answer["replayed"],
        None if receipt is None else base64.urlsafe_b64decode(receipt + "=" * (-len(receipt) % 4)),
    )


def tap(fare_cents: int = BUS_CENTS, *, network: str = "bus", tariff: int = 1, currency: str = "PHP") -> Tap:
    return Tap(network, "ayala", "flat", fare_cents, currency, tariff, 1)


def claim(entitlement_id: UUID, cents: int = 500_00) -> Claim:
    return Claim(entitlement_id, cents, "PHP")


def pay(bill: taxes.Bill) -> TaxPayment:
    return TaxPayment(bill.id, bill.total_cents, "PHP")


def top_up(shift_id: UUID, cents: int) -> CashTopUp:
    return CashTopUp(cents, "PHP", shift_id)
