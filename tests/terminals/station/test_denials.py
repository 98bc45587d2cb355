"""The deny list at the terminal: whatever is offered, in whatever order, it holds a list of the city or says no."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crypto.errors import CryptoError, InvalidSignature, MalformedMessage
from crypto.wire.denylist import DeltaDoesNotFit, DenyDelta, DenyList, pack, sign_delta, sign_list, unpack
from terminals.client import Reply, ServiceRefused, ServiceUnreachable
from terminals.settings import TerminalKind
from terminals.station import DenyListRefused, NoDenyList, Station
from terminals.station.denials import DenyKeeper
from tests.terminals.city import MARIA, NOON_MS, SetClock, SmallCity

CITY, OTHER = SmallCity(), SmallCity(2)
KEYS = CITY.keys.format()
ENTRY = st.integers(0, 12).map(lambda number: number.to_bytes(16, "big"))
HISTORY = st.lists(st.tuples(st.frozensets(ENTRY), st.frozensets(ENTRY)), min_size=1, max_size=6)
PROBLEM = b'{"code": "no_delta", "detail": "Take the whole list."}'


@dataclass
class History:
    """The lists of a city, number 1 first."""

    lists: list[DenyList]

    @classmethod
    def of(cls, contents: Sequence[tuple[frozenset[bytes], frozenset[bytes]]]) -> "History":
        return cls(
            [
                DenyList(number, NOON_MS + number, pack(cards), pack(key_ids))
                for number, (cards, key_ids) in enumerate(contents, start=1)
            ]
        )

    def whole(self, number: int, city: SmallCity = CITY) -> bytes:
        return sign_list(self.lists[number - 1], city.signer)

    def step(self, base: int, number: int, city: SmallCity = CITY) -> bytes:
        older, newer = self.lists[base - 1], self.lists[number - 1]
        cards, cards_then = set(unpack(older.cards)), set(unpack(newer.cards))
        key_ids, keys_then = set(unpack(older.keys)), set(unpack(newer.keys))
        delta = DenyDelta(
            base_number=base,
            base_hash=older.hash(),
            number=number,
            result_hash=newer.hash(),
            issued_at_ms=newer.issued_at_ms,
            added_cards=pack(cards_then - cards),
            removed_cards=pack(cards - cards_then),
            added_keys=pack(keys_then - key_ids),
            removed_keys=pack(key_ids - keys_then),
        )
        return sign_delta(delta, city.signer)


@pytest.fixture
def keeper(tmp_path: Path) -> DenyKeeper:
    return DenyKeeper(tmp_path / "denylist.cbor")


THREE = History.of([(frozenset(), frozenset()), (frozenset({bytes(16)}), frozenset()), (frozenset(), frozenset())])


def test_a_new_terminal_holds_no_list(keeper: DenyKeeper) -> None:
    assert (keeper.current(), keeper.base_number(), keeper.covering(0)) == (None, 0, None)
    with pytest.raises(NoDenyList):
        keeper.covering(1)
    with pytest.raises(DenyListRefused):
        keeper.keep_delta(THREE.step(1, 2), KEYS)


def test_a_step_leads_to_the_newer_list_and_both_survive_a_restart(keeper: DenyKeeper, tmp_path: Path) -> None:
    keeper.keep_list(THREE.whole(1), KEYS)
    assert keeper.keep_delta(THREE.step(1, 2), KEYS) == THREE.lists[1]
    again = DenyKeeper(tmp_path / "denylist.cbor")
    assert (again.current(), again.base_number()) == (THREE.lists[1], 1)
    assert again.keep_delta(THREE.step(1, 3), KEYS) == THREE.lists[2]
    assert keeper.current() == THREE.lists[2]  # another program of this terminal took it in: it is noticed


def test_an_older_list_is_refused_and_the_one_here_stays(keeper: DenyKeeper) -> None:
    keeper.keep_list(THREE.whole(2), KEYS)
    with pytest.raises(DenyListRefused, match="taken"):
        keeper.keep_list(THREE.whole(1), KEYS)
    assert keeper.current() == THREE.lists[1]


def test_another_list_of_the_same_number_is_refused(keeper: DenyKeeper) -> None:
    keeper.keep_list(THREE.whole(2), KEYS)
    keeper.keep_list(THREE.whole(2), KEYS)
    with pytest.raises(DenyListRefused) as refused:
        keeper.keep_list(CITY.deny_list(2, cards=(MARIA,)), KEYS)
    assert "another list" in refused.value.reason
    assert keeper.current() == THREE.lists[1]


def test_what_another_key_signed_is_refused(keeper: DenyKeeper) -> None:
    keeper.keep_list(THREE.whole(1), KEYS)
    with pytest.raises(InvalidSignature):
        keeper.keep_list(THREE.whole(3, OTHER), KEYS)
    with pytest.raises(InvalidSignature):
        keeper.keep_delta(THREE.step(1, 2, OTHER), KEYS)
    assert keeper.current() == THREE.lists[0]


def test_a_step_from_elsewhere_is_refused(keeper: DenyKeeper) -> None:
    keeper.keep_list(THREE.whole(1), KEYS)
    with pytest.raises(DeltaDoesNotFit):
        keeper.keep_delta(THREE.step(2, 3), KEYS)
    with pytest.raises(MalformedMessage):
        keeper.keep_delta(b"no step", KEYS)
    keeper.keep_delta(THREE.step(1, 3), KEYS)
    with pytest.raises(DenyListRefused):
        keeper.keep_delta(THREE.step(1, 2), KEYS)
    assert keeper.current() == THREE.lists[2]


@pytest.mark.parametrize("content", [b"", b"\x80", b"\x81\x82\x41\x00\x60"])
def test_a_file_that_cannot_be_read_is_no_list_and_is_fetched_again(
    keeper: DenyKeeper, tmp_path: Path, content: bytes
) -> None:
    keeper.keep_list(THREE.whole(2), KEYS)
    (tmp_path / "denylist.cbor").unlink()
    (tmp_path / "denylist.cbor").write_bytes(content)
    assert keeper.current() is None
    with pytest.raises(NoDenyList):
        keeper.covering(1)
    keeper.keep_list(THREE.whole(3), KEYS)
    assert keeper.current() == THREE.lists[2]


# ------------------------------------------------------------------------------------------------- whatever may happen


@dataclass
class CityOnTheWire:
    """Answers for a history up to a number, as the service does. What is in `wrong` goes wrong, in its own way."""

    history: History
    number: int = 1
    wrong: dict[str, str] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def __call__(self, _method: str, path: str, _headers: Mapping[str, str], _body: bytes | None) -> Reply:
        kind = "delta" if "/deltas/" in path else path.rsplit("/", 1)[-1]
        self.asked.append(kind)
        fault = self.wrong.get(kind)
        if fault == "lost":
            raise ServiceUnreachable("http://city.test")
        if fault == "none":
            return Reply(404, PROBLEM)
        if fault == "noise":
            return Reply(200, b"noise")
        signer = OTHER if fault == "other" else CITY
        offered = 1 if fault == "old" else self.number
        if kind == "policy":
            return Reply(200, signer.policy(number=offered, deny_number=offered))
        if kind == "deny-list":
            return Reply(200, self.history.whole(offered, signer))
        base = int(path.rsplit("/", 1)[-1])
        return Reply(200, self.history.step(base, self.number, signer)) if base < self.number else Reply(404, PROBLEM)


FAULT = st.sampled_from(["", "lost", "none", "noise", "other", "old"])
TURN = st.tuples(st.integers(0, 2), FAULT, FAULT, FAULT)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(HISTORY, st.lists(TURN, max_size=8), st.booleans())
def test_whatever_the_network_does_the_list_is_the_citys_and_covers_the_policy(
    tmp_path_factory: pytest.TempPathFactory,
    contents: list[tuple[frozenset[bytes], frozenset[bytes]]],
    turns: list[tuple[int, str, str, str]],
    restarts: bool,
) -> None:
    wire = CityOnTheWire(History.of(contents))
    home, clock = tmp_path_factory.mktemp("home"), SetClock()
    station = CITY.station(home, TerminalKind.VALIDATOR, clock=clock, send=wire, policy=b"")
    held = 0
    for forward, *faults in turns:
        wire.number = min(wire.number + forward, len(contents))
        wire.wrong = dict(zip(("policy", "delta", "deny-list"), faults, strict=True))
        try:
            station.refresh()
        except (CryptoError, ServiceRefused, ServiceUnreachable, DenyListRefused):
            pass
        else:
            assert station.denials.covering(station.policy().deny_number)
        if restarts:
            station.close()
            station = CITY.station(home, TerminalKind.VALIDATOR, clock=clock, send=wire, policy=b"")
        found = station.denials.current()
        if found:
            assert found == wire.history.lists[found.number - 1]
            assert found.number >= held
            held = found.number
    wire.wrong = {}
    station.refresh()
    assert station.denials.current() == wire.history.lists[wire.number - 1]
    station.close()


OFFER = st.tuples(st.sampled_from(["whole", "step", "other", "noise"]), st.integers(1, 6), st.integers(1, 6))


@settings(max_examples=60, deadline=None)
@given(HISTORY, st.lists(OFFER, max_size=12))
def test_lists_and_steps_in_any_order_lead_to_a_list_of_the_city(
    tmp_path_factory: pytest.TempPathFactory,
    contents: list[tuple[frozenset[bytes], frozenset[bytes]]],
    offers: list[tuple[str, int, int]],
) -> None:
    history, keeper = History.of(contents), DenyKeeper(tmp_path_factory.mktemp("home") / "denylist.cbor")
    for kind, one, two in offers:
        before = keeper.current()
        first, last = sorted((min(one, len(contents)), min(two, len(contents))))
        try:
            if kind == "step" and first < last:
                keeper.keep_delta(history.step(first, last), KEYS)
            elif kind == "noise":
                keeper.keep_list(history.whole(last)[:-one], KEYS)
            else:
                keeper.keep_list(history.whole(last, OTHER if kind == "other" else CITY), KEYS)
        except (CryptoError, DenyListRefused):
            assert keeper.current() == before
            continue
        now = keeper.current()
        assert kind not in {"noise", "other"}
        assert now == history.lists[last - 1]
        assert before is None or now.number >= before.number


def test_the_step_is_asked_for_first_and_the_whole_list_when_it_does_not_help(tmp_path: Path) -> None:
    wire = CityOnTheWire(THREE)
    station = CITY.station(tmp_path, TerminalKind.VALIDATOR, send=wire, policy=b"")

    def asked(number: int, **wrong: str) -> list[str]:
        wire.number, wire.wrong, wire.asked = number, wrong, []
        station.refresh()
        return wire.asked

    assert asked(1) == ["policy", "deny-list"]
    assert asked(1) == ["policy"]
    assert asked(2) == ["policy", "delta"]
    assert asked(3, delta="other") == ["policy", "delta", "deny-list"]
    station.close()


def test_a_policy_whose_list_does_not_come_is_not_taken_either(tmp_path: Path) -> None:
    wire = CityOnTheWire(THREE)
    station: Station = CITY.station(tmp_path, TerminalKind.VALIDATOR, send=wire, policy=b"")
    station.refresh()
    wire.number, wire.wrong = 2, {"delta": "lost"}
    with pytest.raises(ServiceUnreachable):
        station.refresh()
    assert (station.policy().number, station.policy().deny_number) == (1, 1)
    wire.wrong = {"delta": "none", "deny-list": "old"}
    with pytest.raises(DenyListRefused):
        station.refresh()
    assert station.policy().number == 1
    wire.wrong = {}
    assert station.fresh_policy().number == 1  # in force: nothing is fetched for it
    assert station.refresh().number == 2
    station.close()


def test_a_list_that_was_lost_is_fetched_before_a_card_is_accepted(tmp_path: Path) -> None:
    wire = CityOnTheWire(THREE, number=2)
    station = CITY.station(tmp_path, TerminalKind.COUNTER, send=wire, policy=b"")
    station.refresh()
    (tmp_path / "denylist.cbor").unlink()
    with pytest.raises(NoDenyList):
        station.policy()
    assert station.fresh_policy().number == 2
    held = station.denials.current()
    assert held
    assert held.denies_card(UUID(bytes=bytes(16)))
    station.close()
