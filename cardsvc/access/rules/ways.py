"""The ways of signing in, and what holds for each."""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from cardsvc.settings import StaffPasswords

CHALLENGE_VALIDITY = timedelta(minutes=5)
CHALLENGES_MAX = 200  # that wait for one address at a time; then the oldest goes
BINDING_BYTES = 32
ADDRESS_FAILURES_MAX = 100  # ten for a name; an office of several people behind one address may mistype more often
STEP_UP_WITHIN = timedelta(minutes=5)
AGENT_LETTERS_MAX = 120


class Method(StrEnum):
    """How somebody showed who they are."""

    PASSWORD = "password"  # noqa: S105 - a word, no password
    CARD = "card"
    PASSKEY = "passkey"


class Purpose(StrEnum):
    """What a challenge is for; an answer for one is none for another."""

    CARD = "card"
    BIND_CARD = "bind-card"
    PASSKEY = "passkey"
    ADD_PASSKEY = "add-passkey"


@dataclass(frozen=True, slots=True)
class Way:
    """How and from where somebody signed in. `key_id` is the card's 9A or the hash of a passkey's credential id."""

    method: Method
    key_id: bytes | None = None
    address: str | None = None
    agent: str = ""


def password_refused(setting: StaffPasswords, *, has_better: bool) -> bool:
    """Whether a staff member's password no longer signs them in. `has_better`: they have a card or a passkey."""
    return setting is StaffPasswords.REFUSE or (setting is StaffPasswords.UNTIL_BOUND and has_better)
