"""A city to measure: residents with cards, validators, and batches of taps that were signed before the clock starts."""

import itertools
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import UUID

from sqlalchemy.orm import Session

from cardsvc import app, cards, db, devices, residents, transactions, transit, wallets, web
from cardsvc.settings import Environment, Settings
from crypto import keys
from crypto.keys import SoftwareSigner
from crypto.pki import CardSlot
from crypto.wire.batch import Batch, sign_batch
from crypto.wire.ids import uuid7
from crypto.wire.transaction import NO_PREVIOUS, Purpose, Record, Transaction, authorise
from crypto.wire.transit import Tap

_FEED = Path(__file__).parents[1] / "demo" / "city" / "gtfs"
_CLERK, _OFFICER = UUID(int=0xC1E2C), UUID(int=0x0FF1CE2)
_FARE_CENTS = 13_00
_WEEKS_MS, _WAVE_MS = 28 * 86_400_000, 10 * 3_600_000
_HEADWAY_MS = 250  # of 512 riders the same comes again after more than two minutes: nobody's repeat, nobody's guest
_names = itertools.count(1)


@dataclass(slots=True)
class Validator:
    """An enrolled gate with its chain of records."""

    device_id: UUID
    signer: SoftwareSigner
    sequence: int = 0
    previous: bytes = NO_PREVIOUS
    last_ms: int = 0


@dataclass(frozen=True, slots=True)
class BenchCity:
    """The city's parts, and the key of each resident's card."""

    city: web.City
    cards: tuple[SoftwareSigner, ...]

    @property
    def desk(self) -> transactions.Desk:
        return transactions.Desk(self.city.handlers.registry, self.city.vault, self.city.random_bytes)

    def part(self, number: int, parts: int) -> "BenchCity":
        """The same city with an equal share of its cards."""
        return replace(self, cards=self.cards[number::parts])

    def validator(self) -> Validator:
        signer, now, engine = SoftwareSigner.generate(), self.city.clock.now(), self.city.engine

        def work(session: Session) -> UUID:
            code = devices.invite(
                session,
                devices.DeviceKind.VALIDATOR,
                f"Gate {next(_names)}",
                by=_OFFICER,
                now=now,
                random_bytes=self.city.random_bytes,
            )
            spki = keys.spki(signer.public_key)
            proof = signer.sign(devices.enrolment_statement(code, spki))
            made = devices.enrol(
                session, self.city.vault, code, spki, proof, now=now, random_bytes=self.city.random_bytes
            )
            return made.device_id

        return Validator(db.run(engine, work), signer)

    def batch(self, validator: Validator, size: int) -> bytes:
        """The gate's next records in a signed batch: `size` taps of as many different cards as there are."""
        now_ms = db.to_ms(self.city.clock.now())
        # every few hours of the last weeks, as riders travel: nobody rides a hundred times an hour
        first_ms = min(max(validator.last_ms, now_ms - _WEEKS_MS) + _WAVE_MS, now_ms - size * _HEADWAY_MS)
        items = tuple(self._tap(validator, first_ms + number * _HEADWAY_MS) for number in range(size))
        batch_id = uuid7(now_ms, self.city.random_bytes(10))
        return sign_batch(Batch(batch_id, validator.device_id, now_ms, 0, items), validator.signer)

    def _tap(self, validator: Validator, at_ms: int) -> bytes:
        # a gate reads at most one card in a millisecond; its clock may run ahead a little
        at_ms = validator.last_ms = max(at_ms, validator.last_ms + 1)
        validator.sequence += 1
        record = Record.of(
            Tap("bus", "ayala", "flat", _FARE_CENTS, "PHP", 1, 1),
            record_id=uuid7(at_ms, self.city.random_bytes(10)),
            terminal_id=validator.device_id,
            sequence=validator.sequence,
            previous=validator.previous,
            at_ms=at_ms,
        )
        validator.previous = record.hash()
        encoded = record.encode()
        signer = self.cards[validator.sequence % len(self.cards)]
        return Transaction(encoded, (authorise(encoded, Purpose.PRESENCE, signer),)).encode()


@contextmanager
def bench_city(url: str, *, people: int) -> Iterator[BenchCity]:
    """A new city in an empty database, gone afterwards (the database stays)."""
    with TemporaryDirectory(prefix="bench-city-") as folder:
        config = settings(url, Path(folder))
        city = app.init_city(config)
        feed = {path.name: path.read_bytes() for path in sorted(_FEED.glob("*.txt"))}
        now = city.clock.now()
        since = now - 2 * timedelta(milliseconds=_WEEKS_MS)
        db.run(city.engine, lambda session: transit.import_feed(session, feed, valid_from=since, by=_CLERK, now=now))
        try:
            yield BenchCity(city, tuple(_card(city) for _ in range(people)))
        finally:
            city.engine.dispose()


def settings(url: str, home: Path) -> Settings:
    return Settings(
        env=Environment.TEST,  # cheap passwords: nobody signs in
        home=home,
        database_url=url,
        city_name="Bench City",
        log_origin="bench.example/log",
        public_url="http://127.0.0.1:8080",
        vault_passphrase="the passphrase of the bench",
        bind_host="127.0.0.1",
        port=0,
    )


def _card(city: web.City) -> SoftwareSigner:
    """A resident with an empty wallet and an active card, through every verb that the counter would use."""
    now, random_bytes = city.clock.now(), city.random_bytes
    signers = {slot: SoftwareSigner.generate() for slot in CardSlot}

    def work(session: Session) -> None:
        person = residents.Registration(
            family_name="Dela Cruz",
            given_name="Ana",
            middle_name=secrets.token_hex(4),
            birth_date=date(1985, 6, 1),
            sex=residents.Sex.FEMALE,
            barangay_code="BR-07",
            address="12 Mabini St.",
        )
        resident = residents.register(session, person, by=_CLERK, now=now, random_bytes=random_bytes)
        wallets.open_wallets(session, [resident.id], now)
        order = cards.request(session, resident.id, by=_CLERK, now=now, random_bytes=random_bytes)
        cards.approve(session, order.id, by=_OFFICER, now=now)
        begun = cards.begin_personalisation(
            session, city.vault, order.id, by=_CLERK, now=now, random_bytes=random_bytes
        )
        proofs = [_proof(slot, signer, order.id, begun.challenge) for slot, signer in signers.items()]
        issued = cards.certify(session, city.vault, order.id, proofs, now=now, random_bytes=random_bytes)
        read_back = cards.readback_statement(order.id, issued.challenge)
        cards.report_ready(session, order.id, signers[CardSlot.CARD_AUTH].sign(read_back), by=_CLERK, now=now)
        handed = cards.handover_statement(order.id, issued.challenge)
        cards.hand_over(session, order.id, signers[CardSlot.SIGNATURE].sign(handed), by=_CLERK, now=now)

    db.run(city.engine, work)
    return signers[CardSlot.CARD_AUTH]


def _proof(slot: CardSlot, signer: SoftwareSigner, card_id: UUID, challenge: bytes) -> cards.KeyProof:
    point = keys.point(signer.public_key)
    return cards.KeyProof(slot, point, signer.sign(cards.possession_statement(card_id, slot, challenge, point)))
