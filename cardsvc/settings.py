"""What an operator may set, read once from the environment into one frozen value.

Variables begin with CITY_; a secret may come as a file (CITY_VAULT_PASSPHRASE_FILE). An unknown CITY_ variable is an
error: a misspelt setting must not silently mean its default.
"""

import os
import re
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from environs import FileAwareEnv, validate
from environs.exceptions import EnvError

from cardsvc.errors import CityError, ErrorKind

PREFIX = "CITY_"
PASSPHRASE_LENGTH_MIN = 16
RENEWAL_DAYS_MAX = 366
PROXIES_MAX = 8
# Known to everybody who reads this; production refuses it.
DEMO_PASSPHRASE = "everybody knows this passphrase"  # noqa: S105

# Read by the city script, the terminals, the offline verifier or the tests: not ours, and no mistake.
_OTHERS = {"NO_APT", "PCSC", "PYTHON", "TEST_DATA", "NOTHING_SKIPPED", "KEYS", "JUDGES", "BANK_SECONDS", "OWNER_URL"}
_OTHERS_PREFIXES = ("TERMINAL_",)
_SECRETS = {"VAULT_PASSPHRASE", "VAULT_PIN", "DATABASE_URL"}  # a database URL may hold a password
_ORIGIN = re.compile(r"[a-z0-9][a-z0-9.-]*(/[a-z0-9._-]+)*")


class InvalidSettings(CityError):
    """The environment cannot be read as settings; nothing was started."""

    code = "invalid_settings"
    kind = ErrorKind.INVALID


class Environment(StrEnum):
    DEMO = "demo"
    PRODUCTION = "production"
    TEST = "test"


@dataclass(frozen=True, slots=True)
class PasswordCost:
    """The work of one argon2id computation (RFC 9106). Each hash carries its own, so it may be raised at any time."""

    iterations: int
    memory_kib: int
    lanes: int = 1


# At least OWASP's recommendation for argon2id (19 MiB, 2 passes). Tests sign in hundreds of times and guard nothing.
STRONG = PasswordCost(iterations=2, memory_kib=19 * 1024)
CHEAP = PasswordCost(iterations=1, memory_kib=64)


@dataclass(frozen=True, slots=True)
class CardSettings:
    """`renewal_days`: how long before its last day a card may be renewed. The two objects are written onto a card only
    where the city says so; `blanks_required` makes every new card name the blank it is made of.
    """

    renewal_days: int = 90
    printed_information: bool = False
    face: bool = False
    blanks_required: bool = False


@dataclass(frozen=True, slots=True)
class DedupeSettings:
    """From which score on two entries of the register are one person, or somebody must look (tenths of a power of two;
    docs/cardsvc-residents.md says how often each is right).
    """

    same_from: int = 280
    look_from: int = 140


class StaffPasswords(StrEnum):
    """Whether staff sign in with a password: always, until they have a card or passkey, or never."""

    ALLOW = "allow"
    UNTIL_BOUND = "until_bound"
    REFUSE = "refuse"


@dataclass(frozen=True, slots=True)
class SignInSettings:
    """`agent_url` is where the program beside the card reader listens on each member of staff's own machine. `proxies`
    is how many reverse proxies stand in front: without it everybody would have the proxy's address.
    """

    staff_passwords: StaffPasswords = StaffPasswords.ALLOW
    agent_url: str = "http://127.0.0.1:8090"
    proxies: int = 0


@dataclass(frozen=True, slots=True)
class VaultSettings:
    """`module`: the PKCS#11 library of the hardware module that keeps the city's keys; None: encrypted files, under the
    passphrase. `pin` opens the token of that name.
    """

    module: Path | None = None
    token: str = "city"  # noqa: S105 - the name of one, no secret
    pin: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Settings:
    """`home` holds the vault and, by default, the database. `log_origin` names the log on its checkpoints and can never
    change. `public_url` is how browsers reach the service; https there makes cookies secure ones. `witnesses` is the
    file that names those of the log (C2SP tlog-policy); None: nobody watches.
    """

    env: Environment
    home: Path
    database_url: str = field(repr=False)  # it may hold a password
    city_name: str
    log_origin: str
    public_url: str
    vault_passphrase: str = field(repr=False)
    bind_host: str
    port: int
    cards: CardSettings = CardSettings()
    dedupe: DedupeSettings = DedupeSettings()
    vault: VaultSettings = VaultSettings()
    sign_in: SignInSettings = SignInSettings()
    witnesses: Path | None = None

    @property
    def is_production(self) -> bool:
        return self.env is Environment.PRODUCTION

    @property
    def is_https(self) -> bool:
        return self.public_url.startswith("https://")

    @property
    def vault_folder(self) -> Path:
        return self.home / "vault"

    @property
    def log_head(self) -> Path:
        """The file that keeps the log's last signed head outside the database."""
        return self.home / "log-head"

    @property
    def password_cost(self) -> PasswordCost:
        return CHEAP if self.env is Environment.TEST else STRONG


def load(*, bind_host: str | None = None, port: int | None = None) -> Settings:
    """The settings in force: the environment's, except what a command line says.

    Raises: InvalidSettings, naming every wrong variable at once.
    """
    _refuse_unknown()
    try:
        settings = _read(FileAwareEnv(prefix=PREFIX, eager=False, strip_whitespace=True), bind_host, port)
    except (EnvError, ValueError) as error:  # ValueError: the file of a secret cannot be read
        raise InvalidSettings(f"The environment is wrong: {error}") from error
    check(settings)
    return settings


def _read(env: FileAwareEnv, bind_host: str | None, port: int | None) -> Settings:
    environment = env.str("ENV", Environment.DEMO.value, validate=validate.OneOf(list(Environment)))
    home = env.path("HOME", Path("var")).absolute()
    port = env.int("PORT", 8080) if port is None else port
    bind_host = bind_host or env.str("BIND_HOST", "127.0.0.1")
    values: dict[str, Any] = {
        "database_url": env.str("DATABASE_URL", f"sqlite:///{home / 'city.db'}"),
        "city_name": env.str("NAME", "Maharlika City"),
        "log_origin": env.str("LOG_ORIGIN", "city.example/log"),
        "public_url": env.str("PUBLIC_URL", f"http://{bind_host}:{port}").rstrip("/"),
        "vault_passphrase": env.str("VAULT_PASSPHRASE", DEMO_PASSPHRASE),
    }
    cards = CardSettings(
        renewal_days=env.int("CARD_RENEWAL_DAYS", CardSettings().renewal_days),
        printed_information=env.bool("CARD_PRINTED_INFORMATION", False),
        face=env.bool("CARD_FACE", False),
        blanks_required=env.bool("CARD_BLANKS_REQUIRED", False),
    )
    dedupe = DedupeSettings(
        same_from=env.int("DEDUPE_SAME_FROM", DedupeSettings().same_from),
        look_from=env.int("DEDUPE_LOOK_FROM", DedupeSettings().look_from),
    )
    place = Environment(environment) if environment in list(Environment) else Environment.DEMO
    sign_in = _read_sign_in(env, place, values["public_url"])
    vault = _read_vault(env)
    values["witnesses"] = env.path("WITNESSES", None)
    env.seal()  # raises for all that was wrong so far
    values |= {"cards": cards, "dedupe": dedupe, "sign_in": sign_in, "vault": vault}
    return Settings(env=place, home=home, bind_host=bind_host, port=port, **values)


def _read_vault(env: FileAwareEnv) -> VaultSettings:
    return VaultSettings(
        module=env.path("VAULT_MODULE", None),
        token=env.str("VAULT_TOKEN", VaultSettings().token),
        pin=env.str("VAULT_PIN", ""),
    )


def _read_sign_in(env: FileAwareEnv, place: Environment, public_url: str) -> SignInSettings:
    # to a browser `localhost` and 127.0.0.1 are two sites, and a cookie of the one stays away from forms of the other
    agent_url = "http://localhost:8090" if urlsplit(public_url).hostname == "localhost" else SignInSettings().agent_url
    usual = StaffPasswords.UNTIL_BOUND if place is Environment.PRODUCTION else StaffPasswords.ALLOW
    passwords = env.str("STAFF_PASSWORDS", usual.value, validate=validate.OneOf(list(StaffPasswords)))
    return SignInSettings(
        staff_passwords=StaffPasswords(passwords) if passwords in list(StaffPasswords) else usual,
        agent_url=env.str("AGENT_URL", agent_url).rstrip("/"),
        proxies=env.int("PROXIES", SignInSettings().proxies) or 0,
    )


def check(settings: Settings) -> None:
    """Raises: InvalidSettings for settings that contradict each other or are not safe where they are used."""
    wrong: dict[str, list[str]] = {}
    url = urlsplit(settings.public_url)
    if url.scheme not in {"http", "https"} or not url.netloc or url.path:
        wrong["CITY_PUBLIC_URL"] = ["must be like https://card.example.ph, without a path"]
    if not _ORIGIN.fullmatch(settings.log_origin):
        wrong["CITY_LOG_ORIGIN"] = ["must be like city.example/log: small letters, digits, dots and slashes"]
    if not settings.city_name:
        wrong["CITY_NAME"] = ["must not be empty"]
    if not 0 <= settings.port < 2**16:
        wrong["CITY_PORT"] = ["must be a port number"]
    wrong |= _wrong_in_rooms(settings)
    if settings.is_production:
        passphrase = settings.vault_passphrase
        if settings.vault.module is None and (passphrase == DEMO_PASSPHRASE or len(passphrase) < PASSPHRASE_LENGTH_MIN):
            wrong["CITY_VAULT_PASSPHRASE"] = [
                f"must be your own in production, {PASSPHRASE_LENGTH_MIN} characters or more"
            ]
        if not settings.is_https:
            wrong.setdefault("CITY_PUBLIC_URL", []).append("must be https in production")
    if wrong:
        listed = "; ".join(f"{name} {', '.join(texts)}" for name, texts in wrong.items())
        raise InvalidSettings(f"The settings are wrong: {listed}.", fields=wrong)


def _wrong_in_rooms(settings: Settings) -> dict[str, list[str]]:
    wrong: dict[str, list[str]] = {}
    if not 0 <= settings.cards.renewal_days <= RENEWAL_DAYS_MAX:
        wrong["CITY_CARD_RENEWAL_DAYS"] = [f"must be a number of days from 0 to {RENEWAL_DAYS_MAX}"]
    if not 0 < settings.dedupe.look_from <= settings.dedupe.same_from:
        wrong["CITY_DEDUPE_LOOK_FROM"] = ["must be more than 0 and not more than CITY_DEDUPE_SAME_FROM"]
    if urlsplit(settings.sign_in.agent_url).hostname not in {"127.0.0.1", "localhost", "::1"}:
        wrong["CITY_AGENT_URL"] = ["must be an address of the machine itself, like http://127.0.0.1:8090"]
    if settings.vault.module is not None and not settings.vault.pin:
        wrong["CITY_VAULT_PIN"] = ["must open the token of CITY_VAULT_MODULE; best as CITY_VAULT_PIN_FILE"]
    if settings.vault.module is None and settings.vault.pin:
        wrong["CITY_VAULT_MODULE"] = ["must name the PKCS#11 library where CITY_VAULT_PIN is set"]
    if not 0 <= settings.sign_in.proxies <= PROXIES_MAX:
        wrong["CITY_PROXIES"] = [f"must be the number of reverse proxies in front, 0 to {PROXIES_MAX}"]
    return wrong


_CARDS = ("CARD_RENEWAL_DAYS", "CARD_PRINTED_INFORMATION", "CARD_FACE", "CARD_BLANKS_REQUIRED")
_DEDUPE = ("DEDUPE_SAME_FROM", "DEDUPE_LOOK_FROM")
_SIGN_IN = ("STAFF_PASSWORDS", "AGENT_URL", "PROXIES")
_VAULT = ("VAULT_MODULE", "VAULT_TOKEN", "VAULT_PIN")
KNOWN = ("ENV", "HOME", "DATABASE_URL", "NAME", "LOG_ORIGIN", "PUBLIC_URL", "VAULT_PASSPHRASE", "BIND_HOST", "PORT",
         "WITNESSES", *_VAULT, *_CARDS, *_DEDUPE, *_SIGN_IN)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Line:
    """One setting as an operator sees it: its variable, its value, where that comes from."""

    name: str
    value: str
    source: str


def describe(settings: Settings) -> list[Line]:
    """Every setting, in the order of `KNOWN`; a secret shows only that it is set."""
    plain = ("ENV", "HOME", "LOG_ORIGIN", "PUBLIC_URL", "BIND_HOST", "PORT")
    values = {
        **{name: str(getattr(settings, name.lower())) for name in plain},
        **{name: str(getattr(settings.cards, name.removeprefix("CARD_").lower())) for name in _CARDS},
        **{name: str(getattr(settings.dedupe, name.removeprefix("DEDUPE_").lower())) for name in _DEDUPE},
        **{name: str(getattr(settings.sign_in, name.lower())) for name in _SIGN_IN},
        "NAME": settings.city_name,
        "DATABASE_URL": _without_password(settings.database_url),
        "VAULT_MODULE": "(none: encrypted files)" if settings.vault.module is None else str(settings.vault.module),
        "VAULT_TOKEN": settings.vault.token,
        "WITNESSES": "(none)" if settings.witnesses is None else str(settings.witnesses),
        "VAULT_PIN": "(set)" if settings.vault.pin else "(not set)",
        "VAULT_PASSPHRASE": "(the demo's)" if settings.vault_passphrase == DEMO_PASSPHRASE else "(set)",
    }
    return [Line(PREFIX + name, values[name], _source(name)) for name in KNOWN]


def _without_password(url: str) -> str:
    """A password may stand before the host, or be a parameter (libpq has `password` and `sslpassword`)."""
    return re.sub(r"([?&]\w*pass\w*=)[^&]*", r"\1***", re.sub(r"://([^:/?#]*):.*@", r"://\1:***@", url))


def _source(name: str) -> str:
    for variable in (f"{PREFIX}{name}_FILE", PREFIX + name):
        if variable in os.environ:
            return variable
    return "default"


def _refuse_unknown() -> None:
    known = {*KNOWN, *(f"{name}_FILE" for name in _SECRETS), *_OTHERS}
    given = {name.removeprefix(PREFIX) for name in os.environ if name.startswith(PREFIX)}
    unknown = sorted(name for name in given - known if not name.startswith(_OTHERS_PREFIXES))
    if unknown:
        names = ", ".join(PREFIX + name for name in unknown)
        raise InvalidSettings(f"Unknown setting: {names}. Known are {', '.join(PREFIX + name for name in KNOWN)}.")
