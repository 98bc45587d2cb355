"""What goes onto the chip beside keys and certificates: by setting, signed as a whole, the same when asked again."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from cardsvc import cards, residents
from cardsvc.cards import ManagementKeyState
from cardsvc.cards.models import CardObjectRow
from cardsvc.clock import FixedClock
from cardsvc.residents.models import ResidentPhotoRow
from cardsvc.settings import CardSettings
from cardsvc.vault import Vault
from crypto import pki
from crypto.errors import InvalidSignature
from tests.builders import CLERK, OFFICER, CardKeys, make_resident

RandomBytes = Callable[[int], bytes]
CAPABILITIES, DISCOVERY, PRINTED, FACE = 0x5FC107, 0x7E, 0x5FC109, 0x5FC108
ALL = CardSettings(printed_information=True, face=True)
JPEG = bytes.fromhex("FFD8FFE0") + bytes(500) + bytes.fromhex("FFD9")


@dataclass(frozen=True, slots=True)
class Bench:
    """A counter with an approved order."""

    session: Session
    vault: Vault
    clock: FixedClock
    random_bytes: RandomBytes
    keys: CardKeys

    @property
    def now(self) -> datetime:
        return self.clock.now()

    def order(self, photo: bytes | None = None) -> UUID:
        resident = make_resident(self.session, self.now)
        if photo is not None:
            self.photograph(resident.id, 1, photo)
        order = cards.request(self.session, resident.id, by=CLERK, now=self.now, random_bytes=self.random_bytes)
        return cards.approve(self.session, order.id, by=OFFICER, now=self.now).id

    def photograph(self, resident_id: UUID, number: int, photo: bytes) -> None:
        values = {"media_type": "image/jpeg", "width": 300, "height": 400, "content": photo, "number": number}
        values |= {"resident_id": resident_id, "stored_at": self.now, "stored_by": CLERK}
        values |= {"content_hash": hashlib.sha256(photo).digest()}
        self.session.execute(sa.update(ResidentPhotoRow).values(content=None))
        self.session.execute(sa.insert(ResidentPhotoRow).values(values))

    def begin(
        self,
        card_id: UUID,
        settings: CardSettings = ALL,
        *,
        algorithm: int | None = None,
        production: bool = False,
    ) -> cards.Instructions:
        return cards.begin_personalisation(
            self.session,
            self.vault,
            card_id,
            by=CLERK,
            now=self.now,
            random_bytes=self.random_bytes,
            settings=settings,
            algorithm=algorithm,
            production=production,
        )

    def certify(self, begun: cards.Instructions) -> cards.Issued:
        proofs = self.keys.proofs(begun.card_id, begun.challenge)
        return cards.certify(
            self.session, self.vault, begun.card_id, proofs, now=self.now, random_bytes=self.random_bytes
        )

    def kept(self) -> int:
        return self.session.execute(sa.select(sa.func.count()).select_from(CardObjectRow)).scalar_one()


@pytest.fixture
def bench(session: Session, vault: Vault, clock: FixedClock, random_bytes: RandomBytes) -> Bench:
    return Bench(session, vault, clock, random_bytes, CardKeys.make())


def test_without_a_setting_the_chip_gets_what_the_standard_demands_and_no_person(bench: Bench) -> None:
    begun = bench.begin(bench.order(JPEG), CardSettings())
    assert (begun.printed, begun.face) == (None, None)
    issued = bench.certify(begun)
    assert issued.printed_information is None
    assert issued.security_object is not None
    content = bench.vault.certificate("content")
    objects = {CAPABILITIES: issued.capabilities, DISCOVERY: issued.discovery[2:]}
    assert pki.check_security_object(issued.security_object, objects, content) == {CAPABILITIES, DISCOVERY}


def test_the_security_object_vouches_for_every_object_that_the_setting_adds(bench: Bench) -> None:
    begun = bench.begin(bench.order(JPEG))
    assert begun.printed is not None
    assert begun.face is not None
    issued = bench.certify(begun)
    assert issued.printed_information is not None
    assert issued.security_object is not None
    printed = pki.read_printed_information(issued.printed_information)
    assert (printed.name, printed.issuer) == (begun.printed.name, "Maharlika City")
    assert printed.expires_on == begun.expires_on
    content = bench.vault.certificate("content")
    objects = {
        CAPABILITIES: issued.capabilities,
        DISCOVERY: issued.discovery[2:],
        PRINTED: issued.printed_information,
        FACE: begun.face,
    }
    assert pki.check_security_object(issued.security_object, objects, content) == set(objects)
    with pytest.raises(InvalidSignature):
        pki.check_security_object(issued.security_object, objects | {PRINTED: b"\x01\x01X"}, content)


def test_the_same_question_gets_the_same_bytes_though_the_photo_changed_meanwhile(bench: Bench) -> None:
    begun = bench.begin(bench.order(JPEG))
    issued = bench.certify(begun)
    bench.photograph(cards.find(bench.session, begun.card_id).resident_id, 2, JPEG + b"\x00")
    assert bench.certify(begun) == issued


def test_a_face_leaves_the_cards_room_when_the_card_is_ready(bench: Bench) -> None:
    begun = bench.begin(bench.order(JPEG))
    issued = bench.certify(begun)
    assert bench.kept() == 3
    signature = bench.keys.readback(begun.card_id, issued.challenge)
    cards.report_ready(bench.session, begun.card_id, signature, by=CLERK, now=bench.now)
    assert bench.kept() == 0


def test_another_attempt_lays_out_anew(bench: Bench) -> None:
    card_id = bench.order(JPEG)
    bench.certify(bench.begin(card_id))
    begun = bench.begin(card_id, CardSettings())
    assert (begun.face, bench.kept()) == (None, 0)


def test_a_photo_that_fits_on_no_chip_is_refused_and_says_what_to_store(bench: Bench) -> None:
    with pytest.raises(cards.UnsuitablePhoto, match="JPEG"):
        bench.begin(bench.order(JPEG + bytes(20_000)))
    assert bench.begin(bench.order(None)).face is None  # no photo is no fault


def test_the_holder_sees_who_was_shown_name_and_photo_at_the_counter(bench: Bench) -> None:
    begun = bench.begin(bench.order(JPEG))
    resident_id = cards.find(bench.session, begun.card_id).resident_id
    [look] = residents.looks(bench.session, resident_id).looks
    assert (look.purpose, "photo" in look.fields) == ("personalising a card", True)


@pytest.mark.parametrize(("algorithm", "size"), [(0x03, 24), (0x08, 16), (0x0A, 24), (0x0C, 32)])
def test_the_management_key_is_of_the_algorithm_that_the_counter_found(bench: Bench, algorithm: int, size: int) -> None:
    begun = bench.begin(bench.order(), algorithm=algorithm)
    assert (begun.algorithm, len(begun.management_key)) == (algorithm, size)
    if algorithm == 0x03:
        assert all(byte.bit_count() % 2 == 1 for byte in begun.management_key)
    assert bench.begin(begun.card_id, algorithm=algorithm).management_key == begun.management_key


def test_production_makes_no_card_with_3des_or_with_a_key_it_was_delivered_with(bench: Bench) -> None:
    with pytest.raises(cards.WithdrawnAlgorithm):
        bench.begin(bench.order(), algorithm=0x03, production=True)
    with pytest.raises(cards.UnknownAlgorithm):
        bench.begin(bench.order(), algorithm=0x11)
    begun = bench.begin(bench.order(), CardSettings())
    signature = bench.keys.readback(begun.card_id, bench.certify(begun).challenge)
    kept = ManagementKeyState.KEPT
    with pytest.raises(cards.KeptInProduction):
        cards.report_ready(
            bench.session, begun.card_id, signature, by=CLERK, now=bench.now, management_key=kept, production=True
        )
    ready = cards.report_ready(bench.session, begun.card_id, signature, by=CLERK, now=bench.now, management_key=kept)
    assert ready.management_key is kept
