"""Makers of what many tests need, through the real verbs: a resident, a card whose keys are in memory, a terminal."""

import base64
import itertools
import secrets
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from uuid import UUID

from flask import Blueprint, Flask
from flask.testing import FlaskClient
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from cardsvc import access, app, cards, db, devices, residents, web
from cardsvc.access import api as access_api
from cardsvc.access import pages as access_pages
from cardsvc.clock import Clock
from cardsvc.settings import CHEAP, Environment, Settings
from cardsvc.vault import Vault
from crypto import keys
from crypto.keys import SoftwareSigner
from crypto.pki import CardSlot

RandomBytes = Callable[[int], bytes]
CLERK, OFFICER = UUID(int=0xC1E2C), UUID(int=0x0FF1CE2)
"""Two members of staff, where a test does not care who they are."""

_people = itertools.count(1)
_HOMES = tempfile.TemporaryDirectory(prefix="city-homes-")  # gone when the tests end
_secrets = itertools.count(1)


def make_resident(
    session: Session,
    now: datetime,
    *,
    given_name: str = "Maria",
    family_name: str = "Dela Cruz",
    random_bytes: RandomBytes = secrets.token_bytes,
) -> residents.Resident:
    """A registered resident, another person each time."""
    registration = residents.Registration(
        family_name=family_name,
        given_name=given_name,
        middle_name=f"Santos {next(_people)}",
        birth_date=date(1985, 6, 1),
        sex=residents.Sex.FEMALE,
        barangay_code="BR-07",
        address="12 Mabini St.",
    )
    return residents.register(session, registration, by=CLERK, now=now, random_bytes=random_bytes)


@dataclass(frozen=True, slots=True)
class CardKeys:
    """The three keys of a card, in memory: what a card in a reader would sign."""

    signers: dict[CardSlot, SoftwareSigner]

    @classmethod
    def make(cls) -> "CardKeys":
        """Keys that no other card has; the same ones in the same place of every run."""
        return cls({slot: SoftwareSigner.from_secret(next(_secrets) << 64) for slot in CardSlot})

    def kid(self, slot: CardSlot) -> bytes:
        return keys.key_id(self.signers[slot].public_key)

    def proofs(self, card_id: UUID, challenge: bytes) -> tuple[cards.KeyProof, ...]:
        return tuple(self.proof(slot, card_id, challenge) for slot in self.signers)

    def proof(self, slot: CardSlot, card_id: UUID, challenge: bytes) -> cards.KeyProof:
        signer = self.signers[slot]
        point = keys.point(signer.public_key)
        statement = cards.possession_statement(card_id, slot, challenge, point)
        return cards.KeyProof(slot, point, signer.sign(statement))

    def readback(self, card_id: UUID, challenge: bytes) -> bytes:
        return self.signers[CardSlot.CARD_AUTH].sign(cards.readback_statement(card_id, challenge))

    def handover(self, card_id: UUID, challenge: bytes) -> bytes:
        return self.signers[CardSlot.SIGNATURE].sign(cards.handover_statement(card_id, challenge))


@dataclass(frozen=True, slots=True)
class SoftwareCard:
    """An active card and its keys."""

    card_id: UUID
    resident_id: UUID
    keys: CardKeys
    issued: cards.Issued


def make_card(
    session: Session,
    vault: Vault,
    resident_id: UUID,
    now: datetime,
    *,
    approved: bool = False,
    random_bytes: RandomBytes = secrets.token_bytes,
) -> SoftwareCard:
    """An active card, personalised through every verb that the counter would use. `approved`: the order that waits."""
    card_keys = CardKeys.make()
    order = cards.request(session, resident_id, by=CLERK, now=now, random_bytes=random_bytes)
    if not approved:
        cards.approve(session, order.id, by=OFFICER, now=now)
    begun = cards.begin_personalisation(session, vault, order.id, by=CLERK, now=now, random_bytes=random_bytes)
    proofs = card_keys.proofs(order.id, begun.challenge)
    issued = cards.certify(session, vault, order.id, proofs, now=now, random_bytes=random_bytes)
    cards.report_ready(session, order.id, card_keys.readback(order.id, issued.challenge), by=CLERK, now=now)
    cards.hand_over(session, order.id, card_keys.handover(order.id, issued.challenge), by=CLERK, now=now)
    return SoftwareCard(order.id, resident_id, card_keys, issued)


@dataclass(frozen=True, slots=True)
class SoftwareTerminal:
    """An enrolled terminal and its key."""

    device_id: UUID
    kind: devices.DeviceKind
    signer: SoftwareSigner
    certificate: bytes


def make_device(
    session: Session,
    vault: Vault,
    now: datetime,
    *,
    kind: devices.DeviceKind = devices.DeviceKind.COUNTER,
    name: str = "City Hall, window 3",
    random_bytes: RandomBytes = secrets.token_bytes,
) -> SoftwareTerminal:
    """A terminal that enrolled with a code and a proof."""
    signer = SoftwareSigner.from_secret(next(_secrets) << 64)
    code = devices.invite(session, kind, name, by=OFFICER, now=now, random_bytes=random_bytes)
    spki = keys.spki(signer.public_key)
    proof = signer.sign(devices.enrolment_statement(code, spki))
    made = devices.enrol(session, vault, code, spki, proof, now=now, random_bytes=random_bytes)
    return SoftwareTerminal(made.device_id, kind, signer, made.certificate)


PASSWORD = "the password of a test"


def make_staff(
    session: Session,
    now: datetime,
    *roles: str,
    username: str | None = None,
    random_bytes: RandomBytes = secrets.token_bytes,
) -> access.StaffMember:
    """A staff member with these roles (clerk when none is named), who signs in and signs with `PASSWORD`."""
    number = next(_people)
    return access.add_staff(
        session,
        username=username or f"staff{number}",
        full_name=f"Staff Member {number}",
        roles=roles or ("clerk",),
        password=PASSWORD,
        now=now,
        random_bytes=random_bytes,
        cost=CHEAP,
    )


def make_city(
    engine: Engine,
    vault: Vault,
    clock: Clock,
    *,
    random_bytes: RandomBytes = secrets.token_bytes,
    env: Environment = Environment.TEST,
    public_url: str = "http://localhost",
    home: Path | None = None,
) -> web.City:
    """A city of these parts, with the accounts that every city begins with. `home` may be another process's too."""
    settings = Settings(
        env=env,
        home=home or Path(tempfile.mkdtemp(dir=_HOMES.name)),
        database_url=str(engine.url),
        city_name=vault.city_name,
        log_origin=vault.log_origin,
        public_url=public_url,
        vault_passphrase="",
        bind_host="127.0.0.1",
        port=0,
    )
    city = app.assemble(settings, vault, engine, clock=clock, random_bytes=random_bytes)
    app.open_base_accounts(city)
    return city


def app_with(city: web.City, *blueprints: Blueprint) -> Flask:
    """A web app of sign-in and these routes alone: for a room whose tests wire it themselves."""
    made = Flask("cardsvc")
    web.init(made, city)
    web.register(made, access_api.blueprint, access_pages.blueprint, *blueprints)
    made.testing = True
    return made


def staff_token(city: web.City, client: FlaskClient, *roles: str) -> dict[str, str]:
    """The header of a new staff member with these roles, who has signed in."""
    member = db.run(city.engine, lambda session: make_staff(session, city.clock.now(), *roles))
    answer = client.post("/v1/sign-in", json={"username": member.username, "password": PASSWORD})
    return {"Authorization": f"Bearer {answer.get_json()['token']}"}


def base64url(data: bytes) -> str:
    """Bytes as the API writes them."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
