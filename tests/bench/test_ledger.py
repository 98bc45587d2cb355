"""The floor is a floor of the same work: its rows are those that posting writes."""

import pytest
import sqlalchemy as sa

from bench.ledger_books import Books
from bench.ledger_floor import Floor
from cardsvc import db


@pytest.mark.postgres
def test_the_floor_takes_the_same_rows_into_the_same_indexes(fresh_postgres_url: str) -> None:
    engine = db.make_engine(fresh_postgres_url)
    books = Books(engine, wallets=20)
    books.open()
    floor = Floor(engine)
    first, drafts = books.seq, books.fares(30)
    assert floor.copy([drafts[:20], drafts[20:]], first) > 0
    books.now = drafts[-1].happened_at
    assert books.post(drafts) == 30
    with db.unit_of_work(engine, read_only=True) as session:

        def rows(table: str, order: str) -> list[tuple[object, ...]]:
            # when it was recorded is the one thing that a floor has no clock for
            hidden = " - 'recorded_at'" if table.endswith("entry") else ""
            query = f"SELECT to_jsonb(one){hidden} FROM {table} AS one WHERE {order} >= {first} ORDER BY 1"
            return [tuple(row) for row in session.execute(sa.text(query))]

        assert rows("floor_entry", "seq") == rows("entry", "seq")
        assert rows("floor_posting", "entry_seq") == rows("posting", "entry_seq")
        counted = [
            session.scalar(sa.text(f"SELECT count(*) FROM pg_indexes WHERE tablename = '{table}'"))
            for table in ("entry", "floor_entry", "posting", "floor_posting")
        ]
    assert counted[0] == counted[1]
    assert counted[2] == counted[3]
    engine.dispose()
