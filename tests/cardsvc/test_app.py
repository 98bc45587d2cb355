"""A city is made, made again, looked at and refused, by the commands an operator types."""

import json
import os
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from cardsvc import app, db, settings, vault, web
from cardsvc.app import commands
from crypto import verifying
from tests.builders import PASSWORD


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in os.environ:
        if name.startswith("CITY_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("CITY_ENV", "test")
    monkeypatch.setenv("CITY_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("CITY_VAULT_PASSPHRASE", "a passphrase that is never shown")
    return tmp_path / "home"


def run(name: str, *arguments: str, city: web.City | None = None, **options: str) -> Result:
    obj = {} if city is None else {"obj": lambda: city}
    return CliRunner().invoke(commands[name], arguments, catch_exceptions=False, **obj, **options)  # type: ignore[arg-type]


def test_a_city_is_made_once_and_found_again(home: Path) -> None:
    made = app.init_city(settings.load())
    keys = made.vault.city_keys().format()
    assert run("init").exit_code == 0
    again = app.build_city(settings.load())
    assert again.vault.city_keys().format() == keys
    assert run("config", "check", "--json").output == f'{{"ok": true, "verifier": "{verifying.chosen().name}"}}\n'
    for city in (made, again):
        city.engine.dispose()


def test_nobody_else_on_the_machine_may_look_into_a_new_citys_folder(home: Path) -> None:
    app.init_city(settings.load()).engine.dispose()
    assert home.stat().st_mode & 0o077 == 0


def test_what_is_missing_is_named_before_anything_starts(home: Path) -> None:
    with pytest.raises(vault.VaultMissing, match="city init"):
        app.create_app(settings.load())
    made = app.init_city(settings.load())
    db.run(made.engine, lambda session: session.connection().exec_driver_sql("DELETE FROM alembic_version"))
    made.engine.dispose()
    with pytest.raises(app.SchemaOutdated, match="city migrate"):
        app.create_app(settings.load())


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://city:hidden@db.example/city",
        "postgresql://city:hidden:more@db.example/city",
        "postgresql://db.example/city?user=city&password=hidden&sslpassword=hidden",
    ],
)
def test_settings_are_shown_with_their_sources_and_without_secrets(
    home: Path, monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    monkeypatch.setenv("CITY_DATABASE_URL", url)
    assert "hidden" not in repr(settings.load())
    for output in (run("config", "show").output, run("config", "show", "--json").output):
        assert "never shown" not in output
        assert "hidden" not in output
    shown = json.loads(run("config", "show", "--json").output)
    assert shown["CITY_HOME"] == {"value": str(home), "from": "CITY_HOME"}
    assert shown["CITY_PORT"] == {"value": "8080", "from": "default"}


def test_staff_are_added_listed_and_blocked(city: web.City) -> None:
    added = run(
        "staff", "add", "ana", "--name", "Ana Cruz", "--role", "cashier", "--password", PASSWORD, "--json", city=city
    )
    assert json.loads(added.output)["roles"] == ["cashier"]
    run("staff", "block", "ana", city=city)
    (listed,) = json.loads(run("staff", "list", "--json", city=city).output)["staff"]
    assert (listed["full_name"], listed["active"]) == ("Ana Cruz", False)
