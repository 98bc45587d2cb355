"""A gate to measure: a city's authority and policy, cards of it, and an enrolled validator in a folder of its own.

The network is off: what is measured is what a gate does by itself.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import UUID

from crypto import keys, pki
from crypto.pki import CardSlot
from crypto.tlog import NoteVerifier
from crypto.wire.citykeys import CityKeys
from crypto.wire.denylist import DenyList, pack, sign_list
from crypto.wire.policy import FlatFare, OfflineLimits, Policy, sign_policy
from terminals.card import CardSettings, CardState, DataObject, SimulatedCard, Slot, encode_certificate
from terminals.client import Reply, ServiceUnreachable
from terminals.outbox import Newcomer, enrolment_key, save_identity
from terminals.settings import TerminalKind, TerminalSettings
from terminals.station import Station
from terminals.validator import Place, Validator

_MORNING = datetime(2026, 9, 20, 20, tzinfo=UTC)  # four o'clock in Manila: a whole day of taps fits behind it
_MORNING_MS = int(_MORNING.timestamp() * 1000)
_DAY_MS = 86_400_000
_AMPLE = 10**9
_STEP_MS = 131_000  # a card that comes again sooner is taken for the same tap, or for a guest's


@dataclass(slots=True)
class SteppingClock:
    """A gate's clock that goes on by a fixed step when it is told to."""

    at_ms: int = _MORNING_MS

    def now_ms(self) -> int:
        return self.at_ms

    def step(self) -> None:
        self.at_ms += _STEP_MS


class GateCity:
    """An authority that signs whatever it is asked for."""

    def __init__(self) -> None:
        self.signer = keys.SoftwareSigner.generate()
        self._authority = pki.create_root(
            "Bench City",
            self.signer,
            serial=1,
            not_before=_MORNING - timedelta(days=30),
            not_after=_MORNING + timedelta(days=3_650),
        )
        log = NoteVerifier("bench.example/log", keys.Ed25519Signer.generate().public_key)
        self.keys = CityKeys((self.signer.public_key,), (log,), (self.signer.public_key,))

    def policy(self, deny_number: int = 0) -> bytes:
        """Signed, in force for a day."""
        authority = pki.to_der(self._authority)
        limits = OfflineLimits(
            tap_cents_max=_AMPLE, card_day_cents_max=_AMPLE, card_day_taps_max=_AMPLE, policy_age_ms_max=_DAY_MS
        )
        return sign_policy(
            Policy(
                number=1,
                issued_at_ms=_MORNING_MS,
                expires_at_ms=_MORNING_MS + _DAY_MS,
                card_authorities=(authority,),
                terminal_authorities=(authority,),
                deny=(),
                limits=limits,
                fares=(FlatFare("bus", "adult", 13_00, "PHP"),),
                tariff_version=1,
                city_keys=self.keys.format(),
                deny_number=deny_number,
            ),
            self.signer,
        )

    def deny_list(self, card_ids: list[UUID]) -> bytes:
        """Signed; number 1."""
        packed = pack(card_id.bytes for card_id in card_ids)
        return sign_list(DenyList(1, _MORNING_MS, packed, b""), self.signer)

    def card(self, card_id: UUID) -> SimulatedCard:
        """An issued card as far as a gate asks for it: its 9E key and certificate."""
        state, slot, secret = CardState.blank(CardSettings()), CardSlot.CARD_AUTH, card_id.int % (keys.ORDER - 1) + 1
        certificate = pki.create_card_certificate(
            slot,
            keys.SoftwareSigner.from_secret(secret - 1).public_key,
            card_id,
            issuer=self._authority,
            signer=self.signer,
            serial=card_id.int % 2**64 + 1,
            not_before=_MORNING - timedelta(days=1),
            not_after=_MORNING + timedelta(days=365),
        )
        state.keys[int(slot)] = secret
        state.objects[DataObject.certificate(Slot(int(slot))).value] = encode_certificate(pki.to_der(certificate))
        return SimulatedCard(state)


@contextmanager
def bench_gate(city: GateCity, clock: SteppingClock, deny_list: bytes) -> Iterator[Validator]:
    """An enrolled validator on a bus, with a policy and the deny list that it names."""
    with TemporaryDirectory(prefix="bench-gate-") as folder:
        home, kind = Path(folder), TerminalKind.VALIDATOR
        enrolment_key(home)
        save_identity(home, kind, kind, Newcomer(UUID(int=7), b"certificate", city.keys.format()))
        station = Station.open(TerminalSettings(kind, "http://city.test", home), send=_network_off, clock=clock)
        try:
            station.policies.keep(city.policy(deny_number=1))
            station.denials.keep_list(deny_list, city.keys.format())
            yield Validator(station, Place("bus", "stop-1"), lambda _result: None)
        finally:
            station.close()


def _network_off(_method: str, _path: str, _headers: Mapping[str, str], _body: bytes | None) -> Reply:
    raise ServiceUnreachable("http://city.test")
