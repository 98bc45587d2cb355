import pytest
import sqlalchemy as sa


@pytest.mark.postgres
def test_the_test_server_is_as_durable_as_production(fresh_postgres_url: str) -> None:
    engine = sa.create_engine(fresh_postgres_url)
    with engine.connect() as connection:
        for setting in ("fsync", "synchronous_commit", "full_page_writes"):
            assert connection.scalar(sa.text(f"SHOW {setting}")) == "on"
    engine.dispose()


def test_each_test_gets_an_empty_database(database_url: str) -> None:
    engine = sa.create_engine(database_url)
    assert sa.inspect(engine).get_table_names() == []
    with engine.begin() as connection:
        connection.execute(sa.text("CREATE TABLE left_behind (n integer)"))
    engine.dispose()
