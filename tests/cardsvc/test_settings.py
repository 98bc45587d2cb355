import os
from pathlib import Path

import pytest

from cardsvc import settings
from cardsvc.settings import CHEAP, STRONG, Environment, InvalidSettings

PRODUCTION = {
    "CITY_ENV": "production",
    "CITY_PUBLIC_URL": "https://card.example.ph",
    "CITY_VAULT_PASSPHRASE": "long enough, and our own",
}


@pytest.fixture(autouse=True)
def _empty_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in os.environ:
        if name.startswith("CITY_"):
            monkeypatch.delenv(name)


def set_all(monkeypatch: pytest.MonkeyPatch, values: dict[str, str]) -> None:
    for name, value in values.items():
        monkeypatch.setenv(name, value)


def test_nothing_set_is_a_demo_on_this_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    found = settings.load()
    assert (found.env, found.bind_host, found.home) == (Environment.DEMO, "127.0.0.1", tmp_path / "var")
    assert found.database_url == f"sqlite:///{tmp_path}/var/city.db"


def test_production_wants_a_passphrase_of_its_own_and_https(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CITY_ENV", "production")
    with pytest.raises(InvalidSettings) as refused:
        settings.load()
    assert set(refused.value.fields) == {"CITY_VAULT_PASSPHRASE", "CITY_PUBLIC_URL"}
    set_all(monkeypatch, PRODUCTION)
    assert settings.load().is_production


def test_an_unknown_variable_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CITY_DATABSE_URL", "sqlite:///x")
    with pytest.raises(InvalidSettings, match=r"CITY_DATABSE_URL.*Known are.*CITY_DATABASE_URL"):
        settings.load()


def test_variables_of_the_script_and_the_terminals_are_no_mistake(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("CITY_NO_APT", "CITY_PCSC", "CITY_TERMINAL_HOME", "CITY_NOTHING_SKIPPED", "CITY_KEYS"):
        monkeypatch.setenv(name, "1")
    settings.load()


def test_a_secret_may_come_as_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("from a file\n")
    monkeypatch.setenv("CITY_VAULT_PASSPHRASE_FILE", str(tmp_path / "secret"))
    assert settings.load().vault_passphrase == "from a file"


def test_a_secret_is_never_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    set_all(monkeypatch, PRODUCTION)
    assert "our own" not in repr(settings.load())


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CITY_ENV", "prod"),
        ("CITY_PORT", "http"),
        ("CITY_PORT", "70000"),
        ("CITY_PUBLIC_URL", "card.example.ph"),
        ("CITY_PUBLIC_URL", "https://card.example.ph/path"),
        ("CITY_LOG_ORIGIN", "City Log"),
        ("CITY_NAME", ""),
        ("CITY_VAULT_PASSPHRASE_FILE", "/nowhere/at/all"),
    ],
)
def test_a_wrong_value_names_its_variable(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(InvalidSettings, match=name):
        settings.load()


def test_a_module_takes_the_place_of_the_passphrase(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "pin").write_text("the PIN of a token\n")
    set_all(monkeypatch, {name: value for name, value in PRODUCTION.items() if "PASSPHRASE" not in name})
    set_all(monkeypatch, {"CITY_VAULT_MODULE": "/usr/lib/module.so", "CITY_VAULT_PIN_FILE": str(tmp_path / "pin")})
    found = settings.load()
    assert found.vault == settings.VaultSettings(Path("/usr/lib/module.so"), "city", "the PIN of a token")
    assert "the PIN" not in repr(found) + repr(settings.describe(found))


@pytest.mark.parametrize(
    ("name", "value", "wrong"),
    [("CITY_VAULT_MODULE", "/usr/lib/module.so", "CITY_VAULT_PIN"), ("CITY_VAULT_PIN", "1234", "CITY_VAULT_MODULE")],
)
def test_a_module_and_its_pin_come_together(monkeypatch: pytest.MonkeyPatch, name: str, value: str, wrong: str) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(InvalidSettings) as refused:
        settings.load()
    assert set(refused.value.fields) == {wrong}


def test_passwords_are_cheap_in_tests_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CITY_ENV", "test")
    assert settings.load().password_cost == CHEAP
    set_all(monkeypatch, PRODUCTION)
    assert settings.load().password_cost == STRONG
