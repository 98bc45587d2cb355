"""The table of moves and the dates, decided without a database."""

from datetime import UTC, date, datetime, timedelta

import pytest

from cardsvc.cards.rules import (
    BLOCKED,
    HELD,
    MOVES,
    ORDERED,
    CardState,
    InvalidMove,
    Move,
    UnknownProduct,
    expiry,
    moved,
    not_after,
    product,
)


def test_the_table_is_the_life_of_a_card() -> None:
    """Written out, so that a change of the table is a change that somebody reads."""
    lines = [f"{move.value}: {' '.join(sorted(step.from_))} -> {step.to}" for move, step in MOVES.items()]
    assert lines == [
        "approve: requested -> approved",
        "begin personalisation: approved personalising ready -> personalising",
        "report ready: personalising -> ready",
        "hand over: ready -> active",
        "suspend: active -> suspended",
        "resume: suspended -> active",
        "revoke: active approved personalising ready requested suspended -> revoked",
        "expire: active ready suspended -> expired",
        "destroy: expired revoked -> destroyed",
    ]


@pytest.mark.parametrize("state", CardState)
@pytest.mark.parametrize("move", Move)
def test_every_move_outside_the_table_is_refused(state: CardState, move: Move) -> None:
    if state in MOVES[move].from_:
        assert moved(state, move) is MOVES[move].to
    else:
        with pytest.raises(InvalidMove, match=state):
            moved(state, move)


def test_a_stopped_card_never_comes_back() -> None:
    """Whatever sequence of moves is tried, nothing leads from revoked, expired or destroyed to a card in use."""
    reached = {CardState.REVOKED, CardState.EXPIRED, CardState.DESTROYED}
    for _ in CardState:
        reached |= {step.to for step in MOVES.values() if step.from_ & reached}
    assert not reached & (HELD | ORDERED)
    assert reached <= BLOCKED


def test_a_card_comes_into_use_only_by_handover_or_from_suspension() -> None:
    assert [move for move, step in MOVES.items() if step.to is CardState.ACTIVE] == [Move.HAND_OVER, Move.RESUME]


def test_a_card_is_good_for_five_years_and_its_certificates_end_with_its_last_day_in_manila() -> None:
    assert expiry(datetime(2026, 11, 2, 15, 59, tzinfo=UTC)) == date(2031, 11, 2)
    assert expiry(datetime(2026, 11, 2, 16, 0, tzinfo=UTC)) == date(2031, 11, 3)  # past midnight in Manila
    assert expiry(datetime(2028, 2, 29, tzinfo=UTC)) == date(2033, 2, 28)
    assert not_after(date(2031, 11, 2)) + timedelta(seconds=1) == datetime(2031, 11, 2, 16, 0, tzinfo=UTC)


def test_a_product_the_city_does_not_buy_is_refused_by_name() -> None:
    assert product("piv-aes256").key_bytes == 32
    with pytest.raises(UnknownProduct, match="piv-aes128"):
        product("piv-3des")
