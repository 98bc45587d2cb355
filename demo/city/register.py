"""Staff, residents, cards and terminals of the demo city, by the service's batch verbs and with every proof made."""

import random
from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy.orm import Session

from cardsvc import access, cards, devices, residents, wallets, web
from cardsvc.settings import CHEAP
from crypto import keys
from crypto.pki import CardSlot
from demo.cast import STAFF, Member
from demo.city.machines import SoftCard, SoftTerminal, signer
from demo.city.people import Person

_SLOTS: Final = (
    ("9A", CardSlot.AUTHENTICATION),
    ("9C", CardSlot.SIGNATURE),
    ("9E", CardSlot.CARD_AUTH),
)
TERMINALS: Final = (
    ("counter", "City Hall counter 1"),
    ("counter", "Guadalupe satellite counter"),
    ("kiosk", "City Hall kiosk"),
    ("kiosk", "Poblacion barangay hall kiosk"),
    ("validator", "Bus L1 front door"),
    ("validator", "Bus L2 front door"),
    ("validator", "Guadalupe ferry gate"),
)


def add_staff(session: Session, city: web.City, now: datetime) -> dict[str, UUID]:
    """The demo staff, flagged as such: production refuses them. Returns their ids by user name."""
    return {member.username: _add(session, city, member, now) for member in STAFF}


def _add(session: Session, city: web.City, member: Member, now: datetime) -> UUID:
    made = access.add_staff(
        session,
        username=member.username,
        full_name=member.full_name,
        roles=member.roles,
        password=member.password,
        now=now,
        random_bytes=city.random_bytes,
        cost=CHEAP,  # everybody knows these passwords
        demo=True,
    )
    return made.id


def register(
    session: Session, city: web.City, people: Sequence[Person], *, by: UUID, now: datetime
) -> list[residents.Resident]:
    """Everybody into the register, each with a wallet."""
    registrations = [
        residents.Registration(
            family_name=person.family_name,
            given_name=person.given_name,
            middle_name=person.middle_name,
            birth_date=person.birth_date,
            sex=residents.Sex(person.sex),
            barangay_code=person.barangay_code,
            address=person.address,
            mobile=person.mobile,
        )
        for person in people
    ]
    made = residents.register_many(session, registrations, by=by, now=now, random_bytes=city.random_bytes)
    wallets.open_wallets(session, [resident.id for resident in made], now)
    return made


def issue(
    session: Session,
    city: web.City,
    registered: Sequence[residents.Resident],
    *,
    seed: int,
    by: UUID,
    approver: UUID,
    now: datetime,
) -> list[SoftCard]:
    """A card for everybody: keys in software, but the proofs of possession are real ones."""
    chance = random.Random(f"cards:{seed}")
    made: list[SoftCard] = []
    reports: list[cards.IssueReport] = []
    for number, resident in enumerate(registered):
        card = SoftCard(UUID(bytes=chance.randbytes(16), version=4), resident.id, seed, number)
        made.append(card)
        reports.append(_report(city, card))
    cards.issue_many(session, city.vault, reports, by=by, approver=approver, now=now, random_bytes=city.random_bytes)
    return made


def _report(city: web.City, card: SoftCard) -> cards.IssueReport:
    challenges = cards.batch_challenges(city.vault, card.card_id)
    proofs = []
    for name, slot in _SLOTS:
        key = card.key(name)
        point = keys.point(key.public_key)
        statement = cards.possession_statement(card.card_id, slot, challenges.possession, point)
        proofs.append(cards.KeyProof(slot, point, key.sign(statement)))
    return cards.IssueReport(
        card_id=card.card_id,
        resident_id=card.resident_id,
        proofs=tuple(proofs),
        readback=card.key("9E").sign(cards.readback_statement(card.card_id, challenges.readback)),
        handover=card.key("9C").sign(cards.handover_statement(card.card_id, challenges.readback)),
    )


def enrol_terminals(session: Session, city: web.City, *, seed: int, by: UUID, now: datetime) -> list[SoftTerminal]:
    """The city's terminals, each invited and enrolled with the proof that it holds its key."""
    made = []
    for kind, name in TERMINALS:
        key = signer(seed, "terminal", name)
        spki = keys.spki(key.public_key)
        code = devices.invite(session, devices.DeviceKind(kind), name, by=by, now=now, random_bytes=city.random_bytes)
        proof = key.sign(devices.enrolment_statement(code, spki))
        enrolment = devices.enrol(session, city.vault, code, spki, proof, now=now, random_bytes=city.random_bytes)
        made.append(SoftTerminal(enrolment.device_id, name, kind, key, random.Random(f"{name}:{seed}")))
    return made
