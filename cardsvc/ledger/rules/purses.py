"""Which purses pay, and in what order."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from cardsvc.ledger.rules.chart import Purse

ANY = ""
"""The purpose of a purse that may pay everything."""
_MARK = ":purse:"
_LATEST = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class PurseAccount:
    """A purse that is open: its account, what makes it a purse, and what is in it."""

    code: str
    purse: Purse
    balance_cents: int

    @property
    def name(self) -> str:
        """Its name among its owner's purses."""
        return self.code.partition(_MARK)[2]


def owner_of(code: str) -> str | None:
    """Whose purse it is, by the account's code: `wallet:<id>` of `wallet:<id>:purse:<name>`. None: of nobody."""
    owner, mark, _name = code.partition(_MARK)
    return owner if mark else None


def order(purses: Iterable[PurseAccount], purpose: str, at: datetime) -> tuple[PurseAccount, ...]:
    """The purses that may pay for the purpose at that moment, in the order in which they do: money for this purpose
    before money for any, of these what expires first, then the least priority, then by name.

    A purse pays until `expires_at`, excluded.
    """
    able = (
        purse
        for purse in purses
        if purse.purse.purpose in (purpose, ANY) and (purse.purse.expires_at is None or at < purse.purse.expires_at)
    )
    return tuple(sorted(able, key=_place))


def _place(account: PurseAccount) -> tuple[bool, datetime, int, str]:
    purse = account.purse
    return purse.purpose == ANY, purse.expires_at or _LATEST, purse.priority, account.code
