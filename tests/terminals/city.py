"""A small city for terminals that are tested without a service: an authority, a policy, cards issued by its own hand.

Everything is real but the service: certificates and policies are signed, cards answer APDUs; the network is off.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

from crypto import keys, pki
from crypto.pki import CardSlot
from crypto.tlog import NoteVerifier
from crypto.wire.citykeys import CityKeys
from crypto.wire.denylist import DenyList, pack, sign_list
from crypto.wire.policy import FlatFare, OfflineLimits, Policy, sign_policy
from terminals.card import (
    CardConnection,
    CardSettings,
    CardState,
    DataObject,
    Interface,
    LocalReader,
    PivSession,
    SimulatedCard,
    Slot,
    encode_certificate,
)
from terminals.client import Reply, Send, ServiceUnreachable
from terminals.outbox import Newcomer, enrolment_key, save_identity
from terminals.settings import TerminalKind, TerminalSettings
from terminals.station import Station

NOON = datetime(2026, 9, 21, 4, 0, tzinfo=UTC)  # noon in Manila
NOON_MS = int(NOON.timestamp() * 1000)
HOUR_MS = 60 * 60 * 1000
DAY_MS = 24 * HOUR_MS
PIN = b"246810"

MARIA = UUID("11111111-1111-4111-8111-111111111111")
JUAN = UUID("22222222-2222-4222-8222-222222222222")
TERMINAL_ID = UUID("01890a5d-ac96-774b-bcce-b302099a8057")

LIMITS = OfflineLimits(
    tap_cents_max=5_000, card_day_cents_max=10_000, card_day_taps_max=5, policy_age_ms_max=2 * DAY_MS
)
BUS = FlatFare("bus", "adult", 1_300, "PHP")


@dataclass(slots=True)
class SetClock:
    """A terminal's clock that stands still until it is moved."""

    at_ms: int = NOON_MS

    def now_ms(self) -> int:
        return self.at_ms

    def advance(self, ms: int) -> None:
        self.at_ms += ms


def network_off(_method: str, _path: str, _headers: Mapping[str, str], _body: bytes | None) -> Reply:
    raise ServiceUnreachable("http://city.test")


class SmallCity:
    """`seed` tells one city from another."""

    def __init__(self, seed: int = 1) -> None:
        self.signer = keys.SoftwareSigner.from_secret(1_000 * seed)
        self.authority = pki.create_root(
            f"City {seed}",
            self.signer,
            serial=seed,
            not_before=NOON - timedelta(days=30),
            not_after=NOON + timedelta(days=3_650),
        )
        log = keys.Ed25519Signer.from_secret(seed)
        self.keys = CityKeys(
            (self.signer.public_key,), (NoteVerifier("city.test/log", log.public_key),), (self.signer.public_key,)
        )

    def policy(
        self,
        *,
        number: int = 1,
        issued_at_ms: int = NOON_MS,
        deny: tuple[UUID, ...] = (),
        limits: OfflineLimits = LIMITS,
        fares: tuple[FlatFare, ...] = (BUS,),
        holds: tuple[FlatFare, ...] = (),
        deny_number: int = 0,
    ) -> bytes:
        """A signed policy, in force for a day."""
        return sign_policy(
            Policy(
                number=number,
                issued_at_ms=issued_at_ms,
                expires_at_ms=issued_at_ms + DAY_MS,
                card_authorities=(pki.to_der(self.authority),),
                terminal_authorities=(pki.to_der(self.authority),),
                deny=tuple(sorted(deny, key=lambda card_id: card_id.bytes)),
                limits=limits,
                fares=fares,
                holds=holds,
                tariff_version=1,
                city_keys=self.keys.format(),
                deny_number=deny_number,
            ),
            self.signer,
        )

    def deny_list(
        self,
        number: int,
        *,
        cards: tuple[UUID, ...] = (),
        key_ids: tuple[bytes, ...] = (),
        owing: tuple[UUID, ...] = (),
        issued_at_ms: int = NOON_MS,
    ) -> bytes:
        """A signed deny list."""
        packed, owe = (pack(card_id.bytes for card_id in some) for some in (cards, owing))
        return sign_list(DenyList(number, issued_at_ms, packed, pack(key_ids), owing=owe), self.signer)

    def card(self, card_id: UUID = MARIA, *, secret: int = 7, days: int = 365) -> SimulatedCard:
        """An issued card: three keys, three certificates, the holder's PIN."""
        state = CardState.blank(CardSettings())
        state.pin = PIN.ljust(8, b"\xff")
        for slot in CardSlot:
            holder = keys.SoftwareSigner.from_secret(secret * 1_000 + slot)
            certificate = pki.create_card_certificate(
                slot,
                holder.public_key,
                card_id,
                issuer=self.authority,
                signer=self.signer,
                serial=secret * 1_000 + slot,
                not_before=NOON - timedelta(days=1),
                not_after=NOON + timedelta(days=days),
            )
            # SoftwareSigner.from_secret reduces its secret to 1..n-1 in this way
            state.keys[int(slot)] = (secret * 1_000 + slot) % (keys.ORDER - 1) + 1
            state.objects[DataObject.certificate(Slot(int(slot))).value] = encode_certificate(pki.to_der(certificate))
        return SimulatedCard(state)

    def station(
        self,
        home: Path,
        kind: TerminalKind,
        *,
        clock: SetClock | None = None,
        send: Send = network_off,
        policy: bytes | None = None,
        device_id: UUID = TERMINAL_ID,
    ) -> Station:
        """An enrolled terminal with a policy; `policy` empty bytes for none."""
        settings = TerminalSettings(kind, "http://city.test", home)
        enrolment_key(home)
        save_identity(home, kind, kind, Newcomer(device_id, b"certificate", self.keys.format()))
        station = Station.open(settings, send=send, clock=clock or SetClock())
        if policy != b"":
            station.policies.keep(policy or self.policy())
        return station


@dataclass(slots=True)
class CountingConnection:
    """A connection that counts what goes to the card."""

    inner: CardConnection
    sent: int = 0
    instructions: list[int] = field(default_factory=list)

    @property
    def atr(self) -> bytes:
        return self.inner.atr

    @property
    def interface(self) -> Interface:
        return self.inner.interface

    def transmit(self, frame: bytes | bytearray) -> bytes:
        self.sent += 1
        self.instructions.append(frame[1])
        return self.inner.transmit(frame)

    def close(self) -> None:
        self.inner.close()


def inserted(card: SimulatedCard, interface: Interface = Interface.CONTACT) -> LocalReader:
    reader = LocalReader(interface=interface)
    reader.insert(card)
    return reader


def session(card: SimulatedCard, interface: Interface = Interface.CONTACT) -> PivSession:
    """The card, connected to; not selected yet."""
    return PivSession(inserted(card, interface).connect())
