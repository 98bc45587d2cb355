"""What a wallet is made of: accounts of the ledger, named after the wallet."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import ClassVar, Final
from uuid import UUID, uuid5

from cardsvc import ledger
from cardsvc.errors import CityError, ErrorKind

ANY: Final = ledger.purses.ANY
TRANSIT: Final = "transit"
TAX: Final = "tax"
PURPOSES: Final = (ANY, TRANSIT, TAX)
"""What money in a purse can be for. A ride is paid by purses for transit and for anything, a tax by those for tax and
for anything; what else is paid, by those for anything.
"""

RETURN_AFTER: Final = timedelta(days=4)
"""How long an expired purse's rest waits before it returns: a gate may bring rides made before the expiry for as long
as it works without a network. Nothing that happens after the expiry is paid from it meanwhile.
"""


class WalletNotFound(CityError):
    code = "wallet_not_found"
    kind = ErrorKind.NOT_FOUND

    def __init__(self) -> None:
        super().__init__("This resident has no wallet yet. Ask for one at any counter.")


class UnknownWallet(CityError):
    code: ClassVar[str] = "unknown_wallet"
    kind: ClassVar[ErrorKind] = ErrorKind.NOT_FOUND

    def __init__(self) -> None:
        super().__init__("There is no wallet with this id. Look the resident up again.")


def wallet_id_of(resident_id: UUID) -> UUID:
    """One wallet a resident, for ever: its id follows from theirs, so opening it twice is opening it once."""
    return uuid5(resident_id, "city.wallet")


def owner(wallet_id: UUID) -> str:
    """The name that the wallet's purses have in common in the ledger."""
    return f"wallet:{wallet_id}"


def main_account(wallet_id: UUID) -> str:
    """The account of the money that the city keeps for the holder."""
    return f"wallet:{wallet_id}:main"


EVERY_OWED_ACCOUNT: Final = "wallet:%:owed"
"""As SQL's LIKE."""


def owed_account(wallet_id: UUID) -> str:
    """The account of what the holder owes for rides taken offline with an empty wallet."""
    return f"wallet:{wallet_id}:owed"


def held_account(wallet_id: UUID) -> str:
    """The account of the holder's money that is set aside."""
    return f"wallet:{wallet_id}:held"


def purse_account(wallet_id: UUID, name: str) -> str:
    """The account of money for a purpose."""
    return f"wallet:{wallet_id}:purse:{name}"


def wallet_of_account(code: str) -> UUID:
    """The wallet that an account of these belongs to."""
    return UUID(code.split(":")[1])


def accounts_of(wallet_id: UUID) -> tuple[ledger.AccountSpec, ledger.AccountSpec]:
    """The money is the holder's, a liability in trust that never falls below zero; what is owed is the city's."""
    return (
        _money(main_account(wallet_id)),
        ledger.AccountSpec(
            owed_account(wallet_id), ledger.AccountKind.ASSET, ledger.AccountPolicy.DERIVED, ledger.Fund.GENERAL
        ),
    )


def held_spec(wallet_id: UUID) -> ledger.AccountSpec:
    return _money(held_account(wallet_id))


def purse_spec(wallet_id: UUID, name: str, purse: ledger.Purse) -> ledger.AccountSpec:
    return _money(purse_account(wallet_id, name), purse)


def _money(code: str, purse: ledger.Purse | None = None) -> ledger.AccountSpec:
    kind, policy = ledger.AccountKind.LIABILITY, ledger.AccountPolicy.CHECKED
    return ledger.AccountSpec(code, kind, policy, ledger.Fund.TRUST, floor_cents=0, purse=purse)


def sources(wallet_id: UUID, purses: Iterable[ledger.PurseAccount], purpose: str, at: datetime) -> tuple[str, ...]:
    """The accounts that pay for the purpose at that moment, in order; the main one is the last."""
    return (*(purse.code for purse in ledger.purses.order(purses, purpose, at)), main_account(wallet_id))
