"""How long orders wait, stage by stage; and who did what to cards, when."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from click.testing import CliRunner
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from cardsvc import cards, db, web
from cardsvc.cards import CardState
from cardsvc.cards.commands import cards as command
from cardsvc.cards.rules import InvalidAge, ageing, read_age
from cardsvc.clock import FixedClock
from tests.builders import CLERK, OFFICER, make_resident, staff_token

NOW = datetime(2026, 11, 2, tzinfo=UTC)


def test_the_median_and_the_ninetieth_percentile_are_ages_of_real_orders() -> None:
    ten = ageing(CardState.REQUESTED, [NOW - timedelta(hours=hours) for hours in range(10, 0, -1)], NOW)
    assert (ten.count, ten.median_seconds, ten.p90_seconds, ten.oldest_seconds) == (10, 18_000, 32_400, 36_000)
    assert ten.oldest_since == NOW - timedelta(hours=10)
    one = ageing(CardState.READY, [NOW - timedelta(seconds=7)], NOW)
    assert (one.median_seconds, one.p90_seconds, one.oldest_seconds) == (7, 7, 7)
    none = ageing(CardState.READY, [], NOW)
    assert (none.count, none.oldest_since, none.median_seconds) == (0, None, None)
    early = ageing(CardState.READY, [NOW + timedelta(seconds=7)], NOW)  # another machine's clock is ahead
    assert early.oldest_seconds == 0


def test_an_age_is_written_in_days_hours_or_minutes() -> None:
    assert [read_age(text) for text in ("3d", "12H", " 30m ")] == [
        timedelta(days=3),
        timedelta(hours=12),
        timedelta(minutes=30),
    ]
    for wrong in ("", "3", "d", "-3d", "3w", "1.5d", "1234567d"):
        with pytest.raises(InvalidAge):
            read_age(wrong)


def order(city: web.City, *, approved: bool = False) -> cards.Card:
    """An order placed now."""

    def work(session: Session) -> cards.Card:
        now = city.clock.now()
        resident = make_resident(session, now)
        made = cards.request(session, resident.id, by=CLERK, now=now, random_bytes=city.random_bytes)
        return cards.approve(session, made.id, by=OFFICER, now=now) if approved else made

    return db.run(city.engine, work)


def test_the_backlog_counts_each_stage_since_its_cards_came_to_it(
    city: web.City, client: FlaskClient, clock: FixedClock
) -> None:
    old = order(city)
    clock.advance(timedelta(hours=2))
    late = order(city)
    db.run(city.engine, lambda session: cards.approve(session, late.id, by=OFFICER, now=clock.now()))
    clock.advance(timedelta(hours=1))
    answer = client.get("/v1/cards/backlog", headers=staff_token(city, client, "clerk"))
    stages = {stage.pop("stage"): stage for stage in answer.get_json()["stages"]}
    assert list(stages) == ["requested", "approved", "personalising", "ready"]
    assert (stages["requested"]["count"], stages["requested"]["oldest_seconds"]) == (1, 3 * 3600)
    assert (stages["approved"]["count"], stages["approved"]["median_seconds"]) == (1, 3600)
    assert (stages["ready"]["count"], stages["ready"]["p90_seconds"]) == (0, None)

    def run(*arguments: str) -> str:
        result = CliRunner().invoke(command, arguments, obj=lambda: city)
        assert result.exit_code == 0, result.output
        return result.stdout

    assert json.loads(run("backlog", "--json"))["stages"][0]["oldest_seconds"] == 3 * 3600
    assert "requested            1     3h 0m" in run("backlog")
    listed = json.loads(run("list", "--stage", "requested", "--older-than", "2h", "--json"))
    assert [card["id"] for card in listed["cards"]] == [str(old.id)]
    assert json.loads(run("list", "--older-than", "4h", "--json"))["cards"] == []
    assert len(json.loads(run("list", "--older-than", "30m", "--json"))["cards"]) == 2


def test_what_was_done_to_cards_is_found_by_actor_state_and_time(
    city: web.City, client: FlaskClient, clock: FixedClock
) -> None:
    first = order(city, approved=True)
    at = clock.advance(timedelta(minutes=1))
    order(city)
    headers = staff_token(city, client, "auditor")

    def found(query: str) -> list[tuple[str, str]]:
        steps = client.get(f"/v1/cards/history?{query}", headers=headers).get_json()["steps"]
        return [(step["to_state"], step["actor"]) for step in steps]

    assert found("limit=1") == [("requested", str(CLERK))]
    assert found(f"actor={OFFICER}") == [("approved", str(OFFICER))]
    assert len(found("to_state=requested")) == 2
    stamp = at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    assert found(f"until={stamp}") == [("approved", str(OFFICER)), ("requested", str(CLERK))]
    assert len(found(f"since={stamp}")) == 1
    clerk = staff_token(city, client, "clerk")
    assert client.get("/v1/cards/history", headers=clerk).status_code == 403
    steps = client.get("/v1/cards/history", headers=headers).get_json()["steps"]
    assert {step["card_id"] for step in steps} >= {str(first.id)}
