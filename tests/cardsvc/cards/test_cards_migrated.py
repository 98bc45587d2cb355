"""Cards ordered before their life had renewals: the migration keeps them and finds since when each is as it is."""

from datetime import timedelta
from uuid import UUID

from alembic import command
from sqlalchemy import insert, text
from sqlalchemy.orm import Session

from cardsvc import cards, db, migrations
from cardsvc.cards.models import CardEventRow, CardRow
from cardsvc.clock import FixedClock
from tests.builders import CLERK

RESIDENT, CARD = UUID(int=1), UUID(int=2)


def test_a_card_of_the_first_schema_keeps_its_history_and_says_since_when_it_waits(
    database_url: str, clock: FixedClock
) -> None:
    engine = db.make_engine(database_url)
    with engine.connect() as connection, migrations._references_checked_at_the_end(connection):
        command.upgrade(migrations._config(connection), "0001")
    requested, approved = clock.now(), clock.now() + timedelta(hours=1)

    def fill(session: Session) -> None:
        columns = session.execute(text("SELECT * FROM resident")).keys()
        known = {"family_name": "Cruz", "given_name": "Ana", "birth_date": "1990-01-01", "sex": "F"}
        known |= {"status": "active", "number": "MK-1", "barangay_code": "BR-01", "address": "?", "middle_name": "?"}
        values = {name: value for name, value in known.items() if name in columns}
        rest: dict[str, object] = {"id": db.Id().process_bind_param(RESIDENT, session.get_bind().dialect)}
        rest |= {name: db.to_ms(requested) for name in columns if name.endswith("_at")}
        rest |= {name: rest["id"] for name in columns if name.endswith("_by")}
        rest |= {name: "?" for name in columns if name in {"person_key", "search_text"}}
        every = values | rest
        names, marks = ", ".join(every), ", ".join(f":{name}" for name in every)
        session.execute(text(f"INSERT INTO resident ({names}) VALUES ({marks})"), every)
        order = {"id": CARD, "resident_id": RESIDENT, "state": "approved", "attempt": 0}
        order |= {"requested_by": CLERK, "requested_at": requested, "approved_by": RESIDENT, "approved_at": approved}
        session.execute(insert(CardRow).values(order))
        for number, (state, at) in enumerate((("requested", requested), ("approved", approved)), start=1):
            event = {"card_id": CARD, "number": number, "to_state": state, "actor": CLERK, "at": at}
            session.execute(insert(CardEventRow).values(event))

    db.run(engine, fill)
    migrations.migrate(engine)
    with db.unit_of_work(engine, read_only=True) as session:
        card = cards.find(session, CARD)
        assert (card.state_since, card.order_kind, card.replaces) == (approved, cards.OrderKind.FIRST, None)
        assert [step.to_state for step in cards.history(session, CARD)] == ["requested", "approved"]
    engine.dispose()
