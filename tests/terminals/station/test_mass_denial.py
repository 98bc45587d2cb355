"""A list that blocks very many cards at once, without a reason that two people signed, is held back at the terminal."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import pytest

from crypto.wire.denylist import DenyDelta, DenyList, pack, sign_delta, sign_list, unpack
from terminals.client import Reply
from terminals.settings import TerminalKind
from terminals.station import MassDenial, News, PolicyTooOld
from terminals.station.denials import Breaker, DenyKeeper
from tests.terminals.city import DAY_MS, HOUR_MS, NOON_MS, SetClock, SmallCity

CITY = SmallCity()
KEYS = CITY.keys.format()
DECISION = UUID("018f3c5e-7c00-7abc-8def-0123456789ae")


def listed(number: int, count: int, *, hours: int = 0, action_id: UUID | None = None) -> DenyList:
    """A list of the first `count` cards."""
    packed = pack(place.to_bytes(16, "big") for place in range(count))
    return DenyList(number, NOON_MS + hours * HOUR_MS, packed, b"", action_id)


def step(base: DenyList, fresh: DenyList) -> bytes:
    added = pack(set(unpack(fresh.cards)) - set(unpack(base.cards)))
    return sign_delta(
        DenyDelta(
            base.number,
            base.hash(),
            fresh.number,
            fresh.hash(),
            fresh.issued_at_ms,
            added_cards=added,
            action_id=fresh.action_id,
        ),
        CITY.signer,
    )


@pytest.fixture
def keeper(tmp_path: Path) -> DenyKeeper:
    kept = DenyKeeper(tmp_path / "denylist.cbor")
    kept.keep_list(sign_list(listed(1, 50), CITY.signer), KEYS)
    return kept


@pytest.mark.parametrize("whole", [True, False])
@pytest.mark.parametrize(
    ("fresh", "held_back"),
    [
        (listed(2, 150), False),
        (listed(2, 151), True),
        (listed(2, 250, hours=1), False),  # two hours have begun: twice as many are usual
        (listed(2, 251, hours=1), True),
        (listed(2, 100_000, action_id=DECISION), False),
        (listed(2, 0), False),
    ],
)
def test_too_many_at_once_are_held_back_unless_two_people_signed_for_them(
    keeper: DenyKeeper, fresh: DenyList, held_back: bool, whole: bool
) -> None:
    before = keeper.current()
    assert before

    def offer(taken: int = 0) -> None:
        if whole:
            keeper.keep_list(sign_list(fresh, CITY.signer), KEYS, taken=taken)
        elif fresh.cards:
            keeper.keep_delta(step(before, fresh), KEYS, taken=taken)

    if not held_back:
        offer()
        return
    with pytest.raises(MassDenial, match="--take-list 2"):
        offer()
    assert keeper.current() == before
    with pytest.raises(MassDenial):
        offer(taken=3)  # another list than the one that somebody asked about
    offer(taken=2)
    assert keeper.current() == fresh


def test_cards_that_owe_a_fare_hold_no_list_back(keeper: DenyKeeper) -> None:
    held = keeper.current()
    assert held
    fresh = replace(held, number=2, owing=listed(2, 5_000).cards)
    keeper.keep_list(sign_list(fresh, CITY.signer), KEYS)
    assert keeper.current() == fresh
    with pytest.raises(MassDenial):  # what is denied is counted as ever, on a list that names some who owe too
        keeper.keep_list(sign_list(replace(listed(3, 5_000), owing=fresh.owing), CITY.signer), KEYS)


def test_a_long_list_may_grow_by_its_share(tmp_path: Path) -> None:
    keeper = DenyKeeper(tmp_path / "denylist.cbor", Breaker(hourly=10, percent=10))
    keeper.keep_list(sign_list(listed(1, 1_000), CITY.signer), KEYS)
    with pytest.raises(MassDenial):
        keeper.keep_list(sign_list(listed(2, 1_101), CITY.signer), KEYS)
    keeper.keep_list(sign_list(listed(2, 1_100), CITY.signer), KEYS)


def test_a_terminal_that_holds_a_list_back_goes_on_with_the_old_one_until_its_age_limits(tmp_path: Path) -> None:
    """Its policy stays with the list, so staff are warned, the ceilings fall, and in the end it stops."""
    lists, asked = {"now": listed(1, 50)}, []

    def send(_method: str, path: str, _headers: Mapping[str, str], _body: bytes | None) -> Reply:
        asked.append(path)
        fresh = lists["now"]
        if path == "/v1/policy":
            at_ms = NOON_MS + fresh.number * HOUR_MS
            return Reply(200, CITY.policy(number=fresh.number, deny_number=fresh.number, issued_at_ms=at_ms))
        return Reply(200, sign_list(fresh, CITY.signer) if "/deltas/" not in path else step(listed(1, 50), fresh))

    clock = SetClock(NOON_MS + HOUR_MS)
    station = CITY.station(tmp_path, TerminalKind.VALIDATOR, clock=clock, send=send, policy=b"")
    station.refresh()
    lists["now"] = listed(2, 5_000)
    clock.advance(HOUR_MS)
    with pytest.raises(MassDenial) as warned:
        station.refresh()
    assert (warned.value.added, warned.value.number, asked[-1]) == (4_950, 2, "/v1/deny-list/deltas/1")
    assert (station.policy().number, station.news()) == (1, News.FRESH)
    assert station.refresh(take_list=2).number == 2
    lists["now"] = listed(3, 20_000)
    clock.advance(HOUR_MS)
    with pytest.raises(MassDenial):
        station.refresh()
    clock.advance(DAY_MS)
    with pytest.raises(PolicyTooOld):
        station.policy()
    station.close()
